//! The log, what its hub signs, and what members say in it beside MLS.

use serde_json::json;

use super::Vectors;
use super::trust::{card, key};
use raccordo_core::audit::{AuditEvent, AuditHead, AuditRecord, SignedAuditHead};
use raccordo_core::canonical::Writer;
use raccordo_core::hublog::{Checkpoint, EntryKind, Equivocation, LogEntry, head_after};
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::trust::commit::leaf_digest;
use raccordo_core::trust::notice::{Notice, NoticeKind, SignedNotice};
use raccordo_core::trust::rejoin::{Asked, RejoinRequest};

const GROUP: GroupId = GroupId([0x60; 32]);

pub(super) fn add(all: &mut Vectors) {
    let heads = entries(all);
    checkpoints(all, heads);
    notices(all);
    audit(all);
}

fn entries(all: &mut Vectors) -> [Digest; 2] {
    let kinds = [EntryKind::Commit, EntryKind::Application];
    let (mut before, mut heads) = (Digest::ZERO, [Digest::ZERO; 2]);
    for (place, kind) in kinds.into_iter().enumerate() {
        let entry = LogEntry {
            sequence: Sequence(place as u64 + 1),
            epoch: Epoch(place as u64),
            kind,
            sender: super::node("toscana"),
            entry_id: EntryId([0xe0 + place as u8; 16]),
            accepted_at: Instant(1_790_000_000_000 + place as i64),
            payload: format!("payload {place}").into_bytes(),
        };
        let payload = Digest::of(&entry.payload);
        let writer = Writer::new("entry")
            .bytes(GROUP.as_bytes())
            .integer(entry.sequence.0)
            .integer(entry.epoch.0)
            .integer(u64::from(kind.number()))
            .text("toscana")
            .bytes(entry.entry_id.as_bytes())
            .instant(entry.accepted_at)
            .bytes(payload.as_bytes());
        let fields = json!({
            "group id": GROUP.to_string(),
            "sequence": entry.sequence.0,
            "epoch": entry.epoch.0,
            "kind": kind.number(),
            "sender": "toscana",
            "entry id": hex::encode(entry.entry_id.as_bytes()),
            "accepted at": entry.accepted_at.0,
            "payload digest": payload.to_string(),
        });
        let digest = entry.digest(GROUP);
        all.hashed("entry", writer, digest, fields);
        let head = head_after(before, digest);
        let writer = Writer::new("head").bytes(before.as_bytes()).bytes(digest.as_bytes());
        let fields = json!({
            "head before": before.to_string(), "entry digest": digest.to_string(),
        });
        all.hashed("head", writer, head, fields);
        before = head;
        heads[place] = head;
    }
    heads
}

fn checkpoints(all: &mut Vectors, heads: [Digest; 2]) {
    let stated = |sequence: u64, head: Digest, epoch: u64| {
        let hub = super::node("relay");
        let (sequence, epoch) = (Sequence(sequence), Epoch(epoch));
        Checkpoint { group: GROUP, sequence, head, epoch, hub, term: 1 }.sign(&key(21))
    };
    let one = stated(1, heads[0], 1);
    let link = Digest([0x4f; 32]);
    let base = Digest([0xba; 32]);
    let other = stated(2, head_after(base, link), 1);
    let relay = card("relay", 21);
    for signed in [&one, &other] {
        let said = signed.checkpoint();
        let fields = json!({
            "group id": GROUP.to_string(),
            "sequence": said.sequence.0,
            "head": said.head.to_string(),
            "epoch": said.epoch.0,
            "hub": "relay",
            "term": 1,
        });
        all.canonical("checkpoint", signed.bytes(), fields);
        let key = relay.card().identity;
        all.signature("checkpoint", key.as_bytes(), signed.bytes(), signed.signature());
    }
    let fields = json!({
        "hub's card": hex::encode(relay.encode()),
        "checkpoint": hex::encode(one.bytes()),
        "signature": hex::encode(one.signature()),
        "other checkpoint": hex::encode(other.bytes()),
        "other signature": hex::encode(other.signature()),
        "base": base.to_string(),
        "links": [link.to_string()],
    });
    let proof = Equivocation { hub: relay, one, other, base, links: vec![link] };
    proof.judge().unwrap();
    all.canonical("equivocation", &proof.encode(), fields);
}

