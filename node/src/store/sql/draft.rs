//! Rows of drafts.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::draft::{DraftRow, DraftRows};

const DRAFT: &str = "SELECT operator, kind, sealed, changed_at_ms FROM draft \
     WHERE operator = $1 AND kind = $2";
const PUT_DRAFT: &str = "INSERT INTO draft (operator, kind, sealed, changed_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (operator, kind) DO UPDATE \
     SET sealed = excluded.sealed, changed_at_ms = excluded.changed_at_ms";
const DELETE_DRAFT: &str = "DELETE FROM draft WHERE operator = $1 AND kind = $2";
const DELETE_DRAFTS_BEFORE: &str = "DELETE FROM draft WHERE changed_at_ms < $1";

#[async_trait]
impl DraftRows for SqlTx {
    async fn draft(&mut self, operator: OperatorId, kind: &str) -> Stored<Option<DraftRow>> {
        let read = |row: &mut Columns<'_>| {
            let (operator, kind, sealed) = (row.id()?, row.text()?, row.bytes()?);
            Ok(DraftRow { operator, kind, sealed, changed_at: row.instant()? })
        };
        self.one(sql("draft", DRAFT).bytes(operator.as_bytes()).text(kind), read).await
    }

    async fn put_draft(&mut self, row: DraftRow) -> Stored<()> {
        let put = sql("draft", PUT_DRAFT)
            .bytes(row.operator.as_bytes())
            .text(row.kind)
            .bytes(row.sealed)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_draft(&mut self, operator: OperatorId, kind: &str) -> Stored<()> {
        let delete = sql("draft", DELETE_DRAFT).bytes(operator.as_bytes()).text(kind);
        self.execute(delete).await.map(drop)
    }

    async fn delete_drafts_before(&mut self, changed: Instant) -> Stored<()> {
        self.execute(sql("draft", DELETE_DRAFTS_BEFORE).instant(changed)).await.map(drop)
    }
}
