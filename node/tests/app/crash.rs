//! A crash before or after any commit loses nothing and doubles nothing.

use raccordo_core::crypto::Suite;
use raccordo_core::object::Kind;
use raccordo_node::app::delivery::State;
use raccordo_node::app::found;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Relay, Rows, Toscana, Umbria, Who};

const POINTS: [CrashPoint; 2] = [CrashPoint::BeforeCommit, CrashPoint::AfterCommit];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 200;

/// Both share and one opens; what an operator was not answered, it asks again.
async fn share_both_ways(bench: &mut Bench) {
    let mut shared = Vec::new();
    for who in REGIONS {
        let alerts = bench.samples(who, Kind::Case, 3);
        if bench.share(who, alerts.clone()).await.is_err() {
            bench.restart_crashed().await;
            bench.share(who, alerts.clone()).await.unwrap();
        }
        shared.push((who, alerts));
    }
    bench.run().await;
    for (who, alerts) in shared {
        let ids: Vec<_> = alerts.iter().map(|alert| alert.id.parse().unwrap()).collect();
        bench.assert_arrived(who, &ids).await;
        for id in ids {
            assert_eq!(bench.seen(who, id).await.delivery.state, State::Delivered);
        }
    }
    bench.assert_agreement().await;
}

async fn check_sharing(victim: Who) {
    let mut bench = Bench::ready().await;
    let disks = bench.disks();
    for point in POINTS {
        for commits in 1..COMMITS_MAX {
            bench.put_back(&disks).await;
            let life = bench.life(victim);
            bench.disk(victim).crash_after(commits, point);
            share_both_ways(&mut bench).await;
            if bench.life(victim) == life {
                assert!(commits > 4, "{victim:?} crashed at {} places only", commits - 1);
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_sender_crashes_anywhere() {
    check_sharing(Toscana).await;
}

#[tokio::test]
async fn the_receiver_crashes_anywhere() {
    check_sharing(Umbria).await;
}

#[tokio::test]
async fn the_hub_crashes_anywhere() {
    check_sharing(Relay).await;
}

async fn check_founding(victim: Who) {
    let mut bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    let disks = bench.disks();
    for point in POINTS {
        for commits in 1..COMMITS_MAX {
            bench.put_back(&disks).await;
            let life = bench.life(victim);
            bench.disk(victim).crash_after(commits, point);
            if let Err(fault) = found::create(bench.node(Toscana), ADMIN, EQUIPE).await {
                assert_eq!(fault.reason, "crashed");
                bench.restart_crashed().await;
                if let Err(fault) = found::create(bench.node(Toscana), ADMIN, EQUIPE).await {
                    assert_eq!(fault.reason, "already_created");
                }
            }
            bench.run().await;
            bench.assert_agreement().await;
            for who in REGIONS {
                assert_eq!(bench.row(who).await.state, "active", "{who:?}");
            }
            if bench.life(victim) == life {
                assert!(commits > 2, "{victim:?} crashed at {} places only", commits - 1);
                break;
            }
        }
    }
}

#[tokio::test]
async fn the_chair_crashes_while_founding() {
    check_founding(Toscana).await;
}

#[tokio::test]
async fn the_newcomer_crashes_while_joining() {
    check_founding(Umbria).await;
}

#[tokio::test]
async fn the_hub_crashes_while_founding() {
    check_founding(Relay).await;
}
