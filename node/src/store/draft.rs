//! What operators began to write at the desk.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::Stored;

/// A draft; an operator has one of each kind at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRow {
    /// Whose.
    pub operator: OperatorId,
    /// Of what it becomes: `case` or `company`.
    pub kind: String,
    /// Sealed by the vault.
    pub sealed: Vec<u8>,
    /// When it was changed last.
    pub changed_at: Instant,
}

/// Rows of drafts.
#[async_trait]
pub trait DraftRows {
    /// That of an operator and kind.
    async fn draft(&mut self, operator: OperatorId, kind: &str) -> Stored<Option<DraftRow>>;
    /// Writes or replaces one.
    async fn put_draft(&mut self, row: DraftRow) -> Stored<()>;
    /// Deletes one; nothing happens if there is none.
    async fn delete_draft(&mut self, operator: OperatorId, kind: &str) -> Stored<()>;
    /// Deletes all that were not changed since an instant.
    async fn delete_drafts_before(&mut self, changed: Instant) -> Stored<()>;
}
