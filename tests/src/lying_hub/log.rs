//! One member's log: the chain and its checkpoints, as `trust.proto` defines their bytes.

use raccordo_core::id::Digest;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_proto::hub::v1::{Checkpoint, EntryKind, LogEntry};

/// Canonical bytes of one type: its tag, then each field with its length.
struct Canonical(Vec<u8>);

impl Canonical {
    fn of(kind: &str) -> Self {
        Self([b"raccordo/v1/", kind.as_bytes(), &[0]].concat())
    }

    fn field(mut self, field: &[u8]) -> Self {
        self.0.extend_from_slice(&(field.len() as u32).to_be_bytes());
        self.0.extend_from_slice(field);
        self
    }

    fn number(self, number: u64) -> Self {
        self.field(&number.to_be_bytes())
    }

    fn hash(&self) -> [u8; 32] {
        Digest::of(&self.0).0
    }
}

/// SHA-256 of a canonical `entry`.
pub(super) fn digest(group: &[u8], entry: &LogEntry) -> [u8; 32] {
    Canonical::of("entry")
        .field(group)
        .number(entry.sequence)
        .number(entry.epoch)
        .number(entry.kind as u64)
        .field(entry.sender.as_bytes())
        .field(&entry.entry_id)
        .field(&entry.accepted_at_ms.to_be_bytes())
        .field(&Digest::of(&entry.payload).0)
        .hash()
}

/// What one member is shown.
#[derive(Clone, Default)]
pub(super) struct Log {
    pub(super) entries: Vec<LogEntry>,
    /// The place whose checkpoint has another head.
    pub(super) bad_head: Option<u64>,
    /// The place whose checkpoint is not signed by the hub.
    pub(super) bad_signature: Option<u64>,
}

impl Log {
    /// Newest place; 0 before the first.
    pub(super) fn end(&self) -> u64 {
        self.entries.len() as u64
    }

    /// Adds an entry at the next place.
    pub(super) fn push(&mut self, mut entry: LogEntry) {
        entry.sequence = self.end() + 1;
        // A liar keeps the times in order.
        let before = self.entries.last().map_or(i64::MIN, |last| last.accepted_at_ms);
        entry.accepted_at_ms = entry.accepted_at_ms.max(before);
        self.entries.push(entry);
    }

    /// Forgets the newest entries.
    pub(super) fn truncate(&mut self, count: usize) {
        self.entries.truncate(self.entries.len().saturating_sub(count));
    }

    /// Entries after a place, as they are shown.
    pub(super) fn after(&self, place: u64) -> Vec<LogEntry> {
        let later = self.entries.iter().filter(|entry| entry.sequence > place);
        later.cloned().collect()
    }

    fn head(&self, group: &[u8], place: u64) -> [u8; 32] {
        let upto = self.entries.iter().filter(|entry| entry.sequence <= place);
        upto.fold([0; 32], |head, entry| {
            Canonical::of("head").field(&head).field(&digest(group, entry)).hash()
        })
    }

    fn epoch(&self, place: u64) -> u64 {
        let last = self.entries.iter().rfind(|entry| entry.sequence <= place);
        last.map_or(0, |entry| entry.epoch + u64::from(entry.kind == EntryKind::Commit as i32))
    }

    /// The hub's statement about a place, true or not.
    pub(super) fn checkpoint(
        &self,
        group: &[u8],
        place: u64,
        hub: &str,
        key: &IdentityKey,
    ) -> Checkpoint {
        let mut head = self.head(group, place);
        if self.bad_head == Some(place) {
            head = [7; 32];
        }
        let stated = Canonical::of("checkpoint")
            .field(group)
            .number(place)
            .field(&head)
            .number(self.epoch(place))
            .field(hub.as_bytes())
            .number(1);
        let mut signature = key.sign(&stated.0).to_vec();
        if self.bad_signature == Some(place) {
            signature = IdentityKey::from_seed(&[9; 32]).sign(&stated.0).to_vec();
        }
        Checkpoint { checkpoint: stated.0, signature }
    }
}
