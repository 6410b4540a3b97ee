//! What two nodes share, what they show each other, and what they say of a match.

use serde_json::{Value, json};

use super::keys::{KEY, key_writer, of_key};
use super::{LINEAGE, Vectors, entropy, lineage, node, sealing_key};
use raccordo_core::canonical::Writer;
use raccordo_core::envelope::{Body, Echo, Envelope, PackHead, pad};
use raccordo_core::evidence::facts::Facts;
use raccordo_core::evidence::family::Family;
use raccordo_core::id::{Digest, EnvelopeId, Epoch, GroupId, ObjectId, Sequence};
use raccordo_core::letter::{self, Route};
use raccordo_core::matching::event::{Contact, Event, Told};
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::life::{Match, MatchId, State, Word};
use raccordo_core::matching::shown::{Background, PairHalf, RegisterSize};
use raccordo_core::pseudonym::token::{PairSecret, Tag, TagKey, Token};
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_core::wire;

pub(super) fn add(all: &mut Vectors) {
    let about = matches(all);
    events(all, about);
    tags(all);
    envelopes(all);
}

fn object(byte: u8) -> ObjectId {
    ObjectId(uuid::Uuid::from_bytes([byte; 16]))
}

fn matches(all: &mut Vectors) -> MatchId {
    let (toscana, umbria) = (node("toscana"), node("umbria"));
    let about = MatchId::of(LINEAGE, (&umbria, object(0x0b)), (&toscana, object(0x0a))).unwrap();
    let writer = Writer::new("match")
        .bytes(LINEAGE.as_bytes())
        .text("toscana")
        .bytes(&[0x0a; 16])
        .text("umbria")
        .bytes(&[0x0b; 16]);
    let fields = json!({
        "lineage": lineage(),
        "first node": "toscana",
        "first object": hex::encode([0x0a; 16]),
        "second node": "umbria",
        "second object": hex::encode([0x0b; 16]),
    });
    all.hashed("match", writer, about.0, fields);
    about
}

fn events(all: &mut Vectors, about: MatchId) {
    let families = || [Family::CodiceFiscale, Family::Phone].into();
    let named = json!(["codice_fiscale", "phone"]);
    let tags_of = || [Tag([0x7a; 16]), Tag([0x7b; 16])].into();
    let shown = json!([hex::encode([0x7a; 16]), hex::encode([0x7b; 16])]);
    let (theirs, ours) = (object(0x0b), object(0x0a));
    let facts = Facts::of_byte(0b1011_0110).unwrap();
    let background = Background { facts, register: RegisterSize::of(3_000) };
    let said = |told: Told, kind: &str, mut fields: Value| {
        fields["match"] = about.0.to_string().into();
        fields["kind"] = kind.into();
        (told, kind.to_owned(), fields)
    };
    let contact = Contact {
        name: Secret::new("Anna Esempio".to_owned()),
        organisation: Secret::new("Ambito di prova".to_owned()),
        work_phone: Secret::new("+39055000000".to_owned()),
    };
    let found = Match {
        state: State::from_code("confirmed_here").unwrap(),
        claimed: Grade::B,
        said_here: Some(Word::CallMe),
        said_there: None,
    };
    let both = json!({ "theirs": hex::encode([0x0b; 16]), "ours": hex::encode([0x0a; 16]) });
    let with = |mut fields: Value, more: Value| {
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        fields
    };
    let all_events = [
        said(
            Told::Found {
                theirs,
                ours,
                grade: Grade::A,
                families: families(),
                tags: tags_of(),
                background,
            },
            "found",
            with(
                both.clone(),
                json!({
                    "grade": "A",
                    "families": named.clone(),
                    "tags": shown.clone(),
                    "background": "b60c",
                }),
            ),
        ),
        said(Told::Confirmed, "confirmed", json!({})),
        said(Told::Denied, "denied", json!({})),
        said(Told::Unlinked, "unlinked", json!({})),
        said(Told::Said(Word::CallMe), "said", json!({ "word": "call_me" })),
        said(
            Told::Contact(contact),
            "contact",
            json!({
                "name": "Anna Esempio",
                "organisation": "Ambito di prova",
                "work phone": "+39055000000",
            }),
        ),
        said(
            Told::Stands { theirs, ours, families: families(), tags: tags_of(), background, found },
            "stands",
            with(
                both,
                json!({
                    "grade": "B",
                    "families": named,
                    "tags": shown,
                    "background": "b60c",
                    "state": "confirmed_here",
                    "said here": "call_me",
                    "said there": "",
                }),
            ),
        ),
    ];
    let letter_fields = route_fields();
    let aad = route_writer("match-letter").finish();
    all.canonical("match-letter", &aad, letter_fields.clone());
    let (toscana, umbria) = (node("toscana"), node("umbria"));
    let route = Route { lineage: LINEAGE, sender: &toscana, recipient: &umbria };
    let opener = sealing_key(14);
    for (told, kind, mut fields) in all_events {
        let event = Event { about, told };
        let bytes = event.encode().unwrap();
        let bytes = bytes.reveal();
        assert_eq!(bytes.len(), 2048);
        // What is left after the last field that says something.
        let zeros = bytes.iter().rev().take_while(|byte| **byte == 0).count();
        let length = (0..=zeros).rev().find(|count| {
            let at = bytes.len() - count - 4;
            bytes[at..at + 4] == u32::try_from(*count).unwrap().to_be_bytes()
        });
        fields["padding"] = "00".repeat(length.unwrap()).into();
        all.canonical(&format!("match-event/{kind}"), bytes, fields);
        let letter =
            raccordo_core::matching::letter::seal(&entropy(), route, opener.public(), &event)
                .unwrap();
        assert_eq!(opener.open(b"raccordo/v1/match-event", &aad, &letter).unwrap(), *bytes);
        all.sealed("match-event", &opener, letter_fields.clone(), &letter, bytes);
    }
}

