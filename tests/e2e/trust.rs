//! Trust decides what flows: a member in doubt, a revoked one, and a stranger.

use std::time::{Duration, Instant};

use anyhow::ensure;
use raccordo_tests::federation::command::Refusal;
use raccordo_tests::federation::{EQUIPE, Federation, RELAY, Setting, TOSCANA, UMBRIA, until};

use crate::alerts::{agree, examples, lines, listed, share};

/// What a cut connection may take; the design asks for 60 s at most.
const CUT_MAX: Duration = Duration::from_secs(20);

/// Toscana suspends umbria: its alerts wait, everything else flows. Verified again, they go.
pub async fn a_member_in_doubt(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let toscana = world.node(TOSCANA)?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;

    let suspend = ["trust", "suspend", UMBRIA, "--reason", "laptop lost", "--yes"];
    toscana.run(&suspend).await?;
    let held = toscana.equipe().await?;
    ensure!(held.sending.starts_with("held: ") && held.sending.contains(UMBRIA), "{held:?}");
    let findings = toscana.findings().await?;
    let named = findings.iter().any(|found| found.code == "member_not_trusted");
    ensure!(named, "{findings:?}");

    let waiting = examples(&world, "case", 2, "2").await?;
    let queue = ["alert", "share", "--equipe", EQUIPE, "-"];
    let queued = toscana.run_with(&queue, Some(&lines(&waiting)?)).await?;
    ensure!(queued.iter().all(|line| line["state"] == "queued"), "{queued:?}");
    // Umbria's alerts come, and toscana's receipts for them go, past those that wait.
    share(&world, UMBRIA, &examples(&world, "company", 2, "3").await?).await?;
    let at_umbria = listed(&world, UMBRIA).await?;
    ensure!(at_umbria.len() == 3, "held alerts arrived: {at_umbria:?}");
    ensure!(toscana.equipe().await?.outbox >= 2, "nothing waits at toscana");

    world.verify(TOSCANA, UMBRIA).await?;
    until("the alerts that were held", async || {
        Ok((listed(&world, UMBRIA).await?.len() == 5).then_some(()))
    })
    .await?;
    ensure!(toscana.equipe().await?.sending == "open", "still held");
    share(&world, TOSCANA, &examples(&world, "case", 1, "4").await?).await?;
    agree(&world).await
}

/// The hub revokes a member: its connection ends at once, and it is told why.
pub async fn a_revoked_member(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let umbria = world.node(UMBRIA)?;
    ensure!(umbria.equipe().await?.hub.unwrap_or_default().connected, "not connected");
    let revoke = ["trust", "revoke", UMBRIA, "--reason", "key stolen", "--yes"];
    world.node(RELAY)?.run(&revoke).await?;
    let began = Instant::now();
    until("umbria's connection to be cut", async || {
        let hub = umbria.equipe().await?.hub.unwrap_or_default();
        Ok((!hub.connected).then_some(()))
    })
    .await?;
    ensure!(began.elapsed() < CUT_MAX, "cut after {:?}", began.elapsed());
    not_trusted(&world, UMBRIA).await?;

    let lost = examples(&world, "case", 1, "1").await?;
    let accepted = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
    world.node(TOSCANA)?.run_with(&accepted, Some(&lines(&lost)?)).await?;
    ensure!(listed(&world, UMBRIA).await?.is_empty(), "a revoked member received an alert");
    let again = world.node(RELAY)?.refused(&["trust", "verify", UMBRIA, "--code", "a"]).await?;
    ensure!(again.exit == 3, "a revoked peer could be verified: {again}");
    Ok(())
}

/// A member revokes its hub: it lets go of it at once, and sends no case any more.
pub async fn a_revoked_hub(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let toscana = world.node(TOSCANA)?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    toscana.run(&["trust", "revoke", RELAY, "--reason", "broken into", "--yes"]).await?;
    let began = Instant::now();
    until("toscana to let go of the hub", async || {
        let equipe = toscana.equipe().await?;
        let held = equipe.sending.starts_with("held: ") && equipe.sending.contains(RELAY);
        let connected = equipe.hub.unwrap_or_default().connected;
        Ok((!connected && held).then_some(()))
    })
    .await?;
    ensure!(began.elapsed() < CUT_MAX, "cut after {:?}", began.elapsed());
    let kept = examples(&world, "case", 1, "2").await?;
    let queue = ["alert", "share", "--equipe", EQUIPE, "-"];
    let queued = toscana.run_with(&queue, Some(&lines(&kept)?)).await?;
    ensure!(queued.iter().all(|line| line["state"] == "queued"), "{queued:?}");
    // The other member still talks to the hub: what toscana said would be there.
    let umbria = examples(&world, "case", 1, "3").await?;
    let accepted = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
    world.node(UMBRIA)?.run_with(&accepted, Some(&lines(&umbria)?)).await?;
    let at_umbria = listed(&world, UMBRIA).await?;
    ensure!(!at_umbria.contains_key(&kept[0].id), "a case went through a revoked hub");
    Ok(())
}

/// A node that the hub does not trust cannot connect, and its doctor says so.
pub async fn a_stranger(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::open(setting).await?;
    world.add("marche").await?;
    world.export_card(RELAY).await?;
    world.export_card("marche").await?;
    world.introduce("marche", RELAY).await?;
    // The hub's administrator reads the words, and forgets to verify them.
    world.introduce(RELAY, "marche").await?;
    world.verify("marche", RELAY).await?;
    not_trusted(&world, "marche").await?;

    world.verify(RELAY, "marche").await?;
    until("marche to be connected", async || {
        let findings = world.node("marche")?.findings().await?;
        let hub = findings.iter().any(|found| found.code.starts_with("hub_"));
        Ok((!hub).then_some(()))
    })
    .await
}

/// `doctor` names the hub's refusal, and whose turn it is.
async fn not_trusted(world: &Federation, id: &str) -> anyhow::Result<()> {
    let finding = until("doctor to tell that the hub does not trust it", async || {
        let findings = world.node(id)?.findings().await?;
        Ok(findings.into_iter().find(|found| found.code == "hub_not_trusted"))
    });
    let finding = finding.await?;
    ensure!(finding.severity == "problem", "{finding:?}");
    ensure!(finding.whose.contains("administrator"), "{finding:?}");
    ensure!(finding.message.contains("does not trust this node"), "{finding:?}");
    // The command line says the same, and ends with 6: there is something to do.
    let told = world.node(id)?.run(&["doctor"]).await;
    let told = told.err().and_then(|error| error.downcast::<Refusal>().ok());
    ensure!(told.as_ref().is_some_and(|told| told.exit == 6), "{told:?}");
    Ok(())
}
