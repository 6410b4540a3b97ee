//! Rows of hub terms.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::term::{HubMoveRow, HubMoveRows};

#[async_trait]
impl<T: LiveAccess> HubMoveRows for T {
    async fn hub_move(&mut self, lineage: LineageId) -> Stored<Option<HubMoveRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.hub_move.row(&(lineage,)).cloned())
    }

    async fn put_hub_move(&mut self, row: HubMoveRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.hub_move.put((row.lineage,), row)
        })
        .await
    }

    async fn delete_hub_move(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| tables.hub_move.remove(&(lineage,))).await
    }
}
