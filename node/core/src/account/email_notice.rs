//! When somebody is told by e-mail that there is something new: seldom, and not while the
//! person is at the desk anyway.

use std::time::Duration;

use super::session::IDLE_MAX;
use crate::time::Instant;

/// Up to where was looked for what is new to somebody.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// Position of the newest object.
    pub objects: u64,
    /// Position of the newest match.
    pub matches: u64,
}

/// What is to be done about one person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EmailNotice {
    /// Nothing: there is nothing new, or the person is at the desk and sees it. The marks move.
    None,
    /// The last notice is too short ago.
    Wait,
    /// A notice goes out.
    Tell,
}

/// What is to be done about somebody for whom there is something new or not, who was told at
/// `told_at`, and used the desk at `seen_at`; at most one notice within `every`.
pub fn email_notice(
    is_new: bool,
    told_at: Instant,
    seen_at: Option<Instant>,
    every: Duration,
    now: Instant,
) -> EmailNotice {
    if !is_new || seen_at.is_some_and(|seen| now.since(seen) < IDLE_MAX) {
        EmailNotice::None
    } else if now.since(told_at) < every {
        EmailNotice::Wait
    } else {
        EmailNotice::Tell
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seldom_and_not_at_the_desk() {
        let hour = Duration::from_secs(3_600);
        let check = |is_new, told: i64, seen: Option<i64>, expected| {
            let minutes = |at: i64| Instant(at * 60_000);
            let seen = seen.map(minutes);
            let found = email_notice(is_new, minutes(told), seen, hour, minutes(600));
            assert_eq!(found, expected, "{is_new} {told} {seen:?}");
        };
        check(false, 0, None, EmailNotice::None);
        check(true, 0, None, EmailNotice::Tell);
        check(true, 541, None, EmailNotice::Wait);
        check(true, 540, None, EmailNotice::Tell);
        check(true, 0, Some(590), EmailNotice::None);
        check(true, 0, Some(585), EmailNotice::Tell);
        check(true, 590, Some(590), EmailNotice::None);
    }
}
