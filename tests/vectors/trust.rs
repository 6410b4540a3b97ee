//! Cards, statements, pacts, and what their keys prove.

use serde_json::json;

use super::{LINEAGE, Vectors, entropy, lineage, node, sealing_key};
use raccordo_core::canonical::Writer;
use raccordo_core::crypto::Suite;
use raccordo_core::id::{Digest, GroupId, Sequence};
use raccordo_core::sealing;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::pact::draft::Draft;
use raccordo_core::trust::phone_code::PhoneCode;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::sealing_challenge;
use raccordo_core::trust::statement::{HubTerm, Party, SignedStatement, Statement};

pub(super) fn key(seed: u8) -> IdentityKey {
    IdentityKey::from_seed(&[seed; 32])
}

/// Keys 1, 2, 3 (sealing key 4) are those of toscana; 11 to 14 of umbria; 21 to 24 of the
/// relay.
pub(super) fn card(name: &str, seed: u8) -> SignedCard {
    let (identity, node) = (key(seed), node(name));
    let proven =
        |seed: u8, key_use| ProvenKey::prove(&key(seed), key_use, &node, &identity.public());
    let is_relay = name == "relay";
    let card = Card {
        name: format!("Regione {name}"),
        ipa_code: (!is_relay).then(|| format!("r_{name}")),
        identity: identity.public(),
        hub_endpoint: is_relay.then(|| "relay.example:7443".to_owned()),
        tls_key: proven(seed + 1, KeyUse::Tls),
        mls_key: proven(seed + 2, KeyUse::Mls),
        sealing_key: sealing_key(seed + 3).public().to_vec(),
        valid_from: Instant(1_790_000_000_000),
        valid_until: Instant(1_853_072_000_000),
        serial: u64::from(seed),
        node: node.clone(),
    };
    card.sign(&identity).unwrap()
}

pub(super) fn add(all: &mut Vectors) {
    cards(all);
    challenge(all);
    statements(all);
    pact(all);
}

fn cards(all: &mut Vectors) {
    for (name, seed) in [("toscana", 1), ("umbria", 11), ("relay", 21)] {
        let signed = card(name, seed);
        let said = signed.card();
        let fields = json!({
            "node id": said.node,
            "name": said.name,
            "IPA code": said.ipa_code.clone().unwrap_or_default(),
            "identity key": said.identity.to_string(),
            "hub endpoint": said.hub_endpoint.clone().unwrap_or_default(),
            "TLS key": said.tls_key.key.to_string(),
            "TLS proof": hex::encode(said.tls_key.proof),
            "MLS key": said.mls_key.key.to_string(),
            "MLS proof": hex::encode(said.mls_key.proof),
            "sealing key": hex::encode(&said.sealing_key),
            "valid from": said.valid_from.0,
            "valid until": said.valid_until.0,
            "serial": said.serial,
        });
        all.canonical("card", signed.bytes(), fields);
        let fields = json!({
            "card": hex::encode(signed.bytes()),
            "signature": hex::encode(signed.signature()),
        });
        all.canonical("signed-card", &signed.encode(), fields);
        let identity = said.identity;
        all.signature("card", identity.as_bytes(), signed.bytes(), signed.signature());
        for (key_use, proven) in [("tls", said.tls_key), ("mls", said.mls_key)] {
            let writer = Writer::new("key-possession").text(key_use).text(name);
            let bytes = writer.bytes(identity.as_bytes()).finish();
            let fields = json!({
                "use": key_use, "node id": name, "identity key": identity.to_string(),
            });
            all.canonical("key-possession", &bytes, fields);
            all.signature("key-possession", proven.key.as_bytes(), &bytes, &proven.proof);
        }
        let file = json!({ "file": signed.to_file(), "card": hex::encode(signed.encode()) });
        all.derived("card file", file);
        let (key, pin) = (said.tls_key.key.to_string(), said.tls_pin().to_string());
        all.derived("TLS pin", json!({ "key": key, "pin": pin }));
    }
    let (one, other) = (key(1).public(), key(11).public());
    let (smaller, larger) = if one < other { (one, other) } else { (other, one) };
    let writer = Writer::new("phone-code").bytes(smaller.as_bytes()).bytes(larger.as_bytes());
    let bytes = writer.finish();
    let keys = json!({ "smaller key": smaller.to_string(), "larger key": larger.to_string() });
    all.canonical("phone-code", &bytes, keys);
    let words = PhoneCode::between(&one, &other).to_string();
    let digest = Digest::of(&bytes).to_string();
    all.derived("phone code", json!({ "phone-code": digest, "words": words }));
}

fn challenge(all: &mut Vectors) {
    let (toscana, umbria) = (node("toscana"), node("umbria"));
    let (one, other) = (key(1).public(), key(11).public());
    let (challenger, challenged) = ((&toscana, &one), (&umbria, &other));
    let opener = sealing_key(14);
    let number = Secret::new([0x5c; 32]);
    let letter =
        sealing_challenge::challenge(&entropy(), challenger, challenged, opener.public(), &number);
    let letter = letter.unwrap();
    let open = |info: &[u8], aad: &[u8], sealed: &[u8]| opener.open(info, aad, sealed);
    let answer = sealing_challenge::answer(&open, challenger, challenged, &letter).unwrap();
    let fields = json!({
        "challenger": "toscana",
        "challenger's identity key": one.to_string(),
        "challenged": "umbria",
        "challenged's identity key": other.to_string(),
    });
    let writer = |kind: &str| {
        let writer = Writer::new(kind).text("toscana").bytes(one.as_bytes());
        writer.text("umbria").bytes(other.as_bytes())
    };
    all.canonical("sealing-challenge", &writer("sealing-challenge").finish(), fields.clone());
    all.sealed("sealing-challenge", &opener, fields.clone(), &letter, number.reveal());
    let mut answered = fields;
    answered["number"] = hex::encode(number.reveal()).into();
    let writer = writer("sealing-answer").bytes(number.reveal());
    all.hashed("sealing-answer", writer, answer, answered);
}

