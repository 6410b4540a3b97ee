//! Whom équipes bring to a hub: a node id stands there for one identity key, whichever équipe
//! names it, and the hub's administrator hears of who would have it stand for another.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::time::Instant;
use raccordo_core::trust::keys::PublicKey;

use super::Stored;

/// A node in an équipe that is carried, or accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServedRow {
    /// The lineage.
    pub lineage: LineageId,
    /// Its id.
    pub node: NodeId,
    /// The identity key for which the id stands.
    pub identity: PublicKey,
    /// Whether it is a party no more: it may read on to the commit that removed it.
    pub former: bool,
}

/// A node id that somebody would have had stand for another identity key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConflictRow {
    /// The id.
    pub node: NodeId,
    /// Who offered or committed it.
    pub claimed_by: NodeId,
    /// In which équipe.
    pub lineage: LineageId,
    /// When it was last tried.
    pub at: Instant,
}

/// Rows of whom a hub serves.
#[async_trait]
pub trait ServedRows {
    /// As whom an id is known in équipes, by lineage.
    async fn served(&mut self, node: &NodeId) -> Stored<Vec<ServedRow>>;
    /// Replaces all of a lineage.
    async fn replace_served(&mut self, lineage: LineageId, rows: Vec<ServedRow>) -> Stored<()>;

    /// Notes a conflict, or that it was tried again.
    async fn put_identity_conflict(&mut self, row: ConflictRow) -> Stored<()>;
    /// All of them, by id.
    async fn identity_conflicts(&mut self) -> Stored<Vec<ConflictRow>>;
    /// Forgets those that were last tried before a time.
    async fn forget_identity_conflicts(&mut self, before: Instant) -> Stored<()>;
}
