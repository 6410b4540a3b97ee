//! All members commit at once, round after round: one winner each, and nothing is lost.
//!
//! Another size is run, and told of, by
//! `RACCORDO_TEST_RACE=21x100 cargo test --release --test app everybody_commits_at_once`.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Instant;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::EntryId;
use raccordo_node::app::changes::{self, Wanted};
use raccordo_node::app::update_keys::update_keys;
use raccordo_node::store::outbox::EntryState;

use crate::bench::ADMIN;
use crate::many::{EQUIPE, Many, id};

/// Members and rounds, unless the environment says otherwise.
const SIZE: (usize, u64) = (8, 4);
/// Replaces them, as in `21x100`.
const SIZE_WANTED: &str = "RACCORDO_TEST_RACE";

fn size() -> (usize, u64) {
    let Ok(wanted) = std::env::var(SIZE_WANTED) else { return SIZE };
    let size = wanted.split_once('x').map(|(members, rounds)| (members.parse(), rounds.parse()));
    let Some((Ok(members), Ok(rounds))) = size else {
        panic!("{SIZE_WANTED} is members x rounds, such as 21x100");
    };
    (members, rounds)
}

async fn pending(many: &Many, member: usize) -> Vec<(EntryId, EntryKind)> {
    let lineage = many.row(member).await.lineage;
    let mut tx = many.node(member).store.read().await.unwrap();
    let rows = tx.entries_in(lineage, EntryState::Pending, 100).await.unwrap();
    rows.into_iter().map(|row| (row.entry, row.kind)).collect()
}

#[tokio::test]
async fn everybody_commits_at_once() {
    let (members, rounds) = size();
    let mut many = Many::founded(members, members).await;
    let all: Vec<usize> = (0..members).collect();
    let mut shared = BTreeSet::new();
    for member in 0..members {
        shared.extend(many.share(member, 1).await);
    }
    many.run().await;
    let began = Instant::now();
    for round in 0..rounds {
        let before = many.row(0).await.epoch;
        for member in 0..members {
            // Each in its turn has something to say, is in the middle of a commit, or both.
            shared.extend(many.share(member, 1).await);
            update_keys(many.node(member), ADMIN, EQUIPE).await.unwrap();
            assert!(
                pending(&many, member).await.iter().any(|(_, kind)| *kind == EntryKind::Commit)
            );
        }
        // The order in which they reach the hub differs from round to round.
        let first = usize::try_from(round).unwrap() % members;
        for place in 0..members {
            many.send((first + place) % members).await.unwrap();
        }
        let winners = {
            many.fetch(first).await.unwrap();
            many.row(first).await.epoch.0 - before.0
        };
        assert_eq!(winners, 1, "round {round}");
        many.run().await;
        many.assert_agreement(&all).await;
        // Everybody's keys are new in the end, each by a commit of its own.
        assert_eq!(many.row(0).await.epoch.0 - before.0, members as u64, "round {round}");
    }
    let took = began.elapsed();
    for member in 0..members {
        assert_eq!(many.seen(member).await, shared, "{}", id(member));
        assert_eq!(many.listed(member).await.len(), shared.len(), "{}", id(member));
    }
    if (members, rounds) != SIZE {
        let (commits, alerts) = (rounds * members as u64, shared.len());
        let told = format!(
            "{members} members, {rounds} rounds: one winner in each, {commits} commits and \
             {alerts} alerts at all, in {took:.1?}"
        );
        // Past the capturing of tests.
        writeln!(std::io::stderr(), "{told}").unwrap();
    }
}

#[tokio::test]
async fn an_alert_that_races_a_commit_is_encrypted_again_under_its_entry_id() {
    let mut many = Many::founded(3, 3).await;
    for member in 0..3 {
        many.share(member, 1).await;
    }
    many.run().await;
    let shared = many.share(1, 1).await;
    let raced = pending(&many, 1).await;
    assert_eq!(raced.len(), 1);
    assert_eq!(raced[0].1, EntryKind::Application);
    update_keys(many.node(0), ADMIN, EQUIPE).await.unwrap();
    many.send(0).await.unwrap();
    many.send(1).await.unwrap();
    assert_eq!(pending(&many, 1).await, []);
    many.fetch(1).await.unwrap();
    many.send(1).await.unwrap();
    let lineage = many.row(1).await.lineage;
    let mut tx = many.node(1).store.read().await.unwrap();
    let entry = tx.entry(lineage, raced[0].0).await.unwrap().unwrap();
    assert_eq!(entry.state, EntryState::Accepted);
    assert_eq!(entry.epoch, many.row(1).await.epoch);
    drop(tx);
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    for member in [0, 2] {
        assert!(many.seen(member).await.contains(&shared[0]));
    }
}

#[tokio::test]
async fn a_change_that_loses_the_race_is_staged_again() {
    let mut many = Many::founded(4, 4).await;
    for member in 0..4 {
        many.share(member, 1).await;
    }
    many.run().await;
    changes::begin(many.node(0), ADMIN, EQUIPE, Wanted::Remove(id(3)), "story").await.unwrap();
    many.run().await;
    many.sign(1).await;
    many.run().await;
    many.sign(2).await;
    many.errands(2).await.unwrap();
    // The last signature reaches the first party, whose commit is overtaken at the hub.
    many.turn_but_send(0).await;
    assert_eq!(pending(&many, 0).await.len(), 1);
    update_keys(many.node(1), ADMIN, EQUIPE).await.unwrap();
    many.send(1).await.unwrap();
    let shared = many.share(0, 1).await;
    many.run().await;
    many.assert_agreement(&[0, 1, 2]).await;
    assert_eq!(many.row(3).await.state, "ended");
    assert!(many.seen(2).await.contains(&shared[0]));
}
