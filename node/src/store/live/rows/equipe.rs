//! Rows of équipes, members and alarms.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, NodeId};

use super::{all, inserted};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, EquipeRow, EquipeRows, MemberRow};
use crate::store::live::{LiveAccess, LiveTables, Row as _, Scope};

#[async_trait]
impl<T: LiveAccess> EquipeRows for T {
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool> {
        let raise = |row: &mut EquipeRow| row.version = row.version.saturating_add(1);
        self.alter_live(Scope::Node, |tables| tables.equipe.change(&(lineage,), raise)).await
    }

    async fn equipe(&mut self, lineage: LineageId) -> Stored<Option<EquipeRow>> {
        Ok(self.live(Scope::Node).await?.equipe.row(&(lineage,)).cloned())
    }

    async fn equipe_named(&mut self, name: &str) -> Stored<Option<EquipeRow>> {
        let named = |row: &&EquipeRow| row.name == name;
        Ok(equipes(self.live(Scope::Node).await?).find(named).cloned())
    }

    async fn equipe_of_group(&mut self, group: GroupId) -> Stored<Option<EquipeRow>> {
        let of = |row: &&EquipeRow| row.group == group;
        Ok(equipes(self.live(Scope::Node).await?).find(of).cloned())
    }

    async fn equipes(&mut self) -> Stored<Vec<EquipeRow>> {
        let mut rows: Vec<_> = equipes(self.live(Scope::Node).await?).cloned().collect();
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    async fn insert_equipe(&mut self, row: EquipeRow) -> Stored<()> {
        self.change_live(Scope::Node, |tables| {
            let free = !equipes(tables).any(|other| other.name == row.name);
            inserted("equipe", free && tables.equipe.add((row.lineage,), row))
        })
        .await
    }

    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()> {
        let update = |old: &mut EquipeRow| *old = EquipeRow { version: old.version, ..row.clone() };
        self.alter_live(Scope::Node, |tables| tables.equipe.change(&(row.lineage,), update))
            .await
            .map(drop)
    }

    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.member))
    }

    async fn put_member(&mut self, row: MemberRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.member.put((row.lineage, row.node.clone()), row)
        })
        .await
    }

    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.member.remove(&(lineage, node.clone()))
        })
        .await
    }

    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let mut rows = all(&tables.alarm);
        rows.sort_by(AlarmRow::order);
        Ok(rows)
    }

    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            let key = row.key();
            let raised_at = tables.alarm.row(&key).map_or(row.raised_at, |old| old.raised_at);
            tables.alarm.put(key, AlarmRow { raised_at, ..row });
        })
        .await
    }

    async fn delete_alarm(&mut self, row: &AlarmRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| tables.alarm.remove(&row.key())).await
    }
}

fn equipes(tables: &LiveTables) -> impl Iterator<Item = &EquipeRow> {
    tables.equipe.rows().map(|(_, row)| row)
}
