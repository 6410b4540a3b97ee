//! Closes an account for a while after wrong attempts: guesses become slow, and nobody is
//! locked out for good by somebody else's guesses.

use std::time::Duration;

use crate::time::Instant;

/// Wrong attempts in a row after which the account closes.
const WRONG_MAX: u32 = 5;
/// How long it closes the first time; twice as long each further time.
const CLOSED_FIRST: Duration = Duration::from_secs(60);
/// The longest.
const CLOSED_MAX: Duration = Duration::from_secs(3_600);

/// Wrong attempts at one account since the last right one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guard {
    /// How many.
    pub wrong: u32,
    /// Until when nothing is tried.
    pub closed_until: Instant,
}

impl Guard {
    /// Whether nothing is tried now.
    pub fn is_closed(&self, now: Instant) -> bool {
        now < self.closed_until
    }

    /// After one more wrong attempt.
    #[must_use]
    pub fn after_wrong(self, now: Instant) -> Self {
        let wrong = self.wrong.saturating_add(1);
        let rounds = wrong.checked_sub(WRONG_MAX);
        let closed_until = rounds.map_or(self.closed_until, |rounds| {
            let factor = 2_u32.saturating_pow(rounds.min(6));
            now.plus(CLOSED_FIRST.saturating_mul(factor).min(CLOSED_MAX))
        });
        Self { wrong, closed_until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_wrong_attempts_close_it_for_ever_longer() {
        let now = Instant(1_000_000);
        let after = |wrong: u32| {
            (0..wrong).fold(Guard::default(), |guard, _| guard.after_wrong(now)).closed_until
        };
        let check = |wrong: u32, seconds: u64| {
            let until =
                if seconds == 0 { Instant(0) } else { now.plus(Duration::from_secs(seconds)) };
            assert_eq!(after(wrong), until, "{wrong}");
        };
        check(4, 0);
        check(5, 60);
        check(6, 120);
        check(10, 1_920);
        check(11, 3_600);
        check(500, 3_600);
        let guard = Guard { wrong: 5, closed_until: now };
        assert!(!guard.is_closed(now));
        assert!(guard.is_closed(Instant(now.0 - 1)));
    }
}
