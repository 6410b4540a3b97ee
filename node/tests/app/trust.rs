//! A peer that is not trusted: cases are held, everything else flows.

use raccordo_core::object::Kind;
use raccordo_core::trust::state::TrustChange;
use raccordo_node::app::delivery::State;
use raccordo_node::app::peers;
use raccordo_node::app::status::status;

use crate::bench::{ADMIN, Bench, Toscana, Umbria};

async fn suspend(bench: &Bench) {
    let umbria = Umbria.id();
    let change = TrustChange::Suspend;
    peers::change(bench.node(Toscana), ADMIN, &umbria, change, "test").await.unwrap();
}

async fn sending(bench: &Bench) -> String {
    status(bench.node(Toscana)).await.unwrap().equipes[0].sending.clone()
}

#[tokio::test]
async fn cases_are_held_and_receipts_flow() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    suspend(&bench).await;
    assert_eq!(sending(&bench).await, "held: not verified here: umbria");
    let held = bench.share_samples(Toscana, Kind::Case, 3).await;
    let back = bench.share_samples(Umbria, Kind::Case, 2).await;
    bench.run().await;
    assert_eq!(bench.seen(Toscana, held[0]).await.delivery.state, State::Queued);
    assert_eq!(bench.seen(Umbria, back[0]).await.delivery.state, State::Delivered);
    assert_eq!(bench.listed(Umbria).await.len(), 3);
    bench.verify(Toscana, Umbria).await;
    assert_eq!(sending(&bench).await, "open");
    bench.run().await;
    for object in held {
        assert_eq!(bench.seen(Toscana, object).await.delivery.state, State::Delivered);
    }
    assert_eq!(bench.listed(Umbria).await.len(), 6);
    bench.assert_agreement().await;
}

#[tokio::test]
async fn what_was_encrypted_before_the_hold_stays_too() {
    let mut bench = Bench::ready().await;
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.run().await;
    let held = bench.share_samples(Toscana, Kind::Case, 1).await;
    suspend(&bench).await;
    let back = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    assert_eq!(bench.seen(Toscana, held[0]).await.delivery.state, State::Queued);
    assert_eq!(bench.seen(Umbria, back[0]).await.delivery.state, State::Delivered);
    bench.verify(Toscana, Umbria).await;
    bench.run().await;
    assert_eq!(bench.seen(Toscana, held[0]).await.delivery.state, State::Delivered);
    bench.assert_agreement().await;
}

#[tokio::test]
async fn a_restart_while_held_does_not_deadlock() {
    let mut bench = Bench::ready().await;
    suspend(&bench).await;
    let held = bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.restart(Toscana).await;
    let back = bench.share_samples(Umbria, Kind::Case, 1).await;
    bench.run().await;
    assert_eq!(bench.seen(Umbria, back[0]).await.delivery.state, State::Delivered);
    assert_eq!(bench.seen(Toscana, held[0]).await.delivery.state, State::Queued);
    bench.verify(Toscana, Umbria).await;
    bench.run().await;
    assert_eq!(bench.seen(Toscana, held[0]).await.delivery.state, State::Delivered);
}
