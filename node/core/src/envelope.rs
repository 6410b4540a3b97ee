//! What travels inside MLS: envelopes, packs of them, their padding and chunking.
//!
//! Many envelopes go into one pack and one MLS message, so that signature and ratchet are
//! paid once; a pack is padded to one of four sizes, so that its length says little; an
//! envelope too large for a pack travels in chunks. Bytes are made in [`crate::wire`].

use std::ops::Range;

use crate::alert::Alert;
use crate::audit::SignedAuditHead;
use crate::id::{
    Digest, EnvelopeId, Epoch, GroupId, LineageId, NodeId, ObjectId, OperatorId, OrganisationId,
    Sequence, TokenRequestId,
};
use crate::matching::shown::{PairHalf, Tags};
use crate::pseudonym::key::{Class, Generation, KeyEpoch};
use crate::time::Instant;
use crate::trust::keys::Signature;

/// The sizes of a padded pack, in bytes, ascending.
pub const SIZES: [usize; 4] = [1 << 10, 4 << 10, 16 << 10, 64 << 10];
/// The largest encoded pack, in bytes.
pub const PACK_BYTES_MAX: usize = (64 << 10) - LENGTH_BYTES;
/// What all encoded envelopes of one pack may take together, each with its frame: the
/// rest is left for the pack's head.
pub const ENVELOPES_BYTES_MAX: usize = PACK_BYTES_MAX - 512;
/// The most chunks of one envelope.
pub const CHUNKS_MAX: usize = 64;
/// The largest part of one chunk, in bytes: the rest is left for the envelope around it.
pub const CHUNK_PART_BYTES_MAX: usize = ENVELOPES_BYTES_MAX - ENVELOPE_FRAME_BYTES - 512;

/// Length prefix of a padded pack.
const LENGTH_BYTES: usize = 4;
/// Protobuf key and length before an envelope in a pack.
const ENVELOPE_FRAME_BYTES: usize = 4;

/// Why bytes cannot be packed, or are no pack. What is said of padding, mismatch and
/// chunks is the sender's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Too large even for chunks, or a pack that no size holds.
    #[error("{bytes} bytes are too many, at most {bytes_max} are allowed")]
    TooLarge {
        /// What there is.
        bytes: usize,
        /// What is allowed.
        bytes_max: usize,
    },
    /// The plaintext has none of the four sizes, a wrong length, or no zeros at its end.
    #[error("the pack is not padded as it must be")]
    Padding,
    /// The pack says another group, epoch or sender than MLS authenticated.
    #[error("the pack's {0} is not the one that MLS authenticated")]
    Mismatch(&'static str),
    /// Chunks of one envelope contradict each other.
    #[error("the chunks contradict each other")]
    Chunks,
}

impl EnvelopeError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::TooLarge { .. } => "too_large",
            Self::Padding => "bad_padding",
            Self::Mismatch(_) => "pack_mismatch",
            Self::Chunks => "bad_chunks",
        }
    }
}

/// What a pack says of itself, beside its envelopes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackHead {
    /// The MLS group.
    pub group: GroupId,
    /// The MLS epoch.
    pub epoch: Epoch,
    /// The sender.
    pub sender: NodeId,
    /// The newest place of the log that the sender has processed.
    pub echo: Echo,
    /// Version of the statement in force at the sender.
    pub statement_version: u64,
}

impl PackHead {
    /// Checks the head against what MLS authenticated.
    ///
    /// # Errors
    /// [`EnvelopeError::Mismatch`], naming what differs.
    pub fn check(
        &self,
        group: GroupId,
        epoch: Epoch,
        sender: &NodeId,
    ) -> Result<(), EnvelopeError> {
        let same = [
            (self.group == group, "group"),
            (self.epoch == epoch, "epoch"),
            (self.sender == *sender, "sender"),
        ];
        let broken = same.into_iter().find(|(holds, _)| !holds);
        broken.map_or(Ok(()), |(_, field)| Err(EnvelopeError::Mismatch(field)))
    }
}

