//! The deterministic simulation of a federation: some seeds of every kind of game.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says which seed fails, and what happened"
)]

use raccordo_tests::sim::report::Counts;
use raccordo_tests::sim::{Plan, Size, run};

/// Seeds of one test; several tests share the processors.
const SEEDS: u64 = 8;

fn check(first: u64) {
    let mut counts = Counts::default();
    for seed in first..first + SEEDS {
        match run(Plan::of(seed, Size::default())) {
            Ok(report) => counts.add_all(&report.counts),
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{counts}");
    // A simulation in which nothing happens proves nothing.
    for what in ["deliveries", "commits", "kills", "crashes at a commit", "stale answers"] {
        assert!(counts.of(what) > SEEDS, "too few: {what}");
    }
}

#[test]
fn seeds_0_to_7() {
    check(0);
}

#[test]
fn seeds_8_to_15() {
    check(8);
}

#[test]
fn a_seed_repeats_to_the_byte() {
    for seed in [3, 8] {
        let [one, other] = [0, 1].map(|_| run(Plan::of(seed, Size::default())));
        assert_eq!(one, other);
    }
}
