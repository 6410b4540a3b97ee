//! Between protobuf messages and plain values: the one place of the core that names
//! protobuf types. Here those of `alert/v1`; [`trust`], [`hub`], [`offer`] and [`seed`] have their packages'.

mod evidence;
pub mod hub;
mod matching;
pub mod offer;
mod pseudonym;
pub mod seed;
pub mod trust;

use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint};
use raccordo_proto::alert::v1 as proto;

use crate::envelope::{
    Author, Body, CHUNK_PART_BYTES_MAX, CHUNKS_MAX, Change, Chunk, Echo, Envelope, Label,
    ObjectEvent, PackHead, Receipt, Sealed, SetAside, Share,
};
use crate::id::{
    Digest, EnvelopeId, Epoch, GroupId, IdError, LineageId, ObjectId, OperatorId, OrganisationId,
    Sequence,
};
use crate::number;
use crate::reason;
use crate::time::Instant;

/// Number of the field `envelopes` in `Pack`.
const PACK_ENVELOPES: u32 = 6;

/// Why a decrypted message cannot be read: the sender's fault, or it is newer than we are.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// The bytes are not the protobuf message.
    #[error("not the expected message: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// A field is missing, or has another length or alphabet than it may.
    #[error("the field {0} is missing or malformed")]
    Field(&'static str),
    /// A number or time is beyond what is taken from others ([`crate::number`]).
    #[error("the field {0} is out of range")]
    Range(&'static str),
    /// The body or change is of a kind that this program does not know.
    #[error("a kind of body that this program does not know")]
    UnknownBody,
}

impl WireError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Protobuf(_) => "bad_protobuf",
            Self::Field(_) => "bad_field",
            Self::Range(_) => "out_of_range",
            Self::UnknownBody => "unknown_body",
        }
    }
}

/// An envelope of a readable pack that cannot be read itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its id, when at least that is readable.
    pub envelope: Option<EnvelopeId>,
    /// Why.
    pub error: WireError,
}

/// A pack as received: each envelope by itself, so that a bad one is set aside alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Pack {
    /// What the pack says of itself.
    pub head: PackHead,
    /// In the order in which they are to be applied.
    pub envelopes: Vec<Result<Envelope, Unreadable>>,
}

/// Encodes a pack of envelopes that are encoded already.
pub fn encode_pack(head: &PackHead, envelopes: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let echo = proto::Echo {
        sequence: head.echo.sequence.0,
        head: head.echo.head.0.to_vec(),
        epoch_authenticator: head.echo.authenticator.clone(),
        checkpoint_signature: head.echo.signature.map(Vec::from).unwrap_or_default(),
    };
    let pack = proto::Pack {
        group_id: head.group.0.to_vec(),
        epoch: head.epoch.0,
        sender: head.sender.to_string(),
        echo: Some(echo),
        statement_version: head.statement_version,
        envelopes: Vec::new(),
    };
    let mut bytes = pack.encode_to_vec();
    for envelope in envelopes {
        let envelope = envelope.as_ref();
        encode_key(PACK_ENVELOPES, WireType::LengthDelimited, &mut bytes);
        encode_varint(envelope.len() as u64, &mut bytes);
        bytes.extend_from_slice(envelope);
    }
    bytes
}

/// Decodes a pack.
///
/// # Errors
/// [`WireError`] when the pack or its head cannot be read; envelopes fail by themselves.
pub fn decode_pack(bytes: &[u8]) -> Result<Pack, WireError> {
    let pack = proto::Pack::decode(bytes)?;
    let echo = pack.echo.ok_or(WireError::Field("echo"))?;
    let head = PackHead {
        group: id::<GroupId>(&pack.group_id, "group_id")?,
        epoch: epoch(pack.epoch, "epoch")?,
        sender: pack.sender.parse().map_err(|_| WireError::Field("sender"))?,
        echo: Echo {
            sequence: sequence(echo.sequence, "echo.sequence")?,
            head: id::<Digest>(&echo.head, "head")?,
            authenticator: echo.epoch_authenticator,
            signature: match echo.checkpoint_signature.as_slice() {
                [] => None,
                bytes => {
                    let field = |_| WireError::Field("checkpoint_signature");
                    Some(bytes.try_into().map_err(field)?)
                }
            },
        },
        statement_version: count(pack.statement_version, "statement_version")?,
    };
    if head.echo.authenticator.len() > 64 {
        return Err(WireError::Field("epoch_authenticator"));
    }
    let read = |envelope: proto::Envelope| {
        let id = EnvelopeId::try_from(envelope.envelope_id.as_slice()).ok();
        read_envelope(envelope).map_err(|error| Unreadable { envelope: id, error })
    };
    Ok(Pack { head, envelopes: pack.envelopes.into_iter().map(read).collect() })
}