/// What a sender believes about the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Echo {
    /// Newest processed entry; 0 before the first.
    pub sequence: Sequence,
    /// Chained head there.
    pub head: Digest,
    /// Epoch authenticator (RFC 9420 §8.7) of the sender's epoch, at most 64 bytes.
    pub authenticator: Vec<u8>,
    /// The hub's signature over the checkpoint of exactly this place, in the pack's epoch.
    pub signature: Option<Signature>,
}

/// One thing said by one node, applied at most once by each receiver.
#[derive(Clone, Debug, PartialEq)]
pub struct Envelope {
    /// With lineage and origin, the key of deduplication.
    pub id: EnvelopeId,
    /// The équipe.
    pub lineage: LineageId,
    /// The sender's running number in this lineage, from 1.
    pub number: u64,
    /// When it was said, by the sender's clock.
    pub said_at: Instant,
    /// Who said it; absent where the node itself speaks.
    pub author: Option<Author>,
    /// What is said.
    pub body: Body,
}

/// The operator behind an envelope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Opaque.
    pub operator: OperatorId,
    /// The operator's role.
    pub role: String,
    /// Opaque.
    pub organisation: OrganisationId,
    /// The organisation's class.
    pub organisation_class: String,
}

/// What an envelope says.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most are of the large one: nothing is saved")]
pub enum Body {
    /// A change of a shared object.
    ObjectEvent(ObjectEvent),
    /// What the sender has processed.
    Receipt(Receipt),
    /// Objects that operators at the sender have opened.
    ReadReceipt(Vec<ObjectId>),
    /// A part of a large envelope.
    Chunk(Chunk),
    /// Something for one member alone.
    Sealed(Sealed),
    /// Tags of one object, for some members.
    Tags(Tags),
    /// An event of a match, sealed to one member who is not named (`crate::matching::letter`).
    MatchEvent(Vec<u8>),
    /// Inside a letter: the sender's half of what the two nodes share.
    PairHalf(PairHalf),
    /// How a key is to be made or shared anew.
    KeyPlan(KeyPlan),
    /// A message of a ceremony: canonical `key-act` (`pseudonym::ceremony::Act`).
    KeyAct(Vec<u8>),
    /// The sender's administrator asks for another key in the place of one.
    KeyRenewal(KeyRenewal),
    /// Values that the members are to turn into tokens.
    TokenRequest(TokenRequest),
    /// What one member makes of a request.
    TokenAnswer(TokenAnswer),
    /// Asks a member what the hub has signed for it.
    CheckpointRequest(NodeId),
    /// What the hub has signed for the sender.
    CheckpointCopy(CheckpointCopy),
    /// Where the sender's audit chain ends; unverified.
    AuditHead(SignedAuditHead),
}

/// The newest that the hub has signed for a member: bytes and signature, both unverified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointCopy {
    /// Canonical `checkpoint`.
    pub checkpoint: Vec<u8>,
    /// The hub's signature over it.
    pub signature: Signature,
}

/// How a key is to be made or shared anew, for all members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPlan {
    /// Canonical `key-plan` (`pseudonym::ceremony::Plan`).
    pub plan: Vec<u8>,
    /// Canonical `key-sharing` in force, for members that do not have it yet; empty before
    /// the first.
    pub current: Vec<u8>,
}

/// An administrator asks for another key in the place of this one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyRenewal {
    /// Whose key.
    pub class: Class,
    /// Which of the class's keys.
    pub key_epoch: KeyEpoch,
}

/// Values that the members are to turn into tokens, blinded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRequest {
    /// Opaque; a repetition has the same.
    pub request: TokenRequestId,
    /// Whose key.
    pub class: Class,
    /// Which of the class's keys.
    pub key_epoch: KeyEpoch,
    /// 1 to 1,000 elements of 32 bytes (`pseudonym::evaluation::BATCH_MAX`).
    pub blinded: Vec<[u8; 32]>,
    /// How often it was asked before, from 0.
    pub attempt: u32,
}

/// What one member makes of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenAnswer {
    /// Which request.
    pub request: TokenRequestId,
    /// With a share of which sharing of the key.
    pub generation: Generation,
    /// Canonical `key-evaluation` (`pseudonym::evaluation::Evaluation`).
    pub evaluation: Vec<u8>,
}

