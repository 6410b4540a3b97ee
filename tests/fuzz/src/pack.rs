//! What another member's message holds once it is decrypted: padding, pack, envelopes, chunks,
//! and what is done with each before anything is stored.

use raccordo_core::alert::{self, permit};
use raccordo_core::codes::CodeLists;
use raccordo_core::envelope::{
    Author, Body, Change, Chunk, Echo, Envelope, Label, ObjectEvent, PackHead, Receipt, SetAside,
    Share, chunks, join_chunks, pad, unpad,
};
use raccordo_core::id::{
    Digest, EnvelopeId, Epoch, GroupId, ObjectId, OperatorId, OrganisationId, Sequence,
};
use raccordo_core::number::bounded;
use raccordo_core::wire::{
    decode_author, decode_envelope, decode_pack, decode_share, encode_author, encode_envelope,
    encode_pack, encode_share, number_envelope,
};
use std::sync::LazyLock;

use super::{choice, fixture};

static LISTS: LazyLock<CodeLists> = LazyLock::new(CodeLists::builtin);

/// A byte for the form, then the bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((form, bytes)) = choice(data) else { return false };
    match form % 5 {
        0 => pack(bytes),
        1 => padded(bytes),
        2 => decode_envelope(bytes).is_ok_and(|envelope| self::envelope(&envelope)),
        3 => joined(bytes),
        _ => kept(bytes),
    }
}

fn padded(bytes: &[u8]) -> bool {
    let Ok(inner) = unpad(bytes) else { return false };
    assert_eq!(pad(inner).as_deref(), Ok(bytes));
    pack(inner)
}

fn pack(bytes: &[u8]) -> bool {
    let Ok(read) = decode_pack(bytes) else { return false };
    let head = &read.head;
    // What a database does not hold stops at the decoder.
    for number in [head.epoch.0, head.echo.sequence.0, head.statement_version] {
        assert!(bounded(number).is_some(), "{number}");
    }
    let checked = head.check(head.group, head.epoch, &head.sender);
    assert_eq!(checked, Ok(()));
    let mut good = Vec::new();
    for envelope in &read.envelopes {
        match envelope {
            Ok(envelope) => {
                self::envelope(envelope);
                good.push(encode_envelope(envelope));
            }
            Err(unreadable) => assert!(!unreadable.error.reason().is_empty()),
        }
    }
    let written = encode_pack(head, &good);
    let again = decode_pack(&written).expect("what was read is read again");
    assert_eq!(again.head, read.head);
    assert_eq!(again.envelopes.len(), good.len());
    true
}

fn envelope(envelope: &Envelope) -> bool {
    assert!(bounded(envelope.number).is_some());
    let bytes = encode_envelope(envelope);
    assert_eq!(decode_envelope(&bytes).as_ref(), Ok(envelope));
    let numbered = number_envelope(&bytes, envelope.number);
    assert_eq!(numbered.as_ref(), Ok(&bytes));
    match &envelope.body {
        Body::ObjectEvent(ObjectEvent { change: Change::Share(share), .. }) => shared(share),
        Body::Chunk(chunk) => {
            let _ = join_chunks(std::slice::from_ref(chunk));
        }
        _ => {}
    }
    if let Some(author) = &envelope.author {
        assert_eq!(decode_author(&encode_author(author)).as_ref(), Ok(author));
    }
    true
}

/// An alert of another region: checked, asked of the pact, and known by what it says.
fn shared(share: &Share) {
    let Ok(checked) = alert::check_received(&LISTS, &share.alert, fixture::NOW) else { return };
    let _ = permit(fixture::pact(), &share.alert, &share.label, fixture::NOW);
    let _ = (checked.id(), checked.subject(), checked.expires_at(), checked.present());
    assert_eq!(checked.fields_present(), alert::fields_present(&share.alert));
}

/// What is kept at rest: a share, an author.
fn kept(bytes: &[u8]) -> bool {
    let share = decode_share(bytes);
    if let Ok(share) = &share {
        assert_eq!(decode_share(&encode_share(share)).as_ref(), Ok(share));
        shared(share);
    }
    share.is_ok() | decode_author(bytes).is_ok()
}