/// Encodes one envelope, as it is stored until all members have it.
pub fn encode_envelope(envelope: &Envelope) -> Vec<u8> {
    proto::Envelope {
        envelope_id: envelope.id.0.to_vec(),
        lineage: envelope.lineage.0.to_vec(),
        number: envelope.number,
        said_at_ms: envelope.said_at.0,
        author: envelope.author.as_ref().map(write_author),
        body: Some(write_body(&envelope.body)),
    }
    .encode_to_vec()
}

/// Encodes label and alert together, as an object is kept at rest.
pub fn encode_share(share: &Share) -> Vec<u8> {
    write_share(share).encode_to_vec()
}

/// Decodes what [`encode_share`] made.
///
/// # Errors
/// [`WireError`].
pub fn decode_share(bytes: &[u8]) -> Result<Share, WireError> {
    read_share(proto::Share::decode(bytes)?)
}

/// Encodes an author, as it is kept at rest.
pub fn encode_author(author: &Author) -> Vec<u8> {
    write_author(author).encode_to_vec()
}

/// Decodes what [`encode_author`] made.
///
/// # Errors
/// [`WireError`].
pub fn decode_author(bytes: &[u8]) -> Result<Author, WireError> {
    read_author(proto::Author::decode(bytes)?)
}

/// Decodes one envelope.
///
/// # Errors
/// [`WireError`].
pub fn decode_envelope(bytes: &[u8]) -> Result<Envelope, WireError> {
    read_envelope(proto::Envelope::decode(bytes)?)
}

/// Gives an encoded envelope its running number: it is queued without one, and the whole of
/// chunks has that of the chunk that completed it.
///
/// # Errors
/// [`WireError`] when it is no envelope, or the number is 0.
pub fn number_envelope(bytes: &[u8], number: u64) -> Result<Vec<u8>, WireError> {
    let envelope = proto::Envelope { number, ..proto::Envelope::decode(bytes)? };
    let encoded = envelope.encode_to_vec();
    read_envelope(envelope)?;
    Ok(encoded)
}

/// Takes what an encoded envelope says out of it, numbered or not: it keeps id, équipe, number
/// and time, and tells that nothing was read.
///
/// # Errors
/// [`WireError`] when it is no envelope.
pub fn blank_envelope(bytes: &[u8]) -> Result<Vec<u8>, WireError> {
    let nothing = proto::ReadReceipt { object_ids: Vec::new() };
    let body = Some(proto::envelope::Body::ReadReceipt(nothing));
    let envelope = proto::Envelope::decode(bytes)?;
    Ok(proto::Envelope { author: None, body, ..envelope }.encode_to_vec())
}

fn write_body(body: &Body) -> proto::envelope::Body {
    use proto::envelope::Body as Wire;
    match body {
        Body::ObjectEvent(event) => Wire::ObjectEvent(write_event(event)),
        Body::Receipt(receipt) => Wire::Receipt(proto::Receipt {
            processed_sequence: receipt.processed.0,
            set_aside: receipt.set_aside.iter().map(write_set_aside).collect(),
        }),
        Body::ReadReceipt(objects) => Wire::ReadReceipt(proto::ReadReceipt {
            object_ids: objects.iter().map(|object| object.as_bytes().to_vec()).collect(),
        }),
        Body::Chunk(chunk) => Wire::Chunk(proto::Chunk {
            whole_id: chunk.whole.0.to_vec(),
            index: chunk.index,
            count: chunk.count,
            part: chunk.part.clone(),
        }),
        Body::Sealed(sealed) => Wire::Sealed(proto::Sealed {
            recipient: sealed.recipient.to_string(),
            letter: sealed.letter.clone(),
        }),
        Body::Tags(tags) => Wire::Tags(matching::write_tags(tags)),
        Body::MatchEvent(letter) => Wire::MatchEvent(proto::MatchEvent { letter: letter.clone() }),
        Body::PairHalf(half) => Wire::PairHalf(matching::write_half(half)),
        Body::KeyPlan(plan) => Wire::KeyPlan(pseudonym::write_plan(plan)),
        Body::KeyAct(act) => Wire::KeyAct(proto::KeyAct { act: act.clone() }),
        Body::KeyRenewal(renewal) => Wire::KeyRenewal(pseudonym::write_renewal(renewal)),
        Body::TokenRequest(request) => Wire::TokenRequest(pseudonym::write_request(request)),
        Body::TokenAnswer(answer) => Wire::TokenAnswer(pseudonym::write_answer(answer)),
        Body::CheckpointRequest(member) => {
            Wire::CheckpointRequest(proto::CheckpointRequest { member: member.to_string() })
        }
        Body::CheckpointCopy(copy) => Wire::CheckpointCopy(evidence::write_copy(copy)),
        Body::AuditHead(head) => Wire::AuditHead(proto::AuditHead { head: head.encode() }),
    }
}

