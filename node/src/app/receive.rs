//! Takes a batch of the log: verifies the chain, decrypts, applies, moves the cursor, in
//! one transaction. What cannot be processed is set aside with its reason; the cursor
//! still moves.

mod places;

use std::collections::BTreeMap;
use std::ops::Range;

use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{Digest, LineageId, NodeId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::session::{Processed, SessionError};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::commit::{CommitRefused, CommitView, GroupView};
use raccordo_core::trust::notice::{NoticeKind, SignedNotice};
use raccordo_core::trust::validator::validate;
pub use raccordo_core::wire::hub::Batch;

use self::places::{Broken, Place, Places, places};
use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::signals::Topic;
use super::void::{self, Verdict};
use super::work::Work;
use super::{
    Node, apply, changes, honesty, membership, notices, pack, pseudonym, rejoin, roster, term,
};
use crate::store::equipe::{AlarmRow, EquipeRow};
use crate::store::inbox::SetAsideRow;
use crate::store::outbox::{EntryRow, EntryState};
use crate::store::void::StrayRow;
use crate::store::{StoreError, Tx};

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// The cursor stands here now.
    At(Sequence),
    /// The batch begins later than the cursor: subscribe again from it.
    Gap(Sequence),
    /// This node is no member, or is quarantined: nothing more is taken.
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
        Err(Broken::Fault(code, detail)) => return alarm(node, &row, batch, code, &detail).await,
    };
    let mut from = 0;
    loop {
        // Everything before what cannot be processed, then that entry by itself, then the rest.
        let (received, stuck) = run_up_to(node, lineage, batch, &places, from).await?;
        let Some((index, reason)) = stuck.filter(|_| received != Received::Stopped) else {
            return Ok(received);
        };
        set_aside(node, lineage, batch, &places, index, reason).await?;
        from = index + 1;
        if from == batch.entries.len() {
            return end(node, lineage).await;
        }
    }
}

/// Takes the entries from one on, as far as they can be processed; with the first that cannot,
/// and why.
async fn run_up_to(
    node: &Node,
    lineage: LineageId,
    batch: &Batch,
    places: &Places,
    from: usize,
) -> Done<(Received, Option<(usize, &'static str)>)> {
    let (mut until, mut stuck) = (batch.entries.len(), None);
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

/// Code of the alarm after which this node cannot follow the group any further, unless the
/// commit is void.
pub const COMMIT_UNPROCESSABLE: &str = "commit_unprocessable";

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
                return lost(node, work).await;
            }
            Ok(Next::Quarantine) => return quarantine(node, work, entry).await,
            Ok(Next::Removed) => {
                note_place(&mut work, batch, entry, place);
                return removed(node, work).await;
            }
            Err(Stop::SetAside(reason)) => return Ok(Run::Stuck { index, reason }),
            // The database is well: what the entry says is what it does not take.
            Err(Stop::Failed(fault)) if fault.is_of_content() => {
                return Ok(Run::Stuck { index, reason: fault.reason });
            }
            Err(Stop::Failed(fault)) => return Err(fault),
        }
        note_place(&mut work, batch, entry, place);
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
    forget_delivered(node, &mut work).await?;
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
        return own(node, work, entry).await;
    }
    match entry.kind {
        EntryKind::Application => message(node, work, entry).await,
        EntryKind::Commit => commit(node, work, entry).await,
        EntryKind::Notice => notice(node, work, entry).await,
    }
}

