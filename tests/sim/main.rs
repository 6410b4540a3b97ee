//! The deterministic simulation of a federation: a hundred seeds, and those that once failed.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says which seed fails, and what happened"
)]

use raccordo_tests::sim::report::Counts;
use raccordo_tests::sim::{Plan, run};

/// Seeds of one test; several tests share the processors.
const SEEDS: u64 = 25;

fn check(first: u64) {
    let mut counts = Counts::default();
    for seed in first..first + SEEDS {
        match run(Plan::of(seed)) {
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
fn seeds_0_to_24() {
    check(0);
}

#[test]
fn seeds_25_to_49() {
    check(25);
}

#[test]
fn seeds_50_to_74() {
    check(50);
}

#[test]
fn seeds_75_to_99() {
    check(75);
}

#[test]
fn a_seed_repeats_to_the_byte() {
    for seed in [3, 8] {
        let [one, other] = [run(Plan::of(seed)), run(Plan::of(seed))];
        assert_eq!(one, other);
    }
}
