//! Why an MLS operation failed, told by whose fault it is, each with a stable reason.

use openmls::framing::errors::{MessageDecryptionError, SecretTreeError};
use openmls::group::{
    MlsGroupStateError, ProcessMessageError, PublicProcessMessageError, StageCommitError,
    ValidationError,
};

use crate::ledger::LedgerError;
use crate::trust::commit::CommitRefused;

/// Why an operation on a session or on the hub's public group failed.
///
/// After any of these the session has to be dropped and loaded again from its rows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SessionError {
    /// Peer: the bytes are no MLS message of the expected kind.
    #[error("the frame is malformed")]
    Malformed,
    /// Peer: the bytes are more than messages or commits may have.
    #[error("the frame is too large")]
    TooLarge,
    /// Peer: the message is of another group.
    #[error("the message is of another group")]
    WrongGroup,
    /// Peer: the message is of another epoch than the group.
    #[error("the message is of another epoch")]
    WrongEpoch,
    /// Peer: the group's epoch is beyond what is taken from others ([`crate::number`]).
    #[error("the group's epoch is out of range")]
    EpochRange,
    /// Peer: neither a public commit nor a private application message of a member.
    #[error("the message is of a kind that is refused")]
    NotAdmissible,
    /// Peer, or a replay: the key of this message was used before.
    #[error("the key of this message was used before")]
    SecretReused,
    /// Peer: the message does not decrypt.
    #[error("the message does not decrypt")]
    Undecryptable,
    /// Peer: a signature or membership tag does not verify.
    #[error("a signature does not verify")]
    BadSignature,
    /// Peer: the sender is no member, or its leaf has no node id.
    #[error("the sender is not a member")]
    UnknownSender,
    /// A commit under our own leaf that is not the pending one: a clone, or an old restore.
    #[error("a commit under our own leaf is not the one that we staged")]
    OwnCommitMismatch,
    /// Peer: OpenMLS refuses the commit.
    #[error("the commit is invalid: {0}")]
    InvalidCommit(String),
    /// Peer: OpenMLS refuses the message.
    #[error("the message is invalid: {0}")]
    InvalidMessage(String),
    /// Peer: the membership validator refuses the commit.
    #[error(transparent)]
    Refused(#[from] CommitRefused),
    /// Peer: a key package is malformed, badly signed, or not as ours are.
    #[error("the key package is unfit: {0}")]
    KeyPackage(String),
    /// Peer: a Welcome is for another group or node, or does not lead into a group as ours.
    #[error("the Welcome is unfit: {0}")]
    Welcome(String),
    /// Hub or ourselves: the Welcome is for a key package that is not among the rows, as where
    /// a disk was put back or copied since it was made.
    #[error("the Welcome is for a key package that is not here")]
    UnknownKeyPackage,
    /// Operator or ourselves: a commit is pending; it has to be settled by the log first.
    #[error("a commit is pending")]
    AlreadyPending,
    /// Operator or ourselves: the change cannot be committed.
    #[error("the change cannot be committed: {0}")]
    Change(String),
    /// This node was removed from the group.
    #[error("this node was removed from the group")]
    Removed,
    /// Store: the rows do not make a group.
    #[error(transparent)]
    Store(#[from] LedgerError),
    /// Ourselves: an earlier operation on this object failed; it has to be loaded again.
    #[error("an earlier operation failed; the group has to be loaded again")]
    Spoiled,
    /// Ourselves: OpenMLS reports a fault of its own.
    #[error("internal fault in MLS: {0}")]
    Internal(String),
}

impl SessionError {
    /// The stable reason, snake case; of what the validator refuses, the rule that it breaks.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed => "malformed_frame",
            Self::TooLarge => "frame_too_large",
            Self::WrongGroup => "wrong_group",
            Self::WrongEpoch => "wrong_epoch",
            Self::EpochRange => "epoch_out_of_range",
            Self::NotAdmissible => "not_admissible",
            Self::SecretReused => "secret_reused",
            Self::Undecryptable => "undecryptable",
            Self::BadSignature => "bad_signature",
            Self::UnknownSender => "unknown_sender",
            Self::OwnCommitMismatch => "own_commit_mismatch",
            Self::InvalidCommit(_) => "invalid_commit",
            Self::InvalidMessage(_) => "invalid_message",
            Self::Refused(refused) => refused.0,
            Self::KeyPackage(_) => "bad_key_package",
            Self::Welcome(_) => "bad_welcome",
            Self::UnknownKeyPackage => "unknown_key_package",
            Self::AlreadyPending => "commit_pending",
            Self::Change(_) => "bad_change",
            Self::Removed => "removed",
            Self::Store(_) => "bad_store",
            Self::Spoiled => "reload_needed",
            Self::Internal(_) => "internal",
        }
    }

    /// A fault that none of our inputs can cause.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }
}

