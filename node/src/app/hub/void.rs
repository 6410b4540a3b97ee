//! Undoes a commit that nobody but its maker can process: the hub keeps the group as it was
//! before, until another member has followed, and goes on from there once all who remain
//! hold the commit for void (DESIGN §6).

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{Digest, Epoch, NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::trust::commit::{CommitView, GroupView};
use raccordo_core::trust::notice::Notice;
use raccordo_core::trust::void::{Votes, voters};

use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::write_ledger;
use crate::app::{Node, history};
use crate::store::Tx;
use crate::store::history::Keeper;
use crate::store::hub::CarriedRow;
use crate::store::void::UnfollowedRow;

/// The group before a commit that is about to be applied.
pub(super) struct Before {
    view: GroupView,
    tree: Vec<u8>,
    group_info: Vec<u8>,
    statement: Vec<u8>,
    epoch: Epoch,
}

impl Before {
    /// Reads it.
    ///
    /// # Errors
    /// A damaged group.
    pub(super) fn of(group: &HubGroup, row: &CarriedRow) -> Done<Self> {
        let damaged = |cause: &dyn std::fmt::Display| Fault::ours("group", cause);
        Ok(Self {
            view: group.view().map_err(|cause| damaged(&cause))?,
            tree: group.tree().map_err(|cause| damaged(&cause))?,
            group_info: row.group_info.clone(),
            statement: row.statement.clone(),
            epoch: row.epoch,
        })
    }

    /// What is kept of it beside a commit that was placed.
    pub(super) fn beside(
        self,
        row: &CarriedRow,
        commit: &CommitView,
        committer: &NodeId,
        place: (Sequence, Digest),
    ) -> UnfollowedRow {
        let (sequence, entry) = place;
        UnfollowedRow {
            group: row.group,
            committer: committer.clone(),
            epoch: self.epoch,
            statement: self.statement,
            group_info: self.group_info,
            tree: self.tree,
            votes: Votes::none(sequence, entry, voters(&self.view, commit)),
        }
    }
}

/// Counts a verified notice that was placed; the group as it goes on where the commit is void
/// now.
///
/// # Errors
/// The store's, or a damaged row.
pub(super) async fn said(
    node: &Node,
    tx: &mut dyn Tx,
    row: &mut CarriedRow,
    kept: &mut UnfollowedRow,
    notice: &Notice,
) -> Done<Option<HubGroup>> {
    if !kept.votes.count(notice) {
        return Ok(None);
    }
    if !kept.votes.have_passed() {
        tx.put_unfollowed(kept.clone()).await?;
        return Ok(None);
    }
    let adopted = HubGroup::adopt(&node.crypto, &kept.group_info, &kept.tree);
    let (mut public, view) = adopted.map_err(|cause| Fault::ours("row_damaged", cause))?;
    let changes = public.take_changes().map_err(|cause| Fault::ours("ledger", cause))?;
    tx.delete_ledger_scope(&LedgerScope::Hub(row.group).to_string()).await?;
    write_ledger(node, tx, changes).await?;
    (row.epoch, row.statement) = (kept.epoch, kept.statement.clone());
    row.group_info = kept.group_info.clone();
    history::note(tx, Keeper::Hub, &row.statement).await?;
    follow_roster(tx, row, &view).await?;
    tx.delete_unfollowed(row.group).await?;
    let subject = row.lineage.to_string();
    let place = kept.votes.sequence.to_string();
    let detail = [("by", kept.committer.as_str()), ("entry", place.as_str())];
    record(node, tx, Actor::Node, "hub.commit_void", &subject, &detail).await?;
    tracing::warn!(lineage = %row.lineage, entry = kept.votes.sequence.0, "a commit is void");
    Ok(Some(public))
}

/// Who has a leaf again reads and appends again, from what is not trimmed; who has none any
/// more does not.
async fn follow_roster(tx: &mut dyn Tx, row: &CarriedRow, view: &GroupView) -> Done<()> {
    let leaves: Vec<&NodeId> =
        view.leaves.iter().filter_map(|(_, leaf)| leaf.node.as_ref()).collect();
    let cursors = tx.cursors(row.group).await?;
    for (member, _) in &cursors {
        if !leaves.contains(&member) {
            tx.delete_cursor(row.group, member).await?;
        }
    }
    for member in leaves {
        if !cursors.iter().any(|(known, _)| known == member) {
            tx.put_cursor(row.group, member, row.trimmed).await?;
            tx.put_leaver(row.group, member, None).await?;
        }
    }
    Ok(())
}
