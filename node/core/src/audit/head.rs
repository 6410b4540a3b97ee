//! The end of a node's audit chain as the node signs it and gives it away: to the other members
//! of its équipes and to the log of its machine. Whoever rewrites the chain in the database
//! cannot take it back there.
//!
//! Canonical bytes of type `audit-head`: node, sequence, hash of that record (32), signed at
//! (ms); container `signed-audit-head`: these bytes, Ed25519 signature by the node's identity
//! key (64).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{AuditHead, LineError};
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::NodeId;
use crate::number;
use crate::time::Instant;
use crate::trust::keys::{BadSignature, IdentityKey, PublicKey, Signature};

/// Where a node says that its chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedAuditHead {
    /// Whose chain.
    pub node: NodeId,
    /// Its end.
    pub head: AuditHead,
    /// When it was signed, by that node's clock.
    pub at: Instant,
    /// By that node's identity key, over the canonical bytes.
    pub signature: Signature,
}

impl SignedAuditHead {
    /// Signs the end of this node's own chain.
    pub fn sign(node: NodeId, head: AuditHead, at: Instant, key: &IdentityKey) -> Self {
        let signature = key.sign(&canonical(&node, head, at));
        Self { node, head, at, signature }
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, identity: &PublicKey) -> Result<(), BadSignature> {
        identity.verify(&canonical(&self.node, self.head, self.at), &self.signature)
    }

    /// Canonical container `signed-audit-head`.
    pub fn encode(&self) -> Vec<u8> {
        let bytes = canonical(&self.node, self.head, self.at);
        Writer::new("signed-audit-head").bytes(&bytes).bytes(&self.signature).finish()
    }

    /// Reads the container; the signature is unverified.
    ///
    /// # Errors
    /// [`CanonicalError`].
    pub fn decode(container: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("signed-audit-head", container)?;
        let bytes = reader.bytes("head")?;
        let signature = reader.array("signature")?;
        reader.end()?;
        let mut reader = Reader::new("audit-head", bytes)?;
        let node = reader.text("node")?.parse().map_err(|_| CanonicalError::Field("node"))?;
        let sequence = reader.integer("sequence")?;
        let hash = crate::id::Digest(reader.array("hash")?);
        let at = reader.instant("signed at")?;
        reader.end()?;
        Ok(Self { node, head: AuditHead { sequence, hash }, at, signature })
    }

    /// One line of JSON without the line feed: `node`, `sequence`, `hash` and `signature` in
    /// hex, `at` as RFC 3339 to the millisecond.
    ///
    /// # Errors
    /// [`LineError::Json`], which no head causes.
    pub fn to_line(&self) -> Result<String, LineError> {
        let line = HeadLine {
            node: self.node.to_string(),
            sequence: self.head.sequence,
            hash: self.head.hash.to_string(),
            at: self.at.to_string(),
            signature: hex::encode(self.signature),
        };
        serde_json::to_string(&line).map_err(|cause| LineError::Json(cause.to_string()))
    }

    /// Reads what [`SignedAuditHead::to_line`] wrote, or the line of the machine's log that has
    /// the same fields among others; [`SignedAuditHead::verify`] tells whether it is true.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn from_line(line: &str) -> Result<Self, LineError> {
        let json = |cause: serde_json::Error| LineError::Json(cause.to_string());
        let line: HeadLine = serde_json::from_str(line).map_err(json)?;
        let field = |name: &str| LineError::Json(format!("the field {name} is malformed"));
        let mut signature = [0; 64];
        hex::decode_to_slice(&line.signature, &mut signature).map_err(|_| field("signature"))?;
        let sequence = number::bounded(line.sequence).ok_or_else(|| field("sequence"))?;
        let at: Instant = line.at.parse().map_err(LineError::Time)?;
        Ok(Self {
            node: line.node.parse().map_err(|_| field("node"))?,
            head: AuditHead { sequence, hash: line.hash.parse()? },
            at: number::instant(at.0).ok_or_else(|| field("at"))?,
            signature,
        })
    }
}

fn canonical(node: &NodeId, head: AuditHead, at: Instant) -> Vec<u8> {
    Writer::new("audit-head")
        .text(node.as_str())
        .integer(head.sequence)
        .bytes(head.hash.as_bytes())
        .instant(at)
        .finish()
}

/// A head as a line of JSON.
#[derive(Serialize, Deserialize)]
struct HeadLine {
    node: String,
    sequence: u64,
    hash: String,
    at: String,
    signature: String,
}

