//! Alerts on their way.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::Sequence;
use raccordo_core::object::Kind;
use raccordo_node::app::delivery::State;
use raccordo_node::app::expire::expire;
use raccordo_node::app::withdraw::withdraw;
use raccordo_node::app::{alerts, pack};
use raccordo_node::store::outbox::EntryState;

use crate::bench::{Bench, REGIONS, Relay, Rows, Toscana, Umbria};

async fn check_share(rows: Rows, suite: Suite, kind: Kind, count: usize) {
    let mut bench = Bench::founded(rows, suite).await;
    let objects = bench.share_samples(Toscana, kind, count).await;
    assert_eq!(bench.seen(Toscana, objects[0]).await.delivery.state, State::Queued);
    bench.send(Toscana).await.unwrap();
    bench.run().await;
    bench.assert_arrived(Toscana, &objects).await;
    bench.assert_agreement().await;
    for view in bench.listed(Toscana).await {
        let delivery = view.delivery;
        assert_eq!((delivery.state, delivery.delivered), (State::Delivered, 1));
    }
}

#[tokio::test]
async fn one_case_arrives() {
    check_share(Rows::Memory, Suite::Hybrid, Kind::Case, 1).await;
}

#[tokio::test]
async fn one_company_arrives() {
    check_share(Rows::Memory, Suite::Classical, Kind::Company, 1).await;
}

#[tokio::test]
async fn three_hundred_arrive_once() {
    check_share(Rows::Memory, Suite::Hybrid, Kind::Case, 300).await;
}

#[tokio::test]
async fn three_hundred_arrive_once_on_sqlite() {
    check_share(Rows::Sqlite, Suite::Classical, Kind::Case, 300).await;
}

#[tokio::test]
async fn both_ways_at_once() {
    let mut bench = Bench::ready().await;
    let of_toscana = bench.share_samples(Toscana, Kind::Case, 40).await;
    let of_umbria = bench.share_samples(Umbria, Kind::Company, 40).await;
    bench.run().await;
    bench.assert_arrived(Toscana, &of_toscana).await;
    bench.assert_arrived(Umbria, &of_umbria).await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn the_same_order_again_shares_nothing_new() {
    let mut bench = Bench::ready().await;
    let alerts = bench.samples(Toscana, Kind::Case, 3);
    let first = bench.share(Toscana, alerts.clone()).await.unwrap();
    bench.run().await;
    let second = bench.share(Toscana, alerts).await.unwrap();
    assert!(first.objects.iter().all(|(_, known)| !known));
    assert!(second.objects.iter().all(|(_, known)| *known));
    bench.run().await;
    let ids: Vec<_> = first.objects.iter().map(|(row, _)| row.object).collect();
    bench.assert_arrived(Toscana, &ids).await;
}

#[tokio::test]
async fn opening_is_told_to_the_origin() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;
    alerts::open(bench.node(Umbria), bench.operator(Umbria), objects[0]).await.unwrap();
    bench.run().await;
    assert_eq!(bench.seen(Toscana, objects[0]).await.delivery.state, State::Read);
    assert_eq!(bench.seen(Toscana, objects[1]).await.delivery.state, State::Delivered);
}

#[tokio::test]
async fn opening_is_told_after_a_restart_too() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.restart(Umbria).await;
    alerts::open(bench.node(Umbria), bench.operator(Umbria), objects[0]).await.unwrap();
    bench.run().await;
    assert_eq!(bench.seen(Toscana, objects[0]).await.delivery.state, State::Read);
}

#[tokio::test]
async fn withdrawal_erases_everywhere() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;
    let reason = bench.node(Toscana).lists.list("withdrawal_reason").unwrap().entries()[0].clone();
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    withdraw(node, operator, objects[0], &reason.code).await.unwrap();
    bench.run().await;
    for who in REGIONS {
        let ended = bench.seen(who, objects[0]).await;
        assert_eq!(ended.row.state, "withdrawn", "{who:?}");
        assert_eq!(ended.row.end_reason, reason.code);
        let rest = [ended.row.sealed_share, ended.row.sealed_author, ended.row.wrapped_key];
        assert!(rest.iter().all(Vec::is_empty), "{who:?}");
        assert_eq!(bench.seen(who, objects[1]).await.row.state, "active");
    }
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    let again = withdraw(node, operator, objects[0], &reason.code).await.unwrap_err();
    assert_eq!(again.reason, "already_ended");
    let foreign = withdraw(bench.node(Umbria), bench.operator(Umbria), objects[1], &reason.code);
    assert_eq!(foreign.await.unwrap_err().reason, "not_origin");
    bench.assert_agreement().await;
}

#[tokio::test]
async fn withdrawn_before_it_left() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    let reason = bench.node(Toscana).lists.list("withdrawal_reason").unwrap().entries()[0].clone();
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    withdraw(node, operator, objects[0], &reason.code).await.unwrap();
    bench.run().await;
    assert_eq!(bench.seen(Umbria, objects[0]).await.row.state, "withdrawn");
    bench.assert_agreement().await;
}

