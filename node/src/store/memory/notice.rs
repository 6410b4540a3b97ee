//! Rows of notices, in memory.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::notice::{NoticeRow, NoticeRows};

#[async_trait]
impl NoticeRows for MemoryTx {
    async fn notice(&mut self, operator: OperatorId) -> Stored<Option<NoticeRow>> {
        self.look(|tables| tables.notice.row(&operator).cloned())
    }

    async fn notices(&mut self) -> Stored<Vec<NoticeRow>> {
        self.look(|tables| tables.notice.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn put_notice(&mut self, row: NoticeRow) -> Stored<()> {
        self.alter(|tables| tables.notice.put(row.operator, row))
    }

    async fn delete_notice(&mut self, operator: OperatorId) -> Stored<()> {
        self.alter(|tables| tables.notice.remove(&operator))
    }

    async fn seen_at(&mut self, operator: OperatorId) -> Stored<Option<Instant>> {
        self.look(|tables| {
            let rows = tables.desk_session.rows().map(|(_, row)| row);
            rows.filter(|row| row.operator == operator).map(|row| row.seen_at).max()
        })
    }
}
