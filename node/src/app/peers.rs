//! Peers: adding a card, verifying it by phone, suspending, revoking; and who may connect.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{Digest, NodeId};
use raccordo_core::trust::card::{CardError, SignedCard};
use raccordo_core::trust::phone_code::PhoneCode;
use raccordo_core::trust::state::{TrustChange, TrustState};
use raccordo_core::trust::succession::{LATE_MAX, judge};

use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};
use super::hub::offer::ACCEPTED;
use super::hub::rights;
use super::signals::Topic;
use super::{Node, key_holders, notices, sealing_proof, successor, vouching};
use crate::store::Tx;
use crate::store::peer::PeerRow;

/// In the audit: a card that an administrator wished to add was refused.
const REFUSED: &str = "trust.card_refused";

/// A peer with its card read.
#[derive(Clone, Debug)]
pub struct Peer {
    /// The row.
    pub row: PeerRow,
    /// Its card.
    pub card: SignedCard,
    /// The 12 words that both sides see.
    pub code: String,
    /// Who vouches for it while it is introduced; see [`vouching`].
    pub vouched_by: BTreeSet<NodeId>,
}

impl Peer {
    /// How far it is trusted, as people are shown it.
    pub fn shown_state(&self) -> &'static str {
        if self.vouched_by.is_empty() { self.row.state.as_str() } else { "vouched" }
    }
}

/// A fault from a card.
pub fn card_fault(error: &CardError) -> Fault {
    let whose = match error {
        CardError::Expired(_) | CardError::NotYetValid(_) => Whose::Refused,
        CardError::AnotherIdentity | CardError::Forked(_) => Whose::Refused,
        CardError::KeyHeld(_) => Whose::Refused,
        CardError::TooMany => Whose::Exhausted,
        _ => Whose::Usage,
    };
    let fault = Fault::new(whose, error.reason(), error.to_string());
    match error {
        CardError::KeyHeld(conflict) => fault.hint(format!(
            "one of the two is a copy of the other, or has its key: call both administrators; \
             {} makes new keys with `raccordo trust rotate`, and whoever sent this card is not \
             to be trusted before it is explained",
            conflict.holder
        )),
        _ => fault.hint("ask the peer's administrator for a new card: `raccordo trust export`"),
    }
}

/// Adds a peer's card, or a newer card of a peer that is known.
///
/// # Errors
/// `own_card`, `lower_serial`, `another_identity`, `identity_conflict`, `card_forked`,
/// `card_expired`, `key_held`.
pub async fn add(node: &Node, actor: Actor, card: SignedCard) -> Done<Peer> {
    let described = card.card();
    let now = node.clock.now();
    card.valid_at(now).map_err(|error| card_fault(&error))?;
    if described.node == node.identity.node {
        return Err(Fault::conflict("own_card", "this is this node's own card")
            .hint("add the cards of the other nodes"));
    }
    let mut tx = node.store.write().await?;
    rights::refuse_other(&mut *tx, &described.node, described.identity).await?;
    let known = tx.peer(&described.node).await?;
    let is_new = known.as_ref().is_none_or(|known| known.signed_card != card.encode());
    if is_new && let Err(refused) = key_holders::check(node, &mut *tx, described).await? {
        key_holders::note(node, &mut *tx, actor, REFUSED, described, &refused).await?;
        tx.commit().await?;
        return Err(card_fault(&refused));
    }
    let mut row = match known {
        None => PeerRow::introduced(&card, now),
        Some(known) => {
            let before = read_card(&known)?;
            let state = match judge(&before, &card, now) {
                Ok(_) => known.state,
                // Verified once, and out of sight since: the words are compared again.
                Err(CardError::TooLate(_)) if known.state == TrustState::Verified => {
                    TrustState::Introduced
                }
                Err(CardError::TooLate(_)) => known.state,
                Err(error @ CardError::Forked(_)) => {
                    successor::take(node, &mut *tx, &card).await?;
                    tx.commit().await?;
                    node.signals.wake(&Topic::Trust);
                    return Err(card_fault(&error).hint(
                        "the peer is suspended: call its administrator, and find out who made \
                         the other card",
                    ));
                }
                Err(error) => return Err(card_fault(&error)),
            };
            if before != card {
                successor::keep_former(node, &mut *tx, &before).await?;
            }
            let (signed_card, card_serial) = (card.encode(), described.serial);
            PeerRow { signed_card, card_serial, state, refused: String::new(), ..known }
        }
    };
    let hubs = sealing_proof::challenge(node, &mut *tx, &mut row).await?;
    let serial = described.serial.to_string();
    record(node, &mut *tx, actor, "trust.add", row.node.as_str(), &[("serial", &serial)]).await?;
    tx.put_peer(row.clone()).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Trust);
    sealing_proof::wake(node, hubs);
    described_peer(node, row).await
}

