//! Commits that nobody but their maker has followed yet: what may have to be undone.

use async_trait::async_trait;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::trust::void::Votes;

use super::Stored;
use super::sql::record::record;

/// At a hub: the group as it was before a commit that no other member has followed yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnfollowedRow {
    /// Which group.
    pub group: GroupId,
    /// Who made the commit.
    pub committer: NodeId,
    /// The epoch before it.
    pub epoch: Epoch,
    /// Container `signed-statement` before it.
    pub statement: Vec<u8>,
    /// GroupInfo before it.
    pub group_info: Vec<u8>,
    /// Ratchet tree before it.
    pub tree: Vec<u8>,
    /// What the others say of it.
    pub votes: Votes,
}

/// At a member: a commit of another that it cannot process, or its own newest one until
/// another member has followed it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StrayRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Who made the commit.
    pub committer: NodeId,
    /// The epoch before it.
    pub epoch: Epoch,
    /// The epoch of the log where this node has read to.
    pub log_epoch: Epoch,
    /// Whether this node's administrator holds it for void.
    pub asked: bool,
    /// Another member that has followed it: it is not void, and this node alone is lost.
    pub followed_by: Option<NodeId>,
    /// What the others say of it.
    pub votes: Votes,
}

record! { UnfollowedRow in "unfollowed" {
    key { group: GroupId = "group_id" }
    committer = "committer",
    epoch = "epoch",
    votes = "sequence" "entry" "needed" "said";
    heavy { statement = "statement", group_info = "group_info", tree = "tree" }
} }
record! { StrayRow in "stray" {
    key { lineage: LineageId = "lineage" }
    committer = "committer",
    epoch = "epoch",
    log_epoch = "log_epoch",
    asked = "asked",
    followed_by = "followed_by",
    votes = "sequence" "entry" "needed" "said",
} }

/// Rows of such commits.
#[async_trait]
pub trait VoidRows {
    /// What a hub keeps of a group.
    async fn unfollowed(&mut self, group: GroupId) -> Stored<Option<UnfollowedRow>>;
    /// Writes or replaces it.
    async fn put_unfollowed(&mut self, row: UnfollowedRow) -> Stored<()>;
    /// Forgets it.
    async fn delete_unfollowed(&mut self, group: GroupId) -> Stored<()>;

    /// The commit of an équipe at this member.
    async fn stray(&mut self, lineage: LineageId) -> Stored<Option<StrayRow>>;
    /// Writes or replaces it.
    async fn put_stray(&mut self, row: StrayRow) -> Stored<()>;
    /// Forgets it.
    async fn delete_stray(&mut self, lineage: LineageId) -> Stored<()>;
}
