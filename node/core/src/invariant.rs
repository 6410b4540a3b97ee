//! What must hold whatever happens (DESIGN §13), as checks over what was seen: used by
//! tests, simulation and, where cheap, assertions.

pub mod ratchet;

use std::collections::{BTreeMap, BTreeSet};

use crate::hublog::EntryKind;
use crate::id::{BootId, Digest, EntryId, Epoch, LineageId, NodeId, ObjectId, Sequence};
use crate::trust::statement::Statement;

/// A property that does not hold: always this program's fault.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Broken {
    /// Invariant 1: something is shown twice.
    #[error("object {object} is shown twice at {at}")]
    Twice {
        /// The object.
        object: ObjectId,
        /// Where.
        at: NodeId,
    },
    /// Invariant 1: something is shown that nobody shared.
    #[error("object {object} at {at} was never shared")]
    Unknown {
        /// The object.
        object: ObjectId,
        /// Where.
        at: NodeId,
    },
    /// Invariant 1: something is shown as another node's than its origin's.
    #[error("object {object} of {origin} is shown at {at} as {shown_as}'s")]
    FalseOrigin {
        /// The object.
        object: ObjectId,
        /// Who shared it.
        origin: NodeId,
        /// Where.
        at: NodeId,
        /// As whose.
        shown_as: NodeId,
    },
    /// Invariant 2: one entry has two ciphertexts in one epoch.
    #[error("{sender} encrypted entry {entry} twice in epoch {epoch}")]
    EncryptedTwice {
        /// Whose entry.
        sender: NodeId,
        /// The entry.
        entry: EntryId,
        /// The epoch.
        epoch: Epoch,
    },
    /// Invariant 2: a run of the process encrypted in an epoch that a run before it began.
    #[error("{sender} encrypted in epoch {epoch}, which its present run has not begun")]
    NotFresh {
        /// Who.
        sender: NodeId,
        /// The epoch.
        epoch: Epoch,
    },
    /// Invariant 2: one place of a ratchet, and so one key, sealed two messages.
    #[error("{sender} used the key of generation {generation} of epoch {epoch} twice")]
    KeyTwice {
        /// Who.
        sender: NodeId,
        /// The epoch.
        epoch: Epoch,
        /// Place in the sender's ratchet.
        generation: u32,
    },
    /// Invariant 2: the log holds a ciphertext that its sender never stored.
    #[error("entry {entry} of {sender} was never stored there as it stands in the log")]
    NeverMade {
        /// Who.
        sender: NodeId,
        /// The entry.
        entry: EntryId,
    },
    /// Invariant 3: two members that processed an entry differ.
    #[error("{one} and {other} differ at entry {sequence}: {what}")]
    Disagree {
        /// Who was there first.
        one: NodeId,
        /// Who came later.
        other: NodeId,
        /// Where.
        sequence: Sequence,
        /// In what.
        what: &'static str,
    },
    /// Invariant 4: a member of the group that is no unsuspended party of the statement.
    #[error("{node} is in the roster, but is no party of the signed statement")]
    Uninvited {
        /// Who.
        node: NodeId,
    },
}

/// Where a member stands after an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Chained head.
    pub head: Digest,
    /// The epoch.
    pub epoch: Epoch,
    /// Epoch authenticator (RFC 9420 §8.7).
    pub authenticator: Vec<u8>,
    /// Digest of the signed statement.
    pub statement: Digest,
    /// Nodes with a leaf.
    pub roster: BTreeSet<NodeId>,
}

/// What members said of each place, to be held against one another (invariant 3).
#[derive(Clone, Debug, Default)]
pub struct Agreement {
    places: BTreeMap<(LineageId, Sequence), (NodeId, Place)>,
}

impl Agreement {
    /// Notes where a member stands.
    ///
    /// # Errors
    /// [`Broken::Disagree`] with who was there before.
    pub fn note(
        &mut self,
        member: &NodeId,
        lineage: LineageId,
        sequence: Sequence,
        place: Place,
    ) -> Result<(), Broken> {
        let (one, known) = self
            .places
            .entry((lineage, sequence))
            .or_insert_with(|| (member.clone(), place.clone()));
        let parts = [
            ("head", known.head == place.head),
            ("epoch", known.epoch == place.epoch),
            ("epoch authenticator", known.authenticator == place.authenticator),
            ("statement", known.statement == place.statement),
            ("roster", known.roster == place.roster),
        ];
        match parts.into_iter().find(|(_, same)| !same) {
            None => Ok(()),
            Some((what, _)) => {
                Err(Broken::Disagree { one: one.clone(), other: member.clone(), sequence, what })
            }
        }
    }
}

