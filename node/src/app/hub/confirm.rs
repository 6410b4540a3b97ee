//! Members tell what they have durably processed, so that the hub may forget it.

use raccordo_core::id::{GroupId, NodeId, Sequence};
use raccordo_core::planted::{self, Bug};

use crate::app::Node;
use crate::app::fault::Done;
use crate::store::hub::LogBytes;

/// Moves the caller's cursors forward, trims what every member has, and forgets the
/// caller's mail up to its cursor. Cursors of groups that the caller is no member of, or
/// beyond the log's end, are ignored.
///
/// # Errors
/// `not_a_hub`, or whatever the store says.
pub async fn confirm(
    node: &Node,
    caller: &NodeId,
    groups: &[(GroupId, Sequence)],
    mailbox_cursor: u64,
) -> Done<()> {
    tracing::debug!(peer = %caller, step = "hub_confirm");
    let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
    let mut trimmed = Vec::new();
    let mut tx = node.store.write().await?;
    for (group, sequence) in groups {
        let Some(named) = tx.carried_group(*group).await? else { continue };
        tx.raise_carried(named.lineage).await?;
        let Some(mut row) = tx.carried(named.lineage).await? else { continue };
        let cursors = tx.cursors(*group).await?;
        if !cursors.iter().any(|(member, _)| member == caller) || *sequence > row.sequence {
            continue;
        }
        tx.put_cursor(*group, caller, *sequence).await?;
        let newest = |(member, cursor): &(NodeId, Sequence)| {
            if member == caller { (*cursor).max(*sequence) } else { *cursor }
        };
        let mut all_have = cursors.iter().map(newest).min().unwrap_or_default();
        if planted::is(Bug::TrimTooEarly) {
            all_have = *sequence;
        }
        if all_have > row.trimmed {
            let freed = tx.trim_log(*group, all_have).await?;
            let before = std::mem::replace(&mut row.trimmed, all_have);
            row.stored_bytes = row.stored_bytes.saturating_sub(sum(&freed));
            tx.update_carried(&row).await?;
            trimmed.push((row, before, freed));
        }
    }
    if mailbox_cursor > 0 {
        tx.delete_mailbox(caller, mailbox_cursor).await?;
    }
    tx.commit().await?;
    for (row, before, freed) in trimmed {
        hub.trimmed(&row, before, &freed);
    }
    Ok(())
}

/// All bytes together.
pub(super) fn sum(freed: &[LogBytes]) -> u64 {
    freed.iter().fold(0, |sum, of| sum.saturating_add(of.bytes))
}
