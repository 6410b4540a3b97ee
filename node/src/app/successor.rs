//! Takes a card that a node has made to follow the one that is known here: from a mailbox,
//! a leaf, or a hub's caller. No new phone call is needed, since the identity key that was
//! compared then signs it; two successors of one card end the trust until the next one.

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::id::{Digest, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::trust::card::{Card, CardError, SignedCard};
use raccordo_core::trust::state::{TrustChange, TrustState};
use raccordo_core::trust::succession::{OVERLAP, Offered, judge};

use super::alarms::{self, NewAlarm};
use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::peers::read_card;
use super::{Node, key_holders, sealing_proof};
use crate::store::Tx;
use crate::store::peer::{FormerCardRow, PeerRow};

/// Kind of the posts that carry a card.
pub const MAIL_KIND: &str = "card";

/// What came of an offered card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was known, or is this node's own.
    Known,
    /// Nobody of that name is known here.
    Stranger,
    /// It is the peer's card from now on.
    Followed,
    /// It is not taken, for this reason.
    Refused(CardError),
    /// Nothing of this peer is taken any more.
    Revoked,
}

/// Takes a card whose signature was verified, unless it claims a key that another node holds;
/// the caller makes it durable and, where it was
/// taken, wakes who follows the trust.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn take(node: &Node, tx: &mut dyn Tx, card: &SignedCard) -> Done<Taken> {
    let described = card.card();
    if described.node == node.identity.node {
        return Ok(Taken::Known);
    }
    let Some(row) = tx.peer(&described.node).await? else { return Ok(Taken::Stranger) };
    if row.state == TrustState::Revoked {
        return Ok(Taken::Revoked);
    }
    let known = read_card(&row)?;
    match judge(&known, card, node.clock.now()) {
        Ok(Offered::Known) => Ok(Taken::Known),
        Ok(Offered::Successor) => match key_holders::check(node, tx, described).await? {
            Ok(()) if !may_follow(node, described) => {
                refuse(node, tx, row, &known, card, CardError::TooMany).await
            }
            Ok(()) => follow(node, tx, row, &known, card).await,
            Err(error) => refuse(node, tx, row, &known, card, error).await,
        },
        Err(error) => refuse(node, tx, row, &known, card, error).await,
    }
}

/// Whether one more card of a node may follow the one before today: each leaves a row and a record
/// of the audit. One that came too early comes again by every way.
pub fn may_follow(node: &Node, card: &Card) -> bool {
    node.quotas.take(&card.node, Quota::CardsOfPeer, node.clock.now())
}

/// As [`take`], of a container that nobody has read yet and that `sender` has posted.
///
/// # Errors
/// As [`take`].
pub async fn posted(
    node: &Node,
    tx: &mut dyn Tx,
    sender: &NodeId,
    container: &[u8],
) -> Done<Result<Taken, Fault>> {
    match of_sender(sender, container) {
        Ok(card) => Ok(Ok(take(node, tx, &card).await?)),
        Err(fault) => Ok(Err(fault)),
    }
}

/// Reads a card that a node has posted: its own, and no other.
///
/// # Errors
/// `bad_card`.
pub fn of_sender(sender: &NodeId, container: &[u8]) -> Done<SignedCard> {
    let card = SignedCard::decode(container)
        .map_err(|error| Fault::usage("bad_card", error.to_string()))?;
    if card.card().node != *sender {
        return Err(Fault::usage("bad_card", "a node posts its own card, and no other"));
    }
    Ok(card)
}

async fn follow(
    node: &Node,
    tx: &mut dyn Tx,
    row: PeerRow,
    known: &SignedCard,
    card: &SignedCard,
) -> Done<Taken> {
    let serial = card.card().serial.to_string();
    let detail = [("serial", serial.as_str())];
    record(node, tx, Actor::Node, "trust.successor", row.node.as_str(), &detail).await?;
    keep_former(node, tx, known).await?;
    let (signed_card, card_serial) = (card.encode(), card.card().serial);
    let mut row = PeerRow { signed_card, card_serial, refused: String::new(), ..row };
    sealing_proof::wake(node, sealing_proof::challenge(node, tx, &mut row).await?);
    tx.put_peer(row).await?;
    Ok(Taken::Followed)
}

