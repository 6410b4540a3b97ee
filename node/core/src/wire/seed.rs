//! How a member hands a log over to the hub of a new term.

use raccordo_proto::hub::v1 as proto;

use super::hub::{checkpoint, checkpoint_message, log_entry, log_entry_message};
use super::trust::{statement_message, unverified_statement};
use super::{WireError, id, instant, sequence};
use crate::hublog::{LogEntry, SignedCheckpoint};
use crate::id::{Digest, GroupId, LineageId, Sequence};
use crate::session::PublicState;
use crate::time::Instant;
use crate::trust::statement::SignedStatement;

/// One page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seed {
    /// The group.
    pub group: GroupId,
    /// The équipe.
    pub lineage: LineageId,
    /// Place before the first entry of all pages.
    pub after: Sequence,
    /// Head at that place.
    pub head_after: Digest,
    /// Entries without gaps.
    pub entries: Vec<LogEntry>,
    /// With the last page.
    pub state: Option<SeedState>,
}

/// A group after the last entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeedState {
    /// Context and tree.
    pub public: PublicState,
    /// The statement before the one that begins the term.
    pub previous: SignedStatement,
    /// Of the hub before, of the last entry; none where that hub is lost.
    pub checkpoint: Option<SignedCheckpoint>,
    /// When the last entry was accepted.
    pub accepted_at: Instant,
}

/// How far the hub is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeded {
    /// Whether the log is whole, and the term may begin.
    pub founded: bool,
    /// Newest entry that the hub has.
    pub sequence: Sequence,
}

/// A page as a message.
pub fn seed_message(seed: Seed) -> proto::SeedGroupRequest {
    proto::SeedGroupRequest {
        group_id: seed.group.as_bytes().to_vec(),
        lineage: seed.lineage.as_bytes().to_vec(),
        after: seed.after.0,
        head_after: seed.head_after.as_bytes().to_vec(),
        entries: seed.entries.into_iter().map(log_entry_message).collect(),
        state: seed.state.map(|state| proto::SeedState {
            group_info: state.public.group_info,
            ratchet_tree: state.public.tree,
            previous: Some(statement_message(&state.previous)),
            checkpoint: state.checkpoint.as_ref().map(checkpoint_message),
            accepted_at_ms: state.accepted_at.0,
        }),
    }
}

/// Reads a page.
///
/// # Errors
/// [`WireError::Field`].
pub fn seed(message: proto::SeedGroupRequest) -> Result<Seed, WireError> {
    Ok(Seed {
        group: id(&message.group_id, "group_id")?,
        lineage: id(&message.lineage, "lineage")?,
        after: sequence(message.after, "after")?,
        head_after: id(&message.head_after, "head_after")?,
        entries: message.entries.into_iter().map(log_entry).collect::<Result<_, _>>()?,
        state: message.state.map(state).transpose()?,
    })
}

fn state(message: proto::SeedState) -> Result<SeedState, WireError> {
    let previous = message.previous.as_ref().ok_or(WireError::Field("previous"))?;
    Ok(SeedState {
        public: PublicState { group_info: message.group_info, tree: message.ratchet_tree },
        // Compared by its digest with what the statement after it names.
        previous: unverified_statement(previous)?,
        checkpoint: message.checkpoint.as_ref().map(checkpoint).transpose()?,
        accepted_at: instant(message.accepted_at_ms, "accepted_at_ms")?,
    })
}

/// The answer as a message.
pub fn seeded_message(seeded: Seeded) -> proto::SeedGroupResponse {
    let state = if seeded.founded { "founded" } else { "copying" };
    proto::SeedGroupResponse { state: state.to_owned(), sequence: seeded.sequence.0 }
}

/// Reads the answer.
///
/// # Errors
/// [`WireError::Range`].
pub fn seeded(message: &proto::SeedGroupResponse) -> Result<Seeded, WireError> {
    let sequence = sequence(message.sequence, "sequence")?;
    Ok(Seeded { founded: message.state == "founded", sequence })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hublog::{Checkpoint, EntryKind};
    use crate::id::{EntryId, Epoch};
    use crate::trust::keys::IdentityKey;
    use crate::trust::sample;

    fn page(state: Option<SeedState>) -> Seed {
        let entry = LogEntry {
            sequence: Sequence(8),
            epoch: Epoch(2),
            kind: EntryKind::Commit,
            sender: sample::node(0),
            entry_id: EntryId([3; 16]),
            accepted_at: Instant(5),
            payload: vec![1, 2],
        };
        Seed {
            group: GroupId([1; 32]),
            lineage: LineageId([2; 16]),
            after: Sequence(7),
            head_after: Digest([4; 32]),
            entries: vec![entry],
            state,
        }
    }

    #[test]
    fn pages_come_back() {
        let checkpoint = Checkpoint {
            group: GroupId([1; 32]),
            sequence: Sequence(8),
            head: Digest([6; 32]),
            epoch: Epoch(3),
            hub: sample::node(1),
            term: 1,
        };
        let state = SeedState {
            public: PublicState { group_info: vec![7], tree: vec![8] },
            previous: sample::signed(sample::statement(2), &[0, 1]),
            checkpoint: Some(checkpoint.sign(&IdentityKey::from_seed(&[5; 32]))),
            accepted_at: Instant(9),
        };
        let lost = SeedState { checkpoint: None, ..state.clone() };
        for given in [page(None), page(Some(state)), page(Some(lost))] {
            assert_eq!(seed(seed_message(given.clone())), Ok(given));
        }
        for founded in [false, true] {
            let given = Seeded { founded, sequence: Sequence(4) };
            assert_eq!(seeded(&seeded_message(given)), Ok(given));
        }
    }

    #[test]
    fn what_is_malformed_names_its_field() {
        let mut message = seed_message(page(None));
        message.head_after.pop();
        assert_eq!(seed(message), Err(WireError::Field("head_after")));
        let mut message = seed_message(page(None));
        message.state = Some(proto::SeedState::default());
        assert_eq!(seed(message), Err(WireError::Field("previous")));
    }
}
