//! An équipe goes on in another group, with another ciphersuite and alerts in flight, while
//! every node is killed on the way.

use std::collections::BTreeSet;

use anyhow::ensure;
use raccordo_tests::federation::command::text;
use raccordo_tests::federation::{
    EQUIPE, Federation, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};

use crate::term::{at, delivered, everywhere, queued};

/// Everything by commands, as the administrators type them.
pub async fn the_equipe_goes_on(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let mut shared = BTreeSet::new();
    delivered(&world, TOSCANA, "1", &mut shared).await?;
    let before = world.node(UMBRIA)?.equipe().await?;

    let succeed = ["equipe", "succeed", EQUIPE, "--suite", "classical", "--yes"];
    let begun = world.node(UMBRIA)?.first(&succeed).await?;
    ensure!(text(&begun, "/state") == "waiting for others", "{begun}");
    queued(&world, UMBRIA, "2", &mut shared).await?;
    signed(&world, TOSCANA).await?;
    queued(&world, TOSCANA, "3", &mut shared).await?;
    for id in NODES {
        world.node_mut(id)?.kill().await?;
        world.node_mut(id)?.start().await?;
    }
    queued(&world, UMBRIA, "4", &mut shared).await?;
    at(&world, RELAY, 2).await?;
    delivered(&world, TOSCANA, "5", &mut shared).await?;
    everywhere(&world, &shared).await?;
    for member in [TOSCANA, UMBRIA] {
        let now = world.node(member)?.equipe().await?;
        ensure!(now.lineage == before.lineage && now.group_id != before.group_id, "{now:?}");
    }
    Ok(())
}

/// Waits until a party is asked to sign the successor, and signs it.
async fn signed(world: &Federation, id: &str) -> anyhow::Result<()> {
    const CHANGE: &str = "founds a successor of the group after entry ";
    let node = world.node(id)?;
    until("the successor to come", async || {
        let pacts = node.run(&["pact", "list"]).await?;
        let waits = |row: &serde_json::Value| {
            text(row, "/change").starts_with(CHANGE) && text(row, "/state") == "waiting for me"
        };
        Ok(pacts.iter().any(waits).then_some(()))
    })
    .await?;
    node.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
    Ok(())
}
