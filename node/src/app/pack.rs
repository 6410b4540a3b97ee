//! Encrypts what is queued, as far as the group may send: envelopes become packs, packs
//! become entries of the outbox, in one transaction. Nothing leaves before it is stored.

use raccordo_core::envelope::{
    self, Body, Echo, Envelope, EnvelopeError, PackHead, SetAside, chunks, fits, pad,
};
use raccordo_core::hublog::{EntryKind, SignedCheckpoint};
use raccordo_core::id::{Digest, EntryId, EnvelopeId, LineageId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::receipt::receipts;
use raccordo_core::sending::{Circumstances, Gate, Standing, gate, hold};
use raccordo_core::session::{Change, Staged};
use raccordo_core::trust::keys::Signature;
use raccordo_core::wire;

use super::fault::{Done, Fault};
use super::signals::Topic;
use super::work::Work;
use super::{Node, audit_heads, roster};
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow};

/// Most envelopes that one transaction packs.
const ENVELOPES_MAX: u32 = 1024;
/// Most objects of which one read receipt tells.
const READS_MAX: u32 = 512;
/// What the running number adds to an envelope when it is packed: a key and ten bytes.
const NUMBER_BYTES_MAX: usize = 11;

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Packed {
    /// There was nothing to say, or it may not be said now.
    Nothing,
    /// So many entries were added or encrypted again.
    Entries(usize),
    /// An own commit was staged first.
    Commit,
}

/// Packs and encrypts what an équipe has to say, in a transaction of its own.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn pack(node: &Node, lineage: LineageId) -> Done<Packed> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(Packed::Nothing) };
    let packed = pack_within(node, &mut work).await?;
    if packed != Packed::Nothing {
        let step = if packed == Packed::Commit { "commit_staged" } else { "packed" };
        tracing::debug!(%lineage, step);
        work.commit().await?;
        tracing::debug!(%lineage, step = "pack_durable");
    }
    Ok(packed)
}

/// The same inside a transaction that stores what is said.
///
/// # Errors
/// As [`pack`].
pub async fn pack_within(node: &Node, work: &mut Work<'_>) -> Done<Packed> {
    let now = circumstances(node, work).await?;
    let cases = match gate(&now) {
        Gate::Open => true,
        Gate::HeldForCases(_) => false,
        Gate::FreshEpochFirst => {
            // Only the reason to send calls for a commit, or each start would cost one.
            let wanted = something_to_say(work, hold(&now).is_none()).await?;
            return if wanted { stage_fresh_epoch(node, work).await } else { Ok(Packed::Nothing) };
        }
        Gate::AwaitCommit | Gate::Closed(_) => return Ok(Packed::Nothing),
    };
    if !cases && case_bearing_in_flight(work).await? {
        // What was encrypted before the hold stays here: a new epoch makes it stale, and it
        // is encrypted again when the hold ends. So receipts flow, and no ratchet is skipped.
        return stage_fresh_epoch(node, work).await;
    }
    let again = encrypt_again(node, work, cases).await?;
    let new = encrypt_queued(node, work, cases).await?;
    Ok(if again + new == 0 { Packed::Nothing } else { Packed::Entries(again + new) })
}

/// What the gate's decision rests on.
///
/// # Errors
/// The store's.
pub async fn circumstances(node: &Node, work: &mut Work<'_>) -> Done<Circumstances> {
    let lineage = work.row.lineage;
    let standing = Standing::parse(&work.row.state)
        .ok_or_else(|| Fault::ours("row_damaged", "state of an équipe"))?;
    let fresh = work.fresh() || planted::is(Bug::DropFirstUpdate);
    let tx = work.tx()?;
    let commit_pending = tx.pending_commit(lineage).await?.is_some();
    let untrusted = roster::untrusted(node, tx, lineage).await?;
    let alarms = tx.alarms(lineage).await?.into_iter().map(|alarm| alarm.code).collect();
    Ok(Circumstances { standing, fresh, commit_pending, untrusted, alarms })
}

