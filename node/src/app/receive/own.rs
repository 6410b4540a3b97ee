//! Entries that stand in the log in this node's name.

use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{Digest, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::session::{Processed, SessionError};
use raccordo_core::trust::notice::SignedNotice;

use super::{Next, Stop, judged, new_epoch};
use crate::app::fault::Fault;
use crate::app::void::{self, Verdict};
use crate::app::work::Work;
use crate::app::{Node, apply, honesty};
use crate::store::outbox::{EntryRow, EntryState};

/// Ours: settled by entry id and digest, before MLS sees the bytes.
pub(super) async fn own(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let lineage = work.row.lineage;
    let known = work.tx()?.entry(lineage, entry.entry_id).await?;
    if known.is_none() && planted::is(Bug::QuarantineIgnored) {
        return Ok(Next::GoOn);
    }
    let Some(mut row) = known.filter(|row| row.payload_digest == Digest::of(&entry.payload)) else {
        return unknown(node, work, entry).await;
    };
    let told = if row.state == EntryState::Accepted { row.sequence } else { Sequence(0) };
    if !honesty::placed(node, work, entry, told).await? {
        return Err(Stop::SetAside("entry_replayed"));
    }
    let place = (lineage, entry.sequence);
    node.links.clocks.written(&work.row.hub, place, entry.accepted_at);
    if told != entry.sequence {
        row.state = EntryState::Accepted;
        row.sequence = entry.sequence;
        work.tx()?.update_entry(&row).await?;
        work.tx()?.entries_placed(lineage, &[(row.entry, entry.sequence)]).await?;
    }
    match row.kind {
        EntryKind::Commit => own_commit(node, work, entry, &row).await,
        EntryKind::Notice => match SignedNotice::decode(&entry.payload) {
            Ok(signed) => said(node, work, &signed).await,
            Err(_) => Ok(Next::GoOn),
        },
        EntryKind::Application => {
            apply::own(node, work, entry).await?;
            Ok(Next::GoOn)
        }
    }
}

/// What a member says of a commit may undo it.
async fn said(node: &Node, work: &mut Work<'_>, signed: &SignedNotice) -> Result<Next, Stop> {
    Ok(match void::said(node, work, signed.notice()).await? {
        Verdict::Stranger | Verdict::Counted => Next::GoOn,
        Verdict::GoesOn => Next::Settled,
        Verdict::Lost => Next::Lost,
    })
}

async fn own_commit(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    row: &EntryRow,
) -> Result<Next, Stop> {
    let session = work.session().await?;
    let before = session.facts().map_err(|cause| Fault::ours("group", cause))?.view;
    let processed = session.process(&row.payload, &judged);
    match processed {
        Ok(Processed::OwnCommitMerged { commit, .. }) => {
            void::made(node, work, &before, &commit, entry).await?;
            new_epoch(node, work, &commit, entry).await?;
        }
        Ok(_) | Err(SessionError::OwnCommitMismatch) => return Ok(Next::Quarantine),
        Err(cause) => return Err(Stop::Failed(Fault::ours("own_commit", cause.reason()))),
    }
    work.tx()?.put_key_update(row.lineage, node.clock.now()).await?;
    if row.boot == node.boot {
        work.set_fresh();
    }
    tracing::debug!(lineage = %row.lineage, step = "own_commit_merged");
    Ok(Next::GoOn)
}

/// An entry in this node's name that its database does not know. What this node's keys have
/// made means that a copy of it runs. Anything else the hub has put there, which does not make
/// this node doubt itself. A commit is taken for a copy's in any case, since this node cannot
/// go on after one that it has not made; and so is what it cannot judge.
async fn unknown(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    if entry.kind == EntryKind::Application && entry.epoch != work.row.epoch {
        return Ok(Next::Quarantine);
    }
    let (lineage, payload) = (work.row.lineage, Digest::of(&entry.payload));
    if entry.kind != EntryKind::Commit && work.tx()?.has_made(lineage, payload).await? {
        return Err(Stop::SetAside("entry_replayed"));
    }
    let made_here = match entry.kind {
        EntryKind::Commit => true,
        EntryKind::Notice => SignedNotice::decode(&entry.payload).is_ok_and(|signed| {
            let card = node.identity.card();
            signed.verify(work.row.group, entry.entry_id, card.card()).is_ok()
        }),
        EntryKind::Application => {
            let session = work.session().await?;
            matches!(session.process(&entry.payload, &judged), Ok(Processed::OwnMessage))
        }
    };
    if made_here { Ok(Next::Quarantine) } else { Err(Stop::SetAside("sender_mismatch")) }
}
