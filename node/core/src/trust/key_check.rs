//! Which bytes are a public key that may stand in a card, a statement or a key package.
//!
//! A degenerate key is nobody's: what is signed under one, anybody can sign, and what is
//! sealed to one, anybody can open. And one that a library refuses only when it is used
//! stops whoever has to use it, such as every member that seals to all.

use curve25519_dalek::edwards::CompressedEdwardsY;
use curve25519_dalek::montgomery::MontgomeryPoint;
use x_wing::kem::TryKeyInit as _;

use crate::crypto::Suite;
use crate::sealing::PUBLIC_KEY_BYTES as X_WING_BYTES;

/// Why bytes are no usable public key: the fault of who made them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeakKey {
    /// Another length, no point of the curve, or not the one encoding of its point.
    #[error("it is not the encoding of a key")]
    Encoding,
    /// The neutral element, or a point of order 2, 4 or 8.
    #[error("it is of small order")]
    SmallOrder,
    /// A point outside the group that the base point generates: verifiers disagree about
    /// what it signs.
    #[error("it is not in the group of prime order")]
    MixedOrder,
    /// The post-quantum part hides nothing.
    #[error("its ML-KEM part is zero")]
    Zero,
}

/// Checks an Ed25519 key (RFC 8032 §5.1.3): canonical, and of prime order.
///
/// # Errors
/// [`WeakKey`].
pub fn ed25519(bytes: &[u8; 32]) -> Result<(), WeakKey> {
    let point = CompressedEdwardsY(*bytes).decompress().ok_or(WeakKey::Encoding)?;
    if point.compress().as_bytes() != bytes {
        return Err(WeakKey::Encoding);
    }
    if point.is_small_order() {
        return Err(WeakKey::SmallOrder);
    }
    if point.is_torsion_free() { Ok(()) } else { Err(WeakKey::MixedOrder) }
}

/// Checks an X25519 key (RFC 7748 §5 and §6.1): canonical, and with no private key does it
/// agree on zero.
///
/// # Errors
/// [`WeakKey`].
pub fn x25519(bytes: &[u8]) -> Result<(), WeakKey> {
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| WeakKey::Encoding)?;
    if !is_below_field_prime(&bytes) {
        return Err(WeakKey::Encoding);
    }
    // Clamped, so a multiple of the cofactor: only a point of small order becomes zero.
    let agreed = MontgomeryPoint(bytes).mul_clamped([0; 32]);
    if agreed.0 == [0; 32] { Err(WeakKey::SmallOrder) } else { Ok(()) }
}

/// Whether a little-endian number is below 2^255 - 19.
fn is_below_field_prime(bytes: &[u8; 32]) -> bool {
    let mut prime = [0xff; 32];
    let [first, .., last] = &mut prime;
    (*first, *last) = (0xed, 0x7f);
    bytes.iter().rev().lt(prime.iter().rev())
}

/// Bytes of one polynomial of an ML-KEM key (FIPS 203 §4.2.1): 256 numbers of 12 bits.
const POLYNOMIAL_BYTES: usize = 384;
/// Polynomials of ML-KEM-768.
const POLYNOMIALS: usize = 3;

/// Checks an X-Wing key (draft-connolly-cfrg-xwing-kem §5): the modulus check of FIPS 203
/// §7.2, no polynomial that is zero, and a good X25519 key behind it.
///
/// # Errors
/// [`WeakKey`].
pub fn x_wing(bytes: &[u8]) -> Result<(), WeakKey> {
    if bytes.len() != X_WING_BYTES {
        return Err(WeakKey::Encoding);
    }
    x_wing::EncapsulationKey::new_from_slice(bytes).map_err(|_| WeakKey::Encoding)?;
    let mut polynomials = bytes.chunks_exact(POLYNOMIAL_BYTES).take(POLYNOMIALS);
    if polynomials.any(|polynomial| polynomial.iter().all(|byte| *byte == 0)) {
        return Err(WeakKey::Zero);
    }
    let (_, classical) = bytes.split_last_chunk::<32>().ok_or(WeakKey::Encoding)?;
    x25519(classical)
}

/// Checks the HPKE key of a leaf or of a key package in a ciphersuite.
///
/// # Errors
/// [`WeakKey`].
pub fn hpke(suite: Suite, bytes: &[u8]) -> Result<(), WeakKey> {
    match suite {
        Suite::Hybrid => x_wing(bytes),
        Suite::Classical => x25519(bytes),
    }
}