/// Keeps a card that was followed: its TLS key is accepted for a while longer, but not
/// beyond the card's own end.
///
/// # Errors
/// The store's.
pub async fn keep_former(node: &Node, tx: &mut dyn Tx, former: &SignedCard) -> Done<()> {
    let card = former.card();
    let accepted_until = node.clock.now().plus(OVERLAP).min(card.valid_until);
    tx.put_former_card(FormerCardRow {
        node: card.node.clone(),
        serial: card.serial,
        signed_card: former.encode(),
        accepted_until,
    })
    .await?;
    Ok(())
}

async fn refuse(
    node: &Node,
    tx: &mut dyn Tx,
    row: PeerRow,
    known: &SignedCard,
    card: &SignedCard,
    error: CardError,
) -> Done<Taken> {
    match &error {
        CardError::Forked(_) => forked(node, tx, row, known, card).await?,
        CardError::LowerSerial { found, .. } => {
            let of_it =
                |former: &FormerCardRow| (&former.node, former.serial) == (&row.node, *found);
            let former = tx.former_cards().await?.into_iter().find(of_it);
            // Played again is an old card; another one of its serial is a fork.
            if let Some(former) = former.filter(|former| former.signed_card != card.encode()) {
                let former = SignedCard::decode(&former.signed_card)
                    .map_err(|cause| Fault::ours("card_damaged", cause))?;
                forked(node, tx, row, &former, card).await?;
                return Ok(Taken::Refused(CardError::Forked(*found)));
            }
        }
        _ => {
            // It comes again by every way: it is told once.
            let refused = format!("{}: {error}", error.reason());
            if row.refused != refused {
                let action = "trust.successor_refused";
                key_holders::note(node, tx, Actor::Node, action, card.card(), &error).await?;
                tx.put_peer(PeerRow { refused, ..row }).await?;
            }
        }
    }
    Ok(Taken::Refused(error))
}

/// Two cards of one serial: the peer, a copy of it, or a thief of its identity key made
/// both. Nobody here can tell which is right.
async fn forked(
    node: &Node,
    tx: &mut dyn Tx,
    row: PeerRow,
    known: &SignedCard,
    other: &SignedCard,
) -> Done<()> {
    let serial = other.card().serial;
    let reason = format!("two different cards of serial {serial} are signed by its identity key");
    if row.state == TrustState::Suspended && row.reason == reason {
        return Ok(());
    }
    let state = match row.state.after(TrustChange::Suspend) {
        Ok(state) => state,
        Err(_) => return Ok(()),
    };
    let digest = |card: &SignedCard| Digest::of(&card.encode()).to_string();
    let (serial, known, other) = (serial.to_string(), digest(known), digest(other));
    let detail = [("known", known.as_str()), ("other", &other), ("serial", &serial)];
    let peer = row.node.clone();
    record(node, tx, Actor::Node, "trust.forked", peer.as_str(), &detail).await?;
    tracing::error!(%peer, "two different cards of one serial: the peer is suspended");
    let changed_at = node.clock.now();
    tx.put_peer(PeerRow { state, reason: reason.clone(), changed_at, ..row }).await?;
    for equipe in tx.equipes().await? {
        let member = tx.members(equipe.lineage).await?.iter().any(|member| member.node == peer);
        if member || equipe.hub == peer {
            let alarm = NewAlarm::new(AlarmCode::CardForked, format!("{peer}: {reason}"));
            alarms::raise(node, tx, equipe.lineage, alarm.about(&peer)).await?;
        }
    }
    Ok(())
}

/// The administrators compared the words again: the alarms about this peer are over.
///
/// # Errors
/// The store's.
pub async fn settled(node: &Node, tx: &mut dyn Tx, peer: &NodeId) -> Done<()> {
    for equipe in tx.equipes().await? {
        alarms::end(node, tx, equipe.lineage, Ending::Verified, |row| {
            row.code == AlarmCode::CardForked && row.member.as_ref() == Some(peer)
        })
        .await?;
    }
    Ok(())
}
