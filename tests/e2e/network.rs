//! Nodes in a network that breaks: what is shared meanwhile is delivered once when it is
//! whole again. Each story has network namespaces of its own.

use anyhow::ensure;
use raccordo_proto::alert::v1::Alert;
use raccordo_proto::casework::v1::DeliveryState;
use raccordo_tests::federation::{Federation, MEMBERS, RELAY, Setting, TOSCANA, UMBRIA, until};

use crate::alerts::{agree, are_listed, audits_verify, examples, share};

/// Alerts of each member at a time.
const ALERTS: usize = 4;

/// Shares at both members without waiting for anybody.
pub async fn share_at_both(world: &Federation, all: &mut Vec<Alert>) -> anyhow::Result<()> {
    for member in MEMBERS {
        let alerts = examples(world, "case", ALERTS, "1").await?;
        let answer = world.operator(member)?.share(alerts.clone()).await?;
        ensure!(answer.shared.len() == alerts.len(), "{answer:?}");
        all.extend(alerts);
    }
    Ok(())
}

/// Everything is delivered, and stands once in both lists; nothing is wrong anywhere.
pub async fn all_are_delivered(world: &Federation, all: &[Alert]) -> anyhow::Result<()> {
    for member in MEMBERS {
        let operator = world.operator(member)?;
        until("all alerts to be listed", async || {
            Ok((operator.list().await?.len() == all.len()).then_some(()))
        })
        .await?;
        let listed = operator.list().await?;
        are_listed(all, &listed)?;
        let own = listed.iter().filter(|record| record.origin == member);
        let ids: Vec<String> = own.map(|record| record.id.clone()).collect();
        for shared in operator.wait(ids, DeliveryState::Delivered).await? {
            let delivery = shared.delivery.clone().unwrap_or_default();
            ensure!(delivery.state() >= DeliveryState::Delivered, "{member}: {shared:?}");
        }
    }
    agree(world).await?;
    audits_verify(world).await
}

/// Waits until a member knows whether its hub is there.
pub async fn hub_seen(world: &Federation, member: &str, there: bool) -> anyhow::Result<()> {
    until("the member to notice", async || {
        let hub = world.node(member)?.equipe().await?.hub.unwrap_or_default();
        Ok((hub.connected == there).then_some(()))
    })
    .await
}

/// A member is cut off for so long that it notices; then the hub for a moment, twice.
pub async fn a_member_and_the_hub_are_cut_off(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::apart(setting).await?;
    let mut all = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &all).await?;

    world.network()?.cut(UMBRIA)?;
    share_at_both(&world, &mut all).await?;
    hub_seen(&world, UMBRIA, false).await?;
    let equipe = world.node(UMBRIA)?.equipe().await?;
    ensure!(equipe.hub.is_some_and(|hub| !hub.problem.is_empty()), "no word of the problem");
    ensure!(world.operator(UMBRIA)?.list().await?.len() == 1 + ALERTS, "the cut is none");
    world.network()?.mend(UMBRIA)?;
    hub_seen(&world, UMBRIA, true).await?;
    all_are_delivered(&world, &all).await?;

    for _ in 0..2 {
        world.network()?.cut(RELAY)?;
        share_at_both(&world, &mut all).await?;
        world.network()?.mend(RELAY)?;
        all_are_delivered(&world, &all).await?;
    }
    Ok(())
}

/// All wires are bad, and are cut again and again while both share.
pub async fn a_bad_wire(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::apart(setting).await?;
    for node in [RELAY, TOSCANA, UMBRIA] {
        world.network()?.spoil(node)?;
    }
    let mut all = Vec::new();
    for round in 0..6 {
        share_at_both(&world, &mut all).await?;
        let node = [UMBRIA, RELAY, TOSCANA][round % 3];
        world.network()?.cut(node)?;
        share_at_both(&world, &mut all).await?;
        world.network()?.mend(node)?;
    }
    all_are_delivered(&world, &all).await
}
