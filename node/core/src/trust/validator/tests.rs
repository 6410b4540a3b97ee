//! What the validator takes, and why it refuses the rest.

use proptest::prelude::*;

use super::*;
use crate::id::Digest;
use crate::trust::sample::{self, node};

/// A group of `parties` and an update of the first one, which `change` bends.
pub(super) fn check(
    parties: usize,
    change: impl FnOnce(&mut GroupView, &mut CommitView),
    reason: &str,
) {
    let all: Vec<_> = (0..parties).collect();
    let mut group = sample::group(&sample::signed(sample::statement(parties), &all));
    let mut commit = sample::commit(&group, 0);
    change(&mut group, &mut commit);
    assert_reason(validate(&group, &commit), reason);
}

pub(super) fn assert_reason(outcome: Checked<Statement>, reason: &str) {
    let found = outcome.map_or_else(|refused| refused.0, |_| "");
    assert_eq!(found, reason);
}

/// An update of the first of three with a new statement signed by `signers`.
pub(super) fn check_next(change: impl FnOnce(&mut Statement), signers: &[usize], reason: &str) {
    check(3, |_, commit| bring(commit, change, signers), reason);
}

pub(super) fn bring(
    commit: &mut CommitView,
    change: impl FnOnce(&mut Statement),
    signers: &[usize],
) {
    let before = SignedStatement::decode(commit.statement_after.as_ref().unwrap()).unwrap();
    let mut after = sample::next(before.statement());
    change(&mut after);
    commit.statement_after = Some(sample::signed(after, signers).encode());
}

fn path(commit: &mut CommitView) -> &mut LeafView {
    commit.path_leaf.as_mut().unwrap()
}

fn recard(leaf: &mut LeafView, number: usize, serial: u64) {
    leaf.card = Some(sample::card(number, serial).encode());
}

#[test]
fn plain_updates_pass_and_each_bent_one_is_refused() {
    check(3, |_, _| {}, "");
    check(3, |_, commit| *path(commit) = sample::leaf(0, 2), "");
    check(3, |_, commit| commit.foreign_proposal = Some("PSK".into()), "foreign_proposal");
    check(3, |_, commit| commit.authenticated_data = vec![1], "rejoin_request_bad");
    check(3, |_, commit| commit.context_exact = false, "context_not_exact");
    check(3, |_, commit| commit.epoch_after = Epoch(7), "epoch_not_next");
    check(3, |_, commit| commit.statement_after = None, "statement_missing");
    check(3, |_, commit| commit.statement_after = Some(vec![1]), "statement_bad");
    check(3, |group, _| group.statement = Some(vec![1]), "statement_bad");
    check(3, |_, commit| commit.committer = 9, "committer_unknown");
    check(3, |_, commit| commit.path_leaf = None, "path_missing");
    check(3, |_, commit| *path(commit) = sample::leaf(1, 1), "path_of_another_node");
}

#[test]
fn rules_of_another_version_are_unknown() {
    check_next(|it| it.rules_version = 2, &[0, 1, 2], "rules_version_unknown");
    let old = Statement { rules_version: 2, ..sample::statement(2) };
    let group = sample::group(&sample::signed(old, &[0, 1]));
    assert_reason(validate(&group, &sample::commit(&group, 0)), "rules_version_unknown");
}

#[test]
fn leaves_are_judged_by_their_cards() {
    let check = |change: fn(&mut LeafView), reason| {
        check(3, |_, commit| change(path(commit)), reason);
    };
    check(|leaf| leaf.extensions_exact = false, "leaf_extensions_not_exact");
    check(|leaf| leaf.lifetime_unbounded = false, "lifetime_bounded");
    check(|leaf| leaf.card = None, "card_missing");
    check(|leaf| leaf.card = Some(vec![1]), "card_bad");
    check(|leaf| *leaf.card.as_mut().unwrap().last_mut().unwrap() ^= 1, "card_bad");
    check(|leaf| recard(leaf, 1, 1), "card_of_another_node");
    check(|leaf| recard(leaf, 0, 2), "card_of_another_key");
    check(|leaf| leaf.signature_key = vec![1], "card_of_another_key");
    check(|leaf| leaf.signature_key = sample::leaf(1, 1).signature_key, "signature_key_not_unique");
    let by_another = |leaf: &mut LeafView| {
        leaf.card = Some(sample::card_by(0, 1, 9).encode());
    };
    check(by_another, "card_of_another_identity");
}

