//! Takes a batch of the log: verifies the chain, decrypts, applies, moves the cursor, in
//! one transaction. What cannot be processed is set aside with its reason; the cursor
//! still moves.

mod notice;
mod own;
mod places;
mod stops;

use std::collections::BTreeMap;
use std::ops::Range;

use raccordo_core::alarm::Ending;
use raccordo_core::hublog::{EntryKind, LogEntry, clock};
use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::session::Processed;
use raccordo_core::time::Instant;
use raccordo_core::trust::commit::{CommitRefused, CommitView, GroupView};
use raccordo_core::trust::validator::validate;
pub use raccordo_core::wire::hub::Batch;

use self::places::{Broken, Place, Places, places};
use super::fault::{Done, Fault};
use super::signals::Topic;
use super::void;
use super::work::Work;
use super::{
    Node, alarms, apply, honesty, membership, pack, parts, pseudonym, rejoin, roster, term,
};
use crate::store::equipe::{AlarmRow, EquipeRow};
use crate::store::void::StrayRow;
use crate::store::{StoreError, Tx};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The cursor stands here now.
    At(Sequence),
    /// The batch begins later than the cursor: subscribe again from it.
    Gap(Sequence),
    /// This node is no member, or is quarantined, or what comes lies ahead of its clock: nothing
    /// more is taken.
    Stopped,
}

