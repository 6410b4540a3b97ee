//! Whether the node can do its work, looked at now and then.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::app::Node;
use crate::app::fault::Done;
use crate::app::heartbeat::is_overdue;
use crate::telemetry::{ALARMS_RAISED, HealthReport, MEMBERS_SILENT, OUTBOX_WAITING};

/// How often the database is asked.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Longest that it may take.
const PATIENCE: Duration = Duration::from_secs(4);

/// The newest report.
#[derive(Clone, Default)]
pub(super) struct Health(Arc<Mutex<HealthReport>>);

impl Health {
    /// Looks once, then now and then until told to stop.
    pub(super) async fn start(
        node: &Arc<Node>,
        stop: &CancellationToken,
        tasks: &TaskTracker,
    ) -> Self {
        let health = Self::default();
        health.look(node).await;
        let (kept, node, stop) = (health.clone(), node.clone(), stop.clone());
        tasks.spawn(async move {
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK_EVERY) => kept.look(&node).await,
                    () = stop.cancelled() => return,
                }
            }
        });
        health
    }

    /// The newest report.
    pub(super) fn report(&self) -> HealthReport {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn look(&self, node: &Node) {
        // What failed is tried, so that it is known when the cause has ended.
        if node.store.ailing().is_some() {
            let _ = tokio::time::timeout(PATIENCE, node.store.probe()).await;
        }
        let reasons = match tokio::time::timeout(PATIENCE, measured(node)).await {
            Ok(Ok(())) => ailing(node).into_iter().collect(),
            Ok(Err(fault)) => vec![format!("database: {fault}")],
            Err(_) => vec!["database: no answer".to_owned()],
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = HealthReport { reasons };
    }
}

fn ailing(node: &Node) -> Option<String> {
    let ailing = node.store.ailing()?;
    Some(format!("database: {}: {}", ailing.ailment.reason(), ailing.ailment))
}

/// Counts what waits and what is wrong; that the database answers is a part of it.
async fn measured(node: &Node) -> Done<()> {
    node.store.ping().await?;
    let mut tx = node.store.read().await?;
    for row in tx.equipes().await? {
        let waiting = tx.unaccepted_envelopes(row.lineage).await?;
        let alarms = tx.alarms(row.lineage).await?.len();
        let mut silent = 0.0;
        for member in tx.members(row.lineage).await? {
            let other = member.node != node.identity.node;
            if other && is_overdue(node, &row, member.last_seen)? {
                silent += 1.0;
            }
        }
        metrics::gauge!(MEMBERS_SILENT.name, "equipe" => row.name.clone()).set(silent);
        metrics::gauge!(OUTBOX_WAITING.name, "equipe" => row.name.clone()).set(waiting as f64);
        metrics::gauge!(ALARMS_RAISED.name, "equipe" => row.name).set(alarms as f64);
    }
    Ok(())
}
