//! The request to join again, by a node that has lost its ratchets (DESIGN §6): signed by
//! its identity, for one leaf and one key package, so that it serves once.

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, EntryId, GroupId, NodeId};
use crate::time::Instant;
use crate::trust::commit::LeafView;
use crate::trust::keys::{IdentityKey, PublicKey};
use crate::trust::notice::{Notice, NoticeError, NoticeKind, SignedNotice};

/// What a rejoin request names: the detail of its notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejoinRequest {
    /// Digest of the leaf that is to be replaced.
    pub replaced: Digest,
    /// Digest of the leaf that the key package brings.
    pub replacement: Digest,
    /// The key package, an encoded `MLSMessage`.
    pub key_package: Vec<u8>,
}

/// Who asks where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The group.
    pub group: GroupId,
    /// The node.
    pub sender: NodeId,
    /// The log entry that carries the request.
    pub entry: EntryId,
    /// When, by the node's clock.
    pub said_at: Instant,
}

impl RejoinRequest {
    /// Signs the request as a notice.
    ///
    /// # Errors
    /// [`NoticeError::Range`] when the key package is too large.
    pub fn sign(&self, asked: Asked, identity: &IdentityKey) -> Result<SignedNotice, NoticeError> {
        let Asked { group, sender, entry, said_at } = asked;
        let (kind, detail) = (NoticeKind::RejoinRequest, self.canonical());
        Notice { group, sender, entry, kind, said_at, detail }.sign(identity)
    }

    /// Reads the request in a notice of the right kind.
    ///
    /// # Errors
    /// [`NoticeError::Range`] for another kind, [`NoticeError::Malformed`].
    pub fn read(notice: &Notice) -> Result<Self, NoticeError> {
        if notice.kind != NoticeKind::RejoinRequest {
            return Err(NoticeError::Range("kind"));
        }
        Ok(Self::decode(&notice.detail)?)
    }

    fn canonical(&self) -> Vec<u8> {
        Writer::new("rejoin-request")
            .bytes(self.replaced.as_bytes())
            .bytes(self.replacement.as_bytes())
            .bytes(&self.key_package)
            .finish()
    }

    fn decode(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("rejoin-request", bytes)?;
        let request = Self {
            replaced: Digest(reader.array("replaced")?),
            replacement: Digest(reader.array("replacement")?),
            key_package: reader.bytes("key package")?.to_vec(),
        };
        reader.end()?;
        Ok(request)
    }
}

/// A request as a commit carries it, in its authenticated data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CarriedRequest {
    notice: SignedNotice,
    /// What it names.
    pub request: RejoinRequest,
}

impl CarriedRequest {
    /// Reads a container `signed-notice`; the signature is unverified.
    ///
    /// # Errors
    /// As [`RejoinRequest::read`].
    pub fn decode(container: &[u8]) -> Result<Self, NoticeError> {
        let notice = SignedNotice::decode(container)?;
        let request = RejoinRequest::read(notice.notice())?;
        Ok(Self { notice, request })
    }

    /// Who asks.
    pub fn sender(&self) -> &NodeId {
        &self.notice.notice().sender
    }

    /// Whether it is for this group, and signed by this identity key. The key of a leaf does
    /// not do here: whoever stole it with a ratchet could take the node's place for ever.
    pub fn is_of(&self, group: GroupId, identity: &PublicKey) -> bool {
        self.notice.notice().group == group && self.notice.is_signed_by(identity)
    }

    /// Whether it is for the leaf to be replaced and brings the one to replace it.
    pub fn names(&self, replaced: &LeafView, replacement: &LeafView) -> bool {
        let named = (self.request.replaced, self.request.replacement);
        named == (replaced.digest(), replacement.digest())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample;

    fn request() -> RejoinRequest {
        RejoinRequest {
            replaced: sample::leaf(0, 1).digest(),
            replacement: sample::leaf(0, 2).digest(),
            key_package: vec![1, 2, 3],
        }
    }

    fn asked() -> Asked {
        Asked {
            group: GroupId([1; 32]),
            sender: sample::node(0),
            entry: EntryId([2; 16]),
            said_at: Instant(3),
        }
    }

    #[test]
    fn a_request_comes_back_and_knows_its_signer() {
        let signed = request().sign(asked(), &sample::key(0)).unwrap();
        let carried = CarriedRequest::decode(&signed.encode()).unwrap();
        assert_eq!(carried.request, request());
        assert_eq!(*carried.sender(), sample::node(0));
        assert!(carried.is_of(GroupId([1; 32]), &sample::key(0).public()));
        assert!(!carried.is_of(GroupId([2; 32]), &sample::key(0).public()));
        assert!(!carried.is_of(GroupId([1; 32]), &sample::key(1).public()));
        assert!(carried.names(&sample::leaf(0, 1), &sample::leaf(0, 2)));
        assert!(!carried.names(&sample::leaf(0, 2), &sample::leaf(0, 2)));
        assert!(!carried.names(&sample::leaf(0, 1), &sample::leaf(1, 2)));
    }

    #[test]
    fn other_notices_and_cuts_are_no_requests() {
        let mut notice = request().sign(asked(), &sample::key(0)).unwrap().notice().clone();
        for cut in 0..notice.detail.len() {
            let short = Notice { detail: notice.detail[..cut].to_vec(), ..notice.clone() };
            assert!(RejoinRequest::read(&short).is_err(), "cut at {cut}");
        }
        notice.kind = NoticeKind::Leave;
        assert_eq!(RejoinRequest::read(&notice), Err(NoticeError::Range("kind")));
    }
}
