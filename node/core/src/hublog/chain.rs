//! How a member verifies, entry by entry, what its hub delivers.

use crate::hublog::checkpoint::SignedCheckpoint;
use crate::hublog::{EntryKind, LogEntry, head_after};
use crate::id::{Digest, Epoch, GroupId, NodeId, Sequence};
use crate::time::Instant;
use crate::trust::keys::PublicKey;

/// What is wrong with what a hub delivered: the hub's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainFault {
    /// The next entry is not the next one.
    #[error("entry {found} came where {expected} was due")]
    Gap {
        /// The sequence that was due.
        expected: Sequence,
        /// The sequence that came.
        found: Sequence,
    },
    /// The entry stands in another epoch than the log.
    #[error("entry {sequence} is of epoch {found} in a log of epoch {expected}")]
    Epoch {
        /// The entry.
        sequence: Sequence,
        /// The log's epoch.
        expected: Epoch,
        /// The entry's.
        found: Epoch,
    },
    /// The entry was accepted before the one before it.
    #[error("time runs backwards at entry {0}")]
    Time(Sequence),
    /// The entry is larger than its kind may be.
    #[error("entry {0} is too large")]
    TooLarge(Sequence),
    /// The checkpoint is not signed by the hub.
    #[error("the checkpoint is not signed by the hub")]
    Signature,
    /// The checkpoint is of another group, hub or term.
    #[error("the checkpoint is of another group, hub or term")]
    Foreign,
    /// The hub signed another head than its own entries lead to.
    #[error("the hub signed head {signed} at entry {sequence}, and its entries lead to {own}")]
    Head {
        /// The place.
        sequence: Sequence,
        /// What the hub signed.
        signed: Digest,
        /// To what the entries lead that it delivered.
        own: Digest,
    },
    /// The hub signed another epoch than its own entries lead to.
    #[error("the hub signed epoch {signed} at entry {sequence}, and its entries lead to {own}")]
    SignedEpoch {
        /// The place.
        sequence: Sequence,
        /// What the hub signed.
        signed: Epoch,
        /// To what the entries lead that it delivered.
        own: Epoch,
    },
}

impl ChainFault {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Gap { .. } => "log_gap",
            Self::Epoch { .. } => "log_epoch_wrong",
            Self::Time(_) => "log_time_backwards",
            Self::TooLarge(_) => "log_entry_too_large",
            Self::Signature => "checkpoint_signature_bad",
            Self::Foreign => "checkpoint_foreign",
            Self::Head { .. } => "checkpoint_head_wrong",
            Self::SignedEpoch { .. } => "checkpoint_epoch_wrong",
        }
    }
}

/// How a good checkpoint stands to a member's own place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// At the same sequence, with the same head and epoch.
    Agrees,
    /// Further on: there are entries that have not come yet.
    Ahead,
    /// Further back: nothing is left here to compare it with.
    Behind,
}

/// Where a member stands in a log, as far as it has verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    /// The group.
    pub group: GroupId,
    /// Newest verified sequence.
    pub sequence: Sequence,
    /// Head at that sequence.
    pub head: Digest,
    /// Epoch after that sequence.
    pub epoch: Epoch,
    /// When the newest entry was accepted.
    pub last_accepted_at: Instant,
}

impl Chain {
    /// Before the first entry of a group founded in epoch 0.
    pub fn founded(group: GroupId) -> Self {
        let (sequence, epoch) = (Sequence(0), Epoch(0));
        Self { group, sequence, head: Digest::ZERO, epoch, last_accepted_at: Instant(0) }
    }

    /// Verifies that an entry is the next one, moves on to it and returns its digest.
    ///
    /// # Errors
    /// [`ChainFault`]; the chain is as it was.
    pub fn verify_next(&mut self, entry: &LogEntry) -> Result<Digest, ChainFault> {
        let (expected, found) = (self.sequence.next(), entry.sequence);
        if found != expected {
            return Err(ChainFault::Gap { expected, found });
        }
        if entry.epoch != self.epoch {
            let (expected, found) = (self.epoch, entry.epoch);
            return Err(ChainFault::Epoch { sequence: entry.sequence, expected, found });
        }
        if entry.accepted_at < self.last_accepted_at {
            return Err(ChainFault::Time(entry.sequence));
        }
        if entry.payload.len() > entry.kind.payload_bytes_max() {
            return Err(ChainFault::TooLarge(entry.sequence));
        }
        let digest = entry.digest(self.group);
        self.sequence = entry.sequence;
        self.head = head_after(self.head, digest);
        self.last_accepted_at = entry.accepted_at;
        if entry.kind == EntryKind::Commit {
            self.epoch = self.epoch.next();
        }
        Ok(digest)
    }

    /// Verifies a checkpoint of the hub `hub` with identity key `key` in its `term`.
    ///
    /// # Errors
    /// [`ChainFault::Foreign`], [`ChainFault::Signature`] or [`ChainFault::Head`].
    pub fn verify_checkpoint(
        &self,
        signed: &SignedCheckpoint,
        hub: &NodeId,
        key: &PublicKey,
        term: u64,
    ) -> Result<Standing, ChainFault> {
        let stated = signed.checkpoint();
        if (stated.group, &stated.hub, stated.term) != (self.group, hub, term) {
            return Err(ChainFault::Foreign);
        }
        signed.verify(key).map_err(|_| ChainFault::Signature)?;
        match stated.sequence.cmp(&self.sequence) {
            std::cmp::Ordering::Less => Ok(Standing::Behind),
            std::cmp::Ordering::Greater => Ok(Standing::Ahead),
            std::cmp::Ordering::Equal => self.agrees(stated.head, stated.epoch),
        }
    }

    fn agrees(&self, signed: Digest, epoch: Epoch) -> Result<Standing, ChainFault> {
        let sequence = self.sequence;
        if signed != self.head {
            return Err(ChainFault::Head { sequence, signed, own: self.head });
        }
        if epoch != self.epoch {
            return Err(ChainFault::SignedEpoch { sequence, signed: epoch, own: self.epoch });
        }
        Ok(Standing::Agrees)
    }
}
