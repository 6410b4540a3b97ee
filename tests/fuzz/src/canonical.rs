//! Every type of canonical bytes: what is read, is written with the same bytes. There is one
//! encoding of each thing that is signed or hashed, or two hashes would name it.

use std::collections::BTreeSet;

use raccordo_core::canonical::{Reader, Writer};
use raccordo_core::hublog::{Checkpoint, Equivocation, SignedCheckpoint};
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, Sequence};
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::life::MatchId;
use raccordo_core::pseudonym::ceremony::{Act, Plan, Rules};
use raccordo_core::pseudonym::dealing::Dealing;
use raccordo_core::pseudonym::evaluation::Evaluation;
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::notice::{Notice, NoticeKind, SignedNotice};
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::rejoin::{Asked, CarriedRequest, RejoinRequest};
use raccordo_core::trust::statement::{SignedStatement, Statement};

use super::{choice, fixture};

/// A type, and whether bytes with its tag are of it.
type Kind = (&'static str, fn(&[u8]) -> bool);

const KINDS: [Kind; 15] = [
    ("statement", |bytes| same(Statement::parse(bytes).ok().map(|it| it.canonical()), bytes)),
    ("signed-statement", |bytes| {
        same(SignedStatement::decode(bytes).ok().map(|it| it.encode()), bytes)
    }),
    ("card", |bytes| SignedCard::verified(bytes, &[0; 64]).is_ok()),
    ("signed-card", |bytes| {
        same(SignedCard::decode_verified(bytes).ok().map(|it| it.encode()), bytes)
    }),
    ("checkpoint", |bytes| same(checkpoint(bytes), bytes)),
    ("notice", notice),
    ("signed-notice", signed_notice),
    ("pact", |bytes| same(Pact::decode(bytes).ok().map(|it| it.canonical()), bytes)),
    ("key-dealing", |bytes| same(Dealing::decode(bytes).ok().map(|it| it.encode()), bytes)),
    ("key-evaluation", |bytes| same(Evaluation::decode(bytes).ok().map(|it| it.encode()), bytes)),
    ("key-act", |bytes| same(Act::decode(bytes).ok().map(|(run, act)| act.encode(run)), bytes)),
    ("key-plan", |bytes| {
        let named = Plan::key_of(bytes).is_ok();
        let read = Plan::read(bytes, None).ok();
        assert!(named || read.is_none());
        same(read.map(|it| it.encode()), bytes)
    }),
    ("match-event", |bytes| {
        same(Event::decode(bytes).ok().map(|it| it.encode().unwrap().reveal().clone()), bytes)
    }),
    ("equivocation", |bytes| {
        let proof = Equivocation::decode(bytes).ok();
        let judged = proof.as_ref().is_some_and(|proof| proof.judge().is_ok());
        same(proof.map(|it| it.encode()), bytes) && judged
    }),
    ("fields", fields),
];

fn same(written: Option<Vec<u8>>, read: &[u8]) -> bool {
    let Some(written) = written else { return false };
    assert_eq!(hex::encode(written), hex::encode(read), "read and written again");
    true
}

fn checkpoint(bytes: &[u8]) -> Option<Vec<u8>> {
    let signed = SignedCheckpoint::parse(bytes, [0; 64]).ok()?;
    let again = SignedCheckpoint::from_parts(signed.checkpoint().clone(), [0; 64]);
    Some(again.bytes().to_vec())
}

/// A notice as its sender would sign it.
fn notice(bytes: &[u8]) -> bool {
    let key = fixture::identity(0);
    let container = Writer::new("signed-notice").bytes(bytes).bytes(&key.sign(bytes)).finish();
    let Ok(signed) = SignedNotice::decode(&container) else { return false };
    let notice = signed.notice().clone();
    assert!(signed.is_signed_by(&key.public()));
    let _ = RejoinRequest::read(&notice);
    let (group, entry) = (notice.group, notice.entry);
    let of_lazio = notice.sender == fixture::node(0);
    assert_eq!(signed.verify(group, entry, fixture::card(0).card()).is_ok(), of_lazio);
    same(notice.sign(&key).ok().map(|it| it.encode()), &container)
}

fn signed_notice(bytes: &[u8]) -> bool {
    let carried = CarriedRequest::decode(bytes).is_ok();
    let decoded = SignedNotice::decode(bytes).ok();
    assert!(!carried || decoded.is_some());
    same(decoded.map(|it| it.encode()), bytes)
}

/// The reader's own calls, in an order that the bytes say.
fn fields(bytes: &[u8]) -> bool {
    let Ok(mut reader) = Reader::new("fields", bytes) else { return false };
    let Ok(calls) = reader.bytes("calls") else { return false };
    let mut writer = Writer::new("fields").bytes(calls);
    for call in calls {
        let written = match call % 6 {
            0 => reader.bytes("bytes").map(|it| writer.bytes(it)),
            1 => reader.text("text").map(|it| writer.text(it)),
            2 => reader.integer("integer").map(|it| writer.integer(it)),
            3 => reader.instant("instant").map(|it| writer.instant(it)),
            4 => reader.boolean("boolean").map(|it| writer.boolean(it)),
            _ => reader.list("list").map(|it| writer.list(it)),
        };
        let Ok(more) = written else { return false };
        writer = more;
    }
    reader.end().is_ok() && same(Some(writer.finish()), bytes)
}

fn tagged(kind: &str, body: &[u8]) -> Vec<u8> {
    [b"raccordo/v1/", kind.as_bytes(), &[0], body].concat()
}

/// A byte for the type, then what follows the tag.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, body)) = choice(data) else { return false };
    let (kind, accepts) = KINDS[usize::from(kind) % KINDS.len()];
    accepts(&tagged(kind, body))
}