fn write_author(author: &Author) -> proto::Author {
    proto::Author {
        operator_id: author.operator.to_string(),
        role: author.role.clone(),
        organisation_id: author.organisation.to_string(),
        organisation_class: author.organisation_class.clone(),
    }
}

/// A label as a message, for those who show it.
pub fn write_label(label: &Label) -> proto::Label {
    proto::Label {
        purpose: label.purpose.clone(),
        recipient_classes: label.recipient_classes.clone(),
        expires_at_ms: label.expires_at.0,
        onward_sharing: label.onward_sharing,
    }
}

fn write_share(share: &Share) -> proto::Share {
    proto::Share { label: Some(write_label(&share.label)), alert: Some(share.alert.clone()) }
}

fn write_event(event: &ObjectEvent) -> proto::ObjectEvent {
    use proto::object_event::Change as Wire;
    let change = match &event.change {
        Change::Share(share) => Wire::Share(write_share(share)),
        Change::Withdrawal { reason } => {
            Wire::Withdrawal(proto::Withdrawal { reason: reason.clone() })
        }
    };
    let object_id = event.object.as_bytes().to_vec();
    proto::ObjectEvent { object_id, version: event.version, change: Some(change) }
}

fn write_set_aside(set_aside: &SetAside) -> proto::SetAside {
    proto::SetAside {
        sequence: set_aside.sequence.0,
        envelope_id: set_aside.envelope.map_or_else(Vec::new, |id| id.0.to_vec()),
        reason: set_aside.reason.clone(),
    }
}

fn read_envelope(envelope: proto::Envelope) -> Result<Envelope, WireError> {
    Ok(Envelope {
        id: id(&envelope.envelope_id, "envelope_id")?,
        lineage: id::<LineageId>(&envelope.lineage, "lineage")?,
        number: from_one(envelope.number, "number")?,
        said_at: instant(envelope.said_at_ms, "said_at_ms")?,
        author: envelope.author.map(read_author).transpose()?,
        body: read_body(envelope.body.ok_or(WireError::UnknownBody)?)?,
    })
}

fn read_author(author: proto::Author) -> Result<Author, WireError> {
    let operator = author.operator_id.parse::<OperatorId>();
    let organisation = author.organisation_id.parse::<OrganisationId>();
    Ok(Author {
        operator: operator.map_err(|_| WireError::Field("operator_id"))?,
        role: code(author.role, "role")?,
        organisation: organisation.map_err(|_| WireError::Field("organisation_id"))?,
        organisation_class: code(author.organisation_class, "organisation_class")?,
    })
}

