//! A store that fails while the process lives on: nothing is acknowledged that is not
//! durable, nothing acknowledged is lost or doubled, and the node goes on by itself.

use raccordo_core::object::Kind;
use raccordo_core::time::Instant;
use raccordo_node::app::delivery::State;
use raccordo_node::app::fault::Whose;
use raccordo_node::app::rotate::{Order, rotate};
use raccordo_node::app::status::at_any_time;
use raccordo_node::app::{doctor, expire, found, heartbeat, update_keys};
use raccordo_node::store::ailment::Ailment;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Relay, Toscana, Umbria, Who};

const POINTS: [CrashPoint; 2] = [CrashPoint::BeforeCommit, CrashPoint::AfterCommit];
/// A story with more commits than this is not what it was.
const COMMITS_MAX: u64 = 200;
/// How often in a row the disk fails.
const TIMES: u64 = 3;

/// Both share; what an operator was not answered, it asks again until it is.
async fn share_both_ways(bench: &mut Bench) {
    let mut shared = Vec::new();
    for who in REGIONS {
        let alerts = bench.samples(who, Kind::Case, 2);
        while let Err(fault) = bench.share(who, alerts.clone()).await {
            assert_eq!((fault.whose, fault.reason), (Whose::Unavailable, "disk_full"));
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
            bench.disk(victim).fail_after(commits, TIMES, Ailment::Full, point);
            share_both_ways(&mut bench).await;
            assert_eq!(bench.life(victim), life, "nobody starts it again");
            if bench.disk(victim).fails() {
                assert!(commits > 4, "{victim:?} failed at {} places only", commits - 1);
                break;
            }
            // What is on the disk is what was told: also after a start.
            bench.restart(victim).await;
            bench.run().await;
            bench.assert_agreement().await;
        }
    }
}

#[tokio::test]
async fn the_sender_s_disk_fails_anywhere() {
    check_sharing(Toscana).await;
}

#[tokio::test]
async fn the_receiver_s_disk_fails_anywhere() {
    check_sharing(Umbria).await;
}

#[tokio::test]
async fn the_hub_s_disk_fails_anywhere() {
    check_sharing(Relay).await;
}

/// From a signed pact to an équipe, and a new card for a member of it.
async fn check_founding(victim: Who) {
    let suite = raccordo_core::crypto::Suite::Classical;
    let mut bench = Bench::agreed(crate::bench::Rows::Memory, suite).await;
    let disks = bench.disks();
    for point in POINTS {
        for commits in 1..COMMITS_MAX {
            bench.put_back(&disks).await;
            bench.disk(victim).fail_after(commits, 2, Ailment::Disk, point);
            while let Err(fault) = found::create(bench.node(Toscana), ADMIN, EQUIPE).await {
                if fault.reason == "already_created" {
                    break;
                }
                assert_eq!(fault.reason, "disk_error");
            }
            bench.run().await;
            while let Err(fault) = rotate(bench.node(Umbria), ADMIN, Order::default()).await {
                assert_eq!(fault.reason, "disk_error");
            }
            bench.run().await;
            bench.assert_agreement().await;
            if bench.disk(victim).fails() {
                assert!(commits > 4, "{victim:?} failed at {} places only", commits - 1);
                break;
            }
            bench.restart(victim).await;
            bench.run().await;
            bench.assert_agreement().await;
        }
    }
}

#[tokio::test]
async fn the_chair_s_disk_fails_while_founding() {
    check_founding(Toscana).await;
}

#[tokio::test]
async fn the_newcomer_s_disk_fails_while_joining() {
    check_founding(Umbria).await;
}

#[tokio::test]
async fn the_hub_s_disk_fails_while_founding() {
    check_founding(Relay).await;
}

#[tokio::test]
async fn what_ails_the_disk_is_told_until_it_has_ended() {
    let bench = Bench::ready().await;
    let toscana = bench.node(Toscana);
    for ailment in Ailment::ALL {
        bench.disk(Toscana).fail_after(1, 1, ailment, CrashPoint::BeforeCommit);
        let refused = bench.share(Toscana, bench.samples(Toscana, Kind::Case, 1)).await;
        let fault = refused.unwrap_err();
        assert_eq!((fault.whose, fault.reason), (Whose::Unavailable, ailment.reason()));
        let told = at_any_time(toscana).await.unwrap();
        assert!(!told.ready && told.alarms[0].starts_with(ailment.reason()), "{:?}", told.alarms);
        let findings = doctor::doctor(toscana).await.unwrap();
        assert!(findings.iter().any(|found| found.code == ailment.reason()), "{findings:?}");
        bench.share_samples(Toscana, Kind::Case, 1).await;
        let told = at_any_time(toscana).await.unwrap();
        assert!(told.ready && told.alarms.is_empty(), "{:?}", told.alarms);
    }
}

const YEAR: std::time::Duration = std::time::Duration::from_secs(365 * 24 * 3600);

#[tokio::test]
async fn a_clock_that_was_put_back_does_not_silence_the_node() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    bench.pass(YEAR);
    for who in REGIONS {
        heartbeat::beat(bench.node(who)).await.unwrap();
    }
    update_keys::update_keys(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    bench.put_clock_back(YEAR);
    assert_eq!(heartbeat::beat(bench.node(Toscana)).await.unwrap(), 1, "silent for a year");
    bench.run().await;
    // The log's time lies a year ahead of its clock: it waits, says so, and goes on by itself.
    let findings = doctor::doctor(bench.node(Toscana)).await.unwrap();
    assert!(
        findings.iter().any(|found| found.message.contains("own_clock_behind")),
        "{findings:?}"
    );
    bench.pass(YEAR);
    bench.run().await;
    assert_eq!(bench.alarms(Toscana).await, Vec::<String>::new());
    let shared = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    assert_eq!(bench.seen(Toscana, shared[0]).await.delivery.state, State::Delivered);
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_hub_s_clock_that_is_off_is_told() {
    let mut bench = Bench::ready().await;
    let found = async |bench: &Bench| {
        let findings = doctor::doctor(bench.node(Toscana)).await.unwrap();
        findings.into_iter().find(|found| found.code == "clock_off")
    };
    share_both_ways(&mut bench).await;
    assert_eq!(found(&bench).await, None);
    let (lineage, now) = (bench.lineage().await, bench.node(Toscana).clock.now());
    let place = (lineage, raccordo_core::id::Sequence(10_000));
    let clocks = &bench.node(Toscana).links.clocks;
    clocks.answered(&Relay.id(), place, now);
    clocks.written(&Relay.id(), place, Instant(now.0 + 3_600_000));
    let told = found(&bench).await.unwrap();
    assert!(told.message.contains("60 minutes ahead"), "{told:?}");
    share_both_ways_again(&mut bench).await;
    assert_eq!(found(&bench).await, None);
}

async fn share_both_ways_again(bench: &mut Bench) {
    update_keys::update_keys(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
    bench.run().await;
    expire::expire(bench.node(Toscana)).await.unwrap();
}
