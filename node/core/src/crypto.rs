//! The OpenMLS crypto provider: RustCrypto, with every random byte from [`Entropy`].

use std::sync::Arc;

use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;
use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::random::OpenMlsRand;
use openmls_traits::types::{
    AeadType, Ciphersuite, CryptoError, ExporterSecret, HashType, HpkeAeadType, HpkeCiphertext,
    HpkeConfig, HpkeKdfType, HpkeKemType, HpkeKeyPair, SignatureScheme,
};
use tls_codec::SecretVLBytes;

use serde::Deserialize;

use crate::entropy::{Entropy, draw};
use crate::hpke::{self, Letter};
use crate::ledger::Ledger;

/// The ciphersuites that a group may have, fixed at its founding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Suite {
    /// `MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519`: X-Wing, against recording now and
    /// decrypting later.
    Hybrid = 0x004F,
    /// `MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519`.
    Classical = 0x0003,
}

impl Suite {
    /// The number in the registry of MLS ciphersuites.
    pub fn number(self) -> u16 {
        self as u16
    }

    /// The suite of a number, if it is one of ours.
    pub fn from_number(number: u16) -> Option<Self> {
        [Self::Hybrid, Self::Classical].into_iter().find(|suite| suite.number() == number)
    }

    /// `hybrid` or `classical`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hybrid => "hybrid",
            Self::Classical => "classical",
        }
    }

    pub(crate) fn mls(self) -> Ciphersuite {
        match self {
            Self::Hybrid => Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519,
            Self::Classical => Ciphersuite::MLS_128_DHKEMX25519_CHACHA20POLY1305_SHA256_Ed25519,
        }
    }
}

/// Cryptography for MLS; cheap to share.
pub struct Crypto {
    inner: RustCrypto,
    entropy: Arc<dyn Entropy>,
    /// What a member that cheats passes off as the public keys that it derives next.
    #[cfg(test)]
    pub(crate) false_keys: std::sync::Mutex<Vec<Vec<u8>>>,
}

impl Crypto {
    /// Over a source of randomness.
    pub fn new(entropy: Arc<dyn Entropy>) -> Arc<Self> {
        Arc::new(Self {
            inner: RustCrypto::default(),
            entropy,
            #[cfg(test)]
            false_keys: std::sync::Mutex::default(),
        })
    }
}

/// What OpenMLS is given for one group.
pub(crate) struct Provider {
    pub(crate) crypto: Arc<Crypto>,
    pub(crate) ledger: Ledger,
}

impl OpenMlsProvider for Provider {
    type CryptoProvider = Crypto;
    type RandProvider = Crypto;
    type StorageProvider = Ledger;

    fn storage(&self) -> &Ledger {
        &self.ledger
    }

    fn crypto(&self) -> &Crypto {
        &self.crypto
    }

    fn rand(&self) -> &Crypto {
        &self.crypto
    }
}

impl OpenMlsRand for Crypto {
    type Error = std::convert::Infallible;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], Self::Error> {
        Ok(draw(&*self.entropy))
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, Self::Error> {
        let mut out = vec![0; len];
        self.entropy.fill(&mut out);
        Ok(out)
    }
}