/// Verifies a peer by the words heard on the phone.
///
/// # Errors
/// `no_such_peer`, `wrong_code`, `identity_conflict`, `revoked`.
pub async fn verify(node: &Node, actor: Actor, peer: &NodeId, heard: &str) -> Done<Peer> {
    let known = show(node, peer).await?;
    let code = PhoneCode::between(&node.identity.key.public(), &known.card.card().identity);
    if !code.matches(heard) {
        return Err(Fault::refused("wrong_code", "these are not the words of this pair of nodes")
            .hint(
                "read them to each other again; if they still differ, one of the two cards is \
                 not the peer's: do not verify",
            ));
    }
    change(node, actor, peer, TrustChange::Verify, "").await
}

/// Suspends or revokes a peer, or verifies it after its code was checked.
///
/// # Errors
/// `no_such_peer`, `revoked`.
pub async fn change(
    node: &Node,
    actor: Actor,
    peer: &NodeId,
    change: TrustChange,
    reason: &str,
) -> Done<Peer> {
    let mut tx = node.store.write().await?;
    let Some(known) = tx.peer(peer).await? else { return Err(unknown(peer)) };
    if change == TrustChange::Verify {
        rights::refuse_other(&mut *tx, peer, read_card(&known)?.card().identity).await?;
    }
    let before = known.state;
    let state = known.state.after(change).map_err(|error| {
        Fault::refused("revoked", error.to_string())
            .hint("a revoked identity never comes back; the peer needs a new node")
    })?;
    let changed_at = node.clock.now();
    let mut row = PeerRow { state, reason: reason.to_owned(), changed_at, ..known };
    let action = match change {
        TrustChange::Verify => "trust.verify",
        TrustChange::Suspend => "trust.suspend",
        TrustChange::Revoke => "trust.revoke",
    };
    let told = before != state && (before, change) != (TrustState::Introduced, TrustChange::Verify);
    let concerned = if told { notices::concerned(&mut *tx, peer).await? } else { Vec::new() };
    record(node, &mut *tx, actor, action, peer.as_str(), &[]).await?;
    let hubs = sealing_proof::challenge(node, &mut *tx, &mut row).await?;
    tx.put_peer(row.clone()).await?;
    if change == TrustChange::Verify {
        successor::settled(node, &mut *tx, peer).await?;
    }
    notices::trust_changed(node, &mut *tx, &concerned, peer, state).await?;
    let affected = tx.equipes().await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Trust);
    sealing_proof::wake(node, hubs);
    for equipe in affected {
        node.signals.wake(&Topic::Outbox(equipe.lineage));
    }
    described_peer(node, row).await
}

/// All peers, by id.
///
/// # Errors
/// Whatever the store says.
pub async fn list(node: &Node) -> Done<Vec<Peer>> {
    let rows = node.store.read().await?.peers().await?;
    let mut peers = Vec::new();
    for row in rows {
        peers.push(described_peer(node, row).await?);
    }
    Ok(peers)
}

/// One peer.
///
/// # Errors
/// `no_such_peer`, `own_card`.
pub async fn show(node: &Node, peer: &NodeId) -> Done<Peer> {
    if *peer == node.identity.node {
        return Err(Fault::conflict("own_card", format!("{peer} is this node itself"))
            .hint("its card: `raccordo trust export`; its peers: `raccordo trust list`"));
    }
    let row = node.store.read().await?.peer(peer).await?;
    described_peer(node, row.ok_or_else(|| unknown(peer))?).await
}

