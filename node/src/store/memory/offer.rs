//! Rows of offers, in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::offer::{CopyRow, OfferLoad, OfferRow, OfferRows};

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

    async fn offers_in(&mut self, state: &str) -> Stored<Vec<OfferRow>> {
        let mut rows = self.all_offers().await?;
        rows.retain(|row| row.state == state);
        Ok(rows)
    }

    async fn offer_loads(&mut self) -> Stored<Vec<OfferLoad>> {
        self.look(|tables| {
            let mut loads: BTreeMap<&NodeId, (u64, u64)> = BTreeMap::new();
            for (_, row) in tables.offer.rows().filter(|(_, row)| is_open(row)) {
                let joined = |parts: &[Vec<u8>]| parts.iter().map(|part| 4 + part.len()).sum();
                let (earlier, cards): (usize, usize) = (joined(&row.earlier), joined(&row.cards));
                let bytes = row.statement.len().saturating_add(earlier).saturating_add(cards);
                let (offers, all) = loads.entry(&row.offered_by).or_default();
                *offers = offers.saturating_add(1);
                *all = all.saturating_add(bytes as u64);
            }
            let load = |(by, (offers, bytes)): (&NodeId, (u64, u64))| OfferLoad {
                offered_by: by.clone(),
                offers,
                bytes,
            };
            loads.into_iter().map(load).collect()
        })
    }

    async fn delete_offers_before(&mut self, at: Instant) -> Stored<()> {
        let old = |row: &OfferRow| is_open(row) && row.offered_at < at;
        self.alter(|tables| tables.offer.remove_where(.., |_, row| old(row)))
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

/// Whether it waits or was refused.
fn is_open(row: &OfferRow) -> bool {
    matches!(row.state.as_str(), "waiting" | "refused")
}