fn hpke_suite(
    config: HpkeConfig,
) -> Result<(KemAlgorithm, KdfAlgorithm, AeadAlgorithm), CryptoError> {
    let kem = match config.0 {
        HpkeKemType::DhKem25519 => KemAlgorithm::DhKem25519,
        HpkeKemType::XWingKemDraft6 => KemAlgorithm::XWingDraft06,
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    let kdf = match config.1 {
        HpkeKdfType::HkdfSha256 => KdfAlgorithm::HkdfSha256,
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    let aead = match config.2 {
        HpkeAeadType::AesGcm128 => AeadAlgorithm::Aes128Gcm,
        HpkeAeadType::ChaCha20Poly1305 => AeadAlgorithm::ChaCha20Poly1305,
        _ => return Err(CryptoError::UnsupportedCiphersuite),
    };
    Ok((kem, kdf, aead))
}

impl OpenMlsCrypto for Crypto {
    fn signature_key_gen(&self, alg: SignatureScheme) -> Result<(Vec<u8>, Vec<u8>), CryptoError> {
        if alg != SignatureScheme::ED25519 {
            return Err(CryptoError::UnsupportedSignatureScheme);
        }
        let key = ed25519_dalek::SigningKey::from_bytes(&draw(&*self.entropy));
        Ok((key.to_bytes().to_vec(), key.verifying_key().to_bytes().to_vec()))
    }

    fn hpke_seal(
        &self,
        config: HpkeConfig,
        pk: &[u8],
        info: &[u8],
        aad: &[u8],
        plain: &[u8],
    ) -> Result<HpkeCiphertext, CryptoError> {
        let letter = Letter { public: pk, info, aad, plaintext: plain };
        let sealed = hpke::seal(&*self.entropy, hpke_suite(config)?, &letter);
        let (kem_output, ciphertext) = sealed.map_err(|_| CryptoError::HpkeEncryptionError)?;
        Ok(HpkeCiphertext { kem_output: kem_output.into(), ciphertext: ciphertext.into() })
    }

    /// Reached by external commits only, which no member makes and all refuse.
    fn hpke_setup_sender_and_export(
        &self,
        _: HpkeConfig,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        _: usize,
    ) -> Result<(Vec<u8>, ExporterSecret), CryptoError> {
        Err(CryptoError::SenderSetupError)
    }

    /// Ours are two; what else RustCrypto can do is refused.
    fn supports(&self, suite: Ciphersuite) -> Result<(), CryptoError> {
        let ours = Suite::from_number(u16::from(suite));
        ours.map(|_| ()).ok_or(CryptoError::UnsupportedCiphersuite)
    }

    fn supported_ciphersuites(&self) -> Vec<Ciphersuite> {
        vec![Suite::Hybrid.mls(), Suite::Classical.mls()]
    }

    fn hkdf_extract(
        &self,
        hash: HashType,
        salt: &[u8],
        ikm: &[u8],
    ) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hkdf_extract(hash, salt, ikm)
    }

    fn hmac(&self, hash: HashType, key: &[u8], msg: &[u8]) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hmac(hash, key, msg)
    }

    fn hkdf_expand(
        &self,
        hash: HashType,
        prk: &[u8],
        info: &[u8],
        len: usize,
    ) -> Result<SecretVLBytes, CryptoError> {
        self.inner.hkdf_expand(hash, prk, info, len)
    }

    fn hash(&self, hash: HashType, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.hash(hash, data)
    }

    fn aead_encrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_encrypt(alg, key, data, nonce, aad)
    }

    fn aead_decrypt(
        &self,
        alg: AeadType,
        key: &[u8],
        data: &[u8],
        nonce: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.aead_decrypt(alg, key, data, nonce, aad)
    }

    fn verify_signature(
        &self,
        alg: SignatureScheme,
        data: &[u8],
        pk: &[u8],
        signature: &[u8],
    ) -> Result<(), CryptoError> {
        self.inner.verify_signature(alg, data, pk, signature)
    }

    fn sign(&self, alg: SignatureScheme, data: &[u8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.inner.sign(alg, data, key)
    }

    fn hpke_open(
        &self,
        config: HpkeConfig,
        input: &HpkeCiphertext,
        sk: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        self.inner.hpke_open(config, input, sk, info, aad)
    }

    fn hpke_setup_receiver_and_export(
        &self,
        config: HpkeConfig,
        enc: &[u8],
        sk: &[u8],
        info: &[u8],
        context: &[u8],
        len: usize,
    ) -> Result<ExporterSecret, CryptoError> {
        self.inner.hpke_setup_receiver_and_export(config, enc, sk, info, context, len)
    }

    fn derive_hpke_keypair(
        &self,
        config: HpkeConfig,
        ikm: &[u8],
    ) -> Result<HpkeKeyPair, CryptoError> {
        let derived = self.inner.derive_hpke_keypair(config, ikm);
        #[cfg(test)]
        let derived = derived.map(|pair| {
            let public = self.false_keys.lock().unwrap().pop().unwrap_or(pair.public);
            HpkeKeyPair { public, ..pair }
        });
        derived
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suites_are_known_by_their_numbers() {
        for suite in [Suite::Hybrid, Suite::Classical] {
            assert_eq!(Suite::from_number(suite.number()), Some(suite));
            assert_eq!(u16::from(suite.mls()), suite.number());
        }
        assert_eq!(Suite::from_number(0x0001), None);
        assert_eq!(Suite::Hybrid.name(), "hybrid");
    }

    #[test]
    fn other_suites_are_refused() {
        let crypto = Crypto::new(Arc::new(crate::entropy::SeededEntropy::labelled("a")));
        let other = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
        assert!(crypto.supports(other).is_err());
        assert!(crypto.supports(Suite::Classical.mls()).is_ok());
    }
}
