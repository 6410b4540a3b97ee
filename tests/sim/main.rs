//! The deterministic simulation of a federation: seeds in which members share, come, go, are
//! suspended, crash and are cut off; in every fourth disks are lost, in another fourth the hub
//! lies.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use raccordo_tests::sim::report::Counts;
use raccordo_tests::sim::storage::StorageKind;
use raccordo_tests::sim::{Plan, Size, run};

/// Seeds that always run, however slow the machine is.
const SEEDS_MIN: u64 = 12;
/// For so long further ones are begun.
const SPAN: Duration = Duration::from_secs(5 * 60);

/// One seed after the other, beginning with the first, on every processor.
#[test]
fn as_many_seeds_as_fit() {
    let (began, next) = (Instant::now(), AtomicU64::new(0));
    let counts = Mutex::new(Counts::default());
    let work = || loop {
        let seed = next.fetch_add(1, Ordering::Relaxed);
        if seed >= SEEDS_MIN && began.elapsed() >= SPAN {
            return;
        }
        match run(Plan::of(seed, Size::default())) {
            Ok(report) => counts.lock().unwrap().add_all(&report.counts),
            Err(failure) => panic!("{failure}"),
        }
    };
    let jobs = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(work);
        }
    });
    // Each thread has taken one that it did not run.
    let seeds = next.into_inner() - jobs as u64;
    let counts = counts.into_inner().unwrap();
    println!("{seeds} seeds: {counts}");
    // A simulation in which nothing happens proves nothing.
    assert!(counts.of("runs on SQLite") >= seeds / 10, "too few on SQLite");
    for what in ["commits", "kills", "crashes at a commit", "changes begun", "stale answers"] {
        assert!(counts.of(what) > seeds, "too few: {what}");
    }
    assert!(counts.of("deceits") > seeds / 4, "too few deceits");
}

#[test]
fn a_seed_repeats_to_the_byte() {
    for seed in [3, 8, 11] {
        let [one, other] = [0, 1].map(|_| run(Plan::of(seed, Size::default())));
        assert_eq!(one, other);
    }
}

/// What the machines keep their rows on changes no step.
#[test]
fn a_seed_takes_the_same_steps_on_sqlite() {
    for seed in [1, 2] {
        let plan = Plan::of(seed, Size { alerts: 20, changes: 3, ..Size::default() });
        let (memory, sqlite) = (run(plan).unwrap(), run(plan.on(StorageKind::Sqlite)).unwrap());
        assert_eq!(memory.digest, sqlite.digest, "seed {seed}");
    }
}
