//! Pacts on their way to signature, and after.

use async_trait::async_trait;
use raccordo_core::id::LineageId;
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// One pact with what has been signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PactRow {
    /// The équipe's lineage, fixed by the draft.
    pub lineage: LineageId,
    /// The équipe's name in the pact.
    pub equipe: String,
    /// Encoded `PactProposal`, sealed by the vault.
    pub sealed_proposal: Vec<u8>,
    /// What the hub answered to the offer: empty, `waiting`, `accepted` or `refused`.
    pub hub_answer: String,
    /// When anything changed.
    pub changed_at: Instant,
}

record! { PactRow in "pact" {
    key { lineage: LineageId = "lineage" }
    equipe = "equipe",
    hub_answer = "hub_answer",
    changed_at = "changed_at_ms";
    heavy { sealed_proposal = "sealed_proposal" }
} }

/// Rows of pacts.
#[async_trait]
pub trait PactRows {
    /// Keeps other writers off a pact until the end, before anything of it is read; false
    /// when there is none.
    async fn raise_pact(&mut self, lineage: LineageId) -> Stored<bool>;
    /// One by lineage.
    async fn pact(&mut self, lineage: LineageId) -> Stored<Option<PactRow>>;
    /// All, by équipe name.
    async fn pacts(&mut self) -> Stored<Vec<PactRow>>;
    /// Writes or replaces one.
    async fn put_pact(&mut self, row: PactRow) -> Stored<()>;
    /// Deletes one.
    async fn delete_pact(&mut self, lineage: LineageId) -> Stored<()>;
}
