//! A third region comes, has what was shared before, and is removed again.

use anyhow::ensure;
use raccordo_tests::federation::command::text;
use raccordo_tests::federation::{EQUIPE, Federation, MEMBERS, NODES, RELAY, Setting};
use raccordo_tests::federation::{TOSCANA, UMBRIA, until};

use crate::alerts::{examples, listed, share};

/// The third region.
pub const LAZIO: &str = "lazio";

/// Everything by commands, as three administrators type them.
pub async fn a_third_region_comes_and_goes(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 2, "1").await?).await?;
    share(&world, UMBRIA, &examples(&world, "company", 1, "2").await?).await?;
    joined_by_lazio(&mut world).await?;
    until("lazio to have what was shared before", async || {
        Ok((listed(&world, LAZIO).await?.len() == 3).then_some(()))
    })
    .await?;
    // Delivered to both others, who see it once.
    share(&world, LAZIO, &examples(&world, "case", 1, "3").await?).await?;
    ensure!(listed(&world, UMBRIA).await?.len() == 4, "umbria misses an alert");
    world.node(UMBRIA)?.run(&["equipe", "update-keys", EQUIPE]).await?;

    go(&world).await?;
    share(&world, UMBRIA, &examples(&world, "case", 1, "4").await?).await?;
    ensure!(listed(&world, TOSCANA).await?.len() == 5, "toscana misses an alert");
    world.node_mut(LAZIO)?.restart().await?;
    ensure!(listed(&world, LAZIO).await?.len() == 4, "a removed party read on");
    let ended = world.node(LAZIO)?.equipe().await?;
    ensure!(ended.state == "ended", "{ended:?}");
    ensure!(ended.sending == "held: ended, removed by toscana, umbria", "{ended:?}");
    let findings = world.node(LAZIO)?.findings().await?;
    ensure!(findings.iter().any(|found| found.code == "equipe_ended"), "{findings:?}");
    Ok(())
}

/// The third region is made, met by everybody, and a member with an operator.
pub async fn joined_by_lazio(world: &mut Federation) -> anyhow::Result<()> {
    world.add(LAZIO).await?;
    meet(world).await?;
    come(world).await?;
    world.staff(LAZIO).await
}

pub async fn meet(world: &Federation) -> anyhow::Result<()> {
    world.export_card(LAZIO).await?;
    for id in NODES {
        world.introduce(id, LAZIO).await?;
        world.introduce(LAZIO, id).await?;
        world.verify(id, LAZIO).await?;
        world.verify(LAZIO, id).await?;
    }
    Ok(())
}

async fn come(world: &Federation) -> anyhow::Result<()> {
    let toscana = world.node(TOSCANA)?;
    let draft = world.path("later.toml");
    let draft = draft.to_string_lossy();
    let parties = [MEMBERS[0], MEMBERS[1], LAZIO].join(",");
    let drafting = ["pact", "draft", "--equipe", EQUIPE, "--parties", &parties];
    let rest = ["--hub", RELAY, "--out", &draft, "--example"];
    toscana.run(&[&drafting[..], &rest[..]].concat()).await?;
    toscana.run(&["pact", "sign", &draft, "--yes"]).await?;
    toscana.run(&["pact", "propose", EQUIPE]).await?;
    asked(world, UMBRIA, "adds lazio, renews the pact").await?;
    world.node(UMBRIA)?.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
    let lazio = world.node(LAZIO)?;
    until("the proposal at lazio", async || {
        Ok((!lazio.run(&["pact", "list"]).await?.is_empty()).then_some(()))
    })
    .await?;
    lazio.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
    until("lazio to have joined", async || {
        let members = toscana.equipe().await?.members;
        let joined = members.iter().filter(|member| member.joined).count();
        Ok((joined == 3).then_some(()))
    })
    .await
}

async fn go(world: &Federation) -> anyhow::Result<()> {
    let remove = ["equipe", "remove", EQUIPE, LAZIO, "--reason", "merged"];
    let begun = world.node(TOSCANA)?.first(&remove).await?;
    ensure!(text(&begun, "/state") == "waiting for others", "{begun}");
    asked(world, UMBRIA, "removes lazio").await?;
    world.node(UMBRIA)?.run(&["pact", "sign", EQUIPE, "--yes"]).await?;
    until("lazio to know that it was removed", async || {
        let listed = world.node(LAZIO)?.run(&["equipe", "list"]).await?;
        Ok(listed.iter().any(|row| text(row, "/state") == "ended").then_some(()))
    })
    .await
}

/// Waits until a party is asked to sign a change.
async fn asked(world: &Federation, id: &str, change: &str) -> anyhow::Result<()> {
    until("the change to come", async || {
        let listed = world.node(id)?.run(&["pact", "list"]).await?;
        let waits = |row: &serde_json::Value| {
            text(row, "/change") == change && text(row, "/state") == "waiting for me"
        };
        Ok(listed.iter().any(waits).then_some(()))
    })
    .await
}
