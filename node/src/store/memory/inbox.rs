//! Rows of what was received, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::inbox::{ChunkRow, InboxRows, SetAsideRow, WholeRow};

#[async_trait]
impl InboxRows for MemoryTx {
    async fn see_envelope(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        envelope: EnvelopeId,
        expires_at: Instant,
    ) -> Stored<bool> {
        let key = (lineage, origin.clone(), envelope);
        self.alter(|tables| tables.seen.add(key, expires_at))
    }

    async fn forget_seen(&mut self, now: Instant) -> Stored<()> {
        self.alter(|tables| tables.seen.remove_where(.., |_, expires_at| *expires_at <= now))
    }

    async fn set_aside(&mut self, row: SetAsideRow) -> Stored<()> {
        let key = (row.lineage, row.sequence, row.envelope);
        self.alter(|tables| tables.set_aside.add(key, row)).map(drop)
    }

    async fn set_aside_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
    ) -> Stored<Vec<SetAsideRow>> {
        let from = (lineage, sequence.next(), None);
        self.look(|tables| {
            let rows = tables.set_aside.range(from..).map(|(_, row)| row);
            rows.take_while(|row| row.lineage == lineage).cloned().collect()
        })
    }

    async fn forget_set_aside(
        &mut self,
        lineage: LineageId,
        sender: &NodeId,
        keep: u64,
    ) -> Stored<u64> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let rows = self.set_aside_after(lineage, Sequence(0)).await?;
        let of_sender: Vec<_> = rows.into_iter().filter(|row| row.sender == *sender).collect();
        let Some(newest) = of_sender.iter().rev().nth(keep).map(|row| row.sequence) else {
            return Ok(0);
        };
        let gone: Vec<_> = of_sender.into_iter().filter(|row| row.sequence <= newest).collect();
        self.alter(|tables| {
            for row in &gone {
                tables.set_aside.remove(&(row.lineage, row.sequence, row.envelope));
            }
        })?;
        Ok(u64::try_from(gone.len()).unwrap_or(u64::MAX))
    }

    async fn set_aside_count(&mut self, lineage: LineageId) -> Stored<u64> {
        let rows = self.set_aside_after(lineage, Sequence(0)).await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    async fn put_chunk(&mut self, row: ChunkRow) -> Stored<()> {
        let key = (row.lineage, row.origin.clone(), row.whole, row.index);
        self.alter(|tables| tables.chunk.add(key, row)).map(drop)
    }

    async fn chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<Vec<ChunkRow>> {
        let parts = parts(lineage, origin, whole);
        self.look(|tables| tables.chunk.range(parts).map(|(_, row)| row.clone()).collect())
    }

    async fn wholes(&mut self, lineage: LineageId, origin: &NodeId) -> Stored<Vec<WholeRow>> {
        let wholes = self.look(|tables| {
            let mut wholes = BTreeMap::new();
            let rows = tables.chunk.rows().map(|(_, row)| row);
            for row in rows.filter(|row| row.lineage == lineage && row.origin == *origin) {
                let (begun, bytes) = wholes.entry(row.whole).or_insert((row.expires_at, 0_u64));
                *begun = row.expires_at.min(*begun);
                let more = u64::try_from(row.sealed.len()).unwrap_or(u64::MAX);
                *bytes = bytes.saturating_add(more);
            }
            wholes
        })?;
        let mut wholes: Vec<_> = wholes.into_iter().collect();
        wholes.sort_by_key(|(whole, (begun, _))| (*begun, *whole));
        let row = |(whole, (_, bytes))| WholeRow { whole, bytes };
        Ok(wholes.into_iter().map(row).collect())
    }

    async fn wholes_overdue(
        &mut self,
        lineage: LineageId,
        now: Instant,
    ) -> Stored<Vec<(NodeId, EnvelopeId)>> {
        self.look(|tables| {
            let rows = tables.chunk.rows().map(|(_, row)| row);
            let overdue = rows.filter(|row| row.lineage == lineage && row.expires_at <= now);
            let wholes: BTreeSet<_> = overdue.map(|row| (row.origin.clone(), row.whole)).collect();
            wholes.into_iter().collect()
        })
    }

    async fn forget_chunks(&mut self, now: Instant) -> Stored<()> {
        self.alter(|tables| tables.chunk.remove_where(.., |_, row| row.expires_at <= now))
    }

    async fn delete_chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<()> {
        let parts = parts(lineage, origin, whole);
        self.alter(|tables| tables.chunk.remove_where(parts, |_, _| true))
    }

    async fn put_refusal(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        member: &NodeId,
        reason: &str,
    ) -> Stored<()> {
        let key = (lineage, envelope, member.clone());
        self.alter(|tables| tables.refusal.put(key, reason.to_owned()))
    }

    async fn put_read(
        &mut self,
        lineage: LineageId,
        object: ObjectId,
        member: &NodeId,
    ) -> Stored<()> {
        self.alter(|tables| tables.object_read.put((lineage, object, member.clone()), ()))
    }
}

fn parts(
    lineage: LineageId,
    origin: &NodeId,
    whole: EnvelopeId,
) -> RangeInclusive<(LineageId, NodeId, EnvelopeId, u32)> {
    (lineage, origin.clone(), whole, 0)..=(lineage, origin.clone(), whole, u32::MAX)
}
