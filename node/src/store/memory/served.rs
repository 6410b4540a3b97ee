//! Rows of whom a hub serves, in memory.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::time::Instant;

use super::{MemoryTx, inserted};
use crate::store::Stored;
use crate::store::served::{ConflictRow, ServedRow, ServedRows};

#[async_trait]
impl ServedRows for MemoryTx {
    async fn served(&mut self, node: &NodeId) -> Stored<Vec<ServedRow>> {
        self.look(|tables| {
            let rows = tables.served.rows().filter(|((_, of), _)| of == node);
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    async fn replace_served(&mut self, lineage: LineageId, rows: Vec<ServedRow>) -> Stored<()> {
        self.change(|tables| {
            tables.served.remove_where(.., |(of, _), _| *of == lineage);
            for row in rows {
                let key = (lineage, row.node.clone());
                inserted("served", tables.served.add(key, row))?;
            }
            Ok(())
        })
    }

    async fn put_identity_conflict(&mut self, row: ConflictRow) -> Stored<()> {
        let key = (row.node.clone(), row.claimed_by.clone());
        self.alter(|tables| tables.identity_conflict.put(key, row))
    }

    async fn identity_conflicts(&mut self) -> Stored<Vec<ConflictRow>> {
        self.look(|tables| tables.identity_conflict.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn forget_identity_conflicts(&mut self, before: Instant) -> Stored<()> {
        self.alter(|tables| tables.identity_conflict.remove_where(.., |_, row| row.at < before))
    }
}
