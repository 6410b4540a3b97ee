//! Whom a hub serves, and as whom: a node id stands there for one identity key.
//!
//! Everything that a hub keeps for a node (a place in a log, mail, key packages) is kept under
//! its id, and a connection is of an id by the card whose key it proved. So an équipe that
//! names a known id with a key of its own would let that key read, confirm and trim for
//! another: what would give an id a second key is refused wherever it comes in, and the
//! administrator hears of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::PublicKey;
use raccordo_core::trust::state::TrustState;
use raccordo_core::trust::statement::{SignedStatement, Statement};

use super::offer::{accepted, offered_statement};
use super::read_log::statement_of;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::pacts::MAIL_KIND as PACT_KIND;
use crate::app::peers::read_card;
use crate::app::successor::MAIL_KIND as CARD_KIND;
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

/// How far a caller is served: by its best standing, of a peer or in an équipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ServiceLevel {
    /// A verified peer, a party that nobody has suspended, or this hub itself.
    Full,
    /// In each of its équipes here it is suspended: it may do what its return takes, with these,
    /// the parties of those équipes. It signs the statement by which it returns, and is added by
    /// a key package (DESIGN §3).
    Return(BTreeSet<NodeId>),
    /// It was removed, and is no peer: it hears so on its subscription, and nothing else is its.
    Nothing,
}

impl ServiceLevel {
    /// Whether it may post an item.
    ///
    /// # Errors
    /// `not_a_party`.
    pub fn check_post(&self, hub: &NodeId, recipient: &NodeId, kind: &str) -> Done<()> {
        match self {
            Self::Full => Ok(()),
            Self::Return(parties) => {
                let known = recipient == hub || parties.contains(recipient);
                match known && [PACT_KIND, CARD_KIND].contains(&kind) {
                    true => Ok(()),
                    false => Err(suspended()),
                }
            }
            Self::Nothing => Err(removed()),
        }
    }

    /// Key packages of one suite that it may have in the pool.
    ///
    /// # Errors
    /// `not_a_party`.
    pub fn key_packages(&self) -> Done<Quota> {
        match self {
            Self::Full => Ok(Quota::KeyPackagesOfOwner),
            Self::Return(_) => Ok(Quota::KeyPackagesOfSuspended),
            Self::Nothing => Err(removed()),
        }
    }
}

fn suspended() -> Fault {
    let message = "the caller is suspended: it posts pacts to the parties of its équipe, and cards";
    Fault::refused("not_a_party", message)
}

fn removed() -> Fault {
    Fault::refused("not_a_party", "the caller was removed, and is no peer here")
}

/// How far a caller is served.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn level(node: &Node, tx: &mut dyn Tx, caller: &NodeId) -> Done<ServiceLevel> {
    let peer = tx.peer(caller).await?;
    if *caller == node.identity.node || peer.is_some_and(|row| row.state.counts_as_verified()) {
        return Ok(ServiceLevel::Full);
    }
    let mut with = BTreeSet::new();
    for row in tx.served(caller).await?.into_iter().filter(|row| !row.former) {
        for statement in in_force(tx, row.lineage).await? {
            let statement = statement.statement();
            if statement.may_have_leaf(caller) {
                return Ok(ServiceLevel::Full);
            }
            if statement.party(caller).is_some() {
                with.extend(statement.parties.iter().map(|party| party.node.clone()));
            }
        }
    }
    Ok(if with.is_empty() { ServiceLevel::Nothing } else { ServiceLevel::Return(with) })
}

/// What is carried of a lineage, and what is accepted.
async fn in_force(tx: &mut dyn Tx, lineage: LineageId) -> Done<Vec<SignedStatement>> {
    let mut statements = Vec::new();
    if let Some(row) = tx.carried(lineage).await? {
        statements.push(statement_of(&row)?);
    }
    if let Some(row) = accepted(tx, lineage).await? {
        statements.push(offered_statement(&row)?);
    }
    Ok(statements)
}

/// Refuses callers that are neither peers nor parties with all their rights.
///
/// # Errors
/// `not_a_party`; the store's.
pub async fn admit(node: &Node, tx: &mut dyn Tx, caller: &NodeId) -> Done<()> {
    match level(node, tx, caller).await? {
        ServiceLevel::Full => Ok(()),
        ServiceLevel::Return(_) => Err(suspended()),
        ServiceLevel::Nothing => Err(removed()),
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
