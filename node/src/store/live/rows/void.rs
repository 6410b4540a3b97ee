//! Rows of commits that may have to be undone.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId};

use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::void::{StrayRow, UnfollowedRow, VoidRows};

#[async_trait]
impl<T: LiveAccess> VoidRows for T {
    async fn unfollowed(&mut self, group: GroupId) -> Stored<Option<UnfollowedRow>> {
        Ok(self.live(Scope::Log(group)).await?.unfollowed.row(&(group,)).cloned())
    }

    async fn put_unfollowed(&mut self, row: UnfollowedRow) -> Stored<()> {
        self.alter_live(Scope::Log(row.group), |tables| tables.unfollowed.put((row.group,), row))
            .await
    }

    async fn delete_unfollowed(&mut self, group: GroupId) -> Stored<()> {
        self.alter_live(Scope::Log(group), |tables| tables.unfollowed.remove(&(group,))).await
    }

    async fn stray(&mut self, lineage: LineageId) -> Stored<Option<StrayRow>> {
        Ok(self.live(Scope::Equipe(lineage)).await?.stray.row(&(lineage,)).cloned())
    }

    async fn put_stray(&mut self, row: StrayRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| tables.stray.put((row.lineage,), row))
            .await
    }

    async fn delete_stray(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| tables.stray.remove(&(lineage,))).await
    }
}
