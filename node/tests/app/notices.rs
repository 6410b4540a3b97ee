//! What a node tells the others of its trust, and of what it cannot follow.

use std::time::Duration;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::Sequence;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::hub::append::{Handed, Outcome, append};
use raccordo_node::app::receive::{Batch, receive};
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

/// The hub signs a batch for Umbria that it has changed.
async fn sign_again(bench: &Bench, batch: &mut Batch) {
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
    sign_again(&bench, &mut batch).await;
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

/// A notice is of no epoch, so that its signature stays good: after 90 days the hub does not know
/// its entry any more, and lets its maker, or whoever runs the hub, bring it again.
#[tokio::test]
async fn an_old_notice_that_comes_again_says_nothing() {
    let check = async |after: Duration, set_aside: &[&str]| {
        let mut bench = Bench::ready().await;
        change(&bench, Umbria, TrustChange::Suspend).await;
        bench.send(Toscana).await.unwrap();
        // Its bytes go when all have it.
        let log = bench.log().await;
        bench.run().await;
        assert_eq!(bench.alarms(Umbria).await, ["notice_revocation"]);
        let said = log.into_iter().find(|row| row.kind == EntryKind::Notice).unwrap();
        bench.verify(Toscana, Umbria).await;
        bench.run().await;
        assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
        bench.pass(after);
        let (group, last) = (said.group, bench.row(Umbria).await.sequence);
        let mut tx = bench.node(Relay).store.write().await.unwrap();
        tx.delete_log_rows(group, Sequence(last.0 - 1)).await.unwrap();
        tx.commit().await.unwrap();
        let again = Handed {
            entry: said.entry,
            kind: said.kind,
            epoch: said.epoch,
            payload: said.payload,
            group_info: Vec::new(),
            welcome: Vec::new(),
        };
        let answer = append(bench.node(Relay), &Toscana.id(), group, vec![again]).await.unwrap();
        let Outcome::Placed { sequence, .. } = answer.outcomes[0].1 else { panic!("{answer:?}") };
        assert_eq!(sequence, last.next());
        bench.fetch(Umbria).await.unwrap();
        assert_eq!(bench.row(Umbria).await.sequence, sequence);
        assert_eq!(bench.alarms(Umbria).await, Vec::<String>::new());
        let reasons: Vec<_> =
            bench.set_aside(Umbria).await.into_iter().map(|(_, reason)| reason).collect();
        assert_eq!(reasons, set_aside);
    };
    let day = Duration::from_secs(24 * 3600);
    check(day, &[]).await;
    check(91 * day, &["notice_too_old"]).await;
}

/// Of messages no time is laid down after which they count no more: within their epoch their place
/// in the ratchet is used up, however long it lasts, and the keys of epochs before are gone.
#[tokio::test]
async fn messages_that_come_again_are_set_aside() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, raccordo_core::object::Kind::Case, 1).await;
    bench.run().await;
    bench.share_samples(Toscana, raccordo_core::object::Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    let said = bench.log().await.pop().unwrap();
    assert_eq!((said.kind, &said.sender), (EntryKind::Application, &Toscana.id()));
    bench.run().await;
    bench.pass(Duration::from_secs(91 * 24 * 3600));
    let last = bench.row(Umbria).await.sequence;
    let mut tx = bench.node(Relay).store.write().await.unwrap();
    tx.delete_log_rows(said.group, Sequence(last.0 - 1)).await.unwrap();
    tx.commit().await.unwrap();
    let again = Handed {
        entry: said.entry,
        kind: said.kind,
        epoch: said.epoch,
        payload: said.payload.clone(),
        group_info: Vec::new(),
        welcome: Vec::new(),
    };
    let placed = append(bench.node(Relay), &Toscana.id(), said.group, vec![again]).await.unwrap();
    assert!(matches!(placed.outcomes[0].1, Outcome::Placed { .. }), "{placed:?}");
    bench.fetch(Umbria).await.unwrap();
    assert_eq!(bench.alarms(Umbria).await, ["entry_replayed"]);
    // Two epochs later a hub says that it is of the present one.
    bench.restart(Umbria).await;
    bench.share_samples(Umbria, raccordo_core::object::Kind::Case, 1).await;
    bench.send(Umbria).await.unwrap();
    while bench.fetch(Umbria).await.unwrap() {}
    bench.send(Umbria).await.unwrap();
    let shown = bench.listed(Umbria).await.len();
    let lineage = bench.lineage().await;
    let mut batch = bench.batch(Umbria, lineage).await.unwrap().unwrap();
    batch.entries.truncate(1);
    let entry = &mut batch.entries[0];
    assert!(entry.epoch > said.epoch && entry.kind == EntryKind::Application);
    (entry.entry_id, entry.sender, entry.payload) = (said.entry, said.sender, said.payload);
    sign_again(&bench, &mut batch).await;
    receive(bench.node(Umbria), &batch).await.unwrap();
    let reasons: Vec<_> =
        bench.set_aside(Umbria).await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["secret_reused", "wrong_epoch"]);
    assert_eq!(bench.listed(Umbria).await.len(), shown);
}