fn read_body(body: proto::envelope::Body) -> Result<Body, WireError> {
    use proto::envelope::Body as Wire;
    match body {
        Wire::ObjectEvent(event) => read_event(event).map(Body::ObjectEvent),
        Wire::Receipt(receipt) => {
            let set_aside = receipt.set_aside.into_iter().map(read_set_aside);
            let processed = sequence(receipt.processed_sequence, "processed_sequence")?;
            Ok(Body::Receipt(Receipt {
                processed,
                set_aside: set_aside.collect::<Result<_, _>>()?,
            }))
        }
        Wire::ReadReceipt(receipt) => {
            let objects =
                receipt.object_ids.iter().map(|bytes| id::<ObjectId>(bytes, "object_ids"));
            Ok(Body::ReadReceipt(objects.collect::<Result<_, _>>()?))
        }
        Wire::Chunk(chunk) => read_chunk(chunk).map(Body::Chunk),
        Wire::Sealed(sealed) => {
            let recipient = sealed.recipient.parse().map_err(|_| WireError::Field("recipient"))?;
            Ok(Body::Sealed(Sealed { recipient, letter: sealed.letter }))
        }
        Wire::Tags(tags) => matching::read_tags(tags).map(Body::Tags),
        Wire::MatchEvent(event) => Ok(Body::MatchEvent(event.letter)),
        Wire::PairHalf(half) => matching::read_half(half).map(Body::PairHalf),
        Wire::KeyPlan(plan) => pseudonym::read_plan(plan).map(Body::KeyPlan),
        Wire::KeyAct(act) => pseudonym::read_act(act).map(Body::KeyAct),
        Wire::KeyRenewal(renewal) => pseudonym::read_renewal(&renewal).map(Body::KeyRenewal),
        Wire::TokenRequest(request) => pseudonym::read_request(request).map(Body::TokenRequest),
        Wire::TokenAnswer(answer) => pseudonym::read_answer(answer).map(Body::TokenAnswer),
        Wire::CheckpointRequest(asked) => evidence::read_request(&asked),
        Wire::CheckpointCopy(copy) => evidence::read_copy(copy),
        Wire::AuditHead(head) => evidence::read_head(&head),
    }
}

fn read_event(event: proto::ObjectEvent) -> Result<ObjectEvent, WireError> {
    use proto::object_event::Change as Wire;
    let change = match event.change.ok_or(WireError::UnknownBody)? {
        Wire::Share(share) => Change::Share(read_share(share)?),
        Wire::Withdrawal(withdrawal) => {
            Change::Withdrawal { reason: code(withdrawal.reason, "reason")? }
        }
    };
    let object = id::<ObjectId>(&event.object_id, "object_id")?;
    Ok(ObjectEvent { object, version: from_one(event.version, "version")?, change })
}

fn read_share(share: proto::Share) -> Result<Share, WireError> {
    let alert = share.alert.ok_or(WireError::Field("alert"))?;
    if alert.body.is_none() {
        return Err(WireError::UnknownBody);
    }
    Ok(Share { label: read_label(share.label.ok_or(WireError::Field("label"))?)?, alert })
}

fn read_label(label: proto::Label) -> Result<Label, WireError> {
    if label.purpose.is_empty() {
        return Err(WireError::Field("purpose"));
    }
    let classes = label.recipient_classes.into_iter();
    Ok(Label {
        purpose: label.purpose,
        recipient_classes: classes
            .map(|class| code(class, "recipient_classes"))
            .collect::<Result<_, _>>()?,
        expires_at: instant(label.expires_at_ms, "expires_at_ms")?,
        onward_sharing: label.onward_sharing,
    })
}

fn read_set_aside(set_aside: proto::SetAside) -> Result<SetAside, WireError> {
    let envelope = match set_aside.envelope_id.as_slice() {
        [] => None,
        bytes => Some(id(bytes, "envelope_id")?),
    };
    let sequence = Sequence(from_one(set_aside.sequence, "sequence")?);
    let reason = set_aside.reason;
    let reason =
        if reason::is_reason(&reason) { Ok(reason) } else { Err(WireError::Field("reason")) };
    Ok(SetAside { sequence, envelope, reason: reason? })
}

fn read_chunk(chunk: proto::Chunk) -> Result<Chunk, WireError> {
    let ranges = [
        ((2..=CHUNKS_MAX as u32).contains(&chunk.count), "count"),
        (chunk.index < chunk.count, "index"),
        ((1..=CHUNK_PART_BYTES_MAX).contains(&chunk.part.len()), "part"),
    ];
    if let Some((_, field)) = ranges.into_iter().find(|(holds, _)| !holds) {
        return Err(WireError::Field(field));
    }
    let whole = id(&chunk.whole_id, "whole_id")?;
    Ok(Chunk { whole, index: chunk.index, count: chunk.count, part: chunk.part })
}

