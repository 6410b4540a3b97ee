//! Takes epoch 0 of a group from its chair: one group per lineage and term.

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_founding;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::write_ledger;

/// Longest GroupInfo with tree of a group of one.
pub const GROUP_INFO_BYTES_MAX: usize = 64 << 10;

/// Founds the group; repeated with the same group it does nothing.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `not_accepted`, `not_the_chair`, `already_founded`,
/// `bad_group`.
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
    let Some(mut row) = tx.carried(lineage).await? else {
        return Err(Fault::not_found("no_such_equipe", "this équipe was not offered here"));
    };
    let statement = SignedStatement::decode(&row.statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    if statement.statement().chair != *caller {
        return Err(Fault::refused("not_the_chair", "only the chair founds the group"));
    }
    match row.state.as_str() {
        "founded" if row.group == group => return Ok(()),
        "founded" => return Err(Fault::conflict("already_founded", "there is another group")),
        "accepted" => {}
        _ => return Err(Fault::refused("not_accepted", "the hub has not accepted this équipe")),
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
        && view.statement.as_deref() == Some(&*row.statement)
        && view.epoch == Epoch(0);
    if !same {
        return Err(bad(&"the group is not of the accepted statement"));
    }
    let changes = public.take_changes().map_err(|cause| Fault::ours("ledger", cause))?;
    write_ledger(node, &mut *tx, changes).await?;
    row.state = "founded".into();
    row.group = group;
    row.epoch = Epoch(0);
    row.term = founded.hub.term;
    // A successor's log goes on after the last entry of the group before.
    if let Some((last, head)) = founded.hub.end_before() {
        (row.sequence, row.head) = (last, head);
        (row.trimmed, row.stored_bytes) = (last, 0);
    }
    tx.put_cursor(group, caller, row.trimmed).await?;
    row.group_info = group_info;
    record(node, &mut *tx, Actor::Node, "hub.founded", &lineage.to_string(), &[]).await?;
    tx.update_carried(&row).await?;
    tx.commit().await?;
    slot.group = Some(public);
    Ok(())
}
