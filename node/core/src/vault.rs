//! The vault: how secrets and identifying values rest (DESIGN §9).
//!
//! XChaCha20-Poly1305 under keys derived from the node key. A sealed value is one byte of
//! version, 24 bytes of nonce, then ciphertext and 16 bytes of tag. The context (such as
//! `ledger/group/…/tree`) is authenticated with it, so that no row opens in the place of
//! another.

use std::fmt;

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::entropy::{Entropy, draw};
use crate::secret::Secret;

const VERSION: u8 = 1;
const NONCE_BYTES: usize = 24;
const RECORD_KEY: &str = "record-key";

/// Bytes by which a sealed value is longer than its plaintext.
pub const OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + 16;

/// Why a value did not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The operator gave another node key, or the store was changed, or a row stands in
    /// the place of another.
    #[error("a sealed value does not open: wrong node key, or changed bytes")]
    Unopened,
    /// The store was written by a newer version.
    #[error("a sealed value has the unknown version {0}")]
    Version(u8),
    /// Ourselves: a plaintext of more than 256 GiB, which nothing has.
    #[error("the value cannot be sealed")]
    TooLong,
}

/// Seals and opens under the node key.
pub struct Vault {
    values: Key,
    records: Key,
    digests: Secret<[u8; 32]>,
    check: [u8; 32],
}

/// One AEAD key; wiped when dropped.
struct Key(XChaCha20Poly1305);

/// The key of one record; without it the record's fields are gone.
pub struct RecordKey {
    bytes: Secret<[u8; 32]>,
    key: Key,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault([secret])")
    }
}

impl fmt::Debug for RecordKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecordKey([secret])")
    }
}

impl Vault {
    /// The vault of a node key (32 random bytes).
    pub fn new(node_key: &Secret<[u8; 32]>) -> Self {
        let derive = |purpose: &str| derive(node_key, purpose);
        Self {
            values: Key::new(&derive("values")),
            records: Key::new(&derive("records")),
            digests: derive("digests"),
            check: *derive("check").reveal(),
        }
    }

    /// Seals a value for a place that `context` names.
    ///
    /// # Errors
    /// [`VaultError::TooLong`].
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.values.seal(entropy, context, plaintext)
    }

    /// Opens a value that was sealed for the place that `context` names.
    ///
    /// # Errors
    /// [`VaultError::Unopened`], [`VaultError::Version`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        self.values.open(context, sealed)
    }

    /// Draws the key of a new record.
    pub fn new_record_key(&self, entropy: &dyn Entropy) -> RecordKey {
        RecordKey::new(Secret::new(draw(entropy)))
    }

    /// Wraps a record's key for storage beside the record that `record` names. Deleting
    /// what this returns erases the record.
    ///
    /// # Errors
    /// [`VaultError::TooLong`], which no key causes.
    pub fn wrap(
        &self,
        entropy: &dyn Entropy,
        record: &str,
        key: &RecordKey,
    ) -> Result<Vec<u8>, VaultError> {
        self.records.seal(entropy, &record_context(record), key.bytes.reveal())
    }

    /// Unwraps a record's key.
    ///
    /// # Errors
    /// [`VaultError::Unopened`], [`VaultError::Version`].
    pub fn unwrap(&self, record: &str, wrapped: &[u8]) -> Result<RecordKey, VaultError> {
        let opened = self.records.open(&record_context(record), wrapped)?;
        let bytes = opened.reveal().as_slice().try_into().map_err(|_| VaultError::Unopened)?;
        Ok(RecordKey::new(Secret::new(bytes)))
    }

    /// What the database keeps to tell a wrong node key at the start: a derived value that
    /// opens nothing, 32 bytes.
    pub fn check_value(&self) -> [u8; 32] {
        self.check
    }

    /// Whether a kept check value is of this node key.
    pub fn matches(&self, check_value: &[u8]) -> bool {
        self.check.ct_eq(check_value).into()
    }

    /// A keyed digest by which a value is found without being shown: HMAC-SHA256 over
    /// purpose and value, each after its length. The same value under another purpose has
    /// another digest.
    pub fn index(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let mut mac = mac(self.digests.reveal());
        for part in [purpose.as_bytes(), value] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl RecordKey {
    /// Seals a field of the record; `context` names the record and the field.
    ///
    /// # Errors
    /// [`VaultError::TooLong`].
    pub fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        self.key.seal(entropy, context, plaintext)
    }

    /// Opens a field of the record.
    ///
    /// # Errors
    /// [`VaultError::Unopened`], [`VaultError::Version`].
    pub fn open(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        self.key.open(context, sealed)
    }

    /// The key itself, for a backup.
    pub fn bytes(&self) -> &Secret<[u8; 32]> {
        &self.bytes
    }

    /// The key that a backup holds.
    pub fn new(bytes: Secret<[u8; 32]>) -> Self {
        let key = Key::new(&bytes);
        Self { bytes, key }
    }
}

impl Key {
    fn new(bytes: &Secret<[u8; 32]>) -> Self {
        Self(XChaCha20Poly1305::new(bytes.reveal().into()))
    }