/// As [`hpke`], of a key with its length in front (RFC 9420 §2.1.2).
///
/// # Errors
/// [`WeakKey`].
pub fn hpke_encoded(suite: Suite, bytes: &[u8]) -> Result<(), WeakKey> {
    // No key is so long that its length takes four bytes.
    let key = match bytes {
        [length @ 0..64, key @ ..] if key.len() == usize::from(*length) => key,
        [high @ 64..128, low, key @ ..]
            if key.len() == usize::from(u16::from_be_bytes([*high - 64, *low])) =>
        {
            key
        }
        _ => return Err(WeakKey::Encoding),
    };
    hpke(suite, key)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::sealing::SealingKey;
    use crate::secret::Secret;
    use crate::trust::keys::IdentityKey;
    use proptest::prelude::*;

    fn bytes(text: &str) -> [u8; 32] {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).unwrap();
        bytes
    }

    /// All encodings of the eight points of small order, canonical and not (as in the list of
    /// libsodium), and other bytes that are no key.
    pub(crate) fn degenerate_ed25519() -> Vec<([u8; 32], WeakKey)> {
        use WeakKey::{Encoding, MixedOrder, SmallOrder};
        let base = curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
        let mixed = base + curve25519_dalek::constants::EIGHT_TORSION[1];
        let all = [
            ("0000000000000000000000000000000000000000000000000000000000000000", SmallOrder),
            ("0100000000000000000000000000000000000000000000000000000000000000", SmallOrder),
            ("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", SmallOrder),
            ("0000000000000000000000000000000000000000000000000000000000000080", SmallOrder),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05", SmallOrder),
            ("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85", SmallOrder),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a", SmallOrder),
            ("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa", SmallOrder),
            // y = p, p + 1, and the same with the sign of x set where x is zero.
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", Encoding),
            ("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f", Encoding),
            ("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff", Encoding),
            ("0100000000000000000000000000000000000000000000000000000000000080", Encoding),
            // No point of the curve.
            ("0200000000000000000000000000000000000000000000000000000000000000", Encoding),
        ];
        let mut all: Vec<_> = all.into_iter().map(|(text, fault)| (bytes(text), fault)).collect();
        all.push((mixed.compress().to_bytes(), MixedOrder));
        all
    }

    pub(crate) fn degenerate_x25519() -> Vec<Vec<u8>> {
        // RFC 7748 §6.1, and the list of cr.yp.to/ecdh.html#validate; then what is not below
        // the prime, and other lengths.
        let all = [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "0900000000000000000000000000000000000000000000000000000000000080",
        ];
        let mut all: Vec<Vec<u8>> = all.into_iter().map(|text| bytes(text).to_vec()).collect();
        all.extend([vec![], vec![9; 31], vec![9; 33]]);
        all
    }

    pub(crate) fn degenerate_x_wing() -> Vec<Vec<u8>> {
        let good = SealingKey::derive(&Secret::new([1; 32])).unwrap().public().to_vec();
        let (quantum, _) = good.split_at(X_WING_BYTES - 32);
        let bent = |range: std::ops::Range<usize>, byte: u8| {
            let mut bent = good.clone();
            bent[range].fill(byte);
            bent
        };
        let mut all = vec![
            vec![],
            good[1..].to_vec(),
            [&good[..], &[0]].concat(),
            vec![0; X_WING_BYTES],
            vec![7; X_WING_BYTES - 1],
            // Numbers that are not below 3329.
            vec![0xff; X_WING_BYTES],
            bent(0..3, 0xff),
            bent(1149..1152, 0xff),
            // One polynomial that is zero.
            bent(0..384, 0),
            bent(768..1152, 0),
        ];
        let x25519 = degenerate_x25519().into_iter().filter(|key| key.len() == 32);
        all.extend(x25519.map(|key| [quantum, &key].concat()));
        all
    }

    #[test]
    fn degenerate_signature_keys_are_refused() {
        for (key, fault) in degenerate_ed25519() {
            assert_eq!(ed25519(&key), Err(fault), "{}", hex::encode(key));
        }
    }

    #[test]
    fn degenerate_hpke_keys_are_refused() {
        for key in degenerate_x25519() {
            assert!(hpke(Suite::Classical, &key).is_err(), "{}", hex::encode(key));
        }
        for key in degenerate_x_wing() {
            assert!(hpke(Suite::Hybrid, &key).is_err(), "{}", hex::encode(key));
        }
    }

    #[test]
    fn the_length_in_front_is_read() {
        let good = SealingKey::derive(&Secret::new([1; 32])).unwrap().public().to_vec();
        let encoded = [&[0x44, 0xc0], &good[..]].concat();
        assert_eq!(hpke_encoded(Suite::Hybrid, &encoded), Ok(()));
        assert!(hpke_encoded(Suite::Classical, &encoded).is_err());
        assert!(hpke_encoded(Suite::Hybrid, &encoded[1..]).is_err());
        assert!(hpke_encoded(Suite::Hybrid, &[&encoded[..], &[0]].concat()).is_err());
    }

    proptest! {
        #[test]
        fn keys_that_are_made_are_good(seed in any::<[u8; 32]>()) {
            prop_assert_eq!(ed25519(&IdentityKey::from_seed(&seed).public().0), Ok(()));
            let x_wing_key = SealingKey::derive(&Secret::new(seed)).unwrap();
            prop_assert_eq!(hpke(Suite::Hybrid, x_wing_key.public()), Ok(()));
            let classical = MontgomeryPoint::mul_base_clamped(seed);
            prop_assert_eq!(hpke(Suite::Classical, classical.as_bytes()), Ok(()));
        }
    }
}
