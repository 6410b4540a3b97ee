//! What a hub keeps: the équipes it carries, their logs, mailboxes, key packages.

use async_trait::async_trait;
use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, ItemId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::wire::hub::Mail;

use super::Stored;
use super::live::Row;

/// Kinds of items that peers post; all others come from the hub itself.
pub const POSTED: [&str; 2] = ["pact", "card"];

/// An équipe at the hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRow {
    /// The lineage.
    pub lineage: LineageId,
    /// The équipe's name in the statement.
    pub name: String,
    /// `founded`, `seeded` (the log is here, and its term has not begun), `moved` (another hub
    /// keeps the log now) or `behind` (this hub's disk was put back).
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
    /// SHA-256 of the statement with which the term began here.
    pub begun: Digest,
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
    /// The group that the present one has succeeded; all zero where none went before.
    pub succeeds: GroupId,
}

/// Bytes of payload in a log, of one sender and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogBytes {
    /// Who sent them.
    pub sender: NodeId,
    /// As what.
    pub kind: EntryKind,
    /// How many.
    pub bytes: u64,
}

/// Number and bytes of items that wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailLoad {
    /// How many.
    pub items: u64,
    /// Their payloads.
    pub bytes: u64,
}

/// What peers have posted, as far as one more post from one to another adds to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MailLoads {
    /// From the sender, for the recipient.
    pub of_both: MailLoad,
    /// From the sender, for anybody.
    pub of_sender: MailLoad,
    /// From anybody, for the recipient.
    pub of_recipient: MailLoad,
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
    /// `pact`, `card`, `welcome`, `equipe_accepted` or `key_packages_wanted`.
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
    /// The payloads that are kept, by sender and kind.
    async fn log_kept(&mut self, group: GroupId) -> Stored<Vec<LogBytes>>;
    /// Forgets the payloads up to a place; returns what was freed, by sender and kind.
    async fn trim_log(&mut self, group: GroupId, up_to: Sequence) -> Stored<Vec<LogBytes>>;
    /// Deletes entries up to a place: they are not known again.
    async fn delete_log_rows(&mut self, group: GroupId, up_to: Sequence) -> Stored<()>;
    /// Makes entries that lie under another id those of a group, of which there is no log.
    async fn rename_log(&mut self, from: GroupId, to: GroupId) -> Stored<()>;

    /// Keeps the tree of an epoch for newcomers until a time.
    async fn put_tree(
        &mut self,
        group: GroupId,
        epoch: Epoch,
        tree: Vec<u8>,
        expires_at: Instant,
    ) -> Stored<()>;
    /// Keeps the newest trees of a group, and deletes the others.
    async fn limit_trees(&mut self, group: GroupId, most: usize) -> Stored<()>;
    /// The tree of an epoch.
    async fn tree(&mut self, group: GroupId, epoch: Epoch) -> Stored<Option<Vec<u8>>>;

    /// Adds an item; false when (sender, item) is there already.
    async fn insert_mailbox(&mut self, row: MailboxRow) -> Stored<bool>;
    /// Items after a place, ascending, at most `limit` and about `bytes` of payload (at least
    /// one), not expired.
    async fn mailbox_after(
        &mut self,
        recipient: &NodeId,
        sequence: u64,
        now: Instant,
        limit: u32,
        bytes: u64,
    ) -> Stored<Vec<MailboxRow>>;
    /// What peers have [posted](POSTED) and waits.
    async fn mail_loads(&mut self, sender: &NodeId, recipient: &NodeId) -> Stored<MailLoads>;
    /// Deletes one item, if it waits.
    async fn delete_mailbox_item(&mut self, sender: &NodeId, item: ItemId) -> Stored<()>;
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
    /// Whether one has succeeded the group.
    async fn has_successor(&mut self, group: GroupId) -> Stored<bool>;
    /// Adds one.
    async fn insert_carried(&mut self, row: CarriedRow) -> Stored<()>;
    /// Replaces everything but the version.
    async fn update_carried(&mut self, row: &CarriedRow) -> Stored<()>;
    /// Deletes one; its log goes with [`CarriedRows::delete_log`].
    async fn delete_carried(&mut self, lineage: LineageId) -> Stored<()>;
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
