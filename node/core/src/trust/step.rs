//! The next statement of a live équipe, from the one in force and what is wished.

use std::collections::BTreeMap;

use super::card::SignedCard;
use super::change::heir;
use super::pact::{Pact, PactError};
use super::statement::{HubTerm, SignedStatement, Statement, StatementError};
use crate::id::{Digest, GroupId, NodeId, Sequence};

/// Why no statement follows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The node is no party.
    #[error("{0} is no party of the équipe")]
    NotAParty(NodeId),
    /// The party is suspended already, or not at all.
    #[error("{0} is suspended already")]
    Suspended(NodeId),
    /// The party is not suspended.
    #[error("{0} is not suspended")]
    NotSuspended(NodeId),
    /// Each party suspends one other at a time until that is ratified.
    #[error("{0} has suspended another party, which is not ratified yet")]
    OneSuspensionEach(NodeId),
    /// The node keeps no logs.
    #[error("{0} runs no hub: its card names no endpoint")]
    NotAHub(NodeId),
    /// The log is there already.
    #[error("{0} keeps the log already")]
    SameHub(NodeId),
    /// Nobody would be left.
    #[error("nobody would be left in the équipe")]
    NobodyLeft,
    /// The change would suspend its own maker.
    #[error("a party cannot suspend itself")]
    Oneself,
    /// What every pact of an équipe must keep.
    #[error("a later pact keeps the {0} of the équipe")]
    Kept(&'static str),
    /// The pact has open points, or a card is missing.
    #[error(transparent)]
    Pact(#[from] PactError),
    /// The statement would be invalid.
    #[error(transparent)]
    Statement(#[from] StatementError),
}

impl StepError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NotAParty(_) => "not_a_party",
            Self::Suspended(_) => "already_suspended",
            Self::NotSuspended(_) => "not_suspended",
            Self::OneSuspensionEach(_) => "one_suspension_each",
            Self::NotAHub(_) => "hub_without_endpoint",
            Self::SameHub(_) => "same_hub",
            Self::NobodyLeft => "nobody_left",
            Self::Oneself => "not_oneself",
            Self::Kept(_) => "pact_conflict",
            Self::Pact(error) => error.reason(),
            Self::Statement(_) => "statement_invalid",
        }
    }
}

type Stepped = Result<Statement, StepError>;

/// What is wished of one party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It goes: by its own signature, or by those of the others.
    Drop(NodeId),
    /// It is suspended.
    Suspend {
        /// Who is suspended.
        suspended: NodeId,
        /// Who suspends.
        by: NodeId,
    },
    /// Its suspension is ratified.
    Ratify(NodeId),
    /// It returns from its suspension.
    Return(NodeId),
}

impl Wish {
    /// The statement that follows.
    ///
    /// # Errors
    /// [`StepError`]: it cannot be wished of this party now.
    pub fn after(&self, before: &SignedStatement) -> Stepped {
        let mut next = follow(before);
        match self {
            Self::Drop(leaver) => {
                known(&next, leaver)?;
                next.parties.retain(|party| party.node != *leaver);
                if next.chair == *leaver {
                    next.chair = heir(&next).ok_or(StepError::NobodyLeft)?;
                }
            }
            Self::Suspend { suspended, by } => suspend(&mut next, suspended, by)?,
            Self::Ratify(node) => {
                party(&mut next, node)?.ratified = true;
            }
            Self::Return(node) => {
                let party = party(&mut next, node)?;
                party.suspended_by = None;
                party.ratified = false;
            }
        }
        next.check()?;
        Ok(next)
    }
}

fn follow(before: &SignedStatement) -> Statement {
    let statement = before.statement();
    Statement {
        version: statement.version.saturating_add(1),
        previous: before.digest(),
        succeeds: None,
        ..statement.clone()
    }
}

fn known(statement: &Statement, node: &NodeId) -> Result<(), StepError> {
    statement.party(node).map(drop).ok_or_else(|| StepError::NotAParty(node.clone()))
}

/// The party, which must be suspended.
fn party<'s>(
    statement: &'s mut Statement,
    node: &NodeId,
) -> Result<&'s mut super::statement::Party, StepError> {
    known(statement, node)?;
    let suspended =
        |party: &&mut super::statement::Party| party.node == *node && party.suspended_by.is_some();
    let found = statement.parties.iter_mut().find(suspended);
    found.ok_or_else(|| StepError::NotSuspended(node.clone()))
}

