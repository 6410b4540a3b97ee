//! Rows of other nodes' audit heads.

use std::sync::Arc;

use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::audit_head::{AuditHeadRow, HeadPart};

use crate::sample::{digest, node};

fn row(name: &str, day: i64, part: HeadPart, sequence: u64) -> AuditHeadRow {
    let head = AuditHead { sequence, hash: digest(7) };
    let signed = SignedAuditHead { node: node(name), head, at: Instant(8), signature: [9; 64] };
    AuditHeadRow { day, part, signed }
}

pub async fn of_each_day(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (first, newest) = (HeadPart::First, HeadPart::Newest);
    let mut tx = store.write().await?;
    for sequence in [3, 4] {
        tx.keep_audit_head(row("b", 20, first, sequence)).await?;
        tx.put_audit_head(row("b", 20, newest, sequence)).await?;
    }
    tx.put_audit_head(row("b", 19, newest, 2)).await?;
    tx.keep_audit_head(row("b", 20, HeadPart::Contradicted, 9)).await?;
    tx.put_audit_head(row("a", 20, newest, 1)).await?;
    let all = [
        row("b", 19, newest, 2),
        row("b", 20, first, 3),
        row("b", 20, HeadPart::Contradicted, 9),
        row("b", 20, newest, 4),
    ];
    assert_eq!(tx.audit_heads(&node("b")).await?, all);
    assert_eq!(tx.audit_head_nodes().await?, [node("a"), node("b")]);
    tx.forget_audit_heads(&node("b"), 20).await?;
    assert_eq!(tx.audit_heads(&node("b")).await?, all[1..]);
    tx.forget_newest_audit_heads(&node("b")).await?;
    assert_eq!(tx.audit_heads(&node("b")).await?, all[1..3]);
    assert_eq!(tx.audit_heads(&node("a")).await?, [row("a", 20, newest, 1)]);
    assert_eq!(tx.audit_heads(&node("c")).await?, []);
    Ok(())
}