#[test]
fn serials_and_floors_never_fall() {
    let newer = |group: &mut GroupView, _: &mut CommitView| {
        group.leaves[0].1 = sample::leaf(0, 2);
    };
    check(3, newer, "card_serial_lowered");
    let floor =
        |party: usize, floor: u64| move |it: &mut Statement| it.parties[party].card_floor = floor;
    check_next(floor(0, 2), &[0, 1, 2], "card_below_floor");
    check_next(floor(1, 2), &[0, 1, 2], "card_below_floor");
    check(
        3,
        |_, commit| {
            bring(commit, floor(0, 2), &[0, 1, 2]);
            *path(commit) = sample::leaf(0, 2);
        },
        "",
    );
    let mut high = sample::statement(2);
    high.parties[0].card_floor = 3;
    let mut group = sample::group(&sample::signed(high, &[0, 1]));
    group.leaves[0].1 = sample::leaf(0, 3);
    let mut commit = sample::commit(&group, 0);
    commit.path_leaf = Some(sample::leaf(0, 3));
    bring(&mut commit, floor(0, 2), &[0, 1]);
    assert_reason(validate(&group, &commit), "card_floor_lowered");
}

#[test]
fn a_listed_party_is_added_without_a_new_statement() {
    let absent = |group: &mut GroupView| drop(group.leaves.pop());
    let add = |leaf: LeafView| {
        move |group: &mut GroupView, commit: &mut CommitView| {
            absent(group);
            commit.added.push(leaf);
        }
    };
    check(3, add(sample::leaf(2, 1)), "");
    check(3, add(sample::leaf(3, 1)), "leaf_of_no_party");
    check(3, add(sample::leaf(1, 2)), "two_leaves_of_one_party");
    check(3, add(LeafView { node: None, ..sample::leaf(2, 1) }), "credential_no_node_id");
    check(3, add(LeafView { lifetime_unbounded: false, ..sample::leaf(2, 1) }), "lifetime_bounded");
    check(3, |_, commit| commit.added.push(sample::leaf(2, 1)), "two_leaves_of_one_party");
}

#[test]
fn a_leaf_goes_only_with_its_party() {
    check(3, |_, commit| commit.removed = vec![1], "removed_party_stays");
    check(3, |_, commit| commit.removed = vec![9], "removed_leaf_unknown");
    let again = |_: &mut GroupView, commit: &mut CommitView| {
        commit.removed = vec![1];
        commit.added = vec![sample::leaf(1, 2)];
    };
    check(3, again, "rejoin_not_asked_for");
    let drop_one = |removed: Vec<u32>, signers: &'static [usize]| {
        move |_: &mut GroupView, commit: &mut CommitView| {
            bring(commit, |it| drop(it.parties.remove(1)), signers);
            commit.removed = removed;
        }
    };
    check(3, drop_one(vec![1], &[1]), "");
    check(3, drop_one(vec![1], &[0, 2]), "");
    check(3, drop_one(vec![1], &[0]), "signatures_missing");
    check(3, drop_one(vec![], &[0, 2]), "leaf_of_no_party");
    check(3, drop_one(vec![1, 2], &[0, 2]), "removed_party_stays");
    let leave = |_: &mut GroupView, commit: &mut CommitView| {
        bring(
            commit,
            |it| {
                it.parties.remove(0);
                it.chair = node(1);
            },
            &[0],
        );
        commit.removed = vec![0];
    };
    check(3, leave, "committer_removed");
}

#[test]
fn statements_follow_each_other() {
    let all = &[0, 1, 2];
    check_next(|_| {}, all, "");
    check_next(|it| it.version = 3, all, "version_not_next");
    check_next(|it| it.previous = Digest([9; 32]), all, "previous_statement_wrong");
    check_next(|it| it.lineage.0[0] ^= 1, all, "lineage_changed");
    check_next(|it| it.parties[1].identity = sample::key(9).public(), all, "identity_changed");
    let to_a_party = |it: &mut Statement| {
        (it.hub.hub, it.hub.identity) = (node(1), sample::key(1).public());
    };
    check_next(to_a_party, all, "hub_term_not_next");
    check_next(|it| it.hub.term = 3, all, "hub_term_not_next");
    check_next(|it| it.hub.term = 2, all, "");
    let mut moved = sample::statement(2);
    moved.hub.first_sequence = crate::id::Sequence(8);
    let group = sample::group(&sample::signed(moved, &[0, 1]));
    let mut commit = sample::commit(&group, 0);
    let back = |it: &mut Statement| {
        it.hub.term = 2;
        it.hub.first_sequence.0 = 7;
    };
    bring(&mut commit, back, &[0, 1]);
    assert_reason(validate(&group, &commit), "hub_term_not_next");
    let newcomer = |it: &mut Statement| {
        it.parties.push(Party { suspended_by: Some(node(0)), ..sample::party(3) });
    };
    check_next(newcomer, all, "newcomer_suspended");
    let by_nobody = |it: &mut Statement| it.parties[2].suspended_by = Some(node(8));
    check_next(by_nobody, &[0, 1], "suspender_not_a_party");
    let more_signatures = |_: &mut GroupView, commit: &mut CommitView| {
        let container = commit.statement_after.as_ref().unwrap();
        let statement = SignedStatement::decode(container).unwrap().statement().clone();
        commit.statement_after = Some(sample::signed(statement, &[0, 1]).encode());
    };
    check(3, more_signatures, "version_not_next");
}

