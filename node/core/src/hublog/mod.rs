//! One group's log: how the hub orders it, and how members check that it did.
//!
//! The hub compares-and-sets the epoch, numbers entries from 1 without gaps, and chains
//! them; it signs where the log stands. Members verify every step (DESIGN §4).

mod chain;
mod checkpoint;
pub mod clock;
mod equivocation;
mod stretch;

use crate::canonical::Writer;
use crate::id::{Digest, EntryId, Epoch, GroupId, LineageId, NodeId, Sequence};
use crate::planted::{self, Bug};
use crate::quota::Quota;
use crate::time::Instant;
use crate::trust::keys::IdentityKey;
use crate::trust::statement::SignedStatement;

pub use chain::{Chain, ChainFault, Standing};
pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use equivocation::{Contradiction, Equivocation, NoProof, Proven};
pub use stretch::{Stretch, contradiction};

/// What a newcomer needs to join; made by the hub from an accepted commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WelcomeItem {
    /// The group.
    pub group: GroupId,
    /// The équipe.
    pub lineage: LineageId,
    /// The epoch after the commit; the tree is fetched for it.
    pub epoch: Epoch,
    /// The commit's place: the newcomer reads the log after it.
    pub sequence: Sequence,
    /// Signed by the hub, of exactly that place.
    pub checkpoint: SignedCheckpoint,
    /// MLS Welcome message (RFC 9420 §12.4.3.1), without tree.
    pub welcome: Vec<u8>,
    /// When the commit was accepted.
    pub accepted_at: Instant,
    /// Statements that were in force before the group's, oldest first: as far back as a
    /// newcomer is listed, so that it sees the group's follow from the one that it signed.
    pub earlier: Vec<SignedStatement>,
}

/// What an entry carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// An MLS PrivateMessage with content type application.
    Application = 1,
    /// An MLS PublicMessage commit.
    Commit = 2,
    /// A signed notice, independent of the epoch.
    Notice = 3,
}

impl EntryKind {
    /// The number in protocol and storage.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The kind of a number.
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Application, Self::Commit, Self::Notice]
            .into_iter()
            .find(|kind| kind.number() == number)
    }

    /// The word for it in metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Application => "application",
            Self::Commit => "commit",
            Self::Notice => "notice",
        }
    }

    /// The largest payload, in bytes.
    pub fn payload_bytes_max(self) -> usize {
        match self {
            Self::Application => Quota::MessageBytes.count(),
            Self::Commit => Quota::CommitBytes.count(),
            Self::Notice => Quota::NoticeBytes.count(),
        }
    }
}

/// One entry as its sender hands it in.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// Chosen by the sender.
    pub entry_id: EntryId,
    /// What it carries.
    pub kind: EntryKind,
    /// The epoch in which it was made; not looked at for notices.
    pub epoch: Epoch,
    /// At most [`EntryKind::payload_bytes_max`].
    pub payload: &'a [u8],
}

/// One entry as the log keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogEntry {
    /// From 1.
    pub sequence: Sequence,
    /// The epoch in which it stands; for a commit, the one that it ends.
    pub epoch: Epoch,
    /// What it carries.
    pub kind: EntryKind,
    /// As the hub authenticated it.
    pub sender: NodeId,
    /// Chosen by the sender.
    pub entry_id: EntryId,
    /// The hub's clock, never decreasing.
    pub accepted_at: Instant,
    /// The bytes.
    pub payload: Vec<u8>,
}

impl LogEntry {
    /// SHA-256 of canonical `entry` in this group.
    pub fn digest(&self, group: GroupId) -> Digest {
        entry_digest(group, self, Digest::of(&self.payload))
    }
}

fn entry_digest(group: GroupId, entry: &LogEntry, payload: Digest) -> Digest {
    Writer::new("entry")
        .bytes(group.as_bytes())
        .integer(entry.sequence.0)
        .integer(entry.epoch.0)
        .integer(u64::from(entry.kind.number()))
        .text(entry.sender.as_str())
        .bytes(entry.entry_id.as_bytes())
        .instant(entry.accepted_at)
        .bytes(payload.as_bytes())
        .digest()
}

/// The head after an entry: SHA-256 of canonical `head`.
pub fn head_after(previous: Digest, entry: Digest) -> Digest {
    Writer::new("head").bytes(previous.as_bytes()).bytes(entry.as_bytes()).digest()
}

/// Why the hub does not append an entry: its sender's fault, or nobody's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlaceError {
    /// It was made in another epoch than the group's: encrypt again in this one.
    #[error("the group is in epoch {current}")]
    Stale {
        /// The group's epoch.
        current: Epoch,
    },
    /// The payload is larger than its kind may be.
    #[error("the payload has {bytes} bytes, and at most {bytes_max} are allowed")]
    TooLarge {
        /// What it has.
        bytes: usize,
        /// What its kind may have.
        bytes_max: usize,
    },
}

impl PlaceError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Stale { .. } => "stale_epoch",
            Self::TooLarge { .. } => "frame_too_large",
        }
    }
}

