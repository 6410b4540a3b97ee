//! What is new, what waits, and what is late, as people are told in the morning.

use std::time::Duration;

use raccordo_core::object::Kind;
use raccordo_node::app::directory::{self, Operator};
use raccordo_node::app::today::{LATE_AFTER, New, Today, Why, look, visited};
use raccordo_node::app::{status, withdraw};

use crate::bench::{ADMIN, Bench, EQUIPE, Relay, Toscana, Umbria, Who};

const HOUR: Duration = Duration::from_secs(3_600);

async fn day(bench: &Bench, who: Who) -> Today {
    look(bench.node(who), bench.operator(who)).await.unwrap()
}

async fn visit(bench: &Bench, who: Who) -> New {
    visited(bench.node(who), bench.operator(who)).await.unwrap();
    day(bench, who).await.new
}

async fn reasons(bench: &Bench) -> Vec<(Why, usize)> {
    let late = day(bench, Toscana).await.late.alerts;
    assert!(late.iter().all(|one| one.equipe == EQUIPE && !one.more));
    late.into_iter().map(|one| (one.why, one.alerts.len())).collect()
}

async fn hub_is(bench: &Bench, connected: bool) {
    let link = status::Link { connected, ..status::Link::default() };
    bench.node(Toscana).links.note(&Relay.id(), link);
}

#[tokio::test]
async fn what_came_since_the_last_visit_is_new_until_the_next() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;
    let first = visit(&bench, Umbria).await;
    assert_eq!((first.since, first.alerts), (None, 0), "all of it was there before");
    bench.pass(HOUR);
    bench.share_samples(Toscana, Kind::Case, 3).await;
    bench.share_samples(Umbria, Kind::Case, 4).await;
    bench.run().await;
    let second = visit(&bench, Umbria).await;
    assert!(second.since.is_some());
    assert_eq!((second.alerts, second.more, second.matches), (3, false, 0));
    bench.pass(Duration::from_secs(600));
    assert_eq!(visit(&bench, Umbria).await.alerts, 3, "still the same visit");
    bench.pass(HOUR);
    assert_eq!(visit(&bench, Umbria).await.alerts, 0);
    // Own alerts are no news; the other region sees those of Umbria, and has never visited.
    assert_eq!(day(&bench, Toscana).await.new.alerts, 4);
}

#[tokio::test]
async fn alerts_that_are_not_everywhere_after_a_day_are_told_with_the_reason() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 2).await;
    assert_eq!(reasons(&bench).await, [], "a day has not passed");
    bench.pass(LATE_AFTER + HOUR);
    assert_eq!(reasons(&bench).await, [(Why::HubAway(Relay.id()), 2)]);
    hub_is(&bench, true).await;
    assert_eq!(reasons(&bench).await, [(Why::Sending, 2)]);
    bench.send(Toscana).await.unwrap();
    bench.fetch(Toscana).await.unwrap();
    assert_eq!(reasons(&bench).await, [(Why::Missing(Umbria.id(), false), 2)]);
    let (node, operator) = (bench.node(Toscana), bench.operator(Toscana));
    withdraw::withdraw(node, operator, objects[0], "resolved").await.unwrap();
    assert_eq!(reasons(&bench).await, [(Why::Missing(Umbria.id(), false), 1)]);
    bench.run().await;
    assert_eq!(reasons(&bench).await, []);
}

#[tokio::test]
async fn what_a_member_could_not_read_is_told_at_once() {
    let mut bench = Bench::ready().await;
    let objects = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let row = bench.seen(Toscana, objects[0]).await.row;
    let mut tx = bench.node(Toscana).store.write().await.unwrap();
    tx.put_refusal(row.lineage, row.envelope, &Umbria.id(), "malformed").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(reasons(&bench).await, [(Why::Refused(Umbria.id()), 1)]);
}

#[tokio::test]
async fn nobody_is_told_more_than_the_role_may_see() {
    let bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.pass(LATE_AFTER + HOUR);
    let node = bench.node(Toscana);
    let employed = async |class: &str, role: &str| -> Operator {
        let name = format!("{class} {role}");
        directory::add_organisation(node, ADMIN, &name, class).await.unwrap();
        directory::add_operator(node, ADMIN, &name, &name, role).await.unwrap().0
    };
    for (class, role) in [
        ("region", "auditor"),
        ("region", "administrator"),
        ("police", "case_manager"),
        ("employers_association", "coordinator"),
    ] {
        let other = employed(class, role).await;
        let told = look(node, &other).await.unwrap();
        assert!(told.late.alerts.is_empty(), "{class} {role}");
        assert_eq!(told.waits, Default::default(), "{class} {role}");
    }
    let frontline = employed("union", "frontline").await;
    assert_eq!(look(node, &frontline).await.unwrap().late.alerts.len(), 1);
}

#[tokio::test]
async fn silent_members_and_what_ends_soon() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    assert!(day(&bench, Toscana).await.late.silent.is_empty());
    bench.pass(24 * 360 * HOUR);
    let late = day(&bench, Toscana).await.late;
    assert_eq!(late.silent.len(), 1);
    assert_eq!((&late.silent[0].node, &*late.silent[0].equipe), (&Umbria.id(), EQUIPE));
    bench.pass(24 * 360 * HOUR);
    let late = day(&bench, Toscana).await.late;
    assert!(late.expires.iter().any(|one| one.what == "own card"), "{:?}", late.expires);
    assert!(late.expires.iter().all(|one| one.peer.is_none()), "{:?}", late.expires);
}
