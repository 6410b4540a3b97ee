//! When somebody is told by e-mail that there is something new: seldom, and not while the
//! person is at the desk anyway.

use std::time::Duration;

use super::session::IDLE_MAX;
use crate::time::Instant;

/// Up to where somebody knows what there is, or up to where there is something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Position of the newest object of another node.
    pub objects: u64,
    /// Position of the newest match.
    pub matches: u64,
}

impl Marks {
    /// Whether there is something beyond.
    pub fn are_behind(&self, newest: &Self) -> bool {
        self.objects < newest.objects || self.matches < newest.matches
    }
}

/// What is to be done about one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Nothing is new, or the last notice is too short ago.
    None,
    /// The person is at the desk and sees it: only the marks move.
    Seen,
    /// A notice goes out.
    Tell,
}

/// What is to be done about somebody who knows what there is up to `known`, was told at
/// `told_at`, and used the desk at `seen_at`; at most one notice within `every`.
pub fn notice(
    known: Marks,
    newest: Marks,
    told_at: Instant,
    seen_at: Option<Instant>,
    every: Duration,
    now: Instant,
) -> Notice {
    if !known.are_behind(&newest) {
        Notice::None
    } else if seen_at.is_some_and(|seen| now.since(seen) < IDLE_MAX) {
        Notice::Seen
    } else if now.since(told_at) < every {
        Notice::None
    } else {
        Notice::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seldom_and_not_at_the_desk() {
        let hour = Duration::from_secs(3_600);
        let marks = |objects, matches| Marks { objects, matches };
        let check = |newest, told: i64, seen: Option<i64>, expected| {
            let minutes = |at: i64| Instant(at * 60_000);
            let seen = seen.map(minutes);
            let found = notice(marks(5, 5), newest, minutes(told), seen, hour, minutes(600));
            assert_eq!(found, expected, "{newest:?} {told} {seen:?}");
        };
        check(marks(5, 5), 0, None, Notice::None);
        check(marks(4, 5), 0, None, Notice::None);
        check(marks(6, 5), 0, None, Notice::Tell);
        check(marks(5, 6), 0, None, Notice::Tell);
        check(marks(6, 5), 541, None, Notice::None);
        check(marks(6, 5), 540, None, Notice::Tell);
        check(marks(6, 5), 0, Some(590), Notice::Seen);
        check(marks(6, 5), 0, Some(585), Notice::Tell);
    }
}
