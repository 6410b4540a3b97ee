//! Cards that claim a key of another node: refused wherever they come from, and told.

use raccordo_core::crypto::Suite;
use raccordo_core::id::{Digest, NodeId};
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::trust::card::{Card, CardError, SignedCard};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::hub::mailbox;
use raccordo_node::app::hub::offer::{Offer, offer};
use raccordo_node::app::rotate::{Order, rotate};
use raccordo_node::app::sealing_proof::{self, ANSWER_KIND, CHALLENGE_KIND};
use raccordo_node::app::successor::{Taken, take};
use raccordo_node::app::{mail, peers};
use raccordo_node::store::peer::PeerRow;

use crate::bench::{ADMIN, Bench, Relay, Rows, Toscana, Umbria, Who};

fn secret(label: &str) -> IdentityKey {
    IdentityKey::from_seed(&Digest::of(label.as_bytes()).0)
}

/// The TLS key of every node of the bench is of its name.
fn tls_key(who: Who) -> IdentityKey {
    secret(who.id().as_str())
}

fn own_sealing_key(label: &str) -> Vec<u8> {
    SealingKey::derive(&Secret::new(Digest::of(label.as_bytes()).0)).unwrap().public().to_vec()
}

/// A node that is made for the story, with keys of its own; `bend` changes the card.
fn mallory(bench: &Bench, bend: impl FnOnce(&mut Card)) -> SignedCard {
    let node: NodeId = "mallory".parse().unwrap();
    let identity = secret("mallory, identity");
    let proven =
        |label, key_use| ProvenKey::prove(&secret(label), key_use, &node, &identity.public());
    let mut card = Card {
        tls_key: proven("mallory, TLS", KeyUse::Tls),
        mls_key: proven("mallory, MLS", KeyUse::Mls),
        sealing_key: own_sealing_key("mallory, sealing"),
        identity: identity.public(),
        hub_endpoint: None,
        node: node.clone(),
        ..bench.node(Umbria).identity.card().card().clone()
    };
    bend(&mut card);
    card.sign(&identity).unwrap()
}

/// Its TLS key is this one: whoever makes the card has the key.
fn with_tls(key: &IdentityKey) -> impl FnOnce(&mut Card) {
    |card| card.tls_key = ProvenKey::prove(key, KeyUse::Tls, &card.node, &card.identity)
}

async fn audited(bench: &Bench, who: Who, action: &str) -> usize {
    let records = bench.node(who).store.read().await.unwrap().audit_after(0, 10_000).await;
    records.unwrap().iter().filter(|record| record.event.action == action).count()
}

async fn findings(bench: &Bench, who: Who) -> Vec<String> {
    let found = doctor(bench.node(who)).await.unwrap();
    found.into_iter().map(|finding| finding.code).collect()
}

async fn row(bench: &Bench, at: Who, of: Who) -> PeerRow {
    bench.node(at).store.read().await.unwrap().peer(&of.id()).await.unwrap().unwrap()
}

/// Umbria's pin led to whoever claimed Umbria's key, and Umbria's connections were taken for
/// an interception.
#[tokio::test]
async fn a_card_with_another_node_s_key_is_not_added() {
    let bench = Bench::acquainted(Rows::Memory).await;
    let toscana = bench.node(Toscana);
    let pins = peers::trusted_pins(toscana).await.unwrap();
    let refused = async |card: SignedCard, holder: Who, words: &str| {
        let fault = peers::add(toscana, ADMIN, card).await.unwrap_err();
        assert_eq!(fault.reason, "key_held");
        assert!(fault.message.contains(words), "{}", fault.message);
        assert!(fault.message.contains(holder.id().as_str()), "{}", fault.message);
    };
    refused(mallory(&bench, with_tls(&tls_key(Umbria))), Umbria, "TLS key").await;
    refused(mallory(&bench, with_tls(&tls_key(Toscana))), Toscana, "TLS key").await;
    let as_mls = |card: &mut Card| {
        let key = tls_key(Umbria);
        card.mls_key = ProvenKey::prove(&key, KeyUse::Mls, &card.node, &card.identity);
    };
    refused(mallory(&bench, as_mls), Umbria, "MLS key").await;
    let own = toscana.identity.card().card().sealing_key.clone();
    refused(mallory(&bench, |card| card.sealing_key = own), Toscana, "sealing key").await;
    assert_eq!(audited(&bench, Toscana, "trust.card_refused").await, 4);
    assert_eq!(peers::trusted_pins(toscana).await.unwrap(), pins);
    peers::add(toscana, ADMIN, mallory(&bench, |_| {})).await.unwrap();
}

