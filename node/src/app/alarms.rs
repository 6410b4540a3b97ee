//! Alarms of équipes, raised and ended as the table of the core says
//! (`raccordo_core::alarm`): no other module writes their rows.
//!
//! Each is recorded when it is raised and when it ends, not each time that its cause comes
//! again.

use std::collections::BTreeSet;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Node;
use super::audit::{Actor, record};
use super::fault::Done;
use super::work::Work;
use crate::store::Tx;
use crate::store::equipe::AlarmRow;

/// An alarm to be raised.
#[derive(Clone, Debug)]
pub struct NewAlarm {
    code: AlarmCode,
    member: Option<NodeId>,
    peer: Option<NodeId>,
    place: Sequence,
    detail: String,
}

impl NewAlarm {
    /// One about the équipe as a whole.
    pub fn new(code: AlarmCode, detail: impl Into<String>) -> Self {
        let (member, peer, place) = (None, None, Sequence(0));
        Self { code, member, peer, place, detail: detail.into() }
    }

    /// One about a member, or about what it says.
    #[must_use]
    pub fn about(self, member: &NodeId) -> Self {
        Self { member: Some(member.clone()), ..self }
    }

    /// Of whom that member speaks.
    #[must_use]
    pub fn speaking_of(self, peer: &NodeId) -> Self {
        Self { peer: Some(peer.clone()), ..self }
    }

    /// The entry that it is about.
    #[must_use]
    pub fn at(self, place: Sequence) -> Self {
        Self { place, ..self }
    }

    /// As it is kept.
    pub fn row(self, lineage: LineageId, raised_at: Instant) -> AlarmRow {
        let Self { code, member, peer, place, detail } = self;
        AlarmRow { lineage, code, member, peer, place, detail, raised_at }
    }
}

/// Raises an alarm; whether it did not stand before. The words of one that stands and holds
/// stay as they are, since they name what came first; else the newest are kept.
///
/// # Errors
/// The store's.
pub async fn raise(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    alarm: NewAlarm,
) -> Done<bool> {
    let mut row = alarm.row(lineage, node.clock.now());
    let known = tx.alarms(lineage).await?;
    if let Some(known) = known.into_iter().find(|known| is_same(known, &row)) {
        row.place = row.place.max(known.place);
        if row.holds() {
            row.detail = known.detail.clone();
        }
        if (row.place, &row.detail) != (known.place, &known.detail) {
            tx.put_alarm(row).await?;
        }
        return Ok(false);
    }
    note(node, tx, &row, "equipe.alarm").await?;
    let (reason, detail) = (row.code.as_str(), row.detail.as_str());
    if row.holds() {
        tracing::error!(%lineage, reason, detail, "an alarm holds cases");
    } else {
        tracing::warn!(%lineage, reason, detail, "an alarm");
    }
    tx.put_alarm(row).await?;
    Ok(true)
}

fn is_same(one: &AlarmRow, other: &AlarmRow) -> bool {
    (one.code, &one.member, &one.peer) == (other.code, &other.member, &other.peer)
}

async fn note(node: &Node, tx: &mut dyn Tx, row: &AlarmRow, action: &str) -> Done<()> {
    let mut told = vec![("code", row.code.as_str())];
    if action == "equipe.alarm" {
        told.push(("detail", &row.detail));
    }
    told.extend(row.member.as_ref().map(|member| ("member", member.as_str())));
    told.extend(row.peer.as_ref().map(|peer| ("peer", peer.as_str())));
    record(node, tx, Actor::Node, action, &row.lineage.to_string(), &told).await
}

/// Ends those alarms of some that this ends, as the table says; whether there was one.
///
/// # Errors
/// The store's.
pub async fn end(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    ending: Ending,
    which: impl Fn(&AlarmRow) -> bool + Send,
) -> Done<bool> {
    let mut any = false;
    for row in tx.alarms(lineage).await? {
        if row.code.rule().is_ended_by(ending) && which(&row) {
            note(node, tx, &row, "equipe.alarm_ended").await?;
            tracing::info!(%lineage, reason = row.code.as_str(), "an alarm has ended");
            tx.delete_alarm(&row).await?;
            any = true;
        }
    }
    Ok(any)
}

/// All alarms that this ends.
///
/// # Errors
/// The store's.
pub async fn end_all(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    ending: Ending,
) -> Done<bool> {
    end(node, tx, lineage, ending, |_| true).await
}

/// All alarms about a member that this ends.
///
/// # Errors
/// The store's.
pub async fn end_of(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    ending: Ending,
    member: &NodeId,
) -> Done<bool> {
    end(node, tx, lineage, ending, |row| row.member.as_ref() == Some(member)).await
}

/// The same in the course of a batch, where nearly always none stands: looks at what stood
/// when the batch began.
///
/// # Errors
/// The store's.
pub async fn end_within(
    node: &Node,
    work: &mut Work<'_>,
    ending: Ending,
    which: impl Fn(&AlarmRow) -> bool + Send,
) -> Done<()> {
    let stands = work.alarms().await?;
    if !stands.iter().any(|row| row.code.rule().is_ended_by(ending) && which(row)) {
        return Ok(());
    }
    let lineage = work.row.lineage;
    end(node, work.tx()?, lineage, ending, which).await?;
    work.forget_alarms();
    Ok(())
}

/// Raises an alarm in the course of a batch.
///
/// # Errors
/// The store's.
pub async fn raise_within(node: &Node, work: &mut Work<'_>, alarm: NewAlarm) -> Done<bool> {
    let lineage = work.row.lineage;
    work.forget_alarms();
    raise(node, work.tx()?, lineage, alarm).await
}

/// Ends what is held against members that are none any more, and what was said of them. The
/// hub counts as there.
///
/// # Errors
/// The store's.
pub async fn end_of_absent(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let (lineage, hub) = (work.row.lineage, work.row.hub.clone());
    let members = work.tx()?.members(lineage).await?;
    let mut present: BTreeSet<NodeId> = members.into_iter().map(|row| row.node).collect();
    present.insert(hub);
    let gone = |named: &Option<NodeId>| named.as_ref().is_some_and(|it| !present.contains(it));
    let which = |row: &AlarmRow| gone(&row.member) || gone(&row.peer);
    end_within(node, work, Ending::Membership, which).await
}

/// Whether an alarm stands.
///
/// # Errors
/// The store's.
pub async fn stands(tx: &mut dyn Tx, lineage: LineageId, code: AlarmCode) -> Done<bool> {
    Ok(tx.alarms(lineage).await?.iter().any(|row| row.code == code))
}
