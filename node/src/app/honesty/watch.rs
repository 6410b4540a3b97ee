//! Notices a hub that says it has entries and does not deliver them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{Epoch, LineageId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::strayed;
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::Done;
use crate::app::signals::Topic;
use crate::app::{Node, join, membership};
use crate::store::equipe::EquipeRow;
use crate::store::outbox::EntryState;

/// How long a connected hub may know of entries and deliver none.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// How often a log is asked for again of which nothing could be taken.
pub const ASK_AGAIN_EVERY: Duration = Duration::from_secs(300);

/// Entries that are looked at: those that came too late are few.
const STALE_MAX: u32 = 64;

/// What the hub said in this process of places ahead, unverified: the first of each équipe
/// until it is reached. Lost at a restart: the log is then read anew.
#[derive(Default)]
pub struct Claims {
    claims: Mutex<BTreeMap<LineageId, (SignedCheckpoint, Instant)>>,
    /// What the outbox knows of each log that the hub has not shown yet, and since when this
    /// process knows it: a restart does not end it.
    unseen: Mutex<BTreeMap<LineageId, (Unseen, Instant)>>,
    /// When something came of each log.
    moved: Mutex<BTreeMap<LineageId, Instant>>,
    /// When this node last showed what its hub signed.
    shown: Mutex<BTreeMap<LineageId, Instant>>,
    /// When a log that had stopped was last asked for again.
    asked_again: Mutex<BTreeMap<LineageId, Instant>>,
    /// Until when a log waits that is ahead of this node's clock.
    waits: Mutex<BTreeMap<LineageId, Instant>>,
}

/// Whether so much time has passed since the last time; then this is the last time.
fn is_due(
    times: &Mutex<BTreeMap<LineageId, Instant>>,
    lineage: LineageId,
    now: Instant,
    every: Duration,
) -> bool {
    let mut times = times.lock().unwrap_or_else(PoisonError::into_inner);
    // A time to come is from before the clock was put back.
    let due = times.get(&lineage).is_none_or(|last| *last > now || now.since(*last) >= every);
    if due {
        times.insert(lineage, now);
    }
    due
}

impl Claims {
    /// Keeps what the hub said.
    pub fn keep(&self, lineage: LineageId, signed: &SignedCheckpoint, now: Instant) {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        claims.entry(lineage).or_insert_with(|| (signed.clone(), now));
    }

    /// Forgets what a hub said that keeps a log no longer.
    pub fn forget(&self, lineage: LineageId) {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).remove(&lineage);
    }

    /// Takes what the hub said of a place up to this one.
    pub(super) fn reached(&self, lineage: LineageId, here: Sequence) -> Option<SignedCheckpoint> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let (signed, _) = claims.get(&lineage)?;
        if signed.checkpoint().sequence > here {
            return None;
        }
        claims.remove(&lineage).map(|(signed, _)| signed)
    }

    /// Notes that something came of a log.
    pub fn moved(&self, lineage: LineageId, now: Instant) {
        self.moved.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage, now);
    }

    /// Whether this node may show now what its hub signed: then it does.
    pub(super) fn may_show(&self, lineage: LineageId, now: Instant, every: Duration) -> bool {
        is_due(&self.shown, lineage, now, every)
    }

    /// Notes that a log is ahead of this node's clock, and when it is not any more.
    pub fn waits_until(&self, lineage: LineageId, until: Instant) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage, until);
    }

    /// Whether a log that was ahead of this node's clock is not any more; once.
    fn has_waited(&self, lineage: LineageId, now: Instant) -> bool {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        let over = waits.get(&lineage).is_some_and(|until| *until <= now);
        if over {
            waits.remove(&lineage);
        }
        over
    }

    /// Gives every hub its whole time again.
    pub fn begin_anew(&self, now: Instant) {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        moved.extend(claims.keys().map(|lineage| (*lineage, now)));
        let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        moved.extend(unseen.keys().map(|lineage| (*lineage, now)));
    }

    /// Notes what the outbox knows, if it knows anything.
    fn note_unseen(&self, lineage: LineageId, found: Option<Unseen>, now: Instant) {
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        match found {
            Some(found) => unseen.entry(lineage).or_insert((found, now)).0 = found,
            None => drop(unseen.remove(&lineage)),
        }
    }

    /// What is overdue.
    fn overdue(&self, lineage: LineageId, now: Instant) -> Option<Overdue> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((signed, noted)) = claims.get_mut(&lineage) {
            return self.is_overdue(lineage, noted, now).then(|| Overdue::Said(signed.clone()));
        }
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        let (found, noted) = unseen.get_mut(&lineage)?;
        self.is_overdue(lineage, noted, now).then_some(Overdue::Unseen(*found))
    }

    fn is_overdue(&self, lineage: LineageId, noted: &mut Instant, now: Instant) -> bool {
        // A time to come is from before the clock was put back: the hub has its whole time.
        *noted = (*noted).min(now);
        let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
        let since = match moved.get_mut(&lineage) {
            Some(moved) => {
                *moved = (*moved).min(now);
                (*moved).max(*noted)
            }
            None => *noted,
        };
        now.since(since) >= PATIENCE && !planted::is(Bug::WithheldUnnoticed)
    }

    fn waits(&self, lineage: LineageId) -> bool {
        let claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        claims.contains_key(&lineage) || unseen.contains_key(&lineage)
    }
}