impl From<ProcessMessageError<LedgerError>> for SessionError {
    fn from(error: ProcessMessageError<LedgerError>) -> Self {
        match error {
            ProcessMessageError::StorageError(error) => Self::Store(error),
            ProcessMessageError::LibraryError(error) => Self::internal(error),
            ProcessMessageError::ValidationError(error) => error.into(),
            ProcessMessageError::InvalidCommit(error) => error.into(),
            ProcessMessageError::GroupStateError(error) => error.into(),
            ProcessMessageError::IncompatibleWireFormat
            | ProcessMessageError::UnauthorizedExternalApplicationMessage
            | ProcessMessageError::UnauthorizedExternalCommitMessage
            | ProcessMessageError::UnsupportedProposalType => Self::NotAdmissible,
        }
    }
}

impl From<PublicProcessMessageError> for SessionError {
    fn from(error: PublicProcessMessageError) -> Self {
        match error {
            PublicProcessMessageError::LibraryError(error) => Self::internal(error),
            PublicProcessMessageError::ValidationError(error) => error.into(),
            PublicProcessMessageError::InvalidCommit(error) => error.into(),
            PublicProcessMessageError::IncompatibleWireFormat
            | PublicProcessMessageError::UnauthorizedExternalApplicationMessage
            | PublicProcessMessageError::UnauthorizedExternalCommitMessage
            | PublicProcessMessageError::UnsupportedProposalType => Self::NotAdmissible,
        }
    }
}

impl From<ValidationError> for SessionError {
    fn from(error: ValidationError) -> Self {
        match error {
            ValidationError::LibraryError(error) => Self::internal(error),
            ValidationError::WrongGroupId => Self::WrongGroup,
            ValidationError::WrongEpoch | ValidationError::NoPastEpochData => Self::WrongEpoch,
            ValidationError::UnknownMember | ValidationError::NonMemberApplicationMessage => {
                Self::UnknownSender
            }
            ValidationError::InvalidSignature
            | ValidationError::InvalidLeafNodeSignature
            | ValidationError::InvalidMembershipTag
            | ValidationError::MissingMembershipTag => Self::BadSignature,
            ValidationError::UnableToDecrypt(error) => error.into(),
            other => Self::InvalidMessage(other.to_string()),
        }
    }
}

impl From<MessageDecryptionError> for SessionError {
    fn from(error: MessageDecryptionError) -> Self {
        match error {
            MessageDecryptionError::SecretTreeError(
                SecretTreeError::SecretReuseError | SecretTreeError::TooDistantInThePast,
            ) => Self::SecretReused,
            _ => Self::Undecryptable,
        }
    }
}

impl From<StageCommitError> for SessionError {
    fn from(error: StageCommitError) -> Self {
        match error {
            StageCommitError::OwnCommitMismatch => Self::OwnCommitMismatch,
            StageCommitError::EpochMismatch => Self::WrongEpoch,
            StageCommitError::PathLeafNodeVerificationFailure => Self::BadSignature,
            StageCommitError::LibraryError(error) => Self::internal(error),
            other => Self::InvalidCommit(other.to_string()),
        }
    }
}

impl From<MlsGroupStateError> for SessionError {
    fn from(error: MlsGroupStateError) -> Self {
        match error {
            MlsGroupStateError::UseAfterEviction => Self::Removed,
            MlsGroupStateError::PendingCommit => Self::AlreadyPending,
            other => Self::internal(other),
        }
    }
}
