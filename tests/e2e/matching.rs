//! Two regions know the same worker and the same company, and learn it from their nodes.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};
use serde_json::{Value, json};

use crate::alerts::listed;
use crate::membership::{LAZIO, joined_by_lazio};

/// Within which a match is seen, on a machine that does much else; it is told how long it took.
const SOON: Duration = Duration::from_secs(60);

async fn phones(world: &Federation) -> anyhow::Result<()> {
    for (at, phone) in [(TOSCANA, "+39 055 1"), (UMBRIA, "+39 075 2")] {
        world.node(at)?.run_with(&["operator", "phone", "anna"], Some(phone)).await?;
    }
    Ok(())
}

fn person(family: &str, given: &str, born: &str) -> Value {
    json!({"person": {"names": [{"family": family, "given": given}], "birthDates": [born]}})
}

fn company(name: &str) -> Value {
    let addresses = json!([{"street": "Via Roma 1", "comune": "048017"}]);
    json!({"company": {"names": [name], "vatNumbers": ["00743110157"], "addresses": addresses}})
}

/// Adds a record; its id.
async fn add(world: &Federation, at: &str, what: &str, record: &Value) -> anyhow::Result<String> {
    let lines = world.node(at)?.run_with(&[what, "add", "-"], Some(&record.to_string())).await?;
    let line = lines.first().context("nothing printed")?;
    let id = if what == "case" { &line["record"] } else { &line["id"] };
    Ok(id.as_str().unwrap_or_default().to_owned())
}

async fn share(world: &Federation, at: &str, kind: &str, record: &str) -> anyhow::Result<String> {
    let node = world.node(at)?;
    let mut alert = node.first(&["alert", "example", "--kind", kind]).await?;
    if let Some(alert) = alert.as_object_mut() {
        alert.remove("id");
        alert.insert("record".to_owned(), record.into());
    }
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    let lines = node.run_with(&share, Some(&alert.to_string())).await?;
    Ok(lines.first().and_then(|line| line["id"].as_str()).unwrap_or_default().to_owned())
}

/// The match of a record, once it is in this state.
async fn matched(world: &Federation, at: &str, record: &str, state: &str) -> anyhow::Result<Value> {
    until(&format!("a match that is {state} at {at}"), async || {
        let found = world.node(at)?.run(&["match", "list"]).await?;
        let found = found.into_iter().find(|one| one["record"] == record);
        Ok(found.filter(|one| one["state"] == state))
    })
    .await
}

/// A worker whose name was heard differently, and a company, become candidates, are confirmed
/// on both sides, and linked; contacts are seen only then.
pub async fn the_same_worker_and_company(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    joined_by_lazio(&mut world).await?;
    let world = world;
    phones(&world).await?;
    // Lazio knows somebody else.
    add(&world, LAZIO, "case", &person("Traore", "Awa", "1993-11-30")).await?;
    for (kind, what, here, there) in [
        (
            "case",
            "case",
            person("Hossain", "Md Kamal", "1990-03-04"),
            person("Kamal Hosen", "", "1990-03-04"),
        ),
        ("company", "company", company("Rossi S.r.l."), company("ROSSI srl in liquidazione")),
    ] {
        let at_toscana = add(&world, TOSCANA, what, &here).await?;
        let alert = share(&world, TOSCANA, kind, &at_toscana).await?;
        let began = Instant::now();
        let at_umbria = add(&world, UMBRIA, what, &there).await?;
        let found = matched(&world, UMBRIA, &at_umbria, "candidate").await?;
        ensure!(began.elapsed() < SOON, "{:?}", began.elapsed());
        ensure!(found["object"] == alert.as_str() && found["grade"] == "A", "{found}");
        ensure!(found["counterpart"] == TOSCANA && found["contact"] == Value::Null, "{found}");
        let id = found["id"].as_str().unwrap_or_default().to_owned();
        let other = matched(&world, TOSCANA, &at_toscana, "candidate").await?;
        ensure!(other["id"] == found["id"] && other["families"] == found["families"], "{other}");

        world.node(TOSCANA)?.first(&["match", "confirm", &id]).await?;
        matched(&world, UMBRIA, &at_umbria, "confirmed_there").await?;
        world.node(UMBRIA)?.first(&["match", "confirm", &id]).await?;
        for (at, record, phone) in
            [(TOSCANA, &at_toscana, "+39 075 2"), (UMBRIA, &at_umbria, "+39 055 1")]
        {
            until("the other manager's phone", async || {
                let linked = matched(&world, at, record, "linked").await?;
                Ok((linked["contact"]["work_phone"] == phone).then_some(()))
            })
            .await?;
        }
    }
    // The third member has both alerts, and learns nothing of what the two found.
    until("both alerts at lazio", async || {
        Ok((listed(&world, LAZIO).await?.len() == 2).then_some(()))
    })
    .await?;
    let seen = world.node(LAZIO)?.run(&["match", "list"]).await?;
    ensure!(seen.is_empty(), "{seen:?}");
    Ok(())
}
