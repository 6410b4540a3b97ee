//! A key made by two members, a token made with it, and all that was posted meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::{LINEAGE, Opener, Vectors, entropy, lineage, node, sealing_key};
use raccordo_core::canonical::Writer;
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::id::{Digest, EntryId, NodeId};
use raccordo_core::pseudonym::ceremony::{Act, Ceremony, Phase, Plan, Rules};
use raccordo_core::pseudonym::dealing::{self, Dealing};
use raccordo_core::pseudonym::evaluation::{self, Evaluation};
use raccordo_core::pseudonym::key::{Class, KeyEpoch, KeyId};
use raccordo_core::pseudonym::request::Request;
use raccordo_core::pseudonym::share::KeyShare;
use raccordo_core::pseudonym::sharing::Sharing;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;

const RUN: EntryId = EntryId([0xce; 16]);
pub(super) const KEY: KeyId =
    KeyId { lineage: LINEAGE, class: Class::PersonStrong, epoch: KeyEpoch::FIRST };

/// The two holders, and what opens their letters.
fn members() -> BTreeMap<NodeId, Opener> {
    [("toscana", 4), ("umbria", 14)]
        .into_iter()
        .map(|(name, seed)| (node(name), sealing_key(seed)))
        .collect()
}

/// The fields that name a key.
pub(super) fn of_key(mut fields: Value) -> Value {
    fields["lineage"] = lineage().into();
    fields["class"] = KEY.class.name().into();
    fields["key epoch"] = KEY.epoch.0.into();
    fields
}

pub(super) fn key_writer(writer: Writer) -> Writer {
    writer.bytes(LINEAGE.as_bytes()).text(KEY.class.name()).integer(KEY.epoch.0)
}

pub(super) fn add(all: &mut Vectors) {
    let members = members();
    let holders: BTreeSet<NodeId> = members.keys().cloned().collect();
    let rules = Rules { key: KEY, holders: &holders, threshold: 2, current: None };
    let plan = Plan::founding(RUN, rules, Duration::from_secs(3_600)).unwrap();
    let named: Vec<&str> = holders.iter().map(NodeId::as_str).collect();
    let fields = of_key(json!({
        "run": RUN.to_string(),
        "generation": 1,
        "threshold": 2,
        "holders": named,
        "dealers": named,
        "phase": 3_600_000,
        "old sharing": Digest::ZERO.to_string(),
    }));
    all.canonical("key-plan", &plan.encode(), fields);
    let ceremony = run(all, &plan, &members);
    others(all);
    let sharing = ceremony.sharing().unwrap();
    add_sharing(all, sharing);
    let shares: Vec<KeyShare> =
        members.iter().map(|(holder, key)| ceremony.share(holder, &[&key.pair]).unwrap()).collect();
    for share in &shares {
        let bytes = share.encode();
        let scalar = hex::encode(&bytes.reveal()[bytes.reveal().len() - 32..]);
        let fields = of_key(json!({ "generation": 1, "scalar": scalar }));
        all.canonical("key-share", bytes.reveal(), fields);
    }
    token(all, sharing, &holders, &shares);
}

/// Runs the ceremony to its end.
fn run(all: &mut Vectors, plan: &Plan, members: &BTreeMap<NodeId, Opener>) -> Ceremony {
    let keys = members.iter().map(|(node, key)| (node.clone(), key.public().to_vec()));
    let keys: BTreeMap<NodeId, Vec<u8>> = keys.collect();
    let at = Instant(1_790_000_000_000);
    let mut ceremony = Ceremony::begin(plan.clone(), at);
    let mut transcript = plan.digest();
    let mut take = |all: &mut Vectors, ceremony: &mut Ceremony, sender: &NodeId, act: Act| {
        add_act(all, &act);
        ceremony.apply(sender, at, &act);
        if matches!(act, Act::Agree(_)) {
            return;
        }
        let encoded = act.encode(RUN);
        let fields = json!({
            "before": transcript.to_string(),
            "sender": sender,
            "act": hex::encode(&encoded),
        });
        let writer = Writer::new("key-transcript").bytes(transcript.as_bytes());
        let bytes = writer.text(sender.as_str()).bytes(&encoded).finish();
        transcript = Digest::of(&bytes);
        all.canonical("key-transcript", &bytes, fields);
    };
    for (place, dealer) in members.keys().enumerate() {
        let seed = Secret::new([0x5d + place as u8; 32]);
        let dealing = dealing::deal(&entropy(), &seed, plan, dealer, None, &keys).unwrap();
        add_dealing(all, plan, dealer, &dealing, members);
        take(all, &mut ceremony, dealer, Act::Deal(dealing));
    }
    for holder in members.keys() {
        take(all, &mut ceremony, holder, Act::Report { accused: BTreeSet::new(), newcomer: false });
    }
    let agreement = ceremony.agreement().unwrap();
    for holder in members.keys() {
        take(all, &mut ceremony, holder, Act::Agree(agreement));
    }
    assert_eq!(ceremony.phase(), Phase::Done);
    // What has the digest that the code agrees on is the transcript that the code made.
    let sharing = ceremony.sharing().unwrap().digest();
    let writer = Writer::new("key-agreement").bytes(transcript.as_bytes());
    let fields = json!({ "transcript": transcript.to_string(), "sharing": sharing.to_string() });
    all.hashed("key-agreement", writer.bytes(sharing.as_bytes()), agreement, fields);
    ceremony
}

