//! Rows of commits that may have to be undone, in memory.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId};

use super::MemoryTx;
use crate::store::Stored;
use crate::store::void::{StrayRow, UnfollowedRow, VoidRows};

#[async_trait]
impl VoidRows for MemoryTx {
    async fn unfollowed(&mut self, group: GroupId) -> Stored<Option<UnfollowedRow>> {
        self.look(|tables| tables.unfollowed.row(&group).cloned())
    }

    async fn put_unfollowed(&mut self, row: UnfollowedRow) -> Stored<()> {
        self.alter(|tables| tables.unfollowed.put(row.group, row))
    }

    async fn delete_unfollowed(&mut self, group: GroupId) -> Stored<()> {
        self.alter(|tables| tables.unfollowed.remove(&group))
    }

    async fn stray(&mut self, lineage: LineageId) -> Stored<Option<StrayRow>> {
        self.look(|tables| tables.stray.row(&lineage).cloned())
    }

    async fn put_stray(&mut self, row: StrayRow) -> Stored<()> {
        self.alter(|tables| tables.stray.put(row.lineage, row))
    }

    async fn delete_stray(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter(|tables| tables.stray.remove(&lineage))
    }
}
