//! Parties, statements, cards and group views for tests, without MLS.

use std::cell::RefCell;
use std::collections::BTreeMap;

use crate::id::{Digest, Epoch, LineageId, NodeId, Sequence};
use crate::sealing::SealingKey;
use crate::secret::Secret;
use crate::time::Instant;
use crate::trust::card::{Card, SignedCard};
use crate::trust::commit::{CommitView, GroupView, LeafView};
use crate::trust::keys::{IdentityKey, PublicKey};
use crate::trust::possession::{KeyUse, ProvenKey};
use crate::trust::statement::{HubTerm, Party, SignedStatement, Statement};

/// Node ids sort as their numbers do.
pub(crate) fn node(number: usize) -> NodeId {
    format!("node-{number:04}").parse().unwrap()
}

pub(crate) fn key(number: usize) -> IdentityKey {
    let mut seed = [1; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    IdentityKey::from_seed(&seed)
}

pub(crate) fn party(number: usize) -> Party {
    let identity = key(number).public();
    Party { node: node(number), identity, card_floor: 1, suspended_by: None, ratified: false }
}

/// A founding statement of the first `parties` nodes, chaired by the first.
pub(crate) fn statement(parties: usize) -> Statement {
    Statement {
        lineage: LineageId([3; 16]),
        version: 1,
        previous: Digest::ZERO,
        pact: Digest([4; 32]),
        parties: (0..parties).map(party).collect(),
        chair: node(0),
        hub: HubTerm {
            hub: "relay".parse().unwrap(),
            identity: key(5_000).public(),
            endpoint: "relay.example:7443".to_owned(),
            term: 1,
            first_sequence: Sequence(1),
            head_before: Digest::ZERO,
        },
        age_limit_ms: 1,
        rules_version: 1,
        equipe_name: "Sample".to_owned(),
        succeeds: None,
    }
}

/// The same statement as the next version.
pub(crate) fn next(before: &Statement) -> Statement {
    Statement {
        version: before.version + 1,
        previous: before.digest(),
        succeeds: None,
        ..before.clone()
    }
}

/// Signed by nodes of these numbers, whether they are parties or not.
pub(crate) fn signed(statement: Statement, signers: &[usize]) -> SignedStatement {
    let bytes = statement.canonical();
    let sign = |number: &usize| (node(*number), key(*number).sign(&bytes));
    SignedStatement::parse(&bytes, signers.iter().map(sign).collect()).unwrap()
}

/// The card of a node: each number and serial has keys of its own.
pub(crate) fn card(number: usize, serial: u64) -> SignedCard {
    card_of(&node(number), number, serial)
}

/// A card of any node with the keys of this number.
pub(crate) fn card_of(node: &NodeId, number: usize, serial: u64) -> SignedCard {
    made(node, number, serial, number)
}

/// The card of a node with another one's identity key.
pub(crate) fn card_by(number: usize, serial: u64, signer: usize) -> SignedCard {
    made(&node(number), number, serial, signer)
}

fn made(node: &NodeId, number: usize, serial: u64, signer: usize) -> SignedCard {
    let identity = key(signer);
    let proven =
        |secret: &IdentityKey, key_use| ProvenKey::prove(secret, key_use, node, &identity.public());
    let card = Card {
        node: node.clone(),
        name: format!("Node {number}"),
        ipa_code: None,
        identity: identity.public(),
        hub_endpoint: None,
        tls_key: proven(&tls_key(number, serial), KeyUse::Tls),
        mls_key: proven(&secret(8, number, serial), KeyUse::Mls),
        sealing_key: x_wing(seed(7, number, serial)),
        valid_from: Instant(0),
        valid_until: Instant(1),
        serial,
    };
    card.sign(&identity).unwrap()
}

pub(crate) fn tls_key(number: usize, serial: u64) -> IdentityKey {
    secret(6, number, serial)
}

fn secret(kind: u8, number: usize, serial: u64) -> IdentityKey {
    IdentityKey::from_seed(&seed(kind, number, serial))
}

fn seed(kind: u8, number: usize, serial: u64) -> [u8; 32] {
    let mut seed = [kind; 32];
    seed[..8].copy_from_slice(&(number as u64).to_be_bytes());
    seed[8..16].copy_from_slice(&serial.to_be_bytes());
    seed
}

fn mls_key(number: usize, serial: u64) -> PublicKey {
    secret(8, number, serial).public()
}

fn x_wing(seed: [u8; 32]) -> Vec<u8> {
    SealingKey::derive(&Secret::new(seed)).unwrap().public().to_vec()
}

/// An HPKE key of a leaf as the tree has it, of the suite of [`group`].
pub(crate) fn encryption_key(number: usize, serial: u64) -> Vec<u8> {
    [&[0x44, 0xc0], &x_wing(seed(9, number, serial))[..]].concat()
}

/// Of one number and serial always the same, and made once: it takes some milliseconds.
pub(crate) fn leaf(number: usize, serial: u64) -> LeafView {
    thread_local! {
        static LEAVES: RefCell<BTreeMap<(usize, u64), LeafView>> = const { RefCell::new(BTreeMap::new()) };
    }
    let made = || LeafView {
        node: Some(node(number)),
        signature_key: mls_key(number, serial).0.to_vec(),
        encryption_key: encryption_key(number, serial),
        card: Some(card(number, serial).encode()),
        extensions_exact: true,
        lifetime_unbounded: true,
    };
    LEAVES.with_borrow_mut(|leaves| leaves.entry((number, serial)).or_insert_with(made).clone())
}

/// A group in epoch 5 with a leaf for each unsuspended party, at its party's number.
pub(crate) fn group(statement: &SignedStatement) -> GroupView {
    let parties = statement.statement().parties.iter().enumerate();
    let free = parties.filter(|(_, party)| party.suspended_by.is_none());
    GroupView {
        group: statement.statement().group_id(),
        epoch: Epoch(5),
        ciphersuite: 0x004f,
        statement: Some(statement.encode()),
        context_exact: true,
        leaves: free.map(|(place, _)| (place as u32, leaf(place, 1))).collect(),
    }
}

/// An update of one's own path that changes nothing else.
pub(crate) fn commit(before: &GroupView, committer: usize) -> CommitView {
    CommitView {
        committer: committer as u32,
        epoch_after: before.epoch.next(),
        statement_after: before.statement.clone(),
        context_exact: true,
        added: Vec::new(),
        removed: Vec::new(),
        path_leaf: Some(leaf(committer, 1)),
        path_keys: Vec::new(),
        authenticated_data: Vec::new(),
        foreign_proposal: None,
    }
}
