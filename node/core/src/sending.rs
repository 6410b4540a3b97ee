//! Whether a node may encrypt in a group now: one decision, read like DESIGN §3 and §5.
//!
//! Order of the rules: a node that is no active member says nothing; before the first
//! message of a run an own commit of that run must be in the log; while a member is not
//! trusted here, or an alarm holds, nothing case-bearing leaves; receipts always flow.

use crate::alarm::AlarmCode;
use crate::id::NodeId;
use crate::planted::{self, Bug};

/// Where a node stands in an équipe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its group is founded here but not yet with the others.
    Founding,
    /// A member.
    Active,
    /// It met an entry of its own that it did not make: a clone, or an old restore.
    Quarantined,
    /// Its ratchets are lost: it asks the other parties to be added again.
    NeedsRejoin,
    /// All have signed the successor of its group: it only reads until it enters that.
    Succeeding,
    /// Removed, left, or the équipe is over.
    Ended,
}

impl Standing {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Founding,
        Self::Active,
        Self::Quarantined,
        Self::NeedsRejoin,
        Self::Succeeding,
        Self::Ended,
    ];

    /// The word in database and status.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Founding => "founding",
            Self::Active => "active",
            Self::Quarantined => "quarantined",
            Self::NeedsRejoin => "needs_rejoin",
            Self::Succeeding => "succeeding",
            Self::Ended => "ended",
        }
    }

    /// Whether it follows the log: what it has taken so far is in step with it.
    pub fn reads(self) -> bool {
        matches!(self, Self::Active | Self::Founding | Self::Succeeding)
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|standing| standing.as_str() == word)
    }
}

/// What the decision rests on.
#[derive(Clone, Debug)]
pub struct Circumstances {
    /// Where the node stands.
    pub standing: Standing,
    /// Whether an own commit staged in this run is in the log.
    pub fresh: bool,
    /// Whether an own commit waits for the log.
    pub commit_pending: bool,
    /// Current members that do not count as verified here.
    pub untrusted: Vec<NodeId>,
    /// Alarms that stand, oldest first; their rules say which of them hold cases.
    pub alarms: Vec<AlarmCode>,
}

/// The decision.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Gate {
    /// Everything may go.
    Open,
    /// Only what bears no case may go; the text says why, for people.
    HeldForCases(String),
    /// First an own commit, so that no restored or cloned ratchet ever encrypts.
    FreshEpochFirst,
    /// An own commit waits for the log; sending goes on when it is settled.
    AwaitCommit,
    /// Nothing goes.
    Closed(&'static str),
}

/// Decides.
pub fn gate(now: &Circumstances) -> Gate {
    match now.standing {
        Standing::Quarantined if planted::is(Bug::QuarantinedSends) => {}
        Standing::Founding => return Gate::Closed("the équipe is being founded"),
        Standing::Quarantined => return Gate::Closed("this node is quarantined"),
        Standing::NeedsRejoin => return Gate::Closed("this node waits to join again"),
        Standing::Succeeding => return Gate::Closed("the équipe goes on in another group"),
        Standing::Ended => return Gate::Closed("this node is no member any more"),
        Standing::Active => {}
    }
    if now.commit_pending {
        return Gate::AwaitCommit;
    }
    if !now.fresh {
        return Gate::FreshEpochFirst;
    }
    hold(now).map_or(Gate::Open, Gate::HeldForCases)
}

/// Why case-bearing sending is held, if it is.
pub fn hold(now: &Circumstances) -> Option<String> {
    if planted::is(Bug::IgnoreHold) {
        return None;
    }
    if let Some(alarm) = now.alarms.iter().find(|alarm| alarm.rule().holds) {
        return Some(format!("alarm {alarm}"));
    }
    let names: Vec<&str> = now.untrusted.iter().map(NodeId::as_str).collect();
    if names.is_empty() {
        return None;
    }
    Some(format!("not verified here: {}", names.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calm() -> Circumstances {
        Circumstances {
            standing: Standing::Active,
            fresh: true,
            commit_pending: false,
            untrusted: Vec::new(),
            alarms: Vec::new(),
        }
    }

    fn check(bend: impl FnOnce(&mut Circumstances), expected: Gate) {
        let mut now = calm();
        bend(&mut now);
        assert_eq!(gate(&now), expected);
    }

    #[test]
    fn rules_in_order() {
        check(|_| {}, Gate::Open);
        check(|now| now.fresh = false, Gate::FreshEpochFirst);
        check(|now| now.commit_pending = true, Gate::AwaitCommit);
        check(
            |now| {
                now.fresh = false;
                now.commit_pending = true;
            },
            Gate::AwaitCommit,
        );
        check(|now| now.standing = Standing::Quarantined, Gate::Closed("this node is quarantined"));
        check(
            |now| now.standing = Standing::NeedsRejoin,
            Gate::Closed("this node waits to join again"),
        );
        check(
            |now| now.standing = Standing::Succeeding,
            Gate::Closed("the équipe goes on in another group"),
        );
        check(
            |now| now.untrusted = vec!["umbria".parse().unwrap()],
            Gate::HeldForCases("not verified here: umbria".into()),
        );
        check(
            |now| now.alarms = vec![AlarmCode::EchoDisagrees, AlarmCode::LogForked],
            Gate::HeldForCases("alarm log_forked".into()),
        );
        check(|now| now.alarms = vec![AlarmCode::EchoDisagrees], Gate::Open);
    }

    #[test]
    fn an_untrusted_member_does_not_stop_the_fresh_epoch() {
        check(
            |now| {
                now.fresh = false;
                now.untrusted = vec!["umbria".parse().unwrap()];
            },
            Gate::FreshEpochFirst,
        );
    }

    #[test]
    fn words_read_back() {
        for standing in Standing::ALL {
            assert_eq!(Standing::parse(standing.as_str()), Some(standing));
        }
    }
}
