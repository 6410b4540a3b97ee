//! Alerts that the stories share.

use std::collections::BTreeMap;

use anyhow::ensure;
use raccordo_proto::alert::v1::{Alert, alert};
use raccordo_proto::casework::v1::AlertRecord;
use raccordo_tests::federation::{EQUIPE, Federation, until};
use serde_json::Value;
use uuid::Uuid;

/// Synthetic alerts of a kind, each with an id and, for a case, a consent of its own.
pub async fn examples(
    world: &Federation,
    kind: &str,
    count: usize,
    seed: &str,
) -> anyhow::Result<Vec<Alert>> {
    let count = count.to_string();
    let example = ["alert", "example", "--kind", kind, "--count", &count, "--seed", seed];
    let lines = world.node("relay")?.run(&example).await?;
    let alert = |line| {
        let mut alert: Alert = serde_json::from_value(line)?;
        alert.id = Uuid::new_v4().to_string();
        if let Some(alert::Body::CaseAlert(case)) = &mut alert.body {
            case.consent_ref = Uuid::new_v4().to_string();
        }
        Ok(alert)
    };
    lines.into_iter().map(alert).collect()
}

/// JSON Lines, as `alert share` reads them.
pub fn lines(alerts: &[Alert]) -> anyhow::Result<String> {
    let lines = alerts.iter().map(serde_json::to_string).collect::<Result<Vec<_>, _>>()?;
    Ok(lines.join("\n"))
}

/// Shares through the command line and waits until every member has them.
pub async fn share(world: &Federation, from: &str, alerts: &[Alert]) -> anyhow::Result<()> {
    let share = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "delivered"];
    let share = [&share[..], &["--timeout", "60s"]].concat();
    let lines = world.node(from)?.run_with(&share, Some(&lines(alerts)?)).await?;
    ensure!(lines.len() == alerts.len(), "{} lines for {} alerts", lines.len(), alerts.len());
    for (line, alert) in lines.iter().zip(alerts) {
        ensure!(line["id"] == alert.id.as_str() && line["state"] == "delivered", "{line}");
    }
    Ok(())
}

/// What a member's operator lists, by id; each only once.
pub async fn listed(world: &Federation, at: &str) -> anyhow::Result<BTreeMap<String, Value>> {
    let mut found = BTreeMap::new();
    for line in world.node(at)?.run(&["alert", "list", "--equipe", EQUIPE]).await? {
        let id = line["id"].as_str().unwrap_or_default().to_owned();
        ensure!(found.insert(id, line.clone()).is_none(), "listed twice: {line}");
    }
    Ok(found)
}

/// Each of these alerts stands once in the list, with the content that was shared.
pub fn are_listed(alerts: &[Alert], listed: &[AlertRecord]) -> anyhow::Result<()> {
    let mut bodies: BTreeMap<&str, &AlertRecord> = BTreeMap::new();
    for record in listed {
        ensure!(bodies.insert(&record.id, record).is_none(), "{} is listed twice", record.id);
    }
    for alert in alerts {
        let record = bodies.get(alert.id.as_str());
        let body = record.and_then(|record| record.body.as_ref());
        ensure!(body.is_some(), "{} is not listed", alert.id);
        let same = body.is_some_and(|body| body.body == alert.body);
        ensure!(same, "{} arrived with another content", alert.id);
    }
    Ok(())
}

/// Both members stand at the end of the hub's log, and see the same there.
pub async fn agree(world: &Federation) -> anyhow::Result<()> {
    let (one, other) = until("both members at one place", async || {
        let one = world.node("toscana")?.equipe().await?;
        let other = world.node("umbria")?.equipe().await?;
        let carried = world.node("relay")?.first(&["hub", "list"]).await?;
        let at_end = carried["sequence"] == one.sequence && one.sequence == other.sequence;
        Ok(at_end.then_some((one, other)))
    })
    .await?;
    ensure!(one.head == other.head && one.head.len() == 64, "{one:?} {other:?}");
    ensure!(one.authenticator == other.authenticator, "{one:?} {other:?}");
    ensure!(one.epoch == other.epoch && !one.authenticator.is_empty(), "{one:?} {other:?}");
    // Who comes back from a backup has no share, and two members need both: the alarm says that
    // a new key is to be made.
    let mut alarms = one.alarms.iter().chain(&other.alarms);
    ensure!(alarms.all(|alarm| alarm.starts_with("key_lost")), "{one:?} {other:?}");
    ensure!(one.set_aside == 0 && other.set_aside == 0, "{one:?} {other:?}");
    Ok(())
}

/// Every node's audit chain verifies.
pub async fn audits_verify(world: &Federation) -> anyhow::Result<()> {
    for id in raccordo_tests::federation::NODES {
        let verified = world.node(id)?.verify_audit().await?;
        ensure!(verified.records > 0, "{id} has audited nothing");
    }
    Ok(())
}
