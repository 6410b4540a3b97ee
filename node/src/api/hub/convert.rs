//! Between messages of `hub/v1` and what the use cases take and give. A message that cannot
//! be read is its sender's fault, reason `malformed`.

use raccordo_core::hublog::{EntryKind, SignedCheckpoint};
use raccordo_core::id::{Epoch, GroupId, IdError, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::wire::hub::checkpoint_message;
use raccordo_core::wire::trust;
use raccordo_proto::hub::v1 as proto;

use crate::app::fault::{Done, Fault};
use crate::app::hub::append::{Appended, Handed, Outcome};
use crate::app::hub::key_package_pool::{Claimed, Deposit};
use crate::store::hub::{LogRow, MailboxRow};

/// Most groups of one subscription or confirmation.
const CURSORS_MAX: usize = 256;
/// Most key packages of one deposit.
const DEPOSITS_MAX: usize = 20;

fn malformed(field: &str) -> Fault {
    Fault::usage("malformed", format!("the field {field} is missing or malformed"))
}

/// An id of fixed length.
pub fn bytes<'b, Id>(bytes: &'b [u8], field: &str) -> Done<Id>
where
    Id: TryFrom<&'b [u8], Error = IdError>,
{
    Id::try_from(bytes).map_err(|_| malformed(field))
}

/// A node's id.
pub fn node_id(text: &str, field: &str) -> Done<NodeId> {
    text.parse().map_err(|_| malformed(field))
}

/// An MLS ciphersuite's number, two bytes (RFC 9420 §17.1).
pub fn suite(number: u32) -> Done<u16> {
    u16::try_from(number).map_err(|_| malformed("ciphersuite"))
}

/// Cursors of a subscription or confirmation.
pub fn cursors(cursors: &[proto::Cursor]) -> Done<Vec<(GroupId, Sequence)>> {
    if cursors.len() > CURSORS_MAX {
        return Err(Fault::usage("too_many", "a call names at most 256 groups"));
    }
    let read = |cursor: &proto::Cursor| {
        Ok((bytes(&cursor.group_id, "group_id")?, Sequence(cursor.sequence)))
    };
    cursors.iter().map(read).collect()
}

/// An entry as a member hands it in.
pub fn handed(entry: proto::NewEntry) -> Done<Handed> {
    let kind = u8::try_from(entry.kind).ok().and_then(EntryKind::from_number);
    Ok(Handed {
        entry: bytes(&entry.entry_id, "entry_id")?,
        kind: kind.ok_or_else(|| malformed("kind"))?,
        epoch: Epoch(entry.epoch),
        payload: entry.payload,
        group_info: entry.group_info,
        welcome: entry.welcome,
    })
}

/// What became of an append.
pub fn append_response(appended: Appended) -> proto::AppendResponse {
    let outcomes = appended.outcomes.into_iter().map(|(entry, outcome)| proto::Appended {
        entry_id: entry.as_bytes().to_vec(),
        outcome: Some(outcome_message(outcome)),
    });
    proto::AppendResponse {
        outcomes: outcomes.collect(),
        checkpoint: appended.checkpoint.as_ref().map(checkpoint_message),
    }
}

fn outcome_message(outcome: Outcome) -> proto::appended::Outcome {
    use proto::appended::Outcome as Message;
    match outcome {
        Outcome::Placed { sequence, digest } => Message::Placed(proto::Placed {
            sequence: sequence.0,
            digest: digest.as_bytes().to_vec(),
        }),
        Outcome::Stale { current } => Message::StaleCurrentEpoch(current.0),
        Outcome::Refused(reason) => Message::Refused(reason),
    }
}

/// The statement and the cards of an offer; what does not verify is refused by its own reason.
pub fn offer(asked: &proto::OfferEquipeRequest) -> Done<(SignedStatement, Vec<SignedCard>)> {
    let statement = asked.statement.as_ref().ok_or_else(|| malformed("statement"))?;
    let statement = trust::statement(statement)
        .map_err(|cause| Fault::refused("bad_statement", cause.to_string()))?;
    let card = |card| trust::card(card).map_err(|e| Fault::refused("bad_card", e.to_string()));
    let cards = asked.cards.iter().map(card).collect::<Done<Vec<_>>>()?;
    Ok((statement, cards))
}

/// Key packages as their owner hands them in.
pub fn deposits(asked: proto::DepositKeyPackagesRequest) -> Done<Vec<Deposit>> {
    if asked.key_packages.len() > DEPOSITS_MAX {
        return Err(Fault::usage("too_many", "a call deposits at most 20 key packages"));
    }
    let deposit = |deposited: proto::DepositedKeyPackage| Deposit {
        key_package: deposited.key_package,
        last_resort: deposited.last_resort,
        expires_at: Instant(deposited.expires_at_ms),
    };
    Ok(asked.key_packages.into_iter().map(deposit).collect())
}

