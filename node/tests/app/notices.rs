//! What a node tells the others of its trust, and of what it cannot follow.

use raccordo_core::hublog::EntryKind;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::receive::receive;
use raccordo_node::app::{doctor, peers};
use raccordo_node::store::outbox::EntryState;

use crate::bench::{ADMIN, Bench, Relay, Toscana, Umbria, Who};

async fn detail(bench: &Bench, who: Who, code: &str) -> Option<String> {
    let lineage = bench.lineage().await;
    let alarms = bench.node(who).store.read().await.unwrap().alarms(lineage).await.unwrap();
    alarms.into_iter().find(|alarm| alarm.code.as_str() == code).map(|alarm| alarm.detail)
}

async fn change(bench: &Bench, peer: Who, change: TrustChange) {
    peers::change(bench.node(Toscana), ADMIN, &peer.id(), change, "test").await.unwrap();
}

#[tokio::test]
async fn the_others_hear_of_a_revoked_hub() {
    let mut bench = Bench::ready().await;
    change(&bench, Relay, TrustChange::Revoke).await;
    bench.run().await;
    let told = detail(&bench, Umbria, "notice_revocation").await.unwrap();
    assert!(told.contains("toscana") && told.contains("relay revoked"), "{told}");
    assert_eq!(detail(&bench, Toscana, "notice_revocation").await, None);
}

#[tokio::test]
async fn a_suspension_that_ends_is_told_too() {
    let mut bench = Bench::ready().await;
    change(&bench, Umbria, TrustChange::Suspend).await;
    bench.run().await;
    let told = detail(&bench, Umbria, "notice_revocation").await.unwrap();
    assert!(told.contains("umbria suspended"), "{told}");
    bench.verify(Toscana, Umbria).await;
    bench.run().await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_stranger_concerns_nobody() {
    let mut bench = Bench::ready().await;
    let before = bench.row(Toscana).await.sequence;
    bench.verify(Toscana, Umbria).await;
    bench.run().await;
    assert_eq!(bench.row(Toscana).await.sequence, before);
}

#[tokio::test]
async fn what_cannot_be_processed_is_told() {
    let mut bench = Bench::ready().await;
    bench.restart(Toscana).await;
    bench.share_samples(Toscana, raccordo_core::object::Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    let lineage = bench.lineage().await;
    let mut batch = bench.batch(Umbria, lineage).await.unwrap().unwrap();
    let commit = batch.entries.iter_mut().find(|entry| entry.kind == EntryKind::Commit).unwrap();
    let last = commit.payload.len() - 1;
    commit.payload[last] ^= 1;
    let place = commit.sequence;
    batch.entries.retain(|entry| entry.sequence <= place);
    let row = bench.row(Umbria).await;
    let mut chain = raccordo_core::hublog::Chain {
        group: row.group,
        sequence: row.sequence,
        head: row.head,
        epoch: row.epoch,
        last_accepted_at: row.accepted_at,
    };
    for entry in &batch.entries {
        chain.verify_next(entry).unwrap();
    }
    let mut stated = batch.checkpoint.checkpoint().clone();
    (stated.sequence, stated.head, stated.epoch) = (chain.sequence, chain.head, chain.epoch);
    batch.checkpoint = stated.sign(&bench.node(Relay).identity.key);
    receive(bench.node(Umbria), &batch).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, ["commit_unprocessable"]);
    let waiting = bench.entries(Umbria, EntryState::Pending).await;
    assert!(waiting.iter().any(|row| row.kind == EntryKind::Notice), "nothing is said");
    bench.send(Umbria).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    let told = detail(&bench, Toscana, "notice_cannot_process").await.unwrap();
    assert!(told.contains(&format!("entry {place}")), "{told}");
}

#[tokio::test]
async fn what_expires_is_told_ahead() {
    let bench = Bench::ready().await;
    let days = 24 * 3600;
    let found = async |bench: &Bench, code: &str| {
        let findings = doctor::doctor(bench.node(Toscana)).await.unwrap();
        findings.into_iter().find(|found| found.code == code).map(|found| found.message)
    };
    assert_eq!(found(&bench, "own_card_expires").await, None);
    bench.pass(std::time::Duration::from_secs(days * (2 * 365 - 20)));
    let message = found(&bench, "own_card_expires").await.unwrap();
    assert!(message.contains("20 days"), "{message}");
    let message = found(&bench, "peer_card_expires").await.unwrap();
    assert!(message.contains("card of"), "{message}");
    assert!(found(&bench, "equipe_expires").await.is_some());
}
