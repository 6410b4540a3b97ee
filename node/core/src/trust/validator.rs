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

    check_path(before.ciphersuite, &commit.path_keys)?;

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

/// Later committers seal to the path's parent nodes too.
fn check_path(ciphersuite: u16, keys: &[Vec<u8>]) -> Checked {
    let suite = Suite::from_number(ciphersuite).ok_or(refused("ciphersuite_unknown"))?;
    rule(keys.iter().all(|key| key_check::hpke(suite, key).is_ok()), "path_key_weak")
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
mod tests;
