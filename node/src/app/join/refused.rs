//! What is told where a Welcome does not lead into the équipe: nobody but its administrators can
//! help then, and the mailbox brings it once.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::WelcomeItem;
use raccordo_core::id::{LineageId, NodeId};

use super::{UNKNOWN_KEY_PACKAGE, has_been, may_return};
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::{Node, key_packages, pacts};
use crate::store::Tx;

/// Reasons for which a hub gives no tree, as this program knows them.
const NO_TREE: [&str; 2] = ["no_such_tree", "not_a_party"];

/// Notes that a Welcome of an équipe whose pact is here was refused. Where the hub gave out a
/// key package that is not here, new ones replace all that it has.
///
/// # Errors
/// The store's.
pub async fn note_refused(
    node: &Node,
    hub: &NodeId,
    item: &WelcomeItem,
    cause: &Fault,
) -> Done<()> {
    let lineage = item.lineage;
    let mut tx = node.store.write().await?;
    if tx.pact(lineage).await?.is_none() {
        return Ok(());
    }
    raise(node, &mut *tx, item, &cause.message).await?;
    if cause.reason == UNKNOWN_KEY_PACKAGE {
        key_packages::give_up(&mut *tx, hub).await?;
    }
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(hub.clone()));
    Ok(())
}

/// Notes that the hub gives no tree for a Welcome, for ever: without it nobody joins. What leads
/// to where this node has been is not told.
///
/// # Errors
/// The store's.
pub async fn note_no_tree(node: &Node, hub: &NodeId, item: &WelcomeItem, reason: &str) -> Done<()> {
    let mut tx = node.store.write().await?;
    let known = tx.equipe(item.lineage).await?;
    let signed = tx.pact(item.lineage).await?.is_some();
    if !signed || known.is_some_and(|row| has_been(&row, item)) {
        return Ok(());
    }
    let known = NO_TREE.into_iter().find(|known| *known == reason);
    let why = known.unwrap_or("for no reason that this program knows");
    let detail = format!(
        "the hub {hub} has no tree for the Welcome ({why}): another party removes this node and \
         adds it again"
    );
    raise(node, &mut *tx, item, &detail).await?;
    Ok(tx.commit().await?)
}

async fn raise(node: &Node, tx: &mut dyn Tx, item: &WelcomeItem, why: &str) -> Done<()> {
    let detail = format!("entry {}, epoch {}: {why}", item.sequence, item.epoch);
    let alarm = NewAlarm::new(AlarmCode::WelcomeRefused, detail).at(item.sequence);
    alarms::raise(node, tx, item.lineage, alarm).await.map(drop)
}

/// Notes that what a hub brought as a Welcome cannot be read: at each équipe that this node waits
/// to join there, since nothing says which of them is meant.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn note_unreadable(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<()> {
    for lineage in awaited(node, tx, hub).await? {
        let detail = format!("the hub {hub} has brought a Welcome that cannot be read");
        let alarm = NewAlarm::new(AlarmCode::WelcomeRefused, detail);
        alarms::raise(node, tx, lineage, alarm).await?;
    }
    Ok(())
}

/// The équipes at a hub into which this node may be let.
async fn awaited(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<Vec<LineageId>> {
    let mut awaited = Vec::new();
    for row in tx.pacts().await? {
        let waits = match tx.equipe(row.lineage).await? {
            Some(equipe) => equipe.hub == *hub && may_return(&equipe),
            None => {
                let proposal = pacts::open(node, &row)?;
                proposal.hub() == hub && proposal.signed_by().contains(&node.identity.node)
            }
        };
        if waits {
            awaited.push(row.lineage);
        }
    }
    Ok(awaited)
}
