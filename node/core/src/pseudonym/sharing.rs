//! A sharing, in public: which node holds a share of a key, and what each share commits to.

use std::collections::BTreeMap;

use curve25519_dalek::ristretto::RistrettoPoint;

use super::group::{self, Place};
use super::key::{Generation, KeyId};
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, NodeId};

/// The most holders of one key.
pub const HOLDERS_MAX: usize = 1_000;

/// The smallest threshold: with one, every holder could test guesses alone.
pub const THRESHOLD_MIN: u16 = 2;

/// How many of `holders` must answer: half of them, rounded up, at least two.
pub fn threshold(holders: usize) -> u16 {
    u16::try_from(holders.div_ceil(2)).unwrap_or(u16::MAX).max(THRESHOLD_MIN)
}

/// Why bytes or values are no sharing: the fault of who made them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SharingError {
    /// The bytes are not canonical of type `key-sharing`.
    #[error("not a sharing: {0}")]
    Malformed(#[from] CanonicalError),
    /// Fewer than two, more than there are holders, or too many holders.
    #[error("a key needs {THRESHOLD_MIN} to {HOLDERS_MAX} holders, and no more answers than them")]
    Threshold,
    /// Holders are not in strictly rising order, so that one may stand twice.
    #[error("the holder {0} is out of order or stands twice")]
    Order(NodeId),
    /// A commitment is the identity or no element.
    #[error("the commitment of {0} is no element of the group")]
    Element(String),
    /// The commitments lie on no polynomial of the threshold's degree that ends in the key.
    #[error("the commitment of {0} does not belong to the others")]
    Inconsistent(NodeId),
}

/// Who holds the shares of a key. Every node of the équipe has the same one, agreed through
/// the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sharing {
    key: KeyId,
    generation: Generation,
    threshold: u16,
    public: RistrettoPoint,
    /// Sorted by node; the place of a holder is its number in this order.
    holders: BTreeMap<NodeId, (Place, RistrettoPoint)>,
}

impl Sharing {
    /// Over the commitments of the holders' shares.
    ///
    /// # Errors
    /// [`SharingError`], when they do not belong together.
    pub(super) fn new(
        key: KeyId,
        generation: Generation,
        threshold: u16,
        public: RistrettoPoint,
        commitments: BTreeMap<NodeId, RistrettoPoint>,
    ) -> Result<Self, SharingError> {
        let count = commitments.len();
        if threshold < THRESHOLD_MIN || usize::from(threshold) > count || count > HOLDERS_MAX {
            return Err(SharingError::Threshold);
        }
        let places = places(commitments.keys());
        let placed = places.zip(commitments.values());
        let holders = placed.map(|((node, place), point)| (node.clone(), (place, *point)));
        let sharing = Self { key, generation, threshold, public, holders: holders.collect() };
        sharing.check()?;
        Ok(sharing)
    }

    /// The first `threshold` commitments fix the polynomial; key and others must lie on it.
    fn check(&self) -> Result<(), SharingError> {
        let first = usize::from(self.threshold);
        let known: Vec<_> = self.holders.values().take(first).copied().collect();
        let places: Vec<Place> = known.iter().map(|(place, _)| *place).collect();
        let points: Vec<RistrettoPoint> = known.iter().map(|(_, point)| *point).collect();
        let at = |x: u16| group::weights(&places, x).map(|weights| group::sum(&weights, &points));
        let identity = RistrettoPoint::default();
        if self.public == identity || at(0) != Some(self.public) {
            let first = self.holders.keys().next();
            return Err(first
                .map_or(SharingError::Threshold, |node| SharingError::Inconsistent(node.clone())));
        }
        for (number, (node, (place, point))) in self.holders.iter().enumerate() {
            if *point == identity {
                return Err(SharingError::Element(node.to_string()));
            }
            // The polynomial through the first ones has their values at their places.
            if number >= first && at(place.get()) != Some(*point) {
                return Err(SharingError::Inconsistent(node.clone()));
            }
        }
        Ok(())
    }

    /// Which key.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// Which of the key's sharings.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// How many holders must answer.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// The holders, in order.
    pub fn holders(&self) -> impl Iterator<Item = &NodeId> {
        self.holders.keys()
    }

    /// Whether a node holds a share.
    pub fn is_holder(&self, node: &NodeId) -> bool {
        self.holders.contains_key(node)
    }

    /// The public key, 32 bytes; the same in all sharings of a key.
    pub fn public_key(&self) -> [u8; 32] {
        self.public.compress().to_bytes()
    }

    pub(super) fn public(&self) -> RistrettoPoint {
        self.public
    }

    /// Place and commitment of a holder.
    pub(super) fn holder(&self, node: &NodeId) -> Option<(Place, RistrettoPoint)> {
        self.holders.get(node).copied()
    }

