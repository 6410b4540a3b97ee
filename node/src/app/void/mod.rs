//! Commits that nobody but their maker can process: how the others hold one for void and go
//! on in the epoch before it (DESIGN §6).
//!
//! Who cannot process a commit stays in the epoch before it and reads on: notices, and who
//! else has followed. Its administrator says with [`ask`] that the commit is void. Once all
//! who remain have said so, each goes on by itself, and the maker joins again. Where another
//! member has followed the commit, it stands, and who could not joins again.

pub mod ask;

use std::collections::BTreeSet;

use raccordo_core::alarm::Ending;
use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::NodeId;
use raccordo_core::sending::Standing;
use raccordo_core::trust::commit::{CommitView, GroupView};
use raccordo_core::trust::notice::Notice;
use raccordo_core::trust::void::{Votes, voters};

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, alarms, apply, rejoin};
use crate::store::inbox::SetAsideRow;
use crate::store::outbox::EntryState;
use crate::store::void::StrayRow;

/// Reason of entries that the maker of such a commit wrote after it.
pub const AFTER_STRAY: &str = "after_stray_commit";

/// What follows from what a member has said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was about nothing that is in doubt here.
    Stranger,
    /// It counts, and others are waited for.
    Counted,
    /// The commit is void: this node goes on in the epoch before it.
    GoesOn,
    /// The commit is void, and it is this node's own: its group is lost.
    Lost,
}

/// Notes a commit of another member that this node cannot process; the session stands before
/// it.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn strayed(work: &mut Work<'_>, entry: &LogEntry) -> Done<()> {
    let session = work.session().await?;
    let view = session.facts().map_err(|cause| Fault::ours("group", cause))?.view;
    let needed = match session.read_commit(&entry.payload) {
        Ok(commit) => voters(&view, &commit),
        Err(_) => others(&view, &entry.sender),
    };
    let row = StrayRow {
        lineage: work.row.lineage,
        committer: entry.sender.clone(),
        epoch: entry.epoch,
        log_epoch: entry.epoch.next(),
        asked: false,
        followed_by: None,
        votes: Votes::none(entry.sequence, entry.digest(work.row.group), needed),
    };
    Ok(work.tx()?.put_stray(row).await?)
}

fn others(view: &GroupView, committer: &NodeId) -> BTreeSet<NodeId> {
    let nodes = view.leaves.iter().filter_map(|(_, leaf)| leaf.node.clone());
    nodes.filter(|node| node != committer).collect()
}

/// Notes this node's own commit, until another member has followed it. Of several without
/// anybody else's between them the first counts: with it the others would have begun.
///
/// # Errors
/// The store's.
pub async fn made(
    node: &Node,
    work: &mut Work<'_>,
    before: &GroupView,
    commit: &CommitView,
    entry: &LogEntry,
) -> Done<()> {
    let (lineage, me) = (work.row.lineage, &node.identity.node);
    let votes = Votes::none(entry.sequence, entry.digest(work.row.group), voters(before, commit));
    let known = work.tx()?.stray(lineage).await?;
    if known.is_some_and(|known| known.committer == *me) || !votes.can_pass() {
        return Ok(());
    }
    let row = StrayRow {
        lineage,
        committer: me.clone(),
        epoch: entry.epoch,
        log_epoch: entry.epoch.next(),
        asked: false,
        followed_by: None,
        votes,
    };
    Ok(work.tx()?.put_stray(row).await?)
}

/// Passes over an entry that stands after a commit that this node cannot process; whether it
/// may read on: not where another member has followed.
///
/// # Errors
/// The store's.
pub async fn pass(
    node: &Node,
    work: &mut Work<'_>,
    stray: &mut StrayRow,
    entry: &LogEntry,
) -> Done<bool> {
    let follows = entry.sender != stray.committer;
    if follows {
        stray.followed_by = Some(entry.sender.clone());
    } else {
        let row = SetAsideRow {
            lineage: stray.lineage,
            sequence: entry.sequence,
            envelope: None,
            sender: entry.sender.clone(),
            reason: AFTER_STRAY.to_owned(),
            at: node.clock.now(),
        };
        apply::keep_aside(node, work, row).await?;
        if entry.kind == EntryKind::Commit {
            stray.log_epoch = entry.epoch.next();
        }
    }
    work.tx()?.put_stray(stray.clone()).await?;
    Ok(!follows)
}

/// Counts what a member says, whose signature is verified.
///
/// # Errors
/// The store's.
pub async fn said(node: &Node, work: &mut Work<'_>, notice: &Notice) -> Done<Verdict> {
    let lineage = work.row.lineage;
    let Some(mut stray) = work.tx()?.stray(lineage).await? else { return Ok(Verdict::Stranger) };
    if !stray.votes.count(notice) {
        return Ok(Verdict::Stranger);
    }
    if !stray.votes.have_passed() {
        work.tx()?.put_stray(stray).await?;
        return Ok(Verdict::Counted);
    }
    end(node, work, &stray).await?;
    if stray.committer == node.identity.node {
        lose(node, work, &stray).await?;
        return Ok(Verdict::Lost);
    }
    go_on(work).await?;
    Ok(Verdict::GoesOn)
}

async fn end(node: &Node, work: &mut Work<'_>, stray: &StrayRow) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    tx.delete_stray(lineage).await?;
    alarms::end_all(node, tx, lineage, Ending::Void).await?;
    let place = stray.votes.sequence.to_string();
    let detail = [("by", stray.committer.as_str()), ("entry", place.as_str())];
    record(node, tx, Actor::Node, "equipe.commit_void", &lineage.to_string(), &detail).await?;
    tracing::warn!(%lineage, entry = stray.votes.sequence.0, "a commit is void");
    Ok(())
}

/// What waits for the hub is of the epoch that goes on. An own commit was answered with a
/// later epoch, and is handed over again as it is: it may be under way. Messages so answered
/// are encrypted again after the next own commit.
async fn go_on(work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    if let Some(mut commit) = work.tx()?.pending_commit(lineage).await?
        && commit.state == EntryState::Stale
    {
        commit.state = EntryState::Pending;
        work.tx()?.update_entry(&commit).await?;
    }
    work.set_stale();
    Ok(())
}

async fn lose(node: &Node, work: &mut Work<'_>, stray: &StrayRow) -> Done<()> {
    let lineage = work.row.lineage;
    work.row.state = Standing::NeedsRejoin.as_str().into();
    let what = format!(
        "nobody else could process this node's change at entry {}, and all hold it for void",
        stray.votes.sequence
    );
    work.tx()?.delete_rejoin(lineage, &node.identity.node).await?;
    alarms::raise_within(node, work, rejoin::needs_rejoin(&what)).await.map(drop)
}
