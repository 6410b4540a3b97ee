//! Commits a change that has all its signatures: new statement, leaves removed, newcomers
//! added, in one commit. Only the log settles it; where another commit wins the race, it is
//! staged again as long as it still follows the statement in force.

use std::collections::BTreeSet;
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::session::{Change as Commit, Session};
use raccordo_core::trust::change::Change;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::statement::{SignedStatement, Statement};

use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, changes, pack, term};
use crate::store::Tx;
use crate::store::equipe::{EquipeRow, MemberRow};

/// After so long any party commits a complete change, whoever began it.
const PATIENCE: Duration = Duration::from_secs(3600);

/// The complete change that this node is to commit now, if any.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn due(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Option<Proposal>> {
    let now = changes::statement(row)?.digest();
    let mut pending = changes::of(node, tx, row).await?;
    // A leave comes last: overtaken, it goes on by itself, and nothing else does.
    pending.sort_by_key(|pending| {
        matches!(pending.proposal.change(), Some(Change::Leaving { .. }) if !pending.row.begun_here)
    });
    for pending in pending {
        let proposal = pending.proposal;
        let follows = proposal.previous.as_ref().map(SignedStatement::digest) == Some(now);
        // A successor is founded, not committed.
        let founds = proposal.succeeds().is_some();
        if founds || !follows || !proposal.missing().is_empty() {
            continue;
        }
        let after = proposal.statement.statement();
        let me = &node.identity.node;
        let waited = node.clock.now().since(pending.row.changed_at) >= PATIENCE;
        // Its maker leaves: whoever does the chair's work after it commits.
        let ours = match proposal.change() {
            Some(Change::Leaving { .. }) if !pending.row.begun_here => {
                steward(&tx.members(row.lineage).await?, after) == Some(me)
            }
            _ => pending.row.begun_here,
        };
        if proposal.moves().is_some() && !may_move(tx, row, &proposal).await? {
            continue;
        }
        if after.may_have_leaf(me) && (ours || waited) {
            return Ok(Some(proposal));
        }
    }
    Ok(None)
}

/// Whether the next hub stands ready for a move, and this node where its commit belongs.
async fn may_move(tx: &mut dyn Tx, row: &EquipeRow, proposal: &Proposal) -> Done<bool> {
    let Some(moving) = term::moving(tx, row.lineage).await? else { return Ok(false) };
    let noted = moving.statement.digest() == proposal.statement.digest();
    Ok(noted && moving.may_commit(row)?)
}

/// Who does the chair's work under a statement: the chair, or while that is suspended or not
/// in, the first party that is.
pub fn steward<'s>(members: &[MemberRow], statement: &'s Statement) -> Option<&'s NodeId> {
    let is_in = |node: &NodeId| {
        statement.may_have_leaf(node) && members.iter().any(|member| member.node == *node)
    };
    if is_in(&statement.chair) {
        return Some(&statement.chair);
    }
    statement.unsuspended().map(|party| &party.node).find(|node| is_in(node))
}

/// Parties of a statement that have no leaf yet.
///
/// # Errors
/// The store's.
pub async fn absent(
    tx: &mut dyn Tx,
    lineage: LineageId,
    statement: &Statement,
) -> Done<Vec<NodeId>> {
    let members = tx.members(lineage).await?;
    let present: BTreeSet<&NodeId> = members.iter().map(|member| &member.node).collect();
    let parties = statement.unsuspended().map(|party| party.node.clone());
    Ok(parties.filter(|party| !present.contains(party)).collect())
}

/// Stages a due change that adds nobody; one that does waits for key packages.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn enact(node: &Node, lineage: LineageId) -> Done<()> {
    {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.equipe(lineage).await? else { return Ok(()) };
        if tx.proposals(lineage).await?.is_empty() || due(node, &mut *tx, &row).await?.is_none() {
            return Ok(());
        }
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let Some(proposal) = ready(node, &mut work).await? else { return Ok(()) };
    let after = proposal.statement.statement().clone();
    if !absent(work.tx()?, lineage, &after).await?.is_empty() {
        return Ok(());
    }
    let commit = commit(&mut work, Some(&proposal), Vec::new()).await?;
    pack::stage(node, &mut work, commit).await?;
    work.commit().await?;
    tracing::info!(%lineage, version = after.version, "a change of membership is staged");
    pack::wake(node, lineage);
    Ok(())
}

/// The due change, where the group may take a commit now.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn ready(node: &Node, work: &mut Work<'_>) -> Done<Option<Proposal>> {
    if Standing::parse(&work.row.state) != Some(Standing::Active) || work.holds_commit().await? {
        return Ok(None);
    }
    let row = work.row.clone();
    due(node, work.tx()?, &row).await
}

/// The commit of a change, if there is one, that adds these key packages.
///
/// # Errors
/// A damaged group.
pub async fn commit(
    work: &mut Work<'_>,
    proposal: Option<&Proposal>,
    add: Vec<Vec<u8>>,
) -> Done<Commit> {
    let Some(proposal) = proposal else { return Ok(Commit { add, ..Commit::default() }) };
    let remove = gone(work.session().await?, proposal.statement.statement())?;
    let statement = Some(proposal.statement.encode());
    Ok(Commit { statement, add, remove, ..Commit::default() })
}

/// Leaves of nodes that a statement gives none.
fn gone(session: &Session, after: &Statement) -> Done<Vec<u32>> {
    let facts = session.facts().map_err(|cause| Fault::ours("group", cause))?;
    let leaves = facts.view.leaves.iter();
    let gone = leaves
        .filter(|(_, leaf)| !leaf.node.as_ref().is_some_and(|node| after.may_have_leaf(node)));
    Ok(gone.map(|(index, _)| *index).collect())
}
