//! Sealing to the key of a card: HPKE (RFC 9180), X-Wing, HKDF-SHA256, AES-128-GCM.
//!
//! A sealed letter is the encapsulation (1120 bytes), then the ciphertext (plaintext and
//! 16 bytes). `info` names what is sealed and for what; `aad` binds it to its place.

use hpke_rs::{Hpke, HpkePrivateKey, Mode};
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_rust_crypto::HpkeRustCrypto;

use crate::entropy::Entropy;
use crate::hpke::{self, Letter};
use crate::secret::Secret;

/// Bytes of a public sealing key.
pub const PUBLIC_KEY_BYTES: usize = 1216;
/// Bytes of an encapsulation, which begins a sealed letter.
pub const ENCAPSULATION_BYTES: usize = 1120;
/// Bytes by which a sealed letter is longer than its plaintext.
pub const OVERHEAD_BYTES: usize = ENCAPSULATION_BYTES + 16;

const SUITE: (KemAlgorithm, KdfAlgorithm, AeadAlgorithm) =
    (KemAlgorithm::XWingDraft06, KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes128Gcm);

/// Why a letter was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealingError {
    /// The peer's card has a malformed sealing key.
    #[error("the sealing key is malformed")]
    PublicKey,
    /// The letter was sealed to another key, for another purpose, or was changed.
    #[error("the sealed letter does not open: another key or purpose, or changed bytes")]
    Unopened,
    /// Ourselves: a key could not be derived.
    #[error("the sealing key could not be derived")]
    Derivation,
}

/// A node's sealing key pair.
#[derive(Debug)]
pub struct SealingKey {
    private: Secret<Vec<u8>>,
    public: Vec<u8>,
}

impl SealingKey {
    /// The key pair of a seed (32 bytes, secret); the same for the same seed.
    ///
    /// # Errors
    /// [`SealingError::Derivation`], which no seed causes.
    pub fn derive(seed: &Secret<[u8; 32]>) -> Result<Self, SealingError> {
        let pair = suite().derive_key_pair(seed.reveal()).map_err(|_| SealingError::Derivation)?;
        let (private, public) = pair.into_keys();
        let private = Secret::new(private.as_slice().to_vec());
        Ok(Self { private, public: public.as_slice().to_vec() })
    }

    /// The public key, [`PUBLIC_KEY_BYTES`], as the card shows it.
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// Opens a letter that was sealed to this key with the same `info` and `aad`.
    ///
    /// # Errors
    /// [`SealingError::Unopened`].
    pub fn open(&self, info: &[u8], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealingError> {
        let parts = sealed.split_at_checked(ENCAPSULATION_BYTES);
        let (enc, ciphertext) = parts.ok_or(SealingError::Unopened)?;
        let private = HpkePrivateKey::new(self.private.reveal().clone());
        suite()
            .open(enc, &private, info, aad, ciphertext, None, None, None)
            .map_err(|_| SealingError::Unopened)
    }
}

/// Seals a plaintext to a public key.
///
/// # Errors
/// [`SealingError::PublicKey`].
pub fn seal(
    entropy: &dyn Entropy,
    public: &[u8],
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
) -> Result<Vec<u8>, SealingError> {
    if public.len() != PUBLIC_KEY_BYTES {
        return Err(SealingError::PublicKey);
    }
    let letter = Letter { public, info, aad, plaintext };
    let (mut sealed, ciphertext) =
        hpke::seal(entropy, SUITE, &letter).map_err(|_| SealingError::PublicKey)?;
    sealed.extend_from_slice(&ciphertext);
    Ok(sealed)
}

fn suite() -> Hpke<HpkeRustCrypto> {
    Hpke::new(Mode::Base, SUITE.0, SUITE.1, SUITE.2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn key(seed: u8) -> SealingKey {
        SealingKey::derive(&Secret::new([seed; 32])).unwrap()
    }

    fn sealed(plaintext: &[u8]) -> Vec<u8> {
        let entropy = SeededEntropy::labelled("sealing");
        seal(&entropy, key(1).public(), b"info", b"aad", plaintext).unwrap()
    }

    #[test]
    fn opens_what_was_sealed() {
        assert_eq!(key(1).public().len(), PUBLIC_KEY_BYTES);
        assert_eq!(key(1).public(), key(1).public());
        for length in [0, 37, 4096] {
            let plaintext = vec![5; length];
            let letter = sealed(&plaintext);
            assert_eq!(letter.len(), length + OVERHEAD_BYTES);
            assert_eq!(key(1).open(b"info", b"aad", &letter), Ok(plaintext));
        }
    }

    #[test]
    fn opens_nothing_else() {
        let letter = sealed(b"text");
        let check = |key: &SealingKey, info: &[u8], aad: &[u8], letter: &[u8]| {
            assert_eq!(key.open(info, aad, letter), Err(SealingError::Unopened));
        };
        check(&key(2), b"info", b"aad", &letter);
        check(&key(1), b"other", b"aad", &letter);
        check(&key(1), b"info", b"other", &letter);
        for at in [0, 1087, 1119, 1120, letter.len() - 1] {
            let mut bent = letter.clone();
            bent[at] ^= 1;
            check(&key(1), b"info", b"aad", &bent);
        }
        for length in [0, 1119, 1120, letter.len() - 1] {
            check(&key(1), b"info", b"aad", &letter[..length]);
        }
    }

    #[test]
    fn malformed_public_keys_are_refused() {
        let entropy = SeededEntropy::labelled("sealing");
        for public in [&[][..], &[7; 32], &[7; 1215]] {
            let refused = seal(&entropy, public, b"", b"", b"");
            assert_eq!(refused, Err(SealingError::PublicKey));
        }
    }
}
