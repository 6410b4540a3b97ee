//! Members of an équipe as rows: kept in step with the tree, and asked whether trusted.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::commit::GroupView;

use super::Node;
use super::fault::{Done, Fault};
use super::work::Work;
use crate::store::Tx;
use crate::store::equipe::MemberRow;
use crate::store::peer::PeerRow;

/// Brings rows and équipe into step with the group after it was made, joined or changed.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn follow_group(work: &mut Work<'_>) -> Done<()> {
    let facts = work.session().await?.facts();
    let facts = facts.map_err(|cause| Fault::ours("group", cause))?;
    work.row.epoch = facts.epoch;
    work.row.authenticator = facts.authenticator;
    if let Some(statement) = facts.view.statement.clone() {
        work.row.statement = statement;
    }
    let present = nodes(&facts.view);
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let known = tx.members(lineage).await?;
    for row in &known {
        if !present.contains(&row.node) && !planted::is(Bug::RemovedMemberKept) {
            tx.delete_member(lineage, &row.node).await?;
        }
    }
    for node in present {
        if !known.iter().any(|row| row.node == node) {
            tx.put_member(MemberRow {
                lineage,
                node,
                delivered: Sequence(0),
                last_seen: Instant(0),
                last_number: 0,
            })
            .await?;
        }
    }
    Ok(())
}

/// Notes when a member was last heard of.
///
/// # Errors
/// The store's.
pub async fn hear(work: &mut Work<'_>, member: &NodeId, at: Instant) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let members = tx.members(lineage).await?;
    if let Some(row) = members.into_iter().find(|row| row.node == *member) {
        tx.put_member(MemberRow { last_seen: at, ..row }).await?;
    }
    Ok(())
}

fn nodes(view: &GroupView) -> BTreeSet<NodeId> {
    view.leaves.iter().filter_map(|(_, leaf)| leaf.node.clone()).collect()
}

/// Other current members, and the hub, that do not count as verified here: also those whose
/// card has expired.
///
/// # Errors
/// The store's.
pub async fn untrusted(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<Vec<NodeId>> {
    let now = node.clock.now();
    let members = tx.members(lineage).await?.into_iter().map(|member| member.node);
    let mut concerned: BTreeSet<NodeId> = members.collect();
    concerned.extend(tx.equipe(lineage).await?.map(|equipe| equipe.hub));
    concerned.remove(&node.identity.node);
    let mut untrusted = Vec::new();
    for other in concerned {
        let trusted = match tx.peer(&other).await? {
            Some(row) => row.state.counts_as_verified() && !is_over(&row, now)?,
            None => false,
        };
        if !trusted {
            untrusted.push(other);
        }
    }
    Ok(untrusted)
}

/// Whether a peer's card has expired.
///
/// # Errors
/// A damaged row.
pub fn is_over(row: &PeerRow, now: Instant) -> Done<bool> {
    let card = SignedCard::decode_verified(&row.signed_card)
        .map_err(|cause| Fault::ours("card_damaged", cause))?;
    Ok(now >= card.card().valid_until)
}
