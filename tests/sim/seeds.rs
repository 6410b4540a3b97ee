//! Runs seeds, several at a time, and sums up what happened.

use std::io::Write;
use std::panic::{UnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::time::Instant;

use raccordo_tests::sim::report::{Counts, Failure, Report};
use raccordo_tests::sim::storage::StorageKind;
use raccordo_tests::sim::{Plan, Violation, run_traced};

use super::arguments::Arguments;

/// Steps that a failure shows.
const SHOWN: usize = 50;

/// What came of one seed.
type Outcome = Result<Report, Box<Failure>>;

/// Runs seeds until all are done or the outcome of one is not wanted; each goes to `take`,
/// which says whether to go on.
pub fn each(
    arguments: &Arguments,
    seeds: impl Iterator<Item = u64> + Send,
    mut take: impl FnMut(Outcome) -> bool,
) {
    let shown = if arguments.trace { usize::MAX } else { SHOWN };
    let (next, stop) = (Mutex::new(seeds), AtomicBool::new(false));
    let size = arguments.size();
    std::thread::scope(|scope| {
        let (outcomes, received) = mpsc::channel();
        for _ in 0..arguments.jobs() {
            let (outcomes, next, stop) = (outcomes.clone(), &next, &stop);
            scope.spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let seed = next.lock().unwrap_or_else(PoisonError::into_inner).next();
                    let Some(seed) = seed else { return };
                    let plan = match arguments.sqlite {
                        true => Plan::of(seed, size).on(StorageKind::Sqlite),
                        false => Plan::of(seed, size),
                    };
                    let outcome = caught(plan, || run_traced(plan, shown));
                    if outcomes.send(outcome).is_err() {
                        return;
                    }
                }
            });
        }
        drop(outcomes);
        for outcome in received {
            if !take(outcome) {
                stop.store(true, Ordering::Relaxed);
            }
        }
    });
}

/// A panic is a violation like any other.
fn caught(plan: Plan, run: impl FnOnce() -> Result<Report, Failure> + UnwindSafe) -> Outcome {
    let panicked = |_| {
        let violation = Violation::new("a panic; its message is above");
        Err(Box::new(Failure::early(plan, violation)))
    };
    catch_unwind(run).map_or_else(panicked, |outcome| outcome.map_err(Box::new))
}

/// Runs all seeds; whether none failed.
///
/// # Errors
/// Nothing can be written.
pub fn all(out: &mut impl Write, arguments: &Arguments) -> anyhow::Result<bool> {
    let began = Instant::now();
    let mut counts = Counts::default();
    let (mut ran, mut failed) = (0_u64, 0_u64);
    let mut written = Ok(());
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    each(arguments, seeds, |outcome| {
        ran += 1;
        written = match outcome {
            Ok(report) => {
                counts.add_all(&report.counts);
                match arguments.verbose {
                    true => writeln!(out, "seed {}: {}", report.seed, report.counts),
                    false => Ok(()),
                }
            }
            Err(failure) => {
                failed += 1;
                writeln!(out, "{failure}")
            }
        };
        written.is_ok()
    });
    written?;
    let rate = ran as f64 / began.elapsed().as_secs_f64();
    writeln!(out, "{ran} seeds, {failed} failed, {rate:.2} seeds/s: {counts}")?;
    Ok(failed == 0)
}