/// A verified peer turns bad: its next card claims another one's key.
#[tokio::test]
async fn a_new_card_with_another_node_s_key_is_not_followed_and_is_told_once() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    bench.run().await;
    let umbria = bench.node(Umbria);
    let before = umbria.identity.card();
    let mut card = Card { serial: 2, ..before.card().clone() };
    with_tls(&tls_key(Relay))(&mut card);
    let card = card.sign(&umbria.identity.key).unwrap();
    let toscana = bench.node(Toscana);
    for _ in 0..3 {
        let mut tx = toscana.store.write().await.unwrap();
        let taken = take(toscana, &mut *tx, &card).await.unwrap();
        assert!(matches!(taken, Taken::Refused(CardError::KeyHeld(_))), "{taken:?}");
        tx.commit().await.unwrap();
    }
    assert_eq!(row(&bench, Toscana, Umbria).await.signed_card, before.encode());
    assert_eq!(audited(&bench, Toscana, "trust.successor_refused").await, 1);
    assert!(findings(&bench, Toscana).await.contains(&"peer_card_refused".to_owned()));
    let pins = peers::trusted_pins(toscana).await.unwrap();
    let relay = bench.node(Relay).identity.card().card().tls_pin();
    assert_eq!(pins.get(&relay), Some(&Relay.id()));
    // The hub neither, from the hands of the peer itself.
    let item = raccordo_core::id::ItemId([1; 16]);
    let (from, to) = (Umbria.id(), Toscana.id());
    let post = mailbox::post(bench.node(Relay), &from, &to, item, "card", card.encode());
    assert_eq!(post.await.unwrap_err().reason, "key_held");
    // A good card ends it.
    let order = Order { serial: Some(3), name: Some("Umbria".into()), ..Order::default() };
    rotate(bench.node(Umbria), ADMIN, order).await.unwrap();
    bench.run().await;
    assert_eq!(row(&bench, Toscana, Umbria).await.card_serial, 3);
    assert!(!findings(&bench, Toscana).await.contains(&"peer_card_refused".to_owned()));
}

/// Some were verified before the hub was, at which they read their mail: those wait for it.
async fn challenge_all(bench: &Bench) {
    for who in [Toscana, Umbria] {
        sealing_proof::challenge_due(bench.node(who)).await.unwrap();
    }
}

/// A copy of a public key keeps nobody out: whoever opens what is sealed to it has it.
#[tokio::test]
async fn a_sealing_key_is_whose_challenge_is_answered() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    let toscana = bench.node(Toscana);
    let copied = bench.node(Umbria).identity.card().card().sealing_key.clone();
    challenge_all(&bench).await;
    // Before anybody has answered, the copy is taken like the original.
    let copy = mallory(&bench, |card| card.sealing_key = copied.clone());
    let added = peers::add(toscana, ADMIN, copy.clone()).await.unwrap();
    peers::verify(toscana, ADMIN, &added.row.node, &added.code).await.unwrap();
    assert_eq!(row(&bench, Toscana, Umbria).await.opened_key, None);
    // No node of that name is there to read it.
    let lost = mail::waiting(toscana, &Relay.id()).await.unwrap();
    for post in lost.iter().filter(|post| post.recipient == copy.card().node) {
        assert_eq!(post.kind, CHALLENGE_KIND);
        mail::settled(toscana, post.item).await.unwrap();
    }
    bench.run().await;
    let known = row(&bench, Toscana, Umbria).await;
    let digest = bench.node(Umbria).identity.card().card().sealing_key_digest();
    assert_eq!(known.opened_key, Some(digest));
    assert_eq!(audited(&bench, Toscana, "trust.sealing_key_proven").await, 1);
    assert_eq!(audited(&bench, Toscana, "trust.key_copied").await, 1);
    assert!(findings(&bench, Toscana).await.contains(&"sealing_key_copied".to_owned()));
    assert!(row(&bench, Umbria, Toscana).await.opened_key.is_some());
    // From now on the key is Umbria's here.
    let other = secret("other");
    let card = copy.card().clone();
    let node: NodeId = "other".parse().unwrap();
    let proven = |label, key_use| ProvenKey::prove(&secret(label), key_use, &node, &other.public());
    let card = Card {
        tls_key: proven("other, TLS", KeyUse::Tls),
        mls_key: proven("other, MLS", KeyUse::Mls),
        identity: other.public(),
        node: node.clone(),
        ..card
    };
    let card = card.sign(&other).unwrap();
    let fault = peers::add(bench.node(Toscana), ADMIN, card).await.unwrap_err();
    assert_eq!(fault.reason, "key_held");
    assert!(fault.message.contains("sealing key"), "{}", fault.message);
}

/// With a new sealing key a peer is asked again; who only changes its name is not.
#[tokio::test]
async fn a_rotated_key_is_challenged_and_a_kept_one_stays_proven() {
    let mut bench = Bench::acquainted(Rows::Memory).await;
    challenge_all(&bench).await;
    bench.run().await;
    let proven = row(&bench, Toscana, Umbria).await.opened_key;
    assert!(proven.is_some());
    let named = Order { name: Some("Umbria".into()), ..Order::default() };
    rotate(bench.node(Umbria), ADMIN, named).await.unwrap();
    bench.run().await;
    assert_eq!(row(&bench, Toscana, Umbria).await.opened_key, proven);
    let tls = raccordo_node::app::init::NewTls {
        signing: secret("umbria 2"),
        key: b"2".to_vec(),
        certificate: b"2".to_vec(),
    };
    rotate(bench.node(Umbria), ADMIN, Order { tls: Some(tls), ..Order::default() }).await.unwrap();
    bench.run().await;
    let now = row(&bench, Toscana, Umbria).await;
    let digest = bench.node(Umbria).identity.card().card().sealing_key_digest();
    assert_eq!((now.card_serial, now.opened_key), (3, Some(digest)));
}

