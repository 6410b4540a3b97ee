//! Rows of changing membership, in memory.

use async_trait::async_trait;
use raccordo_core::id::{Digest, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::membership::{MembershipRows, ProposalRow, ReplayRow};

#[async_trait]
impl MembershipRows for MemoryTx {
    async fn proposals(&mut self, lineage: LineageId) -> Stored<Vec<ProposalRow>> {
        self.look(|tables| {
            let rows = tables.proposal.rows().map(|(_, row)| row);
            let mut rows: Vec<_> = rows.filter(|row| row.lineage == lineage).cloned().collect();
            rows.sort_by_key(|row| (row.changed_at, row.statement));
            rows
        })
    }

    async fn put_proposal(&mut self, row: ProposalRow) -> Stored<()> {
        self.alter(|tables| tables.proposal.put((row.lineage, row.statement), row))
    }

    async fn delete_proposal(&mut self, lineage: LineageId, statement: Digest) -> Stored<()> {
        self.alter(|tables| tables.proposal.remove(&(lineage, statement)))
    }

    async fn replays(&mut self, lineage: LineageId) -> Stored<Vec<ReplayRow>> {
        let of = |row: &&ReplayRow| row.lineage == lineage;
        self.look(|tables| tables.replay.rows().map(|(_, row)| row).filter(of).cloned().collect())
    }

    async fn put_replay(&mut self, row: ReplayRow) -> Stored<()> {
        self.alter(|tables| tables.replay.put((row.lineage, row.recipient.clone()), row))
    }

    async fn delete_replay(&mut self, lineage: LineageId, recipient: &NodeId) -> Stored<()> {
        self.alter(|tables| tables.replay.remove(&(lineage, recipient.clone())))
    }

    async fn key_update(&mut self, lineage: LineageId) -> Stored<Option<Instant>> {
        self.look(|tables| tables.key_update.row(&lineage).copied())
    }

    async fn put_key_update(&mut self, lineage: LineageId, at: Instant) -> Stored<()> {
        self.alter(|tables| tables.key_update.put(lineage, at))
    }

    async fn leaver(&mut self, group: GroupId, node: &NodeId) -> Stored<Option<Sequence>> {
        self.look(|tables| tables.log_leaver.row(&(group, node.clone())).copied())
    }

    async fn put_leaver(
        &mut self,
        group: GroupId,
        node: &NodeId,
        removed_at: Option<Sequence>,
    ) -> Stored<()> {
        let key = (group, node.clone());
        self.alter(|tables| match removed_at {
            Some(sequence) => tables.log_leaver.put(key, sequence),
            None => tables.log_leaver.remove(&key),
        })
    }
}
