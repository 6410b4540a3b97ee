//! The machine's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use raccordo_core::time::{Clock, Instant};

/// Reads the operating system's clock in UTC.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // A clock set before 1970 reads as 1970: everything then counts as not yet expired.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        Instant(0).plus(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stands_after_the_day_it_was_written_and_does_not_run_back() {
        let first = SystemClock.now();
        assert!(first.to_string().as_str() > "2026-11-01", "{first}");
        assert!(SystemClock.now() >= first);
    }
}
