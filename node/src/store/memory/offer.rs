//! Rows of offers, in memory.

use async_trait::async_trait;
use raccordo_core::id::{Digest, LineageId, NodeId};

use super::MemoryTx;
use crate::store::Stored;
use crate::store::offer::{CopyRow, OfferRow, OfferRows};

#[async_trait]
impl OfferRows for MemoryTx {
    async fn raise_offers(&mut self, _: LineageId) -> Stored<()> {
        // Those that write wait for each other.
        Ok(())
    }

    async fn offers(&mut self, lineage: LineageId) -> Stored<Vec<OfferRow>> {
        self.look(|tables| {
            let rows = tables.offer.rows().filter(|((of, _), _)| *of == lineage);
            let mut rows: Vec<_> = rows.map(|(_, row)| row.clone()).collect();
            rows.sort_by_key(|row| (row.offered_at, row.digest));
            rows
        })
    }

    async fn all_offers(&mut self) -> Stored<Vec<OfferRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.offer.rows().map(|(_, row)| row.clone()).collect();
            let key = |row: &OfferRow| (row.name.clone(), row.lineage, row.digest);
            rows.sort_by_key(key);
            rows
        })
    }

    async fn put_offer(&mut self, row: OfferRow) -> Stored<()> {
        self.alter(|tables| {
            let key = (row.lineage, row.digest);
            let (state, cards) = (row.state.clone(), row.cards.clone());
            let update = |known: &mut OfferRow| (known.state, known.cards) = (state, cards);
            if !tables.offer.change(&key, update) {
                tables.offer.put(key, row);
            }
        })
    }

    async fn delete_offer(&mut self, lineage: LineageId, digest: Digest) -> Stored<()> {
        self.alter(|tables| tables.offer.remove(&(lineage, digest)))
    }

    async fn log_copy(
        &mut self,
        lineage: LineageId,
        digest: Digest,
        party: &NodeId,
    ) -> Stored<Option<CopyRow>> {
        self.look(|tables| tables.log_copy.row(&(lineage, digest, party.clone())).cloned())
    }

    async fn log_copies(&mut self, lineage: LineageId) -> Stored<Vec<CopyRow>> {
        self.look(|tables| {
            let rows = tables.log_copy.rows().filter(|((of, ..), _)| *of == lineage);
            rows.map(|(_, row)| row.clone()).collect()
        })
    }

    async fn put_log_copy(&mut self, row: CopyRow) -> Stored<()> {
        let key = (row.lineage, row.digest, row.party.clone());
        self.alter(|tables| tables.log_copy.put(key, row))
    }

    async fn delete_log_copy(&mut self, row: &CopyRow) -> Stored<()> {
        let key = (row.lineage, row.digest, row.party.clone());
        self.alter(|tables| tables.log_copy.remove(&key))
    }
}
