//! What the validator says of an équipe that goes on in another group.

use super::tests::{assert_reason, check_next};
use super::{validate_founding, validate_step, validate_view};
use crate::id::{Digest, Epoch, GroupId, Sequence};
use crate::trust::commit::GroupView;
use crate::trust::sample::{self, leaf};
use crate::trust::statement::{SignedStatement, Statement};

/// The statement of three parties' successor.
fn successor(it: &mut Statement) {
    it.hub.term += 1;
    it.hub.first_sequence = Sequence(9);
    it.hub.head_before = Digest([7; 32]);
    it.succeeds = Some(GroupId([9; 32]));
}

fn signed(bend: impl FnOnce(&mut Statement), signers: &[usize]) -> SignedStatement {
    let mut after = sample::next(&sample::statement(3));
    successor(&mut after);
    bend(&mut after);
    sample::signed(after, signers)
}

/// Epoch 0 of that group, by its chair.
fn founded(statement: &SignedStatement) -> GroupView {
    let leaves = vec![(0, leaf(0, 1))];
    GroupView { epoch: Epoch(0), leaves, ..sample::group(statement) }
}

fn check_founded(
    bend: impl FnOnce(&mut Statement),
    signers: &[usize],
    change: impl FnOnce(&mut GroupView),
    reason: &str,
) {
    let mut view = founded(&signed(bend, signers));
    change(&mut view);
    assert_reason(validate_founding(&view), reason);
}

#[test]
fn all_parties_found_it() {
    let all = &[0, 1, 2];
    check_founded(|_| {}, all, |_| {}, "");
    check_founded(|_| {}, &[0, 1], |_| {}, "signatures_missing");
    check_founded(|it| it.succeeds = None, all, |_| {}, "founding_version_not_one");
    check_founded(|_| {}, all, |view| view.epoch = Epoch(1), "founding_epoch_not_zero");
    let other = |view: &mut GroupView| view.group = GroupId([1; 32]);
    check_founded(|_| {}, all, other, "group_id_not_of_statement");
    let another_leaf = |view: &mut GroupView| view.leaves = vec![(0, leaf(1, 1))];
    check_founded(|_| {}, all, another_leaf, "founding_leaf_not_the_chair_alone");
}

#[test]
fn who_joins_it_sees_that_all_have_signed() {
    let check = |signers: &[usize], reason| {
        assert_reason(validate_view(&sample::group(&signed(|_| {}, signers))), reason);
    };
    check(&[0, 1, 2], "");
    check(&[1, 2], "signatures_missing");
}

#[test]
fn a_commit_brings_no_successor() {
    check_next(successor, &[0, 1, 2], "successor_in_a_commit");
}

#[test]
fn a_successor_begins_a_term() {
    let first = sample::signed(sample::statement(3), &[0, 1, 2]);
    let check = |bend: fn(&mut Statement), reason: Result<(), &str>| {
        let step = validate_step(&first, &signed(bend, &[0, 1, 2]));
        assert_eq!(step.map(drop).map_err(|refused| refused.0), reason);
    };
    check(|_| {}, Ok(()));
    check(|it| it.hub.term = 3, Err("hub_term_not_next"));
    check(|it| it.previous = Digest([1; 32]), Err("previous_statement_wrong"));
}
