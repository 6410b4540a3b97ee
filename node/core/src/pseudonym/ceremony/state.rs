//! Where a ceremony stands, what it waits for, and what a message brought about.

use std::collections::BTreeSet;

use crate::id::NodeId;
use crate::pseudonym::dealing::DealingFault;

/// Where a ceremony stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Waits for dealings.
    Dealing,
    /// Waits for the holders' reports.
    Reporting,
    /// Waits for the answers of accused dealers.
    Answering,
    /// Waits for the holders' agreement.
    Agreeing,
    /// The new sharing is in force, and shares of older ones are to be deleted.
    Done,
    /// Nothing was made; what was in force before stays.
    Failed(Failure),
}

/// Why a ceremony made nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Too few dealers dealt, or too few of them well.
    #[error("too few members dealt: {have} of {need}")]
    Dealings {
        /// Good dealings.
        have: usize,
        /// How many are needed.
        need: usize,
    },
    /// Too few holders have agreed in time.
    #[error("too few members agreed: {have} of {need}")]
    Agreements {
        /// Holders that agreed.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// Too few of those who may have held the old sharing have agreed: who takes it on
    /// their word cannot know that it was in force.
    #[error("too few of the members from before agreed: {have} of {need}")]
    Attestations {
        /// Old holders that agreed.
        have: usize,
        /// The threshold among the members that are no newcomers.
        need: usize,
    },
    /// The good dealings make no sharing: they cancel out, which only liars bring about.
    #[error("the dealings make no key")]
    NoKey,
}

/// What a member has to post next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Duty {
    /// A dealing (`dealing::deal`).
    Deal,
    /// A report (`Ceremony::complaints`).
    Report,
    /// An answer to each of these holders (`dealing::reveal`).
    Answer(BTreeSet<NodeId>),
    /// Its agreement (`Ceremony::agreement`), once it has its share (`Ceremony::share`).
    Agree,
}

/// Why a message changed nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// The sender has no such part in this ceremony.
    Uncalled,
    /// The phase is over, or not yet there.
    OutOfPhase,
    /// The sender has said so already; the first in the log counts.
    Repeated,
}

/// What a message brought about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It counts.
    Counted,
    /// It shows that its sender cheats or is broken: an alarm that names it.
    Fault(DealingFault),
    /// A holder agreed to something else: its log, or ours, is not the équipe's. An alarm.
    Dissent,
    /// It changes nothing.
    Ignored(Ignored),
}

/// Why this node has no share of a new sharing; only a resharing gives it one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoShare {
    /// The ceremony has not come so far, or failed.
    #[error("the ceremony has made no sharing")]
    NotMade,
    /// The plan names other holders.
    #[error("this node is no holder")]
    NoHolder,
    /// This dealer's value does not open, and no complaint was made in time.
    #[error("the value that {0} dealt does not open")]
    Lost(NodeId),
    /// Values that fit one by one do not fit together: ourselves.
    #[error("the values do not make the share")]
    Broken,
}
