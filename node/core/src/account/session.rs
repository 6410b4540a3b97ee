//! Sessions at the desk: how long they live, and when they end.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::entropy::{Entropy, draw};
use crate::id::{Digest, OperatorId};
use crate::secret::Secret;
use crate::time::Instant;

/// A session nobody uses for so long ends.
pub const IDLE_MAX: Duration = Duration::from_secs(15 * 60);
/// A session ends after so long, however it is used.
pub const LIFE_MAX: Duration = Duration::from_secs(8 * 3_600);
/// Use is noted at most this often, so that reading pages writes little.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// What the browser keeps: 32 secret random bytes. The node keeps only their digest.
#[derive(Clone, Debug)]
pub struct SessionKey(Secret<[u8; 32]>);

impl SessionKey {
    /// Draws a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        Self(Secret::new(draw(entropy)))
    }

    /// Reads a cookie's value; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        Some(Self(Secret::new(<[u8; 32]>::try_from(bytes).ok()?)))
    }

    /// The cookie's value: 43 letters of base64url. Secret.
    pub fn text(&self) -> Secret<String> {
        Secret::new(URL_SAFE_NO_PAD.encode(self.0.reveal()))
    }

    /// Under which the node knows it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.reveal())
    }

    /// Its bytes, of which the token against forged requests is derived. Secret.
    pub fn bytes(&self) -> &Secret<[u8; 32]> {
        &self.0
    }
}

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
