//! Which hubs there are to talk to, and the tasks of each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::sending::Standing;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::line::Line;
use super::link::Feed;
use super::local_link::LocalLink;
use super::remote_link::RemoteLink;
use super::{errands, outbox, pins, subscriber};
use crate::app::fault::Done;
use crate::app::signals::Topic;
use crate::app::status::Link;
use crate::app::{Node, peers, term};
use crate::transport::address::HostPort;
use crate::transport::connect::Route;
use crate::transport::hub_link::HubClient;
use crate::transport::identity::TlsIdentity;
use crate::transport::pin::TrustedPins;
use crate::transport::proxy::Proxy;

/// How often is looked without a signal: cards expire.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// How hubs are dialled.
pub struct Dialling {
    /// This node's key.
    pub identity: TlsIdentity,
    /// Keys that may answer.
    pub trusted: TrustedPins,
    /// The proxy on the way out, if any.
    pub proxy: Option<Proxy>,
    /// Longest time until a connection stands.
    pub patience: Duration,
}

/// Where a hub is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// In this process.
    Here,
    /// There.
    At(HostPort),
    /// It cannot be dialled, for this reason.
    Nowhere(&'static str, String),
}

/// What is to run for one hub.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    place: Place,
    lineages: BTreeSet<LineageId>,
}

/// What runs for one hub.
struct Running {
    place: Place,
    line: Line,
    senders: BTreeMap<LineageId, CancellationToken>,
}

/// The hubs of all équipes, of all verified peers that have one, and this node's own.
async fn wanted(node: &Node) -> Done<BTreeMap<NodeId, Wanted>> {
    let mut hubs: BTreeMap<NodeId, Wanted> = BTreeMap::new();
    let own = &node.identity.node;
    let now = node.clock.now();
    let mut tx = node.store.read().await?;
    for row in tx.peers().await? {
        let card = peers::read_card(&row)?;
        let Some(endpoint) = &card.card().hub_endpoint else { continue };
        if row.state.counts_as_verified() && card.valid_at(now).is_ok() {
            hubs.insert(row.node, Wanted { place: place(endpoint), lineages: BTreeSet::new() });
        }
    }
    if node.hub.is_some() {
        hubs.insert(own.clone(), Wanted { place: Place::Here, lineages: BTreeSet::new() });
    }
    for row in tx.equipes().await? {
        if !matches!(
            Standing::parse(&row.state),
            Some(Standing::Active | Standing::Founding | Standing::NeedsRejoin)
        ) {
            continue;
        }
        let hub = hubs
            .entry(row.hub.clone())
            .or_insert_with(|| Wanted { place: nowhere(own, &row.hub), lineages: BTreeSet::new() });
        if term::opened(&mut *tx, &row).await? {
            hub.lineages.insert(row.lineage);
        }
    }
    Ok(hubs)
}

fn place(endpoint: &str) -> Place {
    match endpoint.parse() {
        Ok(address) => Place::At(address),
        Err(error) => Place::Nowhere("bad_endpoint", format!("{endpoint}: {error}")),
    }
}

fn nowhere(own: &NodeId, hub: &NodeId) -> Place {
    if hub == own {
        let text = "this node is the équipe's hub, but [hub] is not enabled in raccordo.toml";
        return Place::Nowhere("not_a_hub", text.into());
    }
    let text = format!(
        "{hub} is not verified here, its card has expired or names no endpoint: ask its \
         administrator for its card, then `raccordo trust add` and `raccordo trust verify {hub}`"
    );
    Place::Nowhere("not_verified", text)
}

/// Starts and stops the tasks of hubs until told to stop.
pub(super) async fn run(
    node: Arc<Node>,
    dialling: Dialling,
    stop: CancellationToken,
    tasks: TaskTracker,
) {
    let mut trust = node.signals.listen(Topic::Trust);
    let mut membership = node.signals.listen(Topic::Membership);
    let mut hubs = Hubs { node, dialling, stop, tasks, running: BTreeMap::new() };
    loop {
        hubs.adjust().await;
        tokio::select! {
            _ = trust.changed() => {}
            _ = membership.changed() => {}
            () = tokio::time::sleep(LOOK_AGAIN) => {}
            () = hubs.stop.cancelled() => return,
        }
    }
}

struct Hubs {
    node: Arc<Node>,
    dialling: Dialling,
    stop: CancellationToken,
    tasks: TaskTracker,
    running: BTreeMap<NodeId, Running>,
}

impl Hubs {
    /// Makes what runs what is wanted.
    async fn adjust(&mut self) {
        // A hub must not be dialled before its key is trusted.
        let read = match pins::refresh(&self.node, &self.dialling.trusted).await {
            Ok(()) => wanted(&self.node).await,
            Err(fault) => Err(fault),
        };
        let wanted = match read {
            Ok(wanted) => wanted,
            Err(fault) => {
                tracing::error!(reason = fault.reason, "cannot read which hubs there are");
                return;
            }
        };
        self.running.retain(|hub, running| {
            let stays = wanted.get(hub).is_some_and(|wanted| wanted.place == running.place);
            if !stays {
                running.line.stop.cancel();
            }
            stays
        });
        for (hub, wanted) in wanted {
            if !self.running.contains_key(&hub) {
                self.begin(&hub, &wanted.place);
            }
            if let Some(running) = self.running.get_mut(&hub) {
                running.adjust(&wanted.lineages, &self.tasks);
            }
        }
    }

    fn begin(&mut self, hub: &NodeId, place: &Place) {
        let stop = self.stop.child_token();
        let link = match self.link(hub, place, &stop) {
            Ok(link) => link,
            Err((reason, problem)) => {
                let link = Link { problem, reason: reason.into(), ..Link::default() };
                self.node.links.note(hub, link);
                return;
            }
        };
        let (stands, standing) = watch::channel(false);
        let line = Line { node: self.node.clone(), hub: hub.clone(), link, stands: standing, stop };
        self.tasks.spawn(subscriber::run(line.clone(), stands));
        self.tasks.spawn(errands::run(line.clone()));
        let running = Running { place: place.clone(), line, senders: BTreeMap::new() };
        self.running.insert(hub.clone(), running);
    }

    fn link(
        &self,
        hub: &NodeId,
        place: &Place,
        stop: &CancellationToken,
    ) -> Result<Arc<dyn Feed>, (&'static str, String)> {
        let address = match place {
            Place::Here => return Ok(Arc::new(LocalLink::new(self.node.clone()))),
            Place::Nowhere(reason, problem) => return Err((reason, problem.clone())),
            Place::At(address) => address.clone(),
        };
        let Dialling { identity, trusted, proxy, patience } = &self.dialling;
        let (trusted, proxy) = (trusted.clone(), proxy.clone());
        let route = Route::new(identity, trusted, hub.clone(), address, proxy, *patience)
            .map_err(|error| ("tls_settings", error.to_string()))?;
        let client = HubClient::new(route.lazy_channel());
        Ok(Arc::new(RemoteLink::new(client, stop.clone())))
    }
}

impl Running {
    fn adjust(&mut self, lineages: &BTreeSet<LineageId>, tasks: &TaskTracker) {
        self.senders.retain(|lineage, stop| {
            let stays = lineages.contains(lineage);
            if !stays {
                stop.cancel();
            }
            stays
        });
        for lineage in lineages {
            if !self.senders.contains_key(lineage) {
                let stop = self.line.stop.child_token();
                self.senders.insert(*lineage, stop.clone());
                let line = Line { stop, ..self.line.clone() };
                tasks.spawn(outbox::run(line, *lineage));
            }
        }
    }
}
