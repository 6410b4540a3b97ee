//! The newest part of a log as this node has verified it.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::{SignedCheckpoint, Stretch};
use raccordo_core::id::{Digest, LineageId, Sequence};

use super::proofs;
use super::proofs::hub_card;
use crate::app::Node;
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::{Done, Fault};
use crate::app::receive::Batch;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::honesty::StretchRow;

/// Entries that are remembered at least.
const REMEMBERED: u64 = 8192;
/// What is older is forgotten once in so many entries.
const FORGET_EVERY: u64 = 512;
/// Beyond every place.
pub const LAST: Sequence = Sequence(i64::MAX as u64);
/// Most stretches that one comparison reads.
const STRETCHES_MAX: u32 = 1024;

/// Keeps what a transaction has passed.
///
/// # Errors
/// The store's.
pub async fn keep(tx: &mut dyn Tx, lineage: LineageId, passed: &Stretch) -> Done<()> {
    let last = passed.last();
    if passed.digests.is_empty() {
        return Ok(());
    }
    let signed = passed.checkpoint.as_ref();
    tx.insert_stretch(StretchRow {
        lineage,
        last,
        after: passed.after,
        before: passed.before,
        digests: passed.digests.iter().flat_map(|digest| digest.0).collect(),
        checkpoint: signed.map(|signed| signed.bytes().to_vec()).unwrap_or_default(),
        checkpoint_signature: signed.map(|signed| signed.signature().to_vec()).unwrap_or_default(),
    })
    .await?;
    if last.0 / FORGET_EVERY != passed.after.0 / FORGET_EVERY {
        let before = Sequence(last.0.saturating_sub(REMEMBERED));
        tx.forget_stretches(lineage, before).await?;
    }
    Ok(())
}

/// Forgets the history of a membership that has ended: the next one begins elsewhere.
///
/// # Errors
/// The store's.
pub async fn begin_anew(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    Ok(tx.forget_stretches(lineage, LAST).await?)
}

fn read(row: StretchRow) -> Done<Stretch> {
    let damaged = || Fault::ours("row_damaged", "a stretch of a log");
    let digests = row.digests.chunks(32).map(Digest::try_from);
    let checkpoint = match row.checkpoint_signature.as_slice() {
        [] => None,
        bytes => {
            let signature = bytes.try_into().map_err(|_| damaged())?;
            Some(SignedCheckpoint::parse(&row.checkpoint, signature).map_err(|_| damaged())?)
        }
    };
    Ok(Stretch {
        after: row.after,
        before: row.before,
        digests: digests.collect::<Result<_, _>>().map_err(|_| damaged())?,
        checkpoint,
    })
}

/// What is kept from a place on: the first stretch holds it, if it is remembered.
async fn kept(tx: &mut dyn Tx, lineage: LineageId, place: Sequence) -> Done<Vec<Stretch>> {
    let rows = tx.stretches_from(lineage, place, STRETCHES_MAX).await?;
    rows.into_iter().map(read).collect()
}

/// The same with what this transaction has passed so far.
pub(super) async fn from(work: &mut Work<'_>, place: Sequence) -> Done<Vec<Stretch>> {
    let lineage = work.row.lineage;
    let passed = work.passed.clone();
    let mut stretches = kept(work.tx()?, lineage, place).await?;
    stretches.push(passed);
    Ok(stretches)
}

/// Head at a place behind this node; none where it is not remembered.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn head_at(work: &mut Work<'_>, place: Sequence) -> Done<Option<Digest>> {
    if place == work.row.sequence {
        return Ok(Some(work.row.head));
    }
    // Messages that were sent together tell of one place, and finding its head means to
    // chain all entries before it in the batch.
    if let Some((_, head)) = work.looked_up.filter(|(looked, _)| *looked == place) {
        return Ok(Some(head));
    }
    if let Some(head) = work.passed.head_at(place) {
        work.looked_up = Some((place, head));
        return Ok(Some(head));
    }
    let lineage = work.row.lineage;
    let rows = work.tx()?.stretches_from(lineage, place, 1).await?;
    let head = match rows.into_iter().next() {
        Some(row) => read(row)?.head_at(place),
        None => None,
    };
    work.looked_up = head.map(|head| (place, head));
    Ok(head)
}

/// The same outside of an équipe under work.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn kept_head(
    tx: &mut dyn Tx,
    lineage: LineageId,
    place: Sequence,
) -> Done<Option<Digest>> {
    let rows = tx.stretches_from(lineage, place, 1).await?;
    let stretch = rows.into_iter().next().map(read).transpose()?;
    Ok(stretch.and_then(|stretch| stretch.head_at(place)))
}

/// Compares the entries of a batch that were taken before with what was taken then.
///
/// # Errors
/// The store's.
pub async fn rewritten(node: &Node, row: &EquipeRow, batch: &Batch) -> Done<bool> {
    let Some(first) = batch.entries.first().map(|entry| entry.sequence) else { return Ok(false) };
    if first > row.sequence {
        return Ok(false);
    }
    let lineage = row.lineage;
    let own = kept(&mut *node.store.read().await?, lineage, first).await?;
    let differs = batch.entries.iter().find_map(|entry| {
        let known = own.iter().find_map(|stretch| stretch.digest_of(entry.sequence))?;
        let shown = entry.digest(batch.group);
        (known != shown).then_some((entry, known, shown))
    });
    let Some((entry, known, shown)) = differs else { return Ok(false) };
    let detail = format!(
        "the hub shows entry {} again as another: digest {shown} of {}, and before {known}",
        entry.sequence, entry.sender
    );
    let before = Sequence(first.0.saturating_sub(1));
    let base = own.iter().find_map(|stretch| stretch.head_at(before));
    let told = base.map(|base| told(batch, before, base));
    let mut tx = node.store.write().await?;
    if let (Some(told), Some(card)) = (told, hub_card(node, &mut *tx, row).await?) {
        let proof = proofs::between(&card, &own, &told);
        proofs::keep(node, &mut *tx, lineage, proof).await?;
    }
    let alarm = NewAlarm::new(AlarmCode::LogRewritten, detail).at(entry.sequence);
    alarms::raise(node, &mut *tx, lineage, alarm).await?;
    tx.commit().await?;
    Ok(true)
}

/// What a batch tells, as a stretch.
fn told(batch: &Batch, after: Sequence, base: Digest) -> Stretch {
    let mut told = Stretch::after(after, base);
    told.digests.extend(batch.entries.iter().map(|entry| entry.digest(batch.group)));
    told.checkpoint = Some(batch.checkpoint.clone());
    told
}