/// Why one entry ended a run through a batch.
enum Stop {
    /// This entry cannot be processed: set it aside by itself.
    SetAside(&'static str),
    /// The store or this program failed: nothing of the run is kept.
    Failed(Fault),
}

impl<E: Into<Fault>> From<E> for Stop {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// Takes a batch. Repeated and overlapping batches are safe. Nothing is taken of a batch
/// that does not chain from here to the hub's signature.
///
/// # Errors
/// The store's, or a damaged group; then nothing was taken.
pub async fn receive(node: &Node, batch: &Batch) -> Done<Received> {
    let (row, next, stray) = {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.equipe_of_group(batch.group).await? else {
            return Ok(Received::Stopped);
        };
        let stray = others_stray(node, &mut *tx, row.lineage).await?;
        if stray.as_ref().is_some_and(|stray| stray.followed_by.is_some()) {
            return Ok(Received::Stopped);
        }
        let next = term::next_term(&mut *tx, &row).await?;
        (row, next, stray)
    };
    let lineage = row.lineage;
    if honesty::rewritten(node, &row, batch).await? {
        return Ok(Received::Stopped);
    }
    let places = match places(&row, next.as_ref(), stray.as_ref(), batch)? {
        Ok(places) => places,
        Err(Broken::Gap) => {
            node.claims.keep(lineage, &batch.checkpoint, node.clock.now());
            return Ok(Received::Gap(row.sequence));
        }
        Err(Broken::Fault(alarm)) => return stops::doubt(node, &row, batch, alarm).await,
    };
    let mut from = 0;
    let until = due(node, batch, &places);
    while from < until {
        // Everything before what cannot be processed, then that entry by itself, then the rest.
        let (received, stuck) = run_up_to(node, lineage, batch, &places, from..until).await?;
        let Some((index, reason)) = stuck.filter(|_| received != Received::Stopped) else {
            if received == Received::Stopped {
                return Ok(received);
            }
            break;
        };
        stops::set_aside(node, lineage, batch, &places, index, reason).await?;
        from = index + 1;
    }
    match batch.entries.get(until) {
        Some(ahead) => stops::wait(node, lineage, ahead).await,
        None => end(node, lineage).await,
    }
}

/// Takes a part of a batch, as far as it can be processed; with the first entry that cannot, and
/// why.
async fn run_up_to(
    node: &Node,
    lineage: LineageId,
    batch: &Batch,
    places: &Places,
    part: Range<usize>,
) -> Done<(Received, Option<(usize, &'static str)>)> {
    let (from, mut until, mut stuck) = (part.start, part.end, None);
    loop {
        match run(node, lineage, batch, places, from..until).await? {
            Run::Ended(received) => return Ok((received, stuck)),
            Run::Stuck { index, reason } => {
                // What is left over is shorter each time.
                until = index.min(until.saturating_sub(1)).max(from);
                stuck = Some((until, reason));
            }
        }
    }
}

/// How many entries of a batch are not too far ahead of this node's clock: the rest waits.
fn due(node: &Node, batch: &Batch, places: &Places) -> usize {
    let now = node.clock.now();
    let mut entries = batch.entries.iter().zip(places);
    let ahead = entries.position(|(entry, place)| {
        place.is_some() && clock::waits(entry.accepted_at, now, None).is_some()
    });
    ahead.unwrap_or(batch.entries.len())
}

/// The commit of another member that this node cannot process, if there is one.
async fn others_stray(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
) -> Result<Option<StrayRow>, StoreError> {
    let stray = tx.stray(lineage).await?;
    Ok(stray.filter(|stray| stray.committer != node.identity.node))
}

enum Run {
    Ended(Received),
    Stuck { index: usize, reason: &'static str },
}

async fn end(node: &Node, lineage: LineageId) -> Done<Received> {
    let equipe = node.store.read().await?.equipe(lineage).await?;
    Ok(equipe.map_or(Received::Stopped, |row| Received::At(row.sequence)))
}

/// One transaction over a part of a verified batch.
async fn run(
    node: &Node,
    lineage: LineageId,
    batch: &Batch,
    places: &Places,
    part: Range<usize>,
) -> Done<Run> {
    let ahead = match planted::is(Bug::CursorFirst) {
        true => cursor_first(node, lineage, batch, places, &part).await?,
        false => None,
    };
    let Some(mut work) = Work::begin(node, lineage).await? else {
        return Ok(Run::Ended(Received::Stopped));
    };
    if let Some(before) = ahead {
        work.row = before;
    }
    if !Standing::parse(&work.row.state).is_some_and(Standing::reads) {
        return Ok(Run::Ended(Received::Stopped));
    }
    let known = work.tx()?.stray(lineage).await?;
    let is_own = |stray: &StrayRow| stray.committer == node.identity.node;
    let (mut own, mut stray) = match known {
        Some(known) if is_own(&known) => (Some(known), None),
        known => (None, known),
    };
    let mut last = None;
    let mut heard = BTreeMap::new();
    let entries = batch.entries.iter().zip(places).enumerate();
    for (index, (entry, place)) in entries.take(part.end).skip(part.start) {
        let taken_before = entry.sequence <= work.row.sequence && !planted::is(Bug::TakeTwice);
        let Some(place) = place.as_ref().filter(|_| !taken_before) else {
            continue;
        };
        let next = match &mut stray {
            Some(stray) if others_of_group(node, entry) => {
                void::pass(node, &mut work, stray, entry)
                    .await
                    .map_err(Stop::from)
                    .map(|on| if on { Next::GoOn } else { Next::Leave })
            }
            _ => one(node, &mut work, entry).await,
        };
        match next {
            Ok(Next::GoOn) => {}
            Ok(Next::Settled) => stray = None,
            Ok(Next::Leave) => {
                work.commit().await?;
                return Ok(Run::Ended(Received::Stopped));
            }
            Ok(Next::Lost) => {
                note_place(&mut work, batch, entry, place);
                return stops::lost(node, work).await;
            }
            Ok(Next::Quarantine) => return stops::quarantine(node, work, entry).await,
            Ok(Next::Removed) => {
                note_place(&mut work, batch, entry, place);
                return stops::removed(node, work).await;
            }
            Err(Stop::SetAside(reason)) => return Ok(Run::Stuck { index, reason }),
            // The database is well: what the entry says is what it does not take.
            Err(Stop::Failed(fault)) if fault.is_of_content() => {
                return Ok(Run::Stuck { index, reason: fault.reason });
            }
            Err(Stop::Failed(fault)) => return Err(fault),
        }
        note_place(&mut work, batch, entry, place);
        if stray.is_none() && others_of_group(node, entry) {
            let spoke = |row: &AlarmRow| {
                row.member.as_ref() == Some(&entry.sender) && row.place < entry.sequence
            };
            alarms::end_within(node, &mut work, Ending::MemberSpeaks, spoke).await?;
        }
        if entry.kind == EntryKind::Commit && entry.sender == node.identity.node {
            own = work.tx()?.stray(lineage).await?.filter(is_own);
        }
        let follows = |own: &mut StrayRow| others_of_group(node, entry) && entry.epoch > own.epoch;
        if own.take_if(follows).is_some() {
            work.tx()?.delete_stray(lineage).await?;
        }
        heard.insert(&entry.sender, entry.accepted_at);
        last = Some(index);
    }
    let (at, hub) = (work.row.sequence, work.row.hub.clone());
    if let Some(index) = last {
        match keep(node, work, batch, heard).await {
            // Nobody knows which entry it was: the part is taken again without the last.
            Err(fault) if fault.is_of_content() => {
                return Ok(Run::Stuck { index, reason: fault.reason });
            }
            kept => kept?,
        }
        pack::wake(node, lineage);
        if batch.entries.iter().any(|entry| entry.kind == EntryKind::Commit) {
            node.signals.wake(&Topic::Errands(hub));
        }
        node.signals.wake(&Topic::Objects);
    }
    Ok(Run::Ended(Received::At(at)))
}

/// What follows from all entries of a run together; then all of it is durable.
async fn keep(
    node: &Node,
    mut work: Work<'_>,
    batch: &Batch,
    mut heard: BTreeMap<&NodeId, Instant>,
) -> Done<()> {
    let lineage = work.row.lineage;
    heard.remove(&node.identity.node);
    for (member, at) in heard {
        roster::hear(&mut work, member, at).await?;
    }
    alarms::end_within(node, &mut work, Ending::LogGoesOn, |_| true).await?;
    forget_delivered(node, &mut work).await?;
    parts::end_overdue(node, &mut work).await?;
    pseudonym::heard(node, &mut work).await?;
    honesty::arrived(node, &mut work, batch).await?;
    node.claims.moved(lineage, node.clock.now());
    tracing::debug!(%lineage, step = "receive_commits");
    work.commit().await?;
    tracing::debug!(%lineage, step = "received");
    Ok(())
}

/// Moves the cursor to where a part of a batch ends; the row as it was before.
async fn cursor_first(
    node: &Node,
    lineage: LineageId,
    batch: &Batch,
    places: &Places,
    part: &Range<usize>,
) -> Done<Option<EquipeRow>> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(None) };
    let before = work.row.clone();
    let entries = batch.entries.iter().zip(places).take(part.end).skip(part.start);
    for (entry, place) in entries {
        if let Some(place) = place.as_ref().filter(|_| entry.sequence > before.sequence) {
            work.row.sequence = entry.sequence;
            work.row.head = place.chain.head;
        }
    }
    work.commit().await?;
    Ok(Some(before))
}

/// The one validator, as sessions ask it.
fn judged(before: &GroupView, commit: &CommitView) -> Result<(), CommitRefused> {
    validate(before, commit).map(drop)
}

/// Moves the cursor; at the end of the batch the hub's signature goes with it.
fn note_place(work: &mut Work<'_>, batch: &Batch, entry: &LogEntry, place: &Place) {
    work.row.sequence = entry.sequence;
    work.row.head = place.chain.head;
    work.row.accepted_at = entry.accepted_at;
    work.passed.digests.push(place.digest);
    work.entries.push(entry.clone());
    if batch.checkpoint.checkpoint().sequence == entry.sequence {
        work.passed.checkpoint = Some(batch.checkpoint.clone());
        work.row.checkpoint = batch.checkpoint.bytes().to_vec();
        work.row.checkpoint_signature = batch.checkpoint.signature().to_vec();
    }
}

enum Next {
    GoOn,
    /// The commit that could not be processed is void.
    Settled,
    /// Another member has followed a commit that this node cannot process.
    Leave,
    /// This node's own commit is void, and its group is lost.
    Lost,
    Quarantine,
    Removed,
}

/// Whether another member made an entry in the group: it has followed all commits before.
fn others_of_group(node: &Node, entry: &LogEntry) -> bool {
    entry.kind != EntryKind::Notice && entry.sender != node.identity.node
}

async fn one(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    if entry.sender == node.identity.node {
        return own::own(node, work, entry).await;
    }
    match entry.kind {
        EntryKind::Application => message(node, work, entry).await,
        EntryKind::Commit => commit(node, work, entry).await,
        EntryKind::Notice => notice::notice(node, work, entry).await,
    }
}

async fn message(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let session = work.session().await?;
    let processed = session.process(&entry.payload, &judged);
    match processed {
        Ok(Processed::Message { from, epoch, plaintext, .. }) => {
            let taken = apply::message(node, work, entry, &from, epoch, &plaintext).await?;
            taken.map(|()| Next::GoOn).map_err(Stop::SetAside)
        }
        Ok(_) => Err(Stop::SetAside("not_admissible")),
        Err(cause) => Err(Stop::SetAside(cause.reason())),
    }
}

async fn commit(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let lineage = work.row.lineage;
    let session = work.session().await?;
    let processed = session.process(&entry.payload, &judged);
    match processed {
        Ok(Processed::CommitMerged { removed_self: true, commit, .. }) => {
            if let Some(statement) = commit.statement_after {
                work.row.statement = statement;
            }
            Ok(Next::Removed)
        }
        Ok(Processed::CommitMerged { commit, .. }) => {
            let by = commit.path_leaf.as_ref().and_then(|leaf| leaf.node.as_ref());
            if by != Some(&entry.sender) {
                return Err(Stop::SetAside("sender_mismatch"));
            }
            if let Some(lost) = work.tx()?.pending_commit(lineage).await?
                && !planted::is(Bug::LostCommitKept)
            {
                // The log chose another: ours was dropped with the merge.
                work.tx()?.delete_entry(lineage, lost.entry).await?;
            }
            new_epoch(node, work, &commit, entry).await?;
            if planted::is(Bug::FreshByAnyCommit) {
                work.set_fresh();
            }
            Ok(Next::GoOn)
        }
        Ok(_) => Err(Stop::SetAside("not_admissible")),
        Err(cause) => Err(Stop::SetAside(cause.reason())),
    }
}

/// After a commit: nothing encrypted before it can still enter the log.
async fn new_epoch(
    node: &Node,
    work: &mut Work<'_>,
    commit: &CommitView,
    entry: &LogEntry,
) -> Done<()> {
    let at = entry.sequence;
    let before = pseudonym::follow::before(work).await?;
    membership::follow(node, work, at).await?;
    rejoin::noted::followed(node, work, commit, at).await?;
    pseudonym::follow::committed(node, work, entry, commit, &before).await?;
    let (lineage, epoch) = (work.row.lineage, work.row.epoch);
    work.tx()?.entries_stale_before(lineage, epoch).await?;
    work.tx()?.forget_made(lineage, epoch).await?;
    Ok(())
}

/// Forgets plaintext that every other member has: who is gone confirms nothing any more.
async fn forget_delivered(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let own_place = work.row.sequence;
    let tx = work.tx()?;
    let members = tx.members(lineage).await?;
    let others = members.iter().filter(|member| member.node != node.identity.node);
    // An own entry must have come back before it is forgotten: it would look like a clone's.
    // Nobody waits for anything where nobody else is left; who comes is told anew.
    let all_have = others.map(|member| member.delivered).min().unwrap_or(own_place);
    tx.forget_delivered(lineage, all_have.min(own_place)).await?;
    tx.forget_kept(lineage, all_have.min(own_place)).await?;
    Ok(())
}
