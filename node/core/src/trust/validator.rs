//! The one validator of membership, run by members and hub alike (DESIGN §3).
//!
//! Its only input is what the group and the commit show: no local trust list, no clock.
//! Every refusal is a stable reason in snake case. A group that was validated stays so by
//! induction, hence only what a commit changes is verified again.

#[cfg(test)]
mod keys;
mod rejoining;
#[cfg(test)]
mod succeeding;
mod terms;

use std::collections::BTreeSet;

use crate::crypto::Suite;
use crate::id::{Epoch, NodeId};
use crate::planted::{self, Bug};
use crate::trust::card::{CardError, SignedCard};
use crate::trust::change::Change;
use crate::trust::commit::{CommitRefused, CommitView, GroupView, LeafView};
use crate::trust::key_check;
use crate::trust::key_holders::{HeldKeys, conflict};
use crate::trust::statement::{Party, RULES_VERSION, SignedStatement, Statement};

/// MLS ciphersuites that an équipe may have: X-Wing hybrid, and classical ChaCha20.
pub const CIPHERSUITES: [u16; 2] = [0x004f, 0x0003];

type Checked<T = ()> = Result<T, CommitRefused>;

/// Judges a commit, and returns the statement in force after it.
///
/// # Errors
/// [`CommitRefused`] with the first rule that the commit breaks.
pub fn validate(before: &GroupView, commit: &CommitView) -> Checked<Statement> {
    let old = statement_of(before.statement.as_deref())?;
    match old.statement().rules_version {
        RULES_VERSION => validate_rules_1(before, &old, commit),
        _ => Err(refused("rules_version_unknown")),
    }
}

/// Judges epoch 0: the chair's leaf alone, under a statement that every party signed, of an
/// équipe that begins or goes on after another group.
///
/// # Errors
/// [`CommitRefused`] with the first rule that the group breaks.
pub fn validate_founding(view: &GroupView) -> Checked<Statement> {
    let statement = validate_view(view)?;
    rule(view.epoch == Epoch(0), "founding_epoch_not_zero")?;
    let founds = statement.version == 1 || statement.succeeds.is_some();
    rule(founds, "founding_version_not_one")?;
    let chair_alone = match view.leaves.as_slice() {
        [(0, leaf)] => leaf.node.as_ref() == Some(&statement.chair),
        _ => false,
    };
    rule(chair_alone, "founding_leaf_not_the_chair_alone")?;
    Ok(statement)
}

/// Judges a whole group, as one who joins it does. Of a first statement, and of a successor's,
/// all parties must have signed; of a later one the parties' signatures that are there must
/// verify, and who joins knows its own.
///
/// # Errors
/// [`CommitRefused`] with the first rule that the group breaks.
pub fn validate_view(view: &GroupView) -> Checked<Statement> {
    rule(view.context_exact, "context_not_exact")?;
    rule(CIPHERSUITES.contains(&view.ciphersuite), "ciphersuite_unknown")?;
    let signed = statement_of(view.statement.as_deref())?;
    let statement = signed.statement();
    rule(statement.rules_version == RULES_VERSION, "rules_version_unknown")?;
    if statement.version == 1 {
        rule(statement.check_founding().is_ok(), "statement_not_founding")?;
        rule(signed.verify(None).is_ok(), "signature_bad")?;
        rule(signed.missing_signers().is_empty(), "signatures_missing")?;
        rule(statement.group_id() == view.group, "group_id_not_of_statement")?;
    } else {
        rule(!signed.signatures().is_empty(), "signatures_missing")?;
        // Whoever left has signed with a key that this statement no longer names.
        let known = signed.signatures().iter().filter_map(|(signer, signature)| {
            statement.party(signer).map(|party| party.identity.verify(signed.bytes(), signature))
        });
        rule(known.into_iter().all(|verified| verified.is_ok()), "signature_bad")?;
        if statement.succeeds.is_some() {
            rule(signed.missing_signers().is_empty(), "signatures_missing")?;
            rule(statement.group_id() == view.group, "group_id_not_of_statement")?;
        }
    }
    let leaves: Vec<_> = view.leaves.iter().map(|(_, leaf)| leaf).collect();
    check_roster(statement, &leaves)?;
    let mut held = Vec::new();
    for leaf in leaves {
        let card = check_leaf(statement, view.ciphersuite, leaf, None)?;
        check_holder(&card, &mut held)?;
    }
    Ok(signed.statement().clone())
}

