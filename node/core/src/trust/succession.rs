//! Whether a card may follow the one that is known without a new phone call (DESIGN §3):
//! the identity key, which was compared by phone, signs both.

use std::time::Duration;

use crate::time::Instant;
use crate::trust::card::{CardError, SignedCard};

/// How long a card's TLS key is accepted beside that of its successor.
pub const OVERLAP: Duration = Duration::from_secs(7 * 24 * 3600);
/// How long after its end a card may still be followed by one that was made before.
pub const LATE_MAX: Duration = Duration::from_secs(30 * 24 * 3600);

/// What an offered card is to the one that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offered {
    /// The same card.
    Known,
    /// Its successor.
    Successor,
}

/// Judges an offered card.
///
/// The offered card's beginning does not count: serials are its order, and clocks differ.
///
/// # Errors
/// [`CardError::AnotherIdentity`], [`CardError::LowerSerial`], [`CardError::Forked`],
/// [`CardError::Expired`]; [`CardError::TooLate`] for a card that was made after the known
/// one had expired, or that comes more than [`LATE_MAX`] after that.
pub fn judge(known: &SignedCard, offered: &SignedCard, now: Instant) -> Result<Offered, CardError> {
    if known == offered {
        return Ok(Offered::Known);
    }
    let (before, after) = (known.card(), offered.card());
    let same = (&before.node, before.identity) == (&after.node, after.identity);
    if same && before.serial == after.serial {
        return Err(CardError::Forked(after.serial));
    }
    offered.succeeds(before)?;
    if now >= after.valid_until {
        return Err(CardError::Expired(after.valid_until));
    }
    let end = before.valid_until;
    if after.valid_from >= end || now >= end.plus(LATE_MAX) {
        return Err(CardError::TooLate(end));
    }
    Ok(Offered::Successor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::card::Card;
    use crate::trust::sample;

    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn at(day: u32) -> Instant {
        Instant(0).plus(DAY * day)
    }

    fn card(serial: u64, from: u32, until: u32) -> Card {
        let sampled = sample::card(0, serial).card().clone();
        Card { valid_from: at(from), valid_until: at(until), ..sampled }
    }

    #[track_caller]
    fn check(bend: impl FnOnce(&mut Card), day: u32, expected: Result<Offered, CardError>) {
        let known = card(2, 0, 100).sign(&sample::key(0)).unwrap();
        let mut offered = card(3, 90, 200);
        bend(&mut offered);
        let offered = offered.sign(&sample::key(0)).unwrap();
        assert_eq!(judge(&known, &offered, at(day)), expected);
    }

    #[test]
    fn a_higher_serial_follows_and_a_lower_one_never() {
        check(|_| {}, 95, Ok(Offered::Successor));
        check(|card| card.serial = 9, 95, Ok(Offered::Successor));
        check(|it| *it = card(2, 0, 100), 95, Ok(Offered::Known));
        check(|card| card.serial = 1, 95, Err(CardError::LowerSerial { known: 2, found: 1 }));
    }

    #[test]
    fn two_cards_of_one_serial_are_a_fork() {
        check(|card| card.serial = 2, 95, Err(CardError::Forked(2)));
    }

    #[test]
    fn what_is_too_late_needs_the_phone() {
        let late = |_: &mut Card| {};
        check(late, 100, Ok(Offered::Successor));
        check(late, 129, Ok(Offered::Successor));
        check(late, 130, Err(CardError::TooLate(at(100))));
        check(|card| card.valid_from = at(99), 101, Ok(Offered::Successor));
        check(|card| card.valid_from = at(100), 101, Err(CardError::TooLate(at(100))));
        check(|_| {}, 200, Err(CardError::Expired(at(200))));
        // A clock that is behind: the order of serials stands.
        check(|_| {}, 1, Ok(Offered::Successor));
    }

    #[test]
    fn another_node_or_identity_never_follows() {
        let known = card(2, 0, 100).sign(&sample::key(0)).unwrap();
        for stranger in [1, 2] {
            let offered = sample::card(stranger, 3);
            assert_eq!(judge(&known, &offered, at(1)), Err(CardError::AnotherIdentity));
        }
    }
}
