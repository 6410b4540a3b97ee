//! Holds a hub to what it said: every statement about the log, from the hub or from another
//! member, is compared with the history that this node has verified.
//!
//! What is said of a place behind this node is looked up; what the hub has signed of a place
//! ahead is kept until this node gets there. A contradiction raises an alarm that names the
//! entries; where two signatures of the hub contradict each other, a proof is kept. What a
//! member says without the hub's signature is its word alone ([`echoes`]).

mod echoes;
mod history;
mod proofs;
mod watch;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::{LogEntry, SignedCheckpoint};
use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::trust::statement::{HubTerm, SignedStatement};

use super::Node;
use super::alarms::{self, NewAlarm};
use super::fault::{Done, Fault};
use super::receive::Batch;
use super::work::Work;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::honesty::ClaimRow;
pub use echoes::{asked, echoed, shown};
pub use history::{LAST, begin_anew, head_at as remembered_head, keep, kept_head, rewritten};
pub use proofs::export;
use proofs::{Evidence, prove};
pub use watch::{Claims, PATIENCE, watch};

/// What the hub has signed of one place of a log, and who showed it here.
#[derive(Clone, Debug)]
struct HubClaim {
    teller: NodeId,
    signed: SignedCheckpoint,
}

/// Whether the hub signed this in its present term.
fn is_signed(signed: &SignedCheckpoint, row: &EquipeRow, term: &HubTerm) -> bool {
    let stated = signed.checkpoint();
    (stated.group, &stated.hub, stated.term) == (row.group, &term.hub, term.term)
        && signed.verify(&term.identity).is_ok()
}

/// The hub has signed, for another member, a place that stood in the log before that member's
/// own entry, and that did not come here before it.
async fn outrun(node: &Node, work: &mut Work<'_>, entry: &LogEntry, claim: &HubClaim) -> Done<()> {
    let stated = claim.signed.checkpoint();
    let detail = format!(
        "{} had seen entry {} with head {} before it wrote entry {}, and the hub signed it: \
         entries are kept from this node",
        claim.teller, stated.sequence, stated.head, entry.sequence
    );
    let alarm = NewAlarm::new(AlarmCode::LogWithheld, detail).at(entry.sequence);
    alarms::raise_within(node, work, alarm).await?;
    let row = claim_row(node, work.row.lineage, claim);
    Ok(work.tx()?.keep_claim(row).await?)
}

fn claim_row(node: &Node, lineage: LineageId, claim: &HubClaim) -> ClaimRow {
    let stated = claim.signed.checkpoint();
    ClaimRow {
        lineage,
        teller: claim.teller.clone(),
        sequence: stated.sequence,
        head: stated.head,
        checkpoint: claim.signed.bytes().to_vec(),
        checkpoint_signature: claim.signed.signature().to_vec(),
        noted_at: node.clock.now(),
    }
}

/// Raises the alarm about a place behind this node for which the hub has signed something
/// else. While the hub has not signed this node's own history from there on, the proof has to
/// wait.
async fn judge(node: &Node, work: &mut Work<'_>, claim: &HubClaim) -> Done<()> {
    let stated = claim.signed.checkpoint().clone();
    let own = history::head_at(work, stated.sequence).await?;
    let Some(own) = own.filter(|own| *own != stated.head) else { return Ok(()) };
    let stretches = history::from(work, stated.sequence).await?;
    let evidence = Evidence { signed: &claim.signed, stretches: &stretches };
    let proven = prove(node, work, evidence).await?;
    let proof = if proven { "the proof is kept" } else { "the proof follows" };
    let detail = format!(
        "entry {}: the hub signed head {}, which {} tells, and led this node to {own}; {proof}",
        stated.sequence, stated.head, claim.teller
    );
    let alarm = NewAlarm::new(AlarmCode::LogForked, detail).at(stated.sequence);
    alarms::raise_within(node, work, alarm).await?;
    if !proven {
        let row = claim_row(node, work.row.lineage, claim);
        work.tx()?.keep_claim(row).await?;
    }
    Ok(())
}

/// Compares all that was said of places at which this node has arrived with this batch.
///
/// # Errors
/// The store's.
pub async fn arrived(node: &Node, work: &mut Work<'_>, batch: &Batch) -> Done<()> {
    own_places(node, work, batch).await?;
    let (lineage, here) = (work.row.lineage, work.row.sequence);
    for row in work.tx()?.claims(lineage).await? {
        if row.sequence > here {
            continue;
        }
        let claim = read_claim(row)?;
        work.tx()?.delete_claim(lineage, &claim.teller).await?;
        judge(node, work, &claim).await?;
    }
    if let Some(signed) = node.claims.reached(lineage, here) {
        judge_hub(node, work, signed).await?;
    }
    Ok(())
}

fn read_claim(row: ClaimRow) -> Done<HubClaim> {
    let damaged = || Fault::ours("row_damaged", "a claim about the log");
    let signature = row.checkpoint_signature.as_slice().try_into().map_err(|_| damaged())?;
    let signed = SignedCheckpoint::parse(&row.checkpoint, signature).map_err(|_| damaged())?;
    Ok(HubClaim { teller: row.teller, signed })
}

