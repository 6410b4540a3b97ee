//! Alerts through three real processes: from the sender's casework socket until the sender
//! knows that the receiver has them durably.

use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, ensure};
use raccordo_core::alert::{self, Alert};
use raccordo_core::codes::CodeLists;
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::object::Kind;
use raccordo_core::time::Clock as _;
use raccordo_node::clock::SystemClock;
use raccordo_proto::casework::v1::{AlertRecord, DeliveryState};
use raccordo_tests::federation::{
    Database, Federation, NODES, Operator, RELAY, Setting, TOSCANA, UMBRIA, until,
};
use serde::Serialize;

use crate::measure::{Samples, Spread, micros, process_cpu};

/// Alerts of one call; each call is a transaction.
pub(crate) const BATCH: usize = 500;

/// One run of many alerts.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Throughput {
    /// From the first call to the last receipt at the sender.
    pub(crate) alerts_per_s: f64,
    /// Entries that the hub ordered meanwhile, receipts included.
    pub(crate) entries: u64,
    /// CPU time of each process for one alert, in microseconds.
    pub(crate) sender_cpu_us: f64,
    /// Of the hub.
    pub(crate) hub_cpu_us: f64,
    /// Of the receiver.
    pub(crate) receiver_cpu_us: f64,
}

/// Alerts that travel alone.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Latency {
    /// From the call until the receiver processes it, by the receiver's clock, which counts
    /// whole milliseconds.
    pub(crate) one_way: Spread,
    /// From the call until the sender has the receipt: there and back.
    pub(crate) there_and_back: Spread,
}

/// Many alerts, as fast as they go.
///
/// `envelopes_per_message` is the key of that name at every node: 1, or 0 for as many as fit.
///
/// # Errors
/// A process or call that fails.
pub(crate) async fn throughput(
    count: usize,
    envelopes_per_message: usize,
) -> anyhow::Result<Throughput> {
    let federation = federation(envelopes_per_message).await?;
    let sender = federation.operator(TOSCANA)?;
    // The first message of a start waits for a commit; this is not about starts.
    let warm = share(&sender, examples(1)).await?;
    delivered(&sender, warm).await?;
    settled(&federation).await?;

    let alerts = examples(count);
    let before = cpu(&federation)?;
    let entries = federation.node(TOSCANA)?.equipe().await?.sequence;
    let start = Instant::now();
    let mut ids = Vec::new();
    for batch in alerts.chunks(BATCH) {
        ids.extend(share(&sender, batch.to_vec()).await?);
    }
    // Receipts are cumulative: with the newest, all are told.
    let newest = ids.last().cloned().context("an alert")?;
    delivered(&sender, vec![newest]).await?;
    let took = start.elapsed();
    let after = cpu(&federation)?;
    let entries = federation.node(TOSCANA)?.equipe().await?.sequence - entries;
    delivered(&sender, ids).await?;
    let mut per_alert = before
        .iter()
        .zip(&after)
        .map(|(before, after)| micros(after.saturating_sub(*before)) / count as f64);
    let mut next = || per_alert.next().unwrap_or_default();
    let (hub_cpu_us, sender_cpu_us, receiver_cpu_us) = (next(), next(), next());
    let alerts_per_s = count as f64 / took.as_secs_f64();
    Ok(Throughput { alerts_per_s, entries, sender_cpu_us, hub_cpu_us, receiver_cpu_us })
}

/// One alert at a time, on nodes that have nothing else to do.
///
/// # Errors
/// A process or call that fails.
pub(crate) async fn latency(count: usize) -> anyhow::Result<Latency> {
    let federation = federation(0).await?;
    let sender = federation.operator(TOSCANA)?;
    let warm = share(&sender, examples(1)).await?;
    delivered(&sender, warm).await?;
    let (mut there_and_back, mut one_way) = (Samples::default(), Samples::default());
    let mut starts = Vec::new();
    for alert in examples(count) {
        settled(&federation).await?;
        let (start, wall) = (Instant::now(), SystemTime::now());
        let ids = share(&sender, vec![alert]).await?;
        starts.push((ids.first().cloned().context("an id")?, wall));
        delivered(&sender, ids).await?;
        there_and_back.add(start.elapsed());
    }
    let arrived = federation.operator(UMBRIA)?.list().await?;
    for (id, start) in starts {
        let record = arrived.iter().find(|record| record.id == id);
        let at = received_at(record.context("an alert did not arrive")?)?;
        // Whole milliseconds are cut off: half of one is missing on average.
        let at = at + Duration::from_micros(500);
        one_way.add(at.duration_since(start).unwrap_or_default());
    }
    Ok(Latency { one_way: one_way.spread(), there_and_back: there_and_back.spread() })
}

