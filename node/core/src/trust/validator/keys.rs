//! Keys that a commit may not bring: degenerate ones, and those of another leaf's card.

use super::tests::{assert_reason, check, check_next};
use super::*;
use crate::sealing::SealingKey;
use crate::secret::Secret;
use crate::trust::card::Card;
use crate::trust::key_check::tests::{degenerate_ed25519, degenerate_x_wing, degenerate_x25519};
use crate::trust::keys::PublicKey;
use crate::trust::possession::{KeyUse, ProvenKey};
use crate::trust::sample::{self, node};
use crate::trust::statement::Party;

/// A card of this number with another node's TLS key, which both hold.
fn with_tls_of(number: usize, serial: u64, other: usize) -> Vec<u8> {
    let card = sample::card(number, serial).card().clone();
    let secret = sample::tls_key(other, 1);
    let tls_key = ProvenKey::prove(&secret, KeyUse::Tls, &card.node, &card.identity);
    Card { tls_key, ..card }.sign(&sample::key(number)).unwrap().encode()
}

#[test]
fn a_new_card_has_no_key_of_another_leaf() {
    let reason = "card_key_of_another_node";
    check(
        3,
        |_, commit| {
            let mut leaf = sample::leaf(0, 2);
            leaf.card = Some(with_tls_of(0, 2, 1));
            commit.path_leaf = Some(leaf);
        },
        reason,
    );
    let add = |other: usize| {
        move |group: &mut GroupView, commit: &mut CommitView| {
            group.leaves.pop();
            let card = Some(with_tls_of(2, 1, other));
            commit.added = vec![LeafView { card, ..sample::leaf(2, 1) }];
        }
    };
    check(3, add(1), reason);
    check(3, add(0), reason);
    check(3, add(2), "");
    // Its own former key is nobody else's.
    check(
        3,
        |_, commit| {
            let mut leaf = sample::leaf(0, 2);
            leaf.card = Some(with_tls_of(0, 2, 0));
            commit.path_leaf = Some(leaf);
        },
        "",
    );
}

#[test]
fn who_joins_sees_two_cards_with_one_key() {
    let mut group = sample::group(&sample::signed(sample::statement(3), &[0, 1, 2]));
    assert_reason(validate_view(&group), "");
    group.leaves[2].1.card = Some(with_tls_of(2, 1, 0));
    assert_reason(validate_view(&group), "card_key_of_another_node");
}

#[test]
fn every_leaf_and_every_parent_can_be_sealed_to() {
    let bad = |key: Vec<u8>| {
        // RFC 9420 §2.1.2: lengths below 64 take one byte, others two.
        let length = u16::try_from(key.len()).unwrap();
        let prefix = match u8::try_from(key.len()) {
            Ok(short) if short < 64 => vec![short],
            _ => (length | 0x4000).to_be_bytes().to_vec(),
        };
        let encryption_key = [prefix, key].concat();
        check(
            2,
            |_, commit| {
                commit.path_leaf = Some(LeafView { encryption_key, ..sample::leaf(0, 1) });
            },
            "encryption_key_weak",
        );
    };
    degenerate_x_wing().into_iter().chain(degenerate_x25519()).for_each(bad);
    let bad_parent = |key: Vec<u8>| {
        let good = SealingKey::derive(&Secret::new([1; 32])).unwrap().public().to_vec();
        check(2, |_, commit| commit.path_keys = vec![good.clone()], "");
        check(2, |_, commit| commit.path_keys = vec![good, key], "path_key_weak");
    };
    degenerate_x_wing().into_iter().chain(degenerate_x25519()).for_each(bad_parent);
    check(2, |group, _| group.ciphersuite = 1, "ciphersuite_unknown");
}

#[test]
fn a_statement_names_no_key_that_anybody_could_use() {
    for (weak, _) in degenerate_ed25519() {
        let newcomer = Party { identity: PublicKey(weak), ..sample::party(7) };
        let joins = |it: &mut Statement| it.parties.push(newcomer);
        check_next(joins, &[0, 1, 2], "identity_key_weak");
        let moves = |it: &mut Statement| {
            it.hub.hub = "ponte".parse().unwrap();
            it.hub.identity = PublicKey(weak);
            it.hub.term = 2;
            it.hub.first_sequence = crate::id::Sequence(0);
        };
        check_next(moves, &[0, 1, 2], "hub_key_weak");
        let mut first = sample::statement(2);
        first.hub.identity = PublicKey(weak);
        let group = sample::group(&sample::signed(first, &[0, 1]));
        assert_reason(validate_view(&group), "statement_not_founding");
    }
}

#[test]
fn the_hub_has_the_key_of_its_own_party_and_of_no_other() {
    let check = |hub: &str, key: usize, good: bool| {
        let mut statement = sample::statement(2);
        statement.hub.hub = hub.parse().unwrap();
        statement.hub.identity = sample::key(key).public();
        assert_eq!(statement.check().is_ok(), good, "{hub} {key}");
    };
    let party = node(0);
    check(party.as_str(), 0, true);
    check(party.as_str(), 1, false);
    check(party.as_str(), 9, false);
    check("relay", 0, false);
    check("relay", 9, true);
}
