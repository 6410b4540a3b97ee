//! What the hub cannot know is nowhere at the hub, and in no log.

use anyhow::{Context as _, ensure};
use raccordo_proto::alert::v1::{Alert, alert};
use raccordo_tests::canary::{Canaries, Findings};
use raccordo_tests::federation::{
    Database, Federation, MEMBERS, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};
use sqlx::{AnyConnection, Connection as _, Executor as _, Row as _};
use uuid::Uuid;

use crate::alerts::{examples, listed, share};

/// The ids of alerts and consents, as text and as bytes, stand in no file, log or memory of
/// the hub, and in no log of a member; the same search finds them where they must be.
pub async fn the_hub_learns_nothing(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting.log("info,raccordo_node=trace")).await?;
    let mut alerts = examples(&world, "case", 30, "1").await?;
    share(&world, TOSCANA, &alerts).await?;
    let more = examples(&world, "company", 10, "2").await?;
    share(&world, UMBRIA, &more).await?;
    alerts.extend(more);
    let withdraw = ["alert", "withdraw", &alerts[0].id, "--reason", "consent_withdrawn"];
    world.node(TOSCANA)?.run(&withdraw).await?;
    world.node(UMBRIA)?.run(&["alert", "show", &alerts[1].id]).await?;
    let canaries = Canaries::new(ids(&alerts)?);

    for member in MEMBERS {
        // What a list leaves in freed memory may be overwritten before it is read: list again.
        until("the canaries in the memory of a member", async || {
            let all = listed(&world, member).await?.len() == alerts.len();
            let found = in_memory(&world, member, &canaries)?;
            Ok((all && !found.ids().is_empty()).then_some(()))
        })
        .await?;
    }
    let hub = in_memory(&world, RELAY, &canaries)?;
    ensure!(hub.found.is_empty(), "in the hub's memory: {:?}", hub.places);
    let lineage = the_hub_s_memory_was_read(&world).await?;

    // Stopped, so that everything that it would write is written.
    world.node_mut(RELAY)?.stop().await?;
    let mut files = Findings::default();
    canaries.search_files(world.node(RELAY)?.home().path(), &mut files)?;
    for node in NODES {
        canaries.search_files(world.node(node)?.log(), &mut files)?;
    }
    ensure!(files.found.is_empty(), "in files: {:?}", files.places);
    ensure!(files.searched > 10_000, "only {} bytes of files", files.searched);
    if setting.database == Database::Postgres {
        // SQLite's database is one of the files.
        the_database_holds_nothing(&world, &canaries, lineage).await?;
    }
    Ok(())
}

/// The hub's rows, as the server keeps them for it.
async fn the_database_holds_nothing(
    world: &Federation,
    canaries: &Canaries,
    lineage: Uuid,
) -> anyhow::Result<()> {
    sqlx::any::install_default_drivers();
    let url = world.node(RELAY)?.database_url()?;
    let mut connection = AnyConnection::connect(&url).await?;
    let (mut found, mut control) = (Findings::default(), Findings::default());
    let known = Canaries::new([lineage]);
    for value in values(&mut connection).await? {
        canaries.search(&value, "the hub's database", &mut found);
        known.search(&value, "the hub's database", &mut control);
    }
    connection.close().await?;
    ensure!(found.found.is_empty(), "in the hub's database: {:?}", found.places);
    ensure!(control.ids().contains(&lineage), "the rows were not read: {control:?}");
    Ok(())
}

/// Every value of every table.
pub async fn values(connection: &mut AnyConnection) -> anyhow::Result<Vec<Vec<u8>>> {
    const COLUMNS: &str = "SELECT CAST(table_name AS TEXT), CAST(column_name AS TEXT), \
        CAST(udt_name AS TEXT) FROM information_schema.columns WHERE table_schema = 'public'";
    let mut values = Vec::new();
    for column in connection.fetch_all(COLUMNS).await? {
        let (table, name): (String, String) = (column.try_get(0)?, column.try_get(1)?);
        let is_blob = column.try_get::<String, _>(2)? == "bytea";
        let bytes = match is_blob {
            true => format!("CAST(\"{name}\" AS BYTEA)"),
            false => format!("convert_to(CAST(\"{name}\" AS TEXT), 'UTF8')"),
        };
        let query = format!("SELECT {bytes} FROM \"{table}\" WHERE \"{name}\" IS NOT NULL");
        for row in connection.fetch_all(sqlx::AssertSqlSafe(query)).await? {
            values.push(row.try_get::<Vec<u8>, _>(0)?);
        }
    }
    Ok(values)
}

fn ids(alerts: &[Alert]) -> anyhow::Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    for alert in alerts {
        ids.push(alert.id.parse()?);
        if let Some(alert::Body::CaseAlert(case)) = &alert.body {
            ids.push(case.consent_ref.parse().context("no consent")?);
        }
    }
    Ok(ids)
}

fn in_memory(world: &Federation, node: &str, canaries: &Canaries) -> anyhow::Result<Findings> {
    let pid = world.node(node)?.pid().context("it does not run")?;
    let mut findings = Findings::default();
    canaries.search_memory(pid, &mut findings)?;
    Ok(findings)
}

/// As control: what the hub does know, the équipe's lineage, is found in its memory.
async fn the_hub_s_memory_was_read(world: &Federation) -> anyhow::Result<Uuid> {
    let carried = world.node(RELAY)?.first(&["hub", "list"]).await?;
    let lineage: Uuid = carried["lineage"].as_str().unwrap_or_default().parse()?;
    let found = in_memory(world, RELAY, &Canaries::new([lineage]))?;
    ensure!(!found.ids().is_empty(), "the hub's own memory cannot be searched: {found:?}");
    Ok(lineage)
}