/// Says nothing but where this node stands, if the group may send; what waits is said
/// instead. Whether anything is on its way.
///
/// # Errors
/// As [`pack`].
pub async fn heartbeat(node: &Node, lineage: LineageId) -> Done<bool> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(false) };
    let mut told = None;
    let packed = match gate(&circumstances(node, &mut work).await?) {
        Gate::AwaitCommit | Gate::Closed(_) => return Ok(false),
        Gate::FreshEpochFirst => stage_fresh_epoch(node, &mut work).await?,
        Gate::Open | Gate::HeldForCases(_) => {
            told = audit_heads::queue_due(node, &mut work).await?;
            pack_within(node, &mut work).await?
        }
    };
    if packed == Packed::Nothing && work.fresh() {
        let payload = encrypt(node, &mut work, Vec::new()).await?;
        let entry = EntryId::random(&*node.entropy);
        let row = EntryRow::pending(&work.row, node.boot, EntryKind::Application, entry, payload);
        work.tx()?.insert_entries(vec![row]).await?;
    } else if packed == Packed::Nothing {
        // An own commit that the hub has answered waits for the log.
        return Ok(false);
    }
    work.commit().await?;
    if let Some(head) = told {
        node.voice.audit.note_told(lineage, node.clock.now(), head);
    }
    Ok(true)
}

async fn something_to_say(work: &mut Work<'_>, cases: bool) -> Done<bool> {
    if work.row.receipt_due > work.row.receipt_sent {
        return Ok(true);
    }
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    if tx.has_unreported_reads(lineage).await? {
        return Ok(true);
    }
    if !tx.entries_in(lineage, EntryState::Stale, 1).await?.is_empty() {
        return Ok(true);
    }
    Ok(!tx.queued_envelopes(lineage, cases, 1).await?.is_empty())
}

