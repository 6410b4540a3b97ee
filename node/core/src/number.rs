//! Numbers that others say: peers, hubs, files, operators. Each is bounded where it is decoded.
//!
//! The bounds lie far inside what a database column holds (64 bits, signed), so that whatever
//! is computed from such a number fits there too, and where every reader of JSON is exact
//! (RFC 8259 §6). What lies beyond is refused as its teller's fault: no log, card or call
//! comes near it by itself.

use crate::time::Instant;

/// The largest count, place, version, serial or epoch: 2^53 - 1.
pub const NUMBER_MAX: u64 = (1 << 53) - 1;

/// The number, if it is one that is taken from others.
pub fn bounded(number: u64) -> Option<u64> {
    (number <= NUMBER_MAX).then_some(number)
}

/// The time of so many milliseconds since 1970-01-01 UTC, if it is one that is taken from
/// others: not before then, and before the year 9999, with which the calendar ends.
pub fn instant(ms: i64) -> Option<Instant> {
    (0..=Instant::LAST.0).contains(&ms).then_some(Instant(ms))
}

/// Where every decoder is tried: what overflows, wraps, or changes its sign in some type.
#[cfg(test)]
pub const EDGES: [u64; 10] = [
    0,
    1,
    (1 << 31) - 1,
    1 << 31,
    (1 << 32) - 1,
    NUMBER_MAX,
    NUMBER_MAX + 1,
    (1 << 63) - 1,
    1 << 63,
    u64::MAX,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_where_json_is_exact() {
        for number in EDGES {
            let taken = bounded(number);
            assert_eq!(taken, (number < 1 << 53).then_some(number), "{number}");
            let exact = (number as f64) as u64 == number;
            assert!(taken.is_none() || exact, "{number}");
        }
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        let check = |ms, taken: bool| assert_eq!(instant(ms), taken.then_some(Instant(ms)));
        check(i64::MIN, false);
        check(-1, false);
        check(0, true);
        check(1_790_000_000_000, true);
        check(Instant::LAST.0, true);
        check(Instant::LAST.0 + 1, false);
        check(i64::MAX, false);
        assert_eq!(Instant::LAST.to_string(), "9998-12-31T23:59:59.999Z");
    }
}
