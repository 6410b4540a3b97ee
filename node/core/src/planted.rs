//! Bugs that are planted on purpose, each where somebody would make it: the simulation has
//! to find every one of them.
//!
//! They exist only in builds with the feature `planted-bugs`, which nothing but the hunt of
//! the simulation asks for. In every other build [`is`] is constantly false, and nothing of
//! them is left in the program.

macro_rules! bugs {
    ($($(#[doc = $what:literal])* $name:ident = $word:literal,)*) => {
        /// A bug.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[repr(u8)]
        pub enum Bug {
            $($(#[doc = $what])* $name,)*
        }

        impl Bug {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Its name.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }

            /// What is wrong.
            pub fn what(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($($what,)*).trim_ascii(),)*
                }
            }
        }
    };
}

bugs! {
    /// The hub places messages of an earlier epoch.
    SkipEpochCheck = "skip-epoch-check",
    /// The hub places a repeated entry again.
    ForgetDedupe = "forget-dedupe",
    /// The hub's group in memory stays ahead of a disk that could not follow.
    GroupAheadOfDisk = "group-ahead-of-disk",
    /// The hub trims what one member has and another has not.
    TrimTooEarly = "trim-too-early",
    /// A statement is in force before all have signed it.
    AcceptUnsigned = "accept-unsigned",
    /// The signatures under a statement are not verified.
    AcceptForged = "accept-forged",
    /// An own commit is merged before the log returns it.
    MergeEarly = "merge-early",
    /// What the ratchets changed is not written.
    ForgetFlush = "forget-flush",
    /// What OpenMLS did in memory stays after a rollback.
    SessionKept = "session-kept",
    /// The cursor is moved before the entries are processed.
    CursorFirst = "cursor-first",
    /// The first message of a run is sent without an own commit before it.
    DropFirstUpdate = "drop-first-update",
    /// Another member's commit counts as the own one of this run.
    FreshByAnyCommit = "fresh-by-any-commit",
    /// No receipt is owed for what was received.
    ForgetReceipt = "forget-receipt",
    /// What an operator opened is not told to its origin.
    ForgetRead = "forget-read",
    /// An entry that comes again is processed again.
    TakeTwice = "take-twice",
    /// Ciphertexts are sent before they are stored.
    SendBeforeStoring = "send-before-storing",
    /// What cannot be processed is dropped without a word.
    DropSetAside = "drop-set-aside",
    /// Case-bearing sending is not held.
    IgnoreHold = "ignore-hold",
    /// The hub's signature under a batch is not verified.
    SkipChain = "skip-chain",
    /// Whom the hub names as sender is not compared with who encrypted.
    SenderNotCompared = "sender-not-compared",
    /// Nobody notices that the hub keeps entries back.
    WithheldUnnoticed = "withheld-unnoticed",
    /// All packs of an équipe have one entry id.
    ReuseEntryId = "reuse-entry-id",
    /// What lost the race against a commit is not encrypted again.
    NotEncryptedAgain = "not-encrypted-again",
    /// An own commit that lost the race waits for ever.
    LostCommitKept = "lost-commit-kept",
    /// A removed member counts on, its receipts too.
    RemovedMemberKept = "removed-member-kept",
    /// A node that meets an own entry that it did not make goes on.
    QuarantineIgnored = "quarantine-ignored",
    /// A quarantined node goes on sending.
    QuarantinedSends = "quarantined-sends",
    /// What waited when a node lost its ratchets is not sent again.
    ForgetQueueAtReturn = "forget-queue-at-return",
    /// Newcomers are not told what was shared before.
    ReplayForgotten = "replay-forgotten",
    /// A member that comes back is not told what has ended meanwhile.
    EndsNotRetold = "ends-not-retold",
    /// The mailbox's cursor passes a Welcome before it has been entered.
    WelcomePassed = "welcome-passed",
    /// A renewed pact is not put in force.
    OldPactKept = "old-pact-kept",
    /// A leave that another change overtook is forgotten.
    LeaveForgotten = "leave-forgotten",
    /// A new statement is in force without a record in the audit.
    StatementNotAudited = "statement-not-audited",
    /// A withdrawal is not followed.
    WithdrawalIgnored = "withdrawal-ignored",
    /// What has expired stays.
    ExpiryForgotten = "expiry-forgotten",
    /// The proof of an evaluation is not verified.
    EvaluationUnchecked = "evaluation-unchecked",
    /// Nobody complains about a dealer whose values do not open.
    ComplaintForgotten = "complaint-forgotten",
    /// A key is not shared anew when the members change.
    KeyNotSharedAnew = "key-not-shared-anew",
    /// A request for tokens that too few answered is not repeated.
    TokensNotAskedAgain = "tokens-not-asked-again",
}

#[cfg(feature = "planted-bugs")]
mod chosen {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Bug;

    /// The bug of this process: its number, and none as the largest number.
    static CHOSEN: AtomicU8 = AtomicU8::new(u8::MAX);

    /// Chooses the bug that this process has from now on.
    pub fn choose(bug: Option<Bug>) {
        CHOSEN.store(bug.map_or(u8::MAX, |bug| bug as u8), Ordering::Relaxed);
    }

    /// Whether this process has a bug.
    pub fn is(bug: Bug) -> bool {
        CHOSEN.load(Ordering::Relaxed) == bug as u8
    }
}

#[cfg(feature = "planted-bugs")]
pub use chosen::{choose, is};

/// Whether this process has a bug: in this build never.
#[cfg(not(feature = "planted-bugs"))]
pub const fn is(_: Bug) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn each_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Bug::ALL.iter().map(|bug| bug.name()).collect();
        assert_eq!(names.len(), Bug::ALL.len());
        assert!(Bug::ALL.iter().all(|bug| !bug.what().is_empty()));
    }

    #[test]
    #[cfg(not(feature = "planted-bugs"))]
    fn an_ordinary_build_has_none() {
        assert!(!Bug::ALL.iter().any(|bug| is(*bug)));
    }
}
