//! What this node has signed of an équipe that it has not joined yet, where a later proposal has
//! come since: the Welcome may be of the one or of the other.

use raccordo_core::canonical::{CanonicalError, Reader, Writer};
use raccordo_core::id::LineageId;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::wire;

use super::fault::{Done, Fault};
use super::{Node, identity, pacts};
use crate::store::Tx;

/// So many are kept, the newest.
const CONSENTS_MAX: usize = 8;

/// Keeps a signed proposal that is about to be replaced.
///
/// # Errors
/// The store's, or a wrong node key.
pub async fn add(node: &Node, tx: &mut dyn Tx, proposal: &Proposal) -> Done<()> {
    let lineage = proposal.pact.terms().lineage;
    let mut all = of(node, tx, lineage).await?;
    all.retain(|known| known.statement.digest() != proposal.statement.digest());
    all.insert(0, proposal.clone());
    all.truncate(CONSENTS_MAX);
    put(node, tx, lineage, &all).await
}

/// Those of an équipe, the newest first.
///
/// # Errors
/// The store's, a wrong node key, or damaged bytes.
pub async fn of(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<Vec<Proposal>> {
    let name = name(lineage);
    let Some(sealed) = tx.secret(&name).await? else { return Ok(Vec::new()) };
    let bytes = node.open(&identity::context(&name), &sealed)?;
    let encoded = read(bytes.reveal()).map_err(|cause| Fault::ours("consents_damaged", cause))?;
    encoded.into_iter().map(pacts::read_kept).collect()
}

/// Forgets them: this node has joined.
///
/// # Errors
/// The store's.
pub async fn forget(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    match tx.secret(&name(lineage)).await? {
        Some(_) => put(node, tx, lineage, &[]).await,
        None => Ok(()),
    }
}

async fn put(node: &Node, tx: &mut dyn Tx, lineage: LineageId, all: &[Proposal]) -> Done<()> {
    let name = name(lineage);
    let bytes = Writer::new("consents").list(all.iter().map(wire::trust::encode_proposal)).finish();
    let sealed = node.seal(&identity::context(&name), &bytes)?;
    Ok(tx.put_secret(&name, sealed).await?)
}

fn read(bytes: &[u8]) -> Result<Vec<&[u8]>, CanonicalError> {
    let mut reader = Reader::new("consents", bytes)?;
    let encoded = reader.list("consents")?;
    reader.end()?;
    Ok(encoded)
}

fn name(lineage: LineageId) -> String {
    format!("consents/{lineage}")
}