/// What is lost is asked for again after a day, and told after two.
#[tokio::test]
async fn a_challenge_that_is_lost_is_repeated() {
    const DAY: std::time::Duration = std::time::Duration::from_secs(24 * 3600);
    let mut bench = Bench::acquainted(Rows::Memory).await;
    challenge_all(&bench).await;
    let lose = async |bench: &Bench| {
        for who in [Toscana, Umbria] {
            for post in mail::waiting(bench.node(who), &Relay.id()).await.unwrap() {
                mail::settled(bench.node(who), post.item).await.unwrap();
            }
        }
    };
    lose(&bench).await;
    sealing_proof::challenge_due(bench.node(Toscana)).await.unwrap();
    assert!(mail::waiting(bench.node(Toscana), &Relay.id()).await.unwrap().is_empty());
    bench.pass(DAY * 2);
    assert!(not_proven(&bench, Umbria).await);
    sealing_proof::challenge_due(bench.node(Toscana)).await.unwrap();
    bench.run().await;
    assert!(row(&bench, Toscana, Umbria).await.opened_key.is_some());
    // Umbria was asked by Toscana, and asked back at once.
    assert!(row(&bench, Umbria, Toscana).await.opened_key.is_some());
    assert!(!not_proven(&bench, Umbria).await);
}

/// Whether Toscana's administrator is told so.
async fn not_proven(bench: &Bench, of: Who) -> bool {
    let found = doctor(bench.node(Toscana)).await.unwrap();
    let told = |code: &str, message: &str| {
        code == "sealing_key_not_proven" && message.starts_with(of.id().as_str())
    };
    found.iter().any(|finding| told(&finding.code, &finding.message))
}

/// Whatever a peer or a hub posts as challenge or answer, nothing of it counts.
#[tokio::test]
async fn forged_challenges_and_answers_are_passed() {
    let bench = Bench::acquainted(Rows::Memory).await;
    challenge_all(&bench).await;
    let toscana = bench.node(Toscana);
    let (relay, umbria) = (Relay.id(), Umbria.id());
    let waiting = mail::waiting(toscana, &relay).await.unwrap().len();
    let mut tx = toscana.store.write().await.unwrap();
    for letter in [&[][..], &[7; 1168], &[7; 4000]] {
        sealing_proof::answer(toscana, &mut *tx, &relay, &umbria, letter).await.unwrap();
        sealing_proof::answered(toscana, &mut *tx, &umbria, letter).await.unwrap();
    }
    let stranger = "nobody".parse().unwrap();
    sealing_proof::answered(toscana, &mut *tx, &stranger, &[7; 32]).await.unwrap();
    sealing_proof::answered(toscana, &mut *tx, &umbria, &[7; 32]).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(mail::waiting(toscana, &relay).await.unwrap().len(), waiting);
    assert_eq!(row(&bench, Toscana, Umbria).await.opened_key, None);
    // However often one is challenged, one answer waits.
    let letters = mail::waiting(bench.node(Umbria), &relay).await.unwrap();
    let letter = letters.iter().find(|post| post.recipient == Toscana.id()).unwrap();
    for _ in 0..3 {
        let mut tx = toscana.store.write().await.unwrap();
        sealing_proof::answer(toscana, &mut *tx, &relay, &umbria, &letter.payload).await.unwrap();
        tx.commit().await.unwrap();
    }
    let answers = mail::waiting(toscana, &relay).await.unwrap();
    assert_eq!(answers.iter().filter(|post| post.kind == ANSWER_KIND).count(), 1);
}

/// A chair's offer cannot bring a key of somebody whom the hub serves.
#[tokio::test]
async fn an_offer_with_a_key_of_another_node_is_refused() {
    let bench = Bench::agreed(Rows::Memory, Suite::Classical).await;
    let relay = bench.node(Relay);
    let known = relay.store.read().await.unwrap().all_offers().await.unwrap().remove(0);
    let statement = SignedStatement::decode(&known.statement).unwrap();
    let toscana = bench.node(Toscana);
    let mut card = Card { serial: 2, ..toscana.identity.card().card().clone() };
    with_tls(&tls_key(Umbria))(&mut card);
    let stolen = card.sign(&toscana.identity.key).unwrap();
    let cards = vec![stolen, bench.node(Umbria).identity.card()];
    let chair = Toscana.id();
    let offered = offer(relay, &chair, Offer { statement, earlier: Vec::new(), cards });
    assert_eq!(offered.await.unwrap_err().reason, "key_held");
}