fn suspend(next: &mut Statement, suspended: &NodeId, by: &NodeId) -> Result<(), StepError> {
    known(next, suspended)?;
    known(next, by)?;
    if suspended == by {
        return Err(StepError::Oneself);
    }
    if !next.may_have_leaf(by) {
        return Err(StepError::Suspended(by.clone()));
    }
    let open = |party: &super::statement::Party| {
        party.suspended_by.as_ref() == Some(by) && !party.ratified
    };
    if next.parties.iter().any(open) {
        return Err(StepError::OneSuspensionEach(by.clone()));
    }
    for party in next.parties.iter_mut().filter(|party| party.node == *suspended) {
        if party.suspended_by.replace(by.clone()).is_some() {
            return Err(StepError::Suspended(suspended.clone()));
        }
    }
    Ok(())
}

/// The statement of a later pact: its parties, newcomers at the serials of their cards.
///
/// # Errors
/// [`StepError::Kept`] when the pact changes what it must keep, [`StepError::Pact`] when it
/// has open points or a newcomer's card is missing.
pub fn renewed(
    before: &SignedStatement,
    agreed: &Pact,
    pact: &Pact,
    cards: &BTreeMap<NodeId, SignedCard>,
) -> Stepped {
    let (old, new) = (agreed.terms(), pact.terms());
    let kept = [
        (old.lineage == new.lineage, "lineage"),
        (old.equipe == new.equipe, "name"),
        // The log may have moved since: the statement says where it is.
        (old.hub == new.hub || before.statement().hub.hub == new.hub, "hub"),
        (old.ciphersuite == new.ciphersuite, "ciphersuite"),
    ];
    if let Some((_, what)) = kept.into_iter().find(|(holds, _)| !holds) {
        return Err(StepError::Kept(what));
    }
    let mut next = follow(before);
    pact.follow(&mut next, cards)?;
    next.check()?;
    Ok(next)
}

/// Where the log goes.
#[derive(Clone, Debug)]
pub struct Move<'m> {
    /// Card of the hub that keeps it from then on.
    pub hub: &'m SignedCard,
    /// Place and head of the log's last entry, where the present hub is lost; none where it
    /// hands over.
    pub end: Option<(Sequence, Digest)>,
    /// Parties that go with the present hub.
    pub without: &'m [NodeId],
}

/// The statement that begins the next hub term.
///
/// # Errors
/// [`StepError::NotAHub`], [`StepError::SameHub`] where a hub would hand over to itself, and
/// as [`Wish::after`].
pub fn moved(before: &SignedStatement, wanted: &Move<'_>) -> Stepped {
    let card = wanted.hub.card();
    let Some(endpoint) = card.hub_endpoint.clone() else {
        return Err(StepError::NotAHub(card.node.clone()));
    };
    let mut next = follow(before);
    if wanted.end.is_none() && next.hub.hub == card.node {
        return Err(StepError::SameHub(card.node.clone()));
    }
    drop_parties(&mut next, wanted.without)?;
    if next.party(&next.chair).is_none() {
        next.chair = heir(&next).ok_or(StepError::NobodyLeft)?;
    }
    let (first_sequence, head_before) = match wanted.end {
        Some((last, head)) => (last.next(), head),
        None => (Sequence(0), Digest::ZERO),
    };
    next.hub = HubTerm {
        hub: card.node.clone(),
        identity: card.identity,
        endpoint,
        term: next.hub.term.saturating_add(1),
        first_sequence,
        head_before,
    };
    next.check()?;
    Ok(next)
}

fn drop_parties(next: &mut Statement, without: &[NodeId]) -> Result<(), StepError> {
    for party in without {
        known(next, party)?;
        next.parties.retain(|known| known.node != *party);
    }
    Ok(())
}

/// In which group an équipe goes on.
#[derive(Clone, Debug)]
pub struct Successor<'s> {
    /// The group that ends.
    pub group: GroupId,
    /// Place and head of its last entry.
    pub end: (Sequence, Digest),
    /// Card of the hub that keeps the log from then on; none where it stays.
    pub hub: Option<&'s SignedCard>,
    /// Parties that do not go on.
    pub without: &'s [NodeId],
    /// SHA-256 of the pact's canonical bytes.
    pub pact: Digest,
}

