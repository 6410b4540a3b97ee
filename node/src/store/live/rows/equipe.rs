//! Rows of équipes, members and alarms.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, NodeId};

use super::{all, inserted};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, EquipeRow, EquipeRows, MemberRow};
use crate::store::live::{LiveAccess, LiveTables, Scope};

#[async_trait]
impl<T: LiveAccess> EquipeRows for T {
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool> {
        let raise = |row: &mut EquipeRow| row.version = row.version.saturating_add(1);
        Ok(self.live_mut(Scope::Node).await?.equipe.change(&(lineage,), raise))
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
        let tables = self.live_mut(Scope::Node).await?;
        let free = !equipes(tables).any(|other| other.name == row.name);
        inserted("equipe", free && tables.equipe.add((row.lineage,), row))
    }

    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()> {
        let update = |old: &mut EquipeRow| *old = EquipeRow { version: old.version, ..row.clone() };
        self.live_mut(Scope::Node).await?.equipe.change(&(row.lineage,), update);
        Ok(())
    }

    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.member))
    }

    async fn put_member(&mut self, row: MemberRow) -> Stored<()> {
        let tables = self.live_mut(Scope::Equipe(row.lineage)).await?;
        tables.member.put((row.lineage, row.node.clone()), row);
        Ok(())
    }

    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        let tables = self.live_mut(Scope::Equipe(lineage)).await?;
        tables.member.remove(&(lineage, node.clone()));
        Ok(())
    }

    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let mut rows = all(&tables.alarm);
        rows.sort_by_key(|row| row.raised_at);
        Ok(rows)
    }

    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()> {
        let tables = self.live_mut(Scope::Equipe(row.lineage)).await?;
        let key = (row.lineage, row.code.clone());
        let raised_at = tables.alarm.row(&key).map_or(row.raised_at, |old| old.raised_at);
        tables.alarm.put(key, AlarmRow { raised_at, ..row });
        Ok(())
    }

    async fn delete_alarm(&mut self, lineage: LineageId, code: &str) -> Stored<()> {
        let tables = self.live_mut(Scope::Equipe(lineage)).await?;
        tables.alarm.remove(&(lineage, code.to_owned()));
        Ok(())
    }
}

fn equipes(tables: &LiveTables) -> impl Iterator<Item = &EquipeRow> {
    tables.equipe.rows().map(|(_, row)| row)
}
