//! What a hub keeps: the équipes it carries, their logs, mailboxes, key packages.

use async_trait::async_trait;
use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, ItemId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::wire::hub::Mail;

use super::Stored;
use super::live::Row;

/// An équipe at the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRow {
    /// The lineage.
    pub lineage: LineageId,
    /// The équipe's name in the statement.
    pub name: String,
    /// `waiting`, `accepted`, `founded`, `refused` or `evicted`.
    pub state: String,
    /// Raised first by every transaction that writes to this équipe.
    pub version: u64,
    /// Container `signed-statement`, the newest.
    pub statement: Vec<u8>,
    /// Containers `signed-card` of all parties.
    pub cards: Vec<Vec<u8>>,
    /// The present group; all zero before the founding.
    pub group: GroupId,
    /// Present epoch.
    pub epoch: Epoch,
    /// Newest entry.
    pub sequence: Sequence,
    /// Head at it.
    pub head: Digest,
    /// Its time of acceptance.
    pub accepted_at: Instant,
    /// Term of this hub.
    pub term: u64,
    /// GroupInfo of the present epoch, without tree (at epoch 0 with it).
    pub group_info: Vec<u8>,
    /// Everything up to here is trimmed.
    pub trimmed: Sequence,
    /// Bytes of the payloads kept.
    pub stored_bytes: u64,
    /// Entries that each member may append within a minute; 0 for the configured default.
    pub entries_per_minute_max: u32,
    /// 0 for the configured default.
    pub stored_bytes_max: u64,
}

impl Row for CarriedRow {
    type Key = (LineageId,);

    fn key(&self) -> Self::Key {
        (self.lineage,)
    }
}

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// The group.
    pub group: GroupId,
    /// Place, from 1.
    pub sequence: Sequence,
    /// Epoch in which it was made.
    pub epoch: Epoch,
    /// What it carries.
    pub kind: EntryKind,
    /// Authenticated sender.
    pub sender: NodeId,
    /// Chosen by the sender.
    pub entry: EntryId,
    /// By the hub's clock, never decreasing.
    pub accepted_at: Instant,
    /// Empty once trimmed.
    pub payload: Vec<u8>,
    /// SHA-256 of the canonical entry.
    pub digest: Digest,
    /// Chained head.
    pub head: Digest,
}

impl LogRow {
    /// As members read it.
    pub fn entry(self) -> LogEntry {
        LogEntry {
            sequence: self.sequence,
            epoch: self.epoch,
            kind: self.kind,
            sender: self.sender,
            entry_id: self.entry,
            accepted_at: self.accepted_at,
            payload: self.payload,
        }
    }
}

/// One item of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailboxRow {
    /// Whose mailbox.
    pub recipient: NodeId,
    /// Place, from 1; assigned by `insert_mailbox`.
    pub sequence: u64,
    /// Chosen by the sender.
    pub item: ItemId,
    /// Authenticated sender.
    pub sender: NodeId,
    /// `pact`, `welcome` or `key_packages_wanted`.
    pub kind: String,
    /// Opaque to the hub, except Welcomes, which it made up itself.
    pub payload: Vec<u8>,
    /// When it is thrown away.
    pub expires_at: Instant,
}

impl MailboxRow {
    /// As its recipient reads it.
    pub fn mail(self) -> Mail {
        let Self { sequence, sender, kind, payload, .. } = self;
        Mail { sequence, sender, kind, payload }
    }
}

/// A key package in the pool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoolRow {
    /// Whose.
    pub owner: NodeId,
    /// RFC 9420 §5.2 reference.
    pub reference: Vec<u8>,
    /// MLS ciphersuite number.
    pub suite: u16,
    /// Whether it stays when claimed.
    pub last_resort: bool,
    /// The MLS message.
    pub key_package: Vec<u8>,
    /// Our own lifetime, 84 days at most.
    pub expires_at: Instant,
    /// When it came.
    pub deposited_at: Instant,
}