fn validate_rules_1(
    before: &GroupView,
    old: &SignedStatement,
    commit: &CommitView,
) -> Checked<Statement> {
    rule(commit.foreign_proposal.is_none(), "foreign_proposal")?;
    rule(commit.context_exact, "context_not_exact")?;
    rule(commit.epoch_after == before.epoch.next(), "epoch_not_next")?;

    let changed = commit.statement_after != before.statement;
    let new = if changed { Some(next_statement(old, commit)?) } else { None };
    let statement = new.as_ref().unwrap_or(old).statement();

    let rejoining = rejoining::check(before, old.statement(), commit)?;
    check_removals(before, statement, commit, rejoining.as_ref())?;
    let committer = leaf_at(before, commit.committer).ok_or(refused("committer_unknown"))?;
    let path = commit.path_leaf.as_ref().ok_or(refused("path_missing"))?;
    rule(!commit.removed.contains(&commit.committer), "committer_removed")?;
    rule(path.node == committer.node, "path_of_another_node")?;

    let is_kept = |index: u32| index != commit.committer && !commit.removed.contains(&index);
    let kept: Vec<_> =
        before.leaves.iter().filter(|(index, _)| is_kept(*index)).map(|(_, leaf)| leaf).collect();
    let changed_leaves = commit.added.iter().chain([path]);
    let roster: Vec<_> = kept.iter().copied().chain(changed_leaves).collect();
    check_roster(statement, &roster)?;
    let mut brought = vec![check_leaf(statement, before.ciphersuite, path, Some(committer))?];
    for leaf in &commit.added {
        let of_it = |other: &&LeafView| rejoining.is_some() && other.node == leaf.node;
        let replaced = before.leaves.iter().map(|(_, leaf)| leaf).find(of_it);
        brought.push(check_leaf(statement, before.ciphersuite, leaf, replaced)?);
    }
    if commit.added.is_empty() && path.card == committer.card {
        brought.clear();
    }
    check_holders(&kept, &brought)?;
    check_floors(old.statement(), statement, &kept)?;
    Ok(statement.clone())
}

/// No card that a commit brings has a key of another leaf's card.
fn check_holders(kept: &[&LeafView], brought: &[SignedCard]) -> Checked {
    if brought.is_empty() {
        return Ok(());
    }
    let mut held = Vec::new();
    for leaf in kept {
        let card = leaf.card.as_deref().ok_or(refused("card_missing"))?;
        let card = SignedCard::decode_verified(card).map_err(|_| refused("card_bad"))?;
        held.push(HeldKeys::of(card.card(), None));
    }
    brought.iter().try_for_each(|card| check_holder(card, &mut held))
}

/// Two nodes that have proven one key are one, or a thief and its victim. Of sealing keys,
/// which anybody can copy from a card, the tree tells nothing.
fn check_holder(card: &SignedCard, held: &mut Vec<HeldKeys>) -> Checked {
    rule(conflict(card.card(), held.iter()).is_none(), "card_key_of_another_node")?;
    held.push(HeldKeys::of(card.card(), None));
    Ok(())
}

/// Reads the statement that the commit brings, and judges the step to it.
fn next_statement(old: &SignedStatement, commit: &CommitView) -> Checked<SignedStatement> {
    let new = statement_of(commit.statement_after.as_deref())?;
    rule(new.statement().succeeds.is_none(), "successor_in_a_commit")?;
    let change = validate_step(old, &new)?;
    let signers = new.signatures().keys().cloned().collect();
    let (before, after) = (old.statement(), new.statement());
    let signed = change.is_signed(before, after, &signers) || planted::is(Bug::AcceptUnsigned);
    rule(signed, "signatures_missing")?;
    Ok(new)
}

