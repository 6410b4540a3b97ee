//! What only a database on disk does: outlive the process, grow older, forget.

use std::fs;
use std::path::Path;

use raccordo_core::id::{Digest, OperatorId};
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;
use raccordo_node::store::draft::DraftRow;
use raccordo_node::store::ledger::LedgerRow;
use raccordo_node::store::object::ObjectRow;
use raccordo_node::store::peer::PeerRow;
use raccordo_node::store::sql::SqlStore;
use raccordo_node::store::{Store, StoreError};
use sqlx::{AnyConnection, Connection as _, Executor as _};

use crate::backend::sqlite_url;
use crate::sample::{equipe, lineage, node, object, object_id};

/// Runs a statement beside the store.
async fn tamper(url: &str, statement: &'static str) -> anyhow::Result<()> {
    let mut connection = AnyConnection::connect(url).await?;
    connection.execute(statement).await?;
    connection.close().await?;
    Ok(())
}

async fn check_reopened(url: &str) -> anyhow::Result<()> {
    let store = SqlStore::open(url, 2).await?;
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.insert_objects(vec![object(1)]).await?;
    tx.commit().await?;
    store.close().await;
    let asked = store.read().await?.object(object_id(1)).await;
    assert!(matches!(asked, Err(StoreError::Unavailable(_))));
    // What is in memory is still there, and says nothing of the database.
    assert!(store.read().await?.equipe(lineage(1)).await?.is_some());
    assert!(matches!(store.ping().await, Err(StoreError::Unavailable(_))));

    let store = SqlStore::open(url, 2).await?;
    assert_eq!(store.schema().await?, 21);
    let mut tx = store.write().await?;
    assert_eq!(tx.equipe(lineage(1)).await?, Some(equipe(1, "pisa")));
    tx.insert_objects(vec![object(2)]).await?;
    assert_eq!(tx.object(object_id(2)).await?.map(|row| row.position), Some(2));
    Ok(())
}

async fn check_newer(url: &str) -> anyhow::Result<()> {
    const LATER: &str = "INSERT INTO _sqlx_migrations \
         SELECT 9999, description, installed_on, success, checksum, execution_time \
         FROM _sqlx_migrations WHERE version = 1";
    SqlStore::open(url, 2).await?.close().await;
    tamper(url, LATER).await?;
    let refused = SqlStore::open(url, 2).await;
    assert!(matches!(refused, Err(StoreError::Newer { found: 9999, known: 21 })));
    Ok(())
}

async fn check_damaged(url: &str) -> anyhow::Result<()> {
    let mut store = SqlStore::open(url, 2).await?;
    let peer = PeerRow {
        node: node("toscana"),
        signed_card: Vec::new(),
        card_serial: 1,
        state: TrustState::Verified,
        reason: String::new(),
        changed_at: Instant(1),
        opened_key: None,
        challenged_at: Instant(0),
        refused: String::new(),
    };
    let mut tx = store.write().await?;
    tx.put_peer(peer.clone()).await?;
    tx.commit().await?;
    for damage in ["UPDATE peer SET state = 'loved'", "UPDATE peer SET card_serial = -1"] {
        tamper(url, damage).await?;
        // What is in memory is not read again.
        store.close().await;
        store = SqlStore::open(url, 2).await?;
        let found = store.read().await?.peers().await;
        assert!(matches!(found, Err(StoreError::Damaged("peer"))), "{damage}");
        tamper(url, "DELETE FROM peer").await?;
        let mut tx = store.write().await?;
        tx.put_peer(peer.clone()).await?;
        tx.commit().await?;
    }
    Ok(())
}

async fn check_migrated_at_once(url: &str) -> anyhow::Result<()> {
    let three =
        tokio::join!(SqlStore::open(url, 2), SqlStore::open(url, 2), SqlStore::open(url, 2));
    for store in [three.0?, three.1?, three.2?] {
        assert_eq!(store.schema().await?, 21);
    }
    Ok(())
}

