//! Rows of équipes, members and alarms, in memory.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, NodeId};

use super::tables::{AlarmKey, Tables};
use super::{MemoryTx, inserted};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, EquipeRow, EquipeRows, MemberRow};

#[async_trait]
impl EquipeRows for MemoryTx {
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool> {
        let raise = |row: &mut EquipeRow| row.version = row.version.saturating_add(1);
        self.alter(|tables| tables.equipe.change(&lineage, raise))
    }

    async fn equipe(&mut self, lineage: LineageId) -> Stored<Option<EquipeRow>> {
        self.look(|tables| tables.equipe.row(&lineage).cloned())
    }

    async fn equipe_named(&mut self, name: &str) -> Stored<Option<EquipeRow>> {
        let find = |tables: &Tables| {
            tables.equipe.rows().map(|(_, row)| row).find(|row| row.name == name).cloned()
        };
        self.look(find)
    }

    async fn equipe_of_group(&mut self, group: GroupId) -> Stored<Option<EquipeRow>> {
        let find = |tables: &Tables| {
            tables.equipe.rows().map(|(_, row)| row).find(|row| row.group == group).cloned()
        };
        self.look(find)
    }

    async fn equipes(&mut self) -> Stored<Vec<EquipeRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.equipe.rows().map(|(_, row)| row.clone()).collect();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            rows
        })
    }

    async fn insert_equipe(&mut self, row: EquipeRow) -> Stored<()> {
        self.change(|tables| {
            let named = |(_, other): (_, &EquipeRow)| other.name == row.name;
            let free = !tables.equipe.rows().any(named);
            inserted("equipe", free && tables.equipe.add(row.lineage, row))
        })
    }

    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()> {
        let update = |old: &mut EquipeRow| *old = EquipeRow { version: old.version, ..row.clone() };
        self.alter(|tables| tables.equipe.change(&row.lineage, update)).map(drop)
    }

    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>> {
        let of = |row: &&MemberRow| row.lineage == lineage;
        self.look(|tables| tables.member.rows().map(|(_, row)| row).filter(of).cloned().collect())
    }

    async fn put_member(&mut self, row: MemberRow) -> Stored<()> {
        self.alter(|tables| tables.member.put((row.lineage, row.node.clone()), row))
    }

    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        self.alter(|tables| tables.member.remove(&(lineage, node.clone())))
    }

    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>> {
        self.look(|tables| {
            let rows = tables.alarm.rows().map(|(_, row)| row);
            let mut rows: Vec<_> = rows.filter(|row| row.lineage == lineage).cloned().collect();
            rows.sort_by(AlarmRow::order);
            rows
        })
    }

    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()> {
        self.alter(|tables| {
            let key = key(&row);
            let raised_at = tables.alarm.row(&key).map_or(row.raised_at, |old| old.raised_at);
            tables.alarm.put(key, AlarmRow { raised_at, ..row });
        })
    }

    async fn delete_alarm(&mut self, row: &AlarmRow) -> Stored<()> {
        self.alter(|tables| tables.alarm.remove(&key(row)))
    }
}

fn key(row: &AlarmRow) -> AlarmKey {
    (row.lineage, row.code, row.member.clone(), row.peer.clone())
}
