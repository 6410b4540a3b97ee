//! When a key is shared anew or replaced: decided by every member alike, from the log alone.
//!
//! A new key costs every member the tokens of all its records, asked for again within budgets
//! that hold some hundreds a day. So no member brings that about by itself: a key is replaced
//! after a removal, where shares were lost, or when more than half of the members ask for it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sharing::{Sharing, threshold};
use crate::id::NodeId;
use crate::time::Instant;

/// The least age of a key that is replaced without a removal.
pub const REPLACE_AFTER: Duration = Duration::from_secs(3600);

/// Why a key does not stay as it is, as far as all members know it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// It stays.
    #[default]
    None,
    /// A member came back without its share.
    Returned,
    /// A party was removed or suspended: it may use what it has against the others.
    Removal,
    /// With who came back without a share, fewer are left than the threshold.
    Lost,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::None, Self::Returned, Self::Removal, Self::Lost];

    /// The name in the database and on screens; empty for none.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Returned => "reshare",
            Self::Removal => "removal",
            Self::Lost => "lost",
        }
    }

    /// The reason of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// What the log says of the key in force.
#[derive(Clone, Copy, Debug)]
pub struct KeyInForce<'a> {
    /// Its sharing.
    pub sharing: &'a Sharing,
    /// Since when the sharing is in force, by the log.
    pub since: Instant,
    /// Why it does not stay.
    pub reason: Reason,
    /// The members whose administrators have asked for another key since then.
    pub asked_by: &'a BTreeSet<NodeId>,
    /// The members.
    pub members: &'a BTreeSet<NodeId>,
}

impl KeyInForce<'_> {
    /// Whether the key is to be shared anew: the members are other ones than its holders, or
    /// one has no share. Tokens stay.
    pub fn is_shared_anew(&self) -> bool {
        self.reason != Reason::None
            || !self.sharing.holders().eq(self.members.iter())
            || self.sharing.threshold() != threshold(self.members.len())
    }

    /// Whether fewer members have a share than must answer: only another key is of use.
    pub fn is_lost(&self) -> bool {
        let left = self.members.iter().filter(|node| self.sharing.is_holder(node)).count();
        self.reason == Reason::Lost || left < usize::from(self.sharing.threshold())
    }

    /// How many members must ask for another key; of two, both.
    pub fn needed(&self) -> usize {
        self.members.len() / 2 + 1
    }

    /// How many have.
    pub fn asked(&self) -> usize {
        self.asked_by.intersection(self.members).count()
    }

    /// From when on another key may take its place; none while nothing asks for that.
    pub fn replaced_from(&self) -> Option<Instant> {
        match self.reason {
            Reason::Removal => Some(self.since),
            _ if self.is_lost() || self.asked() >= self.needed() => {
                Some(self.since.plus(REPLACE_AFTER))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::share::tests::{nodes, shared};

    const HOUR_MS: i64 = 3_600_000;

    fn set(count: usize) -> BTreeSet<NodeId> {
        nodes(count).into_iter().collect()
    }

    /// Of a key of four, with these members, of whom the first so many have asked.
    fn check(members: usize, asked: usize, reason: Reason, expected: Option<i64>) {
        let (sharing, _) = shared(4, 2);
        let (members, asked_by) = (set(members), set(asked));
        let key = KeyInForce {
            sharing: &sharing,
            since: Instant(5),
            reason,
            asked_by: &asked_by,
            members: &members,
        };
        let from = key.replaced_from().map(|from| from.0);
        assert_eq!(from, expected, "{members:?} {asked_by:?} {reason:?}");
    }

    #[test]
    fn no_member_alone_has_a_key_replaced() {
        check(4, 0, Reason::None, None);
        check(4, 1, Reason::None, None);
        check(4, 2, Reason::None, None);
        check(4, 3, Reason::None, Some(5 + HOUR_MS));
        check(2, 1, Reason::None, None);
        check(2, 2, Reason::None, Some(5 + HOUR_MS));
        check(4, 1, Reason::Returned, None);
    }

    #[test]
    fn after_a_removal_it_is_at_once_and_after_a_loss_whoever_asks() {
        check(3, 0, Reason::Removal, Some(5));
        check(2, 0, Reason::Lost, Some(5 + HOUR_MS));
        // Of the holders one is left.
        check(1, 0, Reason::None, Some(5 + HOUR_MS));
    }

    #[test]
    fn who_asked_and_left_does_not_count() {
        let (sharing, _) = shared(4, 2);
        let (members, asked_by) = (set(2), nodes(4).into_iter().skip(1).collect());
        let reason = Reason::None;
        let since = Instant(0);
        let key =
            KeyInForce { sharing: &sharing, since, reason, asked_by: &asked_by, members: &members };
        assert_eq!((key.asked(), key.needed(), key.replaced_from()), (1, 2, None));
    }

    #[test]
    fn a_key_is_shared_anew_where_something_has_changed() {
        let (sharing, _) = shared(4, 2);
        let check = |members: usize, reason: Reason, expected: bool| {
            let (members, asked_by, since) = (set(members), BTreeSet::new(), Instant(0));
            let key = KeyInForce {
                sharing: &sharing,
                since,
                reason,
                asked_by: &asked_by,
                members: &members,
            };
            assert_eq!(key.is_shared_anew(), expected, "{members:?} {reason:?}");
        };
        check(4, Reason::None, false);
        check(4, Reason::Returned, true);
        check(5, Reason::None, true);
        check(3, Reason::None, true);
    }

    #[test]
    fn reasons_are_read_back() {
        for reason in Reason::ALL {
            assert_eq!(Reason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(Reason::from_name("asked"), None);
    }
}