    fn seal(
        &self,
        entropy: &dyn Entropy,
        context: &str,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, VaultError> {
        let nonce: [u8; NONCE_BYTES] = draw(entropy);
        let aad = context.as_bytes();
        let sealed = self.0.encrypt(XNonce::from_slice(&nonce), Payload { msg: plaintext, aad });
        let sealed = sealed.map_err(|_| VaultError::TooLong)?;
        let mut out = Vec::with_capacity(plaintext.len() + OVERHEAD_BYTES);
        out.push(VERSION);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        Ok(out)
    }

    fn open(&self, context: &str, sealed: &[u8]) -> Result<Secret<Vec<u8>>, VaultError> {
        let (version, rest) = sealed.split_first().ok_or(VaultError::Unopened)?;
        if *version != VERSION {
            return Err(VaultError::Version(*version));
        }
        let (nonce, msg) = rest.split_at_checked(NONCE_BYTES).ok_or(VaultError::Unopened)?;
        let payload = Payload { msg, aad: context.as_bytes() };
        let opened = self.0.decrypt(XNonce::from_slice(nonce), payload);
        opened.map(Secret::new).map_err(|_| VaultError::Unopened)
    }
}

fn record_context(record: &str) -> String {
    format!("{RECORD_KEY}/{record}")
}

/// HKDF-SHA256 (RFC 5869), one key per purpose.
fn derive(node_key: &Secret<[u8; 32]>, purpose: &str) -> Secret<[u8; 32]> {
    let info = format!("raccordo/v1/vault/{purpose}");
    let mut out = [0; 32];
    let expanded = Hkdf::<Sha256>::new(None, node_key.reveal()).expand(info.as_bytes(), &mut out);
    debug_assert!(expanded.is_ok(), "32 bytes are less than HKDF's limit");
    Secret::new(out)
}

fn mac(key: &[u8; 32]) -> Hmac<Sha256> {
    // HMAC takes keys of every length; a block-sized one is taken as it is.
    let mut block = [0; 64];
    for (to, from) in block.iter_mut().zip(key) {
        *to = *from;
    }
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    fn vault(key: u8) -> Vault {
        Vault::new(&Secret::new([key; 32]))
    }

    fn entropy() -> SeededEntropy {
        SeededEntropy::labelled("vault")
    }

    fn check(opened: Result<Secret<Vec<u8>>, VaultError>, expected: Result<&[u8], VaultError>) {
        assert_eq!(
            opened.as_ref().map(|secret| secret.reveal().as_slice()),
            expected.as_ref().map(|b| *b)
        );
    }

    #[test]
    fn opens_in_its_place_only() {
        let sealed = vault(1).seal(&entropy(), "person/7/name", b"Rossi").unwrap();
        assert_eq!(sealed.len(), 5 + OVERHEAD_BYTES);
        check(vault(1).open("person/7/name", &sealed), Ok(b"Rossi"));
        check(vault(1).open("person/8/name", &sealed), Err(VaultError::Unopened));
        check(vault(2).open("person/7/name", &sealed), Err(VaultError::Unopened));
    }

    #[test]
    fn every_changed_byte_is_told() {
        let sealed = vault(1).seal(&entropy(), "c", b"Rossi").unwrap();
        for at in 1..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            check(vault(1).open("c", &bent), Err(VaultError::Unopened));
        }
        for length in 0..sealed.len() {
            check(vault(1).open("c", &sealed[..length]), Err(VaultError::Unopened));
        }
        let newer = [&[2], &sealed[1..]].concat();
        check(vault(1).open("c", &newer), Err(VaultError::Version(2)));
    }

    #[test]
    fn nonces_are_drawn() {
        let entropy = entropy();
        let first = vault(1).seal(&entropy, "c", b"x").unwrap();
        assert_ne!(first, vault(1).seal(&entropy, "c", b"x").unwrap());
    }

    #[test]
    fn a_record_lives_by_its_key() {
        let (vault, entropy) = (vault(1), entropy());
        let key = vault.new_record_key(&entropy);
        let field = key.seal(&entropy, "person/7/name", b"Rossi").unwrap();
        let wrapped = vault.wrap(&entropy, "person/7", &key).unwrap();
        check(vault.open("person/7/name", &field), Err(VaultError::Unopened));
        check(vault.open("record-key/person/7", &wrapped), Err(VaultError::Unopened));
        assert!(vault.unwrap("person/8", &wrapped).is_err());
        let again = vault.unwrap("person/7", &wrapped).unwrap();
        check(again.open("person/7/name", &field), Ok(b"Rossi"));
        check(
            vault.new_record_key(&entropy).open("person/7/name", &field),
            Err(VaultError::Unopened),
        );
    }

    #[test]
    fn a_wrong_node_key_is_told() {
        assert!(vault(1).matches(&vault(1).check_value()));
        assert!(!vault(2).matches(&vault(1).check_value()));
        assert!(!vault(1).matches(&[]));
    }

    #[test]
    fn digests_are_of_key_purpose_and_value() {
        let digest = vault(1).index("cf", b"RSSMRA");
        assert_eq!(digest, vault(1).index("cf", b"RSSMRA"));
        assert_ne!(digest, vault(2).index("cf", b"RSSMRA"));
        assert_ne!(digest, vault(1).index("c", b"fRSSMRA"));
        assert_ne!(digest, vault(1).index("cf", b"RSSMRB"));
    }

    /// RFC 4231 §4.2: the block-sized key gives the same as the short one.
    #[test]
    fn hmac_is_as_published() {
        let mut key = [0; 32];
        key[..20].copy_from_slice(&[0x0b; 20]);
        let mut mac = mac(&key);
        mac.update(b"Hi There");
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex::encode(mac.finalize().into_bytes()), expected);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", vault(1)), "Vault([secret])");
    }
}
