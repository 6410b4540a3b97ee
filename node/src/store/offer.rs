//! What waits to be founded at a hub: équipes, and later terms of those that it carries. What
//! is carried already is not touched by any of it.

use async_trait::async_trait;
use raccordo_core::canonical::Writer;
use raccordo_core::id::{Digest, Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;

/// An offer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferRow {
    /// The lineage.
    pub lineage: LineageId,
    /// SHA-256 of the statement's canonical bytes.
    pub digest: Digest,
    /// The équipe's name in the statement.
    pub name: String,
    /// `waiting`, `accepted` or `refused`.
    pub state: String,
    /// Who offered it first.
    pub offered_by: NodeId,
    /// When.
    pub offered_at: Instant,
    /// Container `signed-statement`.
    pub statement: Vec<u8>,
    /// Containers `signed-statement` of those in force before it, oldest first.
    pub earlier: Vec<Vec<u8>>,
    /// Containers `signed-card` of all parties.
    pub cards: Vec<Vec<u8>>,
}

/// What the undecided and refused offers of one peer take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfferLoad {
    /// Who made them.
    pub offered_by: NodeId,
    /// How many.
    pub offers: u64,
    /// Bytes of statements and cards.
    pub bytes: u64,
}

/// A log that one party is handing over for an accepted term. Each party has a copy of its own,
/// so that nobody disturbs another's; the first whole one becomes the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRow {
    /// The lineage.
    pub lineage: LineageId,
    /// Of the accepted offer.
    pub digest: Digest,
    /// Who hands it over.
    pub party: NodeId,
    /// The group, as the party says.
    pub group: GroupId,
    /// Place before the first entry.
    pub after: Sequence,
    /// Newest entry.
    pub sequence: Sequence,
    /// Head at it.
    pub head: Digest,
    /// Its epoch.
    pub epoch: Epoch,
    /// Its time of acceptance.
    pub accepted_at: Instant,
    /// Bytes of the payloads.
    pub stored_bytes: u64,
}

impl CopyRow {
    /// Where the entries of a party's copy lie until it is whole: no group has this id.
    pub fn place_of(lineage: LineageId, digest: Digest, party: &NodeId) -> GroupId {
        let writer = Writer::new("log-copy").bytes(lineage.as_bytes()).bytes(digest.as_bytes());
        GroupId(writer.text(party.as_str()).digest().0)
    }

    /// Where the entries of this one lie.
    pub fn place(&self) -> GroupId {
        Self::place_of(self.lineage, self.digest, &self.party)
    }
}

/// Rows of offers.
#[async_trait]
pub trait OfferRows {
    /// Raises the version of a lineage's offers, before anything else is read of them.
    async fn raise_offers(&mut self, lineage: LineageId) -> Stored<()>;
    /// All of a lineage, by time.
    async fn offers(&mut self, lineage: LineageId) -> Stored<Vec<OfferRow>>;
    /// All, by name.
    async fn all_offers(&mut self) -> Stored<Vec<OfferRow>>;
    /// Those in a state, by name.
    async fn offers_in(&mut self, state: &str) -> Stored<Vec<OfferRow>>;
    /// What `waiting` and `refused` ones take, by peer.
    async fn offer_loads(&mut self) -> Stored<Vec<OfferLoad>>;
    /// Deletes `waiting` and `refused` ones of before a time.
    async fn delete_offers_before(&mut self, at: Instant) -> Stored<()>;
    /// Writes one, or replaces its state and cards.
    async fn put_offer(&mut self, row: OfferRow) -> Stored<()>;
    /// Deletes one.
    async fn delete_offer(&mut self, lineage: LineageId, digest: Digest) -> Stored<()>;

    /// A party's copy.
    async fn log_copy(
        &mut self,
        lineage: LineageId,
        digest: Digest,
        party: &NodeId,
    ) -> Stored<Option<CopyRow>>;
    /// All of a lineage.
    async fn log_copies(&mut self, lineage: LineageId) -> Stored<Vec<CopyRow>>;
    /// Writes or replaces one.
    async fn put_log_copy(&mut self, row: CopyRow) -> Stored<()>;
    /// Deletes one; its entries go with [`delete_log`](super::hub::HubRows::delete_log).
    async fn delete_log_copy(&mut self, row: &CopyRow) -> Stored<()>;
}
