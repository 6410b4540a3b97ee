//! Rows of changing membership.

use async_trait::async_trait;
use raccordo_core::id::{Digest, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::all;
use crate::store::Stored;
use crate::store::live::{KeyUpdateRow, LiveAccess, LogLeaverRow, Scope};
use crate::store::membership::{MembershipRows, ProposalRow, ReplayRow};

#[async_trait]
impl<T: LiveAccess> MembershipRows for T {
    async fn proposals(&mut self, lineage: LineageId) -> Stored<Vec<ProposalRow>> {
        let mut rows = all(&self.live(Scope::Equipe(lineage)).await?.proposal);
        rows.sort_by_key(|row| (row.changed_at, row.statement));
        Ok(rows)
    }

    async fn put_proposal(&mut self, row: ProposalRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.proposal.put((row.lineage, row.statement), row)
        })
        .await
    }

    async fn delete_proposal(&mut self, lineage: LineageId, statement: Digest) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.proposal.remove(&(lineage, statement))
        })
        .await
    }

    async fn replays(&mut self, lineage: LineageId) -> Stored<Vec<ReplayRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.replay))
    }

    async fn put_replay(&mut self, row: ReplayRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.replay.put((row.lineage, row.recipient.clone()), row)
        })
        .await
    }

    async fn delete_replay(&mut self, lineage: LineageId, recipient: &NodeId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.replay.remove(&(lineage, recipient.clone()))
        })
        .await
    }

    async fn key_update(&mut self, lineage: LineageId) -> Stored<Option<Instant>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.key_update.row(&(lineage,)).map(|row| row.at))
    }

    async fn put_key_update(&mut self, lineage: LineageId, at: Instant) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.key_update.put((lineage,), KeyUpdateRow { lineage, at })
        })
        .await
    }

    async fn leaver(&mut self, group: GroupId, node: &NodeId) -> Stored<Option<Sequence>> {
        let tables = self.live(Scope::Log(group)).await?;
        Ok(tables.log_leaver.row(&(group, node.clone())).map(|row| row.removed_at))
    }

    async fn put_leaver(
        &mut self,
        group: GroupId,
        node: &NodeId,
        removed_at: Option<Sequence>,
    ) -> Stored<()> {
        self.alter_live(Scope::Log(group), |tables| {
            let key = (group, node.clone());
            match removed_at {
                Some(removed_at) => {
                    let row = LogLeaverRow { group, node: node.clone(), removed_at };
                    tables.log_leaver.put(key, row);
                }
                None => tables.log_leaver.remove(&key),
            }
        })
        .await
    }
}