fn id<'a, Id>(bytes: &'a [u8], field: &'static str) -> Result<Id, WireError>
where
    Id: TryFrom<&'a [u8], Error = IdError>,
{
    Id::try_from(bytes).map_err(|_| WireError::Field(field))
}

fn count(number: u64, field: &'static str) -> Result<u64, WireError> {
    number::bounded(number).ok_or(WireError::Range(field))
}

fn from_one(number: u64, field: &'static str) -> Result<u64, WireError> {
    if number == 0 { Err(WireError::Field(field)) } else { count(number, field) }
}

fn sequence(number: u64, field: &'static str) -> Result<Sequence, WireError> {
    count(number, field).map(Sequence)
}

fn epoch(number: u64, field: &'static str) -> Result<Epoch, WireError> {
    count(number, field).map(Epoch)
}

fn instant(ms: i64, field: &'static str) -> Result<Instant, WireError> {
    number::instant(ms).ok_or(WireError::Range(field))
}

/// A code or reason: 1 to 64 lower-case letters, digits and underscores. Whether the list
/// has it is not asked here: a code unknown to a receiver is kept.
fn code(text: String, field: &'static str) -> Result<String, WireError> {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    let good = (1..=64).contains(&text.len()) && text.bytes().all(inner);
    if good { Ok(text) } else { Err(WireError::Field(field)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{ENVELOPES_BYTES_MAX, PACK_BYTES_MAX, chunks, fits};

    fn head() -> PackHead {
        PackHead {
            group: GroupId([1; 32]),
            epoch: Epoch(number::NUMBER_MAX),
            sender: "a".repeat(63).parse().unwrap(),
            echo: Echo {
                sequence: Sequence(number::NUMBER_MAX),
                head: Digest([2; 32]),
                authenticator: vec![3; 64],
                signature: Some([9; 64]),
            },
            statement_version: number::NUMBER_MAX,
        }
    }

    fn envelope(body: Body) -> Envelope {
        Envelope {
            id: EnvelopeId([4; 16]),
            lineage: LineageId([5; 16]),
            number: number::NUMBER_MAX,
            said_at: Instant::LAST,
            author: Some(Author {
                operator: OperatorId(uuid::Uuid::from_bytes([6; 16])),
                role: "r".repeat(64),
                organisation: OrganisationId(uuid::Uuid::from_bytes([7; 16])),
                organisation_class: "c".repeat(64),
            }),
            body,
        }
    }

    #[test]
    fn an_envelope_is_numbered_when_it_is_packed() {
        let numbered = envelope(Body::ReadReceipt(Vec::new()));
        let queued = encode_envelope(&Envelope { number: 0, ..numbered.clone() });
        assert_eq!(decode_envelope(&queued), Err(WireError::Field("number")));
        let packed = number_envelope(&queued, number::NUMBER_MAX).unwrap();
        assert_eq!(decode_envelope(&packed), Ok(numbered));
        assert!(packed.len() <= queued.len() + 11);
        assert_eq!(number_envelope(&queued, 0), Err(WireError::Field("number")));
        let beyond = number_envelope(&queued, number::NUMBER_MAX + 1);
        assert_eq!(beyond, Err(WireError::Range("number")));
        assert!(number_envelope(b"none", 1).is_err());
    }

    #[test]
    fn a_blank_envelope_says_nothing_in_its_place() {
        let numbered = envelope(share());
        let queued = Envelope { number: 0, ..numbered.clone() };
        let blank = |envelope| blank_envelope(&encode_envelope(envelope)).unwrap();
        let body = Body::ReadReceipt(Vec::new());
        let expected = Envelope { author: None, body, ..numbered.clone() };
        assert_eq!(decode_envelope(&blank(&numbered)), Ok(expected.clone()));
        let packed = number_envelope(&blank(&queued), number::NUMBER_MAX).unwrap();
        assert_eq!(decode_envelope(&packed), Ok(expected));
        assert!(blank_envelope(b"none").is_err());
    }

    fn share() -> Body {
        let alert = proto::Alert {
            body: Some(proto::alert::Body::CaseAlert(proto::CaseAlert {
                exploitation: vec!["labour".to_owned()],
                ..Default::default()
            })),
            ..Default::default()
        };
        let label = Label {
            purpose: "protection".to_owned(),
            recipient_classes: vec!["access_point".to_owned()],
            expires_at: Instant(9),
            onward_sharing: false,
        };
        Body::ObjectEvent(ObjectEvent {
            object: ObjectId(uuid::Uuid::from_bytes([8; 16])),
            version: 1,
            change: Change::Share(Share { label, alert }),
        })
    }

    fn receipt() -> Body {
        let aside = |envelope| SetAside {
            sequence: Sequence(3),
            envelope,
            reason: "unknown_body".to_owned(),
        };
        let set_aside = vec![aside(None), aside(Some(EnvelopeId([9; 16])))];
        Body::Receipt(Receipt { processed: Sequence(7), set_aside })
    }

    #[test]
    fn envelopes_are_read_back() {
        let check = |body: Body| {
            let envelope = envelope(body);
            let bytes = encode_envelope(&envelope);
            assert_eq!(decode_envelope(&bytes), Ok(envelope.clone()));
            let pack = decode_pack(&encode_pack(&head(), &[&bytes, &bytes])).unwrap();
            assert_eq!(pack.head, head());
            assert_eq!(pack.envelopes, [Ok(envelope.clone()), Ok(envelope)]);
        };
        check(share());
        check(receipt());
        check(Body::ReadReceipt(vec![ObjectId(uuid::Uuid::from_bytes([1; 16]))]));
        let event = |change| ObjectEvent {
            object: ObjectId(uuid::Uuid::from_bytes([8; 16])),
            version: 2,
            change,
        };
        check(Body::ObjectEvent(event(Change::Withdrawal { reason: "error".to_owned() })));
        check(Body::Chunk(chunks(EnvelopeId([1; 16]), &vec![1; 90_000]).unwrap().remove(1)));
    }

    /// The reserves of [`crate::envelope`] hold for the longest heads.
    #[test]
    fn full_packs_and_chunks_fit() {
        let chunk = chunks(EnvelopeId([1; 16]), &vec![1; 200_000]).unwrap().remove(0);
        let bytes = encode_envelope(&envelope(Body::Chunk(chunk)));
        assert!(fits(bytes.len()), "{}", bytes.len());
        assert!(encode_pack(&head(), &[&bytes]).len() <= PACK_BYTES_MAX);
        let many = vec![vec![0; 12]; ENVELOPES_BYTES_MAX / 16];
        assert!(encode_pack(&head(), &many).len() <= PACK_BYTES_MAX);
        let one = vec![0; ENVELOPES_BYTES_MAX - 4];
        assert!(encode_pack(&head(), &[one]).len() <= PACK_BYTES_MAX);
    }

    fn check_bent(body: Body, bend: impl FnOnce(&mut proto::Envelope), expected: WireError) {
        let bytes = encode_envelope(&envelope(body));
        let mut bent = proto::Envelope::decode(bytes.as_slice()).unwrap();
        bend(&mut bent);
        assert_eq!(decode_envelope(&bent.encode_to_vec()), Err(expected));
    }

    #[test]
    fn bent_envelopes_are_refused() {
        let field = WireError::Field;
        check_bent(receipt(), |it| it.envelope_id.truncate(15), field("envelope_id"));
        check_bent(receipt(), |it| it.lineage.push(0), field("lineage"));
        check_bent(receipt(), |it| it.number = 0, field("number"));
        check_bent(receipt(), |it| it.body = None, WireError::UnknownBody);
        let author = |it: &mut proto::Envelope| it.author.as_mut().unwrap().role = "Boss".into();
        check_bent(receipt(), author, field("role"));
        let event = |change: fn(&mut proto::ObjectEvent)| {
            move |it: &mut proto::Envelope| match &mut it.body {
                Some(proto::envelope::Body::ObjectEvent(event)) => change(event),
                other => panic!("{other:?}"),
            }
        };
        check_bent(share(), event(|it| it.object_id.clear()), field("object_id"));
        check_bent(share(), event(|it| it.version = 0), field("version"));
        check_bent(share(), event(|it| it.change = None), WireError::UnknownBody);
        let share_of = |change: fn(&mut proto::Share)| {
            move |it: &mut proto::Envelope| match &mut it.body {
                Some(proto::envelope::Body::ObjectEvent(proto::ObjectEvent {
                    change: Some(proto::object_event::Change::Share(share)),
                    ..
                })) => change(share),
                other => panic!("{other:?}"),
            }
        };
        check_bent(share(), share_of(|it| it.label = None), field("label"));
        check_bent(share(), share_of(|it| it.alert = None), field("alert"));
        let bodyless = |it: &mut proto::Share| it.alert = Some(proto::Alert::default());
        check_bent(share(), share_of(bodyless), WireError::UnknownBody);
        let chunk = |change: fn(&mut proto::Chunk)| {
            move |it: &mut proto::Envelope| {
                let mut chunk =
                    proto::Chunk { whole_id: vec![1; 16], index: 0, count: 2, part: vec![1] };
                change(&mut chunk);
                it.body = Some(proto::envelope::Body::Chunk(chunk));
            }
        };
        check_bent(receipt(), chunk(|it| it.count = 1), field("count"));
        check_bent(receipt(), chunk(|it| it.count = 65), field("count"));
        check_bent(receipt(), chunk(|it| it.index = 2), field("index"));
        check_bent(receipt(), chunk(|it| it.part.clear()), field("part"));
    }

    #[test]
    fn numbers_beyond_their_bounds_are_refused() {
        const BEYOND: u64 = number::NUMBER_MAX + 1;
        let range = WireError::Range;
        check_bent(receipt(), |it| it.number = BEYOND, range("number"));
        check_bent(receipt(), |it| it.said_at_ms = -1, range("said_at_ms"));
        check_bent(receipt(), |it| it.said_at_ms = i64::MAX, range("said_at_ms"));
        let of_body = |change: fn(&mut proto::envelope::Body)| {
            move |it: &mut proto::Envelope| change(it.body.as_mut().unwrap())
        };
        let processed = of_body(|body| match body {
            proto::envelope::Body::Receipt(it) => it.processed_sequence = u64::MAX,
            other => panic!("{other:?}"),
        });
        check_bent(receipt(), processed, range("processed_sequence"));
        let aside = of_body(|body| match body {
            proto::envelope::Body::Receipt(it) => it.set_aside[0].sequence = BEYOND,
            other => panic!("{other:?}"),
        });
        check_bent(receipt(), aside, range("sequence"));
        let version = of_body(|body| match body {
            proto::envelope::Body::ObjectEvent(it) => it.version = BEYOND,
            other => panic!("{other:?}"),
        });
        check_bent(share(), version, range("version"));

        let none: [&[u8]; 0] = [];
        let check = |change: fn(&mut proto::Pack), field| {
            let mut pack = proto::Pack::decode(&*encode_pack(&head(), &none)).unwrap();
            change(&mut pack);
            assert_eq!(decode_pack(&pack.encode_to_vec()), Err(range(field)));
        };
        check(|it| it.epoch = BEYOND, "epoch");
        check(|it| it.statement_version = BEYOND, "statement_version");
        check(|it| it.echo.as_mut().unwrap().sequence = 1 << 63, "echo.sequence");
    }

    #[test]
    fn a_bad_envelope_leaves_the_others_readable() {
        let good = encode_envelope(&envelope(receipt()));
        let newer = proto::Envelope {
            envelope_id: vec![9; 16],
            lineage: vec![5; 16],
            number: 1,
            ..Default::default()
        };
        let bytes = encode_pack(&head(), &[good, newer.encode_to_vec()]);
        let pack = decode_pack(&bytes).unwrap();
        let unreadable =
            Unreadable { envelope: Some(EnvelopeId([9; 16])), error: WireError::UnknownBody };
        assert_eq!(pack.envelopes, [Ok(envelope(receipt())), Err(unreadable)]);
    }

    #[test]
    fn bad_packs_are_refused() {
        let none: [&[u8]; 0] = [];
        let bytes = encode_pack(&head(), &none);
        assert!(decode_pack(&bytes).is_ok());
        assert_eq!(decode_pack(&bytes[..40]).map_err(|error| error.reason()), Err("bad_protobuf"));
        assert_eq!(decode_pack(&[]), Err(WireError::Field("echo")));
        let long = PackHead { echo: Echo { authenticator: vec![0; 65], ..head().echo }, ..head() };
        let bytes = encode_pack(&long, &none);
        assert_eq!(decode_pack(&bytes), Err(WireError::Field("epoch_authenticator")));
    }
}
