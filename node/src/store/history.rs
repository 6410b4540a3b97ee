//! Statements that were in force, one after the other: what shows another node that the newest
//! follows from the one that it knows.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use super::Stored;

/// Who keeps a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Keeper {
    /// A member, of what it has followed.
    Member,
    /// A hub, of the logs that it carries.
    Hub,
}

/// Rows of statements.
#[async_trait]
pub trait HistoryRows {
    /// Writes or replaces a statement of a version, container `signed-statement`. Later ones
    /// go: the commits that brought them were undone.
    async fn put_past_statement(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        version: u64,
        statement: Vec<u8>,
    ) -> Stored<()>;
    /// Those before a version, the newest first, at most `limit`.
    async fn past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
        limit: u32,
    ) -> Stored<Vec<Vec<u8>>>;
    /// Forgets those before a version.
    async fn forget_past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
    ) -> Stored<()>;
}
