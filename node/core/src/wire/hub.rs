//! What travels between nodes and hubs, as messages of `hub/v1`.

use prost::Message;
use raccordo_proto::hub::v1 as proto;

use super::trust::{statement_message, unverified_statement};
use super::{WireError, code, count, epoch, from_one, id, instant, sequence};
use crate::hublog::{EntryKind, LogEntry, SignedCheckpoint, WelcomeItem};
use crate::id::{Digest, EntryId, Epoch, GroupId, LineageId, NodeId, Sequence};
use crate::time::Instant;
use crate::trust::statement_chain::STEPS_MAX;

/// An entry on its way to the hub, with what a commit brings along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handed {
    /// Key of deduplication, chosen by the sender.
    pub entry: EntryId,
    /// What it carries.
    pub kind: EntryKind,
    /// The epoch in which it was made.
    pub epoch: Epoch,
    /// Exactly the bytes that the log keeps.
    pub payload: Vec<u8>,
    /// Commits: the GroupInfo after it, without tree; else empty.
    pub group_info: Vec<u8>,
    /// Commits that add: the Welcome; else empty.
    pub welcome: Vec<u8>,
}

/// What a hub answers to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Durable at this place.
    Placed {
        /// The place.
        sequence: Sequence,
        /// SHA-256 of the canonical entry.
        digest: Digest,
    },
    /// Made in another epoch than this one, the group's.
    Stale {
        /// The group's epoch.
        current: Epoch,
    },
    /// Refused for ever, with a stable reason.
    Refused(String),
}

/// A hub's answers to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// One for each entry that was looked at, in order.
    pub outcomes: Vec<(EntryId, Outcome)>,
    /// The newest place, signed; none while the log is empty.
    pub checkpoint: Option<SignedCheckpoint>,
}

/// An item of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Place in the mailbox, from 1.
    pub sequence: u64,
    /// Who posted it, as the hub says.
    pub sender: NodeId,
    /// `pact`, `welcome`, `key_packages_wanted` or `equipe_accepted`.
    pub kind: String,
    /// Its bytes.
    pub payload: Vec<u8>,
}

/// Entries of one log without gaps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The group.
    pub group: GroupId,
    /// In order.
    pub entries: Vec<LogEntry>,
    /// The hub's signature over the place of the last.
    pub checkpoint: SignedCheckpoint,
}

/// One item of a subscription.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// A log has grown.
    Entries(Batch),
    /// Something is in the mailbox.
    Mail(Mail),
    /// Nothing; the connection stands.
    KeepAlive,
    /// Nothing more comes of a group.
    Ended {
        /// The group.
        group: GroupId,
        /// `removed`, `unknown_group` or `trimmed`.
        reason: String,
    },
}

/// An entry for `Append`.
pub fn new_entry_message(handed: &Handed) -> proto::NewEntry {
    proto::NewEntry {
        entry_id: handed.entry.as_bytes().to_vec(),
        kind: i32::from(handed.kind.number()),
        epoch: handed.epoch.0,
        payload: handed.payload.clone(),
        group_info: handed.group_info.clone(),
        welcome: handed.welcome.clone(),
    }
}

/// Reads an entry of `Append`; sizes are the hub's to judge.
///
/// # Errors
/// [`WireError::Field`].
pub fn new_entry(message: proto::NewEntry) -> Result<Handed, WireError> {
    Ok(Handed {
        entry: id(&message.entry_id, "entry_id")?,
        kind: entry_kind(message.kind)?,
        epoch: epoch(message.epoch, "epoch")?,
        payload: message.payload,
        group_info: message.group_info,
        welcome: message.welcome,
    })
}

fn outcome_message(entry: EntryId, outcome: &Outcome) -> proto::Appended {
    use proto::appended::Outcome as Message;
    let outcome = match outcome {
        Outcome::Placed { sequence, digest } => Message::Placed(proto::Placed {
            sequence: sequence.0,
            digest: digest.as_bytes().to_vec(),
        }),
        Outcome::Stale { current } => Message::StaleCurrentEpoch(current.0),
        Outcome::Refused(reason) => Message::Refused(reason.clone()),
    };
    proto::Appended { entry_id: entry.as_bytes().to_vec(), outcome: Some(outcome) }
}

