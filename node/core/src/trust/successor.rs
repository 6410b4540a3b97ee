//! What a member decides about the successor of its group (DESIGN §6): whether it signs one,
//! and whether it follows into one.
//!
//! A member signs one successor only of each group, whatever becomes of it: two that are
//! signed by all would split the équipe. What stands in the log after the entry at which the
//! successor begins need not be the same for all: whatever not all have confirmed is sent again.

use crate::id::{Digest, GroupId, Sequence};
use crate::trust::statement::{SignedStatement, Statement};

/// Why a successor is not signed: the fault of who began it, unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SuccessorError {
    /// It follows a group in which this node is not.
    #[error("it follows another group than this node's")]
    AnotherGroup,
    /// This node has signed another successor of its group.
    #[error("this node has signed another successor of this group, {0}")]
    SignedAnother(Digest),
    /// It begins after an entry that this node knows with another head.
    #[error("it begins after entry {0}, which is another one here")]
    AnotherHistory(Sequence),
}

impl SuccessorError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::AnotherGroup => "another_group",
            Self::SignedAnother(_) => "signed_another_successor",
            Self::AnotherHistory(_) => "another_history",
        }
    }
}

/// What a member holds of the group that is to end.
#[derive(Clone, Copy, Debug)]
pub struct Held {
    /// The group.
    pub group: GroupId,
    /// SHA-256 of the statement of the only successor that this node has signed, if it has.
    pub signed: Option<Digest>,
    /// Head at the entry after which the successor begins, where this node knows it.
    pub head: Option<Digest>,
}

/// Decides whether a member may sign a successor of its group.
///
/// # Errors
/// [`SuccessorError`].
pub fn may_sign(successor: &Statement, held: &Held) -> Result<(), SuccessorError> {
    if successor.succeeds != Some(held.group) {
        return Err(SuccessorError::AnotherGroup);
    }
    if let Some(signed) = held.signed.filter(|signed| *signed != successor.digest()) {
        return Err(SuccessorError::SignedAnother(signed));
    }
    let end = successor.hub.end_before();
    match (end, held.head) {
        (Some((last, head)), Some(known)) if known != head => {
            Err(SuccessorError::AnotherHistory(last))
        }
        _ => Ok(()),
    }
}

/// Whether a group is the one founded with a successor of this node's group, so that a Welcome
/// to it ends the membership in the one before.
pub fn leads_from(signed: &SignedStatement, from: GroupId, to: GroupId) -> bool {
    let statement = signed.statement();
    statement.succeeds == Some(from) && statement.group_id() == to
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::sample;

    fn successor(bend: impl FnOnce(&mut Statement)) -> Statement {
        let mut statement = sample::next(&sample::statement(3));
        statement.succeeds = Some(GroupId([9; 32]));
        statement.hub.term = 2;
        statement.hub.first_sequence = Sequence(8);
        statement.hub.head_before = Digest([7; 32]);
        bend(&mut statement);
        statement
    }

    fn held() -> Held {
        Held { group: GroupId([9; 32]), signed: None, head: None }
    }

    fn check(statement: &Statement, held: Held, expected: Result<(), &'static str>) {
        let found = may_sign(statement, &held).map_err(|error| error.reason());
        assert_eq!(found, expected, "{held:?}");
    }

    #[test]
    fn one_successor_is_signed_and_no_other() {
        let (one, other) = (successor(|_| {}), successor(|it| it.pact = Digest([1; 32])));
        check(&one, held(), Ok(()));
        check(&one, Held { signed: Some(one.digest()), ..held() }, Ok(()));
        let refused = Err("signed_another_successor");
        check(&other, Held { signed: Some(one.digest()), ..held() }, refused);
    }

    #[test]
    fn only_of_the_own_group_and_history() {
        let one = successor(|_| {});
        check(&one, Held { group: GroupId([8; 32]), ..held() }, Err("another_group"));
        check(&successor(|it| it.succeeds = None), held(), Err("another_group"));
        check(&one, Held { head: Some(Digest([7; 32])), ..held() }, Ok(()));
        check(&one, Held { head: Some(Digest([6; 32])), ..held() }, Err("another_history"));
    }

    #[test]
    fn a_welcome_leads_from_one_group_to_the_next() {
        let signed = sample::signed(successor(|_| {}), &[0, 1, 2]);
        let (from, to) = (GroupId([9; 32]), signed.statement().group_id());
        assert!(leads_from(&signed, from, to));
        assert!(!leads_from(&signed, GroupId([8; 32]), to));
        assert!(!leads_from(&signed, from, GroupId([8; 32])));
    }
}
