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

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::planted::{self, Bug};
use raccordo_core::time::Instant;

use super::Node;
use super::alarms::{self, NewAlarm};
use super::audit::{Actor, record};
use super::fault::Done;
use super::work::Work;

/// The alarm of an équipe that comes from a backup.
pub fn alarm_restored(made_at: Instant) -> NewAlarm {
    needs_rejoin(&format!("this node was restored from a backup of {made_at}"))
}

/// The alarm of an équipe whose group this node has lost, for this reason.
pub fn needs_rejoin(what: &str) -> NewAlarm {
    let detail = format!("{what}: another party has to approve that it joins again");
    NewAlarm::new(AlarmCode::NeedsRejoin, detail)
}

/// This node is a member again: its request and the alarms about its absence end, and what
/// is not confirmed by all is queued to be sent again, under other entry ids.
///
/// # Errors
/// The store's.
pub async fn returned(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    alarms::end_all(node, tx, lineage, Ending::Join).await?;
    tx.delete_rejoin(lineage, &node.identity.node).await?;
    if !planted::is(Bug::ForgetQueueAtReturn) {
        tx.queue_all_again(lineage).await?;
    }
    record(node, tx, Actor::Node, "equipe.rejoined", &lineage.to_string(), &[]).await
}