/// A change of one shared object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectEvent {
    /// The object.
    pub object: ObjectId,
    /// The version that this event makes, from 1.
    pub version: u64,
    /// What changes.
    pub change: Change,
}

/// What happens to an object.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "most are of the large one: nothing is saved")]
pub enum Change {
    /// It becomes known to the members.
    Share(Share),
    /// It ends.
    Withdrawal {
        /// From the list `withdrawal_reason`.
        reason: String,
    },
}

/// What makes an object known: its content, and the rules of its reading.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// Under which rules.
    pub label: Label,
    /// The alert, without id and expiry, which event and label carry.
    pub alert: Alert,
}

/// Under which rules an object may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// From the pact's purposes.
    pub purpose: String,
    /// Organisation classes that may read it.
    pub recipient_classes: Vec<String>,
    /// When it is erased everywhere.
    pub expires_at: Instant,
    /// Whether a receiver may share it further.
    pub onward_sharing: bool,
}

/// Cumulative: all up to this place is durable and processed at the sender, but for what
/// it set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// The place in the log.
    pub processed: Sequence,
    /// What could not be processed.
    pub set_aside: Vec<SetAside>,
}

/// What could not be processed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetAside {
    /// The entry.
    pub sequence: Sequence,
    /// The envelope; none when the whole entry could not be read.
    pub envelope: Option<EnvelopeId>,
    /// Stable, snake case.
    pub reason: String,
}

/// A part of an encoded envelope that does not fit into one pack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    /// The whole.
    pub whole: EnvelopeId,
    /// Place of this part, from 0.
    pub index: u32,
    /// Number of parts, 2 to [`CHUNKS_MAX`].
    pub count: u32,
    /// 1 to [`CHUNK_PART_BYTES_MAX`] bytes.
    pub part: Vec<u8>,
}

/// An envelope for one member alone, opened by [`crate::letter::open`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// The member.
    pub recipient: NodeId,
    /// Sealed to its card's key.
    pub letter: Vec<u8>,
}

/// Pads an encoded pack: `length (4 bytes, big-endian) ‖ pack ‖ zeros`, to the smallest of
/// [`SIZES`] that holds it.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] above [`PACK_BYTES_MAX`].
pub fn pad(pack: &[u8]) -> Result<Vec<u8>, EnvelopeError> {
    let size = size_of(pack.len())?;
    // No pack reaches 4 GiB: the largest size is 64 KiB.
    let length = u32::try_from(pack.len()).unwrap_or(u32::MAX);
    let mut padded = Vec::with_capacity(size);
    padded.extend_from_slice(&length.to_be_bytes());
    padded.extend_from_slice(pack);
    padded.resize(size, 0);
    Ok(padded)
}

/// Takes the padding off.
///
/// # Errors
/// [`EnvelopeError::Padding`] unless [`pad`] made these bytes.
pub fn unpad(padded: &[u8]) -> Result<&[u8], EnvelopeError> {
    let (length, rest) = padded.split_first_chunk().ok_or(EnvelopeError::Padding)?;
    let length = u32::from_be_bytes(*length) as usize;
    let (pack, zeros) = rest.split_at_checked(length).ok_or(EnvelopeError::Padding)?;
    let exact = size_of(length) == Ok(padded.len()) && zeros.iter().all(|byte| *byte == 0);
    if exact { Ok(pack) } else { Err(EnvelopeError::Padding) }
}

fn size_of(pack_bytes: usize) -> Result<usize, EnvelopeError> {
    let held = SIZES.into_iter().find(|size| pack_bytes.saturating_add(LENGTH_BYTES) <= *size);
    held.ok_or(EnvelopeError::TooLarge { bytes: pack_bytes, bytes_max: PACK_BYTES_MAX })
}

/// Whether an encoded envelope of this length fits into a pack; else it is chunked.
pub fn fits(envelope_bytes: usize) -> bool {
    envelope_bytes.saturating_add(ENVELOPE_FRAME_BYTES) <= ENVELOPES_BYTES_MAX
}

