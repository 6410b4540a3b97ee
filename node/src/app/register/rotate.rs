//! Replaces the wrapping key after an erasure: every record's key is wrapped anew, then the
//! old wrapping key is destroyed. Old pages of the database, should they still hold an erased
//! record, hold it under a key that nobody has any more.

use std::time::Duration;

use super::keys::{self, Keys};
use super::sweep;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};

/// How old a wrapping key is before erasures under it make the node replace it.
pub const ROTATE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Records that one transaction wraps anew.
const PAGE: u32 = 200;

/// Replaces the wrapping key where records were erased under one that is a day old, and ends
/// what an earlier run began; returns whether a key was destroyed.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn where_due(node: &Node) -> Done<bool> {
    let mut tx = node.store.read().await?;
    let rows = tx.wrapping_keys().await?;
    let Some(newest) = rows.last() else { return Ok(false) };
    let old = node.clock.now().since(newest.made_at) >= ROTATE_AFTER;
    let due = old && tx.erased_under(newest.number).await?;
    drop(tx);
    match (due, rows.len()) {
        (true, _) => rotate(node, Actor::Node).await.map(|()| true),
        (false, 2..) => finish(node, Actor::Node).await.map(|()| true),
        _ => Ok(false),
    }
}

/// Replaces the wrapping key now.
///
/// # Errors
/// As [`where_due`].
pub async fn rotate(node: &Node, actor: Actor) -> Done<()> {
    let mut tx = node.store.write().await?;
    tx.hold_register().await?;
    let newest = tx.wrapping_keys().await?.pop();
    let number = newest.map_or(1, |row| row.number.saturating_add(1));
    record(node, &mut *tx, actor, "wrapping_key.add", &number.to_string(), &[]).await?;
    keys::fresh(node, &mut *tx, number).await?;
    tx.commit().await?;
    finish(node, actor).await
}

/// Wraps what older keys wrap, in as many transactions as it takes, then destroys them.
async fn finish(node: &Node, actor: Actor) -> Done<()> {
    loop {
        let mut tx = node.store.write().await?;
        let keys = keys::held(node, &mut *tx).await?;
        let rows = tx.records_wrapped_before(keys.number, PAGE).await?;
        if rows.is_empty() {
            // Under the hold: nobody can have wrapped under an old key since.
            let before = keys.number.to_string();
            let detail = [("before", before.as_str())];
            record(node, &mut *tx, actor, "wrapping_key.destroy", "register", &detail).await?;
            tx.delete_wrapping_keys_before(keys.number).await?;
            tx.commit().await?;
            sweep(node).await;
            return Ok(());
        }
        for row in rows {
            let wrapped = rewrapped(node, &mut *tx, &keys, &row).await?;
            tx.rewrap_record(row.record, keys.number, wrapped).await?;
        }
        tx.commit().await?;
    }
}

async fn rewrapped(
    node: &Node,
    tx: &mut dyn crate::store::Tx,
    keys: &Keys,
    row: &crate::store::register::RecordRow,
) -> Done<Vec<u8>> {
    let key = keys::of_record(node, tx, row).await?;
    let key = key.ok_or_else(|| Fault::ours("row_damaged", "an active record without a key"))?;
    keys::wrap(node, keys, row.record, &key)
}
