//! Tokens, and the tags of them that each peer is shown.
//!
//! A token never travels. What A sends to B is its tag under a key that only the two derive,
//! and that differs in each direction, so that a third member links nothing.

use std::fmt;

use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use super::key::KeyId;
use crate::canonical::Writer;
use crate::entropy::{Entropy, draw};
use crate::id::{NodeId, ObjectId};
use crate::secret::Secret;

/// Bytes of a token, and of a tag.
pub const TOKEN_BYTES: usize = 16;

/// The pseudonym of one value under one key: the first 16 bytes of the PRF's output. Secret:
/// who has it can tell whether another has the same value.
#[derive(Clone, PartialOrd, Ord)]
pub struct Token(Hidden);

/// Bytes that are wiped when dropped, and can be sorted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, zeroize::Zeroize, zeroize::ZeroizeOnDrop)]
struct Hidden([u8; TOKEN_BYTES]);

impl Token {
    pub(super) fn of_output(output: &[u8]) -> Option<Self> {
        output.first_chunk().map(|bytes| Self(Hidden(*bytes)))
    }

    /// A token that the vault gave back.
    pub fn from_bytes(bytes: [u8; TOKEN_BYTES]) -> Self {
        Self(Hidden(bytes))
    }

    /// The bytes, for the vault and for tags.
    pub fn reveal(&self) -> &[u8; TOKEN_BYTES] {
        &self.0.0
    }
}

/// In constant time.
impl PartialEq for Token {
    fn eq(&self, other: &Self) -> bool {
        self.0.0.ct_eq(&other.0.0).into()
    }
}

impl Eq for Token {}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[token]")
    }
}

/// What one node shows another of a token, 16 bytes. It is looked up in an index, so that it
/// is compared in no constant time; without both nodes' secret it says nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub [u8; TOKEN_BYTES]);

impl Tag {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[tag]")
    }
}

/// One node's half of what two nodes share: 32 random bytes, sealed to the other's card.
pub type Contribution = Secret<[u8; 32]>;

/// Draws a node's half.
pub fn contribution(entropy: &dyn Entropy) -> Contribution {
    Secret::new(draw(entropy))
}

/// The secret of two nodes, of both their halves: neither alone chooses it.
#[derive(Clone, Debug)]
pub struct PairSecret(Secret<[u8; 32]>);

impl PairSecret {
    /// The secret of two different nodes and their halves, the same whoever computes it:
    /// HKDF-SHA256 (RFC 5869) over the halves in the order of the nodes' ids, bound to both
    /// ids. None for one node with itself.
    pub fn derive(one: (&NodeId, &Contribution), other: (&NodeId, &Contribution)) -> Option<Self> {
        let (first, second) = match one.0.cmp(other.0) {
            std::cmp::Ordering::Less => (one, other),
            std::cmp::Ordering::Greater => (other, one),
            std::cmp::Ordering::Equal => return None,
        };
        let halves = Secret::new([*first.1.reveal(), *second.1.reveal()].concat());
        let info = Writer::new("pair-secret").text(first.0.as_str()).text(second.0.as_str());
        let secret = expand(halves.reveal(), &info.finish())?;
        Some(Self(secret))
    }

    /// The secret as the vault keeps it.
    pub fn reveal(&self) -> &Secret<[u8; 32]> {
        &self.0
    }

    /// A secret that the vault gave back.
    pub fn from_bytes(bytes: Secret<[u8; 32]>) -> Self {
        Self(bytes)
    }
}

/// In constant time.
impl PartialEq for PairSecret {
    fn eq(&self, other: &Self) -> bool {
        self.0.reveal().ct_eq(other.0.reveal()).into()
    }
}

impl Eq for PairSecret {}

/// What turns tokens into the tags that one node sends to one other.
#[derive(Clone, Debug)]
pub struct TagKey(Secret<[u8; 32]>);

impl TagKey {
    /// HKDF-SHA256 of the pair's secret; `info` is the canonical bytes of type `tag-key`:
    /// sender, receiver, lineage, class, key epoch. None if the hash refuses, which it does
    /// for no input of ours.
    pub fn derive(
        pair: &PairSecret,
        sender: &NodeId,
        receiver: &NodeId,
        key: &KeyId,
    ) -> Option<Self> {
        let info = Writer::new("tag-key").text(sender.as_str()).text(receiver.as_str());
        expand(pair.0.reveal(), &key.write(info).finish()).map(Self)
    }

