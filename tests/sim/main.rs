//! The deterministic simulation of a federation: seeds in which members share, come, go, are
//! suspended, crash and are cut off; in every fourth disks are lost, in another fourth the hub
//! lies.

#![expect(
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says which seed fails, and what happened"
)]

use raccordo_tests::sim::report::Counts;
use raccordo_tests::sim::{Plan, Size, run};

/// Seeds of one test; several tests share the processors.
const SEEDS: u64 = 3;

fn check(part: u64) {
    let mut counts = Counts::default();
    for seed in part * SEEDS..(part + 1) * SEEDS {
        match run(Plan::of(seed, Size::default())) {
            Ok(report) => counts.add_all(&report.counts),
            Err(failure) => panic!("{failure}"),
        }
    }
    println!("{counts}");
    // A simulation in which nothing happens proves nothing.
    for what in ["commits", "kills", "crashes at a commit", "changes begun", "stale answers"] {
        assert!(counts.of(what) > SEEDS, "too few: {what}");
    }
}

#[test]
fn the_first_part() {
    check(0);
}

#[test]
fn the_second_part() {
    check(1);
}

#[test]
fn the_third_part() {
    check(2);
}

#[test]
fn the_fourth_part() {
    check(3);
}

#[test]
fn a_seed_repeats_to_the_byte() {
    for seed in [3, 8] {
        let [one, other] = [0, 1].map(|_| run(Plan::of(seed, Size::default())));
        assert_eq!(one, other);
    }
}
