//! Requests to join an équipe again, and what is sent again after it.

use async_trait::async_trait;
use raccordo_core::id::{EntryId, LineageId, NodeId};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// A request to join again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejoinRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Who asks; this node too.
    pub node: NodeId,
    /// The log entry that carries it.
    pub entry: EntryId,
    /// Container `signed-notice`.
    pub signed_notice: Vec<u8>,
    /// Whether this node's administrator has approved it.
    pub approved: bool,
    /// When it was made or came.
    pub noted_at: Instant,
}

record! { RejoinRow in "rejoin_request" {
    key { lineage: LineageId = "lineage", node: NodeId = "node" }
    entry = "entry",
    signed_notice = "signed_notice",
    approved = "approved",
    noted_at = "noted_at_ms",
} }

/// Rows of rejoining.
#[async_trait]
pub trait RejoinRows {
    /// Requests in an équipe, by node id.
    async fn rejoins(&mut self, lineage: LineageId) -> Stored<Vec<RejoinRow>>;
    /// Writes or replaces one.
    async fn put_rejoin(&mut self, row: RejoinRow) -> Stored<()>;
    /// Deletes one; nothing happens if there is none.
    async fn delete_rejoin(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()>;
}
