//! Rows of hub terms, in memory.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::id::{LineageId, Sequence};

use super::MemoryTx;
use crate::store::Stored;

use crate::store::term::{KeptRow, TermRows};

/// All places of an équipe up to one.
fn up_to(lineage: LineageId, last: u64) -> RangeInclusive<(LineageId, Sequence)> {
    (lineage, Sequence(0))..=(lineage, Sequence(last))
}

#[async_trait]
impl TermRows for MemoryTx {
    async fn keep_entries(&mut self, rows: &[KeptRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                tables.kept_entry.add((row.lineage, row.entry.sequence), row.clone());
            }
        })
    }

    async fn kept_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<KeptRow>> {
        self.look(|tables| {
            let rows = tables.kept_entry.range(up_to(lineage, u64::MAX));
            let after = rows.map(|(_, row)| row).filter(|row| row.entry.sequence > sequence);
            after.take(limit as usize).cloned().collect()
        })
    }

    async fn kept_bytes(&mut self, lineage: LineageId) -> Stored<u64> {
        self.look(|tables| {
            let newest = tables.kept_entry.range(up_to(lineage, u64::MAX)).next_back();
            newest.map(|(_, row)| row.bytes_through).unwrap_or_default()
        })
    }

    async fn forget_kept(&mut self, lineage: LineageId, last: Sequence) -> Stored<()> {
        self.alter(|tables| tables.kept_entry.remove_where(up_to(lineage, last.0), |_, _| true))
    }

    async fn forget_kept_bytes(&mut self, lineage: LineageId, bytes: u64) -> Stored<()> {
        let old = |_: &(LineageId, Sequence), row: &KeptRow| row.bytes_through <= bytes;
        self.alter(|tables| tables.kept_entry.remove_where(up_to(lineage, u64::MAX), old))
    }
}
