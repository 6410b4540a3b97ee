//! Rows of keys, ceremonies and budgets.

use async_trait::async_trait;
use raccordo_core::id::LineageId;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;

use super::{all, inserted};
use crate::store::Stored;
use crate::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, KeyRows, ShareRow, SharingRow};
use crate::store::live::{LiveAccess, Scope};

#[async_trait]
impl<T: LiveAccess> KeyRows for T {
    async fn key_duty(&mut self, lineage: LineageId) -> Stored<Option<DutyRow>> {
        Ok(self.live(Scope::Equipe(lineage)).await?.key_duty.row(&(lineage,)).cloned())
    }

    async fn put_key_duty(&mut self, row: DutyRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.key_duty.put((row.lineage,), row)
        })
        .await
    }

    async fn hasten_key_duty(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.key_duty.change(&(lineage,), |row| row.due_at = Instant(0));
        })
        .await
    }

    async fn key_sharings(&mut self, lineage: LineageId) -> Stored<Vec<SharingRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.key_sharing))
    }

    async fn put_key_sharing(&mut self, row: SharingRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.key_sharing.put((row.lineage, row.class), row)
        })
        .await
    }

    async fn put_key_share(&mut self, row: ShareRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.key_share.put((row.lineage, row.class, row.key_epoch, row.generation), row)
        })
        .await
    }

    async fn key_share(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<Option<ShareRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.key_share.row(&(lineage, class, key_epoch, generation)).cloned())
    }

    async fn retire_key_shares(
        &mut self,
        lineage: LineageId,
        class: Class,
        key_epoch: KeyEpoch,
        generation: Generation,
    ) -> Stored<u64> {
        self.change_live(Scope::Equipe(lineage), |tables| {
            let old = |row: &ShareRow| {
                row.class == class && (row.key_epoch, row.generation) != (key_epoch, generation)
            };
            let count = tables.key_share.rows().filter(|(_, row)| old(row)).count();
            tables.key_share.remove_where(.., |_, row| old(row));
            Ok(u64::try_from(count).unwrap_or(u64::MAX))
        })
        .await
    }

    async fn key_ceremonies(&mut self, lineage: LineageId) -> Stored<Vec<CeremonyRow>> {
        Ok(all(&self.live(Scope::Equipe(lineage)).await?.key_ceremony))
    }

    async fn put_key_ceremony(&mut self, row: CeremonyRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.key_ceremony.put((row.lineage, row.class), row)
        })
        .await
    }

    async fn insert_key_act(&mut self, row: ActRow) -> Stored<()> {
        self.change_live(Scope::Equipe(row.lineage), |tables| {
            let key = (row.lineage, row.class, row.position);
            inserted("key_act", tables.key_act.add(key, row))
        })
        .await
    }

    async fn key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<Vec<ActRow>> {
        let mut acts = all(&self.live(Scope::Equipe(lineage)).await?.key_act);
        acts.retain(|row| row.class == class);
        Ok(acts)
    }

    async fn delete_key_acts(&mut self, lineage: LineageId, class: Class) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.key_act.remove_where(.., |_, row| row.class == class)
        })
        .await
    }

    async fn budget_uses(&mut self, lineage: LineageId) -> Stored<Vec<BudgetRow>> {
        let mut rows = all(&self.live(Scope::Equipe(lineage)).await?.budget_use);
        rows.sort_by(|a, b| (&a.requester, a.class).cmp(&(&b.requester, b.class)));
        Ok(rows)
    }

    async fn put_budget_use(&mut self, row: BudgetRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            tables.budget_use.remove_where(.., |_, known| known.day != row.day);
            let key = (row.lineage, row.day.clone(), row.requester.clone(), row.class);
            tables.budget_use.put(key, row);
        })
        .await
    }

    async fn forget_keys(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            tables.key_sharing.remove_where(.., |_, _| true);
            tables.key_share.remove_where(.., |_, _| true);
            tables.key_ceremony.remove_where(.., |_, _| true);
            tables.key_act.remove_where(.., |_, _| true);
            tables.budget_use.remove_where(.., |_, _| true);
        })
        .await
    }
}
