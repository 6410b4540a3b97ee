//! Peers: their cards and how far they are trusted here.

use async_trait::async_trait;
use raccordo_core::id::NodeId;
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;

use super::Stored;
use super::sql::record::record;

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

/// A card that a newer one of its node has followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerCardRow {
    /// Whose it is: a peer's, or a party's of an équipe that this hub carries.
    pub node: NodeId,
    /// Its serial.
    pub serial: u64,
    /// Container `signed-card`.
    pub signed_card: Vec<u8>,
    /// Until when its TLS key is accepted beside the newest card's.
    pub accepted_until: Instant,
}

record! { PeerRow in "peer" {
    key { node: NodeId = "node" }
    card_serial = "card_serial",
    state = "state",
    reason = "reason",
    changed_at = "changed_at_ms";
    heavy { signed_card = "signed_card" }
} }
record! { FormerCardRow in "former_card" {
    key { node: NodeId = "node", serial: u64 = "serial" }
    signed_card = "signed_card",
    accepted_until = "accepted_until_ms",
} }

/// Rows of peers.
#[async_trait]
pub trait PeerRows {
    /// One peer.
    async fn peer(&mut self, node: &NodeId) -> Stored<Option<PeerRow>>;
    /// All, by node id.
    async fn peers(&mut self) -> Stored<Vec<PeerRow>>;
    /// Writes or replaces one.
    async fn put_peer(&mut self, row: PeerRow) -> Stored<()>;

    /// Keeps a card that was followed; one that is kept stays as it is.
    async fn put_former_card(&mut self, row: FormerCardRow) -> Stored<()>;
    /// All of them, by node id and serial.
    async fn former_cards(&mut self) -> Stored<Vec<FormerCardRow>>;
}
