//! A whole envelope of each kind, as a member may say it.

use std::collections::BTreeSet;
use std::time::Duration;

use raccordo_core::audit::{AuditHead, SignedAuditHead};
use raccordo_core::envelope::{
    Body, Change, CheckpointCopy, Chunk, Envelope, KeyPlan, KeyRenewal, ObjectEvent, Receipt,
    Sealed, SetAside, Share, TokenAnswer, TokenRequest,
};
use raccordo_core::id::{Digest, EntryId, EnvelopeId, NodeId, ObjectId, Sequence, TokenRequestId};
use raccordo_core::matching::shown::{PairHalf, RegisterSize, Shown, Tags};
use raccordo_core::pseudonym::ceremony::{Act, Plan, Rules};
use raccordo_core::pseudonym::evaluation::Evaluation;
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch, KeyId};
use raccordo_core::pseudonym::request::Request;
use raccordo_core::secret::Secret;
use raccordo_core::{sealing, wire};
use raccordo_node::app::apply::open_share;
use raccordo_node::store::object::ObjectFilter;
use raccordo_proto::alert::v1 as proto;
use raccordo_tests::sim::task::ready;

use crate::stage::{BENDER, Stage};

/// An envelope of the kind that a field of `Envelope` names.
pub fn envelope(stage: &Stage, kind: &str) -> Envelope {
    let body = match kind {
        "object_event" => Body::ObjectEvent(object_event(stage)),
        "receipt" => Body::Receipt(receipt()),
        "read_receipt" => Body::ReadReceipt(vec![ObjectId::random(&stage.entropy)]),
        "chunk" => {
            let whole = EnvelopeId::random(&stage.entropy);
            Body::Chunk(Chunk { whole, index: 0, count: 2, part: vec![7; 9] })
        }
        "sealed" => Body::Sealed(sealed(stage, &wire::encode_envelope(&inner(stage)))),
        "key_plan" => Body::KeyPlan(KeyPlan { plan: key_plan(stage), current: Vec::new() }),
        "key_act" => {
            let run = EntryId::random(&stage.entropy);
            let report = Act::Report { accused: BTreeSet::new(), newcomer: true };
            Body::KeyAct(report.encode(run))
        }
        "token_request" => Body::TokenRequest(token_request(stage)),
        "token_answer" => {
            let evaluation = Evaluation { elements: vec![[0; 32]], proof: [0; 64] };
            let request = TokenRequestId::random(&stage.entropy);
            let evaluation = evaluation.encode();
            Body::TokenAnswer(TokenAnswer { request, generation: Generation(1), evaluation })
        }
        "tags" => {
            let receiver = stage.name(0);
            let shown = vec![Shown { receiver, tags: Vec::new() }];
            let (object, register) = (ObjectId::random(&stage.entropy), RegisterSize::of(9));
            Body::Tags(Tags { object, register, shown })
        }
        "match_event" => Body::MatchEvent(vec![9; 3_184]),
        "pair_half" => Body::PairHalf(PairHalf { half: Secret::new([5; 32]), heard: None }),
        "key_renewal" => {
            Body::KeyRenewal(KeyRenewal { class: Class::Company, key_epoch: KeyEpoch::FIRST })
        }
        "checkpoint_request" => Body::CheckpointRequest(stage.name(0)),
        "checkpoint_copy" => Body::CheckpointCopy(checkpoint_copy(stage)),
        "audit_head" => Body::AuditHead(audit_head(stage)),
        other => panic!("there is no envelope of kind {other} here: add one"),
    };
    of_body(stage, body)
}

fn of_body(stage: &Stage, body: Body) -> Envelope {
    Envelope {
        id: EnvelopeId::random(&stage.entropy),
        lineage: stage.lineage(),
        number: 1_000,
        said_at: stage.node(BENDER).clock.now(),
        author: None,
        body,
    }
}

/// What a letter holds.
pub fn inner(stage: &Stage) -> Envelope {
    Envelope { number: 1, ..of_body(stage, Body::ObjectEvent(object_event(stage))) }
}

/// A letter to the honest member.
pub fn sealed(stage: &Stage, envelope: &[u8]) -> Sealed {
    let (sender, recipient) = (stage.name(BENDER), stage.name(0));
    let aad = raccordo_core::canonical::Writer::new("sealed-envelope")
        .bytes(stage.lineage().as_bytes())
        .text(sender.as_str())
        .text(recipient.as_str())
        .finish();
    let key = stage.node(0).identity.card().card().sealing_key.clone();
    let info = b"raccordo/v1/sealed-envelope";
    let letter = sealing::seal(&stage.entropy, &key, info, &aad, envelope).unwrap();
    Sealed { recipient, letter }
}

/// An object that is new, else as one that was shared; with a tag.
fn object_event(stage: &Stage) -> ObjectEvent {
    let honest = stage.node(0);
    let mut tx = ready(honest.store.read()).unwrap().unwrap();
    let filter = ObjectFilter { limit: 1, ..ObjectFilter::default() };
    let row = ready(tx.list_objects(&filter)).unwrap().unwrap().remove(0);
    let mut share: Share = open_share(&honest, &row).unwrap().unwrap();
    let Some(proto::alert::Body::CompanyAlert(company)) = &mut share.alert.body else {
        panic!("another alert than was shared");
    };
    company.tags.push(proto::Tag {
        receiver: stage.name(0).to_string(),
        token_class: Class::Company.name().to_owned(),
        key_epoch: 1,
        tag: vec![3; 16],
    });
    let object = ObjectId::random(&stage.entropy);
    share.alert.id = object.to_string();
    ObjectEvent { object, version: 1, change: Change::Share(share) }
}

fn receipt() -> Receipt {
    let set_aside =
        SetAside { sequence: Sequence(1), envelope: None, reason: "undecryptable".to_owned() };
    Receipt { processed: Sequence(1), set_aside: vec![set_aside] }
}

fn key(stage: &Stage) -> KeyId {
    KeyId { lineage: stage.lineage(), class: Class::PersonWeak, epoch: KeyEpoch::FIRST }
}

fn key_plan(stage: &Stage) -> Vec<u8> {
    let holders: BTreeSet<NodeId> = (0..3).map(|place| stage.name(place)).collect();
    let rules = Rules { key: key(stage), holders: &holders, threshold: 2, current: None };
    let run = EntryId::random(&stage.entropy);
    Plan::founding(run, rules, Duration::from_secs(3_600)).unwrap().encode()
}

fn token_request(stage: &Stage) -> TokenRequest {
    let key = key(stage);
    let blinded = Request::blind(&stage.entropy, key, [("name_birth", "ROSSI|1985.12.10")]);
    TokenRequest {
        request: TokenRequestId::random(&stage.entropy),
        class: key.class,
        key_epoch: key.epoch,
        blinded: blinded.unwrap().blinded(),
        attempt: 0,
    }
}

fn checkpoint_copy(stage: &Stage) -> CheckpointCopy {
    let row = stage.equipe(BENDER);
    let signature = row.checkpoint_signature.as_slice().try_into().unwrap();
    CheckpointCopy { checkpoint: row.checkpoint, signature }
}

fn audit_head(stage: &Stage) -> SignedAuditHead {
    let node = stage.node(BENDER);
    let head = AuditHead { sequence: 1, hash: Digest([4; 32]) };
    SignedAuditHead::sign(node.identity.node.clone(), head, node.clock.now(), &node.identity.key)
}