    /// Canonical bytes of type `key-sharing`: lineage, class, key epoch, generation,
    /// threshold, public key (32 bytes), list of holders (node, commitment of 32 bytes).
    pub fn encode(&self) -> Vec<u8> {
        let holders = self.holders.iter().map(|(node, (_, point))| {
            Writer::record().text(node.as_str()).bytes(point.compress().as_bytes()).finish()
        });
        self.key
            .write(Writer::new("key-sharing"))
            .integer(self.generation.0)
            .integer(u64::from(self.threshold))
            .bytes(&self.public_key())
            .list(holders)
            .finish()
    }

    /// SHA-256 of the canonical bytes: what holders agree on.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Reads what [`Sharing::encode`] wrote, and checks it again.
    ///
    /// # Errors
    /// [`SharingError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, SharingError> {
        let mut reader = Reader::new("key-sharing", bytes)?;
        let key = KeyId::read(&mut reader)?;
        let generation = Generation(reader.integer("generation")?);
        let threshold = reader.integer("threshold")?;
        let threshold = u16::try_from(threshold).map_err(|_| SharingError::Threshold)?;
        let element = |bytes: [u8; 32], name: &str| {
            group::element(&bytes).ok_or_else(|| SharingError::Element(name.to_owned()))
        };
        let public = element(reader.array("public key")?, "the key")?;
        let mut holders = BTreeMap::new();
        for item in reader.list("holders")? {
            let mut record = Reader::record(item);
            let node: NodeId = record.text("holder")?.parse().map_err(|_| malformed("holder"))?;
            let point = element(record.array("commitment")?, node.as_str())?;
            record.end()?;
            if holders.last_key_value().is_some_and(|(last, _)| *last >= node) {
                return Err(SharingError::Order(node));
            }
            holders.insert(node, point);
        }
        reader.end()?;
        Self::new(key, generation, threshold, public, holders)
    }
}

fn malformed(field: &'static str) -> CanonicalError {
    CanonicalError::Field(field)
}

/// The places of holders: their numbers in alphabetical order, from 1.
pub(super) fn places<'a>(
    holders: impl Iterator<Item = &'a NodeId>,
) -> impl Iterator<Item = (&'a NodeId, Place)> {
    // There are fewer than 65,536 holders, so that no place is left out.
    holders.zip((1..=u16::MAX).filter_map(Place::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::share::tests::shared;

    fn check(change: impl Fn(&mut BTreeMap<NodeId, RistrettoPoint>), threshold: u16) -> bool {
        let (sharing, _) = shared(3, 2);
        let points = sharing.holders.iter().map(|(node, (_, point))| (node.clone(), *point));
        let mut points: BTreeMap<_, _> = points.collect();
        change(&mut points);
        Sharing::new(sharing.key, sharing.generation, threshold, sharing.public, points).is_ok()
    }

    #[test]
    fn thresholds() {
        let found: Vec<u16> = (0..=7).map(threshold).collect();
        assert_eq!(found, [2, 2, 2, 2, 2, 3, 3, 4]);
        assert_eq!(threshold(21), 11);
    }

    #[test]
    fn commitments_belong_together() {
        assert!(check(|_| {}, 2));
        // Any two fix a line, but not one that ends in the key.
        assert!(!check(|points| drop(points.pop_last()), 3));
        assert!(!check(|points| drop(points.pop_first()), 2));
        assert!(!check(|_| {}, 1));
        assert!(!check(|_| {}, 4));
        for place in 0..3 {
            assert!(!check(
                |points| {
                    let point = points.values_mut().nth(place).unwrap();
                    *point = *point + *point;
                },
                2
            ));
            assert!(!check(
                |points| *points.values_mut().nth(place).unwrap() = RistrettoPoint::default(),
                2
            ));
        }
        assert!(!check(
            |points| {
                let first = *points.values().next().unwrap();
                points.values_mut().for_each(|point| *point = first);
            },
            2
        ));
    }

    #[test]
    fn a_higher_threshold_than_was_dealt_is_consistent_and_only_stricter() {
        assert!(check(|_| {}, 3));
    }

    #[test]
    fn sharings_are_read_back_and_every_change_is_refused() {
        let (sharing, _) = shared(3, 2);
        let bytes = sharing.encode();
        assert_eq!(Sharing::decode(&bytes), Ok(sharing));
        for cut in 0..bytes.len() {
            assert!(Sharing::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        // The last 32 bytes are a commitment, the 32 before the list the key.
        for at in [bytes.len() - 1, bytes.len() - 32] {
            let mut bent = bytes.clone();
            bent[at] ^= 1;
            assert!(Sharing::decode(&bent).is_err(), "{at}");
        }
    }

    #[test]
    fn a_holder_that_stands_twice_is_refused() {
        let (sharing, _) = shared(3, 2);
        let record = |node: &NodeId, point: &RistrettoPoint| {
            Writer::record().text(node.as_str()).bytes(point.compress().as_bytes()).finish()
        };
        let first = sharing.holders.iter().next().unwrap();
        let twice = vec![record(first.0, &first.1.1); 2];
        let bytes = sharing
            .key
            .write(Writer::new("key-sharing"))
            .integer(1)
            .integer(2)
            .bytes(&sharing.public_key())
            .list(twice)
            .finish();
        assert_eq!(Sharing::decode(&bytes), Err(SharingError::Order(first.0.clone())));
    }
}
