//! What the other members note: who asks to join again, and who has.

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{NodeId, Sequence};
use raccordo_core::trust::commit::CommitView;
use raccordo_core::trust::notice::SignedNotice;
use raccordo_core::trust::rejoin::CarriedRequest;

use crate::app::alarms::{self, NewAlarm};
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::app::matching::events;
use crate::app::replay::{self, Recipient};
use crate::app::work::Work;
use crate::app::{Node, audit_heads};
use crate::store::rejoin::RejoinRow;

/// Keeps a request whose notice was verified, until it is followed or overtaken; a newer one
/// takes its place. What is no request is refused with a reason.
///
/// # Errors
/// The store's.
pub async fn requested(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    signed: &SignedNotice,
) -> Done<Result<(), &'static str>> {
    let (lineage, group) = (work.row.lineage, work.row.group);
    let statement = work.statement()?;
    let carried = CarriedRequest::decode(&entry.payload);
    let party = statement.statement().party(&entry.sender);
    let good = carried
        .is_ok_and(|carried| party.is_some_and(|party| carried.is_of(group, &party.identity)));
    if !good {
        return Ok(Err("bad_notice"));
    }
    let name = work.row.name.clone();
    let tx = work.tx()?;
    let subject = lineage.to_string();
    let detail = [("node", entry.sender.as_str())];
    record(node, tx, Actor::Node, "equipe.rejoin_requested", &subject, &detail).await?;
    tx.put_rejoin(RejoinRow {
        lineage,
        node: entry.sender.clone(),
        entry: entry.entry_id,
        signed_notice: signed.encode(),
        approved: false,
        noted_at: node.clock.now(),
    })
    .await?;
    let detail = format!(
        "{0} has lost its state and asks to join again: raccordo equipe approve-rejoin {name} {0}",
        entry.sender
    );
    let alarm = NewAlarm::new(AlarmCode::NoticeRejoinRequest, detail);
    alarms::raise_within(node, work, alarm.about(&entry.sender).at(entry.sequence)).await?;
    Ok(Ok(()))
}

/// After a commit that the validator has let pass: where it let a node join again, that one
/// is owed what it has lost.
///
/// # Errors
/// The store's.
pub async fn followed(
    node: &Node,
    work: &mut Work<'_>,
    commit: &CommitView,
    at: Sequence,
) -> Done<()> {
    if commit.authenticated_data.is_empty() {
        return Ok(());
    }
    let Ok(carried) = CarriedRequest::decode(&commit.authenticated_data) else { return Ok(()) };
    let (lineage, who) = (work.row.lineage, carried.sender().clone());
    replay::begin(work, &who, Recipient::Rejoined, at).await?;
    events::came_back(node, work, &who).await?;
    alarms::end_of(node, work.tx()?, lineage, Ending::MemberReturns, &who).await?;
    audit_heads::returned(work.tx()?, &who).await?;
    forget(node, work, &who).await?;
    let (tx, detail) = (work.tx()?, [("node", who.as_str())]);
    record(node, tx, Actor::Node, "equipe.rejoin_followed", &lineage.to_string(), &detail).await
}

/// Forgets a request that was followed, or cannot be any more, and the alarm about it.
///
/// # Errors
/// The store's.
pub(super) async fn forget(node: &Node, work: &mut Work<'_>, who: &NodeId) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    tx.delete_rejoin(lineage, who).await?;
    alarms::end_of(node, tx, lineage, Ending::Request, who).await?;
    work.forget_alarms();
    Ok(())
}
