//! Heartbeats: seldom, small, and seen.

use std::time::Duration;

use raccordo_core::object::Kind;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::heartbeat::beat;
use raccordo_node::store::equipe::MemberRow;

use crate::bench::{Bench, Toscana, Umbria, Who};

const MINUTE: Duration = Duration::from_secs(60);

async fn seen_at(bench: &Bench, at: Who, who: Who) -> MemberRow {
    let lineage = bench.lineage().await;
    let rows = bench.node(at).store.read().await.unwrap().members(lineage).await.unwrap();
    rows.into_iter().find(|row| row.node == who.id()).unwrap()
}

/// An équipe in which Toscana has just said something.
async fn spoken() -> Bench {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench
}

#[tokio::test]
async fn one_after_so_long_and_no_receipt() {
    let mut bench = spoken().await;
    bench.pass(MINUTE * 14);
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
    bench.pass(MINUTE);
    let before = bench.row(Umbria).await;
    assert_eq!(beat(bench.node(Toscana)).await, Ok(1));
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
    bench.run().await;
    let after = bench.row(Umbria).await;
    assert_eq!(after.sequence.0, before.sequence.0 + 1);
    assert_eq!(after.receipt_due, before.receipt_due);
    assert_eq!(seen_at(&bench, Umbria, Toscana).await.last_seen, bench.node(Umbria).clock.now());
    bench.assert_agreement().await;
}

#[tokio::test]
async fn who_speaks_needs_none() {
    let mut bench = spoken().await;
    bench.pass(MINUTE * 10);
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.pass(MINUTE * 10);
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
}

#[tokio::test]
async fn a_start_brings_no_storm() {
    let mut bench = spoken().await;
    bench.pass(MINUTE * 60 * 24);
    bench.restart(Toscana).await;
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
    bench.pass(MINUTE * 14);
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
    bench.pass(MINUTE * 16);
    // First an own commit of this run, then the heartbeat.
    assert_eq!(beat(bench.node(Toscana)).await, Ok(1));
    bench.run().await;
    assert_eq!(beat(bench.node(Toscana)).await, Ok(1));
    bench.run().await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn while_an_own_commit_waits_for_the_log_nothing_is_written() {
    let mut bench = spoken().await;
    bench.restart(Toscana).await;
    bench.pass(MINUTE * 31);
    assert_eq!(beat(bench.node(Toscana)).await, Ok(1));
    // The hub has placed the commit, and does not show it.
    bench.send(Toscana).await.unwrap();
    let before = bench.row(Toscana).await;
    assert_eq!(beat(bench.node(Toscana)).await, Ok(0));
    assert_eq!(bench.row(Toscana).await, before);
    bench.run().await;
    assert_eq!(beat(bench.node(Toscana)).await, Ok(1));
    bench.run().await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_member_that_is_silent_is_flagged_and_no_more() {
    let mut bench = spoken().await;
    let silent = async |bench: &Bench| {
        let findings = doctor(bench.node(Toscana)).await.unwrap();
        findings.iter().any(|found| found.code == "heartbeat_overdue")
    };
    bench.pass(MINUTE * 44);
    assert!(!silent(&bench).await);
    bench.pass(MINUTE * 2);
    assert!(silent(&bench).await);
    assert_eq!(bench.alarms(Toscana).await, Vec::<String>::new());
    beat(bench.node(Umbria)).await.unwrap();
    bench.run().await;
    beat(bench.node(Umbria)).await.unwrap();
    bench.run().await;
    assert!(!silent(&bench).await);
}
