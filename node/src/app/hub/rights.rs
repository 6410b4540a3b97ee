//! Whom a hub serves, and as whom: a node id stands there for one identity key.
//!
//! Everything that a hub keeps for a node (a place in a log, mail, key packages) is kept under
//! its id, and a connection is of an id by the card whose key it proved. So an équipe that
//! names a known id with a key of its own would let that key read, confirm and trim for
//! another: what would give an id a second key is refused wherever it comes in, and the
//! administrator hears of it.

use std::collections::BTreeMap;
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::PublicKey;
use raccordo_core::trust::state::TrustState;
use raccordo_core::trust::statement::Statement;

use super::offer::{accepted, offered_statement};
use super::read_log::statement_of;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::peers::read_card;
use crate::store::Tx;
use crate::store::served::{ConflictRow, ServedRow};

/// Stable reason of what would give a node id a second identity key.
pub const CONFLICT: &str = "identity_conflict";
/// How long the administrator is told of one that is not tried again.
pub const CONFLICT_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

/// Whether an id is one of this hub's: itself, a verified peer, or a party of an équipe that it
/// carries or has accepted, suspended or not, since who is suspended agrees to return.
///
/// # Errors
/// The store's.
pub async fn is_served(node: &Node, tx: &mut dyn Tx, id: &NodeId) -> Done<bool> {
    if *id == node.identity.node {
        return Ok(true);
    }
    if tx.peer(id).await?.is_some_and(|row| row.state.counts_as_verified()) {
        return Ok(true);
    }
    Ok(tx.served(id).await?.iter().any(|row| !row.former))
}

/// Refuses callers that this hub knows only as parties that were removed: they hear so on their
/// subscription, and nothing else is theirs.
///
/// # Errors
/// `not_a_party`; the store's.
pub async fn admit(node: &Node, tx: &mut dyn Tx, caller: &NodeId) -> Done<()> {
    match is_served(node, tx, caller).await? {
        true => Ok(()),
        false => Err(Fault::refused("not_a_party", "the caller was removed, and is no peer here")),
    }
}

/// The identity key for which an id stands here: of this node, of a peer whose words were
/// compared, or of équipes. A card that nobody has compared binds nothing.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn identity_of(node: &Node, tx: &mut dyn Tx, id: &NodeId) -> Done<Option<PublicKey>> {
    if *id == node.identity.node {
        return Ok(Some(node.identity.key.public()));
    }
    let peer = tx.peer(id).await?.filter(|row| row.state != TrustState::Introduced);
    if let Some(row) = peer {
        return Ok(Some(read_card(&row)?.card().identity));
    }
    Ok(tx.served(id).await?.first().map(|row| row.identity))
}

/// The first party of a statement whose id stands for another identity key here.
///
/// # Errors
/// As [`identity_of`].
pub async fn conflict(node: &Node, tx: &mut dyn Tx, statement: &Statement) -> Done<Option<NodeId>> {
    for party in &statement.parties {
        let known = identity_of(node, tx, &party.node).await?;
        if known.is_some_and(|known| known != party.identity) {
            return Ok(Some(party.node.clone()));
        }
    }
    Ok(None)
}

/// Notes for the administrator who would have had an id stand for another key. One row for an id
/// and a caller, however often it is tried.
///
/// # Errors
/// The store's.
pub async fn note_conflict(
    node: &Node,
    tx: &mut dyn Tx,
    id: &NodeId,
    (caller, lineage): (&NodeId, LineageId),
) -> Done<()> {
    let noted = tx.identity_conflicts().await?;
    let known = noted.iter().any(|row| (&row.node, &row.claimed_by) == (id, caller));
    if !known {
        let detail = [("by", caller.as_str()), ("node", id.as_str())];
        record(node, tx, Actor::Node, "hub.identity_conflict", &lineage.to_string(), &detail)
            .await?;
    }
    let (claimed_by, at) = (caller.clone(), node.clock.now());
    Ok(tx.put_identity_conflict(ConflictRow { node: id.clone(), claimed_by, lineage, at }).await?)
}

/// What whoever tried is told.
pub fn conflict_fault(id: &NodeId) -> Fault {
    let message = format!("{id} has another identity key at this hub");
    Fault::refused(CONFLICT, message).hint(
        "its administrator and the hub's compare their 12 words: one of the two keys is not its",
    )
}

/// Refuses a card that would make an id stand for another identity key than in the équipes that
/// this hub carries: the administrator decides which of the two goes.
///
/// # Errors
/// `identity_conflict`; the store's.
pub async fn refuse_other(tx: &mut dyn Tx, id: &NodeId, identity: PublicKey) -> Done<()> {
    match tx.served(id).await?.into_iter().find(|row| row.identity != identity) {
        None => Ok(()),
        Some(row) => {
            let message = format!(
                "an équipe that this hub carries, {}, names {id} with another identity key",
                row.lineage
            );
            Err(Fault::refused(CONFLICT, message).hint(
                "call both administrators: one of the keys is not its; an équipe that names the \
                 wrong one goes: `raccordo hub list`, `raccordo hub evict LINEAGE`",
            ))
        }
    }
}

/// Brings whom a lineage lets this hub serve into step with what is carried and accepted of it:
/// its parties, and whoever was one of what is carried.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn follow(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    let mut known: BTreeMap<NodeId, (PublicKey, bool)> = BTreeMap::new();
    if let Some(row) = tx.carried(lineage).await? {
        for encoded in &row.cards {
            let card = SignedCard::decode_verified(encoded)
                .map_err(|cause| Fault::ours("card_damaged", cause))?;
            known.insert(card.card().node.clone(), (card.card().identity, true));
        }
        known.extend(parties(statement_of(&row)?.statement()));
    }
    if let Some(row) = accepted(tx, lineage).await? {
        known.extend(parties(offered_statement(&row)?.statement()));
    }
    let rows = known.into_iter().map(|(node, (identity, former))| ServedRow {
        lineage,
        node,
        identity,
        former,
    });
    Ok(tx.replace_served(lineage, rows.collect()).await?)
}

fn parties(statement: &Statement) -> Vec<(NodeId, (PublicKey, bool))> {
    let parties = statement.parties.iter();
    parties.map(|party| (party.node.clone(), (party.identity, false))).collect()
}
