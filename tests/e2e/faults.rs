//! Processes that stand still, a hub that restarts and a database server that crashes, all
//! with work in hand: nothing is lost, and everybody recovers alone.

use anyhow::ensure;
use raccordo_proto::alert::v1::Alert;
use raccordo_tests::federation::operator::reason;
use raccordo_tests::federation::{
    Federation, MEMBERS, PATIENCE, RELAY, Setting, TOSCANA, UMBRIA, pause,
};

use crate::alerts::{examples, listed, share};
use crate::network::{all_are_delivered, hub_seen, share_at_both};

/// Alerts shared while something is broken.
const ALERTS: usize = 24;

/// The hub stands still until both members notice, and goes on.
pub async fn the_hub_stands_still(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let mut all = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &all).await?;
    world.node(RELAY)?.freeze().await?;
    share_at_both(&world, &mut all).await?;
    for member in MEMBERS {
        hub_seen(&world, member, false).await?;
    }
    world.node(RELAY)?.thaw().await?;
    share_at_both(&world, &mut all).await?;
    all_are_delivered(&world, &all).await
}

/// A member stands still while the other shares, and goes on.
pub async fn a_member_stands_still(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let mut all = Vec::new();
    for member in [UMBRIA, TOSCANA] {
        share_at_both(&world, &mut all).await?;
        world.node(member)?.freeze().await?;
        let other = if member == UMBRIA { TOSCANA } else { UMBRIA };
        let more = examples(&world, "case", ALERTS, "1").await?;
        let answer = world.operator(other)?.share(more.clone()).await?;
        ensure!(answer.shared.len() == more.len(), "{answer:?}");
        all.extend(more);
        world.node(member)?.thaw().await?;
        all_are_delivered(&world, &all).await?;
    }
    Ok(())
}

/// The hub stops and starts, politely and not, while both share.
pub async fn the_hub_restarts_amid_traffic(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let mut all = Vec::new();
    for polite in [true, false, true, false] {
        share_at_both(&world, &mut all).await?;
        let hub = world.node_mut(RELAY)?;
        if polite {
            hub.stop().await?
        } else {
            hub.kill().await?
        }
        share_at_both(&world, &mut all).await?;
        world.node_mut(RELAY)?.start().await?;
        share_at_both(&world, &mut all).await?;
    }
    all_are_delivered(&world, &all).await
}

/// The server of all three databases crashes while both share; no node is restarted.
pub async fn the_database_server_crashes(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::on_own_server(setting).await?;
    let mut all = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &all).await?;
    for _ in 0..3 {
        let alerts = examples(&world, "case", ALERTS, "1").await?;
        let sharing = share_in_spite(&world, UMBRIA, &alerts);
        let crashing = async {
            // Whatever had begun is answered or not; the crash falls where it falls.
            share_at_both(&world, &mut all).await?;
            world.server()?.crash()?;
            world.server()?.recover()
        };
        let (shared, crashed) = tokio::join!(sharing, crashing);
        crashed?;
        shared?;
        all.extend(alerts);
        all_are_delivered(&world, &all).await?;
    }
    ensure!(listed(&world, TOSCANA).await?.len() == all.len());
    Ok(())
}

/// Shares one by one, each again until the node answers.
async fn share_in_spite(world: &Federation, member: &str, alerts: &[Alert]) -> anyhow::Result<()> {
    let operator = world.operator(member)?;
    let began = std::time::Instant::now();
    for alert in alerts {
        loop {
            let Err(error) = operator.share(vec![alert.clone()]).await else { break };
            let told = error.downcast_ref().map(reason).unwrap_or_default().to_owned();
            let passes = ["", "stopping", "store_unavailable"].contains(&told.as_str());
            if !passes || began.elapsed() > PATIENCE {
                return Err(error.context(format!("while the database is away: {told}")));
            }
            pause().await;
        }
    }
    Ok(())
}
