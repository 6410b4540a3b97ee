//! Copies of one disk taken at every step of a run, all of which live on beside the first:
//! whatever they do, no key seals two messages among all that was ever sent to the hub. The
//! bench opens the sender data of each message for that (RFC 9420 §6.3.2).

use raccordo_core::hublog::EntryKind;
use raccordo_core::object::Kind;
use raccordo_node::app::update_keys::update_keys;

use crate::bench::{ADMIN, Bench, EQUIPE, REGIONS, Toscana, Umbria};

/// Steps of the run, at each of which a copy is taken.
const STEPS: usize = 6;

/// A copy of every age is started, has something to say, and falls silent; the first goes on.
#[tokio::test]
async fn a_copy_of_every_step_falls_silent_and_nothing_is_used_twice() {
    let mut bench = Bench::ready().await;
    let mut copies = Vec::new();
    for step in 0..STEPS {
        bench.share_samples(Umbria, Kind::Case, 1).await;
        // In between: encrypted and not sent, sent and not settled, settled and not read.
        if step % 3 == 0 {
            copies.push((step, bench.copied(Umbria).await));
        }
        bench.send(Umbria).await.unwrap();
        if step % 3 == 1 {
            copies.push((step, bench.copied(Umbria).await));
        }
        bench.run().await;
        if step % 3 == 2 {
            copies.push((step, bench.copied(Umbria).await));
            update_keys(bench.node(Toscana), ADMIN, EQUIPE).await.unwrap();
            bench.run().await;
        }
    }
    // The first goes on for a while, so that each copy is behind it.
    bench.restart(Umbria).await;
    bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    for (step, copy) in copies {
        let first = bench.exchange(Umbria, copy);
        bench.share_samples(Umbria, Kind::Case, 2).await;
        let before = bench.log().await.len();
        bench.run().await;
        assert_eq!(bench.row(Umbria).await.state, "quarantined", "the copy of step {step}");
        bench.restart(Umbria).await;
        bench.run().await;
        let said = bench.log().await.split_off(before);
        assert!(said.iter().all(|row| row.sender == Toscana.id()), "the copy of step {step}");
        drop(bench.exchange(Umbria, first));
        bench.share_samples(Umbria, Kind::Case, 1).await;
        bench.run().await;
        bench.assert_agreement().await;
    }
    // The bench has looked at each message; here, that it did.
    let messages = bench.log().await.into_iter().filter(|row| row.kind == EntryKind::Application);
    assert_eq!(bench.keys_used(), messages.count());
    for who in REGIONS {
        assert_eq!(bench.listed(who).await.len(), STEPS + 1 + STEPS, "{who:?}");
    }
}
