//! Transactions: all or nothing, one state, no lost updates.

use std::sync::Arc;

use raccordo_core::id::Sequence;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::{Store, StoreError, Stored};
use tokio::task::JoinSet;

use crate::sample::{envelope, equipe, lineage, object, object_id};

pub async fn dropped_is_rolled_back(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.put_secret("kept", b"1".to_vec()).await?;
    tx.commit().await?;
    for _ in 0..3 {
        let mut tx = store.write().await?;
        tx.put_secret("kept", b"2".to_vec()).await?;
        tx.put_secret("dropped", b"3".to_vec()).await?;
        tx.queue_envelopes(vec![envelope(1)]).await?;
        drop(tx);
    }
    let mut tx = store.write().await?;
    assert_eq!(tx.secret("kept").await?, Some(b"1".to_vec()));
    assert_eq!(tx.secret("dropped").await?, None);
    assert_eq!(tx.unaccepted_envelopes(lineage(1)).await?, 0);
    Ok(())
}

/// A caller that goes away while its transaction begins leaves none open behind it: the next
/// one on that connection is of its own kind.
pub async fn begun_for_nobody(store: Arc<dyn Store>) -> anyhow::Result<()> {
    for waits in 0..64 {
        let patience = async {
            for _ in 0..waits {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            biased;
            begun = store.read() => drop(begun?),
            () = patience => {}
        }
        let mut tx = store.write().await?;
        tx.put_secret("kept", vec![waits]).await?;
        tx.commit().await?;
    }
    assert_eq!(store.read().await?.secret("kept").await?, Some(vec![63]));
    Ok(())
}

pub async fn after_exists_usable(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_own_card(1, b"one".to_vec()).await?;
    assert!(tx.insert_own_card(1, b"two".to_vec()).await.is_err());
    tx.insert_own_card(2, b"three".to_vec()).await?;
    tx.commit().await?;
    assert_eq!(store.read().await?.own_card().await?, Some(b"three".to_vec()));
    Ok(())
}

pub async fn readers_do_not_write(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.read().await?;
    let refused = tx.put_secret("mls", b"x".to_vec()).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))));
    assert!(tx.take_unreported_reads(lineage(1), 1).await.is_err());
    tx.commit().await?;
    assert_eq!(store.read().await?.secret("mls").await?, None);
    Ok(())
}

pub async fn readers_see_one_state(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.put_secret("a", b"old".to_vec()).await?;
    tx.put_secret("b", b"old".to_vec()).await?;
    tx.commit().await?;

    let mut writer = store.write().await?;
    writer.put_secret("a", b"new".to_vec()).await?;
    let mut beside = store.read().await?;
    assert_eq!(beside.secret("a").await?, Some(b"old".to_vec()));
    writer.put_secret("b", b"new".to_vec()).await?;
    assert_eq!(writer.secret("a").await?, Some(b"new".to_vec()));
    writer.commit().await?;
    assert_eq!(beside.secret("a").await?, Some(b"old".to_vec()));
    assert_eq!(beside.secret("b").await?, Some(b"old".to_vec()));
    beside.commit().await?;

    let mut after = store.read().await?;
    assert_eq!(after.secret("a").await?, Some(b"new".to_vec()));
    assert_eq!(after.secret("b").await?, Some(b"new".to_vec()));
    Ok(())
}

/// Raises an équipe, and adds one to a number by reading and writing it.
async fn add_one(store: &dyn Store, number: u8) -> Stored<()> {
    let mut tx = store.write().await?;
    assert!(tx.raise_equipe(lineage(number)).await?);
    let Some(row) = tx.equipe(lineage(number)).await? else {
        return Err(StoreError::Damaged("equipe"));
    };
    let next_number = row.next_number + 1;
    tx.update_equipe(&EquipeRow { next_number, ..row }).await?;
    tx.queue_envelopes(vec![envelope(u32::try_from(next_number).unwrap_or(0))]).await?;
    tx.commit().await
}

pub async fn no_raise_is_lost(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_equipe(EquipeRow { version: 0, next_number: 0, ..equipe(1, "pisa") }).await?;
    tx.commit().await?;
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..10 {
                add_one(&*store, 1).await?;
            }
            Stored::Ok(())
        });
    }
    for done in writers.join_all().await {
        done?;
    }
    let mut tx = store.read().await?;
    let row = tx.equipe(lineage(1)).await?;
    assert_eq!(row.map(|row| (row.version, row.next_number)), Some((80, 80)));
    let queued = tx.queued_envelopes(lineage(1), true, 100).await?;
    assert_eq!(queued.iter().map(|row| row.position).collect::<Vec<_>>(), Vec::from_iter(1..=80));
    Ok(())
}

pub async fn writers_of_two_equipes(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for number in [1, 2] {
        tx.insert_equipe(equipe(number, &format!("equipe {number}"))).await?;
    }
    tx.commit().await?;
    let mut writers = JoinSet::new();
    for number in [1, 2, 1, 2] {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            for _ in 0..5 {
                let mut tx = store.write().await?;
                tx.raise_equipe(lineage(number)).await?;
                let newest = tx.equipe(lineage(number)).await?.map_or(0, |row| row.version);
                let id = u32::try_from(newest).unwrap_or(0) * 2 + u32::from(number);
                tx.insert_objects(vec![object(id)]).await?;
                tx.commit().await?;
            }
            Stored::Ok(())
        });
    }
    for done in writers.join_all().await {
        done?;
    }
    let mut tx = store.read().await?;
    let filter = raccordo_node::store::object::ObjectFilter { limit: 100, ..Default::default() };
    let positions: Vec<u64> =
        tx.list_objects(&filter).await?.iter().map(|row| row.position).collect();
    assert_eq!(positions, Vec::from_iter(1..=20));
    Ok(())
}

pub async fn large_values(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let share = vec![0xa5; 3 << 20];
    let largest = u64::try_from(i64::MAX)?;
    let mut tx = store.write().await?;
    let mut row = object(1);
    row.sealed_share = share.clone();
    row.version = largest;
    tx.insert_objects(vec![row]).await?;
    let kept = tx.object(object_id(1)).await?;
    assert!(kept.is_some_and(|row| row.sealed_share == share && row.version == largest));
    tx.insert_equipe(EquipeRow { sequence: Sequence(largest), ..equipe(1, "pisa") }).await?;
    assert_eq!(tx.equipe(lineage(1)).await?.map(|row| row.sequence), Some(Sequence(largest)));
    Ok(())
}
