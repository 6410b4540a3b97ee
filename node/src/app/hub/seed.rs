//! Takes the log of an équipe whose next term this hub has accepted, as a member kept it:
//! verbatim, chained to where the hub before signed that it ended, or all parties did.

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::hublog::{Chain, ChainFault, LogEntry};
use raccordo_core::id::{GroupId, NodeId};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::time::Instant;
use raccordo_core::trust::commit::GroupView;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_view;
use raccordo_core::wire::seed::{Seed, SeedState, Seeded};

use super::accept::not_a_hub;
use super::read_log::statement_of;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::work::write_ledger;
use crate::store::Tx;
use crate::store::hub::{CarriedRow, LogRow};

/// Most entries of one page.
const ENTRIES_MAX: usize = 64;

/// Takes a page. Repeated and overlapping pages are safe; a copy that does not come out right
/// is thrown away.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `not_accepted`, `not_a_party`, `seed_gap`, `seed_bad`.
pub async fn seed(node: &Node, caller: &NodeId, page: Seed) -> Done<Seeded> {
    let Some(hub) = &node.hub else { return Err(not_a_hub()) };
    if page.entries.len() > ENTRIES_MAX {
        return Err(Fault::usage("too_many", "a page hands over at most 64 entries"));
    }
    let mut slot = hub.lock(page.group).await;
    let mut tx = node.store.write().await?;
    tx.raise_carried(page.lineage).await?;
    let Some(mut row) = tx.carried(page.lineage).await? else {
        return Err(Fault::not_found("no_such_equipe", "this équipe was not offered here"));
    };
    let statement = statement_of(&row)?;
    if !statement.statement().may_have_leaf(caller) {
        return Err(Fault::refused("not_a_party", "only a party hands a log over"));
    }
    match row.state.as_str() {
        "accepted" if statement.statement().hub.term > 1 => {}
        "founded" | "seeded" if row.group == page.group => {
            return Ok(Seeded { founded: true, sequence: row.sequence });
        }
        _ => return Err(Fault::refused("not_accepted", "this hub does not wait for a log")),
    }
    let group = page.group;
    let taken = take(node, &mut *tx, &mut row, page).await;
    let public = match taken {
        Ok(public) => public,
        Err(fault) if fault.reason == "seed_bad" => {
            begin(&mut *tx, &mut row, group).await?;
            row.group = GroupId([0; 32]);
            tx.update_carried(&row).await?;
            tx.commit().await?;
            return Err(fault);
        }
        Err(fault) => return Err(fault),
    };
    let founded = public.is_some();
    if founded {
        let lineage = row.lineage.to_string();
        let sequence = row.sequence.to_string();
        let detail = [("by", caller.as_str()), ("sequence", sequence.as_str())];
        record(node, &mut *tx, Actor::Node, "hub.seeded", &lineage, &detail).await?;
    }
    tx.update_carried(&row).await?;
    tx.commit().await?;
    slot.group = public;
    if founded {
        node.signals.wake(&Topic::Trust);
        node.signals.wake(&Topic::Log(row.group));
    }
    Ok(Seeded { founded, sequence: row.sequence })
}

/// An empty copy.
async fn begin(tx: &mut dyn Tx, row: &mut CarriedRow, group: GroupId) -> Done<()> {
    for group in [row.group, group] {
        tx.delete_log(group).await?;
        tx.delete_ledger_scope(&LedgerScope::Hub(group).to_string()).await?;
    }
    row.group = group;
    row.stored_bytes = 0;
    Ok(())
}

/// Adds a page to the copy; with the last one the group is there.
async fn take(
    node: &Node,
    tx: &mut dyn Tx,
    row: &mut CarriedRow,
    page: Seed,
) -> Done<Option<HubGroup>> {
    // A copy that another member began is gone on with, unless this one begins after it.
    if row.group != page.group || row.sequence < page.after {
        begin(tx, row, page.group).await?;
        row.trimmed = page.after;
        row.sequence = page.after;
        row.head = page.head_after;
        row.accepted_at = Instant(0);
        if let Some(first) = page.entries.first() {
            row.epoch = first.epoch;
        }
    }
    copy(tx, row, page.entries).await?;
    match page.state {
        None => Ok(None),
        Some(state) => whole(node, tx, row, state).await.map(Some),
    }
}

