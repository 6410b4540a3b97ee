//! What kind of change a new statement makes, and whose signatures that kind needs.

use std::collections::BTreeSet;

use crate::id::NodeId;
use crate::trust::statement::{Party, Statement};

/// The kinds of change that need fewer signatures than everything else (DESIGN §3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// One party is dropped, by itself or by the others, and nothing else changes.
    Leaving {
        /// Who goes.
        leaver: NodeId,
    },
    /// One party suspends one other, and nothing else changes.
    Suspension {
        /// Who is suspended.
        suspended: NodeId,
        /// Who suspends.
        by: NodeId,
    },
    /// One suspended party returns, and nothing else changes.
    Return {
        /// Who returns.
        returning: NodeId,
        /// Who had suspended it.
        suspender: NodeId,
    },
    /// Everything else.
    Other,
}

impl Change {
    /// The kind of change from one statement to the next.
    pub fn between(before: &Statement, after: &Statement) -> Self {
        let found = Self::leaving(before, after)
            .or_else(|| Self::suspension(before, after))
            .or_else(|| Self::returning(before, after));
        found.unwrap_or(Self::Other)
    }

    /// Whether these signers, all verified, suffice.
    pub fn is_signed(
        &self,
        before: &Statement,
        after: &Statement,
        signers: &BTreeSet<NodeId>,
    ) -> bool {
        let signed = |node: &NodeId| signers.contains(node);
        match self {
            // The others may remove one party as they may remove several.
            Self::Leaving { leaver } => {
                signed(leaver) || Self::Other.is_signed(before, after, signers)
            }
            Self::Suspension { by, .. } => signed(by),
            Self::Return { returning, suspender } => {
                let mut others = before.unsuspended().filter(|party| party.node != *suspender);
                others.all(|party| signed(&party.node))
                    && is_majority(before, |party| {
                        signed(&party.node)
                            && (party.suspended_by.is_none() || party.node == *returning)
                    })
            }
            Self::Other => {
                after.unsuspended().all(|party| signed(&party.node))
                    && is_majority(before, |party| {
                        signed(&party.node) && party.suspended_by.is_none()
                    })
            }
        }
    }

    /// Whether it could stand if all signed: while too many are suspended, it could not.
    pub fn may_be_signed(&self, before: &Statement, after: &Statement) -> bool {
        let all = before.parties.iter().chain(&after.parties);
        self.is_signed(before, after, &all.map(|party| party.node.clone()).collect())
    }

    /// Who is still to sign before the change stands; nobody once it does. Where all have who
    /// may, and that is not enough, it is those whose suspension stands in its way.
    ///
    /// A party that is dropped is asked only where the others are too few. Who returns is asked
    /// last: its signature is also its consent to what was agreed while it was suspended, and
    /// without that its node would not join.
    pub fn missing(
        &self,
        before: &Statement,
        after: &Statement,
        signers: &BTreeSet<NodeId>,
    ) -> Vec<NodeId> {
        if self.is_signed(before, after, signers) {
            return match self {
                Self::Return { returning, .. } if !signers.contains(returning) => {
                    vec![returning.clone()]
                }
                _ => Vec::new(),
            };
        }
        let nodes = |parties: Vec<&Party>| -> Vec<NodeId> {
            let open = parties.into_iter().filter(|party| !signers.contains(&party.node));
            open.map(|party| party.node.clone()).collect()
        };
        let first = match self {
            Self::Suspension { by, .. } => nodes(before.party(by).into_iter().collect()),
            Self::Return { suspender, .. } => {
                nodes(before.unsuspended().filter(|party| party.node != *suspender).collect())
            }
            Self::Leaving { .. } | Self::Other => nodes(after.unsuspended().collect()),
        };
        if !first.is_empty() {
            return first;
        }
        match self {
            Self::Return { returning, .. } => {
                nodes(before.unsuspended().chain(before.party(returning)).collect())
            }
            _ if self.may_be_signed(before, after) => nodes(before.unsuspended().collect()),
            _ => {
                let suspended = before.parties.iter().filter(|it| it.suspended_by.is_some());
                suspended.map(|party| party.node.clone()).collect()
            }
        }
    }

    fn leaving(before: &Statement, after: &Statement) -> Option<Self> {
        let leaver = before.parties.iter().find(|party| after.party(&party.node).is_none())?;
        let leaver = leaver.node.clone();
        let mut expected = follow_up(before, after);
        expected.parties.retain(|party| party.node != leaver);
        if expected.chair == leaver {
            expected.chair = heir(&expected)?;
        }
        (expected == *after).then_some(Self::Leaving { leaver })
    }

