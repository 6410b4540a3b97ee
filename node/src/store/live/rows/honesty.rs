//! Rows of what was claimed of a log.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};

use super::all;
use crate::store::Stored;
use crate::store::honesty::{ClaimRow, ClaimRows};
use crate::store::live::{LiveAccess, Scope};

#[async_trait]
impl<T: LiveAccess> ClaimRows for T {
    async fn keep_claim(&mut self, row: ClaimRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.claim.add((row.lineage, row.teller.clone()), row)
        })
        .await
        .map(drop)
    }

    async fn claims(&mut self, lineage: LineageId) -> Stored<Vec<ClaimRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.claim))
    }

    async fn delete_claim(&mut self, lineage: LineageId, teller: &NodeId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.claim.remove(&(lineage, teller.clone()))
        })
        .await
    }
}
