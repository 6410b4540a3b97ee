//! What an operator began to write at the desk: sealed, one of each kind, kept until it is
//! sent or discarded, or for thirty days. It outlives the session.

use std::collections::BTreeMap;
use std::time::Duration;

use raccordo_core::id::{OperatorId, RecordId};
use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::{Action, may};
use raccordo_core::time::Instant;

use super::Node;
use super::directory::Operator;
use super::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::draft::DraftRow;

/// How long a draft that nobody touches stays.
pub const LIFE: Duration = Duration::from_secs(30 * 24 * 3_600);
/// Longest draft, in bytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// The field of a form that names the record of the register that it is about.
pub const RECORD: &str = "record";

/// The fields of a form, as they were filled in.
pub type Filled = BTreeMap<String, Vec<String>>;

/// A draft.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What was filled in.
    pub filled: Filled,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// Under which a draft is sealed.
pub fn context(operator: OperatorId, kind: &str) -> String {
    format!("draft/{operator}/{kind}")
}

/// Keeps what was filled in so far, in place of an earlier draft.
///
/// # Errors
/// `role_not_allowed`, `too_many`.
pub async fn keep(node: &Node, operator: &Operator, kind: Kind, filled: &Filled) -> Done<()> {
    must(operator)?;
    let text = serde_json::to_vec(filled).map_err(|cause| Fault::ours("draft", cause))?;
    if text.len() > BYTES_MAX {
        return Err(Fault::usage("too_many", "a draft has at most 64 KiB"));
    }
    let now = node.clock.now();
    let row = DraftRow {
        operator: operator.id,
        kind: kind.as_str().to_owned(),
        sealed: node.seal(&context(operator.id, kind.as_str()), &text)?,
        changed_at: now,
    };
    let mut tx = node.store.write().await?;
    tx.delete_drafts_before(now.minus(LIFE)).await?;
    tx.put_draft(row).await?;
    Ok(tx.commit().await?)
}

/// The draft of a kind, if there is one.
///
/// # Errors
/// `role_not_allowed`.
pub async fn kept(node: &Node, operator: &Operator, kind: Kind) -> Done<Option<Draft>> {
    must(operator)?;
    let row = node.store.read().await?.draft(operator.id, kind.as_str()).await?;
    let oldest = node.clock.now().minus(LIFE);
    let Some(row) = row.filter(|row| row.changed_at >= oldest) else { return Ok(None) };
    Ok(Some(Draft { filled: open(node, &row)?, changed_at: row.changed_at }))
}

/// Forgets drafts about a record that is erased.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn forget_record(node: &Node, tx: &mut dyn Tx, record: RecordId) -> Done<()> {
    let named = record.to_string();
    for operator in tx.operators().await? {
        for kind in Kind::ALL {
            let Some(row) = tx.draft(operator.operator, kind.as_str()).await? else { continue };
            let about = open(node, &row)?.remove(RECORD).unwrap_or_default();
            if about.contains(&named) {
                tx.delete_draft(operator.operator, kind.as_str()).await?;
            }
        }
    }
    Ok(())
}

fn open(node: &Node, row: &DraftRow) -> Done<Filled> {
    let text = node.open(&context(row.operator, &row.kind), &row.sealed)?;
    serde_json::from_slice(text.reveal()).map_err(|cause| Fault::ours("draft_damaged", cause))
}

/// Forgets it.
///
/// # Errors
/// The store's.
pub async fn discard(node: &Node, operator: &Operator, kind: Kind) -> Done<()> {
    let mut tx = node.store.write().await?;
    tx.delete_draft(operator.id, kind.as_str()).await?;
    Ok(tx.commit().await?)
}

/// Whether the operator may begin to write anything.
pub(super) fn may_write(operator: &Operator) -> bool {
    must(operator).is_ok()
}

/// Who may share something may begin to write it; what it is about is judged when it is sent.
fn must(operator: &Operator) -> Done<()> {
    if may(operator.role, operator.class, Action::ShareAlert(Subject::Person)) {
        return Ok(());
    }
    operator.must(Action::ShareAlert(Subject::Company))
}
