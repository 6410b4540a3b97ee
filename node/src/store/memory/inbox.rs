//! Rows of what was received, in memory.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::inbox::{ChunkRow, InboxRows, SetAsideRow};

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
        self.alter(|tables| {
            tables.seen.remove_where(.., |_, expires_at| *expires_at <= now);
            tables.chunk.remove_where(.., |_, row| row.expires_at <= now);
        })
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
