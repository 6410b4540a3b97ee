//! Runs seeds of the simulation until one fails.
//!
//! `cargo run --release -p raccordo-tests --bin sim -- --seeds N --from S [--verbose]`
//!
//! Exit status 0 only without violation; the last line is a summary.

use std::io::Write;
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, bail};
use raccordo_tests::sim::report::Counts;
use raccordo_tests::sim::{Plan, run};

struct Arguments {
    seeds: u64,
    from: u64,
    verbose: bool,
}

fn arguments() -> anyhow::Result<Arguments> {
    let mut parsed = Arguments { seeds: 100, from: 0, verbose: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> anyhow::Result<u64> {
            let value = words.next().with_context(|| format!("{word} needs a number"))?;
            value.parse().with_context(|| format!("{word} needs a number"))
        };
        match word.as_str() {
            "--seeds" => parsed.seeds = number()?,
            "--from" => parsed.from = number()?,
            "--verbose" => parsed.verbose = true,
            _ => bail!("usage: sim [--seeds N] [--from S] [--verbose]"),
        }
    }
    Ok(parsed)
}

fn main() -> anyhow::Result<ExitCode> {
    let Arguments { seeds, from, verbose } = arguments()?;
    let mut out = std::io::stdout().lock();
    let began = Instant::now();
    let mut counts = Counts::default();
    let mut failed = 0_u64;
    for seed in from..from.saturating_add(seeds) {
        match run(Plan::of(seed)) {
            Ok(report) => {
                if verbose {
                    writeln!(out, "seed {seed}: {} ({})", report.counts, report.digest)?;
                }
                counts.add_all(&report.counts);
            }
            Err(failure) => {
                failed += 1;
                writeln!(out, "{failure}")?;
            }
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    let rate = seeds as f64 / seconds;
    writeln!(out, "{seeds} seeds, {failed} failed, {rate:.1} seeds/s: {counts}")?;
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
