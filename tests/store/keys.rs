//! Rows of keys, ceremonies and budgets.

use std::sync::Arc;

use raccordo_core::id::EntryId;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::time::Instant;
use raccordo_node::store::keys::{ActRow, BudgetRow, CeremonyRow, DutyRow, ShareRow, SharingRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::{bytes, lineage, node};

fn sharing(of: u8, class: Class) -> SharingRow {
    SharingRow {
        lineage: lineage(of),
        class,
        key_epoch: KeyEpoch(2),
        generation: Generation(3),
        sharing: b"sharing".to_vec(),
        since: Instant(4),
        seen_from: Instant(5),
        renewal: "lost".to_owned(),
        asked: true,
        asked_by: [node("toscana"), node("umbria")].into(),
    }
}

fn share(of: u8, class: Class, epoch: u64, generation: u64) -> ShareRow {
    ShareRow {
        lineage: lineage(of),
        class,
        key_epoch: KeyEpoch(epoch),
        generation: Generation(generation),
        sealed: vec![of, 7],
    }
}

fn ceremony(of: u8, class: Class) -> CeremonyRow {
    CeremonyRow {
        lineage: lineage(of),
        class,
        run: EntryId(bytes(9)),
        state: "running".to_owned(),
        plan: b"plan".to_vec(),
        old: b"old".to_vec(),
        began_at: Instant(1),
        until: Instant(2),
        sealed_seed: b"seed".to_vec(),
        posted: "dealing".to_owned(),
        failures: 3,
        failure: "too few".to_owned(),
    }
}

fn act(of: u8, class: Class, position: u32) -> ActRow {
    ActRow {
        lineage: lineage(of),
        class,
        position,
        sender: node("umbria"),
        at: Instant(i64::from(position)),
        act: vec![1, 2],
    }
}

pub async fn duties(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |due, founder, changed| DutyRow {
        lineage: lineage(1),
        due_at: Instant(due),
        founder,
        changed_at: Instant(changed),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.key_duty(lineage(1)).await?, None);
    tx.hasten_key_duty(lineage(1)).await?;
    assert_eq!(tx.key_duty(lineage(1)).await?, None);
    tx.put_key_duty(row(9, true, 8)).await?;
    tx.put_key_duty(row(i64::MAX, false, 7)).await?;
    assert_eq!(tx.key_duty(lineage(1)).await?, Some(row(i64::MAX, false, 7)));
    tx.hasten_key_duty(lineage(1)).await?;
    assert_eq!(tx.key_duty(lineage(1)).await?, Some(row(0, false, 7)));
    assert_eq!(tx.key_duty(lineage(2)).await?, None);
    Ok(())
}

pub async fn sharings_and_shares(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for row in [sharing(1, Class::Company), sharing(1, Class::PersonStrong)] {
        tx.put_key_sharing(row).await?;
    }
    tx.put_key_sharing(sharing(2, Class::Company)).await?;
    let other = SharingRow { generation: Generation(4), ..sharing(1, Class::Company) };
    tx.put_key_sharing(other.clone()).await?;
    let expected = [sharing(1, Class::PersonStrong), other];
    assert_eq!(tx.key_sharings(lineage(1)).await?, expected);
    for (epoch, generation) in [(1, 1), (1, 2), (2, 1)] {
        tx.put_key_share(share(1, Class::Company, epoch, generation)).await?;
    }
    let changed = ShareRow { sealed: vec![0], ..share(1, Class::Company, 2, 1) };
    tx.put_key_share(changed.clone()).await?;
    tx.put_key_share(share(1, Class::PersonWeak, 1, 1)).await?;
    tx.put_key_share(share(2, Class::Company, 1, 1)).await?;
    let (epoch, generation) = (KeyEpoch(2), Generation(1));
    let found = tx.key_share(lineage(1), Class::Company, epoch, generation).await?;
    assert_eq!(found, Some(changed.clone()));
    let retired = tx.retire_key_shares(lineage(1), Class::Company, epoch, generation).await?;
    assert_eq!(retired, 2);
    let (first, old) = (KeyEpoch(1), Generation(1));
    assert_eq!(tx.key_share(lineage(1), Class::Company, first, old).await?, None);
    let kept = tx.key_share(lineage(1), Class::Company, epoch, generation).await?;
    assert_eq!(kept, Some(changed));
    assert!(tx.key_share(lineage(1), Class::PersonWeak, first, old).await?.is_some());
    assert!(tx.key_share(lineage(2), Class::Company, first, old).await?.is_some());
    tx.forget_keys(lineage(1)).await?;
    assert_eq!(tx.key_sharings(lineage(1)).await?, []);
    assert_eq!(tx.key_share(lineage(1), Class::PersonWeak, first, old).await?, None);
    assert_eq!(tx.key_sharings(lineage(2)).await?, [sharing(2, Class::Company)]);
    assert!(tx.key_share(lineage(2), Class::Company, first, old).await?.is_some());
    Ok(())
}

pub async fn ceremonies(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.put_key_ceremony(ceremony(1, Class::PersonWeak)).await?;
    tx.put_key_ceremony(ceremony(2, Class::PersonWeak)).await?;
    let other = CeremonyRow {
        state: "done".to_owned(),
        until: Instant(8),
        posted: String::new(),
        sealed_seed: Vec::new(),
        failures: 0,
        ..ceremony(1, Class::PersonWeak)
    };
    tx.put_key_ceremony(other.clone()).await?;
    tx.put_key_ceremony(ceremony(1, Class::PersonStrong)).await?;
    let expected = [ceremony(1, Class::PersonStrong), other];
    assert_eq!(tx.key_ceremonies(lineage(1)).await?, expected);
    for position in [2, 1] {
        tx.insert_key_act(act(1, Class::PersonWeak, position)).await?;
    }
    tx.insert_key_act(act(1, Class::Company, 1)).await?;
    let taken = tx.insert_key_act(act(1, Class::PersonWeak, 1)).await;
    assert!(matches!(taken, Err(StoreError::Exists("key_act"))));
    let expected = [1, 2].map(|position| act(1, Class::PersonWeak, position));
    assert_eq!(tx.key_acts(lineage(1), Class::PersonWeak).await?, expected);
    tx.delete_key_acts(lineage(1), Class::PersonWeak).await?;
    assert_eq!(tx.key_acts(lineage(1), Class::PersonWeak).await?, []);
    assert_eq!(tx.key_acts(lineage(1), Class::Company).await?, [act(1, Class::Company, 1)]);
    tx.forget_keys(lineage(1)).await?;
    assert_eq!(tx.key_ceremonies(lineage(1)).await?, []);
    assert_eq!(tx.key_acts(lineage(1), Class::Company).await?, []);
    assert_eq!(tx.key_ceremonies(lineage(2)).await?, [ceremony(2, Class::PersonWeak)]);
    Ok(())
}

pub async fn budgets(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |of, day: &str, name: &str, class, used| BudgetRow {
        lineage: lineage(of),
        day: day.to_owned(),
        requester: node(name),
        class,
        used,
        refused: used / 2,
    };
    let mut tx = store.write().await?;
    let first = row(1, "2026-11-22", "umbria", Class::Company, 4);
    tx.put_budget_use(row(1, "2026-11-22", "umbria", Class::Company, 3)).await?;
    tx.put_budget_use(first.clone()).await?;
    let second = row(1, "2026-11-22", "lazio", Class::PersonWeak, 5);
    tx.put_budget_use(second.clone()).await?;
    let elsewhere = row(2, "2026-11-22", "lazio", Class::PersonWeak, 6);
    tx.put_budget_use(elsewhere.clone()).await?;
    assert_eq!(tx.budget_uses(lineage(1)).await?, [second, first]);
    let next = row(1, "2026-11-23", "umbria", Class::Company, 1);
    tx.put_budget_use(next.clone()).await?;
    assert_eq!(tx.budget_uses(lineage(1)).await?, [next]);
    assert_eq!(tx.budget_uses(lineage(2)).await?, [elsewhere]);
    tx.forget_keys(lineage(1)).await?;
    assert_eq!(tx.budget_uses(lineage(1)).await?, []);
    Ok(())
}
