//! The node itself: its secrets, its cards, its audit chain, its place in mailboxes.

use async_trait::async_trait;
use raccordo_core::audit::AuditRecord;
use raccordo_core::id::{BootId, NodeId};
use raccordo_core::time::Instant;

use super::Stored;
use super::sql::record::record;

/// What `init` wrote once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeRow {
    /// This node.
    pub node: NodeId,
    /// The vault's check value, which tells a wrong node key at start.
    pub vault_check: Vec<u8>,
    /// When it was made.
    pub created_at: Instant,
}

/// A post that waits for its hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailRow {
    /// Key of deduplication at the hub.
    pub item: raccordo_core::id::ItemId,
    /// Hub that carries it.
    pub hub: NodeId,
    /// Who receives it.
    pub recipient: NodeId,
    /// `pact`, `card`, `sealing_challenge` or `sealing_answer`.
    pub kind: String,
    /// Sealed to the recipient; a card is public.
    pub payload: Vec<u8>,
}

/// A key package of ours at a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnKeyPackageRow {
    /// RFC 9420 §5.2 reference.
    pub reference: Vec<u8>,
    /// Hub whose pool holds it.
    pub hub: NodeId,
    /// MLS ciphersuite number.
    pub suite: u16,
    /// Whether it is the last resort.
    pub last_resort: bool,
    /// Serial of the own card in its leaf; 0 once it was given up.
    pub card_serial: u64,
    /// When it was made.
    pub created_at: Instant,
    /// The MLS message, until the hub has answered that it has it.
    pub undelivered: Option<Vec<u8>>,
}

record! { OwnKeyPackageRow in "own_key_package" {
    key { reference: Vec<u8> = "reference" }
    hub = "hub",
    suite = "suite",
    last_resort = "last_resort",
    card_serial = "card_serial",
    created_at = "created_at_ms",
    undelivered = "undelivered",
} }

/// Rows of the node itself.
#[async_trait]
pub trait NodeRows {
    /// What `init` wrote; none in an empty database.
    async fn node(&mut self) -> Stored<Option<NodeRow>>;
    /// Writes it; `Exists` when there is one.
    async fn insert_node(&mut self, row: NodeRow) -> Stored<()>;

    /// The newest audit record. In a transaction that writes, other writers that ask wait
    /// until it has ended.
    async fn audit_newest(&mut self) -> Stored<Option<AuditRecord>>;
    /// Adds the next record; `Exists` when another writer was first.
    async fn audit_append(&mut self, record: &AuditRecord) -> Stored<()>;
    /// Records after `sequence`, ascending, at most `limit`.
    async fn audit_after(&mut self, sequence: u64, limit: u32) -> Stored<Vec<AuditRecord>>;
    /// Those of one actor before a place, the newest first.
    async fn audit_of(&mut self, actor: &str, before: u64, limit: u32) -> Stored<Vec<AuditRecord>>;

    /// Notes a start of the process.
    async fn insert_boot(&mut self, boot: BootId, at: Instant) -> Stored<()>;
}

/// Rows of what is this node's own.
#[async_trait]
pub trait OwnRows {
    /// A sealed secret by name (`identity`, `tls_key`, `tls_certificate`, `mls`, `sealing`).
    async fn secret(&mut self, name: &str) -> Stored<Option<Vec<u8>>>;
    /// Writes or replaces a sealed secret.
    async fn put_secret(&mut self, name: &str, sealed: Vec<u8>) -> Stored<()>;
    /// Our own newest signed card (container `signed-card`).
    async fn own_card(&mut self) -> Stored<Option<Vec<u8>>>;
    /// All own signed cards, by serial.
    async fn own_cards(&mut self) -> Stored<Vec<Vec<u8>>>;
    /// Adds an own card with a new serial.
    async fn insert_own_card(&mut self, serial: u64, signed_card: Vec<u8>) -> Stored<()>;
    /// Newest processed mailbox item at a hub; 0 at first.
    async fn mailbox_cursor(&mut self, hub: &NodeId) -> Stored<u64>;
    /// Moves it.
    async fn put_mailbox_cursor(&mut self, hub: &NodeId, cursor: u64) -> Stored<()>;
    /// Queues a post.
    async fn insert_mail(&mut self, row: MailRow) -> Stored<()>;
    /// Posts that wait for a hub, oldest first, at most `limit`.
    async fn mail_for(&mut self, hub: &NodeId, limit: u32) -> Stored<Vec<MailRow>>;
    /// Removes a post that the hub has, or has refused for ever.
    async fn delete_mail(&mut self, item: raccordo_core::id::ItemId) -> Stored<()>;
    /// Records a key package of ours.
    async fn insert_own_key_package(&mut self, row: OwnKeyPackageRow) -> Stored<()>;
    /// Ours at a hub, oldest first.
    async fn own_key_packages(&mut self, hub: &NodeId) -> Stored<Vec<OwnKeyPackageRow>>;
    /// Ours at all hubs.
    async fn all_own_key_packages(&mut self) -> Stored<Vec<OwnKeyPackageRow>>;
    /// Marks as delivered, which forgets the message.
    async fn own_key_package_delivered(&mut self, reference: &[u8]) -> Stored<()>;
    /// Forgets one.
    async fn delete_own_key_package(&mut self, reference: &[u8]) -> Stored<()>;
}
