//! Peers: their cards and how far they are trusted here.

use async_trait::async_trait;
use raccordo_core::id::NodeId;
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;

use super::Stored;

/// A peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerRow {
    /// Its id.
    pub node: NodeId,
    /// Container `signed-card`, the newest accepted.
    pub signed_card: Vec<u8>,
    /// Serial of that card: a lower one is refused for ever.
    pub card_serial: u64,
    /// How far it is trusted.
    pub state: TrustState,
    /// As given at suspension or revocation.
    pub reason: String,
    /// When the state changed.
    pub changed_at: Instant,
}

/// Rows of peers.
#[async_trait]
pub trait PeerRows {
    /// One peer.
    async fn peer(&mut self, node: &NodeId) -> Stored<Option<PeerRow>>;
    /// All, by node id.
    async fn peers(&mut self) -> Stored<Vec<PeerRow>>;
    /// Writes or replaces one.
    async fn put_peer(&mut self, row: PeerRow) -> Stored<()>;
}
