//! Notices a hub that says it has entries and does not deliver them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{Epoch, LineageId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::{Suspicion, raise, strayed};
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::app::{Node, join};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::outbox::EntryState;

/// How long a connected hub may know of entries and deliver none.
pub const PATIENCE: Duration = Duration::from_secs(120);

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

/// Whether the hub says why nothing comes, which is an alarm of its own.
async fn cut_off(node: &Node, row: &EquipeRow) -> Done<bool> {
    let mut tx = node.store.read().await?;
    join::is_cut_off(&mut *tx, row.lineage).await
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
    raise(node, &mut *tx, row.lineage, Suspicion { code: "log_withheld", detail }).await?;
    tx.commit().await?;
    Ok(())
}

async fn delivered(node: &Node, row: &EquipeRow) -> Done<()> {
    let lineage = row.lineage;
    let stands = {
        let mut tx = node.store.read().await?;
        stands(&mut *tx, lineage).await?
    };
    if !stands || node.claims.waits(lineage) {
        return Ok(());
    }
    let mut tx = node.store.write().await?;
    if !tx.claims(lineage).await?.is_empty() {
        return Ok(());
    }
    let told = [("code", "log_withheld")];
    record(node, &mut *tx, Actor::Node, "equipe.alarm_ended", &lineage.to_string(), &told).await?;
    tx.delete_alarm(lineage, "log_withheld").await?;
    tx.commit().await?;
    crate::app::pack::wake(node, lineage);
    Ok(())
}

async fn stands(tx: &mut dyn Tx, lineage: LineageId) -> Done<bool> {
    Ok(tx.alarms(lineage).await?.iter().any(|alarm| alarm.code == "log_withheld"))
}
