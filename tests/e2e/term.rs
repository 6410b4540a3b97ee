//! The log goes to another hub and back: handed over, then after that hub is lost, with
//! alerts in flight.

use std::collections::BTreeSet;

use anyhow::ensure;
use raccordo_tests::federation::command::text;
use raccordo_tests::federation::{
    EQUIPE, Federation, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};

use crate::alerts::{examples, lines, listed, share};

/// The other hub.
pub const PONTE: &str = "ponte";

/// Everything by commands, as the administrators type them.
pub async fn handed_over_and_lost(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let mut shared = BTreeSet::new();
    delivered(&world, TOSCANA, "1", &mut shared).await?;
    world.add_hub(PONTE).await?;
    meet(&world).await?;

    world.node(UMBRIA)?.run(&["equipe", "move-hub", EQUIPE, "--to", PONTE]).await?;
    signed(&world, TOSCANA, "moves the log to ponte").await?;
    queued(&world, TOSCANA, "2", &mut shared).await?;
    accepted(&world, PONTE).await?;
    queued(&world, UMBRIA, "3", &mut shared).await?;
    at(&world, PONTE, 2).await?;
    let carried = world.node(RELAY)?.first(&["hub", "list"]).await?;
    ensure!(text(&carried, "/state") == "moved", "{carried}");
    world.node_mut(RELAY)?.stop().await?;
    delivered(&world, UMBRIA, "4", &mut shared).await?;
    everywhere(&world, &shared).await?;

    // The second hub is gone, with what was on its way to it; the first one takes over.
    world.node_mut(PONTE)?.kill().await?;
    queued(&world, TOSCANA, "5", &mut shared).await?;
    world.node_mut(RELAY)?.start().await?;
    let move_hub = ["equipe", "move-hub", EQUIPE, "--to", RELAY, "--lost", "--yes"];
    let highest = highest(&world).await?;
    world.node(highest)?.run(&move_hub).await?;
    let other = if highest == TOSCANA { UMBRIA } else { TOSCANA };
    let place = world.node(highest)?.equipe().await?.sequence;
    let change = format!("gives up ponte, and goes on at relay after entry {place}");
    signed(&world, other, &change).await?;
    accepted(&world, RELAY).await?;
    queued(&world, UMBRIA, "6", &mut shared).await?;
    at(&world, RELAY, 3).await?;
    delivered(&world, TOSCANA, "7", &mut shared).await?;
    everywhere(&world, &shared).await
}

/// Everybody verifies the other hub.
pub async fn meet(world: &Federation) -> anyhow::Result<()> {
    world.export_card(PONTE).await?;
    for id in NODES {
        world.introduce(id, PONTE).await?;
        world.introduce(PONTE, id).await?;
        world.verify(id, PONTE).await?;
        world.verify(PONTE, id).await?;
    }
    Ok(())
}

pub async fn delivered(
    world: &Federation,
    from: &str,
    seed: &str,
    shared: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let alerts = examples(world, "case", 2, seed).await?;
    share(world, from, &alerts).await?;
    shared.extend(alerts.into_iter().map(|alert| alert.id));
    Ok(())
}

/// Shared, and not waited for.
pub async fn queued(
    world: &Federation,
    from: &str,
    seed: &str,
    shared: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let alerts = examples(world, "case", 2, seed).await?;
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await?;
    shared.extend(alerts.into_iter().map(|alert| alert.id));
    Ok(())
}

/// Waits until a party is asked to sign a change, and signs it.
async fn signed(world: &Federation, id: &str, change: &str) -> anyhow::Result<()> {
    let node = world.node(id)?;
    until("the change to come", async || {
        let pacts = node.run(&["pact", "list"]).await?;
        let waits = |row: &serde_json::Value| {
            text(row, "/change") == change && text(row, "/state") == "waiting for me"
        };
        Ok(pacts.iter().any(waits).then_some(()))
    })
    .await?;
    node.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
    Ok(())
}

/// Waits until a hub is asked, and agrees.
async fn accepted(world: &Federation, hub: &str) -> anyhow::Result<()> {
    let hub = world.node(hub)?;
    until("the offer at the next hub", async || {
        let carried = hub.run(&["hub", "list"]).await?;
        Ok(carried.iter().any(|row| text(row, "/state") == "waiting").then_some(()))
    })
    .await?;
    hub.run(&["hub", "accept", EQUIPE]).await?;
    Ok(())
}

/// Waits until both follow a hub in a term.
pub async fn at(world: &Federation, hub: &str, term: u64) -> anyhow::Result<()> {
    until("both at the next hub", async || {
        for member in [TOSCANA, UMBRIA] {
            let at = world.node(member)?.equipe().await?.hub;
            if at.is_none_or(|at| (at.id.as_str(), at.term, at.connected) != (hub, term, true)) {
                return Ok(None);
            }
        }
        Ok(Some(()))
    })
    .await
}

/// The member whose log is longest.
async fn highest(world: &Federation) -> anyhow::Result<&'static str> {
    let (one, other) = (world.node(TOSCANA)?.equipe().await?, world.node(UMBRIA)?.equipe().await?);
    Ok(if one.sequence >= other.sequence { TOSCANA } else { UMBRIA })
}

/// Every alert is at both, once, and nothing is wrong.
pub async fn everywhere(world: &Federation, shared: &BTreeSet<String>) -> anyhow::Result<()> {
    for member in [TOSCANA, UMBRIA] {
        until("every alert at both", async || {
            let there: BTreeSet<String> = listed(world, member).await?.into_keys().collect();
            ensure!(there.is_subset(shared), "{member} shows what nobody shared");
            Ok((there.len() == shared.len()).then_some(()))
        })
        .await?;
        let equipe = world.node(member)?.equipe().await?;
        ensure!(equipe.alarms.is_empty() && equipe.set_aside == 0, "{equipe:?}");
    }
    Ok(())
}
