//! Heartbeats: where this node has said nothing for a while, an empty message with its
//! place in the log, so that the others see that it is there and is shown the same log.
//!
//! They bear no case, are never receipted, and never come all at once after a start.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::id::{Digest, LineageId};
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::fault::Done;
use super::{Node, pack};
use crate::store::equipe::EquipeRow;

/// Heartbeats that a member may miss before it is flagged.
const MISSED_MAX: u32 = 3;

/// When this process last spoke in each équipe.
#[derive(Default)]
pub struct Voice(Mutex<BTreeMap<LineageId, Instant>>);

impl Voice {
    /// Notes that something is being said.
    pub fn spoke(&self, lineage: LineageId, now: Instant) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(lineage, now);
    }

    fn last(&self, lineage: LineageId) -> Option<Instant> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&lineage).copied()
    }
}

/// When the next heartbeat is due; in a process that has not spoken yet up to one more
/// interval later, at a moment of its own in each équipe.
fn due(node: &Node, lineage: LineageId) -> Instant {
    if let Some(last) = node.voice.last(lineage) {
        return last.plus(node.heartbeat);
    }
    let own = Digest::of(&[node.boot.as_bytes(), lineage.as_bytes()].concat());
    let part = u32::from(own.0.first().copied().unwrap_or_default());
    node.started_at.plus(node.heartbeat).plus(node.heartbeat * part / 256)
}

/// Queues the heartbeats that are due; returns how many.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn beat(node: &Node) -> Done<usize> {
    let rows: Vec<EquipeRow> = node.store.read().await?.equipes().await?;
    let now = node.clock.now();
    let mut count = 0;
    for row in rows {
        let active = Standing::parse(&row.state) == Some(Standing::Active);
        if active && due(node, row.lineage) <= now && pack::heartbeat(node, row.lineage).await? {
            pack::wake(node, row.lineage);
            count += 1;
        }
    }
    Ok(count)
}

/// Whether a member that was last heard of at this time is overdue.
pub fn is_overdue(node: &Node, last_seen: Instant) -> bool {
    let patience: Duration = node.heartbeat * MISSED_MAX;
    last_seen > Instant(0) && node.clock.now().since(last_seen) > patience
}
