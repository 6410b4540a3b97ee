//! Every message between node and hub, in both directions: decoded, checked and written again.

use prost::Message;
use raccordo_core::hublog::{Chain, Checkpoint, EntryKind, LogEntry, WelcomeItem};
use raccordo_core::id::{Digest, EntryId, Epoch, GroupId, Sequence};
use raccordo_core::number::{bounded, instant};
use raccordo_core::wire::hub::{
    Appended, Batch, Handed, Mail, News, Outcome, appended, appended_message, checkpoint,
    cursor_messages, cursors, decode_welcome, encode_welcome, new_entry, new_entry_message, news,
    news_message,
};
use raccordo_core::wire::offer::{offer, offer_message};
use raccordo_core::wire::seed::{Seed, seed, seed_message, seeded, seeded_message};
use raccordo_core::wire::trust::{card, card_message, statement, statement_message};
use raccordo_proto::hub::v1 as proto;

use super::{choice, fixture};

type Kind = fn(&[u8]) -> bool;

const KINDS: [Kind; 16] = [
    append,
    |bytes| {
        read::<proto::AppendResponse>(bytes).is_some_and(|message| {
            appended(message).is_ok_and(|read| {
                assert_eq!(appended(appended_message(&read)).as_ref(), Ok(&read));
                true
            })
        })
    },
    |bytes| read::<proto::SubscribeResponse>(bytes).is_some_and(streamed),
    |bytes| {
        read::<proto::SubscribeRequest>(bytes).is_some_and(|message| {
            let checkpoints = message.checkpoints.iter().all(|signed| checkpoint(signed).is_ok());
            positions(&message.groups) && checkpoints
        })
    },
    |bytes| read::<proto::ConfirmRequest>(bytes).is_some_and(|it| positions(&it.groups)),
    |bytes| read::<proto::SeedGroupRequest>(bytes).is_some_and(seeding),
    |bytes| {
        read::<proto::SeedGroupResponse>(bytes).is_some_and(|message| {
            let Ok(read) = seeded(&message) else { return false };
            assert_eq!(seeded(&seeded_message(read)), Ok(read));
            true
        })
    },
    |bytes| {
        decode_welcome(bytes).is_ok_and(|item| {
            assert_eq!(decode_welcome(&encode_welcome(&item)).as_ref(), Ok(&item));
            true
        })
    },
    |bytes| read::<proto::OfferEquipeRequest>(bytes).is_some_and(offered),
    |bytes| read::<proto::FoundGroupRequest>(bytes).is_some(),
    |bytes| read::<proto::DepositKeyPackagesRequest>(bytes).is_some(),
    |bytes| read::<proto::ClaimKeyPackagesRequest>(bytes).is_some(),
    |bytes| read::<proto::ClaimKeyPackagesResponse>(bytes).is_some(),
    |bytes| read::<proto::FetchTreeRequest>(bytes).is_some(),
    |bytes| read::<proto::PostRequest>(bytes).is_some(),
    |bytes| read::<proto::FetchTreeResponse>(bytes).is_some(),
];

/// Decodes a message; what is written of it is read as the same message.
fn read<M: Message + Default + PartialEq + std::fmt::Debug>(bytes: &[u8]) -> Option<M> {
    let message = M::decode(bytes).ok()?;
    assert_eq!(M::decode(message.encode_to_vec().as_slice()).as_ref(), Ok(&message));
    Some(message)
}

fn append(bytes: &[u8]) -> bool {
    let Some(message) = read::<proto::AppendRequest>(bytes) else { return false };
    let mut all = !message.entries.is_empty();
    for entry in message.entries {
        match new_entry(entry) {
            Ok(handed) => assert_eq!(new_entry(new_entry_message(&handed)).as_ref(), Ok(&handed)),
            Err(_) => all = false,
        }
    }
    all
}

fn positions(messages: &[proto::Cursor]) -> bool {
    let Ok(read) = cursors(messages) else { return false };
    assert_eq!(cursors(&cursor_messages(&read)).as_ref(), Ok(&read));
    true
}

fn streamed(message: proto::SubscribeResponse) -> bool {
    let Ok(read) = news(message) else { return false };
    assert_eq!(news(news_message(read.clone())).as_ref(), Ok(&read));
    if let News::Entries(batch) = &read {
        followed(batch);
    }
    true
}

/// A member holds a batch against the chain that it knows.
fn followed(batch: &Batch) {
    for entry in &batch.entries {
        assert!(bounded(entry.sequence.0).is_some() && bounded(entry.epoch.0).is_some());
        assert_eq!(instant(entry.accepted_at.0), Some(entry.accepted_at));
    }
    let mut chain = Chain::founded(batch.group);
    let began = chain.sequence;
    for entry in &batch.entries {
        let before = chain.clone();
        match chain.verify_next(entry) {
            Ok(_) => assert_eq!(Some(chain.sequence.0), before.sequence.0.checked_add(1)),
            Err(fault) => {
                assert!(!fault.reason().is_empty());
                assert_eq!(chain, before, "a refused entry leaves the chain as it was");
                break;
            }
        }
    }
    assert!(chain.sequence >= began);
    let (hub, key) = (fixture::node(3), fixture::identity(3).public());
    let _ = batch.checkpoint.verify(&key);
    let _ = (hub, batch.checkpoint.checkpoint());
}