#[tokio::test]
async fn expiry_erases_on_each_node_by_itself() {
    let mut bench = Bench::ready().await;
    let mut alerts = bench.samples(Toscana, Kind::Case, 2);
    alerts[0].expires_on = "2026-09-30".into();
    let shared = bench.share(Toscana, alerts).await.unwrap();
    let ids: Vec<_> = shared.objects.iter().map(|(row, _)| row.object).collect();
    bench.run().await;
    bench.pass(Duration::from_secs(8 * 86_400));
    assert_eq!(expire(bench.node(Toscana)).await.unwrap(), 0);
    bench.pass(Duration::from_secs(2 * 86_400));
    for who in REGIONS {
        assert_eq!(expire(bench.node(who)).await.unwrap(), 1, "{who:?}");
        let ended = bench.seen(who, ids[0]).await;
        assert_eq!((ended.row.state.as_str(), ended.row.sealed_share), ("expired", Vec::new()));
        assert_eq!(bench.seen(who, ids[1]).await.row.state, "active");
        assert_eq!(expire(bench.node(who)).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn an_alert_that_expired_on_the_way_leaves_a_tombstone() {
    let mut bench = Bench::ready().await;
    let mut alerts = bench.samples(Toscana, Kind::Case, 1);
    alerts[0].expires_on = "2026-09-22".into();
    let shared = bench.share(Toscana, alerts).await.unwrap();
    bench.send(Toscana).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    bench.send(Toscana).await.unwrap();
    bench.pass(Duration::from_secs(5 * 86_400));
    bench.run().await;
    let ended = bench.seen(Umbria, shared.objects[0].0.object).await;
    assert_eq!((ended.row.state.as_str(), ended.row.sealed_share), ("expired", Vec::new()));
}

#[tokio::test]
async fn the_first_message_of_a_run_follows_an_own_commit() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let before = bench.row(Toscana).await;
    bench.restart(Toscana).await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    let pending = bench.entries(Toscana, EntryState::Pending).await;
    assert_eq!(pending.iter().map(|row| row.kind).collect::<Vec<_>>(), [EntryKind::Commit]);
    bench.run().await;
    assert_eq!(bench.row(Toscana).await.epoch, before.epoch.next());
    assert_eq!(bench.seen(Toscana, objects[0]).await.delivery.state, State::Delivered);
    bench.assert_agreement().await;
}

#[tokio::test]
async fn sharing_goes_on_while_the_own_commit_comes_back() {
    let mut bench = Bench::ready().await;
    bench.restart(Toscana).await;
    let lineage = bench.lineage().await;
    let mut objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    // The hub has answered, and the log has not shown the commit yet.
    bench.append_once(Toscana, lineage).await.unwrap();
    objects.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
    bench.run().await;
    bench.assert_arrived(Toscana, &objects).await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn an_alert_that_races_a_commit_is_encrypted_again_under_its_entry_id() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    let first = bench.entries(Toscana, EntryState::Pending).await;
    assert_eq!(first[0].kind, EntryKind::Application);
    bench.restart(Umbria).await;
    bench.share_samples(Umbria, Kind::Company, 1).await;
    bench.send(Umbria).await.unwrap();
    bench.append_once(Toscana, first[0].lineage).await.unwrap();
    assert_eq!(bench.entries(Toscana, EntryState::Stale).await[0].entry, first[0].entry);
    bench.fetch(Toscana).await.unwrap();
    pack::pack(bench.node(Toscana), first[0].lineage).await.unwrap();
    let second = bench.entries(Toscana, EntryState::Pending).await;
    assert_eq!(second[0].entry, first[0].entry);
    assert_ne!(second[0].payload_digest, first[0].payload_digest);
    bench.run().await;
    let cases: Vec<_> = bench.listed(Umbria).await;
    assert_eq!(cases.iter().filter(|view| view.row.object == objects[0]).count(), 1);
    bench.assert_agreement().await;
}

#[tokio::test]
async fn of_two_commits_the_first_wins() {
    let mut bench = Bench::ready().await;
    for who in REGIONS {
        bench.restart(who).await;
    }
    let of_toscana = bench.share_samples(Toscana, Kind::Case, 2).await;
    let of_umbria = bench.share_samples(Umbria, Kind::Case, 2).await;
    for who in REGIONS {
        assert_eq!(bench.entries(who, EntryState::Pending).await[0].kind, EntryKind::Commit);
    }
    bench.send(Umbria).await.unwrap();
    bench.send(Toscana).await.unwrap();
    bench.run().await;
    bench.assert_arrived(Toscana, &of_toscana).await;
    bench.assert_arrived(Umbria, &of_umbria).await;
    bench.assert_agreement().await;
}

#[tokio::test]
async fn delivered_plaintext_is_forgotten() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 5).await;
    bench.run().await;
    let shared = |row: &&raccordo_node::store::outbox::EntryRow| row.sequence > Sequence(0);
    let kept = bench.entries(Toscana, EntryState::Accepted).await;
    let mut tx = bench.node(Toscana).store.read().await.unwrap();
    for entry in kept.iter().filter(shared) {
        let envelopes = tx.envelopes_of(entry.lineage, entry.entry).await.unwrap();
        assert!(envelopes.iter().all(|row| row.object.is_none()), "{:?}", entry.sequence);
    }
}

#[tokio::test]
async fn the_hub_restarts_between_any_two_entries() {
    let mut bench = Bench::ready().await;
    let mut objects = Vec::new();
    for _ in 0..4 {
        objects.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
        bench.restart(Relay).await;
        bench.send(Toscana).await.unwrap();
        bench.restart(Relay).await;
        bench.fetch(Toscana).await.unwrap();
    }
    bench.run().await;
    bench.assert_arrived(Toscana, &objects).await;
    bench.assert_agreement().await;
}
