//! Notices: what a node says in the log beside MLS, under its identity or card key.

use std::fmt;

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{EntryId, GroupId, NodeId};
use crate::time::Instant;
use crate::trust::card::Card;
use crate::trust::keys::{IdentityKey, PublicKey, Signature};

/// The longest detail: with names and signature it stays below a notice's 16 KiB.
pub const DETAIL_BYTES_MAX: usize = 15 * 1024;

/// Why a notice is refused: its sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoticeError {
    /// The bytes are no notice.
    #[error("not a notice: {0}")]
    Malformed(#[from] CanonicalError),
    /// A field is out of its range.
    #[error("the notice's {0} is out of range")]
    Range(&'static str),
    /// The notice is for another group, by another sender, or of another entry than it
    /// came in.
    #[error("the notice belongs to another entry")]
    Misplaced,
    /// None of the sender's keys signed it.
    #[error("the notice is not signed by its sender")]
    Signature,
}

impl NoticeError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) | Self::Range(_) => "bad_notice",
            Self::Misplaced => "notice_misplaced",
            Self::Signature => "notice_signature_bad",
        }
    }
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NoticeKind {
    /// The sender cannot process a commit.
    CannotProcess,
    /// The sender lost its state and asks to be added again.
    RejoinRequest,
    /// The sender's key is revoked.
    Revocation,
    /// The sender leaves.
    Leave,
    /// The sender holds a commit void that nobody but its maker can process.
    Void,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: [Self; 5] =
        [Self::CannotProcess, Self::RejoinRequest, Self::Revocation, Self::Leave, Self::Void];

    /// The kind's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CannotProcess => "cannot_process",
            Self::RejoinRequest => "rejoin_request",
            Self::Revocation => "revocation",
            Self::Leave => "leave",
            Self::Void => "void",
        }
    }

    fn read(text: &str) -> Result<Self, NoticeError> {
        let named = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        named.ok_or(NoticeError::Range("kind"))
    }
}

impl fmt::Display for NoticeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a node says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The group in whose log it is said.
    pub group: GroupId,
    /// Who says it.
    pub sender: NodeId,
    /// The log entry that carries it, so that it cannot be said twice.
    pub entry: EntryId,
    /// What it is about.
    pub kind: NoticeKind,
    /// When, by the sender's clock.
    pub said_at: Instant,
    /// More, by kind; at most [`DETAIL_BYTES_MAX`].
    pub detail: Vec<u8>,
}

impl Notice {
    /// Signs the notice.
    ///
    /// # Errors
    /// [`NoticeError::Range`] when the detail is too long.
    pub fn sign(self, key: &IdentityKey) -> Result<SignedNotice, NoticeError> {
        self.check()?;
        let bytes = self.canonical();
        Ok(SignedNotice { signature: key.sign(&bytes), bytes, notice: self })
    }

    fn canonical(&self) -> Vec<u8> {
        Writer::new("notice")
            .bytes(self.group.as_bytes())
            .text(self.sender.as_str())
            .bytes(self.entry.as_bytes())
            .text(self.kind.as_str())
            .instant(self.said_at)
            .bytes(&self.detail)
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, NoticeError> {
        let mut reader = Reader::new("notice", bytes)?;
        let notice = Self {
            group: GroupId(reader.array("group")?),
            sender: reader.text("sender")?.parse().map_err(|_| NoticeError::Range("sender"))?,
            entry: EntryId(reader.array("entry")?),
            kind: NoticeKind::read(reader.text("kind")?)?,
            said_at: reader.instant("said at")?,
            detail: reader.bytes("detail")?.to_vec(),
        };
        reader.end()?;
        notice.check()?;
        Ok(notice)
    }

    fn check(&self) -> Result<(), NoticeError> {
        let short = self.detail.len() <= DETAIL_BYTES_MAX;
        if short { Ok(()) } else { Err(NoticeError::Range("detail")) }
    }
}

/// A notice with its signature, as the exact bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNotice {
    bytes: Vec<u8>,
    signature: Signature,
    notice: Notice,
}