/// The statement with which the successor of a group is founded.
///
/// # Errors
/// [`StepError::NotAParty`], [`StepError::NobodyLeft`] for fewer than two parties that are not
/// suspended, [`StepError::NotAHub`].
pub fn succeeded(before: &SignedStatement, wanted: &Successor<'_>) -> Stepped {
    let mut next = follow(before);
    drop_parties(&mut next, wanted.without)?;
    if next.unsuspended().count() < 2 {
        return Err(StepError::NobodyLeft);
    }
    if !next.may_have_leaf(&next.chair) {
        next.chair = heir(&next).ok_or(StepError::NobodyLeft)?;
    }
    if let Some(card) = wanted.hub.map(SignedCard::card) {
        let endpoint = card.hub_endpoint.clone();
        next.hub.endpoint = endpoint.ok_or_else(|| StepError::NotAHub(card.node.clone()))?;
        next.hub.hub = card.node.clone();
        next.hub.identity = card.identity;
    }
    next.hub.term = next.hub.term.saturating_add(1);
    let (last, head) = wanted.end;
    next.hub.first_sequence = last.next();
    next.hub.head_before = head;
    next.succeeds = Some(wanted.group);
    next.pact = wanted.pact;
    next.check()?;
    Ok(next)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::change::Change;
    use crate::trust::sample::{self, node};

    fn check(before: &Statement, wish: &Wish, expected: Result<Change, &'static str>) {
        let signed = sample::signed(before.clone(), &[0]);
        let found = wish.after(&signed);
        let found = found.map(|after| Change::between(before, &after));
        assert_eq!(found.map_err(|error| error.reason()), expected, "{wish:?}");
    }

    fn suspended(who: usize, by: usize) -> Statement {
        let mut statement = sample::statement(3);
        statement.parties[who].suspended_by = Some(node(by));
        statement
    }

    #[test]
    fn each_wish_makes_its_kind_of_change() {
        let three = sample::statement(3);
        let suspend = |suspended, by| Wish::Suspend { suspended: node(suspended), by: node(by) };
        check(&three, &Wish::Drop(node(0)), Ok(Change::Leaving { leaver: node(0) }));
        check(&three, &Wish::Drop(node(2)), Ok(Change::Leaving { leaver: node(2) }));
        check(&three, &Wish::Drop(node(7)), Err("not_a_party"));
        check(&three, &suspend(1, 0), Ok(Change::Suspension { suspended: node(1), by: node(0) }));
        check(&three, &suspend(1, 1), Err("not_oneself"));
        check(&suspended(1, 0), &suspend(1, 2), Err("already_suspended"));
        check(&suspended(1, 0), &suspend(2, 0), Err("one_suspension_each"));
        check(&suspended(1, 0), &suspend(2, 1), Err("already_suspended"));
        check(&suspended(1, 0), &Wish::Ratify(node(1)), Ok(Change::Other));
        check(&three, &Wish::Ratify(node(1)), Err("not_suspended"));
        let back = Change::Return { returning: node(1), suspender: node(0) };
        check(&suspended(1, 0), &Wish::Return(node(1)), Ok(back));
        check(&three, &Wish::Return(node(1)), Err("not_suspended"));
        check(&sample::statement(1), &Wish::Drop(node(0)), Err("nobody_left"));
    }

    /// A move of three's log, and what it would change.
    fn check_move(
        hub: usize,
        end: Option<(Sequence, Digest)>,
        without: &[usize],
        expected: Result<(usize, u64, Sequence, Digest), &'static str>,
    ) {
        let mut card = sample::card(hub, 1).card().clone();
        card.hub_endpoint = (hub != 2).then(|| "ponte.example:7443".to_owned());
        let card = card.sign(&sample::key(hub)).unwrap();
        let mut before = sample::statement(3);
        (before.hub.hub, before.hub.identity) = (node(1), sample::key(1).public());
        let before = sample::signed(before, &[0, 1, 2]);
        let without: Vec<NodeId> = without.iter().map(|number| node(*number)).collect();
        let found = moved(&before, &Move { hub: &card, end, without: &without });
        let found = found.map(|after| {
            assert_eq!((&after.hub.hub, after.hub.term), (&node(hub), 2));
            assert_eq!(after.hub.identity, sample::key(hub).public());
            assert!(without.iter().all(|gone| after.party(gone).is_none()));
            assert!(after.party(&after.chair).is_some());
            assert_eq!(Change::between(before.statement(), &after), Change::Other);
            let parties = after.parties.len();
            (parties, after.version, after.hub.first_sequence, after.hub.head_before)
        });
        assert_eq!(found.map_err(|error| error.reason()), expected);
    }

    #[test]
    fn the_log_moves_by_plan_or_where_its_hub_is_lost() {
        let (last, head) = (Sequence(8), Digest([7; 32]));
        let (planned, lost) = (None, Some((last, head)));
        check_move(7, planned, &[], Ok((3, 2, Sequence(0), Digest::ZERO)));
        check_move(7, lost, &[], Ok((3, 2, Sequence(9), head)));
        check_move(7, lost, &[0], Ok((2, 2, Sequence(9), head)));
        check_move(7, lost, &[9], Err("not_a_party"));
        check_move(7, lost, &[0, 1, 2], Err("nobody_left"));
        check_move(1, planned, &[], Err("same_hub"));
        check_move(1, lost, &[], Ok((3, 2, Sequence(9), head)));
        check_move(2, planned, &[], Err("hub_without_endpoint"));
    }

    /// A successor of three parties' group, and what it would be: chair, parties, hub.
    fn check_successor(
        bend: impl FnOnce(&mut Statement),
        hub: Option<usize>,
        without: &[usize],
        expected: Result<(usize, usize, &str), &'static str>,
    ) {
        let mut before = sample::statement(3);
        bend(&mut before);
        let before = sample::signed(before, &[0, 1, 2]);
        let card = hub.map(|hub| {
            let mut card = sample::card(hub, 1).card().clone();
            card.hub_endpoint = (hub != 2).then(|| "ponte.example:7443".to_owned());
            card.sign(&sample::key(hub)).unwrap()
        });
        let without: Vec<NodeId> = without.iter().map(|number| node(*number)).collect();
        let wanted = Successor {
            group: GroupId([9; 32]),
            end: (Sequence(8), Digest([7; 32])),
            hub: card.as_ref(),
            without: &without,
            pact: Digest([6; 32]),
        };
        let found = succeeded(&before, &wanted).map(|after| {
            assert_eq!(Change::between(before.statement(), &after), Change::Other);
            assert_eq!((after.hub.term, after.hub.first_sequence), (2, Sequence(9)));
            assert_eq!((after.hub.head_before, after.pact), (Digest([7; 32]), Digest([6; 32])));
            assert_eq!((after.version, after.succeeds), (2, Some(GroupId([9; 32]))));
            assert_eq!(Statement::parse(&after.canonical()), Ok(after.clone()));
            let chair = (0..3).find(|number| node(*number) == after.chair).unwrap();
            (chair, after.parties.len(), after.hub.hub.to_string())
        });
        let expected = expected.map(|(chair, parties, hub)| (chair, parties, hub.to_owned()));
        assert_eq!(found.map_err(|error| error.reason()), expected);
    }

    #[test]
    fn an_equipe_goes_on_in_another_group() {
        let same = |_: &mut Statement| {};
        check_successor(same, None, &[], Ok((0, 3, "relay")));
        check_successor(same, Some(7), &[], Ok((0, 3, "node-0007")));
        check_successor(same, Some(2), &[], Err("hub_without_endpoint"));
        check_successor(same, None, &[2], Ok((0, 2, "relay")));
        check_successor(same, None, &[0], Ok((1, 2, "relay")));
        check_successor(same, None, &[0, 1], Err("nobody_left"));
        check_successor(same, None, &[9], Err("not_a_party"));
        // The chair founds it, and must be able to.
        let suspend = |it: &mut Statement| it.parties[0].suspended_by = Some(node(1));
        check_successor(suspend, None, &[], Ok((1, 3, "relay")));
        check_successor(suspend, None, &[1], Err("nobody_left"));
    }

    #[test]
    fn what_follows_a_successor_is_none() {
        let mut first = sample::statement(3);
        first.version = 2;
        first.previous = Digest([1; 32]);
        first.hub.term = 2;
        first.succeeds = Some(GroupId([9; 32]));
        let after = Wish::Drop(node(2)).after(&sample::signed(first.clone(), &[0])).unwrap();
        assert_eq!(after.succeeds, None);
        let leaving = Change::Leaving { leaver: node(2) };
        assert_eq!(Change::between(&first, &after), leaving);
    }
}
