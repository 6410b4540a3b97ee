//! Every number that others can say, at every edge at which some type overflows, wraps or changes
//! its sign, through the handlers that take it, on real databases: whatever comes of it is theirs.
//! No answer is this node's own fault, nobody's disk is blamed, and after each the honest traffic
//! goes on.

#![cfg(test)]

mod calls;
mod canonical;
mod fields;
mod letters;
mod log;
mod news;
mod samples;
mod stage;

use std::collections::BTreeSet;

use raccordo_tests::sim::storage::StorageKind;
use raccordo_tests::sim::task::Waiting;
use stage::Stage;

/// A federation takes them all; one that is new in the protos fails until it is sent.
fn take_all(kind: StorageKind) {
    let waiting = Waiting::of(kind).unwrap();
    let _entered = waiting.enter();
    let mut stage = Stage::found(kind);
    let mut bent: BTreeSet<String> = log::take_all(&mut stage);
    bent.extend(calls::take_all(&mut stage));
    letters::take_all(&mut stage);
    bent.extend(news::take_all(&mut stage));
    let left: Vec<String> = fields::all().difference(&bent).cloned().collect();
    assert!(left.is_empty(), "no message with these was sent: {left:?}");
}

#[test]
fn numbers_of_others_stop_nothing_on_sqlite() {
    take_all(StorageKind::Sqlite);
}

#[test]
fn numbers_of_others_stop_nothing_on_postgres() {
    take_all(StorageKind::Postgres);
}
