//! Knows when this hub's own disk was put back to an older state: a member shows what this
//! hub has signed and does not know any more. It appends nothing then, as that would be a
//! second history; the parties begin a new term, here or elsewhere (DESIGN §6).

use raccordo_core::hublog::SignedCheckpoint;
use raccordo_core::id::NodeId;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault, Whose};
use crate::app::signals::Topic;

/// State of an équipe whose log this hub has lost a part of.
pub const BEHIND: &str = "behind";

/// Looks at what a member has of this hub's signatures.
///
/// # Errors
/// Whatever the store says.
pub async fn shown(node: &Node, caller: &NodeId, checkpoints: &[SignedCheckpoint]) -> Done<()> {
    for signed in checkpoints {
        if is_later(node, signed).await? {
            stop(node, caller, signed).await?;
        }
    }
    Ok(())
}

async fn is_later(node: &Node, signed: &SignedCheckpoint) -> Done<bool> {
    let stated = signed.checkpoint();
    let row = node.store.read().await?.carried_group(stated.group).await?;
    let Some(row) = row.filter(|row| matches!(row.state.as_str(), "founded" | "seeded")) else {
        return Ok(false);
    };
    let ours = stated.hub == node.identity.node && stated.term == row.term;
    Ok(ours && stated.sequence > row.sequence && signed.verify(&node.identity.key.public()).is_ok())
}

async fn stop(node: &Node, caller: &NodeId, signed: &SignedCheckpoint) -> Done<()> {
    let stated = signed.checkpoint();
    let Some(hub) = &node.hub else { return Ok(()) };
    let mut slot = hub.lock(stated.group).await;
    let mut tx = node.store.write().await?;
    let Some(found) = tx.carried_group(stated.group).await? else { return Ok(()) };
    tx.raise_carried(found.lineage).await?;
    // Meanwhile it may have grown: a member can be ahead of what this call has read.
    let Some(mut row) = tx.carried(found.lineage).await? else { return Ok(()) };
    if stated.sequence <= row.sequence {
        return Ok(());
    }
    row.state = BEHIND.into();
    let (shown, here) = (stated.sequence.to_string(), row.sequence.to_string());
    let detail = [("by", caller.as_str()), ("here", here.as_str()), ("signed", shown.as_str())];
    record(node, &mut *tx, Actor::Node, "hub.behind", &row.lineage.to_string(), &detail).await?;
    tx.update_carried(&row).await?;
    tx.commit().await?;
    slot.group = None;
    tracing::error!(lineage = %row.lineage, "this hub was put back to an older state");
    node.signals.wake(&Topic::Log(stated.group));
    Ok(())
}

/// What whoever appends is told.
pub fn behind() -> Fault {
    Fault::new(Whose::Unavailable, "hub_behind", "this hub was put back to an older state")
        .hint("the parties begin a new term: raccordo equipe move-hub NAME --to HUB --lost")
}
