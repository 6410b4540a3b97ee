//! How long people wait for a page of the desk, at a node that holds very many alerts.

mod fill;

use std::fmt::Write as _;
use std::time::Instant;

use anyhow::{Context as _, ensure};
use raccordo_tests::desk::{self, Person};
use raccordo_tests::federation::{Database, Federation, Setting, TOSCANA, UMBRIA, until};
use serde::Serialize;
use serde_json::{Value, json};

/// What is to be reached: a page in so many milliseconds.
const PAGE_MS_MAX: f64 = 50.0;
/// How often each page is opened, after the first time.
const TIMES: usize = 40;

/// Pages: what they are, and where; what varies is filled in.
const PAGES: &[(&str, &str)] = &[
    ("today", "/"),
    ("alerts", "/alerts"),
    ("alerts, filtered: few", "/alerts?origin=toscana&state=withdrawn"),
    ("alerts, filtered: many", "/alerts?kind=case&origin=toscana"),
    ("alerts, far back", "/alerts?before=1000"),
    ("alerts, words: often", "/alerts?text=agricoltura"),
    ("alerts, words: seldom", "/alerts?text=bolzano+domestico+pesca"),
    ("one alert", "/alerts/{alert}"),
    ("matches", "/matches"),
    ("matches that wait", "/matches?stage=undecided"),
    ("one match", "/matches/{match}"),
    ("links", "/links"),
    ("map", "/map"),
    ("activity", "/activity"),
    ("register", "/register"),
    ("share a case", "/share/case"),
    ("équipe", "/equipes/toscana-umbria"),
];

/// One page.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Timed {
    pub(crate) page: &'static str,
    /// The first time after the start of the node, when nothing is in memory yet.
    pub(crate) first_ms: f64,
    /// Half of the later times are not longer.
    pub(crate) median_ms: f64,
    /// The longest of them.
    pub(crate) worst_ms: f64,
    pub(crate) bytes: usize,
}

/// The pages on one database.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Pages {
    pub(crate) database: &'static str,
    pub(crate) alerts: usize,
    pub(crate) pages: Vec<Timed>,
}

/// Measures on both databases, or on one.
///
/// # Errors
/// A process that fails, or a page that is not as it should be.
pub(crate) async fn measure(
    alerts: usize,
    only: Option<Database>,
    say: fn(&str) -> std::io::Result<()>,
) -> anyhow::Result<Vec<Pages>> {
    let mut measured = Vec::new();
    for database in [Database::Sqlite, Database::Postgres] {
        if only.is_none_or(|only| only == database) {
            say(&format!("pages on {}", name(database)))?;
            measured.push(on(database, alerts).await?);
        }
    }
    Ok(measured)
}

fn name(database: Database) -> &'static str {
    match database {
        Database::Sqlite => "SQLite",
        Database::Postgres => "PostgreSQL",
    }
}

async fn on(database: Database, alerts: usize) -> anyhow::Result<Pages> {
    let mut world = Federation::founded(Setting::on(database).log("warn")).await?;
    let base = desk::serve(&mut world, UMBRIA).await?;
    let Person { browser, .. } = desk::signed_in(&world, UMBRIA, &base).await?;
    drop(browser);
    world.node_mut(UMBRIA)?.stop().await?;
    let home = world.node(UMBRIA)?.home().clone();
    let filled = fill::fill(home, &TOSCANA.parse()?, alerts).await?;
    if database == Database::Postgres {
        // As the server does by itself within a minute or so.
        raccordo_tests::postgres::run_in(&world.node(UMBRIA)?.database_url()?, "VACUUM ANALYZE")?;
    }
    world.node_mut(UMBRIA)?.start().await?;
    let base = std::fs::read_to_string(world.node(UMBRIA)?.home().run().join("desk.url"))?;
    let mut person = desk::signed_in(&world, UMBRIA, base.trim()).await?.browser;
    quiet(&world).await?;
    let mut pages = Vec::new();
    for (page, path) in PAGES {
        let path = path.replace("{alert}", &filled.alert).replace("{match}", &filled.found);
        let (mut times, mut bytes) = (Vec::new(), 0);
        for _ in 0..=TIMES {
            let begin = Instant::now();
            let answer = person.open(&path).await?;
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            ensure!(answer.status == 200, "{path}: {answer:?}");
            bytes = answer.text.len();
        }
        let first_ms = times.remove(0);
        times.sort_by(f64::total_cmp);
        let median_ms = *times.get(times.len() / 2).context("a time")?;
        let worst_ms = *times.last().context("a time")?;
        pages.push(Timed { page, first_ms, median_ms, worst_ms, bytes });
    }
    Ok(Pages { database: name(database), alerts, pages })
}

/// Waits until the node has nothing to do besides.
async fn quiet(world: &Federation) -> anyhow::Result<()> {
    until("a quiet node", async || {
        let equipe = world.node(UMBRIA)?.equipe().await?;
        Ok((equipe.outbox == 0).then_some(()))
    })
    .await
}

/// For scripts.
pub(crate) fn json(measured: &[Pages]) -> Value {
    let within = |timed: &Timed| timed.median_ms <= PAGE_MS_MAX;
    let all = measured.iter().all(|one| one.pages.iter().all(within));
    json!({ "figure_ms": PAGE_MS_MAX, "median_within_figure": all, "measured": measured })
}

/// For people.
pub(crate) fn table(measured: &[Pages]) -> String {
    let mut text = String::new();
    for Pages { database, alerts, pages } in measured {
        // Writing to a string does not fail.
        let _ = writeln!(text, "PAGES with {alerts} alerts, {database}: milliseconds");
        let _ = writeln!(text, "{:<28}{:>9}{:>9}{:>9}", "", "first", "median", "worst");
        for Timed { page, first_ms, median_ms, worst_ms, .. } in pages {
            let over = if *median_ms > PAGE_MS_MAX { "  over" } else { "" };
            let _ =
                writeln!(text, "{page:<28}{first_ms:>9.1}{median_ms:>9.1}{worst_ms:>9.1}{over}");
        }
        let _ = writeln!(text);
    }
    let _ = writeln!(text, "to be reached: {PAGE_MS_MAX:.0} ms");
    text
}
