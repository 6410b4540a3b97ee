//! Which key sealed a message, read from the outside (invariant 2): whoever has the epoch's
//! sender data secret opens the sender data of a PrivateMessage, and reads in it the place
//! of the ratchet that gave key and nonce. Written from RFC 9420 alone, without OpenMLS's
//! own reading of messages.

use std::collections::BTreeMap;

use openmls_traits::crypto::OpenMlsCrypto;
use openmls_traits::types::Ciphersuite;
use serde::Deserialize;
use tls_codec::SecretVLBytes;

use super::Broken;
use crate::crypto::{Crypto, Suite};
use crate::id::{Digest, Epoch, NodeId};
use crate::ledger::{LedgerRow, MESSAGE_SECRETS};

/// Version `mls10` and wire format `mls_private_message` (RFC 9420 §6).
const PRIVATE_MESSAGE: [u8; 4] = [0, 1, 0, 2];

/// A place in a sender's ratchet: one key and one nonce.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Used {
    /// The group, as in the message.
    pub group: Vec<u8>,
    /// The epoch, as in the message.
    pub epoch: Epoch,
    /// Leaf of the sender.
    pub leaf: u32,
    /// How often the ratchet was turned before.
    pub generation: u32,
}

/// Every place of every ratchet that was ever used, with what it sealed.
#[derive(Clone, Debug, Default)]
pub struct Ratchets(BTreeMap<Used, Digest>);

impl Ratchets {
    /// Notes a message; the same bytes again are one message.
    ///
    /// # Errors
    /// [`Broken::KeyTwice`].
    pub fn note(&mut self, sender: &NodeId, used: Used, message: &[u8]) -> Result<(), Broken> {
        let (epoch, generation) = (used.epoch, used.generation);
        let digest = Digest::of(message);
        match self.0.insert(used, digest) {
            Some(before) if before != digest => {
                Err(Broken::KeyTwice { sender: sender.clone(), epoch, generation })
            }
            _ => Ok(()),
        }
    }

    /// How many places were used.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Part of the message secrets that a member stores.
#[derive(Deserialize)]
struct Stored {
    message_secrets: EpochStored,
}

#[derive(Deserialize)]
struct EpochStored {
    sender_data_secret: SecretStored,
}

#[derive(Deserialize)]
struct SecretStored {
    secret: ValueStored,
}

#[derive(Deserialize)]
struct ValueStored {
    value: SecretVLBytes,
}

/// Reads what sealed a message, with the ledger of any member that stands in its epoch;
/// none where this is not a PrivateMessage of that epoch.
pub fn used(crypto: &Crypto, suite: Suite, ledger: &[LedgerRow], message: &[u8]) -> Option<Used> {
    let row = ledger.iter().find(|row| row.kind == MESSAGE_SECRETS)?;
    let stored: Stored = ciborium::from_reader(row.value.reveal().as_slice()).ok()?;
    let secret = stored.message_secrets.sender_data_secret.secret.value;
    let Parts { group, epoch, content_type, sealed, ciphertext } = parts(message)?;
    let suite = suite.mls();
    // RFC 9420 §6.3.2: key and nonce come from a sample of the ciphertext.
    let sample = ciphertext.get(..suite.hash_length()).unwrap_or(ciphertext);
    let expand = |label: &str, length: usize| {
        let info = kdf_label(label, sample, u16::try_from(length).ok()?)?;
        crypto.hkdf_expand(suite.hash_algorithm(), secret.as_slice(), &info, length).ok()
    };
    let key = expand("key", suite.aead_key_length())?;
    let nonce = expand("nonce", suite.aead_nonce_length())?;
    let mut aad = variable(group)?;
    aad.extend(epoch);
    aad.push(content_type);
    let opened = open(crypto, suite, (key.as_slice(), nonce.as_slice()), sealed, &aad)?;
    let (leaf, rest) = opened.split_first_chunk::<4>()?;
    let (generation, _) = rest.split_first_chunk::<4>()?;
    Some(Used {
        group: group.to_vec(),
        epoch: Epoch(u64::from_be_bytes(epoch)),
        leaf: u32::from_be_bytes(*leaf),
        generation: u32::from_be_bytes(*generation),
    })
}

fn open(
    crypto: &Crypto,
    suite: Ciphersuite,
    (key, nonce): (&[u8], &[u8]),
    sealed: &[u8],
    aad: &[u8],
) -> Option<Vec<u8>> {
    crypto.aead_decrypt(suite.aead_algorithm(), key, sealed, nonce, aad).ok()
}

/// A PrivateMessage in its parts (RFC 9420 §6.3).
struct Parts<'m> {
    group: &'m [u8],
    epoch: [u8; 8],
    content_type: u8,
    /// The encrypted sender data.
    sealed: &'m [u8],
    ciphertext: &'m [u8],
}

