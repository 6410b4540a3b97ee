//! Whether a card claims a key that another node holds here: such a card is not taken, and
//! the administrator is told. The pin of a node would else lead to whoever claims its key.

use raccordo_core::trust::card::{Card, CardError, SignedCard};
use raccordo_core::trust::key_holders::{HeldKeys, conflict};

use super::Node;
use super::audit::{Actor, record, record_refusal};
use super::fault::{Done, Fault};
use super::hub::offer::ACCEPTED;
use super::peers::read_card;
use crate::store::Tx;

/// Refuses a card with a key of another node: of this one, of a peer, of a card that was
/// followed, or at a hub of a party that it serves.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn check(node: &Node, tx: &mut dyn Tx, card: &Card) -> Done<Result<(), CardError>> {
    let mut known = Vec::new();
    for own in node.identity.all() {
        let own = own.card.card();
        known.push(HeldKeys::of(own, Some(own.sealing_key_digest())));
    }
    for row in tx.peers().await? {
        known.push(HeldKeys::of(read_card(&row)?.card(), row.opened_key));
    }
    let mut others: Vec<Vec<u8>> =
        tx.former_cards().await?.into_iter().map(|former| former.signed_card).collect();
    if node.hub.is_some() {
        others.extend(tx.all_carried().await?.into_iter().flat_map(|carried| carried.cards));
        let accepted = tx.offers_in(ACCEPTED).await?;
        others.extend(accepted.into_iter().flat_map(|offer| offer.cards));
    }
    for other in others {
        let other = SignedCard::decode_verified(&other)
            .map_err(|cause| Fault::ours("card_damaged", cause))?;
        known.push(HeldKeys::of(other.card(), None));
    }
    Ok(conflict(card, &known).map_or(Ok(()), |found| Err(CardError::KeyHeld(found))))
}

/// Keeps in the audit, under an action, that a card was refused.
///
/// # Errors
/// The store's.
pub async fn note(
    node: &Node,
    tx: &mut dyn Tx,
    actor: Actor,
    action: &str,
    card: &Card,
    refused: &CardError,
) -> Done<()> {
    let serial = card.serial.to_string();
    let mut detail = vec![("reason", refused.reason()), ("serial", serial.as_str())];
    if let CardError::KeyHeld(conflict) = refused {
        detail.push(("key", conflict.key_use.as_str()));
        detail.push(("holder", conflict.holder.as_str()));
    }
    let subject = card.node.as_str();
    tracing::error!(peer = subject, reason = refused.reason(), "a card is refused");
    match actor {
        // Whoever sends many such cards fills the audit no further than by other refusals.
        Actor::Node => record_refusal(node, tx, &card.node, action, subject, &detail).await,
        _ => record(node, tx, actor, action, subject, &detail).await,
    }
}