/// Keys whose connections are accepted and trusted, with whose they are.
///
/// Those of verified peers; at a hub also the parties of équipes that it accepted, unless
/// they are suspended or revoked here. For a while also the key of the card before.
///
/// # Errors
/// Whatever the store says.
pub async fn trusted_pins(node: &Node) -> Done<BTreeMap<Digest, NodeId>> {
    let mut tx = node.store.read().await?;
    let mut pins = BTreeMap::new();
    let now = node.clock.now();
    let peers = tx.peers().await?;
    // Whoever shows a key has the rights of the id that its card names: only with the identity
    // key for which the id stands here.
    let own = (node.identity.node.clone(), node.identity.key.public());
    let mut identities = BTreeMap::from([own]);
    for row in &peers {
        let card = read_card(row)?;
        if row.state != TrustState::Introduced {
            identities.insert(row.node.clone(), card.card().identity);
        }
        if row.state.counts_as_verified() && card.valid_at(now).is_ok() {
            // Each key is one node's; were it two's, the claimant must not take it over.
            pins.entry(card.card().tls_pin()).or_insert_with(|| row.node.clone());
        }
    }
    // Of équipes that go on elsewhere, too: who is behind reads there what was before.
    let mut served: Vec<_> = tx.all_carried().await?.into_iter().map(|row| row.cards).collect();
    let accepted = tx.offers_in(ACCEPTED).await?;
    served.extend(accepted.into_iter().map(|row| row.cards));
    for cards in served {
        for encoded in &cards {
            let card =
                SignedCard::decode(encoded).map_err(|cause| Fault::ours("card_damaged", cause))?;
            let party = &card.card().node;
            let known = peers.iter().find(|row| row.node == *party);
            let barred = known.is_some_and(|row| {
                matches!(row.state, TrustState::Suspended | TrustState::Revoked)
            });
            let identity = identities.entry(party.clone()).or_insert(card.card().identity);
            if *identity != card.card().identity {
                tracing::error!(peer = %party, "a card of an équipe is of another identity key");
                continue;
            }
            if !barred && card.valid_at(now).is_ok() && *party != node.identity.node {
                pins.entry(card.card().tls_pin()).or_insert_with(|| party.clone());
            }
        }
    }
    let trusted: BTreeSet<NodeId> = pins.values().cloned().collect();
    for former in tx.former_cards().await? {
        if now >= former.accepted_until || !trusted.contains(&former.node) {
            continue;
        }
        let card = SignedCard::decode_verified(&former.signed_card)
            .map_err(|cause| Fault::ours("card_damaged", cause))?;
        pins.entry(card.card().tls_pin()).or_insert(former.node);
    }
    Ok(pins)
}

/// Keys of verified peers whose cards have expired not long ago: they may connect, and
/// deliver a successor.
///
/// # Errors
/// Whatever the store says.
pub async fn expired_pins(node: &Node) -> Done<BTreeMap<Digest, NodeId>> {
    let now = node.clock.now();
    let mut pins = BTreeMap::new();
    for row in node.store.read().await?.peers().await? {
        let card = read_card(&row)?;
        let end = card.card().valid_until;
        if row.state.counts_as_verified() && now >= end && now < end.plus(LATE_MAX) {
            pins.entry(card.card().tls_pin()).or_insert(row.node);
        }
    }
    Ok(pins)
}

/// The trusted card of a node: a verified peer's, or our own.
///
/// # Errors
/// `no_such_peer`, `not_verified`, `card_expired`.
pub async fn verified_card(node: &Node, tx: &mut dyn Tx, id: &NodeId) -> Done<SignedCard> {
    if *id == node.identity.node {
        return Ok(node.identity.card());
    }
    let Some(row) = tx.peer(id).await? else { return Err(unknown(id)) };
    if !row.state.counts_as_verified() {
        let message = format!("{id} is {} here, not verified", row.state.as_str());
        return Err(Fault::refused("party_not_verified", message)
            .hint(format!("compare the 12 words by phone, then `raccordo trust verify {id}`")));
    }
    let card = read_card(&row)?;
    card.valid_at(node.clock.now()).map_err(|error| card_fault(&error))?;
    Ok(card)
}

/// The trusted card of a node, or none where it is not known or not verified here, or its card
/// is no longer valid. That the database fails is no answer to this, and is told as such.
///
/// # Errors
/// The store's; a damaged row.
pub async fn card_if_verified(
    node: &Node,
    tx: &mut dyn Tx,
    id: &NodeId,
) -> Done<Option<SignedCard>> {
    match verified_card(node, tx, id).await {
        Ok(card) => Ok(Some(card)),
        Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => Err(fault),
        Err(fault) => {
            tracing::debug!(peer = %id, reason = fault.reason, "no trusted card");
            Ok(None)
        }
    }
}

/// The card in a row, which was verified before it came there.
///
/// # Errors
/// A damaged row.
pub fn read_card(row: &PeerRow) -> Done<SignedCard> {
    SignedCard::decode_verified(&row.signed_card)
        .map_err(|cause| Fault::ours("card_damaged", cause))
}

async fn described_peer(node: &Node, row: PeerRow) -> Done<Peer> {
    let card = read_card(&row)?;
    let vouched_by = match row.state {
        TrustState::Introduced => {
            vouching::vouchers(node, &mut *node.store.read().await?, card.card()).await?
        }
        _ => BTreeSet::new(),
    };
    let code = PhoneCode::between(&node.identity.key.public(), &card.card().identity);
    Ok(Peer { row, card, code: code.words().join(" "), vouched_by })
}

fn unknown(peer: &NodeId) -> Fault {
    Fault::not_found("no_such_peer", format!("no card of {peer} is here"))
        .hint("add it: `raccordo trust add FILE`")
}