fn parts(message: &[u8]) -> Option<Parts<'_>> {
    let rest = message.strip_prefix(&PRIVATE_MESSAGE)?;
    let (group, rest) = vector(rest)?;
    let (epoch, rest) = rest.split_first_chunk::<8>()?;
    let (content_type, rest) = rest.split_first()?;
    let (_, rest) = vector(rest)?;
    let (sealed, rest) = vector(rest)?;
    let (ciphertext, _) = vector(rest)?;
    Some(Parts { group, epoch: *epoch, content_type: *content_type, sealed, ciphertext })
}

/// A vector and what follows it; its length is a variable-size integer (RFC 9420 §2.1.2).
fn vector(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let first = *bytes.first()?;
    let size = 1_usize << (first >> 6);
    let (length, rest) = bytes.split_at_checked(size)?;
    let whole = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let value = whole & ((1 << (8 * size - 2)) - 1);
    rest.split_at_checked(value)
}

/// A vector of fewer than 2^14 bytes.
fn variable(bytes: &[u8]) -> Option<Vec<u8>> {
    let length = u16::try_from(bytes.len()).ok().filter(|length| *length < 1 << 14)?;
    let mut out = match u8::try_from(length) {
        Ok(short) if short < 64 => vec![short],
        _ => (length | 0x4000).to_be_bytes().to_vec(),
    };
    out.extend(bytes);
    Some(out)
}

/// `KDFLabel` (RFC 9420 §8).
fn kdf_label(label: &str, context: &[u8], length: u16) -> Option<Vec<u8>> {
    let mut out = length.to_be_bytes().to_vec();
    out.extend(variable(format!("MLS 1.0 {label}").as_bytes())?);
    out.extend(variable(context)?);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used_at(generation: u32) -> Used {
        Used { group: vec![1], epoch: Epoch(3), leaf: 1, generation }
    }

    #[test]
    fn one_place_seals_one_message() {
        let sender: NodeId = "umbria".parse().unwrap();
        let mut ratchets = Ratchets::default();
        assert_eq!(ratchets.note(&sender, used_at(0), b"one"), Ok(()));
        assert_eq!(ratchets.note(&sender, used_at(1), b"two"), Ok(()));
        assert_eq!(ratchets.note(&sender, used_at(0), b"one"), Ok(()));
        assert_eq!(
            ratchets.note(&sender, used_at(1), b"three"),
            Err(Broken::KeyTwice { sender, epoch: Epoch(3), generation: 1 })
        );
        assert_eq!(ratchets.count(), 2);
    }

    #[test]
    fn vectors_of_all_sizes() {
        for length in [0, 1, 63, 64, 1000] {
            let bytes = vec![7; length];
            let mut encoded = variable(&bytes).unwrap();
            encoded.push(9);
            assert_eq!(vector(&encoded), Some((&bytes[..], &[9][..])), "{length}");
        }
        assert_eq!(vector(&[5, 1]), None);
        assert_eq!(vector(&[]), None);
        let mut long = vec![0x80, 0, 0, 2, 8, 8];
        assert_eq!(vector(&long), Some((&[8, 8][..], &[][..])));
        long.truncate(5);
        assert_eq!(vector(&long), None);
    }

    #[test]
    fn what_is_no_private_message() {
        assert!(parts(&[0, 1, 0, 1, 0]).is_none());
        assert!(parts(&[0, 1, 0, 2, 0, 0]).is_none());
        assert!(parts(&[]).is_none());
    }
}
