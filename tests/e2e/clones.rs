//! A data directory that was copied: both copies run, or an older one is put back. The copy
//! that has not spoken last says nothing more, and nothing that was acknowledged is lost.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, ensure};
use raccordo_proto::alert::v1::Alert;
use raccordo_tests::federation::command::Refusal;
use raccordo_tests::federation::{
    Database, EQUIPE, Federation, Node, Setting, TOSCANA, UMBRIA, until,
};
use raccordo_tests::postgres;

use crate::alerts::{audits_verify, examples, lines, listed, share};

const QUEUE: [&str; 5] = ["alert", "share", "--equipe", EQUIPE, "-"];

/// Copies the home of a node that does not run to another place, with its database.
fn copy(setting: Setting, node: &Node, to: &Path, name: &str) -> anyhow::Result<()> {
    let copied = Command::new("cp").arg("-a").arg(node.home().path()).arg(to).status()?;
    ensure!(copied.success(), "the home cannot be copied");
    if setting.database == Database::Postgres {
        let url = node.database_url()?;
        let path = url.split('?').next().unwrap_or_default();
        let (_, old) = path.rsplit_once('/').context("the database has no name")?;
        let new = format!("{old}_{name}");
        let create = format!("CREATE DATABASE {new} TEMPLATE {old}");
        postgres::run_in(&postgres::database()?, &create)?;
        let file = to.join("raccordo.toml");
        fs::write(&file, fs::read_to_string(&file)?.replace(old, &new))?;
    }
    Ok(())
}

/// What an operator was told is durable; none where the copy knew already that it is one.
async fn queued(world: &Federation, at: &Node, seed: &str) -> anyhow::Result<Option<Alert>> {
    let alerts = examples(world, "case", 1, seed).await?;
    match at.run_with(&QUEUE, Some(&lines(&alerts)?)).await {
        Ok(_) => Ok(alerts.into_iter().next()),
        Err(error) => {
            let refusal = error.downcast::<Refusal>()?;
            ensure!(refusal.code == "equipe_not_active", "{refusal}");
            Ok(None)
        }
    }
}

/// Whether a node has seen that another copy of it has spoken.
async fn knows(node: &Node) -> anyhow::Result<bool> {
    let equipe = node.equipe().await?;
    // What all others have read is gone from the log: then it cannot read on.
    let cut_off = equipe.alarms.iter().any(|alarm| alarm.starts_with("hub_trimmed"));
    Ok(equipe.state == "quarantined" || cut_off)
}

/// The copy that is left is given up or kept by its administrator, and joins again.
async fn comes_back(world: &Federation, node: &Node) -> anyhow::Result<()> {
    node.run(&["equipe", "rejoin", EQUIPE]).await?;
    until("the request at toscana", async || {
        let findings = world.node(TOSCANA)?.findings().await?;
        Ok(findings.iter().any(|found| found.code == "rejoin_to_approve").then_some(()))
    })
    .await?;
    world.node(TOSCANA)?.run(&["equipe", "approve-rejoin", EQUIPE, UMBRIA]).await?;
    until("the return", async || {
        let equipe = node.equipe().await?;
        Ok((equipe.state == "active" && equipe.sending == "open").then_some(()))
    })
    .await
}

async fn all_at_toscana(world: &Federation, alerts: &[&Alert]) -> anyhow::Result<()> {
    until("every alert at toscana", async || {
        let there = listed(world, TOSCANA).await?;
        Ok(alerts.iter().all(|alert| there.contains_key(&alert.id)).then_some(()))
    })
    .await?;
    let there = listed(world, TOSCANA).await?;
    ensure!(there.len() == alerts.len(), "toscana lists {}", there.len());
    // A key that had sealed two messages would have been refused there.
    let equipe = world.node(TOSCANA)?.equipe().await?;
    ensure!(equipe.set_aside == 0, "{equipe:?}");
    Ok(())
}

/// Both copies run and share; one is stopped by what the other has said.
pub async fn both_copies_run(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, UMBRIA, &first).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    let place = world.path("copies");
    fs::create_dir(&place)?;
    copy(setting, world.node(UMBRIA)?, &place.join(UMBRIA), "copy")?;
    let mut clone = Node::new(&place, UMBRIA, setting.log)?;
    fs::copy(world.node(UMBRIA)?.token_file(), clone.token_file())?;
    world.node_mut(UMBRIA)?.start().await?;
    clone.start().await?;

    let (one, other) =
        tokio::join!(queued(&world, world.node(UMBRIA)?, "2"), queued(&world, &clone, "3"));
    let (one, other) = (one?, other?);
    ensure!(one.is_some() || other.is_some(), "both copies are stopped");
    let lost = until("one of them to know", async || {
        if knows(&clone).await? {
            return Ok(Some(true));
        }
        Ok(knows(world.node(UMBRIA)?).await?.then_some(false))
    })
    .await?;
    // The one that goes on is switched off, and the other one takes its place.
    let left = if lost { world.node_mut(UMBRIA)? } else { &mut clone };
    until("what it has said to be placed", async || {
        Ok((left.equipe().await?.outbox == 0).then_some(()))
    })
    .await?;
    left.stop().await?;
    let stays = if lost { &clone } else { world.node(UMBRIA)? };
    comes_back(&world, stays).await?;
    let last = queued(&world, stays, "4").await?;
    ensure!(last.is_some(), "the copy that came back is not asked to share");
    let all: Vec<&Alert> = first.iter().chain(&one).chain(&other).chain(&last).collect();
    all_at_toscana(&world, &all).await
}

/// A copy that was made before the last alerts takes the place of the node.
pub async fn an_older_copy_is_put_back(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, UMBRIA, &first).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    let older = world.path("older");
    copy(setting, world.node(UMBRIA)?, &older, "older")?;
    world.node_mut(UMBRIA)?.start().await?;
    let second = examples(&world, "case", 2, "2").await?;
    share(&world, UMBRIA, &second).await?;
    let third = examples(&world, "case", 1, "3").await?;
    share(&world, TOSCANA, &third).await?;

    world.node_mut(UMBRIA)?.kill().await?;
    let home = world.node(UMBRIA)?.home().path().to_owned();
    fs::remove_dir_all(&home)?;
    fs::rename(&older, &home)?;
    world.node_mut(UMBRIA)?.start().await?;
    let fourth = queued(&world, world.node(UMBRIA)?, "4").await?;
    until("the older copy to know", async || Ok(knows(world.node(UMBRIA)?).await?.then_some(())))
        .await?;
    comes_back(&world, world.node(UMBRIA)?).await?;
    until("what toscana has shared", async || {
        Ok(listed(&world, UMBRIA).await?.contains_key(&third[0].id).then_some(()))
    })
    .await?;
    let mut all: Vec<&Alert> = first.iter().chain(&second).chain(&third).collect();
    all.extend(&fourth);
    all_at_toscana(&world, &all).await?;
    audits_verify(&world).await
}
