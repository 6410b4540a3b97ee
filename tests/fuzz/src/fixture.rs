//! Nodes, cards, statements and a pact that are the same in every run.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use raccordo_core::alert::{Alert, example};
use raccordo_core::codes::CodeLists;
use raccordo_core::crypto::Suite;
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::object::Kind;
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::session::LeafKeys;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::pact::draft::Draft;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::statement::{SignedStatement, Statement};

/// The parties, and the hub.
pub const NODES: [&str; 4] = ["lazio", "toscana", "umbria", "relay"];
pub const LINEAGE: LineageId = LineageId([7; 16]);
/// 2026-05-04, in the pact's first year.
pub const NOW: Instant = Instant(1_777_852_800_000);

pub fn entropy(label: &str) -> SeededEntropy {
    SeededEntropy::labelled(label)
}

pub fn node(number: usize) -> NodeId {
    NODES[number].parse().unwrap()
}

fn seed(number: usize, purpose: u8) -> [u8; 32] {
    Digest::of(&[number as u8, purpose]).0
}

pub fn identity(number: usize) -> IdentityKey {
    IdentityKey::from_seed(&seed(number, 1))
}

fn mls_seed(number: usize) -> Secret<[u8; 32]> {
    Secret::new(seed(number, 2))
}

pub fn sealing(number: usize) -> SealingKey {
    SealingKey::derive(&Secret::new(seed(number, 3))).unwrap()
}

/// Keys and signatures take long, so each is made once.
static CARDS: LazyLock<[SignedCard; 4]> = LazyLock::new(|| [0, 1, 2, 3].map(made_card));
static LEAVES: LazyLock<[LeafKeys; 4]> =
    LazyLock::new(|| [0, 1, 2, 3].map(|n| LeafKeys::new(node(n), &mls_seed(n), card(n).encode())));
static ALL_CARDS: LazyLock<BTreeMap<NodeId, SignedCard>> =
    LazyLock::new(|| (0..NODES.len()).map(|number| (node(number), card(number))).collect());
static PACT: LazyLock<Pact> = LazyLock::new(|| Pact::parse(&pact_text()).unwrap());
static STATEMENT: LazyLock<Statement> =
    LazyLock::new(|| pact().first_statement(cards(), &card(3)).unwrap());
static FOUNDING: LazyLock<SignedStatement> = LazyLock::new(|| signed(&STATEMENT, 0..3));

pub fn card(number: usize) -> SignedCard {
    CARDS[number].clone()
}

fn made_card(number: usize) -> SignedCard {
    let (node, owner) = (node(number), identity(number).public());
    let proven = |secret: &[u8; 32], key_use| {
        ProvenKey::prove(&IdentityKey::from_seed(secret), key_use, &node, &owner)
    };
    let card = Card {
        name: format!("Regione {}", NODES[number]),
        ipa_code: Some("r_x".to_owned()),
        identity: owner,
        hub_endpoint: (number == 3).then(|| "relay.example:7443".to_owned()),
        tls_key: proven(&seed(number, 4), KeyUse::Tls),
        mls_key: proven(mls_seed(number).reveal(), KeyUse::Mls),
        sealing_key: sealing(number).public().to_vec(),
        valid_from: Instant(NOW.0 - 1_000),
        valid_until: Instant(NOW.0 + 1_000_000_000),
        serial: 1,
        node: node.clone(),
    };
    card.sign(&identity(number)).unwrap()
}

pub fn leaf_keys(number: usize) -> LeafKeys {
    LEAVES[number].clone()
}

pub fn cards() -> &'static BTreeMap<NodeId, SignedCard> {
    &ALL_CARDS
}

/// Of the first three, chaired by the second.
pub fn pact_text() -> String {
    let draft = Draft {
        equipe: "Centro".to_owned(),
        lineage: LINEAGE,
        chair: node(1),
        parties: (0..3).map(|number| (node(number), format!("Regione {number}"))).collect(),
        hub: node(3),
        suite: Suite::Classical,
        today: NOW.date(),
        example: true,
    };
    draft.toml()
}

pub fn pact() -> &'static Pact {
    &PACT
}

/// The founding statement of the pact, unsigned.
pub fn statement() -> &'static Statement {
    &STATEMENT
}

/// The same, signed by all parties.
pub fn founding() -> &'static SignedStatement {
    &FOUNDING
}

/// What follows a statement, before anything is changed in it.
pub fn next(before: &Statement) -> Statement {
    let (version, previous) = (before.version + 1, before.digest());
    Statement { version, previous, succeeds: None, ..before.clone() }
}

/// A statement signed by nodes of these numbers.
pub fn signed(statement: &Statement, signers: impl IntoIterator<Item = usize>) -> SignedStatement {
    let bytes = statement.canonical();
    let sign = |number| (node(number), identity(number).sign(&bytes));
    SignedStatement::parse(&bytes, signers.into_iter().map(sign).collect()).unwrap()
}

/// One valid alert of each kind.
pub fn alerts() -> Vec<Alert> {
    let lists = CodeLists::builtin();
    let make = |kind| example(kind, 2, &entropy("alerts"), NOW, &lists);
    Kind::ALL.into_iter().flat_map(make).collect()
}
