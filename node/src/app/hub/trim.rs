//! Forgets what is older than an équipe's age limit, also where a member has not read it:
//! one node that stays away must not fill the hub for the others. It rejoins when it is back
//! (DESIGN §4, §6).

use std::time::Duration;

use raccordo_core::id::{LineageId, Sequence};
use raccordo_core::quota::Quota;
use raccordo_core::time::Instant;

use super::WELCOME_LIFETIME;
use super::append::MOVED;
use super::confirm::sum;
use super::read_log::{BATCH_BYTES_MAX, BATCH_ENTRIES_MAX, statement_of};
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::store::hub::{CarriedRow, LogRow};

/// Trims the logs of all équipes carried here; returns how many entries went. Nothing goes
/// while a Welcome that leads to it can still be open.
///
/// # Errors
/// Whatever the store says.
pub async fn trim_old(node: &Node) -> Done<u64> {
    let carried = node.store.read().await?.all_carried().await?;
    let mut total = 0;
    for row in carried.into_iter().filter(|row| matches!(row.state.as_str(), "founded" | MOVED)) {
        let age = Duration::from_millis(statement_of(&row)?.statement().age_limit_ms);
        let before = node.clock.now().minus(age.max(WELCOME_LIFETIME));
        if begins_before(node, &row, row.trimmed, before).await? {
            loop {
                let trimmed = trim_page(node, row.lineage, before).await?;
                if trimmed == 0 {
                    break;
                }
                total += trimmed;
            }
        }
        let before = node.clock.now().minus(age.max(Quota::LogRowDays.span()));
        if begins_before(node, &row, Sequence(0), before).await? {
            while delete_page(node, row.lineage, before).await? > 0 {}
        }
    }
    Ok(total)
}

/// Whether the first entry after a place is older: mostly not, and then nothing else is read
/// or locked.
async fn begins_before(
    node: &Node,
    row: &CarriedRow,
    after: Sequence,
    before: Instant,
) -> Done<bool> {
    let oldest = node.store.read().await?.log_after(row.group, after, 1, 0).await?;
    Ok(oldest.first().is_some_and(|entry| entry.accepted_at < before))
}

async fn trim_page(node: &Node, lineage: LineageId, before: Instant) -> Done<u64> {
    let mut tx = node.store.write().await?;
    tx.raise_carried(lineage).await?;
    let Some(mut row) = tx.carried(lineage).await? else { return Ok(0) };
    let page = tx.log_after(row.group, row.trimmed, BATCH_ENTRIES_MAX, BATCH_BYTES_MAX).await?;
    let old: Vec<_> = page.iter().take_while(|entry| entry.accepted_at < before).collect();
    let Some(last) = old.last() else { return Ok(0) };
    let freed = tx.trim_log(row.group, last.sequence).await?;
    let trimmed_before = std::mem::replace(&mut row.trimmed, last.sequence);
    row.stored_bytes = row.stored_bytes.saturating_sub(sum(&freed));
    tx.update_carried(&row).await?;
    let up_to = last.sequence.to_string();
    let detail = [("up_to", up_to.as_str())];
    record(node, &mut *tx, Actor::Node, "hub.trimmed_by_age", &lineage.to_string(), &detail)
        .await?;
    tx.commit().await?;
    if let Some(hub) = &node.hub {
        hub.trimmed(&row, trimmed_before, &freed);
    }
    Ok(old.len() as u64)
}

/// Deletes a page of the rows of entries that were forgotten long ago, so that a log does not
/// grow for ever; how many. The newest stays: its place is signed again.
async fn delete_page(node: &Node, lineage: LineageId, before: Instant) -> Done<usize> {
    let mut tx = node.store.write().await?;
    tx.raise_carried(lineage).await?;
    let Some(row) = tx.carried(lineage).await? else { return Ok(0) };
    let page = tx.log_after(row.group, Sequence(0), BATCH_ENTRIES_MAX, BATCH_BYTES_MAX).await?;
    let forgotten = |entry: &&LogRow| {
        let served = entry.sequence > row.trimmed || entry.sequence >= row.sequence;
        entry.accepted_at < before && !served
    };
    let old: Vec<_> = page.iter().take_while(forgotten).collect();
    let Some(last) = old.last() else { return Ok(0) };
    tx.delete_log_rows(row.group, last.sequence).await?;
    tx.commit().await?;
    Ok(old.len())
}