/// Groups encoded envelopes, by their lengths and in their order, into as few packs as
/// filling one after the other gives, with at most `count_max` in each: each range is one
/// pack.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] when one does not [fit](fits).
pub fn groups(
    envelope_bytes: impl IntoIterator<Item = usize>,
    count_max: usize,
) -> Result<Vec<Range<usize>>, EnvelopeError> {
    let mut groups = Vec::new();
    let mut open = 0..0;
    let mut filled = 0;
    for bytes in envelope_bytes {
        if !fits(bytes) {
            let bytes_max = ENVELOPES_BYTES_MAX - ENVELOPE_FRAME_BYTES;
            return Err(EnvelopeError::TooLarge { bytes, bytes_max });
        }
        let framed = bytes + ENVELOPE_FRAME_BYTES;
        let full = filled + framed > ENVELOPES_BYTES_MAX || open.len() >= count_max;
        if full && !open.is_empty() {
            groups.push(open.clone());
            open = open.end..open.end;
            filled = 0;
        }
        open.end += 1;
        filled += framed;
    }
    if !open.is_empty() {
        groups.push(open);
    }
    Ok(groups)
}

/// Cuts an encoded envelope that does not fit into a pack.
///
/// # Errors
/// [`EnvelopeError::TooLarge`] above [`CHUNKS_MAX`] full parts.
pub fn chunks(whole: EnvelopeId, envelope: &[u8]) -> Result<Vec<Chunk>, EnvelopeError> {
    let bytes_max = CHUNKS_MAX * CHUNK_PART_BYTES_MAX;
    let too_large = EnvelopeError::TooLarge { bytes: envelope.len(), bytes_max };
    let parts = envelope.chunks(CHUNK_PART_BYTES_MAX);
    let count = u32::try_from(parts.len()).map_err(|_| too_large.clone())?;
    if envelope.len() > bytes_max {
        return Err(too_large);
    }
    let chunk = |(index, part): (u32, &[u8])| Chunk { whole, index, count, part: part.to_vec() };
    Ok((0..count).zip(parts).map(chunk).collect())
}