/// Acts that an honest ceremony does without.
fn others(all: &mut Vectors) {
    let accused = [node("toscana"), node("umbria")].into();
    add_act(all, &Act::Report { accused, newcomer: true });
    add_act(all, &Act::Answer { holder: node("umbria"), value: [5; 32] });
}

fn add_act(all: &mut Vectors, act: &Act) {
    let (kind, mut fields) = match act {
        Act::Deal(dealing) => ("deal", json!({ "dealing": hex::encode(dealing.encode()) })),
        Act::Report { accused, newcomer } => {
            ("report", json!({ "accused": accused, "newcomer": u64::from(*newcomer) }))
        }
        Act::Answer { holder, value } => {
            ("answer", json!({ "holder": holder, "value": hex::encode(value) }))
        }
        Act::Agree(digest) => ("agree", json!({ "agreement": digest.to_string() })),
    };
    fields["run"] = RUN.to_string().into();
    fields["kind"] = kind.into();
    all.canonical(&format!("key-act/{kind}"), &act.encode(RUN), fields);
}

fn add_dealing(
    all: &mut Vectors,
    plan: &Plan,
    dealer: &NodeId,
    dealing: &Dealing,
    members: &BTreeMap<NodeId, Opener>,
) {
    dealing.check(plan, dealer).unwrap();
    let commitments: Vec<String> = dealing.commitments.iter().map(hex::encode).collect();
    let sealed = dealing.sealed.iter();
    let sealed =
        sealed.map(|(holder, letter)| json!({ "holder": holder, "letter": hex::encode(letter) }));
    let fields = json!({
        "commitments": commitments,
        "proof": hex::encode(dealing.proof),
        "sealed": sealed.collect::<Vec<_>>(),
    });
    all.canonical("key-dealing", &dealing.encode(), fields);
    let plan = plan.digest();
    let start = |kind: &str| Writer::new(kind).bytes(plan.as_bytes()).text(dealer.as_str());
    let fields = json!({
        "plan": plan.to_string(), "dealer": dealer, "commitments": commitments,
    });
    let proven = start("key-dealing-proof").list(&dealing.commitments).finish();
    all.canonical("key-dealing-proof", &proven, fields);
    all.derived(
        "dealing proof",
        json!({
            "key": commitments[0],
            "message": hex::encode(&proven),
            "proof": hex::encode(dealing.proof),
        }),
    );
    for (holder, key) in members {
        let way = start("key-sub-share").text(holder.as_str()).finish();
        let fields = json!({ "plan": plan.to_string(), "dealer": dealer, "holder": holder });
        let letter = &dealing.sealed[holder];
        let value = key.open(b"raccordo/v1/key-sub-share", &way, letter).unwrap();
        all.canonical("key-sub-share", &way, fields.clone());
        all.sealed("key-sub-share", key, fields, letter, &value);
    }
}

fn add_sharing(all: &mut Vectors, sharing: &Sharing) {
    let bytes = sharing.encode();
    // Each record ends in its commitment.
    let holders = sharing.holders().map(|holder| {
        let record = Writer::record().text(holder.as_str()).finish();
        let at = bytes.windows(record.len()).position(|window| window == record).unwrap();
        let commitment = &bytes[at + record.len() + 4..at + record.len() + 36];
        json!({ "holder": holder, "commitment": hex::encode(commitment) })
    });
    let fields = of_key(json!({
        "generation": 1,
        "threshold": 2,
        "public key": hex::encode(sharing.public_key()),
        "holders": holders.collect::<Vec<_>>(),
    }));
    all.canonical("key-sharing", &bytes, fields);
}

/// A token of one value, and what was said to make it.
fn token(all: &mut Vectors, sharing: &Sharing, holders: &BTreeSet<NodeId>, shares: &[KeyShare]) {
    let (family, value) = ("codice_fiscale", "RSSMRA85T10A562S");
    let request = Request::blind(&entropy(), KEY, [(family, value)]).unwrap();
    let secret = request.secrets().remove(0);
    let blind = hex::encode(&secret.reveal()[secret.reveal().len() - 32..]);
    let input = format!("v1|{}|1|person_strong|{family}|{value}", lineage());
    let fields = json!({ "input": hex::encode(&input), "blind": blind });
    all.canonical("token-value", secret.reveal(), fields);
    let mut answers = Vec::new();
    for (place, (holder, share)) in holders.iter().zip(shares).enumerate() {
        let entropy = SeededEntropy::labelled(&format!("evaluation {place}"));
        let made = evaluation::evaluate(&entropy, share, &request.blinded()).unwrap();
        add_evaluation(all, &made);
        answers.push(request.check(sharing, holder, &made).unwrap());
    }
    let token = request.finish(sharing, &answers).unwrap().remove(0);
    let scalar = |share: &KeyShare| {
        let bytes = share.encode();
        hex::encode(&bytes.reveal()[bytes.reveal().len() - 32..])
    };
    all.derived(
        "token",
        json!({
            "lineage": lineage(),
            "key epoch": 1,
            "class": "person_strong",
            "family": family,
            "value": value,
            "shares": shares.iter().map(scalar).collect::<Vec<_>>(),
            "public key": hex::encode(sharing.public_key()),
            "token": hex::encode(token.reveal()),
        }),
    );
}

fn add_evaluation(all: &mut Vectors, made: &Evaluation) {
    let fields = json!({
        "elements": hex::encode(made.elements.concat()), "proof": hex::encode(made.proof),
    });
    all.canonical("key-evaluation", &made.encode(), fields);
}
