//! Offers of équipes to a hub.

use std::time::Duration;

use raccordo_core::id::{Digest, LineageId, Sequence};
use raccordo_core::quota::Quota;
use raccordo_core::trust::statement::{HubTerm, Party, SignedStatement, Statement};
use raccordo_node::app::expire;
use raccordo_node::app::fault::Done;
use raccordo_node::app::hub::accept::{self, Decision, Equipe};
use raccordo_node::app::hub::offer::{self, Offer};
use raccordo_node::app::identity::Identity;
use raccordo_node::store::offer::OfferRow;

use super::{Crowd, assert_named, assert_refused};
use crate::bench::ADMIN;

/// The offer of an équipe that a peer has made up, with a node that nobody knows.
fn made_up(crowd: &Crowd, peer: usize, number: u8) -> Offer {
    let both = [&crowd.peer(peer).identity, &crowd.puppet().identity];
    let hub = crowd.relay().identity.card();
    let party = |identity: &Identity| Party {
        node: identity.node.clone(),
        identity: identity.key.public(),
        card_floor: 1,
        suspended_by: None,
        ratified: false,
    };
    let statement = Statement {
        lineage: LineageId(Digest::of(&[number, peer as u8]).0[..16].try_into().unwrap()),
        version: 1,
        previous: Digest::ZERO,
        pact: Digest([7; 32]),
        parties: both.map(party).to_vec(),
        chair: both[0].node.clone(),
        hub: HubTerm {
            hub: hub.card().node.clone(),
            identity: hub.card().identity,
            endpoint: hub.card().hub_endpoint.clone().unwrap(),
            term: 1,
            first_sequence: Sequence(1),
            head_before: Digest::ZERO,
        },
        age_limit_ms: 1,
        rules_version: 1,
        equipe_name: format!("made up {number} by {peer}"),
        succeeds: None,
    };
    let mut statement = SignedStatement::new(statement).unwrap();
    for identity in both {
        statement.sign(None, &identity.node, &identity.key).unwrap();
    }
    Offer { statement, earlier: Vec::new(), cards: both.map(Identity::card).to_vec() }
}

async fn offer_one(crowd: &Crowd, peer: usize, number: u8) -> Done<String> {
    offer::offer(crowd.relay(), crowd.id(peer), made_up(crowd, peer, number)).await
}

async fn count(crowd: &Crowd) -> usize {
    accept::list(crowd.relay()).await.unwrap().len()
}

pub async fn too_large(quota: Quota) {
    let crowd = Crowd::of(1).await;
    let good = made_up(&crowd, 0, 0);
    let each = good.cards[0].encode().len();
    let cards = vec![good.cards[0].clone(); quota.count() / each + 1];
    let large = Offer { cards, ..good };
    assert_refused(offer::offer(crowd.relay(), crowd.id(0), large).await, quota);
    assert_eq!(count(&crowd).await, 0);
    assert_named(crowd.relay(), crowd.id(0), quota).await;
}

/// An offer of so many bytes that lies at the hub.
async fn put(crowd: &Crowd, peer: usize, number: u8, bytes: u64) {
    let mut tx = crowd.relay().store.write().await.unwrap();
    tx.put_offer(OfferRow {
        lineage: LineageId([number; 16]),
        digest: Digest([number; 32]),
        name: format!("large {number}"),
        state: "refused".into(),
        offered_by: crowd.id(peer).clone(),
        offered_at: crowd.relay().clock.now(),
        statement: vec![0; bytes as usize],
        earlier: Vec::new(),
        cards: Vec::new(),
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
}

pub async fn too_many_bytes_of_one(quota: Quota) {
    let crowd = Crowd::of(2).await;
    put(&crowd, 0, 1, quota.number() / 2).await;
    assert_eq!(offer_one(&crowd, 0, 0).await.unwrap(), "waiting");
    put(&crowd, 0, 2, quota.number() / 2).await;
    assert_refused(offer_one(&crowd, 0, 1).await, quota);
    assert_named(crowd.relay(), crowd.id(0), quota).await;
    assert_eq!(offer_one(&crowd, 1, 0).await.unwrap(), "waiting");
}

pub async fn too_many_bytes_of_all(quota: Quota) {
    let each = Quota::OfferBytesOfPeer.number();
    let peers = quota.count() / each as usize;
    let crowd = Crowd::of(peers + 1).await;
    for peer in 0..peers {
        put(&crowd, peer, peer as u8, each).await;
    }
    assert_refused(offer_one(&crowd, peers, 0).await, quota);
    assert_named(crowd.relay(), crowd.id(peers), quota).await;
}

pub async fn too_many_of_one(quota: Quota) {
    let crowd = Crowd::of(2).await;
    let most = quota.count() as u8;
    for number in 0..most {
        assert_eq!(offer_one(&crowd, 0, number).await.unwrap(), "waiting");
    }
    assert_refused(offer_one(&crowd, 0, most).await, quota);
    assert_named(crowd.relay(), crowd.id(0), quota).await;
    // A repetition is no further offer, and another peer has room of its own.
    assert_eq!(offer_one(&crowd, 0, 0).await.unwrap(), "waiting");
    assert_eq!(offer_one(&crowd, 1, 0).await.unwrap(), "waiting");
    // What is refused still counts, what is accepted does not.
    let decide = async |number: u8, decision| {
        let name = format!("made up {number} by 0");
        accept::decide(crowd.relay(), ADMIN, &name, decision).await.unwrap();
    };
    decide(0, Decision::Refuse).await;
    assert_refused(offer_one(&crowd, 0, most).await, quota);
    decide(1, Decision::Accept).await;
    assert_eq!(offer_one(&crowd, 0, most).await.unwrap(), "waiting");
}

pub async fn too_many_of_all(quota: Quota) {
    let each = Quota::OffersOfPeer.count();
    let crowd = Crowd::of(quota.count() / each + 1).await;
    for place in 0..quota.count() {
        offer_one(&crowd, place / each, (place % each) as u8).await.unwrap();
    }
    let last = quota.count() / each;
    assert_refused(offer_one(&crowd, last, 0).await, quota);
    assert_eq!(count(&crowd).await, quota.count());
}

pub async fn too_old(quota: Quota) {
    let crowd = Crowd::of(1).await;
    for number in 0..3 {
        offer_one(&crowd, 0, number).await.unwrap();
    }
    let decide = async |number: u8, decision| {
        let name = format!("made up {number} by 0");
        accept::decide(crowd.relay(), ADMIN, &name, decision).await.unwrap();
    };
    decide(0, Decision::Accept).await;
    decide(1, Decision::Refuse).await;
    crowd.bench.pass(quota.span());
    expire::expire(crowd.relay()).await.unwrap();
    assert_eq!(count(&crowd).await, 3);
    crowd.bench.pass(Duration::from_millis(1));
    expire::expire(crowd.relay()).await.unwrap();
    let left = accept::list(crowd.relay()).await.unwrap();
    assert_eq!(left.iter().map(Equipe::name).collect::<Vec<_>>(), ["made up 0 by 0"]);
}
