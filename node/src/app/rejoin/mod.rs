//! Rejoining: how a node that has lost its ratchets, or must not use them, comes back into
//! an équipe (DESIGN §6).
//!
//! The node stands in `needs_rejoin` and encrypts nothing. [`request`] says so in the log,
//! with a fresh key package; [`noted`] keeps it at the other members; there one's
//! administrator approves, and [`approve`] commits it; [`super::join`] takes the Welcome,
//! and what was not confirmed is sent again.

pub mod approve;
pub mod noted;
pub mod request;

use raccordo_core::id::LineageId;
use raccordo_core::planted::{self, Bug};
use raccordo_core::time::Instant;

use super::Node;
use super::audit::{Actor, record};
use super::fault::Done;
use super::receive::COMMIT_UNPROCESSABLE;
use super::work::Work;
use crate::store::equipe::AlarmRow;

/// Code of the alarm of an équipe whose group this node has lost.
pub const NEEDS_REJOIN: &str = "needs_rejoin";
/// Code of the alarm of an équipe in which another copy of this node has spoken.
pub const OWN_ENTRY_UNKNOWN: &str = "own_entry_unknown";

/// Code of the alarm of an équipe whose hub has trimmed what this node has not read.
pub const TRIMMED: &str = "hub_trimmed";

/// The alarm of an équipe that comes from a backup.
pub fn alarm_restored(lineage: LineageId, made_at: Instant, now: Instant) -> AlarmRow {
    let what = format!("this node was restored from a backup of {made_at}");
    needs_rejoin(lineage, &what, now)
}

/// The alarm of an équipe whose group this node has lost, for this reason.
pub fn needs_rejoin(lineage: LineageId, what: &str, now: Instant) -> AlarmRow {
    let detail = format!("{what}: another party has to approve that it joins again");
    AlarmRow { lineage, code: NEEDS_REJOIN.into(), detail, holds: true, raised_at: now }
}

/// This node is a member again: its request and the alarms about its absence end, and what
/// is not confirmed by all is queued to be sent again, under other entry ids.
///
/// # Errors
/// The store's.
pub async fn returned(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    for code in [NEEDS_REJOIN, OWN_ENTRY_UNKNOWN, COMMIT_UNPROCESSABLE, TRIMMED] {
        tx.delete_alarm(lineage, code).await?;
    }
    tx.delete_rejoin(lineage, &node.identity.node).await?;
    if !planted::is(Bug::ForgetQueueAtReturn) {
        tx.queue_all_again(lineage).await?;
    }
    record(node, tx, Actor::Node, "equipe.rejoined", &lineage.to_string(), &[]).await
}