/// Chunks that a member sends in whatever order and number.
fn joined(bytes: &[u8]) -> bool {
    let chunk = |part: &[u8]| Chunk {
        whole: EnvelopeId([part.first().copied().unwrap_or_default() & 1; 16]),
        index: part.get(1).copied().unwrap_or_default().into(),
        count: part.get(2).copied().unwrap_or_default().into(),
        part: part.to_vec(),
    };
    let parts: Vec<Chunk> = bytes.chunks(8).map(chunk).collect();
    let whole = join_chunks(&parts);
    if let Ok(cut) = chunks(EnvelopeId([1; 16]), bytes)
        && !cut.is_empty()
    {
        assert_eq!(join_chunks(&cut), Ok(Some(bytes.to_vec())));
    }
    matches!(whole, Ok(Some(_)))
}

fn head() -> PackHead {
    PackHead {
        group: GroupId([1; 32]),
        epoch: Epoch(2),
        sender: fixture::node(1),
        echo: Echo {
            sequence: Sequence(9),
            head: Digest([3; 32]),
            authenticator: vec![4; 32],
            signature: Some([5; 64]),
        },
        statement_version: 1,
    }
}

fn said(body: Body) -> Envelope {
    Envelope {
        id: EnvelopeId([6; 16]),
        lineage: fixture::LINEAGE,
        number: 1,
        said_at: fixture::NOW,
        author: Some(Author {
            operator: OperatorId(uuid::Uuid::from_bytes([1; 16])),
            role: "case_manager".to_owned(),
            organisation: OrganisationId(uuid::Uuid::from_bytes([2; 16])),
            organisation_class: "access_point".to_owned(),
        }),
        body,
    }
}

pub fn examples() -> Vec<Vec<u8>> {
    let object = ObjectId(uuid::Uuid::from_bytes([3; 16]));
    let label = |alert: &alert::Alert| Label {
        purpose: "victim_protection".to_owned(),
        recipient_classes: vec!["access_point".to_owned()],
        expires_at: fixture::pact()
            .terms()
            .default_expiry(alert::kind(alert).unwrap(), fixture::NOW),
        onward_sharing: false,
    };
    let alerts = fixture::alerts();
    let shares: Vec<Share> =
        alerts.iter().map(|alert| Share { label: label(alert), alert: alert.clone() }).collect();
    let event = |change| Body::ObjectEvent(ObjectEvent { object, version: 1, change });
    let aside = SetAside {
        sequence: Sequence(3),
        envelope: Some(EnvelopeId([7; 16])),
        reason: "pact_forbids".to_owned(),
    };
    let mut bodies: Vec<Body> =
        shares.iter().map(|share| event(Change::Share(share.clone()))).collect();
    bodies.extend([
        event(Change::Withdrawal { reason: "resolved".to_owned() }),
        Body::Receipt(Receipt { processed: Sequence(8), set_aside: vec![aside] }),
        Body::ReadReceipt(vec![object]),
        Body::MatchEvent(vec![8; 40]),
        Body::KeyAct(vec![9; 40]),
        Body::Chunk(Chunk { whole: EnvelopeId([1; 16]), index: 1, count: 2, part: vec![2; 40] }),
    ]);
    let envelopes: Vec<Vec<u8>> =
        bodies.into_iter().map(|body| encode_envelope(&said(body))).collect();
    let with = |form: u8, bytes: &[u8]| [&[form], bytes].concat();
    let whole = encode_pack(&head(), &envelopes[..3]);
    let empty: [&[u8]; 0] = [];
    let mut all = vec![
        with(0, &whole),
        with(1, &pad(&encode_pack(&head(), &empty)).unwrap()),
        with(3, &[1, 1, 2, 0, 0, 0, 0, 0, 1, 0, 2]),
        with(4, &encode_share(&shares[0])),
    ];
    all.extend(envelopes.iter().filter(|bytes| bytes.len() < 4_096).map(|bytes| with(2, bytes)));
    all
}
