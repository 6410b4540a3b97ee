//! What the node says of itself: counts and states, never bodies.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::sending::{Circumstances, Standing, hold};
use raccordo_core::time::Instant;
use raccordo_core::trust::statement::SignedStatement;

use super::clocks::Clocks;
use super::expiry::{self, Expiring};
use super::fault::{Done, Fault, Whose};
use super::pseudonym::show::{self, KeyStatus};
use super::{Node, doctor, membership, roster, storage};
use crate::store::Tx;
use crate::store::equipe::{AlarmRow, EquipeRow};

/// What the courier knows of the connection to one hub.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Whether the subscription stands.
    pub connected: bool,
    /// Why not, in words.
    pub problem: String,
    /// The next step; may be empty.
    pub hint: String,
    /// Stable word for the problem: `dns`, `refused`, `proxy`, `intercepted`, `not_trusted`, …
    pub reason: String,
}

impl Link {
    /// The problem and the next step in one line; empty where there is none.
    pub fn told(&self) -> String {
        match self.hint.as_str() {
            "" => self.problem.clone(),
            hint => format!("{}: {hint}", self.problem),
        }
    }
}

/// The connections of this process, by hub.
#[derive(Default)]
pub struct Links {
    links: Mutex<BTreeMap<NodeId, Link>>,
    seen: Mutex<BTreeMap<LineageId, Sequence>>,
    /// What is known of the clocks at their ends.
    pub clocks: Clocks,
}

impl Links {
    /// Notes how a connection stands.
    pub fn note(&self, hub: &NodeId, link: Link) {
        self.links.lock().unwrap_or_else(PoisonError::into_inner).insert(hub.clone(), link);
    }

    /// How a connection stands.
    pub fn of(&self, hub: &NodeId) -> Link {
        let links = self.links.lock().unwrap_or_else(PoisonError::into_inner);
        links.get(hub).cloned().unwrap_or_default()
    }

    /// Notes that the hub has at least so many entries.
    pub fn saw(&self, lineage: LineageId, sequence: Sequence) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let newest = seen.entry(lineage).or_default();
        *newest = (*newest).max(sequence);
    }

    /// Forgets what a hub had that keeps a log no longer.
    pub fn forget(&self, lineage: LineageId) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).remove(&lineage);
    }

    fn newest(&self, lineage: LineageId) -> Sequence {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(&lineage).copied().unwrap_or_default()
    }
}

/// One member as status shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberStatus {
    /// Its id.
    pub node: NodeId,
    /// `self`, a trust state, or `unknown`.
    pub trust: &'static str,
    /// Newest entry that it has durably processed.
    pub delivered: Sequence,
    /// When it was last heard of.
    pub last_seen: Instant,
    /// Whether it has joined the group and said so.
    pub joined: bool,
    /// Whether it has said nothing for longer than the configured time.
    pub silent: bool,
}

/// One équipe as status shows it.
#[derive(Clone, Debug)]
pub struct EquipeStatus {
    /// Its row.
    pub row: EquipeRow,
    /// Version of the statement in force.
    pub statement_version: u64,
    /// All parties of the statement.
    pub members: Vec<MemberStatus>,
    /// Term of the hub.
    pub term: u64,
    /// The connection to it.
    pub link: Link,
    /// Entries at the hub that are not processed here, as far as known.
    pub lag: u64,
    /// Envelopes not yet accepted by the hub.
    pub outbox: u64,
    /// What could not be processed here.
    pub set_aside: u64,
    /// `open`, or `held: ` and why.
    pub sending: String,
    /// Its alarms, oldest first.
    pub alarms: Vec<AlarmRow>,
    /// Where the log is on its way: what is to be done next, and by whom; else empty.
    pub next: String,
    /// The keys for tokens, one of each class, and what this node asks of them.
    pub keys: Vec<KeyStatus>,
}

/// The node as status shows it.
#[derive(Clone, Debug)]
pub struct NodeStatus {
    /// Newest migration applied.
    pub schema: u32,
    /// Whether the database answers.
    pub ready: bool,
    /// Since when this process runs.
    pub uptime_s: u64,
    /// What is wrong with the node as a whole.
    pub alarms: Vec<String>,
    /// What expires, the nearest end first.
    pub expires: Vec<Expiring>,
    /// All équipes.
    pub equipes: Vec<EquipeStatus>,
}

