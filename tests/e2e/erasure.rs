//! Who is erased is gone: a thief of the database with the node key finds nothing, and no member
//! has the alert any more.

use anyhow::{Context as _, ensure};
use raccordo_tests::federation::{EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};
use raccordo_tests::stolen::Thief;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::alerts::listed;

/// What identifies the person, in forms that stand nowhere else: as typed and in normal form.
const CANARIES: [&str; 5] =
    ["Canarinetti", "Piopiolina", "CNRPPL85T50A562T", "+390559876543", "ZX9081726"];

/// Tables in which the id of an erased record may stand: its tombstone, its cases, and the audit.
const TOMBSTONES: [&str; 3] = ["register_record", "register_case", "audit"];

fn person() -> Value {
    json!({"person": {
        "names": [{"family": CANARIES[0], "given": CANARIES[1]}],
        "birthDates": ["1985-12-10"],
        "fiscalCodes": [CANARIES[2]],
        "phones": [CANARIES[3]],
        "documents": [{"kind": "passport", "number": CANARIES[4], "country": "BD"}],
    }})
}

/// A case and its record.
async fn add(world: &Federation) -> anyhow::Result<(String, Uuid)> {
    let person = person().to_string();
    let lines = world.node(TOSCANA)?.run_with(&["case", "add", "-"], Some(&person)).await?;
    let line = lines.first().context("nothing printed")?;
    let id = line["id"].as_str().context("no id")?.to_owned();
    Ok((id, line["record"].as_str().context("no record")?.parse()?))
}

/// Shares an alert about a record, with a consent of its own; the alert.
async fn share(world: &Federation, record: Uuid, consent: &str) -> anyhow::Result<String> {
    let node = world.node(TOSCANA)?;
    let mut alert = node.first(&["alert", "example", "--kind", "case"]).await?;
    let fields = alert.as_object_mut().context("no alert")?;
    fields.remove("id");
    fields.insert("record".to_owned(), record.to_string().into());
    fields["caseAlert"]["consentRef"] = consent.into();
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    let shared = node.run_with(&share, Some(&alert.to_string())).await?;
    Ok(shared.first().and_then(|line| line["id"].as_str()).context("no id")?.to_owned())
}

/// What the équipe's keys say: whether all are there, and how many records wait for answers.
async fn keys(world: &Federation) -> anyhow::Result<(bool, u64)> {
    let keys = world.node(TOSCANA)?.first(&["equipe", "keys", EQUIPE]).await?;
    let keys = keys["keys"].as_array().cloned().unwrap_or_default();
    let made = keys.len() == 3 && keys.iter().all(|key| key["key_epoch"].as_u64() > Some(0));
    let asked = |key: &Value| key["records_asked"].as_u64().unwrap_or_default();
    Ok((made, keys.iter().map(asked).sum()))
}

/// Steals database and node key of a node that does not run.
async fn stolen(world: &mut Federation, id: &str) -> anyhow::Result<Thief> {
    world.node_mut(id)?.stop().await?;
    let node = world.node(id)?;
    let key = std::fs::read_to_string(node.home().path().join("node.key"))?;
    let thief = Thief::of(&node.database_url()?, &key).await?;
    world.node_mut(id)?.start().await?;
    Ok(thief)
}

/// A person is erased while requests for tokens have no answer and the alert is on its way, and
/// another once tokens are made and all members have the alert.
pub async fn nothing_is_left(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting.classical()).await?;
    until("the keys for tokens", async || Ok(keys(&world).await?.0.then_some(()))).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    let (case, record) = add(&world).await?;
    let consent = Uuid::new_v4().to_string();
    let needles = [&CANARIES[..], &[&consent]].concat();
    let alert = share(&world, record, &consent).await?;
    until("a request for tokens", async || Ok((keys(&world).await?.1 > 0).then_some(()))).await?;

    // As control: with the key everything is found, in the register and on its way.
    let thief = stolen(&mut world, TOSCANA).await?;
    let found = thief.find(&needles);
    for place in ["register_field.sealed Canarinetti", "token_request.sealed CNRPPL85T50A562T"] {
        ensure!(found.contains(place), "{place} is not in {found:?}, with {} keys", thief.keys());
    }
    for table in ["envelope.sealed", "object.sealed_share"] {
        ensure!(found.contains(&format!("{table} {consent}")), "{table}: {found:?}");
    }

    world.node(TOSCANA)?.run(&["case", "erase", &case, "--yes"]).await?;
    gone(&mut world, record, &needles).await?;
    world.node_mut(UMBRIA)?.start().await?;
    withdrawn(&world, &alert).await?;

    let (case, record) = add(&world).await?;
    let alert = share(&world, record, &consent).await?;
    until("tokens, and the alert at umbria", async || {
        let waits = keys(&world).await?.1 > 0;
        let there = listed(&world, UMBRIA).await?.contains_key(&alert);
        Ok((there && !waits).then_some(()))
    })
    .await?;
    let thief = stolen(&mut world, TOSCANA).await?;
    let known = thief.tables_with(record.as_bytes());
    ensure!(known.contains("token") && known.contains("record_object"), "{known:?}");
    world.node(TOSCANA)?.run(&["case", "erase", &case, "--yes"]).await?;
    withdrawn(&world, &alert).await?;
    gone(&mut world, record, &needles).await?;
    let there = stolen(&mut world, UMBRIA).await?.find(&[&consent]);
    ensure!(there.is_empty(), "at umbria: {there:?}");
    world.node(TOSCANA)?.verify_audit().await?;
    Ok(())
}

/// Nothing of the person is in any table, and its record's id is in tombstones alone.
async fn gone(world: &mut Federation, record: Uuid, needles: &[&str]) -> anyhow::Result<()> {
    let thief = stolen(world, TOSCANA).await?;
    let found = thief.find(needles);
    ensure!(found.is_empty(), "left: {found:?}");
    let id = record.to_string();
    let named = [record.as_bytes().as_slice(), id.as_bytes()].map(|id| thief.tables_with(id));
    let named = named.into_iter().flatten().filter(|table| !TOMBSTONES.contains(table));
    let named: Vec<&str> = named.collect();
    ensure!(named.is_empty(), "the record is named in {named:?}");
    Ok(())
}

/// The alert has ended at both.
async fn withdrawn(world: &Federation, alert: &str) -> anyhow::Result<()> {
    for node in [TOSCANA, UMBRIA] {
        until(&format!("the withdrawal at {node}"), async || {
            let state = listed(world, node).await?.get(alert).map(|one| one["state"].clone());
            Ok((state != Some("active".into())).then_some(()))
        })
        .await?;
    }
    Ok(())
}
