//! What an operator did: the own records of the audit, the newest first.

use raccordo_core::audit::AuditRecord;

use super::Node;
use super::directory::Operator;
use super::fault::Done;

/// Own records before a place (from the newest without one), at most `limit`. The second
/// value is the place to go on from, none at the end. Nobody sees another's.
///
/// # Errors
/// The store's.
pub async fn own(
    node: &Node,
    operator: &Operator,
    before: Option<u64>,
    limit: u32,
) -> Done<(Vec<AuditRecord>, Option<u64>)> {
    let mut tx = node.store.read().await?;
    let newest = tx.audit_newest().await?.map_or(0, |record| record.sequence);
    let end = newest.saturating_add(1);
    let before = before.unwrap_or(end).min(end);
    let records = tx.audit_of(&operator.actor().to_string(), before, limit).await?;
    let more = records.len() >= limit as usize;
    let next = records.last().filter(|_| more).map(|record| record.sequence);
    Ok((records, next))
}
