//! Peers whom nobody here has called, and for whom two verified parties have signed.

use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::trust::possession::{KeyUse, ProvenKey};
use raccordo_core::trust::state::{TrustChange, TrustState};
use raccordo_node::app::status::status;
use raccordo_node::app::{peers, vouching};
use raccordo_node::store::peer::PeerRow;

use crate::bench::ADMIN;
use crate::many::{Many, id};

/// Member 3 of four has never called member 2.
async fn stranger() -> Many {
    let many = Many::founded(4, 4).await;
    let mut tx = many.node(3).store.write().await.unwrap();
    let row = tx.peer(&id(2)).await.unwrap().unwrap();
    tx.put_peer(PeerRow { state: TrustState::Introduced, ..row }).await.unwrap();
    tx.commit().await.unwrap();
    many
}

async fn shown(many: &Many) -> (&'static str, usize) {
    let peer = peers::show(many.node(3), &id(2)).await.unwrap();
    (peer.shown_state(), peer.vouched_by.len())
}

#[tokio::test]
async fn two_verified_signers_vouch_and_one_does_not() {
    let many = stranger().await;
    assert_eq!(shown(&many).await, ("vouched", 2));
    let suspend = TrustChange::Suspend;
    peers::change(many.node(3), ADMIN, &id(1), suspend, "test").await.unwrap();
    assert_eq!(shown(&many).await, ("introduced", 0));
}

#[tokio::test]
async fn whoever_is_vouched_for_never_counts_as_verified() {
    let mut many = stranger().await;
    let sending = status(many.node(3)).await.unwrap().equipes[0].sending.clone();
    assert_eq!(sending, format!("held: not verified here: {}", id(2)));
    let held = many.share(3, 1).await;
    let heard = many.share(2, 1).await;
    many.run().await;
    assert!(many.seen(3).await.contains(&heard[0]), "what it says is processed");
    assert!(!many.seen(0).await.contains(&held[0]), "a case left");
    let known = peers::show(many.node(3), &id(2)).await.unwrap();
    peers::verify(many.node(3), ADMIN, &id(2), &known.code).await.unwrap();
    many.run().await;
    assert!(many.seen(0).await.contains(&held[0]));
}

#[tokio::test]
async fn a_card_that_a_leaf_brought_is_introduced_with_its_vouchers() {
    let many = stranger().await;
    let (node, card) = (many.node(3), many.node(2).identity.card());
    let mut tx = node.store.write().await.unwrap();
    assert!(vouching::introduce(node, &mut *tx, &card).await.unwrap());
    let newest = tx.audit_newest().await.unwrap().unwrap().event;
    assert_eq!((newest.action.as_str(), newest.subject), ("trust.vouched", id(2).to_string()));
    // Of another identity nobody has signed anything.
    let other = IdentityKey::from_seed(&[9; 32]);
    let mut forged = card.card().clone();
    forged.identity = other.public();
    let prove = |seed: u8, key_use| {
        let secret = IdentityKey::from_seed(&[seed; 32]);
        ProvenKey::prove(&secret, key_use, &forged.node, &other.public())
    };
    (forged.tls_key, forged.mls_key) = (prove(10, KeyUse::Tls), prove(11, KeyUse::Mls));
    let forged = forged.sign(&other).unwrap();
    assert!(!vouching::introduce(node, &mut *tx, &forged).await.unwrap());
}
