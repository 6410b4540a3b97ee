//! Rows of verified history, claims and proofs, in memory.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, Sequence};

use super::{MemoryTx, inserted};
use crate::store::Stored;
use crate::store::honesty::{HonestyRows, StretchRow};

const LAST: Sequence = Sequence(u64::MAX);

#[async_trait]
impl HonestyRows for MemoryTx {
    async fn insert_stretch(&mut self, row: StretchRow) -> Stored<()> {
        self.change(|tables| inserted("stretch", tables.stretch.add((row.lineage, row.last), row)))
    }

    async fn stretches_from(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<StretchRow>> {
        self.look(|tables| {
            let rows = tables.stretch.range((lineage, sequence)..=(lineage, LAST));
            rows.map(|(_, row)| row.clone()).take(limit as usize).collect()
        })
    }

    async fn forget_stretches(&mut self, lineage: LineageId, before: Sequence) -> Stored<()> {
        let range = (lineage, Sequence(0))..(lineage, before);
        self.alter(|tables| tables.stretch.remove_where(range, |_, _| true))
    }

    async fn keep_proof(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        proof: Vec<u8>,
    ) -> Stored<bool> {
        self.alter(|tables| tables.proof.add((lineage, sequence), proof))
    }

    async fn proofs(&mut self, lineage: LineageId) -> Stored<Vec<Vec<u8>>> {
        self.look(|tables| {
            let rows = tables.proof.range((lineage, Sequence(0))..=(lineage, LAST));
            rows.map(|(_, proof)| proof.clone()).collect()
        })
    }
}