/// Something that a node signed, and that its chain does not bear out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeadConflict {
    /// The chain has another record at that place.
    Rewritten(SignedAuditHead),
    /// The chain ends before that place.
    CutOff(SignedAuditHead),
}

/// Holds a chain against heads that its node has signed: `records` has the hash of the record at
/// each head's place, where the chain has one. The conflicts, by place.
pub fn conflicts<'h>(
    heads: impl IntoIterator<Item = &'h SignedAuditHead>,
    records: &BTreeMap<u64, crate::id::Digest>,
) -> Vec<HeadConflict> {
    let mut found: Vec<_> = heads
        .into_iter()
        .filter(|signed| signed.head != AuditHead::EMPTY)
        .filter_map(|signed| match records.get(&signed.head.sequence) {
            Some(hash) if *hash == signed.head.hash => None,
            Some(_) => Some(HeadConflict::Rewritten(signed.clone())),
            None => Some(HeadConflict::CutOff(signed.clone())),
        })
        .collect();
    found.sort_by_key(|conflict| conflict.signed().head.sequence);
    found
}

impl HeadConflict {
    /// What was signed.
    pub fn signed(&self) -> &SignedAuditHead {
        match self {
            Self::Rewritten(signed) | Self::CutOff(signed) => signed,
        }
    }
}

/// Whether two heads cannot both be of one chain that only grows, the first having come before
/// the second.
pub fn goes_back(before: AuditHead, after: AuditHead) -> bool {
    after.sequence < before.sequence
        || after.sequence == before.sequence && after.hash != before.hash
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Digest;
    use crate::trust::sample;

    fn signed(sequence: u64, hash: u8) -> SignedAuditHead {
        let head = AuditHead { sequence, hash: Digest([hash; 32]) };
        SignedAuditHead::sign(sample::node(0), head, Instant(7), &sample::key(0))
    }

    #[test]
    fn only_its_node_signs_it() {
        let head = signed(3, 1);
        assert_eq!(head.verify(&sample::key(0).public()), Ok(()));
        assert_eq!(head.verify(&sample::key(1).public()), Err(BadSignature));
        let bends: [fn(&mut SignedAuditHead); 4] = [
            |head| head.node = sample::node(1),
            |head| head.head.sequence = 4,
            |head| head.head.hash = Digest([2; 32]),
            |head| head.at = Instant(8),
        ];
        for bend in bends {
            let mut bent = head.clone();
            bend(&mut bent);
            assert_eq!(bent.verify(&sample::key(0).public()), Err(BadSignature), "{bent:?}");
        }
    }

    #[test]
    fn containers_and_lines_are_read_back() {
        let head = signed(3, 1);
        assert_eq!(SignedAuditHead::decode(&head.encode()), Ok(head.clone()));
        let line = head.to_line().unwrap();
        assert_eq!(SignedAuditHead::from_line(&line), Ok(head.clone()));
        let logged = line.replace('{', "{\"level\":\"INFO\",\"message\":\"audit head\",");
        assert_eq!(SignedAuditHead::from_line(&logged), Ok(head.clone()));
        let bytes = head.encode();
        for cut in 0..bytes.len() {
            assert!(SignedAuditHead::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn a_place_beyond_its_bound_is_refused() {
        let far = signed(number::NUMBER_MAX + 1, 1);
        assert_eq!(SignedAuditHead::decode(&far.encode()), Err(CanonicalError::Range("sequence")));
        assert!(SignedAuditHead::from_line(&far.to_line().unwrap()).is_err());
        for line in ["", "{}", "[1]", "{\"node\":\"x\"}"] {
            assert!(SignedAuditHead::from_line(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_chain_is_held_against_what_was_signed() {
        let heads = [signed(0, 0), signed(2, 2), signed(3, 3), signed(9, 9)];
        let records = [(2, Digest([2; 32])), (3, Digest([4; 32]))].into();
        let found = conflicts(&heads, &records);
        assert_eq!(
            found,
            [HeadConflict::Rewritten(signed(3, 3)), HeadConflict::CutOff(signed(9, 9))]
        );
    }

    #[test]
    fn a_chain_only_grows() {
        let head = |sequence, hash| signed(sequence, hash).head;
        assert!(!goes_back(head(2, 2), head(2, 2)));
        assert!(!goes_back(head(2, 2), head(3, 9)));
        assert!(goes_back(head(2, 2), head(2, 3)));
        assert!(goes_back(head(2, 2), head(1, 1)));
    }
}
