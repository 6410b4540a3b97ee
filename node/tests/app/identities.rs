//! At one hub a node id stands for one identity key: what would give it another is refused, the
//! administrator hears of it, and a removed party has no rights but to hear that it is one.

use raccordo_core::crypto::Suite;
use raccordo_core::id::{Digest, Epoch, ItemId, NodeId};
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::statement::{Party, SignedStatement, Statement};
use raccordo_node::app::doctor::doctor;
use raccordo_node::app::fault::{Done, Fault};
use raccordo_node::app::hub::accept::{self, Decision};
use raccordo_node::app::hub::key_package_pool::{Deposit, deposit, fetch_tree};
use raccordo_node::app::hub::mailbox::post;
use raccordo_node::app::hub::offer::{Offer, WAITING, offer};
use raccordo_node::app::{changes, key_packages, pacts, peers, send};
use raccordo_node::store::served::ServedRow;

use crate::bench::ADMIN;
use crate::bench::place::Rows;
use crate::hubs::{HUBS, Hubs, REGIONS, id};
use crate::many::{self, Many};
use crate::membership::propose;

const TOSCANA: &str = REGIONS[0];
const UMBRIA: &str = REGIONS[1];
const LAZIO: &str = REGIONS[2];
const RELAY: &str = HUBS[0];
const PONTE: &str = HUBS[1];

fn reason<T>(answered: Done<T>) -> &'static str {
    answered.map_or_else(|fault: Fault| fault.reason, |_| "")
}

/// The seed of another key of who has this identity key.
fn seed_of(key: &IdentityKey, purpose: &str) -> [u8; 32] {
    Digest::of(format!("{purpose} of {}", key.public()).as_bytes()).0
}

/// The TLS key on the card of who has this identity key.
pub fn tls_key_of(key: &IdentityKey) -> IdentityKey {
    IdentityKey::from_seed(&seed_of(key, "TLS"))
}

/// A card of `name` with this identity key and others that go with it, else `like` another.
pub fn card_of(name: &str, like: &SignedCard, key: &IdentityKey) -> SignedCard {
    let mut card = like.card().clone();
    card.node = name.parse().unwrap();
    card.identity = key.public();
    let seed = |purpose: &str| seed_of(key, purpose);
    let prove = |purpose, key_use| {
        let secret = IdentityKey::from_seed(&seed(purpose));
        ProvenKey::prove(&secret, key_use, &card.node, &card.identity)
    };
    (card.tls_key, card.mls_key) = (prove("TLS", KeyUse::Tls), prove("MLS", KeyUse::Mls));
    let sealing = SealingKey::derive(&Secret::new(seed("sealing"))).unwrap();
    card.sealing_key = sealing.public().to_vec();
    card.sign(key).unwrap()
}

/// With which somebody takes the id of another node.
pub fn thief() -> IdentityKey {
    IdentityKey::from_seed(&[9; 32])
}

/// An équipe of Lazio and of somebody whose id is taken.
fn squatting(hubs: &Hubs, name: &str, known: &Statement) -> Offer {
    let lazio = &hubs.node(LAZIO).identity;
    let party = |node: NodeId, key: &IdentityKey| {
        let identity = key.public();
        Party { node, identity, card_floor: 1, suspended_by: None, ratified: false }
    };
    let squatted: NodeId = name.parse().unwrap();
    let mut parties = vec![party(id(LAZIO), &lazio.key), party(squatted.clone(), &thief())];
    parties.sort_by(|a, b| a.node.cmp(&b.node));
    let mut lineage = known.lineage;
    lineage.0[0] ^= 1;
    let body = Statement {
        lineage,
        parties,
        chair: id(LAZIO),
        equipe_name: "Altra".into(),
        ..known.clone()
    };
    let mut statement = SignedStatement::new(body).unwrap();
    statement.sign(None, &id(LAZIO), &lazio.key).unwrap();
    statement.sign(None, &squatted, &thief()).unwrap();
    let cards = vec![lazio.card(), card_of(name, &lazio.card(), &thief())];
    Offer { statement, earlier: Vec::new(), cards }
}

/// Messages of `doctor` about ids with two keys.
async fn conflicts(hubs: &Hubs, hub: &str) -> Vec<String> {
    let found = doctor(hubs.node(hub)).await.unwrap();
    let about = found.into_iter().filter(|finding| finding.code == "identity_conflict");
    about.map(|finding| finding.message).collect()
}

/// Whose ids are trusted on a connection, of those that somebody's TLS key proves.
async fn pinned(hubs: &Hubs, hub: &str, card: &SignedCard) -> Option<NodeId> {
    let pins = peers::trusted_pins(hubs.node(hub)).await.unwrap();
    pins.get(&card.card().tls_pin()).cloned()
}

