//! What members show each other so that hub and members can be held to what they signed.

use raccordo_proto::alert::v1 as proto;

use super::WireError;
use crate::audit::SignedAuditHead;
use crate::envelope::{Body, CheckpointCopy};

/// The longest canonical checkpoint, in bytes: that of the longest node id fits three times.
const CHECKPOINT_BYTES_MAX: usize = 512;

pub(super) fn write_copy(copy: &CheckpointCopy) -> proto::CheckpointCopy {
    proto::CheckpointCopy {
        checkpoint: copy.checkpoint.clone(),
        checkpoint_signature: copy.signature.to_vec(),
    }
}

pub(super) fn read_request(asked: &proto::CheckpointRequest) -> Result<Body, WireError> {
    let member = asked.member.parse().map_err(|_| WireError::Field("member"))?;
    Ok(Body::CheckpointRequest(member))
}

pub(super) fn read_copy(copy: proto::CheckpointCopy) -> Result<Body, WireError> {
    if copy.checkpoint.len() > CHECKPOINT_BYTES_MAX {
        return Err(WireError::Field("checkpoint"));
    }
    let signature = copy.checkpoint_signature.as_slice().try_into();
    let signature = signature.map_err(|_| WireError::Field("checkpoint_signature"))?;
    Ok(Body::CheckpointCopy(CheckpointCopy { checkpoint: copy.checkpoint, signature }))
}

pub(super) fn read_head(head: &proto::AuditHead) -> Result<Body, WireError> {
    let head = SignedAuditHead::decode(&head.head).map_err(|_| WireError::Field("head"))?;
    Ok(Body::AuditHead(head))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::AuditHead;
    use crate::envelope::Envelope;
    use crate::id::{EnvelopeId, LineageId};
    use crate::time::Instant;
    use crate::trust::sample;
    use crate::wire::{decode_envelope, encode_envelope};

    fn check(body: Body) {
        let envelope = Envelope {
            id: EnvelopeId([1; 16]),
            lineage: LineageId([2; 16]),
            number: 1,
            said_at: Instant(3),
            author: None,
            body,
        };
        assert_eq!(decode_envelope(&encode_envelope(&envelope)), Ok(envelope));
    }

    #[test]
    fn bodies_are_read_back() {
        check(Body::CheckpointRequest(sample::node(1)));
        check(Body::CheckpointCopy(CheckpointCopy { checkpoint: vec![1], signature: [2; 64] }));
        let (node, key) = (sample::node(0), sample::key(0));
        check(Body::AuditHead(SignedAuditHead::sign(node, AuditHead::EMPTY, Instant(4), &key)));
    }

    #[test]
    fn what_is_too_long_or_malformed_is_refused() {
        let copy = |bytes, signature| proto::CheckpointCopy {
            checkpoint: vec![0; bytes],
            checkpoint_signature: vec![0; signature],
        };
        assert!(read_copy(copy(512, 64)).is_ok());
        assert_eq!(read_copy(copy(513, 64)), Err(WireError::Field("checkpoint")));
        assert_eq!(read_copy(copy(1, 63)), Err(WireError::Field("checkpoint_signature")));
        let asked = proto::CheckpointRequest { member: "No Id".into() };
        assert_eq!(read_request(&asked), Err(WireError::Field("member")));
        let head = proto::AuditHead { head: vec![1] };
        assert_eq!(read_head(&head), Err(WireError::Field("head")));
    }
}
