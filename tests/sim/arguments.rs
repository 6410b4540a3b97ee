//! What the program is asked for.

use anyhow::{Context, bail};
use raccordo_core::planted::Bug;
use raccordo_tests::sim::Size;

/// How it is used.
pub const HELP: &str = "\
Runs whole federations in one thread each, every seed in its own order of steps, and checks
the invariants after every step. Exit status 0 only without violation; the last line is a
summary.

usage: sim [--seeds N] [--from S] [options]
       sim --bugs [--seeds N] [--from S] [options]
       sim --list

  --seeds N      run so many seeds (100)
  --from S       the first of them (0)
  --nodes N      nodes beside the hub, 3 to 12; the last one joins later
  --alerts N     alerts that operators share in a run
  --changes N    changes of membership that administrators begin in a run
  --jobs N       seeds that run at a time (as many as there are processors)
  --verbose      also say what happened in each seed
  --trace        of a seed that fails, show every step

  --bugs         hunt every planted bug, each with so many seeds in which it can show, until
                 one fails; exit status 0 only if every bug is found
  --bug NAME     run with one planted bug, by its name or its number in the list
  --list         list the planted bugs

Planted bugs are in no ordinary build, but in this one:
  cargo run --workspace --features raccordo-tests/planted-bugs --bin sim -- --bugs

A failing seed is printed with its last steps, and takes the same steps again:
  sim --seeds 1 --from SEED --trace
with the same --nodes, --alerts and --changes.
";

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Say how it is used.
    Help,
    /// Run seeds.
    Run,
    /// Hunt every planted bug.
    Hunt,
    /// List the planted bugs.
    List,
}

/// What the program is asked for.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// What to do.
    pub task: Task,
    /// The bug that is planted.
    pub bug: Option<Bug>,
    /// How many seeds.
    pub seeds: u64,
    /// The first.
    pub from: u64,
    /// How large each run is.
    pub size: Size,
    /// Seeds that run at a time.
    pub jobs: usize,
    /// Whether each seed is told of.
    pub verbose: bool,
    /// Whether failures show every step.
    pub trace: bool,
}

/// A bug by its name or number.
fn bug(word: Option<String>) -> anyhow::Result<Bug> {
    let word = word.context("--bug needs a name")?;
    let number = word.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    let mut bugs = Bug::ALL.iter().enumerate();
    let found = bugs.find(|(place, bug)| bug.name() == word || Some(*place) == number);
    let (_, bug) = found.with_context(|| format!("there is no bug {word}: see `sim --list`"))?;
    Ok(*bug)
}

impl Arguments {
    /// Reads the command line.
    ///
    /// # Errors
    /// What is not understood.
    pub fn parse(words: impl Iterator<Item = String>) -> anyhow::Result<Self> {
        let jobs = std::thread::available_parallelism().map_or(1, usize::from);
        let (task, size) = (Task::Run, Size::default());
        let mut parsed =
            Self { task, bug: None, seeds: 100, from: 0, size, jobs, verbose: false, trace: false };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut number = || -> anyhow::Result<u64> {
                let value = words.next().with_context(|| format!("{word} needs a number"))?;
                value.parse().with_context(|| format!("{word} needs a number"))
            };
            match word.as_str() {
                "--seeds" => parsed.seeds = number()?,
                "--from" => parsed.from = number()?,
                "--nodes" => parsed.size.nodes = usize::try_from(number()?)?,
                "--alerts" => parsed.size.alerts = usize::try_from(number()?)?,
                "--changes" => parsed.size.changes = usize::try_from(number()?)?,
                "--jobs" => parsed.jobs = usize::try_from(number()?)?.max(1),
                "--bugs" => parsed.task = Task::Hunt,
                "--list" => parsed.task = Task::List,
                "--bug" => parsed.bug = Some(bug(words.next())?),
                "--verbose" => parsed.verbose = true,
                "--trace" => parsed.trace = true,
                "--help" | "-h" => parsed.task = Task::Help,
                _ => bail!("what is {word}? See `sim --help`"),
            }
        }
        Ok(parsed)
    }
}
