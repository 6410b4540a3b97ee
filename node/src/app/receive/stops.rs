//! What ends a run through a batch: an entry that cannot be processed, a log in doubt, the end of
//! this node's membership.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::clock::{self, WrongClock};
use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::LineageId;
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::trust::notice::NoticeKind;

use super::places::Places;
use super::{Batch, Received, Run, note_place};
use crate::app::alarms::{self, NewAlarm};
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::app::{Node, apply, changes, clocks, honesty, membership, notices, pack, void};
use crate::store::equipe::EquipeRow;
use crate::store::inbox::SetAsideRow;

/// Sets one entry aside. After a commit this node reads on only to learn whether it is void.
pub(super) async fn set_aside(
    node: &Node,
    lineage: LineageId,
    batch: &Batch,
    places: &Places,
    index: usize,
    reason: &'static str,
) -> Done<()> {
    let (Some(entry), Some(Some(place))) = (batch.entries.get(index), places.get(index)) else {
        return Ok(());
    };
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let commit = entry.kind == EntryKind::Commit;
    let row = SetAsideRow {
        lineage,
        sequence: entry.sequence,
        envelope: None,
        sender: entry.sender.clone(),
        reason: reason.to_owned(),
        at: node.clock.now(),
    };
    if !planted::is(Bug::DropSetAside) {
        apply::keep_aside(node, &mut work, row).await?;
        if let Some(alarm) = honesty::of_set_aside(node, entry, reason) {
            alarms::raise_within(node, &mut work, alarm).await?;
        }
    }
    if commit {
        let detail =
            format!("entry {} is a commit that cannot be processed: {reason}", entry.sequence);
        let alarm = NewAlarm::new(AlarmCode::CommitUnprocessable, detail).at(entry.sequence);
        alarms::raise_within(node, &mut work, alarm).await?;
        let (row, told) = (work.row.clone(), format!("entry {}: {reason}", entry.sequence));
        notices::say(node, work.tx()?, &row, NoticeKind::CannotProcess, told).await?;
        let detail = [("by", entry.sender.as_str()), ("reason", reason)];
        let subject = lineage.to_string();
        record(node, work.tx()?, Actor::Node, "equipe.commit_refused", &subject, &detail).await?;
        void::strayed(&mut work, entry).await?;
    }
    note_place(&mut work, batch, entry, place);
    honesty::arrived(node, &mut work, batch).await?;
    work.row.receipt_due = entry.sequence;
    work.commit().await?;
    tracing::warn!(%lineage, sequence = entry.sequence.0, reason, "entry set aside");
    pack::wake(node, lineage);
    Ok(())
}

/// Tells of a log that is in doubt; nothing of the batch is taken.
pub(super) async fn doubt(
    node: &Node,
    equipe: &EquipeRow,
    batch: &Batch,
    alarm: NewAlarm,
) -> Done<Received> {
    let mut tx = node.store.write().await?;
    alarms::raise(node, &mut *tx, equipe.lineage, alarm).await?;
    honesty::strayed(node, &mut *tx, equipe, &batch.checkpoint).await?;
    tx.commit().await?;
    Ok(Received::Stopped)
}

/// What comes lies too far ahead of this node's clock: the cursor waits before it, and nothing is
/// lost. The log is asked for again when this clock has come so far.
pub(super) async fn wait(node: &Node, lineage: LineageId, ahead: &LogEntry) -> Done<Received> {
    let mut tx = node.store.write().await?;
    let Some(row) = tx.equipe(lineage).await? else { return Ok(Received::Stopped) };
    let reads = Standing::parse(&row.state).is_some_and(Standing::reads);
    if !reads || row.sequence.next() != ahead.sequence {
        // The run has ended before it, for another reason.
        return Ok(Received::Stopped);
    }
    let now = node.clock.now();
    let known = clocks::latest_known(node, &mut *tx, &row.hub).await?;
    let Some(wrong) = clock::waits(ahead.accepted_at, now, known) else {
        return Ok(Received::At(row.sequence));
    };
    let (place, at) = (ahead.sequence, ahead.accepted_at);
    let alarm = match wrong {
        WrongClock::Hub => NewAlarm::new(
            AlarmCode::HubClockAhead,
            format!(
                "entry {place} is of {at} by the clock of {}, and this machine's clock says {now}",
                row.hub
            ),
        ),
        WrongClock::Own => NewAlarm::new(
            AlarmCode::OwnClockBehind,
            format!(
                "entry {place} is of {at} and this machine's clock says {now}, but it has known {}",
                known.unwrap_or(now)
            ),
        ),
    };
    alarms::raise(node, &mut *tx, lineage, alarm.at(place)).await?;
    tx.commit().await?;
    node.claims.waits_until(lineage, clock::taken_at(at));
    Ok(Received::Stopped)
}

/// This node's keys have made an entry that it does not know.
pub(super) async fn quarantine(node: &Node, work: Work<'_>, entry: &LogEntry) -> Done<Run> {
    let lineage = work.row.lineage;
    drop(work);
    let Some(mut work) = Work::begin(node, lineage).await? else {
        return Ok(Run::Ended(Received::Stopped));
    };
    work.row.state = Standing::Quarantined.as_str().into();
    let detail = format!(
        "entry {} is this node's own, and this node did not make it: another copy of it runs, \
         or it was restored from an old copy",
        entry.sequence
    );
    let alarm = NewAlarm::new(AlarmCode::OwnEntryUnknown, detail).at(entry.sequence);
    alarms::raise_within(node, &mut work, alarm).await?;
    let tx = work.tx()?;
    record(node, tx, Actor::Node, "equipe.quarantined", &lineage.to_string(), &[]).await?;
    work.commit().await?;
    tracing::error!(%lineage, sequence = entry.sequence.0, "quarantined: an own entry is unknown");
    Ok(Run::Ended(Received::Stopped))
}

/// This node's group is lost, and it asks to join again.
pub(super) async fn lost(node: &Node, work: Work<'_>) -> Done<Run> {
    let hub = work.row.hub.clone();
    work.commit().await?;
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(hub));
    Ok(Run::Ended(Received::Stopped))
}

/// This node is a member no longer.
pub(super) async fn removed(node: &Node, mut work: Work<'_>) -> Done<Run> {
    let lineage = work.row.lineage;
    work.row.state = Standing::Ended.as_str().into();
    let why = membership::why_ended(&node.identity.node, &work.row.statement)?;
    let row = work.row.clone();
    let tx = work.tx()?;
    let detail = [("why", why.as_str())];
    record(node, tx, Actor::Node, "equipe.ended", &lineage.to_string(), &detail).await?;
    changes::drop_overtaken(node, tx, &row).await?;
    work.commit().await?;
    tracing::warn!(%lineage, why, "this node is a member no longer");
    node.signals.wake(&Topic::Membership);
    // A Welcome may be kept already.
    node.signals.wake(&Topic::Errands(row.hub));
    Ok(Run::Ended(Received::Stopped))
}