#[tokio::test]
async fn a_known_id_is_not_taken_by_another_key() {
    let members = [TOSCANA, UMBRIA];
    let mut hubs = Hubs::of(&members).await;
    let known = changes::statement(&hubs.row(TOSCANA).await).unwrap().statement().clone();
    // A statement that gives the hub's id another key than the hub's is none.
    for name in [UMBRIA, TOSCANA] {
        for _ in 0..2 {
            let taken = offer(hubs.node(RELAY), &id(LAZIO), squatting(&hubs, name, &known)).await;
            assert_eq!(reason(taken), "identity_conflict", "{name}");
        }
    }
    let relay = hubs.node(RELAY);
    assert_eq!(relay.store.read().await.unwrap().all_offers().await.unwrap(), []);
    let told = conflicts(&hubs, RELAY).await;
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().any(|it| it.starts_with("lazio named umbria with another identity key")));
    let audited = hubs.audited(RELAY).await;
    let noted = audited.iter().filter(|action| *action == "hub.identity_conflict").count();
    assert_eq!(noted, 2, "once for an id and who claimed it");
    hubs.share(UMBRIA, 1).await;
    hubs.run().await;
    hubs.assert_agreement(&members, RELAY).await;
}

#[tokio::test]
async fn whose_id_a_name_is_is_decided_once() {
    let hubs = Hubs::of(&[TOSCANA, UMBRIA]).await;
    let known = changes::statement(&hubs.row(TOSCANA).await).unwrap().statement().clone();
    let relay = hubs.node(RELAY);
    // Nobody of that name is known; while it waits, nobody is bound by it.
    let offered = squatting(&hubs, "sicilia", &known);
    let squatter = offered.cards[1].clone();
    assert_eq!(offer(relay, &id(LAZIO), offered).await.unwrap(), WAITING);
    let sicilia = card_of("sicilia", &squatter, &IdentityKey::from_seed(&[7; 32]));
    let ours = sicilia.clone();
    peers::add(relay, ADMIN, ours.clone()).await.unwrap();
    // A card that nobody has compared does not stand in its way.
    accept::decide(relay, ADMIN, "Altra", Decision::Accept).await.unwrap();
    let code = peers::show(relay, &"sicilia".parse().unwrap()).await.unwrap().code;
    let verified = peers::verify(relay, ADMIN, &"sicilia".parse().unwrap(), &code).await;
    assert_eq!(reason(verified), "identity_conflict");
    let added = peers::add(relay, ADMIN, sicilia.clone()).await;
    assert_eq!(reason(added), "identity_conflict");
    // The administrator has found out whose it is.
    accept::decide(relay, ADMIN, "Altra", Decision::Refuse).await.unwrap();
    peers::verify(relay, ADMIN, &"sicilia".parse().unwrap(), &code).await.unwrap();
    let again = accept::decide(relay, ADMIN, "Altra", Decision::Accept).await;
    assert_eq!(reason(again), "identity_conflict");
}

#[tokio::test]
async fn a_key_proves_the_id_for_which_it_stands_alone() {
    let hubs = Hubs::of(&[TOSCANA, UMBRIA]).await;
    let relay = hubs.node(RELAY);
    let ponte = &hubs.node(PONTE).identity;
    let squatter = card_of(UMBRIA, &ponte.card(), &ponte.key);
    let umbria = hubs.node(UMBRIA).identity.card();
    let mut row = hubs.carried(RELAY).await;
    row.cards.push(squatter.encode());
    let mut tx = relay.store.write().await.unwrap();
    tx.update_carried(&row).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(pinned(&hubs, RELAY, &umbria).await, Some(id(UMBRIA)));
    assert_eq!(pinned(&hubs, RELAY, &squatter).await, None);
}

/// An administrator of the hub replaced its node, and the members know the one before.
#[tokio::test]
async fn a_commit_gives_no_id_a_second_key() {
    let mut many = Many::founded(2, 3).await;
    propose(&many, 0, &[0, 1, 2]).await;
    many.run().await;
    many.sign(1).await;
    many.sign(2).await;
    let relay = many.relay();
    let key = IdentityKey::from_seed(&[7; 32]);
    let other = card_of(many::id(2).as_str(), &many.node(2).identity.card(), &key);
    let mut tx = relay.store.write().await.unwrap();
    let known = tx.peer(&many::id(2)).await.unwrap().unwrap();
    let row = raccordo_node::store::peer::PeerRow { signed_card: other.encode(), ..known };
    tx.put_peer(row).await.unwrap();
    tx.commit().await.unwrap();
    // It is asked for key packages again and again: nobody is still.
    for _ in 0..6 {
        for member in 0..3 {
            many.turn(member).await.unwrap();
        }
    }
    assert_eq!(many.members(1).await.len(), 2);
    assert_eq!(many.alarms(0).await, ["entry_refused"]);
    let mut tx = many.relay().store.read().await.unwrap();
    let noted = tx.identity_conflicts().await.unwrap();
    assert_eq!(noted.len(), 1);
    assert_eq!((&noted[0].node, &noted[0].claimed_by), (&many::id(2), &many::id(0)));
    let lineage = many.row(0).await.lineage;
    let carried = tx.carried(lineage).await.unwrap().unwrap();
    let cursors = tx.cursors(carried.group).await.unwrap();
    assert_eq!(cursors.len(), 2);
    // The others go on.
    drop(tx);
    many.share(1, 1).await;
    many.turn(1).await.unwrap();
    many.turn(0).await.unwrap();
    assert_eq!(many.listed(0).await.len(), 1);
}

