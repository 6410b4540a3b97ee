//! Notices a hub that says it has entries and does not deliver them.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::{LineageId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::{Suspicion, raise, strayed};
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;

/// How long a connected hub may know of entries and deliver none.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// What the hub said in this process of places ahead, unverified: the first of each équipe
/// until it is reached. Lost at a restart: the log is then read anew.
#[derive(Default)]
pub struct Claims {
    claims: Mutex<BTreeMap<LineageId, (SignedCheckpoint, Instant)>>,
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
    }

    /// What is overdue.
    fn overdue(&self, lineage: LineageId, now: Instant) -> Option<SignedCheckpoint> {
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let (signed, noted) = claims.get_mut(&lineage)?;
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
        let overdue = now.since(since) >= PATIENCE && !planted::is(Bug::WithheldUnnoticed);
        overdue.then(|| signed.clone())
    }

    fn waits(&self, lineage: LineageId) -> bool {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&lineage)
    }
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
        match node.claims.overdue(row.lineage, node.clock.now()) {
            Some(signed) if node.links.of(&row.hub).connected => {
                withheld(node, &row, &signed).await?;
            }
            Some(_) => {}
            None => delivered(node, &row).await?,
        }
    }
    Ok(())
}

async fn withheld(node: &Node, row: &EquipeRow, signed: &SignedCheckpoint) -> Done<()> {
    let (place, head) = (signed.checkpoint().sequence, signed.checkpoint().head);
    let detail = format!(
        "the hub said that entry {place} with head {head} is in the log, and delivers nothing \
         after entry {} since {} s",
        row.sequence,
        PATIENCE.as_secs()
    );
    let mut tx = node.store.write().await?;
    strayed(node, &mut *tx, row, signed).await?;
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
