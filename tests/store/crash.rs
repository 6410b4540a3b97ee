//! Crashes and restored states of the store in memory.

use raccordo_node::store::memory::{CrashPoint, MemoryStore};
use raccordo_node::store::{Store, StoreError, Stored};

async fn put(store: &MemoryStore, value: u8) -> Stored<()> {
    let mut tx = store.write().await?;
    tx.put_secret("mls", vec![value]).await?;
    tx.commit().await
}

async fn value(store: &MemoryStore) -> Stored<Option<Vec<u8>>> {
    store.read().await?.secret("mls").await
}

fn crashed<T>(result: Stored<T>) -> bool {
    matches!(result, Err(StoreError::Crashed))
}

async fn check(point: CrashPoint, left: u8) -> Stored<()> {
    let store = MemoryStore::new();
    store.crash_after(3, point);
    put(&store, 1).await?;
    put(&store, 2).await?;
    let mut before = store.read().await?;
    assert!(!store.crashed());
    assert!(crashed(put(&store, 3).await));
    assert!(store.crashed());
    assert!(crashed(store.write().await.map(drop)));
    assert!(crashed(store.read().await.map(drop)));
    assert!(crashed(store.schema().await));
    assert!(crashed(before.secret("mls").await));

    store.recover();
    assert!(crashed(before.secret("mls").await));
    assert_eq!(value(&store).await?, Some(vec![left]));
    put(&store, 4).await?;
    assert_eq!(value(&store).await?, Some(vec![4]));
    Ok(())
}

#[tokio::test]
async fn crash_before_the_commit_keeps_nothing() -> anyhow::Result<()> {
    Ok(check(CrashPoint::BeforeCommit, 2).await?)
}

#[tokio::test]
async fn crash_after_the_commit_keeps_all() -> anyhow::Result<()> {
    Ok(check(CrashPoint::AfterCommit, 3).await?)
}

#[tokio::test]
async fn readers_do_not_count() -> anyhow::Result<()> {
    let store = MemoryStore::new();
    store.crash_after(1, CrashPoint::AfterCommit);
    store.read().await?.commit().await?;
    drop(store.write().await?);
    assert!(crashed(put(&store, 1).await));
    Ok(())
}

#[tokio::test]
async fn restored_to_a_snapshot() -> anyhow::Result<()> {
    let store = MemoryStore::new();
    put(&store, 1).await?;
    let mut open = store.write().await?;
    open.put_secret("mls", vec![9]).await?;
    let snapshot = store.snapshot();
    open.put_secret("mls", vec![10]).await?;
    open.commit().await?;
    put(&store, 2).await?;

    let mut open = store.write().await?;
    open.put_secret("mls", vec![11]).await?;
    store.restore(&snapshot);
    assert!(crashed(open.commit().await));
    assert_eq!(value(&store).await?, Some(vec![1]));
    put(&store, 3).await?;
    store.restore(&snapshot);
    assert_eq!(value(&store).await?, Some(vec![1]));

    let clone = MemoryStore::new();
    clone.restore(&snapshot);
    put(&clone, 7).await?;
    assert_eq!((value(&clone).await?, value(&store).await?), (Some(vec![7]), Some(vec![1])));
    Ok(())
}
