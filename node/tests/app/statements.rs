//! What the steps of one lone alert ask of each node's database: few statements, and of an idle
//! équipe none. Counts do not depend on the machine.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::object::Kind;
use raccordo_node::store::statements::Statements;

use crate::bench::{Bench, Relay, Rows, Toscana, Umbria, Who};

const ALL: [Who; 3] = [Toscana, Umbria, Relay];

/// Statements of each node so far.
struct Counts([Statements; 3]);

impl Counts {
    fn of(bench: &Bench) -> Self {
        Self(ALL.map(|who| bench.node(who).store.statements()))
    }

    fn since(&self, earlier: &Self) -> [Statements; 3] {
        let [toscana, umbria, relay] = &earlier.0;
        let [now_toscana, now_umbria, now_relay] = &self.0;
        [now_toscana.since(toscana), now_umbria.since(umbria), now_relay.since(relay)]
    }
}

fn check(what: &str, counted: &Statements, most: u64) {
    assert!(counted.total() <= most, "{what}, at most {most}: {counted}");
}

/// An équipe that has exchanged alerts both ways and come to rest.
async fn rested() -> Bench {
    let mut bench = Bench::founded(Rows::Sqlite, Suite::Classical).await;
    for who in [Toscana, Umbria] {
        bench.share_samples(who, Kind::Case, 2).await;
        bench.run().await;
    }
    bench
}

#[tokio::test]
async fn one_lone_alert() {
    let bench = rested().await;
    let before = Counts::of(&bench);
    bench.share_samples(Toscana, Kind::Case, 1).await;
    bench.send(Toscana).await.unwrap();
    bench.fetch(Umbria).await.unwrap();
    let [sender, receiver, hub] = Counts::of(&bench).since(&before);
    check("the sender of an alert", &sender, 13);
    check("the hub of an alert", &hub, 6);
    check("the receiver of an alert", &receiver, 10);
}

#[tokio::test]
async fn an_idle_equipe() {
    let mut bench = rested().await;
    let before = Counts::of(&bench);
    for _ in 0..10 {
        bench.pass(Duration::from_secs(1));
        bench.run().await;
    }
    // The hub is asked by this bench each time, where a stream would wait.
    let [toscana, umbria, _] = Counts::of(&bench).since(&before);
    for counted in [toscana, umbria] {
        check("ten seconds of an idle équipe", &counted, 0);
    }
}