fn outcome(message: proto::Appended) -> Result<(EntryId, Outcome), WireError> {
    use proto::appended::Outcome as Message;
    let entry = id(&message.entry_id, "entry_id")?;
    let outcome = match message.outcome.ok_or(WireError::Field("outcome"))? {
        Message::Placed(placed) => Outcome::Placed {
            sequence: sequence(placed.sequence, "sequence")?,
            digest: id(&placed.digest, "digest")?,
        },
        Message::StaleCurrentEpoch(current) => {
            Outcome::Stale { current: epoch(current, "stale_current_epoch")? }
        }
        Message::Refused(reason) => Outcome::Refused(code(reason, "refused")?),
    };
    Ok((entry, outcome))
}

/// The answer to one call.
pub fn appended_message(appended: &Appended) -> proto::AppendResponse {
    let outcomes = appended.outcomes.iter();
    proto::AppendResponse {
        outcomes: outcomes.map(|(entry, outcome)| outcome_message(*entry, outcome)).collect(),
        checkpoint: appended.checkpoint.as_ref().map(checkpoint_message),
    }
}

/// Reads the answer to one call.
///
/// # Errors
/// [`WireError::Field`].
pub fn appended(message: proto::AppendResponse) -> Result<Appended, WireError> {
    let outcomes = message.outcomes.into_iter().map(outcome).collect::<Result<_, _>>()?;
    let checkpoint = message.checkpoint.as_ref().map(checkpoint).transpose()?;
    Ok(Appended { outcomes, checkpoint })
}

/// An entry of a log as a message.
pub(super) fn log_entry_message(entry: LogEntry) -> proto::LogEntry {
    proto::LogEntry {
        sequence: entry.sequence.0,
        epoch: entry.epoch.0,
        kind: i32::from(entry.kind.number()),
        sender: entry.sender.to_string(),
        entry_id: entry.entry_id.as_bytes().to_vec(),
        accepted_at_ms: entry.accepted_at.0,
        payload: entry.payload,
    }
}

/// Reads an entry of a log.
///
/// # Errors
/// [`WireError::Field`].
pub(super) fn log_entry(message: proto::LogEntry) -> Result<LogEntry, WireError> {
    Ok(LogEntry {
        sequence: sequence(message.sequence, "sequence")?,
        epoch: epoch(message.epoch, "epoch")?,
        kind: entry_kind(message.kind)?,
        sender: node_id(&message.sender, "sender")?,
        entry_id: id(&message.entry_id, "entry_id")?,
        accepted_at: instant(message.accepted_at_ms, "accepted_at_ms")?,
        payload: message.payload,
    })
}

fn batch_message(batch: Batch) -> proto::EntryBatch {
    proto::EntryBatch {
        group_id: batch.group.as_bytes().to_vec(),
        entries: batch.entries.into_iter().map(log_entry_message).collect(),
        checkpoint: Some(checkpoint_message(&batch.checkpoint)),
    }
}

/// Chain and signature are the member's to verify.
fn batch(message: proto::EntryBatch) -> Result<Batch, WireError> {
    let checkpoint = message.checkpoint.as_ref().ok_or(WireError::Field("checkpoint"))?;
    Ok(Batch {
        group: id(&message.group_id, "group_id")?,
        checkpoint: self::checkpoint(checkpoint)?,
        entries: message.entries.into_iter().map(log_entry).collect::<Result<_, _>>()?,
    })
}

/// One item of a subscription.
pub fn news_message(news: News) -> proto::SubscribeResponse {
    use proto::subscribe_response::Item;
    let item = match news {
        News::Entries(batch) => Item::Entries(batch_message(batch)),
        News::Mail(mail) => Item::Mailbox(proto::MailboxItem {
            sequence: mail.sequence,
            sender: mail.sender.to_string(),
            kind: mail.kind,
            payload: mail.payload,
        }),
        News::KeepAlive => Item::KeepAlive(proto::KeepAlive {}),
        News::Ended { group, reason } => {
            Item::GroupEnded(proto::GroupEnded { group_id: group.as_bytes().to_vec(), reason })
        }
    };
    proto::SubscribeResponse { item: Some(item) }
}