    fn suspension(before: &Statement, after: &Statement) -> Option<Self> {
        let changed = only_changed_party(before, after)?;
        let by = changed.suspended_by.clone()?;
        let suspended = changed.node.clone();
        let mut expected = follow_up(before, after);
        let party = expected.parties.iter_mut().find(|party| party.node == suspended)?;
        let was_free = party.suspended_by.replace(by.clone()).is_none();
        let by_free = before.may_have_leaf(&by);
        (was_free && by_free && expected == *after).then_some(Self::Suspension { suspended, by })
    }

    fn returning(before: &Statement, after: &Statement) -> Option<Self> {
        let returning = only_changed_party(before, after)?.node.clone();
        let mut expected = follow_up(before, after);
        let party = expected.parties.iter_mut().find(|party| party.node == returning)?;
        let suspender = party.suspended_by.take()?;
        party.ratified = false;
        (expected == *after).then_some(Self::Return { returning, suspender })
    }
}

/// Who becomes chair when the chair leaves: the first party that is not suspended, else
/// the first party.
pub fn heir(remaining: &Statement) -> Option<NodeId> {
    let first = remaining.unsuspended().next().or_else(|| remaining.parties.first());
    first.map(|party| party.node.clone())
}

/// The same statement, numbered and chained as the next one.
fn follow_up(before: &Statement, after: &Statement) -> Statement {
    let (version, previous) = (after.version, after.previous);
    Statement { version, previous, succeeds: None, ..before.clone() }
}

/// The party as it is after, when it is the only one that differs.
fn only_changed_party<'a>(before: &Statement, after: &'a Statement) -> Option<&'a Party> {
    if before.parties.len() != after.parties.len() {
        return None;
    }
    let mut pairs = before.parties.iter().zip(&after.parties);
    let (_, changed) = pairs.by_ref().find(|(old, new)| old != new)?;
    pairs.all(|(old, new)| old == new).then_some(changed)
}

