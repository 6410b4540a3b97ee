//! Rows of keys, ceremonies and budgets, in memory.

use async_trait::async_trait;
use raccordo_core::id::LineageId;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;

use super::{MemoryTx, inserted};
use crate::store::Stored;
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, KeyRows, ShareRow, SharingRow};

#[async_trait]
impl KeyRows for MemoryTx {
    async fn key_duty(&mut self, lineage: LineageId) -> Stored<Option<DutyRow>> {
        self.look(|tables| tables.key_duty.row(&lineage).cloned())
    }

    async fn put_key_duty(&mut self, row: DutyRow) -> Stored<()> {
        self.alter(|tables| tables.key_duty.put(row.lineage, row))
    }

    async fn hasten_key_duty(&mut self, lineage: LineageId) -> Stored<()> {
        let hasten = |row: &mut DutyRow| row.due_at = Instant(0);
        self.alter(|tables| tables.key_duty.change(&lineage, hasten)).map(drop)
    }

    async fn key_sharings(&mut self, lineage: LineageId) -> Stored<Vec<SharingRow>> {
        self.look(|tables| rows(tables.key_sharing.range(classes(lineage))))
    }

    async fn put_key_sharing(&mut self, row: SharingRow) -> Stored<()> {
        self.alter(|tables| tables.key_sharing.put((row.lineage, row.class), row))
    }

    async fn put_key_share(&mut self, row: ShareRow) -> Stored<()> {
        let key = (row.lineage, row.class, row.key_epoch, row.generation);
        self.alter(|tables| tables.key_share.put(key, row))
    }

    async fn key_share(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<Option<ShareRow>> {
        let key = (lineage, class, key_epoch, generation);
        self.look(|tables| tables.key_share.row(&key).cloned())
    }

    async fn retire_key_shares(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<u64> {
        let old = |row: &ShareRow| {
            (row.lineage, row.class) == (lineage, class)
                && (row.key_epoch, row.generation) != (key_epoch, generation)
        };
        self.alter(|tables| {
            let count = tables.key_share.rows().filter(|(_, row)| old(row)).count();
            tables.key_share.remove_where(.., |_, row| old(row));
            u64::try_from(count).unwrap_or(u64::MAX)
        })
    }

    async fn key_ceremonies(&mut self, lineage: LineageId) -> Stored<Vec<CeremonyRow>> {
        self.look(|tables| rows(tables.key_ceremony.range(classes(lineage))))
    }

    async fn put_key_ceremony(&mut self, row: CeremonyRow) -> Stored<()> {
        self.alter(|tables| tables.key_ceremony.put((row.lineage, row.class), row))
    }

    async fn insert_key_act(&mut self, row: ActRow) -> Stored<()> {
        let key = (row.lineage, row.class, row.position);
        self.change(|tables| inserted("key_act", tables.key_act.add(key, row)))
    }

    async fn key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<Vec<ActRow>> {
        self.look(|tables| rows(tables.key_act.range(acts(lineage, class))))
    }

    async fn delete_key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<()> {
        self.alter(|tables| tables.key_act.remove_where(acts(lineage, class), |_, _| true))
    }

    async fn budget_uses(&mut self, lineage: LineageId) -> Stored<Vec<BudgetRow>> {
        let of = |row: &&BudgetRow| row.lineage == lineage;
        self.look(|tables| {
            tables.budget_use.rows().map(|(_, row)| row).filter(of).cloned().collect()
        })
    }

    async fn put_budget_use(&mut self, row: BudgetRow) -> Stored<()> {
        self.alter(|tables| {
            let past =
                |row: &BudgetRow, new: &BudgetRow| row.lineage == new.lineage && row.day != new.day;
            tables.budget_use.remove_where(.., |_, known| past(known, &row));
            tables.budget_use.put((row.lineage, row.requester.clone(), row.class), row);
        })
    }

    async fn forget_keys(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter(|tables| {
            tables.key_sharing.remove_where(classes(lineage), |_, _| true);
            tables.key_share.remove_where(.., |key, _| key.0 == lineage);
            tables.key_ceremony.remove_where(classes(lineage), |_, _| true);
            tables.key_act.remove_where(.., |key, _| key.0 == lineage);
            tables.budget_use.remove_where(.., |key, _| key.0 == lineage);
        })
    }
}

fn classes(lineage: LineageId) -> std::ops::RangeInclusive<(LineageId, Class)> {
    (lineage, Class::PersonStrong)..=(lineage, Class::Company)
}

fn acts(lineage: LineageId, class: Class) -> std::ops::RangeInclusive<(LineageId, Class, u32)> {
    (lineage, class, 0)..=(lineage, class, u32::MAX)
}

fn rows<'a, K: 'a, R: Clone + 'a>(range: impl Iterator<Item = (&'a K, &'a R)>) -> Vec<R> {
    range.map(|(_, row)| row.clone()).collect()
}
