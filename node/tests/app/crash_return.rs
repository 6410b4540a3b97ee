//! A crash before or after any commit while a node joins again after a loss, and while an
//! alert is withdrawn.

use raccordo_core::id::ObjectId;
use raccordo_core::object::Kind;
use raccordo_node::app::Node;
use raccordo_node::app::fault::Done;
use raccordo_node::app::rejoin::{approve, request};
use raccordo_node::app::withdraw::withdraw;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Relay, Toscana, Umbria, Who};

const POINTS: [CrashPoint; 2] = [CrashPoint::BeforeCommit, CrashPoint::AfterCommit];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 200;

/// Tells a story again and again, with a crash of one node at each of its commits.
async fn check(bench: &mut Bench, victim: Who, story: impl AsyncFn(&mut Bench)) {
    let disks = bench.disks();
    for point in POINTS {
        for commits in 1..COMMITS_MAX {
            bench.put_back(&disks).await;
            let life = bench.life(victim);
            bench.disk(victim).crash_after(commits, point);
            story(bench).await;
            if bench.life(victim) == life {
                assert!(commits > 2, "{victim:?} crashed at {} places only", commits - 1);
                break;
            }
        }
    }
}

/// What people do at a node; they do it again where the node crashed in it. Done before the
/// crash, it may be told as `already`.
async fn act<T>(
    bench: &mut Bench,
    who: Who,
    already: &str,
    act: impl AsyncFn(&Bench, &Node) -> Done<T>,
) {
    if let Err(fault) = act(bench, bench.node(who)).await {
        assert_eq!(fault.reason, "crashed");
        bench.restart_crashed().await;
        if let Err(fault) = act(bench, bench.node(who)).await {
            assert_eq!(fault.reason, already);
        }
    }
}

fn active(listed: &[raccordo_node::app::alerts::AlertView], origin: Who) -> Vec<ObjectId> {
    let of =
        listed.iter().filter(|view| view.row.origin == origin.id() && view.row.state == "active");
    let mut active: Vec<_> = of.map(|view| view.row.object).collect();
    active.sort_unstable();
    active
}

/// Umbria's disk is one of yesterday: it is quarantined, asks, and comes back.
async fn check_rejoin(victim: Who) {
    let mut bench = Bench::ready().await;
    let mut of_umbria = bench.share_samples(Umbria, Kind::Case, 1).await;
    let mut of_toscana = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let earlier = bench.disk(Umbria).snapshot();
    of_umbria.extend(bench.share_samples(Umbria, Kind::Case, 1).await);
    bench.run().await;
    of_toscana.extend(bench.share_samples(Toscana, Kind::Case, 1).await);
    bench.run().await;
    bench.disk(Umbria).restore(&earlier);
    bench.restart(Umbria).await;
    bench.share_samples(Umbria, Kind::Company, 1).await;
    bench.run().await;
    assert_eq!(bench.row(Umbria).await.state, "quarantined");
    of_toscana.sort_unstable();
    check(&mut bench, victim, async |bench| {
        act(bench, Umbria, "", async |_, node| request::ask(node, ADMIN, EQUIPE).await).await;
        bench.run().await;
        let approve = async |_: &Bench, node: &Node| {
            approve::approve(node, ADMIN, EQUIPE, &Umbria.id()).await
        };
        act(bench, Toscana, "", approve).await;
        bench.run().await;
        bench.assert_agreement().await;
        assert_eq!(bench.row(Umbria).await.state, "active");
        assert_eq!(active(&bench.listed(Umbria).await, Toscana), of_toscana);
        // What it had queued at the time of the copy goes now; what it lost, the other has.
        let there = active(&bench.listed(Toscana).await, Umbria);
        assert_eq!(there.len(), of_umbria.len() + 1);
        assert!(of_umbria.iter().all(|object| there.contains(object)));
    })
    .await;
}

#[tokio::test]
async fn who_asks_to_join_again_crashes_anywhere() {
    check_rejoin(Umbria).await;
}

#[tokio::test]
async fn who_approves_it_crashes_anywhere() {
    check_rejoin(Toscana).await;
}

#[tokio::test]
async fn the_hub_crashes_while_a_member_joins_again() {
    check_rejoin(Relay).await;
}

async fn check_withdrawal(victim: Who) {
    let mut bench = Bench::ready().await;
    let shared = bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;
    let gone = shared[0];
    check(&mut bench, victim, async |bench| {
        let withdrawal = async |bench: &Bench, node: &Node| {
            withdraw(node, bench.operator(Toscana), gone, "resolved").await
        };
        act(bench, Toscana, "already_ended", withdrawal).await;
        bench.run().await;
        bench.assert_agreement().await;
        for who in REGIONS {
            let listed = bench.listed(who).await;
            let view = listed.iter().find(|view| view.row.object == gone).unwrap();
            assert_eq!((view.row.state.as_str(), &view.share), ("withdrawn", &None), "{who:?}");
            assert_eq!(active(&listed, Toscana), shared[1..], "{who:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn who_withdraws_crashes_anywhere() {
    check_withdrawal(Toscana).await;
}

#[tokio::test]
async fn who_hears_of_a_withdrawal_crashes_anywhere() {
    check_withdrawal(Umbria).await;
}

#[tokio::test]
async fn the_hub_crashes_while_an_alert_is_withdrawn() {
    check_withdrawal(Relay).await;
}
