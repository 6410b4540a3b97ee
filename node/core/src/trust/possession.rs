//! Keys that a card names, each with its own signature over the identity: so a card cannot
//! claim the key of another node.

use crate::canonical::Writer;
use crate::id::{Digest, NodeId};
use crate::trust::key_check::{self, WeakKey};
use crate::trust::keys::{BadSignature, IdentityKey, PublicKey, Signature};

/// DER of a SubjectPublicKeyInfo that holds an Ed25519 key, up to the key (RFC 8410 §4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/// What a key of a card is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KeyUse {
    /// The long-term key, which signs the card.
    Identity,
    /// Of the TLS certificate.
    Tls,
    /// Of the MLS leaves.
    Mls,
    /// What others seal to.
    Sealing,
}

impl KeyUse {
    /// `identity`, `tls`, `mls` or `sealing`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Tls => "tls",
            Self::Mls => "mls",
            Self::Sealing => "sealing",
        }
    }
}

impl std::fmt::Display for KeyUse {
    /// As people read it, before the word “key”.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Identity => "identity",
            Self::Tls => "TLS",
            Self::Mls => "MLS",
            Self::Sealing => "sealing",
        })
    }
}

/// A public key, and the signature by which its holder says that it is this node's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProvenKey {
    /// Ed25519.
    pub key: PublicKey,
    /// By this key over canonical `key-possession`.
    pub proof: Signature,
}

impl ProvenKey {
    /// Names a secret key as one of this node.
    pub fn prove(
        secret: &IdentityKey,
        key_use: KeyUse,
        node: &NodeId,
        identity: &PublicKey,
    ) -> Self {
        let proof = secret.sign(&possession(key_use, node, identity));
        Self { key: secret.public(), proof }
    }

    /// Verifies that the holder of the key has named it as one of this node.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(
        &self,
        key_use: KeyUse,
        node: &NodeId,
        identity: &PublicKey,
    ) -> Result<(), BadSignature> {
        self.key.verify(&possession(key_use, node, identity), &self.proof)
    }

    /// Whether it is a key at all.
    ///
    /// # Errors
    /// [`WeakKey`].
    pub fn check(&self) -> Result<(), WeakKey> {
        key_check::ed25519(&self.key.0)
    }
}

/// What the key signs: canonical bytes of type `key-possession`. Neither TLS 1.3 (RFC 8446
/// §4.4.3) nor MLS (RFC 9420 §5.1.2) signs anything that begins so.
fn possession(key_use: KeyUse, node: &NodeId, identity: &PublicKey) -> Vec<u8> {
    let writer = Writer::new("key-possession").text(key_use.as_str()).text(node.as_str());
    writer.bytes(identity.as_bytes()).finish()
}

/// What a TLS key is pinned by: SHA-256 of the DER SubjectPublicKeyInfo of its certificate
/// (RFC 5280 §4.1.2.7, RFC 8410 §4).
pub fn tls_pin(key: &PublicKey) -> Digest {
    Digest::of(&[&SPKI_PREFIX[..], key.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key_use: KeyUse, node: &str, identity: u8, holds: bool) {
        let secret = IdentityKey::from_seed(&[1; 32]);
        let owner = IdentityKey::from_seed(&[2; 32]).public();
        let proven = ProvenKey::prove(&secret, KeyUse::Tls, &"toscana".parse().unwrap(), &owner);
        assert_eq!(proven.key, secret.public());
        let identity = IdentityKey::from_seed(&[identity; 32]).public();
        let found = proven.verify(key_use, &node.parse().unwrap(), &identity);
        assert_eq!(found.is_ok(), holds, "{key_use:?} {node}");
    }

    #[test]
    fn a_proof_is_of_one_use_node_and_identity() {
        check(KeyUse::Tls, "toscana", 2, true);
        check(KeyUse::Mls, "toscana", 2, false);
        check(KeyUse::Tls, "umbria", 2, false);
        check(KeyUse::Tls, "toscana", 3, false);
    }

    /// RFC 8410 §10.1.
    #[test]
    fn a_pin_is_that_of_the_spki() {
        use base64::Engine as _;
        let printed = "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=";
        let spki = base64::engine::general_purpose::STANDARD.decode(printed).unwrap();
        let key = PublicKey::try_from(&spki[12..]).unwrap();
        assert_eq!(tls_pin(&key), Digest::of(&spki));
    }
}
