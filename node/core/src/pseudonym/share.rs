//! One node's share of a key: the secret that the vault keeps.

use std::fmt;

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::group;
use super::key::{Generation, KeyId};
use super::sharing::Sharing;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::NodeId;
use crate::secret::Secret;

/// Why a share is not used: ourselves, since only this node writes it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShareError {
    /// The bytes are not canonical of type `key-share`.
    #[error("not a share: {0}")]
    Malformed(#[from] CanonicalError),
    /// It belongs to another key, sharing or node, or is not what was committed to.
    #[error("the share does not belong to this sharing")]
    Foreign,
}

/// A share: a scalar, secret. Alone it says nothing about the key.
#[derive(Clone)]
pub struct KeyShare {
    key: KeyId,
    generation: Generation,
    scalar: Secret<[u8; 32]>,
}

impl KeyShare {
    pub(super) fn new(key: KeyId, generation: Generation, scalar: &Scalar) -> Self {
        Self { key, generation, scalar: Secret::new(scalar.to_bytes()) }
    }

    /// Which key.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// Which of the key's sharings.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    pub(super) fn bytes(&self) -> &[u8; 32] {
        self.scalar.reveal()
    }

    /// The scalar; zero, which no check lets pass, if the bytes were never one.
    pub(super) fn scalar(&self) -> Zeroizing<Scalar> {
        Zeroizing::new(group::scalar(self.scalar.reveal()).unwrap_or(Scalar::ZERO))
    }

    /// Makes sure that this is the share which a sharing says that a node holds.
    ///
    /// # Errors
    /// [`ShareError::Foreign`].
    pub fn check(&self, sharing: &Sharing, node: &NodeId) -> Result<(), ShareError> {
        let same = self.key == sharing.key() && self.generation == sharing.generation();
        let committed = sharing.holder(node).map(|(_, point)| point);
        let own = RistrettoPoint::mul_base(&self.scalar());
        if same && committed == Some(own) { Ok(()) } else { Err(ShareError::Foreign) }
    }

    /// Canonical bytes of type `key-share`, secret: lineage, class, key epoch, generation,
    /// scalar (32 bytes, little-endian). For the vault alone.
    pub fn encode(&self) -> Secret<Vec<u8>> {
        let writer = self.key.write(Writer::new("key-share")).integer(self.generation.0);
        Secret::new(writer.bytes(self.scalar.reveal()).finish())
    }

    /// Reads what [`KeyShare::encode`] wrote.
    ///
    /// # Errors
    /// [`ShareError::Malformed`].
    pub fn decode(bytes: &Secret<Vec<u8>>) -> Result<Self, ShareError> {
        let mut reader = Reader::new("key-share", bytes.reveal())?;
        let key = KeyId::read(&mut reader)?;
        let generation = Generation(reader.integer("generation")?);
        let scalar = Secret::new(reader.array("scalar")?);
        reader.end()?;
        match group::scalar(scalar.reveal()) {
            Some(value) if value != Scalar::ZERO => Ok(Self { key, generation, scalar }),
            _ => Err(ShareError::Malformed(CanonicalError::Field("scalar"))),
        }
    }
}

/// In constant time, as far as the scalar goes.
impl PartialEq for KeyShare {
    fn eq(&self, other: &Self) -> bool {
        let same = self.key == other.key && self.generation == other.generation;
        same && bool::from(self.bytes().ct_eq(other.bytes()))
    }
}

impl Eq for KeyShare {}

/// Names the key, and not the share.
impl fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyShare")
            .field("key", &self.key)
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::entropy::{Entropy, SeededEntropy, draw};
    use crate::id::LineageId;
    use crate::pseudonym::key::{Class, KeyEpoch};
    use crate::pseudonym::sharing::places;
    use std::collections::BTreeMap;

    pub(in crate::pseudonym) fn key() -> KeyId {
        KeyId { lineage: LineageId([7; 16]), class: Class::PersonStrong, epoch: KeyEpoch::FIRST }
    }

    pub(in crate::pseudonym) fn nodes(count: usize) -> Vec<NodeId> {
        (1..=count).map(|number| format!("node-{number:03}").parse().unwrap()).collect()
    }

    pub(in crate::pseudonym) fn random(entropy: &dyn Entropy) -> Scalar {
        Scalar::from_bytes_mod_order_wide(&draw(entropy))
    }

    /// Shares a scalar as an honest dealer would, so that tests know the whole key.
    pub(in crate::pseudonym) fn split(
        secret: Scalar,
        count: usize,
        threshold: u16,
    ) -> (Sharing, BTreeMap<NodeId, KeyShare>) {
        let entropy = SeededEntropy::labelled("split");
        let mut coefficients = vec![secret];
        coefficients.extend((1..threshold).map(|_| random(&entropy)));
        let value = |x: u16| {
            coefficients.iter().rev().fold(Scalar::ZERO, |sum, c| sum * Scalar::from(x) + c)
        };
        let nodes = nodes(count);
        let values: BTreeMap<NodeId, Scalar> =
            places(nodes.iter()).map(|(node, place)| (node.clone(), value(place.get()))).collect();
        let point = |value: &Scalar| RistrettoPoint::mul_base(value);
        let points = values.iter().map(|(node, value)| (node.clone(), point(value))).collect();
        let first = Generation::FIRST;
        let sharing = Sharing::new(key(), first, threshold, point(&secret), points).unwrap();
        let share = |value: &Scalar| KeyShare::new(key(), first, value);
        let shares = values.iter().map(|(node, value)| (node.clone(), share(value))).collect();
        (sharing, shares)
    }

    pub(in crate::pseudonym) fn shared(
        count: usize,
        threshold: u16,
    ) -> (Sharing, BTreeMap<NodeId, KeyShare>) {
        split(random(&SeededEntropy::labelled("key")), count, threshold)
    }

    #[test]
    fn a_share_belongs_to_its_node_and_sharing_alone() {
        let (sharing, shares) = shared(3, 2);
        let nodes = nodes(4);
        let share = &shares[&nodes[0]];
        assert_eq!(share.check(&sharing, &nodes[0]), Ok(()));
        assert_eq!(share.check(&sharing, &nodes[1]), Err(ShareError::Foreign));
        assert_eq!(share.check(&sharing, &nodes[3]), Err(ShareError::Foreign));
        let other = KeyShare::new(key().successor(), Generation::FIRST, &share.scalar());
        assert_eq!(other.check(&sharing, &nodes[0]), Err(ShareError::Foreign));
        let later = KeyShare::new(key(), Generation(2), &share.scalar());
        assert_eq!(later.check(&sharing, &nodes[0]), Err(ShareError::Foreign));
    }

    #[test]
    fn shares_are_read_back() {
        let (_, shares) = shared(2, 2);
        for share in shares.values() {
            assert_eq!(KeyShare::decode(&share.encode()).as_ref(), Ok(share));
        }
        let writer = key().write(Writer::new("key-share")).integer(1);
        let zero = Secret::new(writer.bytes(&[0; 32]).finish());
        assert!(KeyShare::decode(&zero).is_err());
    }

    #[test]
    fn debug_shows_no_scalar() {
        let (_, shares) = shared(2, 2);
        let share = shares.values().next().unwrap();
        let shown = format!("{share:?}");
        assert!(shown.contains("PersonStrong"), "{shown}");
        let scalar = format!("{:?}", share.bytes());
        assert!(!shown.contains(scalar.trim_matches(['[', ']'])));
    }
}
