//! Follows one hub: its logs from our cursors, and our mailbox there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt;
use raccordo_core::id::{GroupId, LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::wire::hub::News;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::inbox::{self, Next};
use super::line::Line;
use super::link::{Cursors, LinkError};
use super::{Backoff, Trouble};
use crate::app::fault::Done;
use crate::app::signals::Topic;
use crate::app::status::Link;
use crate::app::{Node, term};
use crate::telemetry::{DIALS_FAILED, ENTRIES_PROCESSED, HUB_CONNECTED};

/// Longest silence of a hub, which says something every 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(50);
/// Longest from the last item taken until the hub is told.
const CONFIRM_DELAY: Duration = Duration::from_secs(1);
/// Entries taken after which the hub is told at once.
const CONFIRM_ENTRIES: usize = 512;

/// How a subscription ended.
enum End {
    /// Told to stop.
    Stopped,
    /// Another set of groups is to be followed, or entries are missing.
    Again,
}

/// What is followed at a hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Wanted {
    cursors: Cursors,
    lineages: BTreeMap<GroupId, LineageId>,
}

/// Reads what is to be followed at a hub.
async fn wanted(node: &Node, hub: &NodeId) -> Done<Wanted> {
    let mut tx = node.store.read().await?;
    let mut wanted = Wanted::default();
    wanted.cursors.mailbox = tx.mailbox_cursor(hub).await?;
    for row in tx.equipes().await? {
        // While it is founding, the hub has no such group yet.
        let standing = Standing::parse(&row.state);
        let reads = matches!(standing, Some(Standing::Active | Standing::Succeeding));
        let followed = row.hub == *hub && reads;
        if followed && term::opened(&mut *tx, &row).await? {
            wanted.cursors.checkpoints.extend(term::checkpoint_of(&row)?);
            wanted.cursors.groups.push((row.group, row.sequence));
            wanted.lineages.insert(row.group, row.lineage);
        }
    }
    Ok(wanted)
}

/// Follows until told to stop.
pub(super) async fn run(line: Line, stands: watch::Sender<bool>) {
    let mut subscriber = Subscriber { line, stands, backoff: Backoff::for_connections() };
    loop {
        let ended = subscriber.follow().await;
        subscriber.note_down();
        match ended {
            Ok(End::Stopped) => return,
            Ok(End::Again) => {}
            Err(trouble) => subscriber.trouble(&trouble).await,
        }
        if subscriber.line.stop.is_cancelled() {
            return;
        }
    }
}

struct Subscriber {
    line: Line,
    stands: watch::Sender<bool>,
    backoff: Backoff,
}

/// What the hub has not been told yet.
#[derive(Default)]
struct Untold {
    groups: BTreeSet<GroupId>,
    count: usize,
    /// When the hub is to be told at the latest.
    due: Option<Instant>,
}

impl Untold {
    fn add(&mut self, group: Option<GroupId>, count: usize) {
        self.groups.extend(group);
        self.count += count;
        self.due = Some(Instant::now() + CONFIRM_DELAY);
    }
}

impl Subscriber {
    async fn follow(&mut self) -> Result<End, Trouble> {
        let node = self.line.node.clone();
        // Before the cursors are read, so that no change is missed.
        let mut membership = node.signals.listen(Topic::Membership);
        let mut wanted = wanted(&node, &self.line.hub).await?;
        let stop = self.line.stop.clone();
        let link = self.line.link.clone();
        let mut items = tokio::select! {
            subscribed = link.subscribe(&wanted.cursors) => subscribed?,
            () = stop.cancelled() => return Ok(End::Stopped),
        };
        let mut untold = Untold::default();
        loop {
            let due = untold.due.unwrap_or_else(|| Instant::now() + SILENCE_MAX);
            tokio::select! {
                biased;
                () = stop.cancelled() => {
                    self.tell(&mut untold).await;
                    return Ok(End::Stopped);
                }
                _ = membership.changed() => {
                    if self.lineages_now().await? != wanted.lineages {
                        self.tell(&mut untold).await;
                        return Ok(End::Again);
                    }
                }
                () = sleep_until(due), if untold.due.is_some() => self.tell(&mut untold).await,
                item = timeout(SILENCE_MAX, items.next()) => {
                    let item = item.map_err(|_| silent())?.ok_or_else(closed)??;
                    self.note_up();
                    if !self.take(&item, &mut wanted, &mut untold).await? {
                        return Ok(End::Again);
                    }
                }
            }
        }
    }

