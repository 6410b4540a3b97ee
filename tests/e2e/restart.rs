//! Nodes stop and start again; clients repeat what they are not sure of.

use anyhow::ensure;
use raccordo_tests::federation::{
    EQUIPE, Federation, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};

use crate::alerts::{agree, audits_verify, examples, lines, listed, share};

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
