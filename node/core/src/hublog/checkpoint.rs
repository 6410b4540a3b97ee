//! Where a hub signs that a log stands, and the proof that it signed two histories.

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

/// Two signatures of one hub under two histories of one log. Verifies offline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// One of the two.
    pub one: SignedCheckpoint,
    /// The other.
    pub other: SignedCheckpoint,
    /// The hub's identity key.
    pub hub: PublicKey,
}

/// Whether two checkpoints prove that their hub told two histories: same group, hub, term
/// and sequence, another head or epoch, both signed.
pub fn equivocation(
    one: &SignedCheckpoint,
    other: &SignedCheckpoint,
    hub: &PublicKey,
) -> Option<Equivocation> {
    let proof = Equivocation { one: one.clone(), other: other.clone(), hub: *hub };
    proof.holds().then_some(proof)
}

impl Equivocation {
    /// Whether the proof is one.
    pub fn holds(&self) -> bool {
        let (one, other) = (&self.one.checkpoint, &self.other.checkpoint);
        let place = |it: &Checkpoint| (it.group, it.hub.clone(), it.term, it.sequence);
        place(one) == place(other)
            && (one.head, one.epoch) != (other.head, other.epoch)
            && self.one.verify(&self.hub).is_ok()
            && self.other.verify(&self.hub).is_ok()
    }

    /// Canonical container `equivocation`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new("equivocation")
            .bytes(self.hub.as_bytes())
            .bytes(&self.one.bytes)
            .bytes(&self.one.signature)
            .bytes(&self.other.bytes)
            .bytes(&self.other.signature)
            .finish()
    }

    /// Reads what [`Equivocation::encode`] wrote; ask [`Equivocation::holds`].
    ///
    /// # Errors
    /// [`CanonicalError`] when the bytes are no such container.
    pub fn decode(container: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("equivocation", container)?;
        let hub = PublicKey(reader.array("hub key")?);
        let mut checkpoint = || {
            let bytes = reader.bytes("checkpoint")?;
            SignedCheckpoint::parse(bytes, reader.array("signature")?)
        };
        let (one, other) = (checkpoint()?, checkpoint()?);
        reader.end()?;
        Ok(Self { one, other, hub })
    }
}