/// Where a group's log stands at its hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogState {
    /// The group.
    pub group: GroupId,
    /// The hub that keeps the log.
    pub hub: NodeId,
    /// Number of its term.
    pub term: u64,
    /// Newest sequence; 0 before the first entry.
    pub sequence: Sequence,
    /// Chained head at that sequence.
    pub head: Digest,
    /// The group's epoch.
    pub epoch: Epoch,
    /// When the newest entry was accepted.
    pub last_accepted_at: Instant,
}

/// Where an entry came to stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// Its place.
    pub sequence: Sequence,
    /// The epoch in which it stands.
    pub epoch: Epoch,
    /// When it was accepted.
    pub accepted_at: Instant,
    /// SHA-256 of the canonical entry.
    pub digest: Digest,
    /// The head after it.
    pub head: Digest,
}

impl LogState {
    /// The empty log of a group founded in epoch 0.
    pub fn founded(group: GroupId, hub: NodeId, term: u64) -> Self {
        Self {
            group,
            hub,
            term,
            sequence: Sequence(0),
            head: Digest::ZERO,
            epoch: Epoch(0),
            last_accepted_at: Instant(0),
        }
    }

    /// Whether an entry is in time and of bounded size: asked before anything is read of it.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn admits(&self, new: &NewEntry<'_>) -> Result<(), PlaceError> {
        let (bytes, bytes_max) = (new.payload.len(), new.kind.payload_bytes_max());
        if bytes > bytes_max {
            return Err(PlaceError::TooLarge { bytes, bytes_max });
        }
        let tolerated = new.kind == EntryKind::Application && planted::is(Bug::SkipEpochCheck);
        if new.kind != EntryKind::Notice && new.epoch != self.epoch && !tolerated {
            return Err(PlaceError::Stale { current: self.epoch });
        }
        Ok(())
    }

    /// Appends one entry and returns its place. Repeats are looked up before, and commits
    /// are validated before: a placed commit begins the next epoch.
    ///
    /// # Errors
    /// [`PlaceError`]; the state is as it was.
    pub fn place(
        &mut self,
        sender: &NodeId,
        new: &NewEntry<'_>,
        now: Instant,
    ) -> Result<Placed, PlaceError> {
        self.admits(new)?;
        let entry = LogEntry {
            sequence: self.sequence.next(),
            epoch: self.epoch,
            kind: new.kind,
            sender: sender.clone(),
            entry_id: new.entry_id,
            accepted_at: now.max(self.last_accepted_at),
            payload: Vec::new(),
        };
        let digest = entry_digest(self.group, &entry, Digest::of(new.payload));
        self.sequence = entry.sequence;
        self.head = head_after(self.head, digest);
        self.last_accepted_at = entry.accepted_at;
        if new.kind == EntryKind::Commit {
            self.epoch = self.epoch.next();
        }
        let LogEntry { sequence, epoch, accepted_at, .. } = entry;
        Ok(Placed { sequence, epoch, accepted_at, digest, head: self.head })
    }

    /// Signs where the log stands.
    pub fn checkpoint(&self, key: &IdentityKey) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            group: self.group,
            sequence: self.sequence,
            head: self.head,
            epoch: self.epoch,
            hub: self.hub.clone(),
            term: self.term,
        };
        checkpoint.sign(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: GroupId = GroupId([1; 32]);

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn key() -> IdentityKey {
        IdentityKey::from_seed(&[2; 32])
    }

    fn new(kind: EntryKind, epoch: u64, payload: &[u8]) -> NewEntry<'_> {
        NewEntry { entry_id: EntryId([3; 16]), kind, epoch: Epoch(epoch), payload }
    }

    fn log() -> LogState {
        LogState::founded(GROUP, node("relay"), 1)
    }

    /// Places an entry and returns it as members receive it.
    fn placed(log: &mut LogState, kind: EntryKind, payload: &[u8], now: i64) -> LogEntry {
        let epoch = log.epoch.0;
        let placed = log.place(&node("umbria"), &new(kind, epoch, payload), Instant(now)).unwrap();
        LogEntry {
            sequence: placed.sequence,
            epoch: placed.epoch,
            kind,
            sender: node("umbria"),
            entry_id: EntryId([3; 16]),
            accepted_at: placed.accepted_at,
            payload: payload.to_vec(),
        }
    }

    #[test]
    fn members_arrive_where_the_hub_stands() {
        let (mut log, mut chain) = (log(), Chain::founded(GROUP));
        let kinds = [EntryKind::Application, EntryKind::Commit, EntryKind::Notice];
        for (step, kind) in kinds.into_iter().cycle().take(9).enumerate() {
            let entry = placed(&mut log, kind, &[step as u8], 100);
            assert!(chain.verify_next(&entry).is_ok());
            assert_eq!(
                (chain.sequence, chain.head, chain.epoch),
                (log.sequence, log.head, log.epoch)
            );
        }
        assert_eq!((log.sequence, log.epoch), (Sequence(9), Epoch(3)));
        let signed = log.checkpoint(&key());
        let standing = chain.verify_checkpoint(&signed, &node("relay"), &key().public(), 1);
        assert_eq!(standing, Ok(Standing::Agrees));
    }

    #[test]
    fn stale_and_large_entries_are_not_placed() {
        let mut log = log();
        placed(&mut log, EntryKind::Commit, b"c", 1);
        let before = log.clone();
        let mut check = |kind, epoch, payload: &[u8], reason| {
            let refused = log.place(&node("umbria"), &new(kind, epoch, payload), Instant(2));
            assert_eq!(refused.unwrap_err().reason(), reason);
        };
        check(EntryKind::Application, 0, b"a", "stale_epoch");
        check(EntryKind::Commit, 2, b"a", "stale_epoch");
        check(EntryKind::Application, 1, &vec![0; 72 * 1024 + 1], "frame_too_large");
        check(EntryKind::Notice, 1, &vec![0; 16 * 1024 + 1], "frame_too_large");
        check(EntryKind::Commit, 1, &vec![0; 4 * 1024 * 1024 + 1], "frame_too_large");
        assert_eq!(log, before);
        let notice = log.place(&node("umbria"), &new(EntryKind::Notice, 0, b"n"), Instant(2));
        assert_eq!(notice.map(|placed| placed.epoch), Ok(Epoch(1)));
    }

    #[test]
    fn time_never_decreases() {
        let mut log = log();
        assert_eq!(placed(&mut log, EntryKind::Notice, b"", 9).accepted_at, Instant(9));
        assert_eq!(placed(&mut log, EntryKind::Notice, b"", 5).accepted_at, Instant(9));
        assert_eq!(placed(&mut log, EntryKind::Notice, b"", 10).accepted_at, Instant(10));
    }

    fn check_bent(bend: impl FnOnce(&mut LogEntry), reason: &str) {
        let (mut log, mut chain) = (log(), Chain::founded(GROUP));
        chain.verify_next(&placed(&mut log, EntryKind::Application, b"one", 5)).unwrap();
        let mut entry = placed(&mut log, EntryKind::Application, b"two", 6);
        bend(&mut entry);
        let before = chain.clone();
        let found = match chain.verify_next(&entry) {
            Err(fault) => {
                assert_eq!(chain, before);
                fault.reason()
            }
            Ok(_) => {
                let signed = log.checkpoint(&key());
                let verified = chain.verify_checkpoint(&signed, &node("relay"), &key().public(), 1);
                verified.map_or_else(|fault| fault.reason(), |_| "")
            }
        };
        assert_eq!(found, reason);
    }

    #[test]
    fn whatever_the_hub_bends_is_noticed() {
        check_bent(|_| {}, "");
        check_bent(|entry| entry.sequence = Sequence(3), "log_gap");
        check_bent(|entry| entry.sequence = Sequence(1), "log_gap");
        check_bent(|entry| entry.epoch = Epoch(1), "log_epoch_wrong");
        check_bent(|entry| entry.accepted_at = Instant(4), "log_time_backwards");
        check_bent(|entry| entry.payload = vec![0; 80_000], "log_entry_too_large");
        check_bent(|entry| entry.accepted_at = Instant(7), "checkpoint_head_wrong");
        check_bent(|entry| entry.payload = b"other".to_vec(), "checkpoint_head_wrong");
        check_bent(|entry| entry.sender = node("toscana"), "checkpoint_head_wrong");
        check_bent(|entry| entry.entry_id = EntryId([4; 16]), "checkpoint_head_wrong");
        check_bent(|entry| entry.kind = EntryKind::Notice, "checkpoint_head_wrong");
        check_bent(|entry| entry.kind = EntryKind::Commit, "checkpoint_head_wrong");
    }

    #[test]
    fn checkpoints_of_others_and_of_other_times() {
        let (mut log, chain) = (log(), Chain::founded(GROUP));
        let empty = log.checkpoint(&key());
        placed(&mut log, EntryKind::Application, b"one", 5);
        let signed = log.checkpoint(&key());
        let check =
            |chain: &Chain, signed: &SignedCheckpoint, hub: &str, key: u8, term, expected| {
                let key = IdentityKey::from_seed(&[key; 32]).public();
                let found = chain.verify_checkpoint(signed, &node(hub), &key, term);
                assert_eq!(found, expected);
            };
        check(&chain, &signed, "relay", 2, 1, Ok(Standing::Ahead));
        check(&chain, &signed, "relay", 9, 1, Err(ChainFault::Signature));
        check(&chain, &signed, "other", 2, 1, Err(ChainFault::Foreign));
        check(&chain, &signed, "relay", 2, 2, Err(ChainFault::Foreign));
        let further = Chain { sequence: Sequence(1), ..chain.clone() };
        check(&further, &empty, "relay", 2, 1, Ok(Standing::Behind));
        let elsewhere = Chain::founded(GroupId([8; 32]));
        check(&elsewhere, &signed, "relay", 2, 1, Err(ChainFault::Foreign));
    }

    #[test]
    fn kinds_have_the_numbers_of_the_protocol() {
        let check = |number, kind| assert_eq!(EntryKind::from_number(number), kind);
        check(0, None);
        check(1, Some(EntryKind::Application));
        check(2, Some(EntryKind::Commit));
        check(3, Some(EntryKind::Notice));
        check(4, None);
    }
}
