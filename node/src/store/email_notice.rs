//! Who wants to be told by e-mail.

use async_trait::async_trait;
use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;

use super::Stored;

/// One operator's wish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailNoticeRow {
    /// Whose.
    pub operator: OperatorId,
    /// The e-mail address, sealed by the vault.
    pub sealed_address: Vec<u8>,
    /// Up to where there was nothing new to tell.
    pub known: Marks,
    /// When the newest notice went out; when the wish was made, before the first.
    pub told_at: Instant,
}

/// Rows of notices.
#[async_trait]
pub trait EmailNoticeRows {
    /// That of an operator.
    async fn email_notice(&mut self, operator: OperatorId) -> Stored<Option<EmailNoticeRow>>;
    /// All of them, by operator.
    async fn email_notices(&mut self) -> Stored<Vec<EmailNoticeRow>>;
    /// Writes or replaces one.
    async fn put_email_notice(&mut self, row: EmailNoticeRow) -> Stored<()>;
    /// Deletes one; nothing happens if there is none.
    async fn delete_email_notice(&mut self, operator: OperatorId) -> Stored<()>;
    /// When an operator last used a session that is still there.
    async fn seen_at(&mut self, operator: OperatorId) -> Stored<Option<Instant>>;
}
