//! Rows of other nodes' audit heads, in memory.

use async_trait::async_trait;
use raccordo_core::id::NodeId;

use super::MemoryTx;
use super::tables::HeadKey;
use crate::store::Stored;
use crate::store::audit_head::{AuditHeadRow, AuditHeadRows, HeadPart};

#[async_trait]
impl AuditHeadRows for MemoryTx {
    async fn keep_audit_head(&mut self, row: AuditHeadRow) -> Stored<()> {
        self.alter(|tables| tables.audit_head.add(key(&row), row)).map(drop)
    }

    async fn put_audit_head(&mut self, row: AuditHeadRow) -> Stored<()> {
        self.alter(|tables| tables.audit_head.put(key(&row), row))
    }

    async fn audit_heads(&mut self, node: &NodeId) -> Stored<Vec<AuditHeadRow>> {
        self.look(|tables| {
            let rows = tables.audit_head.range(of_node(node));
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    async fn audit_head_nodes(&mut self) -> Stored<Vec<NodeId>> {
        self.look(|tables| {
            let mut nodes: Vec<NodeId> =
                tables.audit_head.rows().map(|((node, ..), _)| node.clone()).collect();
            nodes.dedup();
            nodes
        })
    }

    async fn forget_audit_heads(&mut self, node: &NodeId, before: i64) -> Stored<()> {
        self.alter(|tables| {
            tables.audit_head.remove_where(of_node(node), |(_, day, _), _| *day < before);
        })
    }

    async fn forget_newest_audit_heads(&mut self, node: &NodeId) -> Stored<()> {
        self.alter(|tables| {
            let newest = |(_, _, part): &HeadKey, _: &AuditHeadRow| *part == HeadPart::Newest;
            tables.audit_head.remove_where(of_node(node), newest);
        })
    }
}

fn key(row: &AuditHeadRow) -> HeadKey {
    (row.signed.node.clone(), row.day, row.part)
}

fn of_node(node: &NodeId) -> std::ops::RangeInclusive<HeadKey> {
    (node.clone(), i64::MIN, HeadPart::First)..=(node.clone(), i64::MAX, HeadPart::Newest)
}
