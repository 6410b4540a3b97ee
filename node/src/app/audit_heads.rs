//! Where the audit chain ends goes out, signed: with heartbeats to the other members, and to the
//! log of this machine. Whoever rewrites the chain in the database cannot take that back, and
//! [`super::audit_chain`] holds the chain against it.
//!
//! Of every other member the first head of each day is kept, the newest, and what a later one
//! contradicts: a rewritten chain that goes on pushes out none of what was said before.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::audit::{AuditHead, SignedAuditHead, goes_back};
use raccordo_core::envelope::Body;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::time::Instant;

use super::alarms::{self, NewAlarm};
use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, heartbeat, pack};
use crate::store::Tx;
use crate::store::audit_head::{AuditHeadRow, HeadPart};
use crate::store::equipe::EquipeRow;

/// How often the end of the chain goes to the machine's log, where it has moved.
const LOG_EVERY: Duration = Duration::from_secs(15 * 60);
/// How long heads of others are kept.
const DAYS_KEPT: i64 = 800;
const DAY_MS: i64 = 24 * 3600 * 1000;

/// What this process has given away.
#[derive(Default)]
pub struct Announced {
    logged: Mutex<Option<(Instant, AuditHead)>>,
    told: Mutex<BTreeMap<LineageId, (Instant, AuditHead)>>,
}

impl Announced {
    fn told(&self, lineage: LineageId) -> Option<(Instant, AuditHead)> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).get(&lineage).copied()
    }

    /// Notes that a head is on its way to the members of an équipe.
    pub(super) fn note_told(&self, lineage: LineageId, now: Instant, head: AuditHead) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.insert(lineage, (now, head));
    }
}

/// Where the chain ends.
///
/// # Errors
/// The store's.
pub async fn own_head(tx: &mut dyn Tx) -> Done<AuditHead> {
    Ok(tx.audit_newest().await?.map_or(AuditHead::EMPTY, |record| record.head()))
}

/// The same, signed.
pub fn signed(node: &Node, head: AuditHead) -> SignedAuditHead {
    let (me, key) = (node.identity.node.clone(), &node.identity.key);
    SignedAuditHead::sign(me, head, node.clock.now(), key)
}

/// Writes the end of the chain to the machine's log, now and then and where it has moved.
///
/// # Errors
/// The store's.
pub async fn log(node: &Node) -> Done<()> {
    let now = node.clock.now();
    let head = own_head(&mut *node.store.read().await?).await?;
    {
        let mut logged = node.voice.audit.logged.lock().unwrap_or_else(PoisonError::into_inner);
        let early = |at: Instant| at <= now && now.since(at) < LOG_EVERY;
        if logged.is_some_and(|(at, last)| last == head || early(at)) {
            return Ok(());
        }
        *logged = Some((now, head));
    }
    let SignedAuditHead { node: me, at, signature, .. } = signed(node, head);
    let signature = hex::encode(signature);
    tracing::info!(node = %me, sequence = head.sequence, hash = %head.hash, %at, signature, "audit head");
    Ok(())
}

/// Whether the members of an équipe are to be told where the chain ends: once for each
/// heartbeat, where it has moved. A process that has just begun waits as long first.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn is_due(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<bool> {
    let (now, every) = (node.clock.now(), heartbeat::every(node, row)?);
    let last = node.voice.audit.told(row.lineage);
    let since = last.map_or(node.started_at, |(at, _)| at);
    if since <= now && now.since(since) < every {
        return Ok(false);
    }
    let head = own_head(tx).await?;
    Ok(last.is_none_or(|(_, told)| told != head))
}

/// Queues the end of the chain for the members of an équipe, if that is due; what is queued then.
///
/// # Errors
/// The store's.
pub async fn queue_due(node: &Node, work: &mut Work<'_>) -> Done<Option<AuditHead>> {
    let row = work.row.clone();
    if !is_due(node, work.tx()?, &row).await? {
        return Ok(None);
    }
    let head = own_head(work.tx()?).await?;
    pack::queue(node, work, Body::AuditHead(signed(node, head))).await?;
    Ok(Some(head))
}

/// Keeps where another member's chain ends. One that went back was rewritten, or its database
/// was put back: people are told.
///
/// # Errors
/// The store's.
pub async fn received(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    signed: &SignedAuditHead,
) -> Done<Result<(), &'static str>> {
    let statement = work.statement()?;
    let party = statement.statement().party(&entry.sender);
    let good = signed.node == entry.sender
        && party.is_some_and(|party| signed.verify(&party.identity).is_ok());
    if !good {
        return Ok(Err("bad_audit_head"));
    }
    let day = node.clock.now().0.div_euclid(DAY_MS);
    let row = |part, signed: &SignedAuditHead| AuditHeadRow { day, part, signed: signed.clone() };
    let known = work.tx()?.audit_heads(&entry.sender).await?;
    let newest = known.iter().rfind(|known| known.part == HeadPart::Newest);
    if let Some(newest) = newest.map(|newest| &newest.signed) {
        // What was said before the newest and comes late says nothing.
        if newest.head == signed.head || signed.at < newest.at {
            return Ok(Ok(()));
        }
        if goes_back(newest.head, signed.head) {
            let detail = format!(
                "{} signed record {} of its audit as {} at {}, and now says that it ends at \
                 record {} with {}",
                signed.node,
                newest.head.sequence,
                newest.head.hash,
                newest.at,
                signed.head.sequence,
                signed.head.hash
            );
            work.tx()?.keep_audit_head(row(HeadPart::Contradicted, newest)).await?;
            let alarm = NewAlarm::new(AlarmCode::AuditWentBack, detail);
            let alarm = alarm.about(&entry.sender).at(entry.sequence);
            alarms::raise_within(node, work, alarm).await?;
        }
    }
    let tx = work.tx()?;
    tx.keep_audit_head(row(HeadPart::First, signed)).await?;
    tx.put_audit_head(row(HeadPart::Newest, signed)).await?;
    tx.forget_audit_heads(&entry.sender, day - DAYS_KEPT).await?;
    Ok(Ok(()))
}

/// A member has joined again, with whatever database it has now: its chain may have gone back.
/// What it said before stays.
///
/// # Errors
/// The store's.
pub async fn returned(tx: &mut dyn Tx, member: &NodeId) -> Done<()> {
    Ok(tx.forget_newest_audit_heads(member).await?)
}

/// What other nodes have said of their chains, and where this node's own ends: one line of JSON
/// each, of one node or of all.
///
/// # Errors
/// The store's.
pub async fn export(node: &Node, of: Option<&NodeId>) -> Done<Vec<String>> {
    let mut tx = node.store.read().await?;
    let mut heads = Vec::new();
    for other in tx.audit_head_nodes().await? {
        if of.is_none_or(|of| *of == other) {
            let rows = tx.audit_heads(&other).await?;
            heads.extend(rows.into_iter().map(|row| row.signed));
        }
    }
    if of.is_none_or(|of| *of == node.identity.node) {
        heads.push(signed(node, own_head(&mut *tx).await?));
    }
    heads.dedup();
    let line =
        |head: &SignedAuditHead| head.to_line().map_err(|cause| Fault::ours("audit_line", cause));
    heads.iter().map(line).collect()
}