    /// Takes an item; false when the subscription must begin anew.
    async fn take(
        &mut self,
        item: &News,
        wanted: &mut Wanted,
        untold: &mut Untold,
    ) -> Result<bool, Trouble> {
        let node = &self.line.node;
        if let News::Entries(batch) = item {
            // A group that was left: what was on its way is not looked at.
            let Some(lineage) = wanted.lineages.get(&batch.group) else { return Ok(true) };
            node.links.saw(*lineage, batch.checkpoint.checkpoint().sequence);
        }
        match inbox::take(node, &*self.line.link, &self.line.hub, item).await? {
            Next::GoOn => {}
            Next::Confirm { group, count } => {
                if group.is_some() {
                    metrics::counter!(ENTRIES_PROCESSED.name).increment(count as u64);
                }
                untold.add(group, count);
                if untold.count >= CONFIRM_ENTRIES {
                    self.tell(untold).await;
                }
            }
            Next::Resubscribe => {
                let wait = self.backoff.next(&*node.entropy);
                self.line.pause(wait).await;
                return Ok(false);
            }
            Next::Leave(group) => drop(wanted.lineages.remove(&group)),
        }
        Ok(true)
    }

    async fn lineages_now(&self) -> Done<BTreeMap<GroupId, LineageId>> {
        Ok(wanted(&self.line.node, &self.line.hub).await?.lineages)
    }

    /// Tells the hub; if that fails, the next time will tell more.
    async fn tell(&self, untold: &mut Untold) {
        if untold.count == 0 {
            return;
        }
        let told = std::mem::take(untold);
        let Line { node, hub, link, .. } = &self.line;
        if let Err(trouble) = inbox::confirm(node, &**link, hub, &told.groups).await {
            trouble.log("confirming", hub);
        }
    }

    fn note_up(&mut self) {
        if !self.stands.send_replace(true) {
            let hub = &self.line.hub;
            self.backoff.reset();
            tracing::info!(%hub, "connected to the hub");
            metrics::gauge!(HUB_CONNECTED.name, "hub" => hub.to_string()).set(1.0);
            self.line.node.links.note(hub, Link { connected: true, ..Link::default() });
            // A hub that was away keeps nothing back: its time begins anew.
            self.line.node.claims.begin_anew(self.line.node.clock.now());
        }
    }

    fn note_down(&self) {
        if self.stands.send_replace(false) {
            let hub = &self.line.hub;
            metrics::gauge!(HUB_CONNECTED.name, "hub" => hub.to_string()).set(0.0);
            let problem = "the subscription begins anew".to_owned();
            let reason = "resubscribing".to_owned();
            let link = Link { problem, reason, ..Link::default() };
            self.line.node.links.note(hub, link);
        }
    }

    async fn trouble(&mut self, trouble: &Trouble) {
        let Line { node, hub, .. } = &self.line;
        let reason = trouble.reason().to_owned();
        metrics::counter!(
            DIALS_FAILED.name, "hub" => hub.to_string(), "reason" => reason.clone()
        )
        .increment(1);
        let (problem, hint) = (trouble.to_string(), trouble.hint().to_owned());
        node.links.note(hub, Link { connected: false, problem, hint, reason });
        trouble.log("subscription", hub);
        let wait = self.backoff.next(&*node.entropy);
        self.line.pause(wait).await;
    }
}

fn silent() -> LinkError {
    LinkError::Later {
        reason: "silent".into(),
        message: format!("the hub has said nothing for {} s", SILENCE_MAX.as_secs()),
        hint: "the node connects again by itself".into(),
    }
}

fn closed() -> LinkError {
    LinkError::Later {
        reason: "closed".into(),
        message: "the hub has ended the subscription".into(),
        hint: "the hub may be restarting: the node connects again by itself".into(),
    }
}