/// The hub's own word, whose signature is looked at only where it disagrees.
async fn judge_hub(node: &Node, work: &mut Work<'_>, signed: SignedCheckpoint) -> Done<()> {
    let stated = signed.checkpoint();
    let own = history::head_at(work, stated.sequence).await?;
    if own.is_none_or(|own| own == stated.head) {
        return Ok(());
    }
    let term = work.statement()?.statement().hub.clone();
    if !is_signed(&signed, &work.row, &term) {
        return Ok(());
    }
    let claim = HubClaim { teller: work.row.hub.clone(), signed };
    judge(node, work, &claim).await
}

/// Where the hub acknowledged an entry of this node, that entry must stand.
async fn own_places(node: &Node, work: &mut Work<'_>, batch: &Batch) -> Done<()> {
    let (lineage, after, here) = (work.row.lineage, work.passed.after, work.row.sequence);
    for (place, own) in work.tx()?.own_places(lineage, after, here).await? {
        let shown = batch.entries.iter().find(|entry| entry.sequence == place);
        let Some(shown) = shown.filter(|shown| shown.entry_id != own) else { continue };
        let detail = format!(
            "the hub acknowledged {own} at entry {place}, and shows {} of {} there",
            shown.entry_id, shown.sender
        );
        let alarm = NewAlarm::new(AlarmCode::LogReordered, detail).at(place);
        alarms::raise_within(node, work, alarm).await?;
    }
    Ok(())
}

/// Notes where an own entry came to stand; false when it stood in the log before.
///
/// # Errors
/// The store's.
pub async fn placed(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    told: Sequence,
) -> Done<bool> {
    if told == Sequence(0) || told == entry.sequence {
        return Ok(true);
    }
    if told <= work.row.sequence {
        return Ok(false);
    }
    let detail = format!(
        "the hub acknowledged {} at entry {told}, and shows it at entry {}",
        entry.entry_id, entry.sequence
    );
    let alarm = NewAlarm::new(AlarmCode::LogReordered, detail).at(entry.sequence);
    alarms::raise_within(node, work, alarm).await?;
    Ok(true)
}

/// The alarm that an entry calls for which was set aside; none for most.
pub fn of_set_aside(node: &Node, entry: &LogEntry, reason: &str) -> Option<NewAlarm> {
    let (sequence, sender) = (entry.sequence, &entry.sender);
    let own = *sender == node.identity.node;
    let alarm = match reason {
        // Of its own entries a node knows where they stand: only the hub can show one again.
        "entry_replayed" if own => NewAlarm::new(
            AlarmCode::LogReordered,
            format!("the hub shows {} of this node again, at entry {sequence}", entry.entry_id),
        ),
        "secret_reused" | "entry_replayed" => NewAlarm::new(
            AlarmCode::EntryReplayed,
            format!(
                "entry {sequence}, {} of {sender}, repeats what stood in the log before",
                entry.entry_id
            ),
        )
        .about(sender),
        "sender_mismatch" if own => NewAlarm::new(
            AlarmCode::SenderWrong,
            format!("entry {sequence} stands in the log as this node's, which did not make it"),
        ),
        "sender_mismatch" => NewAlarm::new(
            AlarmCode::SenderWrong,
            format!("entry {sequence} stands in the log as {sender}'s, and another member made it"),
        ),
        _ => return None,
    };
    Some(alarm.at(sequence))
}

/// Compares what the hub says at the end of an answer. It was asked when this node stood
/// at `asked_at`: its log cannot end before.
///
/// # Errors
/// The store's.
pub async fn answered(
    node: &Node,
    work: &mut Work<'_>,
    asked_at: Sequence,
    signed: &SignedCheckpoint,
) -> Done<()> {
    let (place, head) = (signed.checkpoint().sequence, signed.checkpoint().head);
    let lineage = work.row.lineage;
    if place < asked_at {
        let term = work.statement()?.statement().hub.clone();
        if is_signed(signed, &work.row, &term) {
            let detail = format!(
                "the hub says that its log ends at entry {place} with head {head}; it had \
                 delivered up to entry {asked_at}, and this node is led to head {}",
                work.row.head
            );
            let alarm = NewAlarm::new(AlarmCode::LogTruncated, detail).at(place);
            alarms::raise_within(node, work, alarm).await?;
        }
    }
    if place > work.row.sequence {
        node.claims.keep(lineage, signed, node.clock.now());
        return Ok(());
    }
    judge_hub(node, work, signed.clone()).await
}

/// A signature of the hub that its entries do not lead to: when this node gets there by
/// other entries, the two are compared.
///
/// # Errors
/// The store's.
pub async fn strayed(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    signed: &SignedCheckpoint,
) -> Done<()> {
    let statement = SignedStatement::decode(&row.statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    if !is_signed(signed, row, &statement.statement().hub) {
        return Ok(());
    }
    let claim = HubClaim { teller: row.hub.clone(), signed: signed.clone() };
    Ok(tx.keep_claim(claim_row(node, row.lineage, &claim)).await?)
}
