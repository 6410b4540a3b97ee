//! Tokens of own records, what pairs of nodes share, and tags.

use async_trait::async_trait;
use raccordo_core::id::{Digest, LineageId, NodeId, ObjectId, RecordId};
use raccordo_core::pseudonym::token::Tag;

use super::Stored;
use super::sql::record::record;

/// A finished token of an own record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Whose.
    pub record: RecordId,
    /// In which équipe.
    pub lineage: LineageId,
    /// `person_strong`, `person_weak` or `company`.
    pub class: String,
    /// Keyed digest of the token.
    pub lookup: Digest,
    /// Which key made it.
    pub key_epoch: u64,
    /// What it was made of.
    pub family: String,
    /// The token, sealed under the key of its record.
    pub sealed: Vec<u8>,
}

/// What this node and a peer share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairRow {
    /// In which équipe.
    pub lineage: LineageId,
    /// With whom.
    pub peer: NodeId,
    /// This node's half, sealed; empty before it is made.
    pub sealed_own: Vec<u8>,
    /// The peer's half, sealed; empty before it has come.
    pub sealed_theirs: Vec<u8>,
    /// Records up to this one have their tags for the peer; none before the first, and when all
    /// have.
    pub tagged_until: Option<RecordId>,
    /// All have.
    pub tagged: bool,
}

/// How a token of an own record looks when the peer shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnTagRow {
    /// In which équipe.
    pub lineage: LineageId,
    /// Who would show it.
    pub peer: NodeId,
    /// What it would show.
    pub tag: Tag,
    /// The own record.
    pub record: RecordId,
    /// The token's class.
    pub class: String,
    /// What the token was made of.
    pub family: String,
}

/// A tag that a peer shows of one of its objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedTagRow {
    /// In which équipe.
    pub lineage: LineageId,
    /// Who shows it.
    pub peer: NodeId,
    /// The tag.
    pub tag: Tag,
    /// Of which object.
    pub object: ObjectId,
    /// What the peer knows at all of its record, masked by the token.
    pub facts: u8,
    /// Exponent of the size of the peer's register.
    pub register: u8,
}

record! { PairRow in "pair_secret" {
    key { lineage: LineageId = "lineage", peer: NodeId = "peer" }
    sealed_own = "sealed_own",
    sealed_theirs = "sealed_theirs",
    tagged_until = "tagged_until",
    tagged = "tagged",
} }

/// Rows of tokens and tags.
#[async_trait]
pub trait TokenRows {
    /// Adds tokens; twice the same is once.
    async fn put_tokens(&mut self, rows: &[TokenRow]) -> Stored<()>;
    /// Deletes a record's tokens of one équipe and class.
    async fn delete_tokens(
        &mut self,
        record: RecordId,
        lineage: LineageId,
        class: &str,
    ) -> Stored<()>;
    /// Deletes all tokens of a record, and the tags that are expected of them.
    async fn forget_tokens(&mut self, record: RecordId) -> Stored<()>;
    /// A record's tokens in an équipe, by class and digest.
    async fn tokens_of(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<TokenRow>>;
    /// Whether there may be tokens in an équipe: never false where there are.
    async fn may_have_tokens(&mut self, lineage: LineageId) -> Stored<bool>;
    /// Records that have tokens in an équipe, by id, after one.
    async fn records_with_tokens(
        &mut self,
        lineage: LineageId,
        after: Option<RecordId>,
        limit: u32,
    ) -> Stored<Vec<RecordId>>;

    /// Adds expected tags; twice the same is once.
    async fn put_own_tags(&mut self, rows: &[OwnTagRow]) -> Stored<()>;
    /// Deletes what is expected of a record in an équipe.
    async fn delete_own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<()>;
    /// What is expected of a record in an équipe.
    async fn own_tags(&mut self, lineage: LineageId, record: RecordId) -> Stored<Vec<OwnTagRow>>;
    /// What is expected of a peer, among these tags.
    async fn own_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<OwnTagRow>>;

    /// Adds received tags; twice the same is once.
    async fn put_received_tags(&mut self, rows: &[ReceivedTagRow]) -> Stored<()>;
    /// Deletes the received tags of an object.
    async fn delete_received_tags(&mut self, object: ObjectId) -> Stored<()>;
    /// The received tags of an object.
    async fn received_tags(&mut self, object: ObjectId) -> Stored<Vec<ReceivedTagRow>>;
    /// What a peer shows, among these tags.
    async fn received_tags_among(
        &mut self,
        lineage: LineageId,
        peer: &NodeId,
        tags: &[Tag],
    ) -> Stored<Vec<ReceivedTagRow>>;
}

/// Rows of the secrets that two nodes share.
#[async_trait]
pub trait PairRows {
    /// What is shared with the peers of an équipe, by peer.
    async fn pairs(&mut self, lineage: LineageId) -> Stored<Vec<PairRow>>;
    /// Adds or replaces.
    async fn put_pair(&mut self, row: PairRow) -> Stored<()>;
}