fn seeding(message: proto::SeedGroupRequest) -> bool {
    let Ok(read) = seed(message) else { return false };
    assert_eq!(seed(seed_message(read.clone())).as_ref(), Ok(&read));
    true
}

fn offered(message: proto::OfferEquipeRequest) -> bool {
    if let Ok(read) = offer(&message) {
        assert_eq!(offer(&offer_message(&read)).as_ref(), Ok(&read));
        let _ = (read.lineage(), read.digest());
    }
    let mut whole = message.statement.is_some();
    if let Some(signed) = message.statement.as_ref().and_then(|it| statement(it).ok()) {
        assert_eq!(statement(&statement_message(&signed)).as_ref(), Ok(&signed));
        let _ = (signed.missing_signers(), signed.statement().check_founding());
    } else {
        whole = false;
    }
    for message in &message.cards {
        match card(message) {
            Ok(read) => assert_eq!(card(&card_message(&read)).as_ref(), Ok(&read)),
            Err(_) => whole = false,
        }
    }
    whole
}

/// A byte for the message, then its bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((kind, bytes)) = choice(data) else { return false };
    KINDS[usize::from(kind) % KINDS.len()](bytes)
}

fn entry(sequence: u64) -> LogEntry {
    LogEntry {
        sequence: Sequence(sequence),
        epoch: Epoch(0),
        kind: EntryKind::Application,
        sender: fixture::node(1),
        entry_id: EntryId([sequence as u8; 16]),
        accepted_at: fixture::NOW,
        payload: vec![1, 2, 3],
    }
}

pub fn examples() -> Vec<Vec<u8>> {
    let group = GroupId([1; 32]);
    let signed = Checkpoint {
        group,
        sequence: Sequence(2),
        head: Digest([2; 32]),
        epoch: Epoch(0),
        hub: fixture::node(3),
        term: 1,
    };
    let signed = signed.sign(&fixture::identity(3));
    let handed = Handed {
        entry: EntryId([3; 16]),
        kind: EntryKind::Commit,
        epoch: Epoch(1),
        payload: vec![4; 20],
        group_info: vec![5; 20],
        welcome: Vec::new(),
    };
    let outcomes = [
        Outcome::Placed { sequence: Sequence(1), digest: Digest([6; 32]) },
        Outcome::Stale { current: Epoch(2) },
        Outcome::Refused("log_full".to_owned()),
    ];
    let outcomes = outcomes.map(|outcome| (EntryId([7; 16]), outcome)).to_vec();
    let answer = Appended { outcomes, checkpoint: Some(signed.clone()) };
    let batch = Batch { group, entries: vec![entry(1), entry(2)], checkpoint: signed.clone() };
    let mail = Mail {
        sequence: 1,
        sender: fixture::node(0),
        kind: "pact".to_owned(),
        payload: vec![8; 20],
    };
    let ended = News::Ended { group, reason: "removed".to_owned() };
    let positions = cursor_messages(&[(group, Sequence(2))]);
    let page = Seed {
        group,
        lineage: fixture::LINEAGE,
        after: Sequence(0),
        head_after: Digest([0; 32]),
        entries: vec![entry(1)],
        state: None,
    };
    let welcome = WelcomeItem {
        group,
        lineage: fixture::LINEAGE,
        epoch: Epoch(1),
        sequence: Sequence(2),
        checkpoint: signed.clone(),
        welcome: vec![9; 20],
        accepted_at: fixture::NOW,
        earlier: vec![fixture::founding().clone()],
    };
    let offer = proto::OfferEquipeRequest {
        statement: Some(statement_message(fixture::founding())),
        cards: vec![card_message(&fixture::card(1))],
        earlier: Vec::new(),
    };
    let append = proto::AppendRequest {
        group_id: group.as_bytes().to_vec(),
        entries: vec![new_entry_message(&handed)],
    };
    let subscribe = proto::SubscribeRequest {
        groups: positions.clone(),
        mailbox_cursor: 4,
        checkpoints: vec![raccordo_core::wire::hub::checkpoint_message(&signed)],
    };
    let confirm = proto::ConfirmRequest { groups: positions, mailbox_cursor: 4 };
    let with = |kind: u8, bytes: Vec<u8>| [vec![kind], bytes].concat();
    vec![
        with(0, append.encode_to_vec()),
        with(1, appended_message(&answer).encode_to_vec()),
        with(2, news_message(News::Entries(batch)).encode_to_vec()),
        with(2, news_message(News::Mail(mail)).encode_to_vec()),
        with(2, news_message(ended).encode_to_vec()),
        with(3, subscribe.encode_to_vec()),
        with(4, confirm.encode_to_vec()),
        with(5, seed_message(page).encode_to_vec()),
        with(7, encode_welcome(&welcome)),
        with(8, offer.encode_to_vec()),
    ]
}
