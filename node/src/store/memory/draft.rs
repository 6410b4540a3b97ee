//! Rows of drafts, in memory.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::draft::{DraftRow, DraftRows};

#[async_trait]
impl DraftRows for MemoryTx {
    async fn draft(&mut self, operator: OperatorId, kind: &str) -> Stored<Option<DraftRow>> {
        self.look(|tables| tables.draft.row(&(operator, kind.to_owned())).cloned())
    }

    async fn put_draft(&mut self, row: DraftRow) -> Stored<()> {
        self.alter(|tables| tables.draft.put((row.operator, row.kind.clone()), row))
    }

    async fn delete_draft(&mut self, operator: OperatorId, kind: &str) -> Stored<()> {
        self.alter(|tables| tables.draft.remove(&(operator, kind.to_owned())))
    }

    async fn delete_drafts_before(&mut self, changed: Instant) -> Stored<()> {
        self.alter(|tables| tables.draft.remove_where(.., |_, row| row.changed_at < changed))
    }
}
