//! What a member says in the log: packs of every kind of envelope, what is canonical inside of
//! them, letters, and notices.

use std::collections::BTreeSet;

use prost::Message as _;
use raccordo_core::canonical::{Reader, Writer};
use raccordo_core::envelope::{Body, Echo, Envelope, PackHead, pad};
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, EnvelopeId, ObjectId};
use raccordo_core::trust::notice::{Notice, NoticeKind, SignedNotice};
use raccordo_core::wire;
use raccordo_node::app::fault::Fault;
use raccordo_node::app::work::Work;
use raccordo_node::store::outbox::EntryRow;
use raccordo_proto::alert::v1 as proto;
use raccordo_proto::hub::v1 as hub;
use raccordo_tests::sim::task::ready;

use crate::calls::{call, judge};
use crate::stage::{BENDER, Stage};
use crate::{canonical, fields, samples};

const PACK: &str = "raccordo.alert.v1.Pack";
const ENVELOPE: &str = "raccordo.alert.v1.Envelope";
/// Of an alert with tags nothing is read: they travel by themselves.
const TAG: &str = "raccordo.alert.v1.Tag.key_epoch";

/// Says all of it; the fields that were bent.
pub fn take_all(stage: &mut Stage) -> BTreeSet<String> {
    let (mut bent, mut beyond) = (BTreeSet::new(), 0);
    for kind in fields::choices(ENVELOPE, "body") {
        let whole = wire::encode_envelope(&samples::envelope(stage, &kind));
        let pack = wire::encode_pack(&head(stage), &[whole]);
        let mut packs = vec![fresh(stage, &pack)];
        let new: Vec<fields::Bent> = fields::bent(PACK, &pack)
            .into_iter()
            .filter(|one| !bent.contains(&one.field))
            .collect();
        packs.extend(new.iter().map(|one| fresh(stage, &one.bytes)));
        beyond += new.iter().filter(|one| one.beyond && one.field != TAG).count();
        bent.extend(new.into_iter().map(|one| one.field));
        let inside = inside(stage, &kind);
        packs.extend(inside.iter().map(|envelope| {
            let encoded = wire::encode_envelope(envelope);
            wire::encode_pack(&head(stage), &[encoded])
        }));
        say(stage, packs);
        stage.goes_on(&kind);
    }
    // They were read, one by one.
    let aside = stage.set_aside(0).into_iter();
    let aside =
        aside.filter(|row| row.sender == stage.name(BENDER) && row.reason == "out_of_range");
    assert!(aside.count() >= beyond && beyond > 50, "not all {beyond} were set aside");
    let (readable, others): (Vec<_>, Vec<_>) =
        notices(stage).into_iter().partition(|(_, notice)| SignedNotice::decode(notice).is_ok());
    give(stage, readable);
    others.into_iter().for_each(|notice| refused(stage, notice));
    stage.settle("notices");
    bent
}

/// Where the member stands that says it.
fn head(stage: &Stage) -> PackHead {
    let row = stage.equipe(BENDER);
    PackHead {
        group: row.group,
        epoch: row.epoch,
        sender: stage.name(BENDER),
        echo: Echo {
            sequence: row.sequence,
            head: row.head,
            authenticator: row.authenticator,
            signature: None,
        },
        statement_version: 1,
    }
}

/// A pack with envelopes, and objects in them, that nobody has seen.
fn fresh(stage: &Stage, pack: &[u8]) -> Vec<u8> {
    let mut pack = proto::Pack::decode(pack).unwrap();
    for envelope in &mut pack.envelopes {
        envelope.envelope_id = EnvelopeId::random(&stage.entropy).0.to_vec();
        if let Some(proto::envelope::Body::ObjectEvent(event)) = &mut envelope.body {
            event.object_id = ObjectId::random(&stage.entropy).as_bytes().to_vec();
        }
    }
    pack.encode_to_vec()
}

/// Envelopes of a kind with numbers at the edges in what is canonical or sealed in them.
fn inside(stage: &Stage, kind: &str) -> Vec<Envelope> {
    let whole = samples::envelope(stage, kind);
    let again =
        |body: Body| Envelope { id: EnvelopeId::random(&stage.entropy), body, ..whole.clone() };
    let bent = |bytes: &[u8]| canonical::bent(bytes).into_iter().map(|(_, copy)| copy);
    match &whole.body {
        Body::KeyPlan(plan) => bent(&plan.plan)
            .map(|bytes| {
                let mut plan = plan.clone();
                plan.plan = bytes;
                again(Body::KeyPlan(plan))
            })
            .collect(),
        Body::KeyAct(act) => bent(act).map(|act| again(Body::KeyAct(act))).collect(),
        Body::CheckpointCopy(copy) => bent(&copy.checkpoint)
            .map(|checkpoint| {
                let mut copy = copy.clone();
                copy.checkpoint = checkpoint;
                again(Body::CheckpointCopy(copy))
            })
            .collect(),
        Body::Sealed(_) => {
            let inner = wire::encode_envelope(&samples::inner(stage));
            let bent = fields::bent(ENVELOPE, &inner).into_iter();
            bent.map(|one| again(Body::Sealed(samples::sealed(stage, &one.bytes)))).collect()
        }
        // What no type holds cannot be made of types: see `raw_audit_heads`.
        _ => Vec::new(),
    }
}

