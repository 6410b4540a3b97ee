//! Envelopes that come in parts: kept until all are here, applied then. What stays incomplete
//! is bounded for each member, and ends after days; its sender is told.

use raccordo_core::envelope::{Body, Chunk, Envelope, join_chunks};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{EnvelopeId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::wire;

use super::fault::Done;
use super::work::Work;
use super::{Node, apply};
use crate::store::inbox::{ChunkRow, SetAsideRow, WholeRow};

/// Keeps a part; the whole once all parts are there.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn take(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: &Envelope,
    chunk: &Chunk,
) -> Done<Option<Result<Envelope, &'static str>>> {
    let (lineage, origin) = (work.row.lineage, &entry.sender);
    let row = ChunkRow {
        lineage,
        origin: origin.clone(),
        whole: chunk.whole,
        index: chunk.index,
        count: chunk.count,
        sealed: node.seal(&context(chunk.whole, chunk.index), &chunk.part)?,
        expires_at: node.clock.now().plus(Quota::WholeDays.span()),
    };
    let tx = work.tx()?;
    tx.put_chunk(row).await?;
    let rows = tx.chunks(lineage, origin, chunk.whole).await?;
    if rows.len() < chunk.count as usize {
        make_room(node, work, entry, chunk.whole).await?;
        return Ok(None);
    }
    tx.delete_chunks(lineage, origin, chunk.whole).await?;
    let mut parts = Vec::new();
    for row in rows {
        let part = node.open(&context(row.whole, row.index), &row.sealed)?;
        parts.push(Chunk {
            whole: row.whole,
            index: row.index,
            count: row.count,
            part: part.reveal().clone(),
        });
    }
    let whole = join_chunks(&parts)
        .ok()
        .flatten()
        .and_then(|bytes| wire::number_envelope(&bytes, envelope.number).ok())
        .and_then(|bytes| wire::decode_envelope(&bytes).ok())
        .filter(|whole| whole.id == chunk.whole && !matches!(whole.body, Body::Chunk(_)));
    Ok(Some(whole.ok_or("malformed_chunks")))
}

/// Sets aside what a member began first and has not ended, until the rest is within bounds.
async fn make_room(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    newest: EnvelopeId,
) -> Done<()> {
    let (lineage, origin) = (work.row.lineage, &entry.sender);
    let open = work.tx()?.wholes(lineage, origin).await?;
    for (whole, quota) in beyond(open, newest) {
        node.quotas.note(origin, quota, node.clock.now());
        work.tx()?.delete_chunks(lineage, origin, whole).await?;
        apply::aside(node, work, entry, Some(whole), quota.row().reason).await?;
    }
    Ok(())
}

/// Which wholes have no room, of those that are open, in the order of their beginning. The one
/// of which a part has just come stays: alone it is within bounds.
fn beyond(open: Vec<WholeRow>, newest: EnvelopeId) -> Vec<(EnvelopeId, Quota)> {
    let mut count = open.len();
    let mut bytes = open.iter().fold(0_u64, |sum, whole| sum.saturating_add(whole.bytes));
    let mut gone = Vec::new();
    for whole in open.into_iter().filter(|whole| whole.whole != newest) {
        let quota = if count > Quota::WholesOfMember.count() {
            Quota::WholesOfMember
        } else if bytes > Quota::WholeBytesOfMember.number() {
            Quota::WholeBytesOfMember
        } else {
            break;
        };
        count = count.saturating_sub(1);
        bytes = bytes.saturating_sub(whole.bytes);
        gone.push((whole.whole, quota));
    }
    gone
}

/// Sets aside what has waited too long for its rest, at the place where this node stands: the
/// next receipt tells it.
///
/// # Errors
/// The store's.
pub(super) async fn end_overdue(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let (lineage, now) = (work.row.lineage, node.clock.now());
    let overdue: Vec<(NodeId, EnvelopeId)> = work.tx()?.wholes_overdue(lineage, now).await?;
    for (origin, whole) in overdue {
        let reason = Quota::WholeDays.row().reason;
        work.tx()?.delete_chunks(lineage, &origin, whole).await?;
        if origin == node.identity.node {
            continue;
        }
        tracing::warn!(%lineage, sender = %origin, reason, "envelope set aside");
        let row = SetAsideRow {
            lineage,
            sequence: work.row.sequence,
            envelope: Some(whole),
            sender: origin.clone(),
            reason: reason.to_owned(),
            at: now,
        };
        apply::keep_aside(node, work, row).await?;
        work.row.receipt_due = work.row.sequence;
    }
    Ok(())
}

/// Context under which a part of an envelope is sealed.
pub(super) fn context(whole: EnvelopeId, index: u32) -> String {
    format!("chunk/{whole}/{index}")
}
