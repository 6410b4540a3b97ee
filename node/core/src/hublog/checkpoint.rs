//! Where a hub signs that a log stands.

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, Epoch, GroupId, NodeId, Sequence};
use crate::trust::keys::{BadSignature, IdentityKey, PublicKey, Signature};

/// What a hub states about a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The group.
    pub group: GroupId,
    /// Newest sequence.
    pub sequence: Sequence,
    /// Chained head at that sequence.
    pub head: Digest,
    /// The group's epoch after that sequence.
    pub epoch: Epoch,
    /// The hub.
    pub hub: NodeId,
    /// Number of its term.
    pub term: u64,
}

impl Checkpoint {
    /// Signs by the hub's identity key.
    pub fn sign(self, key: &IdentityKey) -> SignedCheckpoint {
        let bytes = self.canonical();
        SignedCheckpoint { signature: key.sign(&bytes), bytes, checkpoint: self }
    }

    fn canonical(&self) -> Vec<u8> {
        Writer::new("checkpoint")
            .bytes(self.group.as_bytes())
            .integer(self.sequence.0)
            .bytes(self.head.as_bytes())
            .integer(self.epoch.0)
            .text(self.hub.as_str())
            .integer(self.term)
            .finish()
    }

    fn read(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("checkpoint", bytes)?;
        let checkpoint = Self {
            group: GroupId(reader.array("group")?),
            sequence: Sequence(reader.integer("sequence")?),
            head: Digest(reader.array("head")?),
            epoch: Epoch(reader.integer("epoch")?),
            hub: reader.text("hub")?.parse().map_err(|_| CanonicalError::Field("hub"))?,
            term: reader.integer("term")?,
        };
        reader.end()?;
        Ok(checkpoint)
    }
}

/// A checkpoint with its signature, as the exact bytes that were signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    bytes: Vec<u8>,
    signature: Signature,
    checkpoint: Checkpoint,
}

impl SignedCheckpoint {
    /// Reads a checkpoint; the signature is unverified.
    ///
    /// # Errors
    /// [`CanonicalError`] when the bytes are no checkpoint.
    pub fn parse(bytes: &[u8], signature: Signature) -> Result<Self, CanonicalError> {
        Ok(Self { bytes: bytes.to_vec(), signature, checkpoint: Checkpoint::read(bytes)? })
    }

    /// A checkpoint whose signature came apart from it; the signature is unverified.
    pub fn from_parts(checkpoint: Checkpoint, signature: Signature) -> Self {
        Self { bytes: checkpoint.canonical(), signature, checkpoint }
    }

    /// What is stated; believed only after [`SignedCheckpoint::verify`].
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The canonical bytes that were signed.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signature over [`SignedCheckpoint::bytes`].
    pub fn signature(&self) -> &Signature {
        &self.signature
    }

    /// Verifies the hub's signature.
    ///
    /// # Errors
    /// [`BadSignature`].
    pub fn verify(&self, hub: &PublicKey) -> Result<(), BadSignature> {
        hub.verify(&self.bytes, &self.signature)
    }
}