/// Judges the step from one statement to the next, and the signatures that it has so far;
/// whether they suffice is asked of the [`Change`] that is returned.
///
/// # Errors
/// [`CommitRefused`] with the first rule that the step breaks.
pub fn validate_step(old: &SignedStatement, new: &SignedStatement) -> Checked<Change> {
    let (before, after) = (old.statement(), new.statement());
    rule(after.rules_version == RULES_VERSION, "rules_version_unknown")?;
    rule(after.lineage == before.lineage, "lineage_changed")?;
    rule(Some(after.version) == before.version.checked_add(1), "version_not_next")?;
    rule(after.previous == old.digest(), "previous_statement_wrong")?;
    let stays = after.hub == before.hub && after.succeeds.is_none();
    rule(stays || terms::is_next(&before.hub, &after.hub), "hub_term_not_next")?;
    rule(stays || key_check::ed25519(&after.hub.identity.0).is_ok(), "hub_key_weak")?;
    for party in &after.parties {
        check_party(before, after, party)?;
    }
    let verified = planted::is(Bug::AcceptForged) || new.verify(Some(before)).is_ok();
    rule(verified, "signature_bad")?;
    Ok(Change::between(before, after))
}

/// Judges what becomes of one party, whoever signed.
fn check_party(before: &Statement, after: &Statement, party: &Party) -> Checked {
    let Some(old) = before.party(&party.node) else {
        rule(key_check::ed25519(&party.identity.0).is_ok(), "identity_key_weak")?;
        return rule(party.suspended_by.is_none(), "newcomer_suspended");
    };
    rule(party.identity == old.identity, "identity_changed")?;
    rule(party.card_floor >= old.card_floor, "card_floor_lowered")?;
    match &party.suspended_by {
        Some(by) if old.suspended_by.as_ref() != Some(by) => {
            rule(after.may_have_leaf(by), "suspender_not_a_party")
        }
        _ => Ok(()),
    }
}

/// A leaf goes only with its party, while its party is suspended, or as its node asked.
fn check_removals(
    before: &GroupView,
    after: &Statement,
    commit: &CommitView,
    rejoining: Option<&NodeId>,
) -> Checked {
    for index in &commit.removed {
        let leaf = leaf_at(before, *index).ok_or(refused("removed_leaf_unknown"))?;
        let node = node_of(leaf)?;
        let stays = after.may_have_leaf(node) && rejoining != Some(node);
        let added_again = commit.added.iter().any(|added| added.node.as_ref() == Some(node));
        rule(!(stays && added_again), "rejoin_not_asked_for")?;
        rule(!stays, "removed_party_stays")?;
    }
    Ok(())
}

/// Every leaf is that of an unsuspended party; nodes and signature keys are unique.
fn check_roster(statement: &Statement, leaves: &[&LeafView]) -> Checked {
    let mut nodes = BTreeSet::new();
    let mut keys = BTreeSet::new();
    for leaf in leaves {
        let node = node_of(leaf)?;
        let party = statement.party(node).ok_or(refused("leaf_of_no_party"))?;
        rule(party.suspended_by.is_none(), "leaf_of_a_suspended_party")?;
        rule(nodes.insert(node), "two_leaves_of_one_party")?;
        rule(keys.insert(&leaf.signature_key), "signature_key_not_unique")?;
    }
    Ok(())
}

/// Judges a leaf by itself, as a key package brings it, and returns its card.
///
/// # Errors
/// The rule that it breaks. Whether its identity is a party's is asked of the commit.
pub fn validate_leaf(leaf: &LeafView) -> Checked<SignedCard> {
    card_of(leaf, SignedCard::decode)
}

fn card_of(
    leaf: &LeafView,
    read: impl FnOnce(&[u8]) -> Result<SignedCard, CardError>,
) -> Checked<SignedCard> {
    rule(leaf.extensions_exact, "leaf_extensions_not_exact")?;
    rule(leaf.lifetime_unbounded, "lifetime_bounded")?;
    let node = node_of(leaf)?;
    let container = leaf.card.as_deref().ok_or(refused("card_missing"))?;
    let signed = read(container).map_err(|_| refused("card_bad"))?;
    rule(signed.card().node == *node, "card_of_another_node")?;
    let key = signed.card().mls_key.key;
    rule(key.as_bytes() == leaf.signature_key, "card_of_another_key")?;
    Ok(signed)
}

