//! Rows of successors of groups.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId};

use crate::store::Stored;
use crate::store::live::{LiveAccess, Scope};
use crate::store::successor::{SuccessorRow, SuccessorRows};

#[async_trait]
impl<T: LiveAccess> SuccessorRows for T {
    async fn successor(
        &mut self,
        lineage: LineageId,
        old_group: GroupId,
    ) -> Stored<Option<SuccessorRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.successor.row(&(lineage, old_group)).cloned())
    }

    async fn put_successor(&mut self, row: SuccessorRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.successor.put((row.lineage, row.old_group), row)
        })
        .await
    }
}
