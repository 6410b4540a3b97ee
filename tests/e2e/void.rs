//! A change that only its maker can process: the two others lose for a while the keys that
//! would open it, hold it for void, and go on; the maker joins again.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use raccordo_core::ledger::LedgerScope;
use raccordo_node::store::Store as _;
use raccordo_node::store::ledger::LedgerRow;
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};

use crate::alerts::{examples, lines, listed};
use crate::membership::{LAZIO, joined_by_lazio};

const OTHERS: [&str; 2] = [UMBRIA, LAZIO];

/// Everything by commands, as the administrators type them.
pub async fn the_others_go_on(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    joined_by_lazio(&mut world).await?;
    // With shares at two only, the one that comes back below would leave too few.
    for id in [TOSCANA, UMBRIA, LAZIO] {
        holds_shares(&world, id).await?;
    }
    let mut shared = BTreeSet::new();
    queued(&world, TOSCANA, "1", &mut shared).await?;
    everywhere(&world, &shared).await?;

    let mut lost = Vec::new();
    for id in OTHERS {
        world.node_mut(id)?.stop().await?;
        lost.push((id, blind(&world, id).await?));
    }
    let before = world.node(TOSCANA)?.equipe().await?.epoch;
    world.node(TOSCANA)?.run(&["equipe", "update-keys", EQUIPE]).await?;
    until("the change in the log", async || {
        let epoch = world.node(TOSCANA)?.equipe().await?.epoch;
        Ok((epoch > before).then_some(()))
    })
    .await?;
    queued(&world, TOSCANA, "2", &mut shared).await?;
    for (id, rows) in lost {
        world.node_mut(id)?.start().await?;
        finds(&world, id, "commit_to_void").await?;
        world.node_mut(id)?.stop().await?;
        let store = world.node(id)?.store().await?;
        let mut tx = store.write().await?;
        tx.put_ledger(&rows).await?;
        tx.commit().await?;
        store.close().await;
        world.node_mut(id)?.start().await?;
        queued(&world, id, id, &mut shared).await?;
    }

    world.node(UMBRIA)?.run(&["equipe", "void", EQUIPE]).await?;
    finds(&world, UMBRIA, "commit_void_waits").await?;
    finds(&world, TOSCANA, "own_commit_doubted").await?;
    world.node(LAZIO)?.run(&["equipe", "void", EQUIPE]).await?;
    finds(&world, TOSCANA, "needs_rejoin").await?;
    finds(&world, UMBRIA, "rejoin_to_approve").await?;
    world.node(UMBRIA)?.run(&["equipe", "approve-rejoin", EQUIPE, TOSCANA]).await?;
    everywhere(&world, &shared).await?;
    for id in [TOSCANA, UMBRIA, LAZIO] {
        until("every alarm to end", async || {
            let equipe = world.node(id)?.equipe().await?;
            Ok((equipe.alarms.is_empty() && equipe.state == "active").then_some(()))
        })
        .await?;
    }
    Ok(())
}

/// Waits until a node has a share of every key, as both others.
async fn holds_shares(world: &Federation, id: &str) -> anyhow::Result<()> {
    until("a share of every key", async || {
        let shown = world.node(id)?.first(&["equipe", "keys", EQUIPE]).await?;
        let keys = shown["keys"].as_array().context("no keys")?;
        let held = keys.iter().all(|key| {
            let holders = key["holders"].as_array().map_or(0, Vec::len);
            key["own_share"] == true && holders == 3 && key["renewal"] == ""
        });
        Ok((held && !keys.is_empty()).then_some(()))
    })
    .await
}

/// Takes the keys from a node that does not run which open the paths of commits.
async fn blind(world: &Federation, id: &str) -> anyhow::Result<Vec<LedgerRow>> {
    let store = world.node(id)?.store().await?;
    let mut tx = store.write().await?;
    let equipes = tx.equipes().await?;
    let equipe = equipes.first().context("no équipe")?;
    let scope = LedgerScope::Group(equipe.group).to_string();
    let rows = tx.ledger(&scope).await?;
    let keys: Vec<_> = rows.into_iter().filter(|row| row.kind == "epoch_key_pairs").collect();
    ensure!(!keys.is_empty(), "no keys to lose");
    for row in &keys {
        tx.delete_ledger(&scope, &row.kind, &row.key).await?;
    }
    tx.commit().await?;
    store.close().await;
    Ok(keys)
}

/// Shared, and not waited for.
async fn queued(
    world: &Federation,
    from: &str,
    seed: &str,
    shared: &mut BTreeSet<String>,
) -> anyhow::Result<()> {
    let number = seed.bytes().fold(0_u64, |sum, byte| sum * 31 + u64::from(byte)).to_string();
    let alerts = examples(world, "case", 2, &number).await?;
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await?;
    shared.extend(alerts.into_iter().map(|alert| alert.id));
    Ok(())
}

/// Waits until a node's doctor finds something.
async fn finds(world: &Federation, id: &str, code: &str) -> anyhow::Result<()> {
    until("the doctor to find it", async || {
        let found = world.node(id)?.findings().await?;
        Ok(found.iter().any(|found| found.code == code).then_some(()))
    })
    .await
    .with_context(|| format!("{code} at {id}"))
}

/// Waits until all three have every alert, and nothing else.
async fn everywhere(world: &Federation, shared: &BTreeSet<String>) -> anyhow::Result<()> {
    for id in [TOSCANA, UMBRIA, LAZIO] {
        until("every alert at all three", async || {
            let there: BTreeSet<String> = listed(world, id).await?.into_keys().collect();
            ensure!(there.is_subset(shared), "{id} shows what nobody shared");
            Ok((there.len() == shared.len()).then_some(()))
        })
        .await?;
    }
    Ok(())
}
