//! Statements that follow the one in force, signed by whom the bytes say, before the validator:
//! whatever they hold, no minority takes a party out.

use std::collections::BTreeSet;

use raccordo_core::id::NodeId;
use raccordo_core::trust::commit::{CommitView, GroupView, LeafView};
use raccordo_core::trust::statement::{SignedStatement, Statement};
use raccordo_core::trust::validator::{validate, validate_founding, validate_step, validate_view};

use super::{choice, fixture};

/// A byte whose first four bits say who signs, then the statement's bytes.
pub fn run(data: &[u8]) -> bool {
    let Some((signers, bytes)) = choice(data) else { return false };
    let Ok(statement) = Statement::parse(bytes) else { return false };
    assert_eq!(statement.canonical(), bytes);
    let signers: Vec<usize> = (0..4).filter(|bit| signers >> bit & 1 == 1).collect();
    let new = fixture::signed(&statement, signers.iter().copied());
    assert_eq!(SignedStatement::decode(&new.encode()).as_ref(), Ok(&new));
    let (before, old) = (fixture::statement(), fixture::founding());
    let stepped = validate_step(old, &new);
    let signed_by: BTreeSet<NodeId> = signers.into_iter().map(fixture::node).collect();
    if let Ok(change) = stepped.as_ref() {
        let missing = change.missing(before, &statement, &signed_by);
        let signed = change.is_signed(before, &statement, &signed_by);
        assert_eq!(signed, missing.is_empty(), "{change:?} lacks {missing:?}");
        if signed {
            by_no_minority(before, &statement, &signed_by);
        }
    }
    views(old, &new);
    stepped.is_ok()
}

/// Written down apart from the validator, in other words.
fn by_no_minority(before: &Statement, after: &Statement, signers: &BTreeSet<NodeId>) {
    let may = |statement: &Statement| -> BTreeSet<NodeId> {
        statement.unsuspended().map(|party| party.node.clone()).collect()
    };
    let (old, new) = (may(before), may(after));
    let gone: BTreeSet<_> = old.difference(&new).cloned().collect();
    if gone.is_empty() {
        return;
    }
    let parties = before.parties.iter().filter(|party| signers.contains(&party.node)).count();
    let majority = parties * 2 > before.parties.len();
    let leaves = gone == *signers && gone.len() == 1;
    // One party may suspend one other, and nothing else with it.
    let suspends = gone.len() == 1
        && gone.iter().all(|node| {
            let party = after.party(node);
            party.is_some_and(|party| {
                party.suspended_by.as_ref().is_some_and(|by| signers.contains(by))
            })
        });
    assert!(majority || leaves || suspends, "{signers:?} took {gone:?} out");
}

/// The same statements in a group and in a commit, as members and hub see them.
fn views(old: &SignedStatement, new: &SignedStatement) {
    let leaf = |number: usize| {
        let keys = fixture::leaf_keys(number);
        LeafView {
            node: Some(keys.node.clone()),
            signature_key: keys.public().to_vec(),
            encryption_key: vec![number as u8; 4],
            card: Some(keys.card.clone()),
            extensions_exact: true,
            lifetime_unbounded: true,
        }
    };
    let group = |signed: &SignedStatement, epoch: u64, leaves: &[usize]| GroupView {
        group: signed.statement().group_id(),
        epoch: raccordo_core::id::Epoch(epoch),
        ciphersuite: 3,
        statement: Some(signed.encode()),
        context_exact: true,
        leaves: leaves.iter().enumerate().map(|(at, who)| (at as u32, leaf(*who))).collect(),
    };
    let _ = validate_view(&group(new, 5, &[0, 1, 2]));
    let _ = validate_founding(&group(new, 0, &[1]));
    let before = group(old, 5, &[0, 1, 2]);
    for removed in [Vec::new(), vec![0], vec![2]] {
        let commit = CommitView {
            committer: 1,
            epoch_after: before.epoch.next(),
            statement_after: Some(new.encode()),
            context_exact: true,
            added: Vec::new(),
            removed: removed.clone(),
            path_leaf: Some(leaf(1)),
            path_keys: Vec::new(),
            authenticated_data: Vec::new(),
            foreign_proposal: None,
        };
        if validate(&before, &commit).is_ok() {
            let signers = new.signatures().keys().cloned().collect();
            by_no_minority(old.statement(), new.statement(), &signers);
        }
    }
}

pub fn examples() -> Vec<Vec<u8>> {
    let before = fixture::statement();
    let with =
        |signers: u8, statement: &Statement| [&[signers], &statement.canonical()[..]].concat();
    let next = fixture::next(before);
    let mut left = next.clone();
    left.parties.pop();
    let mut suspended = next.clone();
    suspended.parties[2].suspended_by = Some(fixture::node(0));
    let mut floor = next.clone();
    floor.parties[0].card_floor = 2;
    vec![with(7, &next), with(4, &left), with(3, &left), with(1, &suspended), with(7, &floor)]
}