/// Three nodes that share alerts, so many in each MLS message.
///
/// # Errors
/// A process or call that fails.
pub(crate) async fn federation(envelopes_per_message: usize) -> anyhow::Result<Federation> {
    let setting = Setting::on(Database::Sqlite).log("warn");
    let mut federation = Federation::founded(setting).await?;
    for node in NODES {
        let node = federation.node_mut(node)?;
        let config = node.home().config();
        let mut text = std::fs::read_to_string(&config)?;
        let messages = format!("envelopes_per_message = {envelopes_per_message}");
        // What bounds one member in casework is not what is measured.
        for (shown, wanted) in [
            ("#envelopes_per_message = 0", messages.as_str()),
            ("#entries_per_minute = 600", "entries_per_minute = 10000000"),
            ("#calls_per_minute = 6000", "calls_per_minute = 10000000"),
            ("#stored_bytes = 4294967296", "stored_bytes = 85899345920"),
        ] {
            ensure!(text.contains(shown), "the configuration shows no {shown}");
            text = text.replace(shown, wanted);
        }
        std::fs::write(&config, text)?;
        node.restart().await?;
    }
    Ok(federation)
}

/// Synthetic alerts.
pub(crate) fn examples(count: usize) -> Vec<Alert> {
    let entropy = SeededEntropy::labelled("bench");
    alert::example(Kind::Case, count, &entropy, SystemClock.now(), &CodeLists::builtin())
}

/// Shares in one call; the ids.
///
/// # Errors
/// The call fails, or finds an alert invalid.
pub(crate) async fn share(operator: &Operator, alerts: Vec<Alert>) -> anyhow::Result<Vec<String>> {
    let answer = operator.share(alerts).await?;
    ensure!(answer.violations.is_empty(), "an example is invalid: {:?}", answer.violations);
    Ok(answer.shared.into_iter().map(|shared| shared.id).collect())
}

/// Waits until alerts are delivered.
///
/// # Errors
/// The call fails.
pub(crate) async fn delivered(operator: &Operator, ids: Vec<String>) -> anyhow::Result<()> {
    reached(operator, ids, DeliveryState::Delivered).await
}

/// Waits until alerts have come so far.
///
/// # Errors
/// The call fails.
pub(crate) async fn reached(
    operator: &Operator,
    ids: Vec<String>,
    wanted: DeliveryState,
) -> anyhow::Result<()> {
    for batch in ids.chunks(BATCH) {
        // The node answers when its patience is over, too.
        loop {
            let alerts = operator.wait(batch.to_vec(), wanted).await?;
            let state = |one: &raccordo_proto::casework::v1::SharedAlert| {
                one.delivery.as_ref().map_or(0, |delivery| delivery.state)
            };
            if alerts.iter().all(|one| state(one) >= i32::from(wanted)) {
                break;
            }
        }
    }
    Ok(())
}

/// Waits until both members stand at one place and have nothing to send.
///
/// # Errors
/// They do not come to rest in time.
pub(crate) async fn settled(federation: &Federation) -> anyhow::Result<()> {
    until("quiet nodes", async || {
        let toscana = federation.node(TOSCANA)?.equipe().await?;
        let umbria = federation.node(UMBRIA)?.equipe().await?;
        let quiet = toscana.outbox + umbria.outbox == 0 && toscana.sequence == umbria.sequence;
        Ok(quiet.then_some(()))
    })
    .await
}

/// CPU time of relay, sender and receiver.
fn cpu(federation: &Federation) -> anyhow::Result<Vec<Duration>> {
    let of = |node: &&str| {
        let pid = federation.node(node)?.pid().context("a node that runs")?;
        process_cpu(pid)
    };
    [RELAY, TOSCANA, UMBRIA].iter().map(of).collect()
}

fn received_at(record: &AlertRecord) -> anyhow::Result<SystemTime> {
    let at = record.received_at.as_ref().context("an alert without its time of arrival")?;
    let seconds = Duration::from_secs(u64::try_from(at.seconds)?);
    Ok(SystemTime::UNIX_EPOCH + seconds + Duration::from_nanos(u64::try_from(at.nanos)?))
}
