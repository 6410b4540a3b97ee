//! Peers: their cards and how far they are trusted here.

use async_trait::async_trait;
use raccordo_core::id::{Digest, NodeId};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
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
    /// SHA-256 of the sealing key to which it has opened a challenge; none before it has.
    pub opened_key: Option<Digest>,
    /// When it was challenged last; 0 before.
    pub challenged_at: Instant,
    /// Why a newer card of it was not taken; empty while its newest card is the one here.
    pub refused: String,
}

impl PeerRow {
    /// A peer whose card has just come.
    pub fn introduced(card: &SignedCard, now: Instant) -> Self {
        Self {
            node: card.card().node.clone(),
            signed_card: card.encode(),
            card_serial: card.card().serial,
            state: TrustState::Introduced,
            reason: String::new(),
            changed_at: now,
            opened_key: None,
            challenged_at: Instant(0),
            refused: String::new(),
        }
    }
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
    changed_at = "changed_at_ms",
    opened_key = "opened_key",
    challenged_at = "challenged_at_ms",
    refused = "refused";
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