/// Reads one item of a subscription.
///
/// # Errors
/// [`WireError::Field`].
pub fn news(message: proto::SubscribeResponse) -> Result<News, WireError> {
    use proto::subscribe_response::Item;
    Ok(match message.item.ok_or(WireError::Field("item"))? {
        Item::Entries(message) => News::Entries(batch(message)?),
        Item::Mailbox(item) => News::Mail(Mail {
            sequence: from_one(item.sequence, "mailbox.sequence")?,
            sender: node_id(&item.sender, "sender")?,
            kind: item.kind,
            payload: item.payload,
        }),
        Item::KeepAlive(_) => News::KeepAlive,
        Item::GroupEnded(ended) => {
            let reason = code(ended.reason, "reason")?;
            News::Ended { group: id(&ended.group_id, "group_id")?, reason }
        }
    })
}

/// Cursors as messages.
pub fn cursor_messages(cursors: &[(GroupId, Sequence)]) -> Vec<proto::Cursor> {
    let message = |(group, sequence): &(GroupId, Sequence)| proto::Cursor {
        group_id: group.as_bytes().to_vec(),
        sequence: sequence.0,
    };
    cursors.iter().map(message).collect()
}

/// Reads cursors.
///
/// # Errors
/// [`WireError::Field`].
pub fn cursors(messages: &[proto::Cursor]) -> Result<Vec<(GroupId, Sequence)>, WireError> {
    let read = |message: &proto::Cursor| {
        Ok((id(&message.group_id, "group_id")?, sequence(message.sequence, "sequence")?))
    };
    messages.iter().map(read).collect()
}

/// Reads a state that a hub answers: a word of lower-case letters, digits and underscores.
///
/// # Errors
/// [`WireError::Field`].
pub fn state(text: String) -> Result<String, WireError> {
    code(text, "state")
}

/// Reads a cursor of a mailbox; 0 stands before the first item.
///
/// # Errors
/// [`WireError::Range`].
pub fn mailbox_cursor(number: u64) -> Result<u64, WireError> {
    count(number, "mailbox_cursor")
}

/// Reads the time at which a key package ends.
///
/// # Errors
/// [`WireError::Range`].
pub fn expiry(ms: i64) -> Result<Instant, WireError> {
    instant(ms, "expires_at_ms")
}

/// Reads the epoch of a tree.
///
/// # Errors
/// [`WireError::Range`].
pub fn tree_epoch(number: u64) -> Result<Epoch, WireError> {
    epoch(number, "epoch")
}

fn entry_kind(number: i32) -> Result<EntryKind, WireError> {
    let known = u8::try_from(number).ok().and_then(EntryKind::from_number);
    known.ok_or(WireError::Field("kind"))
}

/// Reads a node id.
///
/// # Errors
/// [`WireError::Field`] with the name of the field.
pub fn node_id(text: &str, field: &'static str) -> Result<NodeId, WireError> {
    text.parse().map_err(|_| WireError::Field(field))
}

/// A checkpoint as a message.
pub fn checkpoint_message(checkpoint: &SignedCheckpoint) -> proto::Checkpoint {
    proto::Checkpoint {
        checkpoint: checkpoint.bytes().to_vec(),
        signature: checkpoint.signature().to_vec(),
    }
}

/// Reads a checkpoint; its signature is checked by whoever knows the hub.
///
/// # Errors
/// [`WireError::Field`].
pub fn checkpoint(message: &proto::Checkpoint) -> Result<SignedCheckpoint, WireError> {
    let field = WireError::Field("checkpoint");
    let signature = message.signature.as_slice().try_into().map_err(|_| field.clone())?;
    SignedCheckpoint::parse(&message.checkpoint, signature).map_err(|_| field)
}

/// Encodes a Welcome item.
pub fn encode_welcome(item: &WelcomeItem) -> Vec<u8> {
    proto::WelcomeItem {
        group_id: item.group.0.to_vec(),
        lineage: item.lineage.0.to_vec(),
        epoch: item.epoch.0,
        sequence: item.sequence.0,
        checkpoint: Some(checkpoint_message(&item.checkpoint)),
        welcome: item.welcome.clone(),
        accepted_at_ms: item.accepted_at.0,
        earlier: item.earlier.iter().map(statement_message).collect(),
    }
    .encode_to_vec()
}