async fn case_bearing_in_flight(work: &mut Work<'_>) -> Done<bool> {
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    for entry in tx.entries_in(lineage, EntryState::Pending, ENVELOPES_MAX).await? {
        let envelopes = tx.envelopes_of(lineage, entry.entry).await?;
        if envelopes.iter().any(|row| row.case_bearing) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn stage_fresh_epoch(node: &Node, work: &mut Work<'_>) -> Done<Packed> {
    if work.holds_commit().await? {
        // The hub has answered to it; only the log settles it.
        return Ok(Packed::Nothing);
    }
    stage(node, work, Change::default()).await?;
    Ok(Packed::Commit)
}

/// Stages a commit and puts it into the outbox; where this node has a newer card than its
/// leaf, the commit brings it. The caller has made sure that the group
/// holds none.
///
/// # Errors
/// A change that OpenMLS or the session refuses.
pub async fn stage(node: &Node, work: &mut Work<'_>, mut change: Change) -> Done<EntryId> {
    let leaf = work.leaf().await?;
    if change.leaf.is_none() && !work.leaf_is_newest().await? {
        change.leaf = Some(node.identity.leaf());
    }
    let session = work.session().await?;
    let staged =
        session.stage(&leaf, &change).map_err(|cause| Fault::ours("commit_not_staged", cause))?;
    let Staged { commit, group_info, welcome } = staged;
    let entry = EntryId::random(&*node.entropy);
    let row = EntryRow {
        group_info,
        welcome: welcome.unwrap_or_default(),
        ..EntryRow::pending(&work.row, node.boot, EntryKind::Commit, entry, commit)
    };
    if planted::is(Bug::MergeEarly) {
        drop(work.session().await?.process(&row.payload, &|_, _| Ok(())));
        roster::follow_group(work).await?;
    }
    work.tx()?.insert_entries(vec![row]).await?;
    Ok(entry)
}

/// Entries whose epoch has passed: the same envelopes under the same entry id.
async fn encrypt_again(node: &Node, work: &mut Work<'_>, cases: bool) -> Done<usize> {
    if planted::is(Bug::NotEncryptedAgain) {
        return Ok(0);
    }
    let lineage = work.row.lineage;
    let stale = work.tx()?.entries_in(lineage, EntryState::Stale, ENVELOPES_MAX).await?;
    let mut done = 0;
    for mut entry in stale {
        if entry.kind != EntryKind::Application || entry.epoch >= work.row.epoch {
            continue;
        }
        let rows = work.tx()?.envelopes_of(lineage, entry.entry).await?;
        if !cases && rows.iter().any(|row| row.case_bearing) {
            continue;
        }
        let envelopes = rows.iter().map(|row| open_bytes(node, row)).collect::<Done<Vec<_>>>()?;
        let payload = encrypt(node, work, envelopes).await?;
        entry.epoch = work.row.epoch;
        entry.payload_digest = Digest::of(&payload);
        entry.payload = payload;
        entry.state = EntryState::Pending;
        work.tx()?.update_entry(&entry).await?;
        done += 1;
    }
    Ok(done)
}

async fn encrypt_queued(node: &Node, work: &mut Work<'_>, cases: bool) -> Done<usize> {
    let lineage = work.row.lineage;
    queue_receipts(node, work).await?;
    let rows = work.tx()?.queued_envelopes(lineage, cases, ENVELOPES_MAX).await?;
    let mut lengths = Vec::new();
    let mut numbered = Vec::new();
    for mut row in rows {
        let damaged = |cause| Fault::ours("envelope_damaged", cause);
        let number = work.row.next_number;
        let mut encoded =
            wire::number_envelope(&open_bytes(node, &row)?, number).map_err(damaged)?;
        if !fits(encoded.len()) {
            // It was queued in parts, or never; nothing that is here may stop the rest.
            let (lineage, count) = (row.lineage, encoded.len());
            tracing::error!(%lineage, count, "an own envelope fits no pack: it says nothing");
            encoded = wire::blank_envelope(&encoded).map_err(damaged)?;
        }
        work.row.next_number += 1;
        row.sealed = seal(node, row.envelope, &encoded)?;
        lengths.push(encoded.len());
        numbered.push((row, encoded));
    }
    let groups = envelope::groups(lengths, node.envelopes_per_message_max);
    let groups = groups.map_err(|cause| Fault::ours("not_packed", cause))?;
    let mut entries = Vec::new();
    let mut packed = Vec::new();
    for group in groups {
        let entry = match planted::is(Bug::ReuseEntryId) {
            true => EntryId(lineage.0),
            false => EntryId::random(&*node.entropy),
        };
        let mut envelopes = Vec::new();
        for (mut row, envelope) in numbered.drain(..group.len()) {
            row.entry = Some(entry);
            packed.push(row);
            envelopes.push(envelope);
        }
        let payload = encrypt(node, work, envelopes).await?;
        let kind = EntryKind::Application;
        entries.push(EntryRow::pending(&work.row, node.boot, kind, entry, payload));
    }
    let count = entries.len();
    if count > 0 {
        let tx = work.tx()?;
        tx.pack_envelopes(&packed).await?;
        tx.insert_entries(entries).await?;
    }
    Ok(count)
}

/// Receipts are made when something is packed anyway or nothing else waits: cumulative, and
/// as few as hold what was set aside.
async fn queue_receipts(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let lineage = work.row.lineage;
    let mut bodies = Vec::new();
    if work.row.receipt_due > work.row.receipt_sent {
        let covered = work.row.receipt_sent;
        let aside = work.tx()?.set_aside_after(lineage, covered).await?;
        let set_aside = aside
            .into_iter()
            .map(|row| SetAside {
                sequence: row.sequence,
                envelope: row.envelope,
                reason: row.reason,
            })
            .collect();
        let receipts = receipts(work.row.sequence, set_aside);
        bodies.extend(receipts.into_iter().map(Body::Receipt));
        work.row.receipt_sent = work.row.sequence;
    }
    let reads = work.tx()?.take_unreported_reads(lineage, READS_MAX).await?;
    if !reads.is_empty() && !planted::is(Bug::ForgetRead) {
        bodies.push(Body::ReadReceipt(reads));
    }
    for body in bodies {
        queue(node, work, body).await?;
    }
    Ok(())
}

/// Puts what the node itself says, and what bears no case, at the end of the queue.
///
/// # Errors
/// The store's.
pub async fn queue(node: &Node, work: &mut Work<'_>, body: Body) -> Done<()> {
    let envelope = Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage: work.row.lineage,
        number: 0,
        said_at: node.clock.now(),
        author: None,
        body,
    };
    let rows = rows_for(node, &envelope, None, false)?;
    let rows = rows.map_err(|cause| Fault::ours("envelope_too_large", cause))?;
    Ok(work.tx()?.queue_envelopes(rows).await?)
}

/// The rows that carry an envelope: one, or one for each part when it fits no pack. Everything
/// that is queued is made here, so that all of it fits; an error where 64 parts do not hold it.
///
/// # Errors
/// Never in practice: see [`Node::seal`].
pub fn rows_for(
    node: &Node,
    envelope: &Envelope,
    object: Option<raccordo_core::id::ObjectId>,
    case_bearing: bool,
) -> Done<Result<Vec<EnvelopeRow>, EnvelopeError>> {
    let bytes = wire::encode_envelope(envelope);
    if fits(bytes.len().saturating_add(NUMBER_BYTES_MAX)) {
        return Ok(Ok(vec![queued_row(node, envelope, object, case_bearing)?]));
    }
    let parts = match chunks(envelope.id, &bytes) {
        Ok(parts) => parts,
        Err(error) => return Ok(Err(error)),
    };
    let parts = parts.into_iter().map(|part| {
        let (id, body) = (EnvelopeId::random(&*node.entropy), Body::Chunk(part));
        let part = Envelope { id, author: None, body, ..envelope.clone() };
        queued_row(node, &part, object, case_bearing)
    });
    parts.collect::<Done<Vec<_>>>().map(Ok)
}

/// What an envelope says is taken out: it keeps its id and number, so that neither the order nor
/// the count of what this node says has a gap.
///
/// # Errors
/// A wrong node key.
pub(super) fn blank(node: &Node, row: &EnvelopeRow) -> Done<Vec<u8>> {
    let blank = wire::blank_envelope(&open_bytes(node, row)?);
    let blank = blank.map_err(|cause| Fault::ours("envelope_damaged", cause))?;
    seal(node, row.envelope, &blank)
}

/// A row for the queue, of an envelope that fits into a pack: see [`rows_for`].
///
/// # Errors
/// Never in practice: see [`Node::seal`].
pub fn queued_row(
    node: &Node,
    envelope: &Envelope,
    object: Option<raccordo_core::id::ObjectId>,
    case_bearing: bool,
) -> Done<EnvelopeRow> {
    Ok(EnvelopeRow {
        lineage: envelope.lineage,
        position: 0,
        envelope: envelope.id,
        entry: None,
        object,
        case_bearing,
        sealed: seal(node, envelope.id, &wire::encode_envelope(envelope))?,
        sequence: Sequence(0),
        queued_at: envelope.said_at,
        record: None,
    })
}

async fn encrypt(node: &Node, work: &mut Work<'_>, envelopes: Vec<Vec<u8>>) -> Done<Vec<u8>> {
    let head = PackHead {
        group: work.row.group,
        epoch: work.row.epoch,
        sender: node.identity.node.clone(),
        echo: Echo {
            sequence: work.row.sequence,
            head: work.row.head,
            authenticator: work.row.authenticator.clone(),
            signature: newest_signature(work),
        },
        statement_version: work.statement_version()?,
    };
    node.voice.spoke(work.row.lineage, node.clock.now());
    let plaintext = pad(&wire::encode_pack(&head, &envelopes))
        .map_err(|cause| Fault::ours("pack_too_large", cause))?;
    let leaf = work.leaf().await?;
    let session = work.session().await?;
    session.encrypt(&leaf, &plaintext).map_err(|cause| Fault::ours("not_encrypted", cause))
}

/// The hub's signature over exactly the place at which this node stands, if it has one.
fn newest_signature(work: &Work<'_>) -> Option<Signature> {
    let row = &work.row;
    let signature = row.checkpoint_signature.as_slice().try_into().ok()?;
    let signed = SignedCheckpoint::parse(&row.checkpoint, signature).ok()?;
    let stated = signed.checkpoint();
    let here = (stated.sequence, stated.head, stated.epoch) == (row.sequence, row.head, row.epoch);
    here.then_some(signature)
}

fn seal(node: &Node, envelope: EnvelopeId, encoded: &[u8]) -> Done<Vec<u8>> {
    node.seal(&context(envelope), encoded)
}

/// The envelope of a row, encoded.
///
/// # Errors
/// A wrong node key.
pub(super) fn open_bytes(node: &Node, row: &EnvelopeRow) -> Done<Vec<u8>> {
    let bytes = node.open(&context(row.envelope), &row.sealed)?;
    Ok(bytes.reveal().clone())
}

/// Context under which an envelope is sealed.
pub(super) fn context(envelope: EnvelopeId) -> String {
    format!("envelope/{envelope}")
}

/// Wakes the courier for an équipe.
pub fn wake(node: &Node, lineage: LineageId) {
    node.signals.wake(&Topic::Outbox(lineage));
}
