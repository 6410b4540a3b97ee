//! Reads the audit chain: verifies it from the first record, and exports it.

use raccordo_core::audit::{AuditHead, AuditRecord, verify};

use super::Node;
use super::audit::{Actor, record};
use super::fault::{Done, Fault};

const PAGE: u32 = 1_000;

/// Verifies the whole chain; returns the newest place.
///
/// # Errors
/// `chain_broken`, with the place.
pub async fn verify_chain(node: &Node) -> Done<AuditHead> {
    let mut tx = node.store.read().await?;
    let mut head = AuditHead::EMPTY;
    loop {
        let page = tx.audit_after(head.sequence, PAGE).await?;
        if page.is_empty() {
            return Ok(head);
        }
        head = verify(head, page.iter()).map_err(|broken| {
            Fault::new(super::fault::Whose::Ours, "chain_broken", broken.to_string())
                .hint("the database was changed from outside: keep it, and restore a backup")
        })?;
    }
}

/// The records after a place, at most a thousand.
///
/// # Errors
/// The store's.
pub async fn page(node: &Node, after: u64) -> Done<Vec<AuditRecord>> {
    Ok(node.store.read().await?.audit_after(after, PAGE).await?)
}

/// Notes that the chain is exported, before it is.
///
/// # Errors
/// The store's.
pub async fn note_export(node: &Node, actor: Actor) -> Done<()> {
    let mut tx = node.store.write().await?;
    record(node, &mut *tx, actor, "audit.export", node.identity.node.as_str(), &[]).await?;
    tx.commit().await?;
    Ok(())
}