    /// `HMAC-SHA256(key, token)`, the first 16 bytes.
    pub fn tag(&self, token: &Token) -> Option<Tag> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.reveal()).ok()?;
        mac.update(token.reveal());
        mac.finalize().into_bytes().first_chunk().map(|bytes| Tag(*bytes))
    }

    /// A byte that hides what is shown with a token's tag of an object: the first of
    /// `HMAC-SHA256(key, "facts" ‖ object ‖ token)`. Longer than a token alone, so that it is the
    /// hash of no tag.
    pub fn mask(&self, object: &ObjectId, token: &Token) -> Option<u8> {
        let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(self.0.reveal()).ok()?;
        mac.update(b"facts");
        mac.update(object.as_bytes());
        mac.update(token.reveal());
        mac.finalize().into_bytes().first().copied()
    }
}

fn expand(secret: &[u8], info: &[u8]) -> Option<Secret<[u8; 32]>> {
    let mut out = [0; 32];
    Hkdf::<Sha256>::new(None, secret).expand(info, &mut out).ok()?;
    Some(Secret::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::key::{Class, KeyEpoch};
    use crate::pseudonym::share::tests::{key, nodes};
    use std::collections::BTreeSet;

    fn half(seed: u8) -> Contribution {
        Secret::new([seed; 32])
    }

    fn pair(seed: u8) -> PairSecret {
        let nodes = nodes(2);
        PairSecret::derive((&nodes[0], &half(seed)), (&nodes[1], &half(9))).unwrap()
    }

    #[test]
    fn both_nodes_derive_one_secret() {
        let nodes = nodes(3);
        let derive = |one: usize, a: u8, other: usize, b: u8| {
            PairSecret::derive((&nodes[one], &half(a)), (&nodes[other], &half(b)))
        };
        assert_eq!(derive(0, 1, 1, 2), derive(1, 2, 0, 1));
        assert_ne!(derive(0, 1, 1, 2), derive(0, 2, 1, 1));
        assert_ne!(derive(0, 1, 1, 2), derive(0, 1, 2, 2));
        assert_ne!(derive(0, 1, 1, 2), derive(0, 3, 1, 2));
        assert_ne!(derive(0, 1, 1, 2), derive(0, 1, 1, 3));
        assert_eq!(derive(0, 1, 0, 2), None);
    }

    #[test]
    fn every_part_of_the_way_changes_the_tag() {
        let nodes = nodes(3);
        let token = Token::from_bytes([5; 16]);
        let tag = |pair: &PairSecret, from: usize, to: usize, key: KeyId| {
            TagKey::derive(pair, &nodes[from], &nodes[to], &key).unwrap().tag(&token).unwrap()
        };
        let ways = [
            tag(&pair(1), 0, 1, key()),
            tag(&pair(1), 1, 0, key()),
            tag(&pair(1), 0, 2, key()),
            tag(&pair(2), 0, 1, key()),
            tag(&pair(1), 0, 1, KeyId { class: Class::Company, ..key() }),
            tag(&pair(1), 0, 1, KeyId { epoch: KeyEpoch(2), ..key() }),
        ];
        let different: BTreeSet<Tag> = ways.into_iter().collect();
        assert_eq!(different.len(), ways.len());
        assert_eq!(ways[0], tag(&pair(1), 0, 1, key()));
    }

    #[test]
    fn masks_differ_by_token_object_and_way() {
        let nodes = nodes(2);
        let key = |from: usize, to: usize| {
            TagKey::derive(&pair(1), &nodes[from], &nodes[to], &key()).unwrap()
        };
        let object = |at: u8| ObjectId(uuid::Uuid::from_bytes([at; 16]));
        let masks = |key: &TagKey, of: u8| -> Vec<u8> {
            let tokens = (0..16).map(|at| Token::from_bytes([at; 16]));
            tokens.map(|token| key.mask(&object(of), &token).unwrap()).collect()
        };
        let one = masks(&key(0, 1), 1);
        assert_eq!(one, masks(&key(0, 1), 1));
        assert!(one.iter().collect::<BTreeSet<_>>().len() > 10);
        assert!(one != masks(&key(0, 1), 2) && one != masks(&key(1, 0), 1));
    }

    #[test]
    fn nothing_is_shown() {
        let token = Token::from_bytes([5; 16]);
        assert_eq!(format!("{token:?} {:?}", Tag([5; 16])), "[token] [tag]");
        let shown = format!("{:?}", pair(1));
        assert_eq!(shown, "PairSecret([secret])");
    }

    #[test]
    fn tokens_are_the_beginning_of_the_output() {
        assert_eq!(Token::of_output(&[1; 64]), Some(Token::from_bytes([1; 16])));
        assert_eq!(Token::of_output(&[1; 15]), None);
        assert_ne!(Token::from_bytes([1; 16]), Token::from_bytes([2; 16]));
    }
}
