//! Builds a node from its home, runs it, and ends it.

mod error;
mod health;
mod listeners;
mod provider;

use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;
use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Crypto;
use raccordo_core::id::BootId;
use raccordo_core::quota::Pace;
use raccordo_core::time::Clock;
use sd_notify::NotifyState;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use self::error::RunError;
use self::health::Health;
pub use self::listeners::Addresses;
use self::listeners::Listeners;
use crate::app::Node;
use crate::app::fault::Fault;
use crate::app::hub::{Hub, Limits};
use crate::app::rhythm::Rhythm;
use crate::clock::SystemClock;
use crate::config::{HubSection, MembershipSection};
use crate::courier::{self, Dialling, EmailNotices};
use crate::home::{Home, HomeLock};
use crate::setup::{self, Opened, SetupError};
use crate::transport::email::Mailer;
use crate::transport::pin::TrustedPins;

/// Longest time for calls under way to end.
const SHUTDOWN_MAX: Duration = Duration::from_secs(5);

/// A node that runs in this process.
pub struct Running {
    /// The node itself.
    pub node: Arc<Node>,
    /// Where it listens.
    pub addresses: Addresses,
    stop: CancellationToken,
    servers: TaskTracker,
    courier: TaskTracker,
    _lock: HomeLock,
}

/// Starts a node: opens its home, listens, and lets the courier run. Metrics and health are
/// served only with a handle, of which a process has one.
///
/// # Errors
/// [`RunError`]; then nothing runs.
pub async fn start(home: Home, metrics: Option<PrometheusHandle>) -> Result<Running, RunError> {
    let stop = CancellationToken::new();
    // Whatever was started ends if this does not come to its end.
    let unfinished = stop.clone().drop_guard();
    let Opened { home, config, lock, store, vault, identity, tls, entropy } =
        setup::open(home).await?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let node = Arc::new(Node {
        identity,
        store,
        vault,
        crypto: Crypto::new(entropy.clone()),
        boot: BootId::random(&*entropy),
        started_at: clock.now(),
        entropy,
        clock,
        envelopes_per_message_max: config.limits.envelopes_per_message_max(),
        lists: CodeLists::builtin(),
        slots: Default::default(),
        signals: Default::default(),
        hub: config.hub.enabled.then(|| Hub::new(limits(&config.hub))),
        rhythm: rhythm(&config.membership),
        links: Default::default(),
        claims: Default::default(),
        voice: Default::default(),
        matching: Default::default(),
        keys: Default::default(),
        gists: Default::default(),
        told: Default::default(),
        quotas: Default::default(),
        accounts: Default::default(),
        reading: Default::default(),
    });
    note_boot(&node).await?;
    let trusted = TrustedPins::new();
    courier::pins::refresh(&node, &trusted).await.map_err(SetupError::from)?;
    let proxy = config.outbound.proxy(&home).map_err(SetupError::from)?;
    let patience = config.outbound.patience();
    let servers = TaskTracker::new();
    let health = Health::start(&node, &stop, &servers).await;
    let listeners = Listeners {
        home: &home,
        config: &config,
        node: &node,
        tls: &tls,
        trusted: &trusted,
        stop: &stop,
        servers: &servers,
    };
    let addresses = listeners.start(metrics, health).await?;
    let notices = match (&config.email, addresses.desk) {
        (Some(email), Some(desk)) => Some(EmailNotices {
            mailer: Mailer::new(email.settings(&home, patience).map_err(SetupError::from)?)?,
            every: Duration::from_secs(u64::from(email.every_minutes) * 60),
            desk: listeners.desk_url(desk),
        }),
        _ => None,
    };
    servers.close();
    let dialling = Dialling { identity: tls, trusted, proxy, patience };
    let courier = courier::start(&node, dialling, notices, &stop);
    let stop = unfinished.disarm();
    let id = &node.identity.node;
    tracing::info!(node = %id, "the node runs");
    Ok(Running { node, addresses, stop, servers, courier, _lock: lock })
}

fn limits(hub: &HubSection) -> Limits {
    Limits {
        entries_per_minute_max: hub.entries_per_minute.get(),
        stored_bytes_max: hub.stored_bytes.get(),
        calls: Pace::per_minute(hub.calls_per_minute.get()),
    }
}

fn rhythm(membership: &MembershipSection) -> Rhythm {
    let MembershipSection { key_update_days, silent_after_days } = membership;
    Rhythm::of_days(key_update_days.get(), silent_after_days.get())
}

async fn note_boot(node: &Node) -> Result<(), SetupError> {
    let mut tx = node.store.write().await?;
    tx.insert_boot(node.boot, node.started_at).await?;
    tx.commit().await?;
    Ok(())
}

impl Running {
    /// Returns when a listener has failed, which stops the rest.
    pub async fn failed(&self) {
        self.stop.cancelled().await;
    }

    /// Ends it: no new calls, those under way for at most 5 s. False if some did not end.
    pub async fn stop(self) -> bool {
        self.stop.cancel();
        let all = async {
            self.courier.wait().await;
            self.servers.wait().await;
        };
        tokio::time::timeout(SHUTDOWN_MAX, all).await.is_ok()
    }
}

/// Runs a node until SIGTERM or SIGINT.
///
/// # Errors
/// [`RunError`]: it could not start, or a listener failed.
pub async fn until_told(home: Home, metrics: PrometheusHandle) -> Result<(), RunError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(RunError::Runtime)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(RunError::Runtime)?;
    let running = tokio::select! {
        running = start(home, Some(metrics)) => running?,
        _ = terminate.recv() => return Ok(()),
        _ = interrupt.recv() => return Ok(()),
    };
    notify(NotifyState::Ready);
    let failed = tokio::select! {
        () = running.failed() => true,
        _ = terminate.recv() => false,
        _ = interrupt.recv() => false,
    };
    notify(NotifyState::Stopping);
    tracing::info!("the node stops");
    if !running.stop().await {
        tracing::warn!("calls under way were cut off");
    }
    if failed { Err(RunError::ListenerFailed) } else { Ok(()) }
}

fn notify(state: NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd cannot be told");
    }
}

impl From<Fault> for RunError {
    fn from(fault: Fault) -> Self {
        Self::Setup(fault.into())
    }
}
