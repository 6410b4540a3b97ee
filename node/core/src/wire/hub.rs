//! What travels between nodes and hubs, as messages of `hub/v1`.

use prost::Message;
use raccordo_proto::hub::v1 as proto;

use super::WireError;
use super::id;
use crate::hublog::{EntryKind, LogEntry, NewEntry, SignedCheckpoint, WelcomeItem};
use crate::id::{Digest, EntryId, Epoch, GroupId, LineageId, NodeId, Sequence};
use crate::time::Instant;

/// An entry on its way to the hub, with what a commit brings along.
#[derive(Clone, Copy, Debug)]
pub struct Handed<'a> {
    /// What the log is to keep.
    pub entry: NewEntry<'a>,
    /// Commits: the GroupInfo after it, without tree; else empty.
    pub group_info: &'a [u8],
    /// Commits that add: the Welcome; else empty.
    pub welcome: &'a [u8],
}

/// What a hub answers to one entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
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
pub struct Answers {
    /// One for each entry that was looked at, in order.
    pub entries: Vec<(EntryId, Answer)>,
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
pub struct Entries {
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
    Entries(Entries),
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
pub fn new_entry_message(handed: &Handed<'_>) -> proto::NewEntry {
    proto::NewEntry {
        entry_id: handed.entry.entry_id.as_bytes().to_vec(),
        kind: i32::from(handed.entry.kind.number()),
        epoch: handed.entry.epoch.0,
        payload: handed.entry.payload.to_vec(),
        group_info: handed.group_info.to_vec(),
        welcome: handed.welcome.to_vec(),
    }
}

/// Reads an entry of `Append`; sizes are the hub's to judge.
///
/// # Errors
/// [`WireError::Field`].
pub fn new_entry(message: &proto::NewEntry) -> Result<Handed<'_>, WireError> {
    Ok(Handed {
        entry: NewEntry {
            entry_id: id(&message.entry_id, "entry_id")?,
            kind: entry_kind(message.kind)?,
            epoch: Epoch(message.epoch),
            payload: &message.payload,
        },
        group_info: &message.group_info,
        welcome: &message.welcome,
    })
}

/// An answer to one entry.
pub fn answer_message(entry: EntryId, answer: &Answer) -> proto::Appended {
    use proto::appended::Outcome;
    let outcome = match answer {
        Answer::Placed { sequence, digest } => Outcome::Placed(proto::Placed {
            sequence: sequence.0,
            digest: digest.as_bytes().to_vec(),
        }),
        Answer::Stale { current } => Outcome::StaleCurrentEpoch(current.0),
        Answer::Refused(reason) => Outcome::Refused(reason.clone()),
    };
    proto::Appended { entry_id: entry.as_bytes().to_vec(), outcome: Some(outcome) }
}

/// Reads an answer to one entry.
///
/// # Errors
/// [`WireError::Field`].
pub fn answer(message: proto::Appended) -> Result<(EntryId, Answer), WireError> {
    use proto::appended::Outcome;
    let entry = id(&message.entry_id, "entry_id")?;
    let answer = match message.outcome.ok_or(WireError::Field("outcome"))? {
        Outcome::Placed(placed) => Answer::Placed {
            sequence: Sequence(placed.sequence),
            digest: id(&placed.digest, "digest")?,
        },
        Outcome::StaleCurrentEpoch(current) => Answer::Stale { current: Epoch(current) },
        Outcome::Refused(reason) => Answer::Refused(reason),
    };
    Ok((entry, answer))
}

/// The answers to one call.
pub fn answers_message(answers: &Answers) -> proto::AppendResponse {
    let outcomes = answers.entries.iter().map(|(entry, answer)| answer_message(*entry, answer));
    proto::AppendResponse {
        outcomes: outcomes.collect(),
        checkpoint: answers.checkpoint.as_ref().map(checkpoint_message),
    }
}

/// Reads the answers to one call.
///
/// # Errors
/// [`WireError::Field`].
pub fn answers(message: proto::AppendResponse) -> Result<Answers, WireError> {
    let entries = message.outcomes.into_iter().map(answer).collect::<Result<_, _>>()?;
    let checkpoint = message.checkpoint.as_ref().map(checkpoint).transpose()?;
    Ok(Answers { entries, checkpoint })
}

/// An entry as the log keeps it.
pub fn log_entry_message(entry: &LogEntry) -> proto::LogEntry {
    proto::LogEntry {
        sequence: entry.sequence.0,
        epoch: entry.epoch.0,
        kind: i32::from(entry.kind.number()),
        sender: entry.sender.to_string(),
        entry_id: entry.entry_id.as_bytes().to_vec(),
        accepted_at_ms: entry.accepted_at.0,
        payload: entry.payload.clone(),
    }
}

/// Reads an entry of the log.
///
/// # Errors
/// [`WireError::Field`].
pub fn log_entry(message: proto::LogEntry) -> Result<LogEntry, WireError> {
    Ok(LogEntry {
        sequence: Sequence(message.sequence),
        epoch: Epoch(message.epoch),
        kind: entry_kind(message.kind)?,
        sender: node_id(&message.sender, "sender")?,
        entry_id: id(&message.entry_id, "entry_id")?,
        accepted_at: Instant(message.accepted_at_ms),
        payload: message.payload,
    })
}

/// A batch of entries.
pub fn entries_message(entries: &Entries) -> proto::EntryBatch {
    proto::EntryBatch {
        group_id: entries.group.as_bytes().to_vec(),
        entries: entries.entries.iter().map(log_entry_message).collect(),
        checkpoint: Some(checkpoint_message(&entries.checkpoint)),
    }
}

/// Reads a batch; chain and signature are the member's to verify.
///
/// # Errors
/// [`WireError::Field`].
pub fn entries(message: proto::EntryBatch) -> Result<Entries, WireError> {
    let checkpoint = message.checkpoint.as_ref().ok_or(WireError::Field("checkpoint"))?;
    Ok(Entries {
        group: id(&message.group_id, "group_id")?,
        checkpoint: self::checkpoint(checkpoint)?,
        entries: message.entries.into_iter().map(log_entry).collect::<Result<_, _>>()?,
    })
}

/// One item of a subscription.
pub fn news_message(news: &News) -> proto::SubscribeResponse {
    use proto::subscribe_response::Item;
    let item = match news {
        News::Entries(entries) => Item::Entries(entries_message(entries)),
        News::Mail(mail) => Item::Mailbox(proto::MailboxItem {
            sequence: mail.sequence,
            sender: mail.sender.to_string(),
            kind: mail.kind.clone(),
            payload: mail.payload.clone(),
        }),
        News::KeepAlive => Item::KeepAlive(proto::KeepAlive {}),
        News::Ended { group, reason } => Item::GroupEnded(proto::GroupEnded {
            group_id: group.as_bytes().to_vec(),
            reason: reason.clone(),
        }),
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
        Item::Entries(batch) => News::Entries(entries(batch)?),
        Item::Mailbox(item) => News::Mail(Mail {
            sequence: item.sequence,
            sender: node_id(&item.sender, "sender")?,
            kind: item.kind,
            payload: item.payload,
        }),
        Item::KeepAlive(_) => News::KeepAlive,
        Item::GroupEnded(ended) => {
            News::Ended { group: id(&ended.group_id, "group_id")?, reason: ended.reason }
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
        Ok((id(&message.group_id, "group_id")?, Sequence(message.sequence)))
    };
    messages.iter().map(read).collect()
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
    Ok(WelcomeItem {
        group: id::<GroupId>(&message.group_id, "group_id")?,
        lineage: id::<LineageId>(&message.lineage, "lineage")?,
        epoch: Epoch(message.epoch),
        sequence: Sequence(message.sequence),
        checkpoint: self::checkpoint(checkpoint)?,
        welcome: message.welcome,
        accepted_at: Instant(message.accepted_at_ms),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hublog::Checkpoint;
    use crate::trust::keys::IdentityKey;

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
        let bytes = news_message(&item).encode_to_vec();
        let message = proto::SubscribeResponse::decode(bytes.as_slice()).unwrap();
        assert_eq!(news(message).unwrap(), item);
    }

    #[test]
    fn news_comes_back() {
        let entries =
            Entries { group: GROUP, entries: vec![entry()], checkpoint: checkpoint_of(9) };
        check_news(News::Entries(entries));
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
    fn answers_come_back() {
        let placed = Answer::Placed { sequence: Sequence(9), digest: Digest([2; 32]) };
        let entries = vec![
            (EntryId([1; 16]), placed),
            (EntryId([2; 16]), Answer::Stale { current: Epoch(4) }),
            (EntryId([3; 16]), Answer::Refused("not_admissible".into())),
        ];
        for checkpoint in [None, Some(checkpoint_of(9))] {
            let given = Answers { entries: entries.clone(), checkpoint };
            assert_eq!(answers(answers_message(&given)).unwrap(), given);
        }
    }

    #[test]
    fn an_entry_on_its_way_comes_back() {
        let entry = NewEntry {
            entry_id: EntryId([4; 16]),
            kind: EntryKind::Commit,
            epoch: Epoch(3),
            payload: b"commit",
        };
        let message = new_entry_message(&Handed { entry, group_info: b"info", welcome: b"w" });
        let read = new_entry(&message).unwrap();
        assert_eq!((read.entry.entry_id, read.entry.kind), (EntryId([4; 16]), EntryKind::Commit));
        assert_eq!((read.entry.epoch, read.entry.payload), (Epoch(3), &b"commit"[..]));
        assert_eq!((read.group_info, read.welcome), (&b"info"[..], &b"w"[..]));
    }

    #[test]
    fn what_is_malformed_names_its_field() {
        let good = log_entry_message(&entry());
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