/// A ciphertext or commit as its sender stored it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// Key of deduplication.
    pub entry: EntryId,
    /// What it carries.
    pub kind: EntryKind,
    /// The epoch in which it was made.
    pub epoch: Epoch,
    /// SHA-256 of its bytes.
    pub payload: Digest,
}

/// What one group's members encrypted, in which run of their process (invariant 2).
///
/// Keys and nonces cannot be seen from outside (but with a member's secrets: [`ratchet`]).
/// They are fresh when a run encrypts only in epochs that itself began, or later ones, and
/// never encrypts one entry twice in one.
#[derive(Clone, Debug, Default)]
pub struct Ciphertexts {
    made: BTreeMap<(NodeId, EntryId, Epoch), Digest>,
    commits: BTreeMap<(NodeId, EntryId), BootId>,
    begun: BTreeSet<(NodeId, BootId)>,
}

impl Ciphertexts {
    /// Notes what a run of a node's process has newly stored.
    ///
    /// # Errors
    /// [`Broken::EncryptedTwice`], [`Broken::NotFresh`].
    pub fn note_made(&mut self, sender: &NodeId, boot: BootId, made: &Made) -> Result<(), Broken> {
        let key = (sender.clone(), made.entry, made.epoch);
        match self.made.insert(key, made.payload) {
            Some(before) if before == made.payload => return Ok(()),
            Some(_) => {
                let (entry, epoch) = (made.entry, made.epoch);
                return Err(Broken::EncryptedTwice { sender: sender.clone(), entry, epoch });
            }
            None => {}
        }
        match made.kind {
            EntryKind::Commit => {
                self.commits.insert((sender.clone(), made.entry), boot);
            }
            EntryKind::Application if !self.begun.contains(&(sender.clone(), boot)) => {
                return Err(Broken::NotFresh { sender: sender.clone(), epoch: made.epoch });
            }
            EntryKind::Application | EntryKind::Notice => {}
        }
        Ok(())
    }

    /// Notes what the log shows, in its order.
    ///
    /// # Errors
    /// [`Broken::NeverMade`].
    pub fn note_placed(&mut self, sender: &NodeId, placed: &Made) -> Result<(), Broken> {
        let key = (sender.clone(), placed.entry, placed.epoch);
        if self.made.get(&key) != Some(&placed.payload) {
            return Err(Broken::NeverMade { sender: sender.clone(), entry: placed.entry });
        }
        if let Some(boot) = self.commits.get(&(sender.clone(), placed.entry)) {
            self.begun.insert((sender.clone(), *boot));
        }
        Ok(())
    }
}

/// What is shown at a node was shared by the node as whose it is shown, and is shown once
/// (invariant 1).
///
/// # Errors
/// [`Broken::Twice`], [`Broken::Unknown`], [`Broken::FalseOrigin`].
pub fn known_once(
    shared: &BTreeMap<ObjectId, NodeId>,
    at: &NodeId,
    shown: impl IntoIterator<Item = (ObjectId, NodeId)>,
) -> Result<(), Broken> {
    let mut seen = BTreeSet::new();
    for (object, shown_as) in shown {
        let at = at.clone();
        match shared.get(&object) {
            None => return Err(Broken::Unknown { object, at }),
            Some(origin) if *origin != shown_as => {
                return Err(Broken::FalseOrigin { object, origin: origin.clone(), at, shown_as });
            }
            Some(_) => {}
        }
        if !seen.insert(object) {
            return Err(Broken::Twice { object, at });
        }
    }
    Ok(())
}

