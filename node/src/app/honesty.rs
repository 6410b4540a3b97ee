//! Holds a hub to what it said: every statement about the log, from the hub or from another
//! member, is compared with the history that this node has verified.
//!
//! What is said of a place behind this node is looked up; what is said of a place ahead is
//! kept until this node gets there. A contradiction raises an alarm that names the entries;
//! where two signatures of the hub contradict each other, a proof is kept.

mod history;
mod proofs;
mod watch;

use raccordo_core::envelope::PackHead;
use raccordo_core::hublog::{Checkpoint, LogEntry, SignedCheckpoint};
use raccordo_core::id::{Digest, LineageId, NodeId, Sequence};
use raccordo_core::trust::statement::{HubTerm, SignedStatement};

use super::Node;
use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::receive::Batch;
use super::work::Work;
use crate::store::Tx;
use crate::store::equipe::{AlarmRow, EquipeRow};
use crate::store::honesty::ClaimRow;
pub use history::{LAST, begin_anew, head_at as remembered_head, keep, kept_head, rewritten};
pub use proofs::export;
use proofs::{Evidence, prove};
pub use watch::{Claims, PATIENCE, watch};

/// What people must know, and what stays held until it is put right.
pub struct Suspicion {
    /// Stable code of the alarm.
    pub code: &'static str,
    /// In words: the entries, and what was said of them.
    pub detail: String,
}

/// Raises a holding alarm, and records it; one that stands keeps its first words.
///
/// # Errors
/// The store's.
pub async fn raise(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    suspicion: Suspicion,
) -> Done<()> {
    let Suspicion { code, detail } = suspicion;
    if tx.alarms(lineage).await?.iter().any(|alarm| alarm.code == code) {
        return Ok(());
    }
    let subject = lineage.to_string();
    let told = [("code", code), ("detail", detail.as_str())];
    record(node, tx, Actor::Node, "equipe.alarm", &subject, &told).await?;
    tracing::error!(%lineage, reason = code, "the hub or a member is not honest: cases are held");
    let (code, raised_at) = (code.to_owned(), node.clock.now());
    tx.put_alarm(AlarmRow { lineage, code, detail, holds: true, raised_at }).await?;
    Ok(())
}

/// What is said of one place of a log.
#[derive(Clone, Debug)]
struct Said {
    teller: NodeId,
    sequence: Sequence,
    head: Digest,
    signed: Option<SignedCheckpoint>,
}

/// Whether the hub signed this in its present term.
fn is_signed(signed: &SignedCheckpoint, row: &EquipeRow, term: &HubTerm) -> bool {
    let stated = signed.checkpoint();
    (stated.group, &stated.hub, stated.term) == (row.group, &term.hub, term.term)
        && signed.verify(&term.identity).is_ok()
}

/// Compares what another member believes about the log with what this node has verified.
///
/// # Errors
/// The store's.
pub async fn echoed(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    pack: &PackHead,
) -> Done<()> {
    let (echo, teller) = (&pack.echo, &pack.sender);
    let lineage = work.row.lineage;
    if pack.epoch == work.row.epoch && echo.authenticator != work.row.authenticator {
        let detail = format!(
            "entry {}: {teller} has authenticator {} in epoch {}, and this node {}",
            entry.sequence,
            hex::encode(&echo.authenticator),
            pack.epoch,
            hex::encode(&work.row.authenticator)
        );
        raise(node, work.tx()?, lineage, Suspicion { code: "echo_disagrees", detail }).await?;
    }
    let ahead = echo.sequence > work.row.sequence;
    if !ahead && history::head_at(work, echo.sequence).await?.is_none_or(|own| own == echo.head) {
        return Ok(());
    }
    let signed = echo.signature.map(|signature| {
        let term = work.statement()?.statement().hub.clone();
        let (hub, number) = (term.hub.clone(), term.term);
        let (group, sequence, head) = (work.row.group, echo.sequence, echo.head);
        let stated = Checkpoint { group, sequence, head, epoch: pack.epoch, hub, term: number };
        let signed = SignedCheckpoint::from_parts(stated, signature);
        Ok::<_, Fault>(is_signed(&signed, &work.row, &term).then_some(signed))
    });
    let signed = signed.transpose()?.flatten();
    let (sequence, head) = (echo.sequence, echo.head);
    let said = Said { teller: teller.clone(), sequence, head, signed };
    if ahead { outrun(node, work, entry, said).await } else { judge(node, work, &said).await }
}

/// A member has seen an entry that stood in the log before its own message, and that did
/// not come here before it.
async fn outrun(node: &Node, work: &mut Work<'_>, entry: &LogEntry, said: Said) -> Done<()> {
    let lineage = work.row.lineage;
    let Said { teller, sequence, head, .. } = &said;
    let words = format!(
        "{teller} had seen entry {sequence} with head {head} before it wrote entry {}",
        entry.sequence
    );
    let suspicion = match said.signed {
        Some(_) => Suspicion {
            code: "log_withheld",
            detail: format!("{words}, and the hub signed it: entries are kept from this node"),
        },
        None => Suspicion { code: "echo_disagrees", detail: words },
    };
    raise(node, work.tx()?, lineage, suspicion).await?;
    let claim = claim_row(node, lineage, said);
    work.tx()?.keep_claim(claim).await?;
    Ok(())
}

