//! Rows of rejoining, in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{LineageId, NodeId, Sequence};

use super::MemoryTx;
use super::outbox::whole;
use crate::store::Stored;
use crate::store::rejoin::{RejoinRow, RejoinRows};

#[async_trait]
impl RejoinRows for MemoryTx {
    async fn rejoins(&mut self, lineage: LineageId) -> Stored<Vec<RejoinRow>> {
        let of = |row: &&RejoinRow| row.lineage == lineage;
        self.look(|tables| {
            tables.rejoin_request.rows().map(|(_, row)| row).filter(of).cloned().collect()
        })
    }

    async fn put_rejoin(&mut self, row: RejoinRow) -> Stored<()> {
        self.alter(|tables| tables.rejoin_request.put((row.lineage, row.node.clone()), row))
    }

    async fn delete_rejoin(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        self.alter(|tables| tables.rejoin_request.remove(&(lineage, node.clone())))
    }

    async fn queue_all_again(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter(|tables| {
            let entries = tables.entry.range(whole(lineage)).map(|(_, row)| row);
            let bound = entries.filter(|row| row.kind != EntryKind::Notice);
            let gone: BTreeSet<_> = bound.map(|row| row.entry).collect();
            tables.entry.remove_where(whole(lineage), |_, row| gone.contains(&row.entry));
            tables
                .entry_place
                .remove_where(.., |(of, entry), _| *of == lineage && gone.contains(entry));
            tables.envelope.change_where(
                whole(lineage),
                |_| true,
                |row| {
                    row.entry = None;
                    row.sequence = Sequence(0);
                },
            );
        })
    }
}