/// An input of canonical bytes.
fn input(bytes: &[u8]) -> Vec<u8> {
    let found = KINDS.iter().position(|(kind, _)| bytes.starts_with(&tagged(kind, &[])));
    let place = found.expect("a known type");
    [&[place as u8], &bytes[tagged(KINDS[place].0, &[]).len()..]].concat()
}

fn notices() -> Vec<SignedNotice> {
    let key = fixture::identity(0);
    let asked = || Asked {
        group: GroupId([1; 32]),
        sender: fixture::node(0),
        entry: EntryId([2; 16]),
        said_at: Instant(3),
    };
    let request = RejoinRequest {
        replaced: Digest([4; 32]),
        replacement: Digest([5; 32]),
        key_package: vec![6; 40],
    };
    let Asked { group, sender, entry, said_at } = asked();
    let (kind, detail) = (NoticeKind::Revocation, b"umbria".to_vec());
    let notice = Notice { group, sender, entry, kind, said_at, detail };
    vec![notice.sign(&key).unwrap(), request.sign(asked(), &key).unwrap()]
}

fn stand(sequence: u64, head: u8) -> SignedCheckpoint {
    let checkpoint = Checkpoint {
        group: GroupId([1; 32]),
        sequence: Sequence(sequence),
        head: Digest([head; 32]),
        epoch: Epoch(3),
        hub: fixture::node(3),
        term: 1,
    };
    checkpoint.sign(&fixture::identity(3))
}

/// Two heads at one place, both signed by the hub.
pub(super) fn proof() -> Equivocation {
    let (one, other) = (stand(9, 1), stand(9, 2));
    Equivocation { hub: fixture::card(3), base: Digest([2; 32]), one, other, links: Vec::new() }
}

fn ceremony() -> Vec<Vec<u8>> {
    let holders: BTreeSet<_> = (0..3).map(fixture::node).collect();
    let key = KeyId { lineage: fixture::LINEAGE, class: Class::Company, epoch: KeyEpoch::FIRST };
    let rules = Rules { key, holders: &holders, threshold: 2, current: None };
    let hour = std::time::Duration::from_secs(3_600);
    let run = EntryId([8; 16]);
    let plan = Plan::founding(run, rules, hour).unwrap();
    let dealing = Dealing {
        commitments: vec![[1; 32], [2; 32]],
        proof: [3; 64],
        sealed: holders.iter().map(|node| (node.clone(), vec![4; 40])).collect(),
    };
    let evaluation = Evaluation { elements: vec![[1; 32]; 2], proof: [3; 64] };
    vec![
        plan.encode(),
        dealing.encode(),
        evaluation.encode(),
        Act::Deal(dealing).encode(run),
        Act::Report { accused: holders, newcomer: false }.encode(run),
        Act::Answer { holder: fixture::node(1), value: [5; 32] }.encode(run),
        Act::Agree(Digest([6; 32])).encode(run),
    ]
}

pub fn examples() -> Vec<Vec<u8>> {
    let statement = fixture::statement();
    let signed = fixture::founding();
    let card = fixture::card(3);
    let event = Event { about: MatchId(Digest([7; 32])), told: Told::Confirmed };
    let mut all = vec![
        statement.canonical(),
        signed.encode(),
        card.bytes().to_vec(),
        card.encode(),
        stand(4, 5).bytes().to_vec(),
        fixture::pact().canonical(),
        event.encode().unwrap().reveal().clone(),
        proof().encode(),
        Writer::new("fields")
            .bytes(&[0, 1, 2, 3, 4, 5])
            .bytes(b"bytes")
            .text("text")
            .integer(7)
            .instant(Instant(1))
            .boolean(true)
            .list(["a", "bc"])
            .finish(),
    ];
    all.extend(ceremony());
    for notice in notices() {
        let container = notice.encode();
        let mut reader = Reader::new("signed-notice", &container).unwrap();
        all.push(reader.bytes("notice").unwrap().to_vec());
        all.push(container);
    }
    all.iter().map(|bytes| input(bytes)).collect()
}