async fn copy(tx: &mut dyn Tx, row: &mut CarriedRow, entries: Vec<LogEntry>) -> Done<()> {
    let mut chain = Chain {
        group: row.group,
        sequence: row.sequence,
        head: row.head,
        epoch: row.epoch,
        last_accepted_at: row.accepted_at,
    };
    let mut placed = Vec::new();
    for entry in entries.into_iter().filter(|entry| entry.sequence > row.sequence) {
        // After a void commit the epoch before it goes on. What the copy is worth is decided
        // by its head.
        chain.epoch = chain.epoch.min(entry.epoch);
        let digest = chain.verify_next(&entry).map_err(|fault| match fault {
            ChainFault::Gap { .. } => Fault::conflict("seed_gap", fault.to_string()),
            _ => bad(&fault),
        })?;
        row.stored_bytes = row.stored_bytes.saturating_add(entry.payload.len() as u64);
        placed.push(LogRow {
            group: row.group,
            sequence: entry.sequence,
            epoch: entry.epoch,
            kind: entry.kind,
            sender: entry.sender,
            entry: entry.entry_id,
            accepted_at: entry.accepted_at,
            payload: entry.payload,
            digest,
            head: chain.head,
        });
    }
    tx.insert_log(&placed).await?;
    row.sequence = chain.sequence;
    row.head = chain.head;
    row.epoch = chain.epoch;
    row.accepted_at = chain.last_accepted_at;
    Ok(())
}

/// Checks that the copy ends where the term begins, and takes over the group.
async fn whole(
    node: &Node,
    tx: &mut dyn Tx,
    row: &mut CarriedRow,
    state: SeedState,
) -> Done<HubGroup> {
    let statement = statement_of(row)?;
    let adopted = HubGroup::adopt(&node.crypto, &state.public.group_info, &state.public.tree);
    let (mut public, view) = adopted.map_err(|cause| bad(&cause))?;
    check(row, &statement, &state, &view).map_err(|what| bad(&what))?;
    let copied = row.sequence > row.trimmed;
    if copied && row.epoch != view.epoch {
        return Err(bad(&"the group is of another epoch than the log"));
    }
    let changes = public.take_changes().map_err(|cause| Fault::ours("ledger", cause))?;
    write_ledger(node, tx, changes).await?;
    for member in view.leaves.iter().filter_map(|(_, leaf)| leaf.node.as_ref()) {
        tx.put_cursor(row.group, member, row.trimmed).await?;
    }
    row.epoch = view.epoch;
    row.accepted_at = row.accepted_at.max(state.accepted_at);
    row.group_info = state.public.group_info;
    row.term = statement.statement().hub.term;
    // Where the hub before is lost, the term begins with the commit of its statement.
    let begun = statement.statement().hub.is_planned();
    row.state = if begun { "founded" } else { "seeded" }.into();
    Ok(public)
}

fn check(
    row: &CarriedRow,
    statement: &SignedStatement,
    state: &SeedState,
    view: &GroupView,
) -> Result<(), &'static str> {
    let rule = |holds: bool, what| if holds { Ok(()) } else { Err(what) };
    let (term, before) = (&statement.statement().hub, &state.previous);
    rule(before.digest() == statement.statement().previous, "another statement went before")?;
    rule(view.group == row.group, "the state is of another group")?;
    let validated = validate_view(view).map_err(|refused| refused.0)?;
    let end = match (term.end_before(), &state.checkpoint) {
        (Some(end), _) => {
            rule(validated.digest() == before.digest(), "the statement is in force already")?;
            Some(end)
        }
        (None, Some(signed)) => {
            rule(validated.digest() == statement.digest(), "the statement is not in force")?;
            let (last, stated) = (&before.statement().hub, signed.checkpoint());
            let of_it = (stated.group, &stated.hub, stated.term, stated.epoch)
                == (row.group, &last.hub, last.term, view.epoch);
            rule(of_it, "the checkpoint is of another place")?;
            rule(signed.verify(&last.identity).is_ok(), "the checkpoint is not signed")?;
            Some((stated.sequence, stated.head))
        }
        (None, None) => None,
    };
    rule(end == Some((row.sequence, row.head)), "the log does not end where the term begins")
}

fn bad(cause: &dyn std::fmt::Display) -> Fault {
    Fault::refused("seed_bad", format!("the log is refused: {cause}"))
}
