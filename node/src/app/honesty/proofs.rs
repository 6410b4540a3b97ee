//! Proofs that a hub signed two histories: made, kept, exported.

use raccordo_core::hublog::{Equivocation, SignedCheckpoint, Stretch, contradiction};
use raccordo_core::id::LineageId;
use raccordo_core::trust::card::SignedCard;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{peers, status};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;

/// What a proof is made from.
pub(super) struct Evidence<'e> {
    /// Signed by the hub, of a place behind this node.
    pub(super) signed: &'e SignedCheckpoint,
    /// This node's own history from that place on.
    pub(super) stretches: &'e [Stretch],
}

/// The card of an équipe's hub.
pub(super) async fn hub_card(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
) -> Done<Option<SignedCard>> {
    if row.hub == node.identity.node {
        return Ok(Some(node.identity.card()));
    }
    tx.peer(&row.hub).await?.map(|peer| peers::read_card(&peer)).transpose()
}

/// Makes and keeps a proof; false where this node has no signature to set against it.
pub(super) async fn prove(node: &Node, work: &mut Work<'_>, evidence: Evidence<'_>) -> Done<bool> {
    let row = work.row.clone();
    let Some(card) = hub_card(node, work.tx()?, &row).await? else { return Ok(false) };
    let proof = contradiction(&card, evidence.signed, evidence.stretches);
    let proven = proof.is_some();
    keep(node, work.tx()?, row.lineage, proof).await?;
    Ok(proven)
}

/// The proof from two stretches that begin with one head, whichever goes further.
pub(super) fn between(card: &SignedCard, own: &[Stretch], told: &Stretch) -> Option<Equivocation> {
    let signed = own.iter().filter_map(|stretch| stretch.checkpoint.as_ref());
    let within = signed.filter(|signed| signed.checkpoint().sequence <= told.last());
    let mut proofs =
        within.filter_map(|signed| contradiction(card, signed, std::slice::from_ref(told)));
    if let Some(proof) = proofs.next() {
        return Some(proof);
    }
    let signed = told.checkpoint.as_ref()?;
    let from =
        own.iter().position(|stretch| stretch.head_at(signed.checkpoint().sequence).is_some());
    contradiction(card, signed, own.get(from?..)?)
}

/// Keeps a proof, and records that there is one.
pub(super) async fn keep(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    proof: Option<Equivocation>,
) -> Done<()> {
    let Some(proof) = proof else { return Ok(()) };
    let Ok(proven) = proof.judge() else { return Ok(()) };
    if tx.keep_proof(lineage, proven.sequence, proof.encode()).await? {
        let sequence = proven.sequence.to_string();
        let detail = [("hub", proven.hub.as_str()), ("sequence", sequence.as_str())];
        record(node, tx, Actor::Node, "equipe.proof", &lineage.to_string(), &detail).await?;
    }
    Ok(())
}

/// The proofs against an équipe's hub, as files, by the disputed place.
///
/// # Errors
/// `no_such_equipe`, `no_proof`.
pub async fn export(node: &Node, actor: Actor, equipe: &str) -> Done<Vec<String>> {
    let row = status::equipe(node, equipe).await?.row;
    let mut tx = node.store.write().await?;
    let proofs = tx.proofs(row.lineage).await?;
    if proofs.is_empty() {
        return Err(Fault::not_found("no_proof", "no proof against this équipe's hub is here")
            .hint("an alarm about the log may stand all the same: `raccordo doctor`"));
    }
    let lineage = row.lineage.to_string();
    record(node, &mut *tx, actor, "audit.export_proof", &lineage, &[]).await?;
    tx.commit().await?;
    let file = |proof: Vec<u8>| match Equivocation::decode(&proof) {
        Ok(proof) => Ok(proof.to_file()),
        Err(cause) => Err(Fault::ours("proof_damaged", cause)),
    };
    proofs.into_iter().map(file).collect()
}
