//! How fast alerts travel, beside what this machine allows, measured in the same run.
//!
//! ```text
//! cargo build --release --workspace
//! cargo run --release -p raccordo-tests --bin bench [-- --alerts N] [--json]
//! cargo run --release -p raccordo-tests --bin bench -- catch-up [--messages N] [--epochs M]
//! cargo run --release -p raccordo-tests --bin bench -- tokens [--stored N]
//!     [--stored-on-postgres N] [--people N]
//! cargo run --release -p raccordo-tests --bin bench -- pages [--alerts N]
//!     [--database sqlite|postgres]
//! ```
//!
//! Three processes on loopback (two members, a relay), SQLite in each. Ratios are what
//! counts: the machine's mood is in both of their sides. Nothing is asserted.
//!
//! - [`mls`], [`durable`], [`rpc`]: what the parts cost, each alone
//! - [`flow`]: the whole, as a region's system sees it
//! - [`report`]: the ceilings computed from the costs, and the ratios
//! - [`catch_up`]: a member that was away for long
//! - [`pages`]: how long people wait for a page among very many alerts
//! - [`tokens`]: what a token costs, one tag among many, a register that is tokenised

mod catch_up;
mod durable;
mod flow;
mod measure;
mod mls;
mod pages;
mod report;
mod rpc;
mod tokens;

use std::io::Write as _;
use std::num::NonZeroUsize;

use clap::{Parser, Subcommand};
use raccordo_tests::federation::Database;
use raccordo_tests::programs;

use catch_up::Absence;
use report::{Costs, Report};
use tokens::Size;

/// Alerts that travel alone, for the latency.
const LONE: usize = 50;

/// Measures how fast alerts travel, or something else.
#[derive(Parser)]
#[command(name = "bench", args_conflicts_with_subcommands = true)]
struct Arguments {
    #[command(subcommand)]
    measured: Option<Measured>,
    /// Alerts of one throughput run
    #[arg(long, value_name = "N", default_value = "5000")]
    alerts: NonZeroUsize,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
}

/// What is measured.
#[derive(Subcommand)]
enum Measured {
    /// How a member catches up that was away for long (DESIGN §12)
    CatchUp(Absence),
    /// What a token costs, one tag among many, a register that is tokenised; 0 leaves a part out
    Tokens(Size),
    /// How long people wait for a page among very many alerts
    Pages {
        /// Alerts among which pages are opened
        #[arg(long, value_name = "N", default_value = "100000")]
        alerts: NonZeroUsize,
        /// On this one alone
        #[arg(long, value_parser = database)]
        database: Option<Database>,
    },
}

fn database(word: &str) -> Result<Database, String> {
    match word {
        "sqlite" => Ok(Database::Sqlite),
        "postgres" => Ok(Database::Postgres),
        _ => Err("it is sqlite or postgres".into()),
    }
}

fn main() -> anyhow::Result<()> {
    let given = Arguments::parse();
    programs::path("raccordo")?;
    programs::path("raccordod")?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(run(&given))
}

async fn run(given: &Arguments) -> anyhow::Result<()> {
    let (json, table) = match given.measured {
        Some(Measured::Tokens(size)) => {
            let tokens = tokens::measure(size, say).await?;
            (tokens.json(), tokens.table())
        }
        Some(Measured::Pages { alerts, database }) => {
            let pages = pages::measure(alerts.get(), database, say).await?;
            (pages::json(&pages), pages::table(&pages))
        }
        None => {
            let report = flows(given.alerts.get(), costs().await?).await?;
            (report.json(), report.table())
        }
        Some(Measured::CatchUp(absence)) => {
            let costs = costs().await?;
            say("a long absence")?;
            let caught_up = catch_up::measure(absence).await?;
            let json = catch_up::json(&costs, absence, &caught_up);
            (json, catch_up::table(&costs, absence, &caught_up))
        }
    };
    let text = if given.json { format!("{json}\n") } else { table };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

async fn costs() -> anyhow::Result<Costs> {
    say("limits: MLS")?;
    let mls = mls::costs()?;
    say("limits: durable commits")?;
    let durable = durable::costs().await?;
    say("limits: calls over mutual TLS")?;
    let rpc = rpc::costs().await?;
    Ok(Costs { mls, durable, rpc })
}

async fn flows(alerts: usize, costs: Costs) -> anyhow::Result<Report> {
    say("one alert per MLS message")?;
    let single = flow::throughput(alerts, 1).await?;
    say("packed")?;
    let packed = flow::throughput(alerts, 0).await?;
    say("one alert at a time")?;
    let latency = flow::latency(LONE).await?;
    Ok(Report { alerts, cores: cores(), costs, single, packed, latency })
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn say(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr().lock(), "bench: {what}")
}