/// Whoever has a leaf is an unsuspended party of the signed statement (invariant 4).
///
/// # Errors
/// [`Broken::Uninvited`].
pub fn roster_signed(statement: &Statement, roster: &BTreeSet<NodeId>) -> Result<(), Broken> {
    match roster.iter().find(|node| !statement.may_have_leaf(node)) {
        None => Ok(()),
        Some(node) => Err(Broken::Uninvited { node: node.clone() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(name: &str) -> NodeId {
        name.parse().unwrap()
    }

    fn object(tail: u8) -> ObjectId {
        ObjectId::try_from([tail; 16].as_slice()).unwrap()
    }

    #[test]
    fn shown_once_and_nothing_else() {
        let check = |shown: &[u8], expected: Result<(), Broken>| {
            let shared = BTreeMap::from([(object(1), node("lazio")), (object(2), node("lazio"))]);
            let shown = shown.iter().map(|tail| (object(*tail), node("lazio")));
            assert_eq!(known_once(&shared, &node("umbria"), shown), expected);
        };
        let at = node("umbria");
        check(&[1, 2], Ok(()));
        check(&[1], Ok(()));
        check(&[1, 2, 1], Err(Broken::Twice { object: object(1), at: at.clone() }));
        check(&[1, 2, 3], Err(Broken::Unknown { object: object(3), at: at.clone() }));
        let (origin, shown_as) = (node("lazio"), node("marche"));
        let shared = BTreeMap::from([(object(1), origin.clone())]);
        let shown = [(object(1), shown_as.clone())];
        let broken = Broken::FalseOrigin { object: object(1), origin, at: at.clone(), shown_as };
        assert_eq!(known_once(&shared, &at, shown), Err(broken));
    }

    fn place() -> Place {
        Place {
            head: Digest([1; 32]),
            epoch: Epoch(4),
            authenticator: vec![1],
            statement: Digest([2; 32]),
            roster: BTreeSet::from([node("lazio"), node("umbria")]),
        }
    }

    #[test]
    fn members_agree_at_one_place() {
        let check = |bend: fn(&mut Place), sequence: u64, expected: Option<&'static str>| {
            let mut agreement = Agreement::default();
            let lineage = LineageId([9; 16]);
            let first = agreement.note(&node("lazio"), lineage, Sequence(7), place());
            assert_eq!(first, Ok(()));
            let mut other = place();
            bend(&mut other);
            let noted = agreement.note(&node("umbria"), lineage, Sequence(sequence), other);
            let disagree = |what| Broken::Disagree {
                one: node("lazio"),
                other: node("umbria"),
                sequence: Sequence(7),
                what,
            };
            assert_eq!(noted.err(), expected.map(disagree));
        };
        check(|_| {}, 7, None);
        check(|it| it.head = Digest::ZERO, 7, Some("head"));
        check(|it| it.epoch = Epoch(5), 7, Some("epoch"));
        check(|it| it.authenticator.clear(), 7, Some("epoch authenticator"));
        check(|it| it.statement = Digest::ZERO, 7, Some("statement"));
        check(|it| it.roster.clear(), 7, Some("roster"));
        check(|it| it.roster.clear(), 8, None);
    }

    fn made(kind: EntryKind, entry: u8, epoch: u64, payload: u8) -> Made {
        let payload = Digest([payload; 32]);
        Made { entry: EntryId([entry; 16]), kind, epoch: Epoch(epoch), payload }
    }

    #[test]
    fn a_run_encrypts_only_after_its_own_commit() {
        let sender = node("umbria");
        let (first, second) = (BootId([1; 16]), BootId([2; 16]));
        let mut seen = Ciphertexts::default();
        let commit = made(EntryKind::Commit, 1, 3, 1);
        let message = made(EntryKind::Application, 2, 4, 2);
        let stale = Broken::NotFresh { sender: sender.clone(), epoch: Epoch(4) };

        assert_eq!(seen.note_made(&sender, first, &commit), Ok(()));
        assert_eq!(seen.clone().note_made(&sender, first, &message), Err(stale.clone()));
        assert_eq!(seen.note_placed(&sender, &commit), Ok(()));
        assert_eq!(seen.note_made(&sender, first, &message), Ok(()));
        let other = made(EntryKind::Application, 3, 4, 3);
        assert_eq!(seen.note_made(&sender, second, &other), Err(stale));
    }

    #[test]
    fn an_entry_has_one_ciphertext_in_an_epoch() {
        let sender = node("umbria");
        let boot = BootId([1; 16]);
        let mut seen = Ciphertexts::default();
        let commit = made(EntryKind::Commit, 1, 3, 1);
        seen.note_made(&sender, boot, &commit).unwrap();
        seen.note_placed(&sender, &commit).unwrap();
        let mut check = |epoch, payload, expected: bool| {
            let noted =
                seen.note_made(&sender, boot, &made(EntryKind::Application, 2, epoch, payload));
            assert_eq!(noted.is_ok(), expected);
        };
        check(4, 1, true);
        check(4, 1, true);
        check(4, 2, false);
        check(5, 2, true);
    }

    #[test]
    fn the_log_holds_only_what_was_stored() {
        let sender = node("umbria");
        let entry = EntryId([7; 16]);
        let foreign = made(EntryKind::Application, 7, 1, 1);
        let noted = Ciphertexts::default().note_placed(&sender, &foreign);
        assert_eq!(noted, Err(Broken::NeverMade { sender, entry }));
    }
}
