//! Hands a log over to its next hub: the kept entries, and the public state after them.

use raccordo_core::id::{Digest, LineageId, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::wire::seed::{Seed, SeedState};

use super::follow::{Moving, answered, checkpoint_of, moving};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::honesty::remembered_head;
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;

/// Most entries of one page.
const ENTRIES_MAX: u32 = 64;
/// About the most payload of one page; a single entry may be larger.
const BYTES_MAX: usize = 1 << 20;

/// Whether this node can hand the log over to a hub now.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn due(tx: &mut dyn Tx, row: &EquipeRow, hub: &NodeId) -> Done<bool> {
    let Some(moving) = moving(tx, row.lineage).await? else { return Ok(false) };
    let active = Standing::parse(&row.state) == Some(Standing::Active);
    let wanted = moving.term().hub == *hub && moving.answer == "accepted";
    Ok(active && wanted && moving.at_the_end(row)?)
}

/// The page after a place (from the first kept entry without one); none where there is
/// nothing to hand over any more.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn page(node: &Node, lineage: LineageId, after: Option<Sequence>) -> Done<Option<Seed>> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(None) };
    let row = work.row.clone();
    let Some(moving) = moving(work.tx()?, lineage).await? else { return Ok(None) };
    if !moving.at_the_end(&row)? {
        return Ok(None);
    }
    let (begin, head_after) = beginning(&mut work).await?;
    let from = after.unwrap_or(begin).max(begin);
    let mut entries = Vec::new();
    let mut bytes = 0;
    for kept in work.tx()?.kept_after(lineage, from, ENTRIES_MAX).await? {
        bytes += kept.entry.payload.len();
        if kept.entry.sequence > row.sequence || (!entries.is_empty() && bytes > BYTES_MAX) {
            break;
        }
        entries.push(kept.entry);
    }
    let last = entries.last().map_or(from, |entry| entry.sequence);
    let state = match last == row.sequence {
        true => Some(state(&mut work, moving).await?),
        false => None,
    };
    Ok(Some(Seed { group: row.group, lineage, after: begin, head_after, entries, state }))
}

/// Place and head before the first entry that is kept without gaps up to this node's place.
async fn beginning(work: &mut Work<'_>) -> Done<(Sequence, Digest)> {
    let (lineage, here) = (work.row.lineage, (work.row.sequence, work.row.head));
    let first = work.tx()?.kept_after(lineage, Sequence(0), 1).await?;
    let Some(first) = first.first() else { return Ok(here) };
    let before = Sequence(first.entry.sequence.0.saturating_sub(1));
    let head = remembered_head(work, before).await?;
    Ok(head.map_or(here, |head| (before, head)))
}

async fn state(work: &mut Work<'_>, moving: Moving) -> Done<SeedState> {
    let checkpoint = match moving.term().is_planned() {
        true => checkpoint_of(&work.row)?,
        false => None,
    };
    let accepted_at = work.row.accepted_at;
    let keys = work.leaf().await?;
    let public = work.session().await?.public_state(&keys);
    let public = public.map_err(|cause| Fault::ours("group", cause))?;
    Ok(SeedState { public, previous: moving.previous, checkpoint, accepted_at })
}

/// The next hub has the log.
///
/// # Errors
/// The store's.
pub async fn founded(node: &Node, lineage: LineageId, hub: &NodeId) -> Done<()> {
    let mut tx = node.store.write().await?;
    if answered(node, &mut *tx, lineage, hub, "founded").await? {
        tx.commit().await?;
        node.signals.wake(&Topic::Membership);
        node.signals.wake(&Topic::Errands(hub.clone()));
    }
    Ok(())
}
