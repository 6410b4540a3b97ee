//! Rows of notices.

use async_trait::async_trait;
use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::email_notice::{EmailNoticeRow, EmailNoticeRows};

const NOTICE: &str = "SELECT operator, sealed_address, objects, matches, told_at_ms FROM email_notice \
     WHERE operator = $1";
const NOTICES: &str = "SELECT operator, sealed_address, objects, matches, told_at_ms FROM email_notice \
     ORDER BY operator";
const PUT: &str = "INSERT INTO email_notice (operator, sealed_address, objects, matches, told_at_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (operator) DO UPDATE \
     SET sealed_address = excluded.sealed_address, objects = excluded.objects, \
     matches = excluded.matches, told_at_ms = excluded.told_at_ms";
const DELETE: &str = "DELETE FROM email_notice WHERE operator = $1";
const SEEN: &str = "SELECT seen_at_ms FROM desk_session WHERE operator = $1 \
     ORDER BY seen_at_ms DESC LIMIT 1";

#[async_trait]
impl EmailNoticeRows for SqlTx {
    async fn email_notice(&mut self, operator: OperatorId) -> Stored<Option<EmailNoticeRow>> {
        self.one(sql("email_notice", NOTICE).bytes(operator.as_bytes()), read).await
    }

    async fn email_notices(&mut self) -> Stored<Vec<EmailNoticeRow>> {
        self.all(sql("email_notice", NOTICES), read).await
    }

    async fn put_email_notice(&mut self, row: EmailNoticeRow) -> Stored<()> {
        let put = sql("email_notice", PUT)
            .bytes(row.operator.as_bytes())
            .bytes(row.sealed_address)
            .integer(row.known.objects)
            .integer(row.known.matches)
            .instant(row.told_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_email_notice(&mut self, operator: OperatorId) -> Stored<()> {
        self.execute(sql("email_notice", DELETE).bytes(operator.as_bytes())).await.map(drop)
    }

    async fn seen_at(&mut self, operator: OperatorId) -> Stored<Option<Instant>> {
        let seen = sql("desk_session", SEEN).bytes(operator.as_bytes());
        self.one(seen, |row| row.instant()).await
    }
}

fn read(row: &mut Columns<'_>) -> Stored<EmailNoticeRow> {
    let (operator, sealed_address) = (row.id()?, row.bytes()?);
    let known = Marks { objects: row.integer()?, matches: row.integer()? };
    Ok(EmailNoticeRow { operator, sealed_address, known, told_at: row.instant()? })
}
