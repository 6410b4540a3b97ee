//! How fast alerts travel, beside what this machine allows, measured in the same run.
//!
//! ```text
//! cargo build --release
//! cargo run --release -p raccordo-tests --bin bench [-- --alerts N] [--json]
//! ```
//!
//! Three processes on loopback (two members, a relay), SQLite in each. Ratios are what
//! counts: the machine's mood is in both of their sides. Nothing is asserted.
//!
//! - [`mls`], [`durable`], [`rpc`]: what the parts cost, each alone
//! - [`flow`]: the whole, as a region's system sees it
//! - [`report`]: the ceilings computed from the costs, and the ratios

mod durable;
mod flow;
mod measure;
mod mls;
mod report;
mod rpc;

use std::io::Write as _;

use anyhow::{Context as _, bail};
use raccordo_tests::programs;

use report::{Costs, Report};

/// Alerts of one throughput run, unless told otherwise.
const ALERTS: usize = 5_000;
/// Alerts that travel alone, for the latency.
const LONE: usize = 50;

struct Args {
    alerts: usize,
    json: bool,
}

fn args() -> anyhow::Result<Args> {
    let mut args = Args { alerts: ALERTS, json: false };
    let mut given = std::env::args().skip(1);
    while let Some(arg) = given.next() {
        match arg.as_str() {
            "--json" => args.json = true,
            "--alerts" => {
                let number = given.next().context("--alerts needs a number")?;
                args.alerts = number.parse().context("--alerts needs a number")?;
            }
            other => bail!("unknown argument {other}; usage: bench [--alerts N] [--json]"),
        }
    }
    if args.alerts == 0 {
        bail!("--alerts needs a number above 0");
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
    say("limits: MLS")?;
    let mls = mls::costs()?;
    say("limits: durable commits")?;
    let durable = durable::costs().await?;
    say("limits: calls over mutual TLS")?;
    let rpc = rpc::costs().await?;
    say("one alert per MLS message")?;
    let single = flow::throughput(args.alerts, 1).await?;
    say("packed")?;
    let packed = flow::throughput(args.alerts, 0).await?;
    say("one alert at a time")?;
    let latency = flow::latency(LONE).await?;
    let costs = Costs { mls, durable, rpc };
    let report = Report { alerts: args.alerts, cores: cores(), costs, single, packed, latency };
    let text = if args.json { format!("{}\n", report.json()) } else { report.table() };
    std::io::stdout().lock().write_all(text.as_bytes())?;
    Ok(())
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn say(what: &str) -> std::io::Result<()> {
    writeln!(std::io::stderr().lock(), "bench: {what}")
}