#[test]
fn signatures_are_verified() {
    check_next(|_| {}, &[0, 1], "signatures_missing");
    check_next(|_| {}, &[0, 1, 2, 3], "signature_bad");
    let forged = |_: &mut GroupView, commit: &mut CommitView| {
        bring(commit, |_| {}, &[0, 1]);
        let container = commit.statement_after.as_ref().unwrap();
        let signed = SignedStatement::decode(container).unwrap();
        let mut signatures = signed.signatures().clone();
        signatures.insert(node(2), signatures[&node(1)]);
        let forged = SignedStatement::parse(signed.bytes(), signatures).unwrap();
        commit.statement_after = Some(forged.encode());
    };
    check(3, forged, "signature_bad");
}

#[test]
fn a_suspension_takes_the_leaf_with_it() {
    let suspend = |removed: Vec<u32>, signer: usize| {
        move |_: &mut GroupView, commit: &mut CommitView| {
            let by = |it: &mut Statement| it.parties[1].suspended_by = Some(node(0));
            bring(commit, by, &[signer]);
            commit.removed = removed;
        }
    };
    check(3, suspend(vec![1], 0), "");
    check(2, suspend(vec![1], 0), "");
    check(3, suspend(vec![1], 1), "signatures_missing");
    check(3, suspend(vec![], 0), "leaf_of_a_suspended_party");
}

#[test]
fn a_suspended_party_is_added_only_with_its_return() {
    let mut statement = sample::statement(3);
    statement.parties[1].suspended_by = Some(node(0));
    let group = sample::group(&sample::signed(statement, &[0]));
    let add = |change: fn(&mut Statement), signers: &[usize], reason| {
        let mut commit = sample::commit(&group, 2);
        commit.added = vec![sample::leaf(1, 1)];
        if !signers.is_empty() {
            bring(&mut commit, change, signers);
        }
        assert_reason(validate(&group, &commit), reason);
    };
    add(|_| {}, &[], "leaf_of_a_suspended_party");
    add(|it| it.parties[1].suspended_by = None, &[1, 2], "");
    add(|it| it.parties[1].suspended_by = None, &[0, 1], "signatures_missing");
    let second = |it: &mut Statement| it.parties[2].suspended_by = Some(node(0));
    let mut after = sample::next(&sample::statement(3));
    after.parties[1].suspended_by = Some(node(0));
    second(&mut after);
    assert!(SignedStatement::new(after).is_err(), "one unratified suspension per signer");
}

fn founding(change: impl FnOnce(&mut Statement), signers: &[usize]) -> GroupView {
    let mut statement = sample::statement(3);
    change(&mut statement);
    let mut view = sample::group(&sample::signed(statement, signers));
    view.epoch = Epoch(0);
    view.leaves.truncate(1);
    view
}

#[test]
fn founding_is_the_chair_alone_with_all_signatures() {
    let check = |view: GroupView, reason| assert_reason(validate_founding(&view), reason);
    let good = || founding(|_| {}, &[0, 1, 2]);
    check(good(), "");
    check(GroupView { epoch: Epoch(1), ..good() }, "founding_epoch_not_zero");
    check(GroupView { context_exact: false, ..good() }, "context_not_exact");
    check(GroupView { ciphersuite: 1, ..good() }, "ciphersuite_unknown");
    check(GroupView { group: crate::id::GroupId([1; 32]), ..good() }, "group_id_not_of_statement");
    check(GroupView { leaves: Vec::new(), ..good() }, "founding_leaf_not_the_chair_alone");
    check(founding(|it| it.chair = node(1), &[0, 1, 2]), "founding_leaf_not_the_chair_alone");
    check(founding(|_| {}, &[0, 1]), "signatures_missing");
    check(founding(|it| it.hub.term = 2, &[0, 1, 2]), "statement_not_founding");
    let later = |it: &mut Statement| {
        it.version = 2;
        it.previous = Digest([1; 32]);
    };
    check(founding(later, &[0, 1, 2]), "founding_version_not_one");
    let mut two = good();
    two.leaves.push((1, sample::leaf(1, 1)));
    check(two, "founding_leaf_not_the_chair_alone");
}

