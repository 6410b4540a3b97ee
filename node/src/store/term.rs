//! Hub terms: what a member keeps of a log for another hub, and a log's way there.

use async_trait::async_trait;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{LineageId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// An entry as the hub's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// The entry.
    pub entry: LogEntry,
    /// Bytes of the payloads up to this one since the first that was kept.
    pub bytes_through: u64,
}

/// A log's way to another hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubMoveRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Container `signed-statement` that begins the term, signed by all who must.
    pub statement: Vec<u8>,
    /// The one before it.
    pub previous: Vec<u8>,
    /// Empty, `waiting`, `accepted`, `refused` or `founded`.
    pub answer: String,
    /// When anything changed.
    pub changed_at: Instant,
}

record! { HubMoveRow in "hub_move" {
    key { lineage: LineageId = "lineage" }
    statement = "statement",
    previous = "previous",
    answer = "answer",
    changed_at = "changed_at_ms",
} }

/// Rows of hub terms.
#[async_trait]
pub trait TermRows {
    /// Keeps entries; one that is kept already stays as it is.
    async fn keep_entries(&mut self, rows: &[KeptRow]) -> Stored<()>;
    /// Kept entries after a place, ascending, at most `limit`.
    async fn kept_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<KeptRow>>;
    /// The value of [`KeptRow::bytes_through`] at the newest one; 0 where nothing is kept.
    async fn kept_bytes(&mut self, lineage: LineageId) -> Stored<u64>;
    /// Forgets kept entries up to a place.
    async fn forget_kept(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()>;
    /// Forgets those whose [`KeptRow::bytes_through`] is at most so much.
    async fn forget_kept_bytes(&mut self, lineage: LineageId, bytes: u64) -> Stored<()>;
}

/// Rows of moves to another hub.
#[async_trait]
pub trait HubMoveRows {
    /// The way of an équipe's log to another hub.
    async fn hub_move(&mut self, lineage: LineageId) -> Stored<Option<HubMoveRow>>;
    /// Writes or replaces it.
    async fn put_hub_move(&mut self, row: HubMoveRow) -> Stored<()>;
    /// Forgets it.
    async fn delete_hub_move(&mut self, lineage: LineageId) -> Stored<()>;
}