/// Whether more than half of all parties, suspended ones counted, are such.
fn is_majority(statement: &Statement, such: impl Fn(&Party) -> bool) -> bool {
    let count = statement.parties.iter().filter(|party| such(party)).count();
    count * 2 > statement.parties.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample::{self, node};

    /// Checks the kind of a change, and the fewest signers with each of whom it stands
    /// and without any of whom it falls.
    fn check(
        before: &Statement,
        change: impl FnOnce(&mut Statement),
        kind: &Change,
        enough: &[usize],
    ) {
        let mut after = sample::next(before);
        change(&mut after);
        let found = Change::between(before, &after);
        assert_eq!(found, *kind);
        let signers: BTreeSet<_> = enough.iter().map(|party| node(*party)).collect();
        assert!(found.is_signed(before, &after, &signers), "{kind:?} by {enough:?}");
        for left_out in &signers {
            let mut fewer = signers.clone();
            fewer.remove(left_out);
            assert!(!found.is_signed(before, &after, &fewer), "{kind:?} without {left_out}");
        }
    }

    fn suspended(parties: usize, who: usize, by: usize) -> Statement {
        let mut statement = sample::statement(parties);
        statement.parties[who].suspended_by = Some(node(by));
        statement
    }

    fn free(who: usize) -> impl Fn(&mut Statement) {
        move |it| {
            it.parties[who].suspended_by = None;
            it.parties[who].ratified = false;
        }
    }

    #[test]
    fn leaving_needs_the_leaver_alone_or_all_others() {
        let three = sample::statement(3);
        let leaving = Change::Leaving { leaver: node(2) };
        check(&three, |it| drop(it.parties.remove(2)), &leaving, &[2]);
        check(&three, |it| drop(it.parties.remove(2)), &leaving, &[0, 1]);
        check(&suspended(3, 2, 0), |it| drop(it.parties.remove(2)), &leaving, &[2]);
    }

    #[test]
    fn a_leaving_chair_hands_on_to_the_first_and_to_no_other() {
        let three = sample::statement(3);
        let leave = |heir: usize| {
            move |it: &mut Statement| {
                it.parties.remove(0);
                it.chair = node(heir);
            }
        };
        check(&three, leave(1), &Change::Leaving { leaver: node(0) }, &[0]);
        check(&three, leave(2), &Change::Other, &[1, 2]);
    }

    #[test]
    fn dropping_two_or_dropping_and_changing_is_no_leaving() {
        let five = sample::statement(5);
        check(&five, |it| it.parties.truncate(3), &Change::Other, &[0, 1, 2]);
        let bent = |it: &mut Statement| {
            it.parties.truncate(4);
            it.age_limit_ms += 1;
        };
        check(&five, bent, &Change::Other, &[0, 1, 2, 3]);
    }

    #[test]
    fn suspending_needs_the_suspender_alone() {
        let kind = Change::Suspension { suspended: node(1), by: node(0) };
        let suspend = |it: &mut Statement| it.parties[1].suspended_by = Some(node(0));
        check(&sample::statement(2), suspend, &kind, &[0]);
        check(&sample::statement(5), suspend, &kind, &[0]);
    }

    #[test]
    fn a_suspension_by_a_suspended_party_or_ratified_at_once_is_none() {
        let before = suspended(4, 3, 0);
        let by_suspended = |it: &mut Statement| it.parties[1].suspended_by = Some(node(3));
        let mut after = sample::next(&before);
        by_suspended(&mut after);
        assert_eq!(Change::between(&before, &after), Change::Other);
        let at_once = |it: &mut Statement| {
            it.parties[1].suspended_by = Some(node(0));
            it.parties[1].ratified = true;
        };
        check(&sample::statement(4), at_once, &Change::Other, &[0, 2, 3]);
    }

    #[test]
    fn returning_needs_the_others_and_a_majority() {
        let kind = |suspender| Change::Return { returning: node(1), suspender: node(suspender) };
        check(&suspended(2, 1, 0), free(1), &kind(0), &[0, 1]);
        check(&suspended(3, 1, 0), free(1), &kind(0), &[1, 2]);
        check(&suspended(3, 1, 0), free(1), &kind(0), &[0, 2]);
        check(&suspended(4, 1, 0), free(1), &kind(0), &[1, 2, 3]);
        check(&suspended(5, 1, 0), free(1), &kind(0), &[2, 3, 4]);
    }

    #[test]
    fn everything_else_needs_all_and_a_majority_of_before() {
        let four = sample::statement(4);
        check(&four, |it| it.age_limit_ms += 1, &Change::Other, &[0, 1, 2, 3]);
        check(&four, |it| it.parties.push(sample::party(4)), &Change::Other, &[0, 1, 2, 3, 4]);
        let ratify = |it: &mut Statement| it.parties[1].ratified = true;
        check(&suspended(3, 1, 0), ratify, &Change::Other, &[0, 2]);
    }

    #[test]
    fn who_is_still_to_sign() {
        let check = |before: &Statement,
                     change: &dyn Fn(&mut Statement),
                     have: &[usize],
                     missing: &[usize]| {
            let mut after = sample::next(before);
            change(&mut after);
            let signers: BTreeSet<_> = have.iter().map(|party| node(*party)).collect();
            let found = Change::between(before, &after).missing(before, &after, &signers);
            let expected: Vec<_> = missing.iter().map(|party| node(*party)).collect();
            assert_eq!(found, expected, "{have:?}");
        };
        let three = sample::statement(3);
        let drop_last = |it: &mut Statement| drop(it.parties.pop());
        check(&three, &drop_last, &[0], &[1]);
        check(&three, &drop_last, &[0, 1], &[]);
        check(&three, &drop_last, &[2], &[]);
        check(&three, &|it| it.parties.push(sample::party(3)), &[0, 3], &[1, 2]);
        check(&three, &|it| it.parties[1].suspended_by = Some(node(0)), &[1], &[0]);
        let four = sample::statement(4);
        let halved = |it: &mut Statement| it.parties.truncate(2);
        check(&four, &halved, &[0], &[1]);
        check(&four, &halved, &[0, 1], &[2, 3]);
        check(&four, &halved, &[0, 1, 3], &[]);
        check(&suspended(2, 1, 0), &free(1), &[1], &[0]);
        check(&suspended(2, 1, 0), &free(1), &[0], &[1]);
        check(&suspended(4, 1, 0), &free(1), &[2], &[3]);
        check(&suspended(4, 1, 0), &free(1), &[2, 3], &[0, 1]);
        check(&suspended(4, 1, 0), &free(1), &[0, 2, 3], &[1]);
        check(&suspended(4, 1, 0), &free(1), &[1, 2, 3], &[]);
        // Of two parties one is not more than half.
        let add = |it: &mut Statement| it.parties.push(sample::party(2));
        check(&suspended(2, 1, 0), &add, &[0], &[2]);
        check(&suspended(2, 1, 0), &add, &[0, 2], &[1]);
        check(&suspended(2, 1, 0), &add, &[0, 1, 2], &[1]);
    }

    #[test]
    fn a_minority_cannot_remove_the_rest() {
        let four = sample::statement(4);
        let mut after = sample::next(&four);
        after.parties.truncate(2);
        let signers: BTreeSet<_> = [node(0), node(1)].into();
        assert!(!Change::between(&four, &after).is_signed(&four, &after, &signers));
        let signers: BTreeSet<_> = [node(0), node(1), node(2)].into();
        assert!(Change::between(&four, &after).is_signed(&four, &after, &signers));
    }

    #[test]
    fn a_suspended_signature_makes_no_majority() {
        let before = suspended(3, 1, 0);
        let mut after = sample::next(&before);
        after.parties.remove(2);
        after.age_limit_ms += 1;
        let signers: BTreeSet<_> = [node(0), node(1)].into();
        assert!(!Change::between(&before, &after).is_signed(&before, &after, &signers));
    }
}
