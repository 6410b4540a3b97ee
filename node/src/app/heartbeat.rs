//! Heartbeats: where this node has said nothing for a while, an empty message with its
//! place in the log, so that the others see that it is there and is shown the same log; with
//! it goes where its audit chain ends, where that has moved.
//!
//! They bear no case, are never receipted, and never come all at once after a start.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::id::{Digest, LineageId};
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::audit_heads::{self, Announced};
use super::fault::Done;
use super::work::open_pact;
use super::{Node, pack};
use crate::store::equipe::EquipeRow;

/// Heartbeats that a member may miss before it is flagged.
const MISSED_MAX: u32 = 3;

/// When this process last spoke in each équipe, and how often it has to.
#[derive(Default)]
pub struct Voice {
    spoke: Mutex<BTreeMap<LineageId, Instant>>,
    /// What each pact says, by the digest of the sealed pact.
    every: Mutex<BTreeMap<LineageId, (Digest, Duration)>>,
    /// For what time of each log the node waits.
    awaited: Mutex<BTreeMap<LineageId, Instant>>,
    /// Where it said that its audit chain ends.
    pub audit: Announced,
}

impl Voice {
    /// Notes that something is being said.
    pub fn spoke(&self, lineage: LineageId, now: Instant) {
        self.spoke.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage, now);
    }

    /// Notes that the node waits until the log's time has come so far.
    pub fn awaits(&self, lineage: LineageId, until: Instant) {
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage, until);
    }

    /// Whether the log's time has come as far as the node waits for; it waits no longer then.
    pub fn has_come(&self, lineage: LineageId, at: Instant) -> bool {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let come = awaited.get(&lineage).is_some_and(|until| *until <= at);
        if come {
            awaited.remove(&lineage);
        }
        come
    }

    fn last(&self, lineage: LineageId) -> Option<Instant> {
        self.spoke.lock().unwrap_or_else(PoisonError::into_inner).get(&lineage).copied()
    }
}

/// How long a member may be silent, as the pact says.
///
/// # Errors
/// A wrong node key or a damaged row.
pub(super) fn every(node: &Node, row: &EquipeRow) -> Done<Duration> {
    let pact = Digest::of(&row.sealed_pact);
    let mut every = node.voice.every.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, span)) = every.get(&row.lineage).filter(|(known, _)| *known == pact) {
        return Ok(*span);
    }
    let minutes = open_pact(node, row)?.terms().heartbeat_minutes;
    let span = Duration::from_secs(u64::from(minutes) * 60);
    every.insert(row.lineage, (pact, span));
    Ok(span)
}

/// When the next heartbeat is due; in a process that has not spoken yet up to one more
/// interval later, at a moment of its own in each équipe.
fn due(node: &Node, row: &EquipeRow) -> Done<Instant> {
    let (lineage, every) = (row.lineage, every(node, row)?);
    let now = node.clock.now();
    if let Some(last) = node.voice.last(lineage) {
        // A time to come is from before the clock was put back.
        return Ok(if last > now { now } else { last.plus(every) });
    }
    let own = Digest::of(&[node.boot.as_bytes(), lineage.as_bytes()].concat());
    let part = u32::from(own.0.first().copied().unwrap_or_default());
    Ok(node.started_at.min(now).plus(every).plus(every * part / 256))
}

/// Queues the heartbeats that are due; returns how many. Who is not silent says no more than where
/// its audit chain ends.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn beat(node: &Node) -> Done<usize> {
    let rows: Vec<EquipeRow> = node.store.read().await?.equipes().await?;
    let now = node.clock.now();
    let mut count = 0;
    for row in rows {
        if Standing::parse(&row.state) != Some(Standing::Active) {
            continue;
        }
        let silent = due(node, &row)? <= now;
        let tells = audit_heads::is_due(node, &mut *node.store.read().await?, &row).await?;
        if (silent || tells) && pack::heartbeat(node, row.lineage).await? {
            pack::wake(node, row.lineage);
            count += usize::from(silent);
        }
    }
    Ok(count)
}

/// Whether a member that was last heard of at this time is overdue.
///
/// # Errors
/// A wrong node key or a damaged row.
pub fn is_overdue(node: &Node, row: &EquipeRow, last_seen: Instant) -> Done<bool> {
    let patience = every(node, row)? * MISSED_MAX;
    Ok(last_seen > Instant(0) && node.clock.now().since(last_seen) > patience)
}
