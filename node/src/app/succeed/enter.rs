//! What a member does when it is in the successor of its group: what belonged to the group
//! before ends, what belongs to the lineage stays, and what not all have is sent again.

use std::collections::BTreeSet;

use raccordo_core::alarm::Ending;
use raccordo_core::id::{NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::sending::Standing;
use raccordo_core::trust::proposal::Proposal;

use super::follow::FOUNDED;
use crate::app::audit::{Actor, record};
use crate::app::fault::Done;
use crate::app::matching::events;
use crate::app::work::Work;
use crate::app::{Node, alarms, pacts, pseudonym, term};
use crate::store::Tx;
use crate::store::equipe::{EquipeRow, MemberRow};
use crate::store::outbox::EntryState;
use crate::store::successor::SuccessorRow;

/// Enters the successor, whose row and session the work has already.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn enter(
    node: &Node,
    work: &mut Work<'_>,
    before: &EquipeRow,
    successor: &Proposal,
) -> Done<()> {
    let (lineage, subject) = (before.lineage, before.lineage.to_string());
    let statement = successor.statement.statement();
    let end = statement.hub.end_before().map(|(last, _)| last).unwrap_or_default();
    let (from, to, after) = (before.group.to_string(), work.row.group.to_string(), end.to_string());
    let detail = [("after", after.as_str()), ("from", from.as_str()), ("to", to.as_str())];
    let tx = work.tx()?;
    record(node, tx, Actor::Node, "equipe.succeeded", &subject, &detail).await?;
    tx.raise_pact(lineage).await?;
    pacts::keep(node, tx, successor).await?;
    tx.put_successor(SuccessorRow {
        lineage,
        old_group: before.group,
        signed: successor.statement.digest(),
        statement: successor.statement.encode(),
        answer: FOUNDED.into(),
        changed_at: node.clock.now(),
    })
    .await?;
    send_again(tx, before, end).await?;
    alarms::end_all(node, tx, lineage, Ending::Successor).await?;
    term::hub_given_up(node, tx, lineage).await?;
    let mut lost: BTreeSet<NodeId> = BTreeSet::new();
    for asked in tx.rejoins(lineage).await? {
        tx.delete_rejoin(lineage, &asked.node).await?;
        lost.insert(asked.node);
    }
    tx.delete_ledger_scope(&LedgerScope::Group(before.group).to_string()).await?;
    lost.remove(&node.identity.node);
    let own =
        before.state != Standing::Succeeding.as_str() && before.state != Standing::Active.as_str();
    for who in &lost {
        events::came_back(node, work, who).await?;
    }
    match own {
        true => pseudonym::follow::begin_anew(work.tx()?, lineage).await,
        false => pseudonym::follow::succeeded(node, work, &lost).await,
    }
}

/// The log goes on after the entry that the statement names. What was placed there since by the
/// group before is placed nowhere, and what not all have confirmed waits to be sent.
async fn send_again(tx: &mut dyn Tx, before: &EquipeRow, end: Sequence) -> Done<()> {
    let lineage = before.lineage;
    tx.unplace_after(lineage, end).await?;
    tx.objects_placed_until(lineage, end).await?;
    tx.queue_all_again(lineage).await?;
    // What is left are notices, signed for the group before.
    for state in [EntryState::Pending, EntryState::Accepted, EntryState::Refused] {
        for notice in tx.entries_in(lineage, state, u32::MAX).await? {
            tx.delete_entry(lineage, notice.entry).await?;
        }
    }
    for member in tx.members(lineage).await? {
        let delivered = member.delivered.min(end);
        tx.put_member(MemberRow { delivered, ..member }).await?;
    }
    Ok(())
}
