//! Sharings in force and this node's shares of them.

use std::collections::BTreeSet;
use std::sync::Arc;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::pseudonym::ceremony::Ceremony;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};
use raccordo_core::pseudonym::renewal::{KeyInForce, Reason};
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::sealing::SealingKey;

use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::identity::KeySet;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::keys::{ShareRow, SharingRow};

/// The sharing of a class that is in force, with its row.
pub(super) async fn in_force(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    class: Class,
) -> Done<Option<(SharingRow, Sharing)>> {
    let rows = tx.key_sharings(lineage).await?;
    let row = rows.into_iter().find(|row| row.class == class);
    row.map(|row| node.keys.sharing(&row.sharing).map(|sharing| (row, sharing))).transpose()
}

/// What all members know alike of the key in force.
///
/// # Errors
/// A damaged row.
pub(super) fn facts<'k>(
    row: &'k SharingRow,
    sharing: &'k Sharing,
    members: &'k BTreeSet<NodeId>,
) -> Done<KeyInForce<'k>> {
    let reason = Reason::from_name(&row.renewal);
    let reason = reason.ok_or_else(|| Fault::ours("row_damaged", "renewal of a key"))?;
    Ok(KeyInForce { sharing, since: row.since, reason, asked_by: &row.asked_by, members })
}

/// Who is in, as rows say it.
pub(super) async fn members(tx: &mut dyn Tx, lineage: LineageId) -> Done<BTreeSet<NodeId>> {
    Ok(tx.members(lineage).await?.into_iter().map(|member| member.node).collect())
}

/// This node's share of a sharing, if it has one.
pub(super) async fn share(
    node: &Node,
    work: &mut Work<'_>,
    sharing: &Sharing,
) -> Done<Option<KeyShare>> {
    let (key, generation) = (sharing.key(), sharing.generation());
    let row = work.tx()?.key_share(key.lineage, key.class, key.epoch, generation).await?;
    let Some(row) = row else { return Ok(None) };
    let opened = node.open(&context(key.lineage, key.class, key.epoch, generation), &row.sealed)?;
    let share =
        KeyShare::decode(&opened).map_err(|cause| Fault::ours("key_share_damaged", cause))?;
    // A ceremony that made nothing may have left one of the same numbers.
    let own = share.check(sharing, &node.identity.node);
    Ok(own.is_ok().then_some(share))
}

/// Opens and keeps this node's share of what a ceremony makes; whether it has one.
pub(super) async fn keep_share(
    node: &Node,
    work: &mut Work<'_>,
    ceremony: &Ceremony,
) -> Done<bool> {
    let Some(sharing) = ceremony.sharing().filter(|all| all.is_holder(&node.identity.node)) else {
        return Ok(false);
    };
    if share(node, work, sharing).await?.is_some() {
        return Ok(true);
    }
    let sets = node.identity.all();
    let share = match ceremony.share(&node.identity.node, &openers(&sets)) {
        Ok(share) => share,
        Err(cause) => {
            tracing::error!(lineage = %work.row.lineage, %cause, "no share of the new key");
            return Ok(false);
        }
    };
    let (key, generation) = (share.key(), share.generation());
    let context = context(key.lineage, key.class, key.epoch, generation);
    let sealed = node.seal(&context, share.encode().reveal())?;
    let (lineage, class, key_epoch) = (key.lineage, key.class, key.epoch);
    let row = ShareRow { lineage, class, key_epoch, generation, sealed };
    work.tx()?.put_key_share(row).await?;
    Ok(true)
}

/// The sealing keys of all cards.
pub(super) fn openers(sets: &[Arc<KeySet>]) -> Vec<&SealingKey> {
    sets.iter().map(|set| &set.sealing).collect()
}

/// Context under which a share is sealed.
fn context(lineage: LineageId, class: Class, epoch: KeyEpoch, generation: Generation) -> String {
    format!("key-share/{lineage}/{class}/{epoch}/{generation}")
}
