//! The group: ristretto255 (RFC 9496), its wire form, interpolation, and coins.

use std::num::NonZeroU16;

use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, VartimeMultiscalarMul};
use rand_core_06::{CryptoRng, RngCore};

use crate::entropy::Entropy;

/// Bytes of an encoded group element, and of an encoded scalar.
pub(super) const ELEMENT_BYTES: usize = 32;

/// The place of a holder in one sharing, from 1: where its share stands on the polynomial.
pub(super) type Place = NonZeroU16;

/// Reads an element; none for an encoding that is not canonical, and for the identity.
pub(super) fn element(bytes: &[u8; ELEMENT_BYTES]) -> Option<RistrettoPoint> {
    let point = CompressedRistretto(*bytes).decompress()?;
    (point != RistrettoPoint::identity()).then_some(point)
}

/// Reads a scalar; none for an encoding that is not reduced.
pub(super) fn scalar(bytes: &[u8; ELEMENT_BYTES]) -> Option<Scalar> {
    Scalar::from_canonical_bytes(*bytes).into()
}

/// The weights with which values at `places` add up to the value at `at`, in their order;
/// none when a place stands twice.
pub(super) fn weights(places: &[Place], at: u16) -> Option<Vec<Scalar>> {
    let at = Scalar::from(at);
    let weight = |index: usize, place: Place| {
        let own = Scalar::from(place.get());
        let others = places.iter().enumerate().filter(|(other, _)| *other != index);
        let (mut numerator, mut denominator) = (Scalar::ONE, Scalar::ONE);
        for (_, other) in others {
            let other = Scalar::from(other.get());
            numerator *= at - other;
            denominator *= own - other;
        }
        (denominator != Scalar::ZERO).then(|| numerator * denominator.invert())
    };
    places.iter().enumerate().map(|(index, place)| weight(index, *place)).collect()
}

/// The sum of public points with public weights.
pub(super) fn sum(weights: &[Scalar], points: &[RistrettoPoint]) -> RistrettoPoint {
    RistrettoPoint::vartime_multiscalar_mul(weights, points)
}

/// The value at `place` of the polynomial in the exponent that `commitments` fix, the
/// constant first.
pub(super) fn evaluate(commitments: &[RistrettoPoint], place: Place) -> RistrettoPoint {
    let at = Scalar::from(place.get());
    commitments
        .iter()
        .rev()
        .fold(RistrettoPoint::identity(), |value, commitment| value * at + commitment)
}

/// Our source of randomness, as this generation of curve crates takes it.
pub(super) struct Coins<'a>(pub(super) &'a dyn Entropy);

impl RngCore for Coins<'_> {
    fn next_u32(&mut self) -> u32 {
        u32::from_le_bytes(crate::entropy::draw(self.0))
    }

    fn next_u64(&mut self) -> u64 {
        u64::from_le_bytes(crate::entropy::draw(self.0))
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill(out);
        Ok(())
    }
}

impl CryptoRng for Coins<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
    use proptest::prelude::*;

    fn places(numbers: &[u16]) -> Vec<Place> {
        numbers.iter().filter_map(|number| Place::new(*number)).collect()
    }

    #[test]
    fn the_identity_and_other_encodings_are_no_elements() {
        assert!(element(&[0; 32]).is_none());
        // RFC 9496 A.3: non-canonical and negative encodings.
        assert!(element(&[0xff; 32]).is_none());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(element(&one).is_none());
        let base = RISTRETTO_BASEPOINT_POINT.compress().to_bytes();
        // RFC 9496 A.1: the generator.
        assert_eq!(
            hex::encode(base),
            "e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"
        );
        assert!(element(&base).is_some());
    }

    #[test]
    fn scalars_are_reduced() {
        assert!(scalar(&[0; 32]).is_some());
        assert!(scalar(&[0xff; 32]).is_none());
    }

    #[test]
    fn a_place_that_stands_twice_has_no_weights() {
        assert!(weights(&places(&[1, 2, 1]), 0).is_none());
        assert_eq!(weights(&places(&[5]), 0), Some(vec![Scalar::ONE]));
    }

    proptest! {
        #[test]
        fn interpolation_finds_every_value_of_a_polynomial(
            coefficients in proptest::collection::vec(any::<u64>(), 1..6),
            mut numbers in proptest::collection::btree_set(1_u16..200, 6),
            at in 0_u16..300,
        ) {
            let value = |x: u16| coefficients.iter().rev().fold(Scalar::ZERO, |sum, coefficient| {
                sum * Scalar::from(x) + Scalar::from(*coefficient)
            });
            while numbers.len() > coefficients.len() {
                numbers.pop_last();
            }
            let numbers: Vec<u16> = numbers.into_iter().collect();
            let weights = weights(&places(&numbers), at).unwrap();
            let found: Scalar = weights.iter().zip(&numbers).map(|(w, x)| w * value(*x)).sum();
            prop_assert_eq!(found, value(at));
        }

        #[test]
        fn commitments_are_evaluated_in_the_exponent(
            coefficients in proptest::collection::vec(any::<u64>(), 1..5), x in 1_u16..200,
        ) {
            let commit = |value: Scalar| RistrettoPoint::mul_base(&value);
            let commitments: Vec<_> =
                coefficients.iter().map(|c| commit(Scalar::from(*c))).collect();
            let value = coefficients.iter().rev().fold(Scalar::ZERO, |sum, coefficient| {
                sum * Scalar::from(x) + Scalar::from(*coefficient)
            });
            prop_assert_eq!(evaluate(&commitments, Place::new(x).unwrap()), commit(value));
        }
    }
}
