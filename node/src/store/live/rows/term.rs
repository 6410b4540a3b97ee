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
        let tables = self.live_mut(Scope::Equipe(row.lineage)).await?;
        tables.hub_move.put((row.lineage,), row);
        Ok(())
    }

    async fn delete_hub_move(&mut self, lineage: LineageId) -> Stored<()> {
        self.live_mut(Scope::Equipe(lineage)).await?.hub_move.remove(&(lineage,));
        Ok(())
    }
}