fn notices(all: &mut Vectors) {
    let leaf = |seed: u8| {
        let (identity, mls) = (super::node("umbria"), key(seed).public());
        let hpke = [vec![0x20], vec![seed; 32]].concat();
        let digest = leaf_digest(Some(&identity), mls.as_bytes(), &hpke);
        (mls, hpke, digest)
    };
    let leaves = [leaf(13), leaf(15)];
    for (mls, hpke, digest) in &leaves {
        let writer = Writer::new("leaf").text("umbria").bytes(mls.as_bytes()).bytes(hpke);
        let fields = json!({
            "node id": "umbria", "MLS key": mls.to_string(), "HPKE key": hex::encode(hpke),
        });
        all.hashed("leaf", writer, *digest, fields);
    }
    let request = RejoinRequest {
        replaced: leaves[0].2,
        replacement: leaves[1].2,
        key_package: b"an encoded MLSMessage".to_vec(),
    };
    let asked = Asked {
        group: GROUP,
        sender: super::node("umbria"),
        entry: EntryId([0xee; 16]),
        said_at: Instant(1_790_000_000_007),
    };
    let signed = request.sign(asked, &key(11)).unwrap();
    let fields = json!({
        "replaced leaf": request.replaced.to_string(),
        "replacing leaf": request.replacement.to_string(),
        "key package": hex::encode(&request.key_package),
    });
    all.canonical("rejoin-request", &signed.notice().detail, fields);
    notice(all, &signed, 11);
    let void = format!("entry 1 {}", Digest([0x4f; 32]));
    for (kind, detail) in [
        (NoticeKind::CannotProcess, "entry 1: undecryptable".to_owned()),
        (NoticeKind::Revocation, "lazio suspended".to_owned()),
        (NoticeKind::Leave, String::new()),
        (NoticeKind::Void, void),
    ] {
        let said = Notice {
            group: GROUP,
            sender: super::node("umbria"),
            entry: EntryId([0xef; 16]),
            kind,
            said_at: Instant(1_790_000_000_008),
            detail: detail.into_bytes(),
        };
        notice(all, &said.sign(&key(13)).unwrap(), 13);
    }
}

fn notice(all: &mut Vectors, signed: &SignedNotice, signer: u8) {
    let said = signed.notice();
    let container = signed.encode();
    // The container is the tag and a zero byte, then two fields.
    let bytes = container.get("raccordo/v1/signed-notice".len() + 1 + 4..container.len() - 68);
    let (bytes, signature) = (bytes.unwrap(), &container[container.len() - 64..]);
    let fields = json!({
        "group id": said.group.to_string(),
        "sender": said.sender,
        "entry id": hex::encode(said.entry.as_bytes()),
        "kind": said.kind.as_str(),
        "said at": said.said_at.0,
        "detail": hex::encode(&said.detail),
    });
    all.canonical("notice", bytes, fields);
    let fields = json!({ "notice": hex::encode(bytes), "signature": hex::encode(signature) });
    all.canonical("signed-notice", &container, fields);
    all.signature("notice", key(signer).public().as_bytes(), bytes, signature);
}

fn audit(all: &mut Vectors) {
    let detail = [("by", "umbria"), ("serial", "2")];
    let detail = detail.map(|(key, value)| (key.to_owned(), value.to_owned())).into();
    let event = AuditEvent {
        at: Instant(1_790_000_000_009),
        actor: "administrator/0".to_owned(),
        action: "trust.add".to_owned(),
        subject: "umbria".to_owned(),
        detail,
    };
    let head = AuditHead { sequence: 6, hash: Digest([0xa0; 32]) };
    let record = AuditRecord::append(head, event);
    let pair = |key: &str, value: &str| Writer::record().text(key).text(value).finish();
    let writer = Writer::new("audit")
        .integer(7)
        .instant(record.event.at)
        .text("administrator/0")
        .text("trust.add")
        .text("umbria")
        .list([pair("by", "umbria"), pair("serial", "2")])
        .bytes(head.hash.as_bytes());
    let fields = json!({
        "place": 7,
        "at": record.event.at.0,
        "actor": "administrator/0",
        "action": "trust.add",
        "subject": "umbria",
        "detail": [{ "key": "by", "value": "umbria" }, { "key": "serial", "value": "2" }],
        "hash before": head.hash.to_string(),
    });
    all.hashed("audit", writer, record.hash, fields);
    let at = Instant(1_790_000_000_010);
    let signed = SignedAuditHead::sign(super::node("toscana"), record.head(), at, &key(1));
    let writer = Writer::new("audit-head").text("toscana").integer(7);
    let bytes = writer.bytes(record.hash.as_bytes()).instant(at).finish();
    let fields = json!({
        "node": "toscana", "place": 7, "hash": record.hash.to_string(), "signed at": at.0,
    });
    all.canonical("audit-head", &bytes, fields);
    let signature = hex::encode(signed.signature);
    let fields = json!({ "head": hex::encode(&bytes), "signature": signature });
    all.canonical("signed-audit-head", &signed.encode(), fields);
    all.signature("audit-head", key(1).public().as_bytes(), &bytes, &signed.signature);
}