/// Reads a Welcome item.
///
/// # Errors
/// [`WireError`].
pub fn decode_welcome(bytes: &[u8]) -> Result<WelcomeItem, WireError> {
    let message = proto::WelcomeItem::decode(bytes)?;
    let checkpoint = message.checkpoint.as_ref().ok_or(WireError::Field("checkpoint"))?;
    if message.earlier.len() > STEPS_MAX {
        return Err(WireError::Field("earlier"));
    }
    let step = |step| unverified_statement(step).map_err(|_| WireError::Field("earlier"));
    Ok(WelcomeItem {
        group: id::<GroupId>(&message.group_id, "group_id")?,
        lineage: id::<LineageId>(&message.lineage, "lineage")?,
        epoch: epoch(message.epoch, "epoch")?,
        sequence: sequence(message.sequence, "sequence")?,
        checkpoint: self::checkpoint(checkpoint)?,
        welcome: message.welcome,
        accepted_at: instant(message.accepted_at_ms, "accepted_at_ms")?,
        earlier: message.earlier.iter().map(step).collect::<Result<_, _>>()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hublog::Checkpoint;
    use crate::trust::keys::IdentityKey;
    use crate::trust::sample;

    const GROUP: GroupId = GroupId([7; 32]);

    fn checkpoint_of(sequence: u64) -> SignedCheckpoint {
        let checkpoint = Checkpoint {
            group: GROUP,
            sequence: Sequence(sequence),
            head: Digest([1; 32]),
            epoch: Epoch(3),
            hub: "relay".parse().unwrap(),
            term: 1,
        };
        checkpoint.sign(&IdentityKey::from_seed(&[5; 32]))
    }

    fn entry() -> LogEntry {
        LogEntry {
            sequence: Sequence(9),
            epoch: Epoch(3),
            kind: EntryKind::Notice,
            sender: "toscana".parse().unwrap(),
            entry_id: EntryId([4; 16]),
            accepted_at: Instant(1_790_000_000_123),
            payload: vec![1, 2, 3],
        }
    }

    #[track_caller]
    fn check_news(item: News) {
        let bytes = news_message(item.clone()).encode_to_vec();
        let message = proto::SubscribeResponse::decode(bytes.as_slice()).unwrap();
        assert_eq!(news(message).unwrap(), item);
    }

    #[test]
    fn news_comes_back() {
        let (entries, checkpoint) = (vec![entry()], checkpoint_of(9));
        check_news(News::Entries(Batch { group: GROUP, entries, checkpoint }));
        check_news(News::Mail(Mail {
            sequence: 2,
            sender: "umbria".parse().unwrap(),
            kind: "pact".into(),
            payload: vec![8],
        }));
        check_news(News::KeepAlive);
        check_news(News::Ended { group: GROUP, reason: "removed".into() });
    }

    #[test]
    fn a_welcome_item_comes_back_with_the_statements_before() {
        let first = sample::signed(sample::statement(3), &[0, 1, 2]);
        let second = sample::signed(sample::next(first.statement()), &[2]);
        for earlier in [vec![], vec![first, second]] {
            let item = WelcomeItem {
                group: GROUP,
                lineage: LineageId([2; 16]),
                epoch: Epoch(3),
                sequence: Sequence(9),
                checkpoint: checkpoint_of(9),
                welcome: b"welcome".to_vec(),
                accepted_at: Instant(4),
                earlier,
            };
            assert_eq!(decode_welcome(&encode_welcome(&item)), Ok(item));
        }
    }

    #[test]
    fn outcomes_come_back() {
        let placed = Outcome::Placed { sequence: Sequence(9), digest: Digest([2; 32]) };
        let outcomes = vec![
            (EntryId([1; 16]), placed),
            (EntryId([2; 16]), Outcome::Stale { current: Epoch(4) }),
            (EntryId([3; 16]), Outcome::Refused("not_admissible".into())),
        ];
        for checkpoint in [None, Some(checkpoint_of(9))] {
            let given = Appended { outcomes: outcomes.clone(), checkpoint };
            assert_eq!(appended(appended_message(&given)).unwrap(), given);
        }
    }

    fn handed() -> Handed {
        Handed {
            entry: EntryId([4; 16]),
            kind: EntryKind::Commit,
            epoch: Epoch(3),
            payload: b"commit".to_vec(),
            group_info: b"info".to_vec(),
            welcome: b"w".to_vec(),
        }
    }

    #[test]
    fn an_entry_on_its_way_comes_back() {
        assert_eq!(new_entry(new_entry_message(&handed())), Ok(handed()));
    }

    #[test]
    fn malformed_entries_on_their_way_name_their_field() {
        let check = |change: fn(&mut proto::NewEntry), field| {
            let mut message = new_entry_message(&handed());
            change(&mut message);
            assert_eq!(new_entry(message), Err(WireError::Field(field)));
        };
        check(|entry| entry.entry_id = vec![1; 15], "entry_id");
        check(|entry| entry.kind = 0, "kind");
        check(|entry| entry.kind = 4, "kind");
        check(|entry| entry.kind = -1, "kind");
        check(|entry| entry.kind = 257, "kind");
    }

    #[test]
    fn numbers_beyond_their_bounds_name_their_field() {
        const BEYOND: u64 = 1 << 53;
        let entry_of = |change: fn(&mut proto::LogEntry)| {
            let mut message = log_entry_message(entry());
            change(&mut message);
            log_entry(message)
        };
        assert_eq!(entry_of(|it| it.sequence = BEYOND), Err(WireError::Range("sequence")));
        assert_eq!(entry_of(|it| it.epoch = u64::MAX), Err(WireError::Range("epoch")));
        let late = entry_of(|it| it.accepted_at_ms = i64::MAX);
        assert_eq!(late, Err(WireError::Range("accepted_at_ms")));
        let mut message = new_entry_message(&handed());
        message.epoch = BEYOND;
        assert_eq!(new_entry(message), Err(WireError::Range("epoch")));
        let cursor = proto::Cursor { group_id: vec![7; 32], sequence: 1 << 63 };
        assert_eq!(cursors(&[cursor]), Err(WireError::Range("sequence")));
        assert_eq!(mailbox_cursor(BEYOND), Err(WireError::Range("mailbox_cursor")));
        assert_eq!(expiry(-1), Err(WireError::Range("expires_at_ms")));
        assert_eq!(tree_epoch(BEYOND), Err(WireError::Range("epoch")));
        let mail = |sequence| {
            let mailbox =
                proto::MailboxItem { sequence, sender: "umbria".into(), ..Default::default() };
            news(proto::SubscribeResponse {
                item: Some(proto::subscribe_response::Item::Mailbox(mailbox)),
            })
        };
        assert!(mail(1).is_ok());
        assert_eq!(mail(0), Err(WireError::Field("mailbox.sequence")));
        assert_eq!(mail(BEYOND), Err(WireError::Range("mailbox.sequence")));
        let far = checkpoint_message(&checkpoint_of(BEYOND));
        assert_eq!(checkpoint(&far), Err(WireError::Field("checkpoint")));
    }

    #[test]
    fn reasons_are_words() {
        let ended = |reason: &str| {
            let ended = proto::GroupEnded { group_id: vec![7; 32], reason: reason.to_owned() };
            news(proto::SubscribeResponse {
                item: Some(proto::subscribe_response::Item::GroupEnded(ended)),
            })
        };
        assert!(ended("trimmed").is_ok());
        for reason in ["", "a\0b", "<b>", &"a".repeat(65)] {
            assert_eq!(ended(reason), Err(WireError::Field("reason")), "{reason}");
        }
        assert_eq!(state("waiting".into()), Ok("waiting".into()));
        assert_eq!(state("Waiting".into()), Err(WireError::Field("state")));
    }

    #[test]
    fn kinds_have_the_numbers_of_the_wire() {
        let check = |kind: proto::EntryKind, expected| {
            let number = u8::try_from(i32::from(kind)).unwrap();
            assert_eq!(EntryKind::from_number(number), expected);
        };
        check(proto::EntryKind::Unspecified, None);
        check(proto::EntryKind::Application, Some(EntryKind::Application));
        check(proto::EntryKind::Commit, Some(EntryKind::Commit));
        check(proto::EntryKind::Notice, Some(EntryKind::Notice));
    }

    #[test]
    fn what_is_malformed_names_its_field() {
        let good = log_entry_message(entry());
        let kind = proto::LogEntry { kind: 4, ..good.clone() };
        assert_eq!(log_entry(kind), Err(WireError::Field("kind")));
        let sender = proto::LogEntry { sender: "No Node".into(), ..good.clone() };
        assert_eq!(log_entry(sender), Err(WireError::Field("sender")));
        let id = proto::LogEntry { entry_id: vec![1], ..good };
        assert_eq!(log_entry(id), Err(WireError::Field("entry_id")));
        let empty = proto::SubscribeResponse { item: None };
        assert_eq!(news(empty), Err(WireError::Field("item")));
    }
}