#[test]
fn who_joins_judges_every_leaf() {
    let check = |change: fn(&mut GroupView), reason| {
        let mut view = sample::group(&sample::signed(sample::statement(3), &[0, 1, 2]));
        change(&mut view);
        assert_reason(validate_view(&view), reason);
    };
    check(|_| {}, "");
    check(|view| view.leaves[2].1 = sample::leaf(7, 1), "leaf_of_no_party");
    check(|view| view.leaves[2].1 = sample::leaf(1, 2), "two_leaves_of_one_party");
    check(|view| recard(&mut view.leaves[2].1, 2, 2), "card_of_another_key");
    check(|view| view.statement = None, "statement_missing");

    let later = sample::next(&sample::statement(3));
    let check = |signers: &[usize], reason| {
        assert_reason(
            validate_view(&sample::group(&sample::signed(later.clone(), signers))),
            reason,
        );
    };
    check(&[1], "");
    check(&[7], "");
    check(&[], "signatures_missing");
    let forged = [(node(1), [0; 64])].into();
    let forged = SignedStatement::parse(&later.canonical(), forged).unwrap();
    assert_reason(validate_view(&sample::group(&forged)), "signature_bad");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// Whatever at most half of 2 to 20 parties sign, and whoever of them commits, the
    /// others all stay parties, and nobody comes in who was not one.
    #[test]
    fn no_minority_removes_others_or_adds_a_ghost(
        parties in 2_usize..=20,
        coalition in 1_usize..=10,
        first in 0_usize..20,
        ghost in any::<bool>(),
        expelled in any::<u32>(),
    ) {
        let coalition = coalition.min(parties / 2);
        let members: Vec<_> = (0..coalition).map(|step| (first + step) % parties).collect();
        let is_member = |number: &usize| members.contains(number);
        let mut expelled: Vec<_> =
            (0..parties).filter(|number| expelled >> number & 1 == 1 && !is_member(number)).collect();
        if expelled.is_empty() && !ghost {
            expelled = (0..parties).filter(|number| !is_member(number)).take(1).collect();
        }
        let all: Vec<_> = (0..parties).collect();
        let group = sample::group(&sample::signed(sample::statement(parties), &all));
        let mut commit = sample::commit(&group, members[0]);
        let mut signers = members.clone();
        let change = |it: &mut Statement| {
            it.parties.retain(|party| !expelled.iter().any(|number| party.node == node(*number)));
            if it.party(&it.chair).is_none() {
                it.chair = it.parties[0].node.clone();
            }
            if ghost {
                it.parties.push(sample::party(parties));
            }
        };
        if ghost {
            signers.push(parties);
            commit.added.push(sample::leaf(parties, 1));
        }
        signers.sort_unstable();
        bring(&mut commit, change, &signers);
        commit.removed = expelled.iter().map(|number| *number as u32).collect();
        assert_reason(validate(&group, &commit), "signatures_missing");
    }

    /// Half of the parties suspend the other half, one each, and are alone in the group;
    /// they still cannot drop the suspended, nor ratify the suspensions.
    #[test]
    fn half_that_suspended_the_other_half_goes_no_further(half in 1_usize..=10, ratify in any::<bool>()) {
        let members: Vec<_> = (0..half).collect();
        let mut statement = sample::next(&sample::statement(2 * half));
        for number in &members {
            statement.parties[half + number].suspended_by = Some(node(*number));
        }
        let group = sample::group(&sample::signed(statement, &[half - 1]));
        prop_assert_eq!(group.leaves.len(), half);
        let mut commit = sample::commit(&group, 0);
        let change = |it: &mut Statement| {
            if ratify {
                it.parties.iter_mut().skip(half).for_each(|party| party.ratified = true);
            } else {
                it.parties.truncate(half);
            }
        };
        bring(&mut commit, change, &members);
        assert_reason(validate(&group, &commit), "signatures_missing");
    }

    /// More than half may remove all the others at once, with every one that stays signing.
    #[test]
    fn a_majority_removes_the_rest(parties in 3_usize..=20) {
        let majority = parties / 2 + 1;
        let all: Vec<_> = (0..parties).collect();
        let group = sample::group(&sample::signed(sample::statement(parties), &all));
        let mut commit = sample::commit(&group, 0);
        bring(&mut commit, |it| it.parties.truncate(majority), &all[..majority]);
        commit.removed = (majority as u32..parties as u32).collect();
        assert_reason(validate(&group, &commit), "");
    }
}