/// Joins the chunks of one envelope, in whatever order they came; nothing while parts are
/// missing.
///
/// # Errors
/// [`EnvelopeError::Chunks`] when they are of different wholes or counts, or two of one
/// place differ.
pub fn join_chunks(chunks: &[Chunk]) -> Result<Option<Vec<u8>>, EnvelopeError> {
    let Some(first) = chunks.first() else { return Ok(None) };
    let mut parts = std::collections::BTreeMap::new();
    for chunk in chunks {
        let same = (chunk.whole, chunk.count) == (first.whole, first.count);
        let agrees = parts.insert(chunk.index, &chunk.part).is_none_or(|part| *part == chunk.part);
        if !same || !agrees || chunk.index >= chunk.count {
            return Err(EnvelopeError::Chunks);
        }
    }
    if parts.len() != first.count as usize {
        return Ok(None);
    }
    Ok(Some(parts.into_values().flatten().copied().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_has_four_sizes() {
        let check = |bytes: usize, size: usize| {
            let pack = vec![7; bytes];
            let padded = pad(&pack).unwrap();
            assert_eq!(padded.len(), size, "{bytes}");
            assert_eq!(unpad(&padded), Ok(pack.as_slice()), "{bytes}");
        };
        check(0, 1 << 10);
        check(1020, 1 << 10);
        check(1021, 4 << 10);
        check(4092, 4 << 10);
        check(4093, 16 << 10);
        check(16380, 16 << 10);
        check(16381, 64 << 10);
        check(PACK_BYTES_MAX, 64 << 10);
        let too_large = pad(&vec![0; PACK_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(too_large.reason(), "too_large");
    }

    #[test]
    fn other_padding_is_refused() {
        let check = |bend: fn(&mut Vec<u8>)| {
            let mut padded = pad(&[7; 10]).unwrap();
            bend(&mut padded);
            assert_eq!(unpad(&padded), Err(EnvelopeError::Padding));
        };
        check(|padded| padded.clear());
        check(|padded| padded.truncate(1023));
        check(|padded| padded.push(0));
        check(|padded| padded.resize(4 << 10, 0));
        check(|padded| *padded.last_mut().unwrap() = 1);
        check(|padded| padded[3] = 9);
        check(|padded| padded[0] = 255);
    }

    #[test]
    fn packs_are_filled_in_order() {
        // Each pack by where it ends.
        let check_at_most = |count_max, lengths: &[usize], ends: &[usize]| {
            let groups = groups(lengths.iter().copied(), count_max).unwrap();
            let mut starts = vec![0];
            starts.extend_from_slice(ends);
            assert!(groups.iter().map(|group| group.start).eq(starts[..ends.len()].to_vec()));
            assert!(groups.iter().map(|group| group.end).eq(ends.to_vec()), "{lengths:?}");
        };
        let check = |lengths: &[usize], ends: &[usize]| check_at_most(usize::MAX, lengths, ends);
        let most = ENVELOPES_BYTES_MAX - ENVELOPE_FRAME_BYTES;
        check(&[], &[]);
        check(&[1], &[1]);
        check(&[most], &[1]);
        check(&[most, 1], &[1, 2]);
        check(&[1, most, 1, 1], &[1, 2, 4]);
        check(&[most / 2, most / 2, 1], &[1, 3]);
        check_at_most(1, &[], &[]);
        check_at_most(1, &[1, 1, most], &[1, 2, 3]);
        check_at_most(2, &[1, 1, 1], &[2, 3]);
        check_at_most(2, &[1, most, 1, 1], &[1, 2, 4]);
        assert!(groups([1, most + 1], usize::MAX).is_err());
    }

    #[test]
    fn chunks_join_in_any_order() {
        let whole = EnvelopeId([1; 16]);
        let envelope: Vec<u8> = (0..150_000_u32).map(|at| (at % 251) as u8).collect();
        let mut parts = chunks(whole, &envelope).unwrap();
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|chunk| fits(chunk.part.len() + 512)));
        parts.reverse();
        assert_eq!(join_chunks(&parts[..2]), Ok(None));
        assert_eq!(join_chunks(&[]), Ok(None));
        parts.push(parts[0].clone());
        assert_eq!(join_chunks(&parts), Ok(Some(envelope)));
        let most = CHUNKS_MAX * CHUNK_PART_BYTES_MAX;
        assert_eq!(chunks(whole, &vec![0; most]).map(|parts| parts.len()), Ok(CHUNKS_MAX));
        assert!(chunks(whole, &vec![0; most + 1]).is_err());
    }

    #[test]
    fn contradicting_chunks_are_refused() {
        let check = |bend: fn(&mut Chunk)| {
            let mut parts = chunks(EnvelopeId([1; 16]), &vec![0; 150_000]).unwrap();
            parts.push(parts[0].clone());
            bend(&mut parts[3]);
            assert_eq!(join_chunks(&parts), Err(EnvelopeError::Chunks));
        };
        check(|chunk| chunk.whole = EnvelopeId([2; 16]));
        check(|chunk| chunk.count = 4);
        check(|chunk| chunk.part = vec![1]);
        check(|chunk| chunk.index = 3);
    }

    #[test]
    fn a_pack_is_what_mls_authenticated() {
        let sender: NodeId = "umbria".parse().unwrap();
        let (sequence, head) = (Sequence(1), Digest::ZERO);
        let echo = Echo { sequence, head, authenticator: Vec::new(), signature: None };
        let head = PackHead {
            group: GroupId([1; 32]),
            epoch: Epoch(2),
            sender: sender.clone(),
            echo,
            statement_version: 1,
        };
        let check = |group: u8, epoch, sender: &str, expected| {
            let sender: NodeId = sender.parse().unwrap();
            assert_eq!(head.check(GroupId([group; 32]), Epoch(epoch), &sender), expected);
        };
        check(1, 2, "umbria", Ok(()));
        check(2, 2, "umbria", Err(EnvelopeError::Mismatch("group")));
        check(1, 3, "umbria", Err(EnvelopeError::Mismatch("epoch")));
        check(1, 2, "toscana", Err(EnvelopeError::Mismatch("sender")));
    }
}