/// Judges one new leaf, and returns its card; `replaced` is the validated one whose place it
/// takes.
fn check_leaf(
    statement: &Statement,
    ciphersuite: u16,
    leaf: &LeafView,
    replaced: Option<&LeafView>,
) -> Checked<SignedCard> {
    let party = statement.party(node_of(leaf)?).ok_or(refused("leaf_of_no_party"))?;
    let known = replaced.and_then(|leaf| leaf.card.as_deref());
    // A card that stands in the tree was verified when it came in.
    let unchanged = known.is_some() && known == leaf.card.as_deref();
    let read = if unchanged { SignedCard::decode_verified } else { SignedCard::decode };
    let signed = card_of(leaf, read)?;
    let card = signed.card();
    rule(card.identity == party.identity, "card_of_another_identity")?;
    rule(card.serial >= party.card_floor, "card_below_floor")?;
    if let Some(known) = known {
        rule(card.serial >= serial_of(known)?, "card_serial_lowered")?;
    }
    // Every later committer seals to this key: one that cannot be used would stop them all.
    let suite = Suite::from_number(ciphersuite).ok_or(refused("ciphersuite_unknown"))?;
    let encryption = key_check::hpke_encoded(suite, &leaf.encryption_key);
    rule(encryption.is_ok(), "encryption_key_weak")?;
    Ok(signed)
}

/// Leaves that stay meet the floors that this commit raised.
fn check_floors(before: &Statement, after: &Statement, kept: &[&LeafView]) -> Checked {
    let raised = |party: &&Party| {
        before.party(&party.node).is_some_and(|old| old.card_floor < party.card_floor)
    };
    for party in after.parties.iter().filter(raised) {
        let leaf = kept.iter().find(|leaf| leaf.node.as_ref() == Some(&party.node));
        let Some(leaf) = leaf else { continue };
        let serial = serial_of(leaf.card.as_deref().ok_or(refused("card_missing"))?)?;
        rule(serial >= party.card_floor, "card_below_floor")?;
    }
    Ok(())
}

fn serial_of(container: &[u8]) -> Checked<u64> {
    let card = SignedCard::decode_verified(container).map_err(|_| refused("card_bad"))?;
    Ok(card.card().serial)
}

fn statement_of(container: Option<&[u8]>) -> Checked<SignedStatement> {
    let container = container.ok_or(refused("statement_missing"))?;
    SignedStatement::decode(container).map_err(|_| refused("statement_bad"))
}

fn leaf_at(view: &GroupView, index: u32) -> Option<&LeafView> {
    let place = view.leaves.binary_search_by_key(&index, |(index, _)| *index).ok()?;
    view.leaves.get(place).map(|(_, leaf)| leaf)
}

fn node_of(leaf: &LeafView) -> Checked<&NodeId> {
    leaf.node.as_ref().ok_or(refused("credential_no_node_id"))
}

fn rule(holds: bool, reason: &'static str) -> Checked {
    if holds { Ok(()) } else { Err(refused(reason)) }
}

fn refused(reason: &'static str) -> CommitRefused {
    CommitRefused(reason)
}

#[cfg(test)]
mod tests {
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
        check(
            |leaf| leaf.signature_key = sample::leaf(1, 1).signature_key,
            "signature_key_not_unique",
        );
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
        let floor = |party: usize, floor: u64| {
            move |it: &mut Statement| it.parties[party].card_floor = floor
        };
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
        check(
            3,
            add(LeafView { lifetime_unbounded: false, ..sample::leaf(2, 1) }),
            "lifetime_bounded",
        );
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
        check(
            GroupView { group: crate::id::GroupId([1; 32]), ..good() },
            "group_id_not_of_statement",
        );
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
}