impl SignedNotice {
    /// Reads canonical container `signed-notice`; the signature is unverified.
    ///
    /// # Errors
    /// [`NoticeError::Malformed`] or [`NoticeError::Range`].
    pub fn decode(container: &[u8]) -> Result<Self, NoticeError> {
        let mut reader = Reader::new("signed-notice", container)?;
        let bytes = reader.bytes("notice")?;
        let signature = reader.array("signature")?;
        reader.end()?;
        Ok(Self { bytes: bytes.to_vec(), signature, notice: Notice::read(bytes)? })
    }

    /// Canonical container `signed-notice`: the payload of a log entry.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new("signed-notice").bytes(&self.bytes).bytes(&self.signature).finish()
    }

    /// What is said; believed only after [`SignedNotice::verify`].
    pub fn notice(&self) -> &Notice {
        &self.notice
    }

    /// Whether this key signed it.
    pub fn is_signed_by(&self, key: &PublicKey) -> bool {
        key.verify(&self.bytes, &self.signature).is_ok()
    }

    /// Verifies that the notice belongs to the entry that carried it, and that one of the
    /// sender's keys signed it: its identity key, or the MLS key of its card.
    ///
    /// # Errors
    /// [`NoticeError::Misplaced`] or [`NoticeError::Signature`].
    pub fn verify(&self, group: GroupId, entry: EntryId, sender: &Card) -> Result<(), NoticeError> {
        let said = (self.notice.group, self.notice.entry, &self.notice.sender);
        if said != (group, entry, &sender.node) {
            return Err(NoticeError::Misplaced);
        }
        if [sender.identity, sender.mls_key.key].iter().any(|key| self.is_signed_by(key)) {
            return Ok(());
        }
        Err(NoticeError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample;

    fn sample_notice() -> Notice {
        Notice {
            group: GroupId([1; 32]),
            sender: sample::node(0),
            entry: EntryId([2; 16]),
            kind: NoticeKind::CannotProcess,
            said_at: Instant(7),
            detail: b"sequence 9".to_vec(),
        }
    }

    fn check(key: &IdentityKey, card: &Card, entry: u8, expected: Result<(), NoticeError>) {
        let signed = sample_notice().sign(key).unwrap();
        let read = SignedNotice::decode(&signed.encode()).unwrap();
        assert_eq!(read, signed);
        assert_eq!(read.verify(GroupId([1; 32]), EntryId([entry; 16]), card), expected);
    }

    #[test]
    fn signed_by_identity_or_card_key() {
        let mls = sample::key(77);
        let mut card = sample::card(0, 1).card().clone();
        card.mls_key.key = mls.public();
        check(&sample::key(0), &card, 2, Ok(()));
        check(&mls, &card, 2, Ok(()));
        check(&sample::key(1), &card, 2, Err(NoticeError::Signature));
        check(&sample::key(0), &card, 3, Err(NoticeError::Misplaced));
        check(&sample::key(1), sample::card(1, 1).card(), 2, Err(NoticeError::Misplaced));
    }

    #[test]
    fn kinds_are_read_back_and_strangers_are_refused() {
        for kind in NoticeKind::ALL {
            assert_eq!(NoticeKind::read(kind.as_str()), Ok(kind));
        }
        assert_eq!(NoticeKind::read("other"), Err(NoticeError::Range("kind")));
    }

    #[test]
    fn long_details_and_cuts_are_refused() {
        let long = Notice { detail: vec![0; DETAIL_BYTES_MAX + 1], ..sample_notice() };
        assert_eq!(long.sign(&sample::key(0)), Err(NoticeError::Range("detail")));
        let bytes = sample_notice().sign(&sample::key(0)).unwrap().encode();
        for cut in 0..bytes.len() {
            let error = SignedNotice::decode(&bytes[..cut]).unwrap_err();
            assert_eq!(error.reason(), "bad_notice", "cut at {cut}");
        }
    }
}