/// Rows of a hub.
#[async_trait]
pub trait HubRows {
    /// Adds entries.
    async fn insert_log(&mut self, rows: &[LogRow]) -> Stored<()>;
    /// The entry that a sender handed in under an id.
    async fn log_by_entry(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entry: EntryId,
    ) -> Stored<Option<LogRow>>;
    /// Those of the given entry ids that a sender handed in before (without payloads).
    async fn log_among(
        &mut self,
        group: GroupId,
        sender: &NodeId,
        entries: &[EntryId],
    ) -> Stored<Vec<LogRow>>;
    /// Entries after a place, ascending, at most `limit` and about `bytes` of payload
    /// (at least one).
    async fn log_after(
        &mut self,
        group: GroupId,
        sequence: Sequence,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<LogRow>>;
    /// Forgets the payloads up to a place; returns the bytes freed.
    async fn trim_log(&mut self, group: GroupId, up_to: Sequence) -> Stored<u64>;

    /// Keeps the tree of an epoch for newcomers until a time.
    async fn put_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
        tree: Vec<u8>,
        expires_at: Instant,
    ) -> Stored<()>;
    /// The tree of an epoch.
    async fn tree(&mut self, group: GroupId, epoch: Epoch) -> Stored<Option<Vec<u8>>>;

    /// Adds an item; false when (sender, item) is there already.
    async fn insert_mailbox(&mut self, row: MailboxRow) -> Stored<bool>;
    /// Items after a place, ascending, at most `limit`, not expired.
    async fn mailbox_after(
        &mut self,
        recipient: &NodeId,
        sequence: u64,
        now: Instant,
        limit: u32,
    ) -> Stored<Vec<MailboxRow>>;
    /// Number and bytes of what waits for a recipient.
    async fn mailbox_load(&mut self, recipient: &NodeId) -> Stored<(u64, u64)>;
    /// Deletes items up to a place.
    async fn delete_mailbox(&mut self, recipient: &NodeId, up_to: u64) -> Stored<()>;

    /// Adds a key package; false when it is there already, or was given out.
    async fn insert_pool(&mut self, row: PoolRow) -> Stored<bool>;
    /// Key packages of an owner for a suite that were not given out and have not expired,
    /// single-use first, oldest first.
    async fn pool(&mut self, owner: &NodeId, suite: u16, now: Instant) -> Stored<Vec<PoolRow>>;
    /// Gives one out: until it expires its reference is known, so that it does not come again.
    async fn give_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()>;
    /// Drops one.
    async fn delete_pool(&mut self, owner: &NodeId, reference: &[u8]) -> Stored<()>;

    /// Deletes expired items, key packages and trees.
    async fn delete_expired_at_hub(&mut self, now: Instant) -> Stored<()>;
    /// Deletes the entries and trees of a log.
    async fn delete_log_entries(&mut self, group: GroupId) -> Stored<()>;
}

/// Rows of the équipes that a hub carries.
#[async_trait]
pub trait CarriedRows {
    /// Raises the version of a carried équipe, before anything else is read; false if none.
    async fn raise_carried(&mut self, lineage: LineageId) -> Stored<bool>;
    /// One by lineage.
    async fn carried(&mut self, lineage: LineageId) -> Stored<Option<CarriedRow>>;
    /// One by group.
    async fn carried_group(&mut self, group: GroupId) -> Stored<Option<CarriedRow>>;
    /// All, by name.
    async fn all_carried(&mut self) -> Stored<Vec<CarriedRow>>;
    /// Adds one.
    async fn insert_carried(&mut self, row: CarriedRow) -> Stored<()>;
    /// Replaces everything but the version.
    async fn update_carried(&mut self, row: &CarriedRow) -> Stored<()>;
    /// Deletes a group's log, cursors and trees.
    async fn delete_log(&mut self, group: GroupId) -> Stored<()>;
    /// What members have durably processed.
    async fn cursors(&mut self, group: GroupId) -> Stored<Vec<(NodeId, Sequence)>>;
    /// Moves one forward; never back.
    async fn put_cursor(&mut self, group: GroupId, node: &NodeId, sequence: Sequence)
    -> Stored<()>;
    /// Forgets one.
    async fn delete_cursor(&mut self, group: GroupId, node: &NodeId) -> Stored<()>;
}
