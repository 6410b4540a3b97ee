//! Rows of rejoining.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};

use super::all;
use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::rejoin::{RejoinRow, RejoinRows};

#[async_trait]
impl<T: LiveAccess> RejoinRows for T {
    async fn rejoins(&mut self, lineage: LineageId) -> Stored<Vec<RejoinRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.rejoin_request))
    }

    async fn put_rejoin(&mut self, row: RejoinRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.rejoin_request.put((row.lineage, row.node.clone()), row)
        })
        .await
    }

    async fn delete_rejoin(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.rejoin_request.remove(&(lineage, node.clone()))
        })
        .await
    }
}
