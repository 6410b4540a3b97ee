//! Time as an input: an instant, and the clock that the shell hands in.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Milliseconds since 1970-01-01 UTC.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Instant(pub i64);

impl Instant {
    /// The last that is taken from others: 9998-12-31T23:59:59.999Z, so that a day later is
    /// still in the calendar, which ends with the year 9999.
    pub const LAST: Self = Self(253_370_764_799_999);

    /// This much later; stays at the end of time rather than wrap.
    pub fn plus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// This much earlier; stays at the beginning of time rather than wrap.
    pub fn minus(self, span: Duration) -> Self {
        let millis = i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long ago `earlier` was; zero when it is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The calendar date in UTC.
    pub fn date(self) -> jiff::civil::Date {
        self.timestamp().to_zoned(jiff::tz::TimeZone::UTC).date()
    }

    /// The first instant of a calendar date in UTC.
    pub fn start_of(date: jiff::civil::Date) -> Self {
        let start = date.to_zoned(jiff::tz::TimeZone::UTC);
        Self(start.map_or(0, |zoned| zoned.timestamp().as_millisecond()))
    }

    fn timestamp(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

/// The text is no RFC 3339 time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a time such as 2026-09-21T14:13:20.123Z")]
pub struct InstantError;

/// Reads RFC 3339; what is finer than a millisecond is cut off.
impl FromStr for Instant {
    type Err = InstantError;

    fn from_str(text: &str) -> Result<Self, InstantError> {
        let timestamp: jiff::Timestamp = text.parse().map_err(|_| InstantError)?;
        Ok(Self(timestamp.as_millisecond()))
    }
}

/// RFC 3339 in UTC.
impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.timestamp(), f)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Where the time comes from.
pub trait Clock: Send + Sync {
    /// The time now.
    fn now(&self) -> Instant;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_rfc_3339() {
        assert_eq!(Instant(1_790_000_000_123).to_string(), "2026-09-21T14:13:20.123Z");
        assert_eq!(Instant(0).to_string(), "1970-01-01T00:00:00Z");
        for instant in [Instant(0), Instant(1_790_000_000_123), Instant(-1)] {
            assert_eq!(instant.to_string().parse(), Ok(instant));
        }
        assert_eq!("yesterday".parse::<Instant>(), Err(InstantError));
    }

    #[test]
    fn since_never_negative() {
        assert_eq!(Instant(5).since(Instant(9)), Duration::ZERO);
        assert_eq!(Instant(9).since(Instant(5)), Duration::from_millis(4));
    }

    #[test]
    fn dates_start_at_midnight_utc() {
        let date = Instant(1_790_000_000_123).date();
        assert_eq!(date.to_string(), "2026-09-21");
        assert_eq!(Instant::start_of(date).to_string(), "2026-09-21T00:00:00Z");
    }
}
