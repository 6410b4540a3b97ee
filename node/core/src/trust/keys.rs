//! Ed25519 keys: the identity of a node, and every key that signs beside MLS.

use std::fmt;
use std::str::FromStr;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use zeroize::Zeroize;

use crate::entropy::{Entropy, draw};
use crate::id::IdError;
use crate::secret::Secret;

/// An Ed25519 signature, 64 bytes (RFC 8032 §5.1.6).
pub type Signature = [u8; 64];

/// A signature that the key did not make over these bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;

/// An Ed25519 public key, 32 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PublicKey(pub [u8; 32]);

impl PublicKey {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Verifies strictly: no small-order keys, no malleable signatures.
    ///
    /// # Errors
    /// [`BadSignature`], also when these bytes are no key.
    pub fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        let key = VerifyingKey::from_bytes(&self.0).map_err(|_| BadSignature)?;
        let signature = ed25519_dalek::Signature::from_bytes(signature);
        key.verify_strict(message, &signature).map_err(|_| BadSignature)
    }
}

impl TryFrom<&[u8]> for PublicKey {
    type Error = IdError;

    fn try_from(bytes: &[u8]) -> Result<Self, IdError> {
        bytes.try_into().map(Self).map_err(|_| IdError::Malformed("32 bytes"))
    }
}

impl FromStr for PublicKey {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let mut bytes = [0; 32];
        let done = hex::decode_to_slice(text, &mut bytes);
        done.map(|()| Self(bytes)).map_err(|_| IdError::Malformed("64 hex digits"))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A node's long-term secret key. Wiped when dropped.
#[derive(Clone)]
pub struct IdentityKey(SigningKey);

impl IdentityKey {
    /// Draws a new one.
    pub fn random(entropy: &dyn Entropy) -> Self {
        let mut seed = draw(entropy);
        let key = Self::from_seed(&seed);
        seed.zeroize();
        key
    }

    /// The key of a 32-byte seed (RFC 8032 §5.1.5).
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for the vault.
    pub fn seed(&self) -> Secret<[u8; 32]> {
        Secret::new(self.0.to_bytes())
    }

    /// What others verify with.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.0.sign(message).to_bytes()
    }
}

impl fmt::Debug for IdentityKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdentityKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 8032 §7.1, TEST 2.
    #[test]
    fn known_answer() {
        let mut seed = [0; 32];
        let text = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb";
        hex::decode_to_slice(text, &mut seed).unwrap();
        let key = IdentityKey::from_seed(&seed);
        let public = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c";
        assert_eq!(key.public().to_string(), public);
        assert_eq!(public.parse(), Ok(key.public()));
        let signature = "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                         085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00";
        assert_eq!(hex::encode(key.sign(&[0x72])), signature);
    }

    #[test]
    fn another_message_key_or_signature_is_refused() {
        let key = IdentityKey::from_seed(&[1; 32]);
        let signature = key.sign(b"said");
        let check = |key: PublicKey, message: &[u8], signature: &Signature, good: bool| {
            assert_eq!(key.verify(message, signature).is_ok(), good);
        };
        check(key.public(), b"said", &signature, true);
        check(key.public(), b"unsaid", &signature, false);
        check(IdentityKey::from_seed(&[2; 32]).public(), b"said", &signature, false);
        check(key.public(), b"said", &[0; 64], false);
    }

    /// The identity point verifies any message for a lax verifier.
    #[test]
    fn small_order_keys_are_refused() {
        let mut point = [0; 32];
        point[0] = 1;
        let mut signature = [0; 64];
        signature[0] = 1;
        assert_eq!(PublicKey(point).verify(b"anything", &signature), Err(BadSignature));
    }

    #[test]
    fn debug_shows_no_seed() {
        let shown = format!("{:?}", IdentityKey::from_seed(&[7; 32]));
        assert!(!shown.contains("0707"), "{shown}");
    }
}