fn claim_row(node: &Node, lineage: LineageId, said: Said) -> ClaimRow {
    let (checkpoint, checkpoint_signature) = match &said.signed {
        Some(signed) => (signed.bytes().to_vec(), signed.signature().to_vec()),
        None => (Vec::new(), Vec::new()),
    };
    ClaimRow {
        lineage,
        teller: said.teller,
        sequence: said.sequence,
        head: said.head,
        checkpoint,
        checkpoint_signature,
        noted_at: node.clock.now(),
    }
}

/// Raises the alarm about a place behind this node of which something else was said. While
/// the hub has not signed this node's own history from there on, the proof has to wait.
async fn judge(node: &Node, work: &mut Work<'_>, said: &Said) -> Done<()> {
    let lineage = work.row.lineage;
    let own = history::head_at(work, said.sequence).await?;
    let Some(own) = own.filter(|own| *own != said.head) else { return Ok(()) };
    let Said { teller, sequence, head, signed } = said;
    let Some(signed) = signed else {
        let detail = format!(
            "entry {sequence}: {teller} has head {head}, and this node {own}; the hub's \
             signature is not with it: the hub or {teller} is not honest"
        );
        let suspicion = Suspicion { code: "echo_disagrees", detail };
        return raise(node, work.tx()?, lineage, suspicion).await;
    };
    let stretches = history::from(work, *sequence).await?;
    let proven = prove(node, work, Evidence { signed, stretches: &stretches }).await?;
    let proof = if proven { "the proof is kept" } else { "the proof follows" };
    let detail = format!(
        "entry {sequence}: the hub signed head {head}, which {teller} tells, and led this node \
         to {own}; {proof}"
    );
    raise(node, work.tx()?, lineage, Suspicion { code: "log_forked", detail }).await?;
    if !proven {
        let claim = claim_row(node, lineage, said.clone());
        work.tx()?.keep_claim(claim).await?;
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
        let teller = row.teller.clone();
        let said = read_claim(row)?;
        work.tx()?.delete_claim(lineage, &teller).await?;
        judge(node, work, &said).await?;
    }
    if let Some(signed) = node.claims.reached(lineage, here) {
        let said = hub_said(work, signed);
        judge_hub(node, work, said).await?;
    }
    Ok(())
}

fn read_claim(row: ClaimRow) -> Done<Said> {
    let damaged = || Fault::ours("row_damaged", "a claim about the log");
    let signed = match row.checkpoint_signature.as_slice() {
        [] => None,
        bytes => {
            let signature = bytes.try_into().map_err(|_| damaged())?;
            let signed = SignedCheckpoint::parse(&row.checkpoint, signature);
            Some(signed.map_err(|_| damaged())?)
        }
    };
    Ok(Said { teller: row.teller, sequence: row.sequence, head: row.head, signed })
}

fn hub_said(work: &Work<'_>, signed: SignedCheckpoint) -> Said {
    let stated = signed.checkpoint();
    let (sequence, head) = (stated.sequence, stated.head);
    Said { teller: work.row.hub.clone(), sequence, head, signed: Some(signed) }
}

/// The hub's own word, whose signature is looked at only where it disagrees.
async fn judge_hub(node: &Node, work: &mut Work<'_>, said: Said) -> Done<()> {
    let own = history::head_at(work, said.sequence).await?;
    if own.is_none_or(|own| own == said.head) {
        return Ok(());
    }
    let term = work.statement()?.statement().hub.clone();
    let good = said.signed.as_ref().is_some_and(|signed| is_signed(signed, &work.row, &term));
    if good { judge(node, work, &said).await } else { Ok(()) }
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
        raise(node, work.tx()?, lineage, Suspicion { code: "log_reordered", detail }).await?;
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
    let lineage = work.row.lineage;
    raise(node, work.tx()?, lineage, Suspicion { code: "log_reordered", detail }).await?;
    Ok(true)
}

/// The alarm that an entry calls for which was set aside; none for most.
pub fn of_set_aside(entry: &LogEntry, reason: &str) -> Option<Suspicion> {
    let (sequence, sender) = (entry.sequence, &entry.sender);
    match reason {
        "secret_reused" | "entry_replayed" => Some(Suspicion {
            code: "entry_replayed",
            detail: format!(
                "entry {sequence}, {} of {sender}, repeats what stood in the log before",
                entry.entry_id
            ),
        }),
        "sender_mismatch" => Some(Suspicion {
            code: "sender_wrong",
            detail: format!(
                "entry {sequence} stands in the log as {sender}'s, and another member made it: \
                 the hub or {sender} is not honest"
            ),
        }),
        _ => None,
    }
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
            raise(node, work.tx()?, lineage, Suspicion { code: "log_truncated", detail }).await?;
        }
    }
    if place > work.row.sequence {
        node.claims.keep(lineage, signed, node.clock.now());
        return Ok(());
    }
    let said = hub_said(work, signed.clone());
    judge_hub(node, work, said).await
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
    let (sequence, head) = (signed.checkpoint().sequence, signed.checkpoint().head);
    let said = Said { teller: row.hub.clone(), sequence, head, signed: Some(signed.clone()) };
    tx.keep_claim(claim_row(node, row.lineage, said)).await?;
    Ok(())
}