/// What the hub keeps back.
enum Overdue {
    /// What it said and signed of a place ahead.
    Said(SignedCheckpoint),
    /// What it has answered to this node.
    Unseen(Unseen),
}

/// Something in a log that the hub has spoken of in an answer that is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unseen {
    /// An entry of this node, which it acknowledged at this place.
    Own(Sequence),
    /// A commit, since an entry of this node of this epoch came too late.
    After(Epoch),
}

/// Looks at every équipe: alarms about what a connected hub keeps back, and ends the alarm
/// when it came after all.
///
/// # Errors
/// The store's.
pub async fn watch(node: &Node) -> Done<()> {
    let rows = node.store.read().await?.equipes().await?;
    for row in rows {
        if Standing::parse(&row.state) != Some(Standing::Active) {
            continue;
        }
        let now = node.clock.now();
        ask_again(node, &row, now).await?;
        // It may have come before a crash.
        membership::adopt_pact(node, row.lineage).await?;
        // A Welcome led beyond it: of what is before, nothing comes.
        drop(node.claims.reached(row.lineage, row.sequence));
        node.claims.note_unseen(row.lineage, unseen(node, &row).await?, now);
        match node.claims.overdue(row.lineage, now) {
            Some(overdue) if node.links.of(&row.hub).connected && !cut_off(node, &row).await? => {
                withheld(node, &row, &overdue).await?;
            }
            Some(_) => {}
            None => delivered(node, &row).await?,
        }
    }
    Ok(())
}

/// Where the hub delivered what could not be taken, the log is asked for again now and then:
/// that way such an alarm ends by itself.
async fn ask_again(node: &Node, row: &EquipeRow, now: Instant) -> Done<()> {
    let standing = node.store.read().await?.alarms(row.lineage).await?;
    let stopped = standing.iter().any(|alarm| alarm.code.rule().is_ended_by(Ending::LogGoesOn));
    let waited = node.claims.has_waited(row.lineage, now);
    if waited || stopped && is_due(&node.claims.asked_again, row.lineage, now, ASK_AGAIN_EVERY) {
        node.signals.wake(&Topic::Membership);
    }
    Ok(())
}

/// Whether it is known why nothing comes, which is an alarm of its own.
async fn cut_off(node: &Node, row: &EquipeRow) -> Done<bool> {
    let mut tx = node.store.read().await?;
    let waits = [AlarmCode::HubClockAhead, AlarmCode::OwnClockBehind];
    let standing = tx.alarms(row.lineage).await?;
    Ok(standing.iter().any(|alarm| waits.contains(&alarm.code))
        || join::is_cut_off(&mut *tx, row.lineage).await?)
}

/// What the hub has answered to this node of a log, and has not shown yet.
async fn unseen(node: &Node, row: &EquipeRow) -> Done<Option<Unseen>> {
    const END: Sequence = Sequence(i64::MAX as u64);
    let mut tx = node.store.read().await?;
    let places = tx.own_places(row.lineage, row.sequence, END).await?;
    if let Some((place, _)) = places.last() {
        return Ok(Some(Unseen::Own(*place)));
    }
    let stale = tx.entries_in(row.lineage, EntryState::Stale, STALE_MAX).await?;
    let late = stale.into_iter().find(|entry| entry.epoch >= row.epoch);
    Ok(late.map(|entry| Unseen::After(entry.epoch)))
}

async fn withheld(node: &Node, row: &EquipeRow, overdue: &Overdue) -> Done<()> {
    let said = match overdue {
        Overdue::Said(signed) => {
            let (place, head) = (signed.checkpoint().sequence, signed.checkpoint().head);
            format!("said that entry {place} with head {head} is in the log")
        }
        Overdue::Unseen(Unseen::Own(place)) => {
            format!("acknowledged an entry of this node at entry {place}")
        }
        Overdue::Unseen(Unseen::After(epoch)) => {
            format!("said that an entry of this node came after the end of epoch {epoch}")
        }
    };
    let detail = format!(
        "the hub {said}, and delivers nothing after entry {} since {} s",
        row.sequence,
        PATIENCE.as_secs()
    );
    let mut tx = node.store.write().await?;
    if let Overdue::Said(signed) = overdue {
        strayed(node, &mut *tx, row, signed).await?;
    }
    let alarm = NewAlarm::new(AlarmCode::LogWithheld, detail).at(row.sequence);
    alarms::raise(node, &mut *tx, row.lineage, alarm).await?;
    tx.commit().await?;
    Ok(())
}

async fn delivered(node: &Node, row: &EquipeRow) -> Done<()> {
    let lineage = row.lineage;
    let stands = {
        let mut tx = node.store.read().await?;
        alarms::stands(&mut *tx, lineage, AlarmCode::LogWithheld).await?
    };
    if !stands || node.claims.waits(lineage) {
        return Ok(());
    }
    let mut tx = node.store.write().await?;
    if !tx.claims(lineage).await?.is_empty() {
        return Ok(());
    }
    alarms::end_all(node, &mut *tx, lineage, Ending::NothingWithheld).await?;
    tx.commit().await?;
    crate::app::pack::wake(node, lineage);
    Ok(())
}