/// Ours: settled by entry id and digest, before MLS sees the bytes.
async fn own(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let lineage = work.row.lineage;
    let known = work.tx()?.entry(lineage, entry.entry_id).await?;
    if known.is_none() && planted::is(Bug::QuarantineIgnored) {
        return Ok(Next::GoOn);
    }
    let Some(mut row) = known.filter(|row| row.payload_digest == Digest::of(&entry.payload)) else {
        return Ok(Next::Quarantine);
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

async fn message(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let session = work.session().await?;
    let processed = session.process(&entry.payload, &judged);
    match processed {
        Ok(Processed::Message { from, epoch, plaintext, .. }) => {
            apply::message(node, work, entry, &from, epoch, &plaintext).await?;
            Ok(Next::GoOn)
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
    Ok(())
}

async fn notice(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Result<Next, Stop> {
    let facts = work.session().await?.facts();
    let view = facts.map_err(|cause| Fault::ours("group", cause))?.view;
    let leaf = view.leaves.iter().find(|(_, leaf)| leaf.node.as_ref() == Some(&entry.sender));
    let card = leaf.and_then(|(_, leaf)| leaf.card.as_deref()).map(SignedCard::decode_verified);
    let Some(Ok(card)) = card else { return Err(Stop::SetAside("not_a_member")) };
    let signed = SignedNotice::decode(&entry.payload).map_err(|_| Stop::SetAside("bad_notice"))?;
    signed
        .verify(work.row.group, entry.entry_id, card.card())
        .map_err(|_| Stop::SetAside("bad_notice"))?;
    if signed.notice().kind == NoticeKind::RejoinRequest {
        return match rejoin::noted::requested(node, work, entry, &signed).await? {
            Ok(()) => Ok(Next::GoOn),
            Err(reason) => Err(Stop::SetAside(reason)),
        };
    }
    let notice = signed.notice();
    if notice.kind == NoticeKind::Void {
        match void::said(node, work, notice).await? {
            Verdict::Stranger => {}
            Verdict::Counted => return Ok(Next::GoOn),
            Verdict::GoesOn => return Ok(Next::Settled),
            Verdict::Lost => return Ok(Next::Lost),
        }
    }
    let (kind, words) = (notice.kind.as_str(), notices::words(notice));
    let lineage = work.row.lineage;
    if notices::ends_revocation(notice) {
        work.tx()?.delete_alarm(lineage, "notice_revocation").await?;
        return Ok(Next::GoOn);
    }
    let alarm = AlarmRow {
        lineage,
        code: format!("notice_{kind}"),
        detail: format!("{} says {kind} at entry {}: {words}", entry.sender, entry.sequence),
        holds: false,
        raised_at: node.clock.now(),
    };
    work.tx()?.put_alarm(alarm).await?;
    Ok(Next::GoOn)
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

/// Sets one entry aside. After a commit this node reads on only to learn whether it is void.
async fn set_aside(
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
        work.tx()?.set_aside(row).await?;
        if let Some(suspicion) = honesty::of_set_aside(entry, reason) {
            honesty::raise(node, work.tx()?, lineage, suspicion).await?;
        }
    }
    if commit {
        let detail =
            format!("entry {} is a commit that cannot be processed: {reason}", entry.sequence);
        let suspicion = honesty::Suspicion { code: COMMIT_UNPROCESSABLE, detail };
        honesty::raise(node, work.tx()?, lineage, suspicion).await?;
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
    apply::count_aside(reason);
    tracing::warn!(%lineage, sequence = entry.sequence.0, reason, "entry set aside");
    pack::wake(node, lineage);
    Ok(())
}

/// Tells of a log that is in doubt: what is told again is recorded once.
async fn alarm(
    node: &Node,
    equipe: &EquipeRow,
    batch: &Batch,
    code: &str,
    detail: &str,
) -> Done<Received> {
    let lineage = equipe.lineage;
    let mut tx = node.store.write().await?;
    let row = AlarmRow {
        lineage,
        code: code.to_owned(),
        detail: detail.to_owned(),
        holds: true,
        raised_at: node.clock.now(),
    };
    let known = tx.alarms(lineage).await?;
    if !known.iter().any(|alarm| alarm.code == code && alarm.detail == detail) {
        tx.put_alarm(row).await?;
        let subject = lineage.to_string();
        let told = [("code", code), ("detail", detail)];
        record(node, &mut *tx, Actor::Node, "equipe.alarm", &subject, &told).await?;
        honesty::strayed(node, &mut *tx, equipe, &batch.checkpoint).await?;
        tx.commit().await?;
    }
    tracing::error!(%lineage, code, detail, "the hub's log is not what it was");
    Ok(Received::Stopped)
}

async fn quarantine(node: &Node, work: Work<'_>, entry: &LogEntry) -> Done<Run> {
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
    let tx = work.tx()?;
    tx.put_alarm(AlarmRow {
        lineage,
        code: rejoin::OWN_ENTRY_UNKNOWN.into(),
        detail,
        holds: true,
        raised_at: node.clock.now(),
    })
    .await?;
    record(node, tx, Actor::Node, "equipe.quarantined", &lineage.to_string(), &[]).await?;
    work.commit().await?;
    tracing::error!(%lineage, sequence = entry.sequence.0, "quarantined: an own entry is unknown");
    Ok(Run::Ended(Received::Stopped))
}

/// This node's group is lost, and it asks to join again.
async fn lost(node: &Node, work: Work<'_>) -> Done<Run> {
    let hub = work.row.hub.clone();
    work.commit().await?;
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(hub));
    Ok(Run::Ended(Received::Stopped))
}

async fn removed(node: &Node, mut work: Work<'_>) -> Done<Run> {
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
