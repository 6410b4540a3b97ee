//! Rows of the équipes that a hub carries, and how far their members have confirmed.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, NodeId, Sequence};

use super::{all, inserted};
use crate::store::Stored;
use crate::store::hub::{CarriedRow, CarriedRows, HubRows};
use crate::store::live::{LiveAccess, LiveTables, LogCursorRow, Scope};

#[async_trait]
impl<T: LiveAccess + HubRows> CarriedRows for T {
    async fn raise_carried(&mut self, lineage: LineageId) -> Stored<bool> {
        let raise = |row: &mut CarriedRow| row.version = row.version.saturating_add(1);
        self.alter_live(Scope::Node, |tables| tables.carried.change(&(lineage,), raise)).await
    }

    async fn carried(&mut self, lineage: LineageId) -> Stored<Option<CarriedRow>> {
        Ok(self.live(Scope::Node).await?.carried.row(&(lineage,)).cloned())
    }

    async fn carried_group(&mut self, group: GroupId) -> Stored<Option<CarriedRow>> {
        let tables = self.live(Scope::Node).await?;
        let mut rows = tables.carried.rows().map(|(_, row)| row);
        Ok(rows.find(|row| row.group == group).cloned())
    }

    async fn all_carried(&mut self) -> Stored<Vec<CarriedRow>> {
        let mut rows = all(&self.live(Scope::Node).await?.carried);
        rows.sort_by(|a, b| (&a.name, a.lineage).cmp(&(&b.name, b.lineage)));
        Ok(rows)
    }

    async fn has_successor(&mut self, group: GroupId) -> Stored<bool> {
        let tables = self.live(Scope::Node).await?;
        Ok(tables.carried.rows().any(|(_, row)| row.succeeds == group))
    }

    async fn insert_carried(&mut self, row: CarriedRow) -> Stored<()> {
        self.change_live(Scope::Node, |tables| {
            inserted("carried", tables.carried.add((row.lineage,), row))
        })
        .await
    }

    async fn update_carried(&mut self, row: &CarriedRow) -> Stored<()> {
        let update =
            |old: &mut CarriedRow| *old = CarriedRow { version: old.version, ..row.clone() };
        self.alter_live(Scope::Node, |tables| tables.carried.change(&(row.lineage,), update))
            .await
            .map(drop)
    }

    async fn delete_carried(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Node, |tables| tables.carried.remove(&(lineage,))).await
    }

    async fn delete_log(&mut self, group: GroupId) -> Stored<()> {
        let delete = |tables: &mut LiveTables| {
            tables.log_cursor.remove_where(.., |_, _| true);
            tables.log_leaver.remove_where(.., |_, _| true);
            tables.unfollowed.remove(&(group,));
        };
        self.alter_live(Scope::Log(group), delete).await?;
        self.delete_log_entries(group).await
    }

    async fn cursors(&mut self, group: GroupId) -> Stored<Vec<(NodeId, Sequence)>> {
        let rows = all(&self.live(Scope::Log(group)).await?.log_cursor);
        Ok(rows.into_iter().map(|row| (row.node, row.sequence)).collect())
    }

    async fn put_cursor(
        &mut self,
        group: GroupId,
        node: &NodeId,
        sequence: Sequence,
    ) -> Stored<()> {
        self.alter_live(Scope::Log(group), |tables| {
            let key = (group, node.clone());
            if tables.log_cursor.row(&key).is_none_or(|old| old.sequence < sequence) {
                tables.log_cursor.put(key, LogCursorRow { group, node: node.clone(), sequence });
            }
        })
        .await
    }

    async fn delete_cursor(&mut self, group: GroupId, node: &NodeId) -> Stored<()> {
        self.alter_live(Scope::Log(group), |tables| {
            tables.log_cursor.remove(&(group, node.clone()))
        })
        .await
    }
}
