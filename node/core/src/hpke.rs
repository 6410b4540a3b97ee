//! HPKE (RFC 9180) whose encapsulation takes its coins from us; all else is RustCrypto.
//!
//! `hpke-rs` draws from `HpkeCrypto::prng()`, a static function, so the coins are handed
//! over through a thread-local around the call.

use std::cell::Cell;
use std::convert::Infallible;

use hpke_rs::Hpke;
use hpke_rs_crypto::error::Error;
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_crypto::{HpkeCrypto, HpkeTestRng};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng, TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use x_wing::kem::{Encapsulate, TryKeyInit};
use zeroize::Zeroize;

use crate::entropy::Entropy;

thread_local! {
    static COINS: Cell<Option<[u8; 32]>> = const { Cell::new(None) };
}

/// Takes the coins away again, however the call ends.
struct Held;

impl Drop for Held {
    fn drop(&mut self) {
        COINS.set(None);
    }
}

/// Everything that one encryption to a public key takes.
pub(crate) struct Letter<'a> {
    pub(crate) public: &'a [u8],
    pub(crate) info: &'a [u8],
    pub(crate) aad: &'a [u8],
    pub(crate) plaintext: &'a [u8],
}

impl Letter<'_> {
    /// What the coins are a function of: no two letters of one node are the same in all
    /// four parts with different meaning.
    fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for part in [self.public, self.info, self.aad, self.plaintext] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.finalize().into()
    }
}

/// Seals one letter (RFC 9180 §6.1, base mode): encapsulation and ciphertext.
///
/// # Errors
/// When the public key is not one of the KEM.
pub(crate) fn seal(
    entropy: &dyn Entropy,
    suite: (KemAlgorithm, KdfAlgorithm, AeadAlgorithm),
    letter: &Letter<'_>,
) -> Result<(Vec<u8>, Vec<u8>), hpke_rs::HpkeError> {
    COINS.set(Some(entropy.coins(letter.digest())));
    let _held = Held;
    let mut hpke = Hpke::<CoinedHpke>::new(hpke_rs::Mode::Base, suite.0, suite.1, suite.2);
    let public = letter.public.into();
    hpke.seal(&public, letter.info, letter.aad, letter.plaintext, None, None, None)
}

/// RustCrypto, but for the source of randomness.
#[derive(Debug)]
struct CoinedHpke;

/// A generator seeded by the coins of the running call.
struct Coined(ChaCha20Rng);

impl Zeroize for Coined {
    fn zeroize(&mut self) {
        self.0 = ChaCha20Rng::from_seed([0; 32]);
    }
}

impl TryRng for Coined {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.0.next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.0.next_u64())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl TryCryptoRng for Coined {}

impl HpkeTestRng for Coined {
    type Error = Infallible;

    fn try_fill_test_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill_bytes(out);
        Ok(())
    }

    fn seed(&mut self, _: &[u8]) {}
}

impl HpkeCrypto for CoinedHpke {
    type HpkePrng = Coined;

    fn name() -> String {
        "RustCrypto with injected coins".into()
    }

    /// Only [`seal`] makes an `Hpke` of this kind, so there are coins; without them the
    /// system's randomness is right, and nothing else is.
    fn prng() -> Coined {
        let seed = COINS.get().unwrap_or_else(|| {
            let mut seed = [0; 32];
            HpkeRustCrypto::prng().fill_bytes(&mut seed);
            seed
        });
        Coined(ChaCha20Rng::from_seed(seed))
    }

    /// Reached for X-Wing; the DH KEMs derive their ephemeral key from bytes of `prng`.
    fn kem_encaps(
        alg: KemAlgorithm,
        pk: &[u8],
        prng: &mut Coined,
    ) -> Result<(Vec<u8>, Vec<u8>), Error> {
        if alg != KemAlgorithm::XWingDraft06 {
            return Err(Error::UnknownKemAlgorithm);
        }
        let key = x_wing::EncapsulationKey::new_from_slice(pk);
        let key = key.map_err(|_| Error::KemInvalidPublicKey)?;
        let (ciphertext, secret) = key.encapsulate_with_rng(prng);
        Ok((secret.as_slice().to_vec(), ciphertext.as_slice().to_vec()))
    }

