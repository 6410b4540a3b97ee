//! Whole tables: none is forgotten, all rows come back, and one state is seen.

use std::collections::BTreeSet;

use raccordo_core::backup::records::{Row, Value};
use raccordo_core::id::Sequence;
use raccordo_node::store::archive::{LEFT_OUT, Purpose, TABLES, Table};
use raccordo_node::store::sql::SqlStore;
use raccordo_node::store::{Store, StoreError};
use sqlx::{AnyConnection, Connection as _, Row as _};

use crate::backend::sqlite_url;
use crate::sample::{equipe, lineage, object};

/// Tables, columns and key columns as SQLite has them.
const COLUMNS: &str = "SELECT t.name, c.name, c.pk FROM sqlite_master t, pragma_table_info(t.name) c \
     WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid";

#[tokio::test]
async fn every_table_and_column_is_decided_upon() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let url = sqlite_url(directory.path());
    SqlStore::open(&url, 1).await?.close().await;
    let mut connection = AnyConnection::connect(&url).await?;
    let mut seen = BTreeSet::new();
    for row in sqlx::query(COLUMNS).fetch_all(&mut connection).await? {
        let (table, column): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let key: i64 = row.try_get(2)?;
        seen.insert(table.clone());
        if LEFT_OUT.iter().any(|(name, _)| *name == table) {
            continue;
        }
        let known = TABLES.iter().find(|known| known.name == table);
        let known = known.unwrap_or_else(|| panic!("{table}: in a backup, or left out?"));
        let place = known.columns.iter().position(|(name, _)| *name == column);
        let place = place.unwrap_or_else(|| panic!("{table}.{column} is in no backup"));
        assert_eq!(place < known.key, key > 0, "{table}.{column}");
    }
    let named = TABLES.iter().map(|table| table.name).chain(LEFT_OUT.iter().map(|(name, _)| *name));
    for name in named {
        assert!(seen.contains(name), "{name} is no table");
    }
    Ok(())
}

fn table(name: &str) -> &'static Table {
    TABLES.iter().find(|table| table.name == name).unwrap()
}

async fn all(store: &SqlStore, table: &Table, limit: u32) -> anyhow::Result<Vec<Row>> {
    let mut archive = store.archive(Purpose::Backup).await?;
    let (mut rows, mut after) = (Vec::new(), None);
    loop {
        let page = archive.page(table, after.as_ref(), limit).await?;
        let Some(last) = page.last() else { return Ok(rows) };
        after = Some(last.clone());
        rows.extend(page);
    }
}

async fn check_moved(url: &str, other: &str) -> anyhow::Result<()> {
    let (from, to) = (SqlStore::open(url, 4).await?, SqlStore::open(other, 4).await?);
    let mut tx = from.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.insert_equipe(equipe(2, "siena")).await?;
    tx.insert_objects((1..=5).map(object).collect()).await?;
    tx.insert_records((1..=5).map(crate::register::record).collect()).await?;
    tx.insert_cases((1..=5).map(crate::register::case).collect()).await?;
    for read in 1..=3 {
        tx.put_read(lineage(1), object(1).object, &format!("node-{read}").parse()?).await?;
    }
    tx.commit().await?;
    let mut archive = to.archive(Purpose::Restoration).await?;
    for table in TABLES {
        let rows = all(&from, table, 2).await?;
        assert_eq!(rows, all(&from, table, 100).await?, "{}", table.name);
        archive.clear(&table.head()).await?;
        archive.fill(&table.head(), rows).await?;
    }
    archive.commit().await?;
    for table in TABLES {
        assert_eq!(all(&to, table, 3).await?, all(&from, table, 100).await?, "{}", table.name);
    }
    let mut tx = to.write().await?;
    assert_eq!(tx.equipes().await?, from.read().await?.equipes().await?);
    tx.insert_objects(vec![object(6)]).await?;
    assert_eq!(tx.object(object(6).object).await?.map(|row| row.position), Some(6));
    Ok(())
}

async fn check_one_state(url: &str) -> anyhow::Result<()> {
    let store = SqlStore::open(url, 4).await?;
    let mut archive = store.archive(Purpose::Backup).await?;
    assert_eq!(archive.page(table("equipe"), None, 9).await?.len(), 0);
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    tx.commit().await?;
    assert_eq!(archive.page(table("equipe_document"), None, 9).await?.len(), 0);
    drop(archive);
    assert_eq!(all(&store, table("equipe"), 9).await?.len(), 1);
    Ok(())
}

async fn check_unfit(url: &str) -> anyhow::Result<()> {
    let store = SqlStore::open(url, 4).await?;
    let head = table("counter").head();
    let unfit = vec![Value::Integer(1), Value::Text("x".into())];
    let mut archive = store.archive(Purpose::Restoration).await?;
    assert!(matches!(archive.fill(&head, vec![unfit]).await, Err(StoreError::Unfit(_))));
    drop(archive);
    let mut archive = store.archive(Purpose::Backup).await?;
    let row = vec![Value::Text("x".into()), Value::Integer(1)];
    assert!(matches!(archive.fill(&head, vec![row]).await, Err(StoreError::Unavailable(_))));
    Ok(())
}

async fn check_older_schema(url: &str) -> anyhow::Result<()> {
    let store = SqlStore::connect(url, 2).await?;
    store.migrate_to(2).await?;
    assert_eq!(store.schema().await?, 2);
    store.migrate().await?;
    assert!(store.schema().await? > 2);
    assert!(matches!(store.migrate_to(9999).await, Err(StoreError::Newer { found: 9999, .. })));
    let mut tx = store.write().await?;
    tx.insert_equipe(equipe(1, "pisa")).await?;
    assert_eq!(tx.equipe(lineage(1)).await?.map(|row| row.sequence >= Sequence(0)), Some(true));
    Ok(())
}

mod on_sqlite {
    use super::*;

    #[tokio::test]
    async fn moved() -> anyhow::Result<()> {
        let (one, two) = (tempfile::tempdir()?, tempfile::tempdir()?);
        check_moved(&sqlite_url(one.path()), &sqlite_url(two.path())).await
    }

    #[tokio::test]
    async fn one_state() -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        check_one_state(&sqlite_url(directory.path())).await
    }

    #[tokio::test]
    async fn unfit() -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        check_unfit(&sqlite_url(directory.path())).await
    }

    #[tokio::test]
    async fn older_schema() -> anyhow::Result<()> {
        let directory = tempfile::tempdir()?;
        check_older_schema(&sqlite_url(directory.path())).await
    }

    #[tokio::test]
    async fn moved_to_postgres() -> anyhow::Result<()> {
        let other = raccordo_tests::postgres::database()?;
        let directory = tempfile::tempdir()?;
        check_moved(&sqlite_url(directory.path()), &other).await
    }
}

mod on_postgres {
    use raccordo_tests::postgres::database;

    use super::*;

    #[tokio::test]
    async fn moved() -> anyhow::Result<()> {
        check_moved(&database()?, &database()?).await
    }

    #[tokio::test]
    async fn one_state() -> anyhow::Result<()> {
        check_one_state(&database()?).await
    }

    #[tokio::test]
    async fn unfit() -> anyhow::Result<()> {
        check_unfit(&database()?).await
    }

    #[tokio::test]
    async fn older_schema() -> anyhow::Result<()> {
        check_older_schema(&database()?).await
    }
}