/// Key packages that were claimed.
pub fn claim_response(claimed: Claimed) -> proto::ClaimKeyPackagesResponse {
    let key_packages = claimed.key_packages.into_iter().map(|(party, key_package)| {
        proto::ClaimedKeyPackage { party: party.to_string(), key_package }
    });
    proto::ClaimKeyPackagesResponse {
        key_packages: key_packages.collect(),
        missing: claimed.missing.iter().map(NodeId::to_string).collect(),
    }
}

/// Entries as a subscriber receives them.
pub fn batch(
    group: GroupId,
    entries: Vec<LogRow>,
    checkpoint: &SignedCheckpoint,
) -> proto::subscribe_response::Item {
    proto::subscribe_response::Item::Entries(proto::EntryBatch {
        group_id: group.as_bytes().to_vec(),
        entries: entries.into_iter().map(log_entry).collect(),
        checkpoint: Some(checkpoint_message(checkpoint)),
    })
}

fn log_entry(row: LogRow) -> proto::LogEntry {
    proto::LogEntry {
        sequence: row.sequence.0,
        epoch: row.epoch.0,
        kind: i32::from(row.kind.number()),
        sender: row.sender.to_string(),
        entry_id: row.entry.as_bytes().to_vec(),
        accepted_at_ms: row.accepted_at.0,
        payload: row.payload,
    }
}

/// A mailbox item as its recipient receives it.
pub fn mail(row: MailboxRow) -> proto::subscribe_response::Item {
    proto::subscribe_response::Item::Mailbox(proto::MailboxItem {
        sequence: row.sequence,
        sender: row.sender.to_string(),
        kind: row.kind,
        payload: row.payload,
    })
}

/// The news that a group has ended for a subscriber.
pub fn ended(group: GroupId, reason: &str) -> proto::subscribe_response::Item {
    let (group_id, reason) = (group.as_bytes().to_vec(), reason.to_owned());
    proto::subscribe_response::Item::GroupEnded(proto::GroupEnded { group_id, reason })
}

#[cfg(test)]
mod tests {
    use raccordo_core::id::EntryId;

    use super::*;

    fn entry() -> proto::NewEntry {
        proto::NewEntry {
            entry_id: vec![1; 16],
            kind: proto::EntryKind::Commit.into(),
            epoch: 3,
            payload: vec![2],
            group_info: vec![3],
            welcome: vec![4],
        }
    }

    #[test]
    fn entries_are_read() {
        let read = handed(entry()).unwrap();
        assert_eq!(
            (read.entry, read.kind, read.epoch),
            (EntryId([1; 16]), EntryKind::Commit, Epoch(3))
        );
        assert_eq!((read.payload, read.group_info, read.welcome), (vec![2], vec![3], vec![4]));
    }

    #[test]
    fn malformed_entries_are_usage() {
        let check = |entry, field: &str| {
            let fault = handed(entry).unwrap_err();
            assert_eq!(fault.reason, "malformed");
            assert!(fault.message.contains(field), "{}", fault.message);
        };
        check(proto::NewEntry { entry_id: vec![1; 15], ..entry() }, "entry_id");
        check(proto::NewEntry { kind: 0, ..entry() }, "kind");
        check(proto::NewEntry { kind: 4, ..entry() }, "kind");
        check(proto::NewEntry { kind: -1, ..entry() }, "kind");
        check(proto::NewEntry { kind: 257, ..entry() }, "kind");
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
    fn cursors_are_bounded_and_whole() {
        let cursor = |len| proto::Cursor { group_id: vec![7; len], sequence: 5 };
        assert_eq!(cursors(&[cursor(32)]), Ok(vec![(GroupId([7; 32]), Sequence(5))]));
        assert_eq!(cursors(&[cursor(31)]).unwrap_err().reason, "malformed");
        assert_eq!(cursors(&vec![cursor(32); CURSORS_MAX + 1]).unwrap_err().reason, "too_many");
    }

    #[test]
    fn suites_have_two_bytes() {
        assert_eq!(suite(0xffff), Ok(0xffff));
        assert_eq!(suite(0x1_0000).unwrap_err().reason, "malformed");
    }

    #[test]
    fn outcomes_keep_their_entry() {
        let outcomes = vec![
            (EntryId([1; 16]), Outcome::Refused("frame_too_large".into())),
            (EntryId([2; 16]), Outcome::Stale { current: Epoch(9) }),
        ];
        let response = append_response(Appended { outcomes, checkpoint: None });
        let told: Vec<_> = response.outcomes.into_iter().map(|one| one.outcome.unwrap()).collect();
        use proto::appended::Outcome::{Refused, StaleCurrentEpoch};
        assert_eq!(told, [Refused("frame_too_large".into()), StaleCurrentEpoch(9)]);
        assert_eq!(response.checkpoint, None);
    }

    #[test]
    fn an_offer_without_statement_is_malformed() {
        let fault = offer(&proto::OfferEquipeRequest::default()).unwrap_err();
        assert_eq!(fault.reason, "malformed");
        let statement = Some(raccordo_proto::trust::v1::SignedStatement::default());
        let asked = proto::OfferEquipeRequest { statement, cards: Vec::new() };
        assert_eq!(offer(&asked).unwrap_err().reason, "bad_statement");
    }
}