    /// Not reached: key pairs are derived from bytes that the caller has drawn.
    fn kem_key_gen(_: KemAlgorithm, _: &mut Coined) -> Result<(Vec<u8>, Vec<u8>), Error> {
        Err(Error::UnsupportedKemOperation)
    }

    fn supports_kdf(alg: KdfAlgorithm) -> Result<(), Error> {
        HpkeRustCrypto::supports_kdf(alg)
    }

    fn supports_kem(alg: KemAlgorithm) -> Result<(), Error> {
        HpkeRustCrypto::supports_kem(alg)
    }

    fn supports_aead(alg: AeadAlgorithm) -> Result<(), Error> {
        HpkeRustCrypto::supports_aead(alg)
    }

    fn kdf_extract(alg: KdfAlgorithm, salt: &[u8], ikm: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kdf_extract(alg, salt, ikm)
    }

    fn kdf_expand(
        alg: KdfAlgorithm,
        prk: &[u8],
        info: &[u8],
        size: usize,
    ) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kdf_expand(alg, prk, info, size)
    }

    fn dh(alg: KemAlgorithm, pk: &[u8], sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::dh(alg, pk, sk)
    }

    fn secret_to_public(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::secret_to_public(alg, sk)
    }

    fn kem_key_gen_derand(alg: KemAlgorithm, seed: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Error> {
        HpkeRustCrypto::kem_key_gen_derand(alg, seed)
    }

    fn kem_decaps(alg: KemAlgorithm, ct: &[u8], sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::kem_decaps(alg, ct, sk)
    }

    fn dh_validate_sk(alg: KemAlgorithm, sk: &[u8]) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::dh_validate_sk(alg, sk)
    }

    fn aead_seal(
        alg: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        msg: &[u8],
    ) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::aead_seal(alg, key, nonce, aad, msg)
    }

    fn aead_open(
        alg: AeadAlgorithm,
        key: &[u8],
        nonce: &[u8],
        aad: &[u8],
        msg: &[u8],
    ) -> Result<Vec<u8>, Error> {
        HpkeRustCrypto::aead_open(alg, key, nonce, aad, msg)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn check(kem: KemAlgorithm) {
        let suite = (kem, KdfAlgorithm::HkdfSha256, AeadAlgorithm::Aes128Gcm);
        let theirs = Hpke::<HpkeRustCrypto>::new(hpke_rs::Mode::Base, suite.0, suite.1, suite.2);
        let (private, public) = theirs.derive_key_pair(&[9; 32]).unwrap().into_keys();
        let letter =
            Letter { public: public.as_slice(), info: b"i", aad: b"a", plaintext: b"text" };
        let (enc, sealed) = seal(&SeededEntropy::labelled("a"), suite, &letter).unwrap();
        // What we seal opens with an implementation that knows nothing of our coins.
        let opened = theirs.open(&enc, &private, b"i", b"a", &sealed, None, None, None);
        assert_eq!(opened.unwrap(), b"text");
        let again = seal(&SeededEntropy::labelled("a"), suite, &letter).unwrap();
        assert_eq!(again, (enc.clone(), sealed));
        let other = seal(&SeededEntropy::labelled("b"), suite, &letter).unwrap();
        assert_ne!(other.0, enc);
        let moved = Letter { info: b"", aad: b"ia", ..letter };
        assert_ne!(seal(&SeededEntropy::labelled("a"), suite, &moved).unwrap().0, enc);
        assert_eq!(COINS.get(), None);
    }

    #[test]
    fn x_wing_takes_our_coins() {
        check(KemAlgorithm::XWingDraft06);
    }

    #[test]
    fn x25519_takes_our_coins() {
        check(KemAlgorithm::DhKem25519);
    }
}
