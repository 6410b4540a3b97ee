//! The équipes of which this node is a member: where each stands in its log.

use async_trait::async_trait;
use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::{Digest, Epoch, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Stored;
use super::live::Row;
use super::sql::record::record;

/// One équipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EquipeRow {
    /// The lineage.
    pub lineage: LineageId,
    /// Its name, unique in the node.
    pub name: String,
    /// The present MLS group.
    pub group: GroupId,
    /// MLS ciphersuite number.
    pub suite: u16,
    /// `founding`, `active`, `quarantined`, `needs_rejoin` or `ended`.
    pub state: String,
    /// Raised first by every transaction that writes to this équipe.
    pub version: u64,
    /// Container `signed-statement` in force.
    pub statement: Vec<u8>,
    /// Canonical bytes of the pact, sealed by the vault.
    pub sealed_pact: Vec<u8>,
    /// Hub of the present term.
    pub hub: NodeId,
    /// Newest processed entry.
    pub sequence: Sequence,
    /// Chained head at it.
    pub head: Digest,
    /// Time of acceptance of that entry.
    pub accepted_at: Instant,
    /// Present epoch.
    pub epoch: Epoch,
    /// Epoch authenticator (RFC 9420 §8.7).
    pub authenticator: Vec<u8>,
    /// Newest checkpoint with its signature, as canonical bytes; empty before the first.
    pub checkpoint: Vec<u8>,
    /// The hub's signature over it.
    pub checkpoint_signature: Vec<u8>,
    /// Running number of the next envelope of ours.
    pub next_number: u64,
    /// Newest entry for which the others expect a receipt; 0 for none.
    pub receipt_due: Sequence,
    /// Newest sequence that our receipts cover.
    pub receipt_sent: Sequence,
}

/// A member of an équipe, as seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// The member.
    pub node: NodeId,
    /// Newest entry that it has durably processed.
    pub delivered: Sequence,
    /// When it was last heard of, by the hub's clock; 0 for never.
    pub last_seen: Instant,
    /// Its newest running number.
    pub last_number: u64,
}

/// Something that people must know about an équipe, until it is put right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Which alarm; whether it holds cases and what ends it follows from that.
    pub code: AlarmCode,
    /// The member that it is about, where it names one: there may be one for each.
    pub member: Option<NodeId>,
    /// Whom that member speaks of, where it does.
    pub peer: Option<NodeId>,
    /// The entry that it is about; 0 for none.
    pub place: Sequence,
    /// In words, without identifying values.
    pub detail: String,
    /// When it was first raised.
    pub raised_at: Instant,
}

record! { MemberRow in "member" {
    key { lineage: LineageId = "lineage", node: NodeId = "node" }
    delivered = "delivered",
    last_seen = "last_seen_ms",
    last_number = "last_number",
} }
record! { AlarmRow in "alarm" {
    key {
        lineage: LineageId = "lineage",
        code: AlarmCode = "code",
        member: Option<NodeId> = "member",
        peer: Option<NodeId> = "peer",
    }
    place = "place",
    detail = "detail",
    raised_at = "raised_at_ms",
} }

impl Row for EquipeRow {
    type Key = (LineageId,);

    fn key(&self) -> Self::Key {
        (self.lineage,)
    }
}

impl AlarmRow {
    /// Whether case-bearing sending is held.
    pub fn holds(&self) -> bool {
        self.code.rule().holds
    }

    /// Code and words, for people.
    pub fn words(&self) -> String {
        format!("{}: {}", self.code, self.detail)
    }

    /// Oldest first.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |row: &Self| (row.raised_at, row.code, row.member.clone(), row.peer.clone());
        key(self).cmp(&key(other))
    }
}

/// Rows of équipes, members and alarms.
#[async_trait]
pub trait EquipeRows {
    /// Raises the version of an équipe, before anything else is read; false if there is none.
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool>;
    /// One by lineage.
    async fn equipe(&mut self, lineage: LineageId) -> Stored<Option<EquipeRow>>;
    /// One by name.
    async fn equipe_named(&mut self, name: &str) -> Stored<Option<EquipeRow>>;
    /// One by group.
    async fn equipe_of_group(&mut self, group: GroupId) -> Stored<Option<EquipeRow>>;
    /// All, by name.
    async fn equipes(&mut self) -> Stored<Vec<EquipeRow>>;
    /// Adds one.
    async fn insert_equipe(&mut self, row: EquipeRow) -> Stored<()>;
    /// Replaces everything but the version.
    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()>;

    /// Members of an équipe, by node id.
    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>>;
    /// Writes or replaces one.
    async fn put_member(&mut self, row: MemberRow) -> Stored<()>;
    /// Removes one.
    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()>;

    /// Alarms of an équipe, oldest first.
    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>>;
    /// Raises one; an alarm of the same code, member and peer keeps its first time and takes
    /// the new place and detail.
    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()>;
    /// Ends one, by code, member and peer.
    async fn delete_alarm(&mut self, row: &AlarmRow) -> Stored<()>;
}
