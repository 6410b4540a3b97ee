//! The main story: two regions found an équipe, share, read and withdraw.

use anyhow::ensure;
use raccordo_tests::federation::{Federation, Setting, TOSCANA, UMBRIA, until};
use serde_json::Value;

use crate::alerts::{agree, audits_verify, examples, listed, share};

/// Founding; alerts both ways, of both kinds; one is read, one withdrawn.
pub async fn two_regions_exchange_alerts(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    everybody_is_connected(&world).await?;

    let cases = examples(&world, "case", 3, "1").await?;
    share(&world, TOSCANA, &cases).await?;
    let at_umbria = listed(&world, UMBRIA).await?;
    ensure!(at_umbria.len() == 3, "{at_umbria:?}");
    for case in &cases {
        let alert = &at_umbria[&case.id];
        ensure!(alert["origin"] == TOSCANA && alert["state"] == "active", "{alert}");
        ensure!(alert["received_at"].is_string(), "{alert}");
        let mut sent = serde_json::to_value(case)?;
        sent.as_object_mut().map(|sent| sent.remove("id"));
        ensure!(alert["body"] == sent, "another content: {alert}");
    }

    let company = examples(&world, "company", 1, "2").await?;
    share(&world, UMBRIA, &company).await?;
    let at_toscana = listed(&world, TOSCANA).await?;
    ensure!(at_toscana.len() == 4, "{at_toscana:?}");
    ensure!(at_toscana[&company[0].id]["kind"] == "company", "{at_toscana:?}");

    an_alert_is_read(&world, &cases[0].id).await?;
    an_alert_is_withdrawn(&world, &cases[1].id).await?;
    agree(&world).await?;
    audits_verify(&world).await
}

/// The classical suite does the same.
pub async fn the_classical_suite(setting: Setting) -> anyhow::Result<()> {
    two_regions_exchange_alerts(setting.classical()).await
}

async fn everybody_is_connected(world: &Federation) -> anyhow::Result<()> {
    for id in [TOSCANA, UMBRIA] {
        let equipe = world.node(id)?.equipe().await?;
        let hub = equipe.hub.clone().unwrap_or_default();
        ensure!(hub.connected && hub.id == "relay" && hub.term == 1, "{hub:?}");
        ensure!(equipe.sending == "open" && equipe.members.len() == 2, "{equipe:?}");
    }
    Ok(())
}

async fn an_alert_is_read(world: &Federation, id: &str) -> anyhow::Result<()> {
    world.node(UMBRIA)?.first(&["alert", "show", id]).await?;
    let shown = until("toscana to learn that it was read", async || {
        let shown = world.node(TOSCANA)?.first(&["alert", "show", id]).await?;
        Ok((shown["delivery"]["state"] == "read").then_some(shown))
    });
    let shown = shown.await?;
    ensure!(shown["delivery"]["delivered"] == 1 && shown["delivery"]["members"] == 1, "{shown}");
    Ok(())
}

async fn an_alert_is_withdrawn(world: &Federation, id: &str) -> anyhow::Result<()> {
    let (toscana, umbria) = (world.node(TOSCANA)?, world.node(UMBRIA)?);
    let refused = umbria.refused(&["alert", "withdraw", id, "--reason", "error"]).await?;
    ensure!(refused.exit == 3, "another's alert was withdrawn: {refused}");
    let withdraw = ["alert", "withdraw", id, "--reason", "consent_withdrawn"];
    let gone = toscana.first(&withdraw).await?;
    ensure!(gone["state"] == "withdrawn" && gone["body"] == Value::Null, "{gone}");
    let gone = until("the withdrawal at umbria", async || {
        let shown = umbria.first(&["alert", "show", id]).await?;
        Ok((shown["state"] == "withdrawn").then_some(shown))
    });
    let gone = gone.await?;
    ensure!(gone["body"] == Value::Null && gone["end_reason"] == "consent_withdrawn", "{gone}");
    let again = toscana.refused(&withdraw).await?;
    ensure!(again.exit == 6 && again.code == "already_ended", "{again}");
    Ok(())
}