/// Packs with an audit head whose numbers no type holds.
fn raw_audit_heads(stage: &Stage) -> Vec<Vec<u8>> {
    let whole = samples::envelope(stage, "audit_head");
    let Body::AuditHead(signed) = &whole.body else { panic!("another envelope") };
    let container = signed.encode();
    let mut reader = Reader::new("signed-audit-head", &container).unwrap();
    let head_bytes = reader.bytes("head").unwrap().to_vec();
    let node = stage.node(BENDER);
    let pack = wire::encode_pack(&head(stage), &[wire::encode_envelope(&whole)]);
    let bent = canonical::bent(&head_bytes).into_iter().map(|(_, bytes)| {
        let signature = node.identity.key.sign(&bytes);
        let container = Writer::new("signed-audit-head").bytes(&bytes).bytes(&signature);
        let mut pack = proto::Pack::decode(&*pack).unwrap();
        let head = proto::AuditHead { head: container.finish() };
        pack.envelopes[0].body = Some(proto::envelope::Body::AuditHead(head));
        fresh(stage, &pack.encode_to_vec())
    });
    bent.collect()
}

/// Encrypts packs, and appends them.
fn say(stage: &mut Stage, mut packs: Vec<Vec<u8>>) {
    if packs.iter().any(|pack| carries_audit_head(pack)) {
        packs.extend(raw_audit_heads(stage));
    }
    let (node, lineage) = (stage.node(BENDER), stage.lineage());
    let encrypted = ready(async {
        let mut work = Work::begin(&node, lineage).await?.unwrap();
        let leaf = work.leaf().await?;
        let mut rows = Vec::new();
        for pack in packs {
            let plaintext = pad(&pack).unwrap();
            let payload = work.session().await?.encrypt(&leaf, &plaintext).unwrap();
            let entry = EntryId::random(&*node.entropy);
            let kind = EntryKind::Application;
            rows.push(EntryRow::pending(&work.row, node.boot, kind, entry, payload));
        }
        work.tx()?.insert_entries(rows).await?;
        work.commit().await?;
        Ok::<_, Fault>(())
    });
    encrypted.unwrap().unwrap();
    stage.send(BENDER);
}

fn carries_audit_head(pack: &[u8]) -> bool {
    let pack = proto::Pack::decode(pack);
    pack.is_ok_and(|pack| {
        let bodies = pack.envelopes.iter().map(|envelope| &envelope.body);
        bodies.into_iter().any(|body| matches!(body, Some(proto::envelope::Body::AuditHead(_))))
    })
}

/// Notices with bent times, and with bent places in their words.
fn notices(stage: &Stage) -> Vec<(EntryId, Vec<u8>)> {
    let node = stage.node(BENDER);
    let group = stage.equipe(BENDER).group;
    let made = |kind: NoticeKind, detail: String| {
        let entry = EntryId::random(&stage.entropy);
        let notice = Notice {
            group,
            sender: node.identity.node.clone(),
            entry,
            kind,
            said_at: node.clock.now(),
            detail: detail.into_bytes(),
        };
        (entry, notice.sign(&node.identity.key).unwrap().encode())
    };
    let edges = fields::UNSIGNED.map(|edge| edge.to_string());
    let edges = edges.into_iter().chain(["-1".to_owned(), "18446744073709551616".to_owned()]);
    let mut notices = Vec::new();
    for edge in edges {
        let void = format!("entry {edge} {}", "4f".repeat(32));
        notices.push(made(NoticeKind::Void, void));
        notices.push(made(NoticeKind::CannotProcess, format!("entry {edge}: undecryptable")));
    }
    let (mut place, mut left) = (0, 1);
    while place < left {
        let (entry, container) = made(NoticeKind::CannotProcess, "entry 1: no".to_owned());
        let mut reader = Reader::new("signed-notice", &container).unwrap();
        let bent = canonical::bent(reader.bytes("notice").unwrap());
        left = bent.len();
        let bytes = &bent[place].1;
        let signature = node.identity.key.sign(bytes);
        let container = Writer::new("signed-notice").bytes(bytes).bytes(&signature);
        notices.push((entry, container.finish()));
        place += 1;
    }
    notices
}

/// Appends notices.
fn give(stage: &mut Stage, notices: Vec<(EntryId, Vec<u8>)>) {
    let (node, lineage) = (stage.node(BENDER), stage.lineage());
    let given = ready(async {
        let mut work = Work::begin(&node, lineage).await?.unwrap();
        let (row, kind) = (work.row.clone(), EntryKind::Notice);
        let pending = |(entry, payload)| EntryRow::pending(&row, node.boot, kind, entry, payload);
        let rows = notices.into_iter().map(pending).collect();
        work.tx()?.insert_entries(rows).await?;
        work.commit().await?;
        Ok::<_, Fault>(())
    });
    given.unwrap().unwrap();
    stage.send(BENDER);
}

/// Hands a notice to the hub that is to refuse it: the outbox of a node would hold what its hub
/// refuses for its own fault.
fn refused(stage: &Stage, (entry, payload): (EntryId, Vec<u8>)) {
    let entry = hub::NewEntry {
        entry_id: entry.as_bytes().to_vec(),
        kind: hub::EntryKind::Notice.into(),
        payload,
        ..Default::default()
    };
    let group_id = stage.equipe(BENDER).group.as_bytes().to_vec();
    let before = stage.at_hub();
    let request = hub::AppendRequest { group_id, entries: vec![entry] };
    judge("Append", "a notice", call(stage, BENDER, "Append", &request.encode_to_vec()));
    assert_eq!(stage.at_hub(), before, "it is in the log");
}
