//! Nodes stop and start again; clients repeat what they are not sure of.

use anyhow::ensure;
use raccordo_proto::casework::v1::DeliveryState;
use raccordo_tests::federation::{
    EQUIPE, Federation, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};

use crate::alerts::{agree, are_listed, audits_verify, examples, lines, listed, share};

/// Each of the three stops and starts, politely and not; alerts flow before and after.
pub async fn each_of_the_three(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let mut count = 0;
    for (round, id) in NODES.into_iter().enumerate() {
        let seed = round.to_string();
        share(&world, TOSCANA, &examples(&world, "case", 2, &seed).await?).await?;
        world.node_mut(id)?.restart().await?;
        share(&world, UMBRIA, &examples(&world, "company", 1, &seed).await?).await?;
        world.node_mut(id)?.kill().await?;
        world.node_mut(id)?.start().await?;
        share(&world, TOSCANA, &examples(&world, "case", 2, &seed).await?).await?;
        count += 5;
        for member in [TOSCANA, UMBRIA] {
            let alerts = listed(&world, member).await?;
            ensure!(alerts.len() == count, "{member} lists {} of {count}", alerts.len());
        }
    }
    agree(&world).await?;
    audits_verify(&world).await
}

/// Alerts shared while the hub is away are queued here, and go when it is back.
pub async fn the_hub_is_away(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    world.node_mut(RELAY)?.stop().await?;
    let alerts = examples(&world, "case", 20, "1").await?;
    let queue = ["alert", "share", "--equipe", EQUIPE, "-"];
    let queued = world.node(TOSCANA)?.run_with(&queue, Some(&lines(&alerts)?)).await?;
    ensure!(queued.iter().all(|line| line["state"] == "queued"), "{queued:?}");
    let waits = [&queue[..], &["--wait", "accepted", "--timeout", "1s"]].concat();
    let late = world.node(TOSCANA)?.run_with(&waits, Some(&lines(&alerts)?)).await;
    let late = late.err().and_then(|error| error.downcast::<_>().ok());
    let late: raccordo_tests::federation::command::Refusal =
        late.ok_or_else(|| anyhow::anyhow!("the wait ended without the hub"))?;
    ensure!(late.exit == 5 && late.code == "timed_out", "{late}");
    world.node_mut(TOSCANA)?.restart().await?;
    world.node_mut(RELAY)?.start().await?;
    until("the alerts at umbria", async || {
        Ok((listed(&world, UMBRIA).await?.len() == 20).then_some(()))
    })
    .await?;
    agree(&world).await
}

/// Lines with their own ids are shared at most once, however often they are repeated.
pub async fn the_same_ids_twice(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let alerts = examples(&world, "case", 3, "1").await?;
    share(&world, TOSCANA, &alerts).await?;
    share(&world, TOSCANA, &alerts).await?;
    world.node_mut(TOSCANA)?.kill().await?;
    world.node_mut(TOSCANA)?.start().await?;
    let more = [alerts.clone(), examples(&world, "company", 1, "2").await?].concat();
    share(&world, TOSCANA, &more).await?;
    for member in [TOSCANA, UMBRIA] {
        let found = listed(&world, member).await?;
        ensure!(found.len() == 4, "{member} lists {}", found.len());
    }
    // Another member's id is not taken over.
    let queue = ["alert", "share", "--equipe", EQUIPE, "-"];
    let taken = world.node(UMBRIA)?.run_with(&queue, Some(&lines(&alerts)?)).await;
    ensure!(taken.is_err(), "umbria shared under toscana's ids: {taken:?}");
    agree(&world).await
}

/// A member misses hundreds of alerts and many epochs, and has everything once when it is
/// back.
pub async fn a_long_absence(setting: Setting) -> anyhow::Result<()> {
    const EPOCHS: usize = 21;
    const ALERTS_OF_AN_EPOCH: usize = 20;
    let mut world = Federation::founded(setting).await?;
    let mut all = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &all).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    let missed = examples(&world, "case", EPOCHS * ALERTS_OF_AN_EPOCH, "2").await?;
    let node = world.node(TOSCANA)?;
    for some in missed.chunks(ALERTS_OF_AN_EPOCH) {
        let operator = world.operator(TOSCANA)?;
        for alerts in some.chunks(ALERTS_OF_AN_EPOCH / 2) {
            let shared = operator.share(alerts.to_vec()).await?.shared;
            let ids = shared.into_iter().map(|shared| shared.id).collect();
            operator.wait(ids, DeliveryState::Accepted).await?;
        }
        let before = node.equipe().await?.epoch;
        node.run(&["equipe", "update-keys", EQUIPE]).await?;
        until("the next epoch", async || Ok((node.equipe().await?.epoch > before).then_some(())))
            .await?;
    }
    all.extend(missed);
    world.node_mut(UMBRIA)?.start().await?;
    let operator = world.operator(UMBRIA)?;
    until("umbria to catch up", async || {
        Ok((operator.list().await?.len() == all.len()).then_some(()))
    })
    .await?;
    are_listed(&all, &operator.list().await?)?;
    agree(&world).await
}
