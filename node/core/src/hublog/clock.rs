//! Whether the time that a hub gives an entry can be believed.
//!
//! The log's time never goes back, and much follows it: what expires, budgets, how fresh a
//! request is. So a hub whose clock leaps ahead would carry all members with it, for ever. A
//! member takes nothing that lies far ahead of its own clock; what is ahead waits.

use std::time::Duration;

use crate::time::Instant;

/// How far an entry may lie ahead of a member's clock.
pub const AHEAD_MAX: Duration = Duration::from_secs(600);

/// Which clock is wrong, as far as a member can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WrongClock {
    /// The hub's; or the member's own, which has always been behind.
    Hub,
    /// The member's own: it has known a later time from elsewhere.
    Own,
}

/// Whether an entry waits, accepted by the hub at this time; then whose clock is to be looked at.
/// `known` is the latest time that this member has known other than from this hub.
pub fn waits(accepted_at: Instant, now: Instant, known: Option<Instant>) -> Option<WrongClock> {
    if accepted_at <= now.plus(AHEAD_MAX) {
        return None;
    }
    let own = known.is_some_and(|known| accepted_at <= known.plus(AHEAD_MAX));
    Some(if own { WrongClock::Own } else { WrongClock::Hub })
}

/// When an entry is taken at the latest: the time of a member's clock from which it does not wait.
pub fn taken_at(accepted_at: Instant) -> Instant {
    accepted_at.minus(AHEAD_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn check(accepted: i64, known: Option<i64>, expected: Option<WrongClock>) {
        let at = |minutes: i64| Instant(minutes * MINUTE);
        assert_eq!(waits(at(accepted), at(0), known.map(at)), expected, "{accepted} {known:?}");
    }

    #[test]
    fn ten_minutes_are_let_pass() {
        check(-5_000, None, None);
        check(10, None, None);
        check(11, None, Some(WrongClock::Hub));
        assert_eq!(waits(Instant(10 * MINUTE + 1), Instant(0), None), Some(WrongClock::Hub));
        check(5_000_000, None, Some(WrongClock::Hub));
        assert_eq!(waits(Instant(i64::MAX), Instant(i64::MAX), None), None);
    }

    #[test]
    fn who_has_known_a_later_time_is_behind_itself() {
        check(60, Some(-5), Some(WrongClock::Hub));
        check(60, Some(49), Some(WrongClock::Hub));
        check(60, Some(50), Some(WrongClock::Own));
        check(60, Some(70), Some(WrongClock::Own));
        check(9, Some(70), None);
    }

    #[test]
    fn it_waits_no_longer_from_then_on() {
        let accepted = Instant(60 * MINUTE);
        let then = taken_at(accepted);
        assert_eq!(waits(accepted, then, None), None);
        assert_eq!(waits(accepted, Instant(then.0 - 1), None), Some(WrongClock::Hub));
    }
}
