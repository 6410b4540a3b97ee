//! What a member keeps to hold its hub to what it said.

use async_trait::async_trait;
use raccordo_core::id::{Digest, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// Entries of a log as they were verified together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StretchRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Place of the last entry.
    pub last: Sequence,
    /// Place of the entry before the first.
    pub after: Sequence,
    /// Head at that place.
    pub before: Digest,
    /// Digests of the entries, 32 bytes each.
    pub digests: Vec<u8>,
    /// Canonical checkpoint of the last entry; empty where the hub signed none there.
    pub checkpoint: Vec<u8>,
    /// The hub's signature over it.
    pub checkpoint_signature: Vec<u8>,
}

/// What the hub has signed of a place at which this node has not arrived, or for which a proof is
/// still to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Who said it: a member, or the hub.
    pub teller: NodeId,
    /// The place.
    pub sequence: Sequence,
    /// The head there.
    pub head: Digest,
    /// Canonical checkpoint of it.
    pub checkpoint: Vec<u8>,
    /// The hub's signature over that.
    pub checkpoint_signature: Vec<u8>,
    /// When it came to be known.
    pub noted_at: Instant,
}

record! { ClaimRow in "claim" {
    key { lineage: LineageId = "lineage", teller: NodeId = "teller" }
    sequence = "sequence",
    head = "head",
    checkpoint = "checkpoint",
    checkpoint_signature = "checkpoint_signature",
    noted_at = "noted_at_ms",
} }

/// Rows of verified history, claims and proofs.
#[async_trait]
pub trait HonestyRows {
    /// Adds a stretch at the end.
    async fn insert_stretch(&mut self, row: StretchRow) -> Stored<()>;
    /// Stretches that end at a place or after it, ascending, at most `limit`.
    async fn stretches_from(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<StretchRow>>;
    /// Forgets stretches that end before a place.
    async fn forget_stretches(&mut self, lineage: LineageId, before: Sequence) -> Stored<()>;

    /// Keeps a proof; the first of a place stays. False where there was one.
    async fn keep_proof(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        proof: Vec<u8>,
    ) -> Stored<bool>;
    /// All proofs of an équipe, by place.
    async fn proofs(&mut self, lineage: LineageId) -> Stored<Vec<Vec<u8>>>;
}

/// Rows of what was claimed of a log.
#[async_trait]
pub trait ClaimRows {
    /// Keeps a claim; the first of a teller stays until it is deleted.
    async fn keep_claim(&mut self, row: ClaimRow) -> Stored<()>;
    /// All claims of an équipe, by teller.
    async fn claims(&mut self, lineage: LineageId) -> Stored<Vec<ClaimRow>>;
    /// Forgets a teller's claim.
    async fn delete_claim(&mut self, lineage: LineageId, teller: &NodeId) -> Stored<()>;
}
