//! Rows to store. Every field differs from its neighbours, so that none can be exchanged.

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    BootId, Digest, EntryId, EnvelopeId, Epoch, GroupId, ItemId, LineageId, NodeId, ObjectId,
    Sequence,
};
use raccordo_core::time::Instant;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::hub::{CarriedRow, LogRow, MailboxRow, PoolRow};
use raccordo_node::store::object::ObjectRow;
use raccordo_node::store::outbox::{EntryRow, EntryState, EnvelopeRow};

pub fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

pub fn lineage(number: u8) -> LineageId {
    LineageId([number; 16])
}

pub fn group(number: u8) -> GroupId {
    GroupId([number; 32])
}

pub fn digest(number: u8) -> Digest {
    Digest([number; 32])
}

/// 16 bytes from a number.
pub fn bytes(number: u32) -> [u8; 16] {
    (u128::from(number) << 64 | 0xfeed).to_be_bytes()
}

pub fn entry_id(number: u32) -> EntryId {
    EntryId(bytes(number))
}

pub fn envelope_id(number: u32) -> EnvelopeId {
    EnvelopeId(bytes(number))
}

pub fn object_id(number: u32) -> ObjectId {
    ObjectId::try_from(bytes(number).as_slice()).unwrap()
}

pub fn equipe(number: u8, name: &str) -> EquipeRow {
    EquipeRow {
        lineage: lineage(number),
        name: name.to_owned(),
        group: group(number),
        suite: 77,
        state: "active".to_owned(),
        version: 4,
        statement: b"statement".to_vec(),
        sealed_pact: b"pact".to_vec(),
        hub: node("hub-1"),
        sequence: Sequence(11),
        head: digest(12),
        accepted_at: Instant(13),
        epoch: Epoch(14),
        authenticator: b"authenticator".to_vec(),
        checkpoint: b"checkpoint".to_vec(),
        checkpoint_signature: Vec::new(),
        next_number: 15,
        receipt_due: Sequence(16),
        receipt_sent: Sequence(17),
    }
}

pub fn envelope(number: u32) -> EnvelopeRow {
    EnvelopeRow {
        lineage: lineage(1),
        position: 0,
        envelope: envelope_id(number),
        entry: None,
        object: Some(object_id(number)),
        case_bearing: false,
        sealed: format!("envelope {number}").into_bytes(),
        sequence: Sequence(0),
        queued_at: Instant(1_000 + i64::from(number)),
        record: None,
    }
}

pub fn entry(number: u32) -> EntryRow {
    EntryRow {
        lineage: lineage(1),
        position: 0,
        entry: entry_id(number),
        kind: EntryKind::Application,
        epoch: Epoch(3),
        payload: format!("payload {number}").into_bytes(),
        payload_digest: digest(5),
        group_info: b"group info".to_vec(),
        welcome: b"welcome".to_vec(),
        boot: BootId([6; 16]),
        state: EntryState::Pending,
        sequence: Sequence(0),
        reason: String::new(),
    }
}

pub fn object(number: u32) -> ObjectRow {
    ObjectRow {
        object: object_id(number),
        position: 0,
        lineage: lineage(1),
        kind: "case".to_owned(),
        origin: node("toscana"),
        version: 2,
        state: "active".to_owned(),
        envelope: envelope_id(number),
        sequence: Sequence(0),
        shared_at: Instant(3),
        received_at: None,
        expires_at: Instant(1_000),
        wrapped_key: b"key".to_vec(),
        sealed_share: b"share".to_vec(),
        sealed_author: b"author".to_vec(),
        end_reason: String::new(),
    }
}

pub fn carried(number: u8, name: &str) -> CarriedRow {
    CarriedRow {
        lineage: lineage(number),
        name: name.to_owned(),
        state: "founded".to_owned(),
        version: 4,
        statement: b"statement".to_vec(),
        cards: vec![b"card a".to_vec(), Vec::new(), b"card c".to_vec()],
        group: group(number),
        epoch: Epoch(5),
        sequence: Sequence(6),
        head: digest(7),
        accepted_at: Instant(8),
        term: 9,
        begun: digest(14),
        group_info: b"group info".to_vec(),
        trimmed: Sequence(10),
        stored_bytes: 11,
        entries_per_minute_max: 12,
        stored_bytes_max: 13,
        succeeds: group(14),
    }
}

pub fn logged(number: u32) -> LogRow {
    LogRow {
        group: group(1),
        sequence: Sequence(u64::from(number)),
        epoch: Epoch(2),
        kind: EntryKind::Commit,
        sender: node("toscana"),
        entry: entry_id(number),
        accepted_at: Instant(3),
        payload: b"ten bytes.".to_vec(),
        digest: digest(4),
        head: digest(5),
    }
}

pub fn item(number: u32, recipient: &str) -> MailboxRow {
    MailboxRow {
        recipient: node(recipient),
        sequence: 0,
        item: ItemId(bytes(number)),
        sender: node("toscana"),
        kind: "pact".to_owned(),
        payload: b"post".to_vec(),
        expires_at: Instant(1_000),
    }
}

pub fn key_package(reference: &[u8]) -> PoolRow {
    PoolRow {
        owner: node("toscana"),
        reference: reference.to_vec(),
        suite: 77,
        last_resort: false,
        key_package: b"key package".to_vec(),
        expires_at: Instant(1_000),
        deposited_at: Instant(1),
    }
}