macro_rules! on_both {
    ($($name:ident: $check:ident,)+) => {
        mod on_sqlite {
            $(#[tokio::test]
            async fn $name() -> anyhow::Result<()> {
                let directory = tempfile::tempdir()?;
                super::$check(&super::sqlite_url(directory.path())).await
            })+
        }

        mod on_postgres {
            $(#[tokio::test]
            async fn $name() -> anyhow::Result<()> {
                super::$check(&raccordo_tests::postgres::database()?).await
            })+
        }
    };
}

on_both! {
    reopened: check_reopened,
    newer_schema_refused: check_newer,
    damaged_rows_told: check_damaged,
}

#[tokio::test]
async fn postgres_migrated_by_three_at_once() -> anyhow::Result<()> {
    check_migrated_at_once(&raccordo_tests::postgres::database()?).await
}

#[tokio::test]
async fn unknown_databases_are_refused() {
    for url in ["mysql://db/raccordo", "node.db", "postgres://%zz", "sqlite:///none/node.db"] {
        let refused = SqlStore::connect(url, 1).await;
        assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{url}");
    }
}

/// SQLite has no such limit: whatever becomes part of a key is bounded where it is decoded.
#[tokio::test]
async fn a_key_too_long_for_an_index_is_its_tellers_fault() -> anyhow::Result<()> {
    let store = SqlStore::open(&raccordo_tests::postgres::database()?, 2).await?;
    // Of digests, since PostgreSQL would press repeated letters together.
    let name: String = (0..200).map(|at: u32| Digest::of(&at.to_be_bytes()).to_string()).collect();
    let draft = DraftRow {
        operator: OperatorId(uuid::Uuid::from_bytes([1; 16])),
        kind: name.clone(),
        sealed: Vec::new(),
        changed_at: Instant(1),
    };
    let mut tx = store.write().await?;
    assert!(matches!(tx.put_draft(draft).await, Err(StoreError::Unfit("draft"))));
    assert!(matches!(tx.commit().await, Err(StoreError::Unfit("draft"))));
    // What is written from memory meets the index at the end.
    let mut tx = store.write().await?;
    tx.put_secret(&name, Vec::new()).await?;
    assert!(matches!(tx.commit().await, Err(StoreError::Unfit("secret"))));
    assert_eq!(store.read().await?.secret(&name).await?, None);
    assert!(store.ailing().is_none());
    Ok(())
}

/// Names of the files that hold some bytes.
fn holding(directory: &Path, bytes: &[u8]) -> anyhow::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if fs::read(entry.path())?.windows(bytes.len()).any(|window| window == bytes) {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    Ok(names)
}

#[tokio::test]
async fn erased_bytes_leave_the_files() -> anyhow::Result<()> {
    const MARK: &[u8] = b"to be erased 0123456789";
    let directory = tempfile::tempdir()?;
    let store = SqlStore::open(&sqlite_url(directory.path()), 2).await?;
    // One value within a page, and one that overflows into many.
    let (small, large) = (MARK.to_vec(), MARK.repeat(2_000));
    let ledger = LedgerRow {
        scope: "device".to_owned(),
        kind: "key".to_owned(),
        key: vec![1],
        sealed: small.clone(),
    };
    let mut tx = store.write().await?;
    tx.insert_objects(vec![ObjectRow { sealed_share: large, ..object(1) }]).await?;
    tx.insert_objects(vec![ObjectRow { sealed_share: small, ..object(2) }]).await?;
    tx.put_ledger(&[ledger]).await?;
    tx.commit().await?;
    assert!(store.checkpoint_truncate().await?);
    assert_eq!(holding(directory.path(), MARK)?, ["node.db"]);

    let mut tx = store.write().await?;
    for number in [1, 2] {
        tx.update_object(&ObjectRow { sealed_share: Vec::new(), ..object(number) }).await?;
    }
    tx.delete_ledger_scope("device").await?;
    tx.commit().await?;
    assert!(store.checkpoint_truncate().await?);
    assert_eq!(holding(directory.path(), MARK)?, Vec::<String>::new());
    Ok(())
}
