//! Rows of notices, in memory.

use async_trait::async_trait;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::MemoryTx;
use crate::store::Stored;
use crate::store::email_notice::{EmailNoticeRow, EmailNoticeRows};

#[async_trait]
impl EmailNoticeRows for MemoryTx {
    async fn email_notice(&mut self, operator: OperatorId) -> Stored<Option<EmailNoticeRow>> {
        self.look(|tables| tables.email_notice.row(&operator).cloned())
    }

    async fn email_notices(&mut self) -> Stored<Vec<EmailNoticeRow>> {
        self.look(|tables| tables.email_notice.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn put_email_notice(&mut self, row: EmailNoticeRow) -> Stored<()> {
        self.alter(|tables| tables.email_notice.put(row.operator, row))
    }

    async fn delete_email_notice(&mut self, operator: OperatorId) -> Stored<()> {
        self.alter(|tables| tables.email_notice.remove(&operator))
    }

    async fn seen_at(&mut self, operator: OperatorId) -> Stored<Option<Instant>> {
        self.look(|tables| {
            let rows = tables.desk_session.rows().map(|(_, row)| row);
            rows.filter(|row| row.operator == operator).map(|row| row.seen_at).max()
        })
    }
}
