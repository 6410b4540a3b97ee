//! Who is told by e-mail, and that a crash between sending and noting it tells twice rather
//! than not at all.

use std::time::Duration;

use raccordo_core::object::Kind;
use raccordo_node::app::account::email_notice::{choose, due, told};
use raccordo_node::app::fault::Done;
use raccordo_node::store::memory::CrashPoint;

use crate::bench::{Bench, Toscana, Umbria};

const ADDRESS: &str = "anna@example.org";
const EVERY: Duration = Duration::from_secs(3_600);

/// One look of the courier: who is to be told is sent a message, and it is noted.
async fn tell(bench: &Bench, sent: &mut Vec<String>) -> Done<()> {
    for one in due(bench.node(Umbria), EVERY).await? {
        sent.push(one.address.reveal().clone());
        told(bench.node(Umbria), one).await?;
    }
    Ok(())
}

/// Umbria's operator wishes to be told, and something has come.
async fn waiting() -> Bench {
    let mut bench = Bench::ready().await;
    choose(bench.node(Umbria), bench.operator(Umbria), ADDRESS).await.unwrap();
    bench.share_samples(Toscana, Kind::Case, 2).await;
    bench.run().await;
    bench.pass(2 * EVERY);
    bench
}

#[tokio::test]
async fn once_for_all_that_came() {
    let mut bench = waiting().await;
    let mut sent = Vec::new();
    for _ in 0..3 {
        tell(&bench, &mut sent).await.unwrap();
        bench.restart(Umbria).await;
    }
    assert_eq!(sent, [ADDRESS]);
    // Own alerts are no news.
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    bench.pass(2 * EVERY);
    tell(&bench, &mut sent).await.unwrap();
    assert_eq!(sent.len(), 1);
    // The next that comes is told again, once the time between two notices is over.
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    tell(&bench, &mut sent).await.unwrap();
    tell(&bench, &mut sent).await.unwrap();
    assert_eq!(sent.len(), 2);
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    tell(&bench, &mut sent).await.unwrap();
    assert_eq!(sent.len(), 2, "within the hour");
    bench.pass(EVERY);
    tell(&bench, &mut sent).await.unwrap();
    assert_eq!(sent.len(), 3);
}

#[tokio::test]
async fn a_crash_may_tell_twice_and_never_not_at_all() {
    let mut bench = waiting().await;
    let disks = bench.disks();
    for (point, times) in [(CrashPoint::BeforeCommit, 2), (CrashPoint::AfterCommit, 1)] {
        bench.put_back(&disks).await;
        let mut sent = Vec::new();
        bench.disk(Umbria).crash_after(1, point);
        let crashed = tell(&bench, &mut sent).await.unwrap_err();
        assert_eq!((crashed.reason, sent.len()), ("crashed", 1), "{point:?}");
        bench.restart_crashed().await;
        for _ in 0..3 {
            tell(&bench, &mut sent).await.unwrap();
        }
        assert_eq!(sent.len(), times, "{point:?}");
    }
}

#[tokio::test]
async fn a_crash_before_sending_is_made_up_for() {
    let mut bench = waiting().await;
    let before = due(bench.node(Umbria), EVERY).await.unwrap();
    assert_eq!(before.len(), 1);
    drop(before);
    bench.restart(Umbria).await;
    let mut sent = Vec::new();
    tell(&bench, &mut sent).await.unwrap();
    assert_eq!(sent, [ADDRESS]);
}

#[tokio::test]
async fn who_takes_the_wish_back_meanwhile_stays_forgotten() {
    let bench = waiting().await;
    let one = due(bench.node(Umbria), EVERY).await.unwrap().pop().unwrap();
    choose(bench.node(Umbria), bench.operator(Umbria), "").await.unwrap();
    told(bench.node(Umbria), one).await.unwrap();
    assert!(due(bench.node(Umbria), EVERY).await.unwrap().is_empty());
}
