//! New cards of running nodes: they come to everybody by themselves, with new TLS keys.

use anyhow::ensure;
use raccordo_tests::federation::command::text;
use raccordo_tests::federation::{Federation, RELAY, Setting, TOSCANA, UMBRIA, until};

use crate::alerts::{agree, audits_verify, examples, share};

async fn rotate(world: &Federation, id: &str) -> anyhow::Result<u64> {
    let card = world.node(id)?.first(&["trust", "rotate", "--yes"]).await?;
    ensure!(text(&card, "/card").contains("BEGIN RACCORDO CARD"), "{card}");
    Ok(card["card_serial"].as_u64().unwrap_or_default())
}

/// Both others know this card of a node, and trust it as before.
async fn known(world: &Federation, of: &str, by: &[&str], serial: u64) -> anyhow::Result<()> {
    for id in by {
        until("the new card at the others", async || {
            let shown = world.node(id)?.first(&["trust", "show", of]).await?;
            let verified = text(&shown, "/state") == "verified";
            Ok((verified && shown["card_serial"] == serial).then_some(()))
        })
        .await?;
    }
    Ok(())
}

async fn all_is_well(world: &Federation, seed: &str) -> anyhow::Result<()> {
    for from in [TOSCANA, UMBRIA] {
        share(world, from, &examples(world, "case", 1, seed).await?).await?;
    }
    agree(world).await
}

/// Members and hub make new cards one after the other, and everybody starts anew.
pub async fn new_cards_for_everybody(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    for (of, others) in
        [(TOSCANA, [UMBRIA, RELAY]), (RELAY, [TOSCANA, UMBRIA]), (UMBRIA, [TOSCANA, RELAY])]
    {
        let serial = rotate(&world, of).await?;
        ensure!(serial == 2, "{of}: {serial}");
        known(&world, of, &others, serial).await?;
        all_is_well(&world, "1").await?;
    }
    for id in [RELAY, TOSCANA, UMBRIA] {
        world.node_mut(id)?.restart().await?;
    }
    all_is_well(&world, "2").await?;
    audits_verify(&world).await
}

/// Umbria is stopped while the hub and the other member make new cards, twice.
pub async fn a_member_was_away(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    for serial in [2, 3] {
        for (of, other) in [(TOSCANA, RELAY), (RELAY, TOSCANA)] {
            ensure!(rotate(&world, of).await? == serial, "{of}");
            known(&world, of, &[other], serial).await?;
        }
    }
    world.node_mut(RELAY)?.restart().await?;
    // It still knows the first card of the hub alone.
    world.node_mut(UMBRIA)?.start().await?;
    known(&world, RELAY, &[UMBRIA], 3).await?;
    known(&world, TOSCANA, &[UMBRIA], 3).await?;
    all_is_well(&world, "1").await
}
