//! How fast somebody may do something: a bucket that fills at a steady pace.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::time::Instant;

/// So many at once, and as many again in each span, evenly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What a full bucket holds; at least 1.
    pub burst: u32,
    /// In which an empty bucket fills.
    pub per: Duration,
}

impl Pace {
    /// So many in each minute.
    pub const fn per_minute(burst: u32) -> Self {
        Self { burst, per: Duration::from_secs(60) }
    }

    /// So many in each hour.
    pub const fn per_hour(burst: u32) -> Self {
        Self { burst, per: Duration::from_secs(3600) }
    }

    /// So many in each day.
    pub const fn per_day(burst: u32) -> Self {
        Self { burst, per: Duration::from_secs(24 * 3600) }
    }

    fn micros(self) -> u64 {
        u64::try_from(self.per.as_micros()).unwrap_or(u64::MAX)
    }
}

/// One bucket, kept as the time that it still takes to be full (the generic cell rate
/// algorithm, ITU-T I.371 annex A): two numbers, however much was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// When it was last looked at.
    at: Instant,
    /// Microseconds from then until it is full.
    missing: u64,
}

impl Bucket {
    /// A full one.
    pub fn full(now: Instant) -> Self {
        Self { at: now, missing: 0 }
    }

    /// What is missing now. A clock that was put back lets nothing flow out or in.
    fn missing_at(&self, now: Instant) -> u64 {
        let passed = u64::try_from(now.since(self.at).as_micros()).unwrap_or(u64::MAX);
        self.missing.saturating_sub(passed)
    }

    /// Whether it is full: then it need not be kept.
    pub fn is_full(&self, now: Instant) -> bool {
        self.missing_at(now) == 0
    }

    /// Takes up to so many; how many it gave.
    pub fn take(&mut self, wanted: u32, pace: Pace, now: Instant) -> u32 {
        let whole = pace.micros();
        let each = whole.div_ceil(u64::from(pace.burst.max(1)));
        // Under a pace that was lowered since, it is no emptier than empty.
        let missing = self.missing_at(now).min(whole);
        let there = whole.saturating_sub(missing).checked_div(each).unwrap_or(u64::MAX);
        let given = u64::from(wanted).min(there);
        *self = Self { at: now, missing: missing.saturating_add(given.saturating_mul(each)) };
        u32::try_from(given).unwrap_or(wanted)
    }

    /// How long until it gives one more.
    pub fn wait(&self, pace: Pace, now: Instant) -> Duration {
        let whole = pace.micros();
        let each = whole.div_ceil(u64::from(pace.burst.max(1)));
        let missing = self.missing_at(now).min(whole);
        Duration::from_micros(missing.saturating_add(each).saturating_sub(whole))
    }
}

/// A bucket for each of many; one that is full takes no room.
#[derive(Clone, Debug)]
pub struct Buckets<K> {
    held: BTreeMap<K, Bucket>,
    /// At how many the full ones are dropped next.
    tidy_at: usize,
}

/// Below this many buckets nobody looks for full ones.
const TIDY_AT_LEAST: usize = 64;

impl<K: Ord> Default for Buckets<K> {
    fn default() -> Self {
        Self { held: BTreeMap::new(), tidy_at: TIDY_AT_LEAST }
    }
}

impl<K: Ord> Buckets<K> {
    /// Takes up to so many from the bucket of `key`; how many it gave.
    pub fn take(&mut self, key: K, wanted: u32, pace: Pace, now: Instant) -> u32 {
        if self.held.len() >= self.tidy_at {
            self.held.retain(|_, bucket| !bucket.is_full(now));
            self.tidy_at = self.held.len().saturating_mul(2).max(TIDY_AT_LEAST);
        }
        self.held.entry(key).or_insert_with(|| Bucket::full(now)).take(wanted, pace, now)
    }

    /// How long until the bucket of `key` gives one more.
    pub fn wait(&self, key: &K, pace: Pace, now: Instant) -> Duration {
        self.held.get(key).map_or(Duration::ZERO, |bucket| bucket.wait(pace, now))
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PACE: Pace = Pace::per_minute(10);

    fn at(second: i64) -> Instant {
        Instant(second * 1_000)
    }

    #[test]
    fn gives_a_burst_and_then_one_at_a_time() {
        let mut bucket = Bucket::full(at(0));
        for (second, wanted, given) in
            [(0, 4, 4), (0, 10, 6), (0, 1, 0), (5, 1, 0), (6, 5, 1), (18, 5, 2), (1_000, 99, 10)]
        {
            assert_eq!(bucket.take(wanted, PACE, at(second)), given, "at {second} s");
        }
    }

    #[test]
    fn tells_when_to_come_again() {
        let mut bucket = Bucket::full(at(0));
        assert_eq!(bucket.wait(PACE, at(0)), Duration::ZERO);
        bucket.take(10, PACE, at(0));
        assert_eq!(bucket.wait(PACE, at(0)), Duration::from_secs(6));
        assert_eq!(bucket.wait(PACE, at(5)), Duration::from_secs(1));
        assert_eq!(bucket.take(1, PACE, at(6)), 1);
    }

    #[test]
    fn a_clock_that_jumps_locks_nobody_out() {
        let mut bucket = Bucket::full(at(10_000));
        bucket.take(10, PACE, at(10_000));
        // An hour back: nothing is gained, and the minute runs from there.
        assert_eq!(bucket.take(1, PACE, at(6_400)), 0);
        assert_eq!(bucket.take(10, PACE, at(6_460)), 10);
        assert_eq!(bucket.take(1, PACE, Instant(i64::MAX)), 1);
        assert_eq!(bucket.take(1, PACE, Instant(i64::MIN)), 1);
    }

    #[test]
    fn a_pace_may_change() {
        let mut bucket = Bucket::full(at(0));
        bucket.take(10, PACE, at(0));
        assert_eq!(bucket.take(100, Pace::per_minute(1_000), at(6)), 100);
        assert_eq!(bucket.take(1, Pace { burst: 0, per: Duration::ZERO }, at(6)), 1);
    }

    #[test]
    fn full_buckets_take_no_room() {
        let mut buckets = Buckets::default();
        for key in 0..10_000_u32 {
            assert_eq!(buckets.take(key, 1, PACE, at(i64::from(key))), 1);
        }
        assert!(buckets.len() <= 2 * TIDY_AT_LEAST, "{}", buckets.len());
        assert_eq!(buckets.wait(&9_999, Pace::per_minute(1), at(9_999)), Duration::from_secs(6));
        assert_eq!(buckets.wait(&77_777, PACE, at(0)), Duration::ZERO);
    }
}
