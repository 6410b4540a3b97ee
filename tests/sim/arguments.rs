//! What the program is asked for.

use std::num::NonZeroUsize;

use clap::Parser;
use raccordo_core::planted::Bug;
use raccordo_tests::sim::Size;

const AFTER: &str = "\
Exit status 0 only without violation; the last line is a summary. Planted bugs are in no
ordinary build, but in this one:
  cargo run --workspace --features raccordo-tests/planted-bugs --bin sim -- --bugs

A failing seed is printed with its last steps, and takes the same steps again:
  sim --seeds 1 --from SEED --trace
with the same --nodes, --alerts and --changes. Of each ten seeds one keeps its rows on SQLite,
as nodes do in earnest, the others in memory; a failing one says so.";

/// Runs whole federations in one thread each, every seed in its own order of steps, and checks
/// the invariants after every step.
#[derive(Clone, Debug, Parser)]
#[command(name = "sim", after_help = AFTER)]
pub struct Arguments {
    /// Run so many seeds
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub seeds: u64,
    /// The first of them
    #[arg(long, value_name = "S", default_value_t = 0)]
    pub from: u64,
    #[command(flatten)]
    large: Large,
    /// Keep the rows of every seed on SQLite, not of each tenth alone
    #[arg(long)]
    pub sqlite: bool,
    /// Seeds that run at a time [default: as many as there are processors]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZeroUsize>,
    /// Also say what happened in each seed
    #[arg(long)]
    pub verbose: bool,
    /// Of a seed that fails, show every step
    #[arg(long)]
    pub trace: bool,
    /// Hunt every planted bug, each with so many seeds in which it can show, until one fails;
    /// exit status 0 only if every bug is found
    #[arg(long)]
    pub bugs: bool,
    /// Run with one planted bug, by its name or its number in the list; with --bugs, hunt it
    /// alone
    #[arg(long, value_name = "NAME", value_parser = named)]
    pub bug: Option<Bug>,
    /// List the planted bugs
    #[arg(long)]
    pub list: bool,
}

/// How large each run is.
#[derive(clap::Args, Clone, Copy, Debug)]
struct Large {
    /// Nodes beside the hub, 3 to 12; the last one joins later
    #[arg(long, value_name = "N", default_value_t = Size::default().nodes)]
    nodes: usize,
    /// Alerts that operators share in a run
    #[arg(long, value_name = "N", default_value_t = Size::default().alerts)]
    alerts: usize,
    /// Changes of membership that administrators begin in a run
    #[arg(long, value_name = "N", default_value_t = Size::default().changes)]
    changes: usize,
}

impl Arguments {
    /// How large each run is.
    pub fn size(&self) -> Size {
        let Large { nodes, alerts, changes } = self.large;
        Size { nodes, alerts, changes }
    }

    /// Seeds that run at a time.
    pub fn jobs(&self) -> usize {
        let processors = || std::thread::available_parallelism().ok();
        self.jobs.or_else(processors).map_or(1, usize::from)
    }
}

fn named(word: &str) -> Result<Bug, String> {
    let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let mut bugs = Bug::ALL.iter().enumerate();
    let found = bugs.find(|(place, bug)| bug.name() == word || Some(*place) == number);
    found.map(|(_, bug)| *bug).ok_or_else(|| "there is none such: see `sim --list`".into())
}
