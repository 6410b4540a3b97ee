//! What a member reports of this node's own messages: what it has, what it could not process,
//! what its operators have opened. Only what is about own objects makes a row, so that reports
//! fill nothing.

use std::collections::BTreeSet;

use raccordo_core::envelope::{Body, Receipt};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{EnvelopeId, ObjectId, Sequence};
use raccordo_core::receipt::RECEIPT_SET_ASIDE_MAX;
use raccordo_core::wire;

use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, pack};

/// Takes a receipt.
///
/// # Errors
/// The store's, or a damaged envelope of ours.
pub(super) async fn receipted(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    receipt: &Receipt,
) -> Done<()> {
    let lineage = work.row.lineage;
    // A receipt cannot cover what came after it.
    let processed = receipt.processed.min(entry.sequence);
    let mut wholes = BTreeSet::new();
    // More is in no honest receipt, and each is looked up.
    for refused in receipt.set_aside.iter().take(RECEIPT_SET_ASIDE_MAX) {
        let envelopes = match refused.envelope {
            Some(envelope) => BTreeSet::from([envelope]),
            // Once, however often it is said.
            None if wholes.insert(refused.sequence) => own_at(node, work, refused.sequence).await?,
            None => continue,
        };
        let tx = work.tx()?;
        for envelope in envelopes {
            if tx.is_own_share(lineage, envelope).await? {
                tx.put_refusal(lineage, envelope, &entry.sender, &refused.reason).await?;
            }
        }
    }
    let tx = work.tx()?;
    let members = tx.members(lineage).await?;
    if let Some(mut member) = members.into_iter().find(|member| member.node == entry.sender)
        && member.delivered < processed
    {
        member.delivered = processed;
        tx.put_member(member).await?;
    }
    Ok(())
}

/// What an own entry of the log says about objects, while it is kept.
async fn own_at(node: &Node, work: &mut Work<'_>, place: Sequence) -> Done<BTreeSet<EnvelopeId>> {
    let lineage = work.row.lineage;
    let mut found = BTreeSet::new();
    for row in work.tx()?.envelopes_at(lineage, place).await? {
        if row.object.is_none() {
            continue;
        }
        let said = wire::decode_envelope(&pack::open_bytes(node, &row)?);
        let said = said.map_err(|cause| Fault::ours("envelope_damaged", cause))?;
        found.insert(match said.body {
            Body::Chunk(chunk) => chunk.whole,
            _ => said.id,
        });
    }
    Ok(found)
}

/// Takes a read receipt.
///
/// # Errors
/// The store's.
pub(super) async fn read(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    objects: &[ObjectId],
) -> Done<()> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    for known in tx.objects_among(objects).await? {
        if known.origin == node.identity.node && known.lineage == lineage {
            tx.put_read(lineage, known.object, &entry.sender).await?;
        }
    }
    Ok(())
}
