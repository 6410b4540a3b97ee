//! What this node has to say: envelopes, and the log entries that carry them.

use std::str::FromStr;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    BootId, Digest, EntryId, EnvelopeId, Epoch, LineageId, ObjectId, RecordId, Sequence,
};
use raccordo_core::time::Instant;

use super::Stored;
use super::equipe::EquipeRow;
use super::sql::record::record;

/// An envelope of ours, in plaintext (sealed by the vault) until every member has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvelopeRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Order in which it was queued here; assigned by `queue_envelopes`.
    pub position: u64,
    /// The same through every repetition.
    pub envelope: EnvelopeId,
    /// The entry that carries it, once packed.
    pub entry: Option<EntryId>,
    /// The object that it speaks of.
    pub object: Option<ObjectId>,
    /// Whether it tells of a case, and so waits while a member is not trusted.
    pub case_bearing: bool,
    /// Bytes of the encoded envelope, sealed; without running number until packed.
    pub sealed: Vec<u8>,
    /// Place in the log, 0 before.
    pub sequence: Sequence,
    /// When it was queued.
    pub queued_at: Instant,
    /// The own record of which it tells something, and with which it goes.
    pub record: Option<RecordId>,
}

/// How far an entry of ours has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EntryState {
    /// Waits for the hub's answer; sent again until there is one.
    Pending,
    /// Its epoch has passed: to be encrypted again under the same entry id.
    Stale,
    /// In the log.
    Accepted,
    /// The hub refuses it for ever.
    Refused,
}

impl EntryState {
    /// As the database keeps it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Stale => "stale",
            Self::Accepted => "accepted",
            Self::Refused => "refused",
        }
    }
}

impl FromStr for EntryState {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let all = [Self::Pending, Self::Stale, Self::Accepted, Self::Refused];
        all.into_iter().find(|state| state.as_str() == text).ok_or(())
    }
}

/// An entry of ours for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// Order of sending; assigned by `insert_entries`.
    pub position: u64,
    /// Key of deduplication at the hub.
    pub entry: EntryId,
    /// What it carries.
    pub kind: EntryKind,
    /// Epoch in which it was made.
    pub epoch: Epoch,
    /// Exactly what is sent; empty while stale.
    pub payload: Vec<u8>,
    /// SHA-256 of the payload: an own entry in the log with another is a clone's.
    pub payload_digest: Digest,
    /// Commits: the GroupInfo after it; else empty.
    pub group_info: Vec<u8>,
    /// Commits that add: the Welcome; else empty.
    pub welcome: Vec<u8>,
    /// The run of the process that made it.
    pub boot: BootId,
    /// How far it has come.
    pub state: EntryState,
    /// Place in the log, 0 before.
    pub sequence: Sequence,
    /// Why it was refused; else empty.
    pub reason: String,
}

/// An entry of ours that is delivered and forgotten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MadeEntryRow {
    /// Which équipe.
    pub lineage: LineageId,
    /// SHA-256 of its payload.
    pub payload_digest: Digest,
    /// What it carried.
    pub kind: EntryKind,
    /// Epoch in which it was made.
    pub epoch: Epoch,
}

impl EntryRow {
    /// A new entry of an équipe's present epoch, made in this run, that waits for the hub.
    pub fn pending(
        equipe: &EquipeRow,
        boot: BootId,
        kind: EntryKind,
        entry: EntryId,
        payload: Vec<u8>,
    ) -> Self {
        Self {
            lineage: equipe.lineage,
            position: 0,
            entry,
            kind,
            epoch: equipe.epoch,
            payload_digest: Digest::of(&payload),
            payload,
            group_info: Vec::new(),
            welcome: Vec::new(),
            boot,
            state: EntryState::Pending,
            sequence: Sequence(0),
            reason: String::new(),
        }
    }
}

record! { EnvelopeRow in "envelope" {
    key { lineage: LineageId = "lineage", position: u64 = "position" }
    envelope = "envelope",
    entry = "entry",
    object = "object",
    case_bearing = "case_bearing",
    sequence = "sequence",
    queued_at = "queued_at_ms",
    record = "record";
    heavy { sealed = "sealed" }
} }
record! { MadeEntryRow in "made_entry" {
    key { lineage: LineageId = "lineage", payload_digest: Digest = "payload_digest" }
    kind = "kind",
    epoch = "epoch",
} }
record! { EntryRow in "entry" {
    key { lineage: LineageId = "lineage", position: u64 = "position" }
    entry = "entry",
    kind = "kind",
    epoch = "epoch",
    boot = "boot",
    state = "state",
    sequence = "sequence",
    reason = "reason";
    heavy {
        payload = "payload",
        payload_digest = "payload_digest",
        group_info = "group_info",
        welcome = "welcome",
    }
} }

