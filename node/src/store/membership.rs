//! Changes of membership on their way, and what is owed to newcomers.

use async_trait::async_trait;
use raccordo_core::id::{Digest, EnvelopeId, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// A statement that would follow the one in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposalRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// SHA-256 of the statement's canonical bytes.
    pub statement: Digest,
    /// Encoded `PactProposal`, sealed by the vault.
    pub sealed_proposal: Vec<u8>,
    /// Whether this node began it.
    pub begun_here: bool,
    /// When anything changed.
    pub changed_at: Instant,
}

/// A member that joined late, until it has this node's objects from before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// The member.
    pub recipient: NodeId,
    /// Whether it was a member before, and must hear of ends too.
    pub rejoined: bool,
    /// Place in the log of the commit that added it.
    pub added_at: Sequence,
    /// Newest object that was looked at, by position; 0 before the first.
    pub position: u64,
    /// Whether that was the last one.
    pub queued: bool,
    /// The envelope queued last.
    pub envelope: Option<EnvelopeId>,
}

record! { ProposalRow in "proposal" {
    key { lineage: LineageId = "lineage", statement: Digest = "statement" }
    begun_here = "begun_here",
    changed_at = "changed_at_ms";
    heavy { sealed_proposal = "sealed_proposal" }
} }
record! { ReplayRow in "replay" {
    key { lineage: LineageId = "lineage", recipient: NodeId = "recipient" }
    rejoined = "rejoined",
    added_at = "added_at",
    position = "position",
    queued = "queued",
    envelope = "envelope",
} }

/// Rows of changing membership.
#[async_trait]
pub trait MembershipRows {
    /// Proposals of an équipe, oldest change first.
    async fn proposals(&mut self, lineage: LineageId) -> Stored<Vec<ProposalRow>>;
    /// Writes or replaces one.
    async fn put_proposal(&mut self, row: ProposalRow) -> Stored<()>;
    /// Forgets one.
    async fn delete_proposal(&mut self, lineage: LineageId, statement: Digest) -> Stored<()>;

    /// Who is owed objects of this node, by node id.
    async fn replays(&mut self, lineage: LineageId) -> Stored<Vec<ReplayRow>>;
    /// Writes or replaces one.
    async fn put_replay(&mut self, row: ReplayRow) -> Stored<()>;
    /// Forgets one.
    async fn delete_replay(&mut self, lineage: LineageId, recipient: &NodeId) -> Stored<()>;

    /// When this node last renewed the keys of its leaf; none when that was never noted.
    async fn key_update(&mut self, lineage: LineageId) -> Stored<Option<Instant>>;
    /// Notes it.
    async fn put_key_update(&mut self, lineage: LineageId, at: Instant) -> Stored<()>;

    /// Where a node was removed from a group at this hub; none while it is a member.
    async fn leaver(&mut self, group: GroupId, node: &NodeId) -> Stored<Option<Sequence>>;
    /// Notes where a node was removed, or forgets it when it is a member again.
    async fn put_leaver(
        &mut self,
        group: GroupId,
        node: &NodeId,
        removed_at: Option<Sequence>,
    ) -> Stored<()>;
}
