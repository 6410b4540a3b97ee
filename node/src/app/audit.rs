//! Adds to the audit chain inside the transaction of the action that it tells of: if the
//! record cannot be written, the action does not happen.

use std::collections::BTreeMap;

use raccordo_core::audit::{AuditEvent, AuditHead, AuditRecord};
use raccordo_core::id::{NodeId, OperatorId};

use super::Node;
use super::fault::Done;
use crate::store::Tx;

/// Who acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// An administrator on this machine, by user id of the socket's peer.
    Administrator(u32),
    /// An operator, by opaque id.
    Operator(OperatorId),
    /// The node itself, on what a peer sent or time brought.
    Node,
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Administrator(uid) => write!(f, "administrator/{uid}"),
            Self::Operator(id) => write!(f, "operator/{id}"),
            Self::Node => f.write_str("node"),
        }
    }
}

/// Adds a record of what a peer was refused, unless there are many of it already: a peer must
/// not fill the audit. What is not recorded is counted, and told by `doctor`.
///
/// # Errors
/// As [`record`].
pub async fn record_refusal(
    node: &Node,
    tx: &mut dyn Tx,
    peer: &NodeId,
    action: &str,
    subject: &str,
    detail: &[(&str, &str)],
) -> Done<()> {
    if !node.quotas.may_audit(peer, node.clock.now()) {
        return Ok(());
    }
    record(node, tx, Actor::Node, action, subject, detail).await
}

/// Adds one record: `action` and `subject` are opaque (ids and codes, never values).
///
/// # Errors
/// Whatever the store says; the caller gives up its transaction.
pub async fn record(
    node: &Node,
    tx: &mut dyn Tx,
    actor: Actor,
    action: &str,
    subject: &str,
    detail: &[(&str, &str)],
) -> Done<()> {
    let newest = tx.audit_newest().await?;
    let head = newest.map_or(AuditHead::EMPTY, |record| record.head());
    let detail: BTreeMap<String, String> =
        detail.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let record = AuditRecord::append(
        head,
        AuditEvent {
            at: node.clock.now(),
            actor: actor.to_string(),
            action: action.to_owned(),
            subject: subject.to_owned(),
            detail,
        },
    );
    tx.audit_append(&record).await?;
    Ok(())
}