fn route_writer(kind: &str) -> Writer {
    Writer::new(kind).bytes(LINEAGE.as_bytes()).text("toscana").text("umbria")
}

fn route_fields() -> Value {
    json!({ "lineage": lineage(), "sender": "toscana", "recipient": "umbria" })
}

fn tags(all: &mut Vectors) {
    let (toscana, umbria) = (node("toscana"), node("umbria"));
    let halves = [Secret::new([0xa1; 32]), Secret::new([0xb2; 32])];
    let pair = PairSecret::derive((&umbria, &halves[1]), (&toscana, &halves[0])).unwrap();
    let info = Writer::new("pair-secret").text("toscana").text("umbria").finish();
    all.canonical("pair-secret", &info, json!({ "first": "toscana", "second": "umbria" }));
    all.derived(
        "pair secret",
        json!({
            "halves": { "toscana": hex::encode([0xa1; 32]), "umbria": hex::encode([0xb2; 32]) },
            "info": hex::encode(info),
            "secret": hex::encode(pair.reveal().reveal()),
        }),
    );
    let token = Token::from_bytes([0x70; 16]);
    for (sender, receiver) in [(&toscana, &umbria), (&umbria, &toscana)] {
        let key = TagKey::derive(&pair, sender, receiver, &KEY).unwrap();
        let start = Writer::new("tag-key").text(sender.as_str()).text(receiver.as_str());
        let info = key_writer(start).finish();
        let fields = of_key(json!({ "sender": sender, "receiver": receiver }));
        all.canonical("tag-key", &info, fields);
        all.derived(
            "tag",
            json!({
                "secret": hex::encode(pair.reveal().reveal()),
                "info": hex::encode(info),
                "token": hex::encode([0x70; 16]),
                "tag": hex::encode(key.tag(&token).unwrap().as_bytes()),
                "object": hex::encode([0x0a; 16]),
                "mask": hex::encode([key.mask(&object(0x0a), &token).unwrap()]),
            }),
        );
    }
}

fn envelopes(all: &mut Vectors) {
    let half = PairHalf { half: Secret::new([0xa1; 32]), heard: Some(Digest([0x6e; 32])) };
    let envelope = Envelope {
        id: EnvelopeId([0xe1; 16]),
        lineage: LINEAGE,
        number: 1,
        said_at: Instant(1_790_000_000_000),
        author: None,
        body: Body::PairHalf(half),
    };
    let (toscana, umbria) = (node("toscana"), node("umbria"));
    let route = Route { lineage: LINEAGE, sender: &toscana, recipient: &umbria };
    let opener = sealing_key(14);
    let sealed = letter::seal(&entropy(), route, opener.public(), &envelope).unwrap();
    let aad = route_writer("sealed-envelope").finish();
    let plaintext = opener.open(b"raccordo/v1/sealed-envelope", &aad, &sealed.letter).unwrap();
    all.canonical("sealed-envelope", &aad, route_fields());
    all.sealed("sealed-envelope", &opener, route_fields(), &sealed.letter, &plaintext);
    let head = PackHead {
        group: GroupId([0x60; 32]),
        epoch: Epoch(3),
        sender: toscana,
        echo: Echo {
            sequence: Sequence(9),
            head: Digest([0x4e; 32]),
            authenticator: vec![0xea; 32],
            signature: None,
        },
        statement_version: 2,
    };
    let inside = Envelope { body: Body::Sealed(sealed), ..envelope };
    let heartbeat = wire::encode_pack(&head, &[] as &[Vec<u8>]);
    let pack = wire::encode_pack(&head, &[wire::encode_envelope(&inside)]);
    for pack in [heartbeat, pack] {
        let padded = pad(&pack).unwrap();
        let (pack, padded) = (hex::encode(pack), hex::encode(padded));
        all.derived("padded pack", json!({ "pack": pack, "padded": padded }));
    }
}
