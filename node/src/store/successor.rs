//! Successors of groups: the one that this node has signed of each, and its way there.

use async_trait::async_trait;
use raccordo_core::id::{Digest, GroupId, LineageId};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// The successor of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SuccessorRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// The group that ends.
    pub old_group: GroupId,
    /// SHA-256 of the only statement that this node has signed as its successor's.
    pub signed: Digest,
    /// Container `signed-statement` once all have signed it; else empty.
    pub statement: Vec<u8>,
    /// Empty, `waiting`, `accepted`, `refused` or `founded`: what its hub has answered.
    pub answer: String,
    /// When anything changed.
    pub changed_at: Instant,
}

record! { SuccessorRow in "successor" {
    key { lineage: LineageId = "lineage", old_group: GroupId = "old_group" }
    signed = "signed",
    statement = "statement",
    answer = "answer",
    changed_at = "changed_at_ms",
} }

/// Rows of successors.
#[async_trait]
pub trait SuccessorRows {
    /// The successor of a group.
    async fn successor(
        &mut self,
        lineage: LineageId,
        old_group: GroupId,
    ) -> Stored<Option<SuccessorRow>>;
    /// Writes or replaces it.
    async fn put_successor(&mut self, row: SuccessorRow) -> Stored<()>;
}
