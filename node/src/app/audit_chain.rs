//! Reads the audit chain: verifies it from the first record, holds it against what this node has
//! signed of it before, and exports it.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::audit::{
    AuditHead, AuditRecord, HeadConflict, SignedAuditHead, conflicts, verify,
};

use super::Node;
use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};

const PAGE: u32 = 1_000;

/// Verifies the whole chain; returns the newest place.
///
/// # Errors
/// `chain_broken`, with the place.
pub async fn verify_chain(node: &Node) -> Done<AuditHead> {
    walk(node, |_| {}).await
}

async fn walk(node: &Node, mut look: impl FnMut(&AuditRecord) + Send) -> Done<AuditHead> {
    let mut tx = node.store.read().await?;
    let mut head = AuditHead::EMPTY;
    loop {
        let page = tx.audit_after(head.sequence, PAGE).await?;
        if page.is_empty() {
            return Ok(head);
        }
        head = verify(head, page.iter()).map_err(|broken| {
            Fault::new(Whose::Ours, "chain_broken", broken.to_string())
                .hint("the database was changed from outside: keep it, and restore a backup")
        })?;
        page.iter().for_each(&mut look);
    }
}

/// What a chain was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeldAgainst {
    /// Where the chain ends.
    pub head: AuditHead,
    /// How many heads of it that this node signed it bears out.
    pub borne_out: usize,
    /// How many heads were of other nodes, or not signed by this one: they say nothing.
    pub passed_over: usize,
}

/// Verifies the whole chain, and holds it against heads that this node has given away: as its
/// machine's log or other members have kept them, one line of JSON each.
///
/// # Errors
/// `chain_broken`; `chain_contradicted`, with the first place of which this node has signed
/// something else; `bad_audit_head` where a line is no head.
pub async fn verify_against(node: &Node, lines: &[String]) -> Done<HeldAgainst> {
    let parse = |line: &String| SignedAuditHead::from_line(line);
    let heads = lines.iter().map(parse).collect::<Result<Vec<_>, _>>();
    let heads = heads.map_err(|cause| Fault::refused("bad_audit_head", cause.to_string()))?;
    let identity = node.identity.key.public();
    let own =
        |head: &&SignedAuditHead| head.node == node.identity.node && head.verify(&identity).is_ok();
    let own: Vec<SignedAuditHead> = heads.iter().filter(own).cloned().collect();
    let mut records = BTreeMap::new();
    let wanted: BTreeSet<u64> = own.iter().map(|signed| signed.head.sequence).collect();
    let head = walk(node, |record| {
        if wanted.contains(&record.sequence) {
            records.insert(record.sequence, record.hash);
        }
    })
    .await?;
    match conflicts(&own, &records).into_iter().next() {
        None => {
            Ok(HeldAgainst { head, borne_out: own.len(), passed_over: heads.len() - own.len() })
        }
        Some(conflict) => Err(contradicted(&conflict, head)),
    }
}

fn contradicted(conflict: &HeadConflict, head: AuditHead) -> Fault {
    let SignedAuditHead { head: signed, at, .. } = conflict.signed();
    let told =
        format!("this node signed at {at} that record {} is {}", signed.sequence, signed.hash);
    let found = match conflict {
        HeadConflict::Rewritten(_) => "the chain has another one there".to_owned(),
        HeadConflict::CutOff(_) => format!("the chain ends at record {}", head.sequence),
    };
    Fault::new(Whose::Ours, "chain_contradicted", format!("{told}; {found}")).hint(
        "the database was changed from outside, or an older one was put back: keep it as it \
               is, and compare with exports of the audit and with backups",
    )
}

/// The records after a place, at most a thousand.
///
/// # Errors
/// The store's.
pub async fn page(node: &Node, after: u64) -> Done<Vec<AuditRecord>> {
    Ok(node.store.read().await?.audit_after(after, PAGE).await?)
}

/// Notes that the chain is exported, before it is.
///
/// # Errors
/// The store's.
pub async fn note_export(node: &Node, actor: Actor) -> Done<()> {
    let mut tx = node.store.write().await?;
    record(node, &mut *tx, actor, "audit.export", node.identity.node.as_str(), &[]).await?;
    tx.commit().await?;
    Ok(())
}