/// Rows of envelopes and entries to be sent.
#[async_trait]
pub trait OutboxRows {
    /// Adds envelopes at the end of the queue, in order.
    async fn queue_envelopes(&mut self, rows: Vec<EnvelopeRow>) -> Stored<()>;
    /// Envelopes that no entry carries yet, oldest first; only those that are not
    /// case-bearing unless `case_bearing` is set.
    async fn queued_envelopes(
        &mut self,
        lineage: LineageId,
        case_bearing: bool,
        limit: u32,
    ) -> Stored<Vec<EnvelopeRow>>;
    /// Number of envelopes that are not in the log yet.
    async fn unaccepted_envelopes(&mut self, lineage: LineageId) -> Stored<u64>;
    /// Objects of envelopes that a member may not have yet, of those queued before an instant:
    /// of the `limit` oldest envelopes, in their order, each once.
    async fn objects_under_way(
        &mut self,
        lineage: LineageId,
        queued_before: Instant,
        limit: u32,
    ) -> Stored<Vec<ObjectId>>;
    /// Gives packed envelopes their entry and their final bytes.
    async fn pack_envelopes(&mut self, rows: &[EnvelopeRow]) -> Stored<()>;
    /// Envelopes of an entry, oldest first.
    async fn envelopes_of(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>>;
    /// Those of them that are about no object, in order: what the node itself says.
    async fn envelopes_of_node(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>>;
    /// Envelopes of ours at a place of the log, oldest first, while they are kept.
    async fn envelopes_at(
        &mut self,
        lineage: LineageId,
        place: Sequence,
    ) -> Stored<Vec<EnvelopeRow>>;
    /// One envelope of ours, while it is kept.
    async fn envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
    ) -> Stored<Option<EnvelopeRow>>;
    /// Envelopes that tell something of a record, by équipe and order.
    async fn envelopes_of_record(&mut self, record: RecordId) -> Stored<Vec<EnvelopeRow>>;
    /// Replaces what an envelope says; it is about no record any more.
    async fn blank_envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        sealed: Vec<u8>,
    ) -> Stored<()>;
    /// Puts the envelopes of an entry back into the queue.
    async fn unpack_envelopes(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()>;
    /// Notes places in the log: entries that are pending become accepted, and the place goes
    /// to the envelopes of accepted ones and to the objects that these speak of.
    async fn entries_placed(
        &mut self,
        lineage: LineageId,
        places: &[(EntryId, Sequence)],
    ) -> Stored<()>;
    /// Forgets envelopes and entries in the log up to a place that every member has. That such an
    /// entry was this node's own stays known.
    async fn forget_delivered(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()>;
    /// Whether this node has made an entry with this payload, in the present epoch or as a notice.
    async fn has_made(&mut self, lineage: LineageId, payload: Digest) -> Stored<bool>;
    /// Forgets which delivered entries were this node's own, but those of an epoch and notices.
    async fn forget_made(&mut self, lineage: LineageId, but: Epoch) -> Stored<()>;

    /// Adds entries at the end, in order.
    async fn insert_entries(&mut self, rows: Vec<EntryRow>) -> Stored<()>;
    /// One entry.
    async fn entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<Option<EntryRow>>;
    /// Entries in a state, oldest first, at most `limit`.
    async fn entries_in(
        &mut self,
        lineage: LineageId,
        state: EntryState,
        limit: u32,
    ) -> Stored<Vec<EntryRow>>;
    /// The first pending entries that are no messages, in order: commits and notices.
    async fn pending_changes(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<EntryRow>>;
    /// The commit that is not in the log yet, if any.
    async fn pending_commit(&mut self, lineage: LineageId) -> Stored<Option<EntryRow>>;
    /// Replaces epoch, payload, digest, state, sequence and reason.
    async fn update_entry(&mut self, row: &EntryRow) -> Stored<()>;
    /// Marks pending application entries made before an epoch as stale.
    async fn entries_stale_before(&mut self, lineage: LineageId, epoch: Epoch) -> Stored<()>;
    /// Deletes one.
    async fn delete_entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()>;
    /// Own entries whose place, as the hub told it, lies after one and up to another.
    async fn own_places(
        &mut self,
        lineage: LineageId,
        after: Sequence,
        up_to: Sequence,
    ) -> Stored<Vec<(Sequence, EntryId)>>;
    /// Own entries that a hub placed after a place wait for a hub again, unplaced, and so do
    /// their envelopes.
    async fn unplace_after(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()>;
    /// Deletes all entries of ours but notices, which are bound to no epoch and may still come
    /// back from the log; and queues again every envelope that is kept: it will be carried by
    /// another entry.
    async fn queue_all_again(&mut self, lineage: LineageId) -> Stored<()>;
}
