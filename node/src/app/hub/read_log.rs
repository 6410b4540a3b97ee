//! What a subscriber may read: a batch after its cursor, or the news that it has ended.

use raccordo_core::hublog::{Checkpoint, EntryKind, SignedCheckpoint};
use raccordo_core::id::{GroupId, NodeId, Sequence};
use raccordo_core::trust::statement::SignedStatement;

use super::append::MOVED;
use super::restored::BEHIND;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::hub::{CarriedRow, LogRow};

/// Most entries of one batch.
pub const BATCH_ENTRIES_MAX: u32 = 512;
/// About the most payload of one batch.
pub const BATCH_BYTES_MAX: u64 = 1 << 20;

/// Why a log is served no more whose équipe goes on in another group.
pub const SUCCEEDED: &str = "succeeded";

/// What stands after a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "made once for a batch, and never kept")]
pub enum LogAfter {
    /// Nothing yet.
    Nothing,
    /// Entries without gaps, and the hub's signature over the place of the last.
    Batch(Vec<LogRow>, SignedCheckpoint),
    /// Nothing ever more, with a stable reason: `removed`, `unknown_group`, `trimmed`, `moved`,
    /// `succeeded`. Who was removed has read the commit that did it, unless that is trimmed.
    Ended(&'static str),
}

/// Reads after a cursor.
///
/// # Errors
/// Whatever the store says.
pub async fn read_log(
    node: &Node,
    caller: &NodeId,
    group: GroupId,
    after: Sequence,
) -> Done<LogAfter> {
    loop {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.carried_group(group).await? else {
            let reason = if tx.has_successor(group).await? { SUCCEEDED } else { "unknown_group" };
            return Ok(LogAfter::Ended(reason));
        };
        let read = read_by(node, &mut *tx, &row, caller, after).await?;
        // The row is in memory, and the entries may be newer: payloads that were trimmed
        // meanwhile would look like a forgery of this hub's.
        let now = node.store.read().await?.carried_group(group).await?;
        let ground = |row: &CarriedRow| (row.state.clone(), row.term, row.trimmed);
        if now.is_some_and(|now| ground(&now) == ground(&row)) {
            return Ok(read);
        }
    }
}

async fn read_by(
    node: &Node,
    tx: &mut dyn Tx,
    row: &CarriedRow,
    caller: &NodeId,
    after: Sequence,
) -> Done<LogAfter> {
    let group = row.group;
    let member = tx.cursors(group).await?.iter().any(|(member, _)| member == caller);
    match row.state.as_str() {
        "founded" | "seeded" => {}
        MOVED if after >= row.sequence => return Ok(LogAfter::Ended("moved")),
        MOVED => {}
        // What it has may be a second history: its members know the first.
        BEHIND => return Ok(LogAfter::Nothing),
        _ => return Ok(LogAfter::Ended("unknown_group")),
    }
    let until = if member { None } else { tx.leaver(group, caller).await? };
    if !member && until.is_none_or(|until| after >= until || after < row.trimmed) {
        return Ok(LogAfter::Ended("removed"));
    }
    if after < row.trimmed {
        return Ok(LogAfter::Ended("trimmed"));
    }
    let mut entries = tx.log_after(group, after, BATCH_ENTRIES_MAX, BATCH_BYTES_MAX).await?;
    // Who was removed reads on to the commit that did it, and verifies that.
    entries.retain(|entry| until.is_none_or(|until| entry.sequence <= until));
    let Some(last) = entries.last() else { return Ok(LogAfter::Nothing) };
    let checkpoint = checkpoint_at(node, row, last);
    tracing::debug!(%group, step = "hub_log_read");
    Ok(LogAfter::Batch(entries, checkpoint))
}

/// Signs where the log stands after an entry.
pub fn checkpoint_at(node: &Node, row: &CarriedRow, last: &LogRow) -> SignedCheckpoint {
    Checkpoint {
        group: row.group,
        sequence: last.sequence,
        head: last.head,
        epoch: match last.kind {
            EntryKind::Commit => last.epoch.next(),
            EntryKind::Application | EntryKind::Notice => last.epoch,
        },
        hub: node.identity.node.clone(),
        term: row.term,
    }
    .sign(&node.identity.key)
}

/// The statement that an équipe has at this hub.
///
/// # Errors
/// A damaged row.
pub fn statement_of(row: &CarriedRow) -> Done<SignedStatement> {
    SignedStatement::decode(&row.statement).map_err(|cause| Fault::ours("statement_damaged", cause))
}
