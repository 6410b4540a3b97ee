//! Sessions at the desk: how long they live, and when they end.

use std::time::Duration;

use super::key::BearerKey;
use crate::id::{Digest, OperatorId};
use crate::time::Instant;

/// A session nobody uses for so long ends.
pub const IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// A session ends after so long, however it is used.
pub const LIFE_MAX: Duration = Duration::from_secs(8 * 3_600);
/// Use is noted at most this often, so that reading pages writes little.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// The use of a [`SessionKey`].
#[derive(Clone, Copy, Debug)]
pub struct SignedIn;

/// What the browser keeps, as a cookie's value; the token against forged requests is derived of
/// its bytes.
pub type SessionKey = BearerKey<SignedIn>;

/// A session as the node keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Of the browser's key.
    pub key: Digest,
    /// Who signed in.
    pub operator: OperatorId,
    /// Of what the browser says of itself: a key that turns up in another is not taken.
    pub agent: Digest,
    /// When.
    pub begun_at: Instant,
    /// When it was last used, to the minute.
    pub seen_at: Instant,
}

/// Why a session is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Nobody used it.
    Idle,
    /// It has lived long enough.
    Old,
    /// It came from another browser.
    Elsewhere,
}

impl Session {
    /// Whether it is over.
    pub fn end(&self, agent: &Digest, now: Instant) -> Option<End> {
        if self.agent != *agent {
            Some(End::Elsewhere)
        } else if now.since(self.begun_at) >= LIFE_MAX {
            Some(End::Old)
        } else if now.since(self.seen_at) >= IDLE_MAX {
            Some(End::Idle)
        } else {
            None
        }
    }

    /// Whether its use is to be noted.
    pub fn is_to_be_noted(&self, now: Instant) -> bool {
        now.since(self.seen_at) >= NOTE_EVERY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn ends() {
        let session = |begun: i64, seen: i64| Session {
            key: Digest::of(b"key"),
            operator: OperatorId::try_from([1; 16].as_slice()).unwrap(),
            agent: Digest::of(b"agent"),
            begun_at: Instant(begun * 60_000),
            seen_at: Instant(seen * 60_000),
        };
        let check = |begun, seen, now: i64, end| {
            let session = session(begun, seen);
            assert_eq!(session.end(&Digest::of(b"agent"), Instant(now * 60_000)), end);
        };
        check(0, 0, 14, None);
        check(0, 0, 15, Some(End::Idle));
        check(0, 470, 479, None);
        check(0, 479, 480, Some(End::Old));
        let other = session(0, 0).end(&Digest::of(b"other"), Instant(0));
        assert_eq!(other, Some(End::Elsewhere));
        assert!(!session(0, 0).is_to_be_noted(Instant(59_999)));
        assert!(session(0, 0).is_to_be_noted(Instant(60_000)));
    }

    #[test]
    fn keys_are_read_as_written() {
        let made = SessionKey::random(&SeededEntropy::labelled("session"));
        assert_eq!(SessionKey::parse(made.text().reveal()).unwrap().digest(), made.digest());
        assert!(SessionKey::parse("no key").is_none());
    }
}
