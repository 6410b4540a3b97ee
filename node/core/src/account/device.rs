//! A browser in which an operator has signed in before: strangers cannot shut it out
//! ([`super::Throttle`]). It opens nothing by itself.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::canonical::Writer;
use crate::entropy::{Entropy, draw};
use crate::id::{Digest, OperatorId};
use crate::secret::Secret;
use crate::time::Instant;

/// How long a browser stays known after its operator has signed in with it.
const LIFE: Duration = Duration::from_secs(180 * 24 * 3_600);
/// Bytes of operator, number and time before the MAC.
const HEAD_BYTES: usize = 16 + 16 + 8;
/// Most browsers' marks of one cookie: people who share a browser.
const MARKS_MAX: usize = 4;
/// Between marks in a cookie.
const BETWEEN: char = '.';

/// A browser's mark: which operator has signed in with it, and when last. It is stored in the
/// browser alone, with a MAC of the node's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// Who has signed in.
    pub operator: OperatorId,
    number: [u8; 16],
    signed_in_at: Instant,
}

impl Device {
    /// A browser that was not known.
    pub fn new(entropy: &dyn Entropy, operator: OperatorId, now: Instant) -> Self {
        Self { operator, number: draw(entropy), signed_in_at: now }
    }

    /// The same, after its operator has signed in again.
    #[must_use]
    pub fn again(self, now: Instant) -> Self {
        Self { signed_in_at: now, ..self }
    }

    /// What the MAC is over: canonical `device` of operator, number, time, and the time at which
    /// the account was activated, so that a new password forgets all browsers.
    pub fn claim(&self, activated_at: Instant) -> Vec<u8> {
        Writer::new("device")
            .bytes(self.operator.as_bytes())
            .bytes(&self.number)
            .instant(self.signed_in_at)
            .instant(activated_at)
            .finish()
    }

    /// Whether it is still known.
    pub fn is_fresh(&self, now: Instant) -> bool {
        now.since(self.signed_in_at) < LIFE
    }

    /// Tells it from other browsers.
    pub fn key(&self) -> Digest {
        Digest::of(&self.number)
    }

    /// Operator, number, time (milliseconds, big-endian) and MAC, in base64url (RFC 4648 §5, no
    /// padding). Secret.
    pub fn text(&self, mac: &[u8; 32]) -> Secret<String> {
        let at = self.signed_in_at.0.to_be_bytes();
        let bytes = [self.operator.as_bytes(), &self.number, &at, mac].concat();
        Secret::new(URL_SAFE_NO_PAD.encode(bytes))
    }

    fn parse(text: &str) -> Option<(Self, [u8; 32])> {
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (head, mac) = bytes.split_at_checked(HEAD_BYTES)?;
        let (operator, rest) = head.split_at_checked(16)?;
        let (number, at) = rest.split_at_checked(16)?;
        let device = Self {
            operator: OperatorId::try_from(operator).ok()?,
            number: number.try_into().ok()?,
            signed_in_at: Instant(i64::from_be_bytes(at.try_into().ok()?)),
        };
        Some((device, mac.try_into().ok()?))
    }

    /// The marks that a cookie holds, with their MACs, which are to be checked; at most four.
    pub fn of_cookie(cookie: &str) -> Vec<(Self, [u8; 32])> {
        cookie.split(BETWEEN).take(MARKS_MAX).filter_map(Self::parse).collect()
    }

    /// A cookie with this mark before those of other operators that it held. Secret.
    pub fn in_cookie(&self, mac: &[u8; 32], held: &str) -> Secret<String> {
        let others = Self::of_cookie(held).into_iter();
        let others = others.filter(|(other, _)| other.operator != self.operator);
        let mut marks = vec![self.text(mac).reveal().clone()];
        marks.extend(
            others.take(MARKS_MAX - 1).map(|(other, mac)| other.text(&mac).reveal().clone()),
        );
        Secret::new(marks.join(&BETWEEN.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn device(number: u8, at: i64) -> Device {
        let operator = OperatorId::try_from([number; 16].as_slice()).unwrap();
        Device::new(&SeededEntropy::labelled("device"), operator, Instant(at))
    }

    #[test]
    fn reads_what_it_writes() {
        let made = device(1, 77);
        let cookie = made.in_cookie(&[9; 32], "");
        assert_eq!(Device::of_cookie(cookie.reveal()), [(made, [9; 32])]);
        for junk in ["", "A", "....", &cookie.reveal()[1..], "ä"] {
            assert!(Device::of_cookie(junk).is_empty(), "{junk}");
        }
    }

    #[test]
    fn some_people_share_a_browser() {
        let mut cookie = Secret::new(String::new());
        for number in 1..=6 {
            cookie = device(number, 1).in_cookie(&[number; 32], cookie.reveal());
        }
        cookie = device(5, 2).in_cookie(&[7; 32], cookie.reveal());
        let held = Device::of_cookie(cookie.reveal());
        let held: Vec<_> =
            held.iter().map(|(it, mac)| (it.operator.as_bytes()[0], mac[0])).collect();
        assert_eq!(held, [(5, 7), (6, 6), (4, 4), (3, 3)]);
    }

    #[test]
    fn the_claim_is_of_everything() {
        let made = device(1, 77);
        let claim = made.claim(Instant(5));
        assert_ne!(claim, made.claim(Instant(6)));
        assert_ne!(claim, device(2, 77).claim(Instant(5)));
        assert_ne!(claim, made.clone().again(Instant(78)).claim(Instant(5)));
        assert_eq!(made.key(), made.clone().again(Instant(78)).key());
    }

    #[test]
    fn known_for_half_a_year() {
        let day = 86_400_000;
        assert!(device(1, 0).is_fresh(Instant(179 * day)));
        assert!(!device(1, 0).is_fresh(Instant(180 * day)));
    }
}