/// Key packages of a node for a hub, as it deposits them.
async fn deposits(many: &Many, member: usize) -> Vec<Deposit> {
    let hub = many.relay().identity.node.clone();
    let waiting = key_packages::to_deposit(many.node(member), &hub).await.unwrap();
    waiting.into_iter().map(|(_, deposit)| deposit).collect()
}

#[tokio::test]
async fn a_removed_party_has_no_rights_left() {
    let mut many = Many::proposed(Rows::Memory, 3, 3).await;
    many.sign(1).await;
    many.sign(2).await;
    many.post(2).await;
    let good = deposits(&many, 2).await;
    assert!(!good.is_empty());
    many.found().await;
    // The hub knows the third by the équipe alone.
    let relay = many.relay();
    let mut tx = relay.store.write().await.unwrap();
    let known = tx.peer(&many::id(2)).await.unwrap().unwrap();
    let state = raccordo_core::trust::state::TrustState::Introduced;
    tx.put_peer(raccordo_node::store::peer::PeerRow { state, ..known }).await.unwrap();
    tx.commit().await.unwrap();
    let row = many.row(2).await;
    let (group, third, first) = (row.group, many::id(2), many::id(0));
    let item = ItemId([1; 16]);
    deposit(relay, &third, good.clone()).await.unwrap();
    post(relay, &third, &first, item, "pact", vec![1]).await.unwrap();
    fetch_tree(relay, &third, group, None).await.unwrap();

    let removed = changes::Wanted::Remove(third.clone());
    changes::begin(many.node(0), ADMIN, many::EQUIPE, removed, "story").await.unwrap();
    many.run().await;
    many.sign(1).await;
    many.run().await;
    assert_eq!(many.members(0).await.len(), 2);
    let relay = many.relay();
    let known = relay.store.read().await.unwrap().served(&third).await.unwrap();
    assert!(matches!(known.as_slice(), [ServedRow { former: true, .. }]), "{known:?}");
    assert_eq!(reason(deposit(relay, &third, good).await), "not_a_party");
    let item = ItemId([2; 16]);
    assert_eq!(reason(post(relay, &third, &first, item, "pact", vec![1]).await), "not_a_party");
    assert_eq!(reason(post(relay, &first, &third, item, "pact", vec![1]).await), "no_such_peer");
    assert_eq!(reason(fetch_tree(relay, &third, group, None).await), "not_a_party");
    assert_eq!(reason(fetch_tree(relay, &third, group, Some(Epoch(1))).await), "not_a_party");
    let call = send::next_call(many.node(0), row.lineage).await.unwrap();
    assert!(call.is_none(), "all is said");
    let standing = pacts::list(many.node(2)).await.unwrap().remove(0);
    let statement = standing.proposal.statement.clone();
    let cards = standing.proposal.cards.values().cloned().collect();
    let own = Offer { statement, earlier: Vec::new(), cards };
    assert_eq!(reason(offer(relay, &third, own).await), "not_the_chair");
}

#[tokio::test]
async fn deposits_that_are_refused() {
    let many = Many::proposed(Rows::Memory, 2, 2).await;
    many.sign(1).await;
    let (relay, second) = (many.relay(), many::id(1));
    let good = deposits(&many, 1).await;
    assert_eq!(reason(deposit(relay, &second, Vec::new()).await), "bad_batch");
    let at = |days: u64| {
        let mut some = good.clone();
        let span = std::time::Duration::from_secs(days * 24 * 3600);
        some[0].expires_at = relay.clock.now().plus(span);
        some
    };
    for days in [86, 840, 1_000_000] {
        assert_eq!(reason(deposit(relay, &second, at(days)).await), "bad_key_package", "{days}");
    }
    let mut over = good.clone();
    over[0].expires_at = relay.clock.now();
    assert_eq!(reason(deposit(relay, &second, over).await), "bad_key_package");
    let pool = async |suite: Suite| {
        let mut tx = relay.store.read().await.unwrap();
        tx.pool(&second, suite.number(), relay.clock.now()).await.unwrap()
    };
    assert_eq!(pool(Suite::Classical).await, []);
    assert!(deposit(relay, &second, at(84)).await.unwrap() > 0);
    let longest = relay.clock.now().plus(std::time::Duration::from_secs(84 * 24 * 3600));
    let kept = [pool(Suite::Classical).await, pool(Suite::Hybrid).await].concat();
    assert!(kept.iter().all(|row| row.expires_at <= longest));
}
