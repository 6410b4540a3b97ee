//! How fast alerts travel, beside what this machine allows, measured in the same run.
//!
//! ```text
//! cargo build --release
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

use anyhow::{Context as _, bail};
use raccordo_tests::federation::Database;
use raccordo_tests::programs;

use catch_up::Absence;
use report::{Costs, Report};
use tokens::Size;

/// Alerts of one throughput run, unless told otherwise.
const ALERTS: usize = 5_000;
/// Alerts that travel alone, for the latency.
const LONE: usize = 50;

/// Messages and epochs that a member misses, unless told otherwise (DESIGN §12).
const ABSENCE: Absence = Absence { messages: 100_000, epochs: 200 };

/// Alerts among which pages are opened, unless told otherwise.
const PAGED: usize = 100_000;

/// What is measured of tokens, unless told otherwise.
const TOKENS: Size = Size { stored: 10_000_000, stored_on_postgres: 1_000_000, people: 50_000 };

const USAGE: &str = "usage: bench [--alerts N] [--json], or bench catch-up [--messages N] \
     [--epochs M] [--json], or bench tokens [--stored N] [--stored-on-postgres N] [--people N] \
     [--json], or bench pages [--alerts N] [--database sqlite|postgres] [--json]; of tokens, 0 \
     leaves a part out";

/// What is measured.
enum Measured {
    Flow { alerts: usize },
    CatchUp(Absence),
    Tokens(Size),
    Pages { alerts: usize, only: Option<Database> },
}

struct Args {
    measured: Measured,
    json: bool,
}

fn args() -> anyhow::Result<Args> {
    let mut args = Args { measured: Measured::Flow { alerts: ALERTS }, json: false };
    let mut given = std::env::args().skip(1);
    let mut number = 0;
    while let Some(arg) = given.next() {
        let mut any = || -> anyhow::Result<usize> {
            let given = given.next().and_then(|given| given.parse().ok());
            given.with_context(|| format!("{arg} needs a number"))
        };
        let mut above_0 = || match any()? {
            0 => bail!("{arg} needs a number above 0"),
            number => Ok(number),
        };
        match (arg.as_str(), &mut args.measured) {
            ("--json", _) => args.json = true,
            ("catch-up", Measured::Flow { .. }) if number == 0 => {
                args.measured = Measured::CatchUp(ABSENCE);
            }
            ("tokens", Measured::Flow { .. }) if number == 0 => {
                args.measured = Measured::Tokens(TOKENS);
            }
            ("pages", Measured::Flow { .. }) if number == 0 => {
                args.measured = Measured::Pages { alerts: PAGED, only: None };
            }
            ("--database", Measured::Pages { only, .. }) => {
                *only = Some(match given.next().as_deref() {
                    Some("sqlite") => Database::Sqlite,
                    Some("postgres") => Database::Postgres,
                    _ => bail!("--database is sqlite or postgres"),
                });
            }
            ("--alerts", Measured::Pages { alerts, .. }) => *alerts = above_0()?,
            ("--stored", Measured::Tokens(size)) => size.stored = any()?,
            ("--stored-on-postgres", Measured::Tokens(size)) => size.stored_on_postgres = any()?,
            ("--people", Measured::Tokens(size)) => size.people = any()?,
            ("--alerts", Measured::Flow { alerts }) => *alerts = above_0()?,
            ("--messages", Measured::CatchUp(absence)) => absence.messages = above_0()?,
            ("--epochs", Measured::CatchUp(absence)) => absence.epochs = above_0()?,
            (other, _) => bail!("unknown argument {other}; {USAGE}"),
        }
        number += 1;
    }
    Ok(args)
}

fn main() -> anyhow::Result<()> {
    let args = args()?;
    programs::path("raccordo")?;
    programs::path("raccordod")?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.enable_all().build()?.block_on(run(&args))
}

async fn run(args: &Args) -> anyhow::Result<()> {
    let (json, table) = match args.measured {
        Measured::Tokens(size) => {
            let tokens = tokens::measure(size, say).await?;
            (tokens.json(), tokens.table())
        }
        Measured::Pages { alerts, only } => {
            let pages = pages::measure(alerts, only, say).await?;
            (pages::json(&pages), pages::table(&pages))
        }
        Measured::Flow { alerts } => {
            let report = flows(alerts, costs().await?).await?;
            (report.json(), report.table())
        }
        Measured::CatchUp(absence) => {
            let costs = costs().await?;
            say("a long absence")?;
            let caught_up = catch_up::measure(absence).await?;
            let json = catch_up::json(&costs, absence, &caught_up);
            (json, catch_up::table(&costs, absence, &caught_up))
        }
    };
    let text = if args.json { format!("{json}\n") } else { table };
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
