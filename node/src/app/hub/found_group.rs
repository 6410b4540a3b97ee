//! Takes epoch 0 of a group from its chair: one group per lineage and term.

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{Digest, Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::time::Instant;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_founding;

use super::offer::{accepted, offered_statement, settle, still_goes_on};
use super::read_log::statement_of;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::work::write_ledger;
use crate::app::{Node, history};
use crate::store::Tx;
use crate::store::history::Keeper;
use crate::store::hub::CarriedRow;
use crate::store::offer::OfferRow;

/// Longest GroupInfo with tree of a group of one.
pub const GROUP_INFO_BYTES_MAX: usize = 64 << 10;

/// Founds the group; repeated with the same group it does nothing.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `not_accepted`, `not_the_chair`, `already_founded`,
/// `does_not_follow`, `bad_group`.
pub async fn found_group(
    node: &Node,
    caller: &NodeId,
    lineage: LineageId,
    group: GroupId,
    group_info: Vec<u8>,
) -> Done<()> {
    let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
    let mut slot = hub.lock(group).await;
    let mut tx = node.store.write().await?;
    tx.raise_carried(lineage).await?;
    tx.raise_offers(lineage).await?;
    let before = tx.carried(lineage).await?;
    let offer = accepted(&mut *tx, lineage).await?;
    let statement = match (&offer, &before) {
        (Some(offer), _) => offered_statement(offer)?,
        (None, Some(row)) => statement_of(row)?,
        (None, None) if tx.offers(lineage).await?.is_empty() => {
            return Err(Fault::not_found("no_such_equipe", "this équipe was not offered here"));
        }
        (None, None) => return Err(not_accepted()),
    };
    if statement.statement().chair != *caller {
        return Err(Fault::refused("not_the_chair", "only the chair founds the group"));
    }
    let here = before.as_ref().is_some_and(|row| row.state == "founded");
    let offer = match offer {
        _ if here && before.as_ref().is_some_and(|row| row.group == group) => return Ok(()),
        Some(offer) => offer,
        None if here => {
            return Err(Fault::conflict("already_founded", "there is another group"));
        }
        None => return Err(not_accepted()),
    };
    if let Some(row) = &before {
        still_goes_on(row, &offer)?;
    }
    let bad = |cause: &dyn std::fmt::Display| Fault::refused("bad_group", cause.to_string());
    if group_info.len() > GROUP_INFO_BYTES_MAX {
        return Err(bad(&"the GroupInfo is too large"));
    }
    let (mut public, view) =
        HubGroup::found(&node.crypto, &group_info).map_err(|cause| bad(&cause))?;
    let founded = validate_founding(&view).map_err(|refused| bad(&refused.0))?;
    let same = view.group == group
        && founded.lineage == lineage
        && view.statement.as_deref() == Some(&*offer.statement)
        && view.epoch == Epoch(0);
    if !same {
        return Err(bad(&"the group is not of the accepted statement"));
    }
    let changes = public.take_changes().map_err(|cause| Fault::ours("ledger", cause))?;
    let mut row = new_row(&offer, &statement, before.as_ref(), group);
    row.group_info = group_info;
    record(node, &mut *tx, Actor::Node, "hub.founded", &lineage.to_string(), &[]).await?;
    replace(&mut *tx, &offer, before.as_ref(), &row).await?;
    settle(&mut *tx, lineage).await?;
    write_ledger(node, &mut *tx, changes).await?;
    tx.put_cursor(group, caller, row.trimmed).await?;
    tx.commit().await?;
    slot.group = Some(public);
    node.signals.wake(&Topic::Trust);
    if let Some(before) = before {
        node.signals.wake(&Topic::Log(before.group));
    }
    Ok(())
}

fn not_accepted() -> Fault {
    Fault::refused("not_accepted", "the hub has not accepted this équipe")
}

/// What an accepted offer becomes: at the beginning of its log, which is where the statement
/// says, with the limits of what was carried before.
pub(super) fn new_row(
    offer: &OfferRow,
    statement: &SignedStatement,
    before: Option<&CarriedRow>,
    group: GroupId,
) -> CarriedRow {
    let term = &statement.statement().hub;
    // A successor's log goes on after the last entry of the group before.
    let (last, head) = term.end_before().unwrap_or((Sequence(0), Digest::ZERO));
    CarriedRow {
        lineage: offer.lineage,
        name: offer.name.clone(),
        state: "founded".into(),
        version: 0,
        statement: offer.statement.clone(),
        cards: offer.cards.clone(),
        group,
        epoch: Epoch(0),
        sequence: last,
        head,
        accepted_at: before.map_or(Instant(0), |row| row.accepted_at),
        term: term.term,
        begun: offer.digest,
        group_info: Vec::new(),
        trimmed: last,
        stored_bytes: 0,
        entries_per_minute_max: before.map_or(0, |row| row.entries_per_minute_max),
        stored_bytes_max: before.map_or(0, |row| row.stored_bytes_max),
        succeeds: statement.statement().succeeds.unwrap_or(GroupId([0; 32])),
    }
}

/// Carries what an offer brought in the place of what was carried before, which goes.
///
/// # Errors
/// The store's, or a damaged row.
pub(super) async fn replace(
    tx: &mut dyn Tx,
    offer: &OfferRow,
    before: Option<&CarriedRow>,
    row: &CarriedRow,
) -> Done<()> {
    for group in before.map(|row| row.group).into_iter().chain([row.group]) {
        tx.delete_log(group).await?;
        tx.delete_ledger_scope(&LedgerScope::Hub(group).to_string()).await?;
    }
    match before {
        Some(_) => tx.update_carried(row).await?,
        None => tx.insert_carried(row.clone()).await?,
    }
    for statement in offer.earlier.iter().chain([&offer.statement]) {
        history::note(tx, Keeper::Hub, statement).await?;
    }
    Ok(())
}