/// The whole status; of a database that does not answer only that it does not.
///
/// # Errors
/// A damaged row.
pub async fn at_any_time(node: &Node) -> Done<NodeStatus> {
    match status(node).await {
        Err(fault) if fault.whose == Whose::Unavailable => {
            let alarms = vec![format!("{}: {}", fault.reason, fault.message)];
            let (uptime_s, equipes, expires) = (uptime_s(node), Vec::new(), Vec::new());
            Ok(NodeStatus { schema: 0, ready: false, uptime_s, alarms, expires, equipes })
        }
        told => told,
    }
}

fn uptime_s(node: &Node) -> u64 {
    node.clock.now().since(node.started_at).as_secs()
}

/// The whole status.
///
/// # Errors
/// The store's.
pub async fn status(node: &Node) -> Done<NodeStatus> {
    let schema = node.store.schema().await?;
    let mut tx = node.store.read().await?;
    let mut equipes = Vec::new();
    for row in tx.equipes().await? {
        equipes.push(equipe_status(node, &mut *tx, row).await?);
    }
    let alarms: Vec<String> = storage::alarm(node).into_iter().collect();
    let (ready, uptime_s) = (alarms.is_empty(), uptime_s(node));
    drop(tx);
    let mut expires = expiry::all(node).await?;
    expires.sort_by_key(|expiring| expiring.at);
    Ok(NodeStatus { schema, ready, uptime_s, alarms, expires, equipes })
}

/// The status of one équipe, by name or lineage.
///
/// # Errors
/// `no_such_equipe`.
pub async fn equipe(node: &Node, name: &str) -> Done<EquipeStatus> {
    let mut tx = node.store.read().await?;
    let row = match name.parse::<LineageId>() {
        Ok(lineage) => tx.equipe(lineage).await?,
        Err(_) => tx.equipe_named(name).await?,
    };
    let row = row.ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list` and `raccordo pact list`")
    })?;
    equipe_status(node, &mut *tx, row).await
}

async fn equipe_status(node: &Node, tx: &mut dyn Tx, row: EquipeRow) -> Done<EquipeStatus> {
    let statement = SignedStatement::decode(&row.statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    let statement = statement.statement();
    let lineage = row.lineage;
    let rows = tx.members(lineage).await?;
    let mut members = Vec::new();
    for party in &statement.parties {
        let row = rows.iter().find(|row| row.node == party.node);
        let own = party.node == node.identity.node;
        let trust = match tx.peer(&party.node).await? {
            _ if own => "self",
            Some(peer) => peer.state.as_str(),
            None => "unknown",
        };
        let last_seen = row.map(|row| row.last_seen).unwrap_or_default();
        let heard = last_seen > Instant(0);
        let quiet = node.clock.now().since(last_seen) > node.rhythm.silent_after;
        members.push(MemberStatus {
            node: party.node.clone(),
            trust,
            delivered: row.map(|row| row.delivered).unwrap_or_default(),
            last_seen,
            joined: row.is_some() && (own || heard),
            silent: row.is_some() && !own && heard && quiet,
        });
    }
    let alarm_rows = tx.alarms(lineage).await?;
    let circumstances = Circumstances {
        standing: Standing::parse(&row.state).unwrap_or(Standing::Ended),
        fresh: true,
        commit_pending: false,
        untrusted: roster::untrusted(node, tx, lineage).await?,
        alarms: alarm_rows.iter().map(|alarm| alarm.code).collect(),
    };
    let link = node.links.of(&row.hub);
    let newest = node.links.newest(lineage);
    let sending = match circumstances.standing {
        Standing::Ended => {
            let why = membership::why_ended(&node.identity.node, &row.statement)?;
            format!("held: ended, {why}")
        }
        _ => sending(&circumstances),
    };
    Ok(EquipeStatus {
        statement_version: statement.version,
        members,
        term: statement.hub.term,
        lag: newest.0.saturating_sub(row.sequence.0),
        outbox: tx.unaccepted_envelopes(lineage).await?,
        set_aside: tx.set_aside_count(lineage).await?,
        sending,
        alarms: alarm_rows,
        next: doctor::next_of_move(node, tx, &row, &link).await?,
        keys: show::of(node, tx, &row).await?,
        link,
        row,
    })
}

/// `open`, or `held: ` and why.
pub fn sending(now: &Circumstances) -> String {
    match now.standing {
        Standing::Active => hold(now).map_or("open".into(), |why| format!("held: {why}")),
        other => format!("held: {}", other.as_str()),
    }
}