/// Toscana, which chairs, and umbria, which is suspended where that is said.
fn statement(version: u64) -> Statement {
    let party = |name: &str, seed: u8| Party {
        node: node(name),
        identity: key(seed).public(),
        card_floor: u64::from(seed),
        suspended_by: None,
        ratified: false,
    };
    Statement {
        lineage: LINEAGE,
        version,
        previous: if version == 1 { Digest::ZERO } else { Digest([0x9a; 32]) },
        pact: Digest([0x9c; 32]),
        parties: vec![party("toscana", 1), party("umbria", 11)],
        chair: node("toscana"),
        hub: HubTerm {
            hub: node("relay"),
            identity: key(21).public(),
            endpoint: "relay.example:7443".to_owned(),
            term: 1,
            first_sequence: Sequence(1),
            head_before: Digest::ZERO,
        },
        age_limit_ms: 7_776_000_000,
        rules_version: 1,
        equipe_name: "Toscana–Umbria".to_owned(),
        succeeds: None,
    }
}

fn statements(all: &mut Vectors) {
    let first = statement(1);
    let mut suspension = statement(2);
    suspension.parties[1].suspended_by = Some(node("toscana"));
    let mut successor = statement(3);
    successor.hub.term = 2;
    successor.hub.first_sequence = Sequence(42);
    successor.hub.head_before = Digest([0x7d; 32]);
    successor.succeeds = Some(GroupId([0x60; 32]));
    for stated in [first, suspension, successor] {
        let mut signed = SignedStatement::new(stated.clone()).unwrap();
        for (name, seed) in [("umbria", 11), ("toscana", 1)] {
            signed.sign(None, &node(name), &key(seed)).unwrap();
        }
        all.canonical("statement", signed.bytes(), fields(&stated));
        let signatures = signed.signatures().iter();
        let signatures = signatures
            .map(|(signer, made)| json!({ "node id": signer, "signature": hex::encode(made) }));
        let container = json!({
            "statement": hex::encode(signed.bytes()),
            "signatures": signatures.collect::<Vec<_>>(),
        });
        all.canonical("signed-statement", &signed.encode(), container);
        for (signer, made) in signed.signatures() {
            let key = stated.party(signer).unwrap().identity;
            all.signature("statement", key.as_bytes(), signed.bytes(), made);
        }
        let digest = signed.digest();
        let writer = Writer::new("group").bytes(LINEAGE.as_bytes()).bytes(digest.as_bytes());
        let group = Digest(stated.group_id().0);
        let named = json!({ "lineage": lineage(), "statement": digest.to_string() });
        all.hashed("group", writer, group, named);
    }
}

fn fields(stated: &Statement) -> serde_json::Value {
    let party = |party: &Party| {
        json!({
            "node id": party.node,
            "identity key": party.identity.to_string(),
            "card floor": party.card_floor,
            "suspended by": party.suspended_by.as_ref().map_or("", |by| by.as_str()),
            "ratified": party.ratified,
        })
    };
    let hub = &stated.hub;
    let mut fields = json!({
        "lineage": lineage(),
        "version": stated.version,
        "previous": stated.previous.to_string(),
        "pact": stated.pact.to_string(),
        "parties": stated.parties.iter().map(party).collect::<Vec<_>>(),
        "chair": stated.chair,
        "hub term": {
            "hub": hub.hub,
            "identity key": hub.identity.to_string(),
            "endpoint": hub.endpoint,
            "term": hub.term,
            "first sequence": hub.first_sequence.0,
            "head before": hub.head_before.to_string(),
        },
        "age limit": stated.age_limit_ms,
        "rules version": stated.rules_version,
        "name": stated.equipe_name,
    });
    if let Some(before) = stated.succeeds {
        fields["group before"] = before.to_string().into();
    }
    fields
}

fn pact(all: &mut Vectors) {
    let draft = Draft {
        equipe: "Toscana–Umbria".to_owned(),
        lineage: LINEAGE,
        chair: node("toscana"),
        parties: ["toscana", "umbria"].map(|name| (node(name), format!("Regione {name}"))).into(),
        hub: node("relay"),
        suite: Suite::Hybrid,
        today: "2026-05-04".parse().unwrap(),
        example: true,
    };
    let text = draft.toml();
    let pact = Pact::parse(&text).unwrap();
    all.canonical("pact", &pact.canonical(), json!({ "text": text }));
    let opener = sealing_key(14);
    let proposal = b"an encoded PactProposal";
    let (info, aad) = (b"raccordo/v1/sealed-pact", b"umbria");
    let letter = sealing::seal(&entropy(), opener.public(), info, aad, proposal).unwrap();
    all.sealed("sealed-pact", &opener, json!("umbria"), &letter, proposal);
}
