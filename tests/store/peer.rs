//! Rows of peers.

use std::sync::Arc;

use raccordo_core::id::Digest;
use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;
use raccordo_node::store::Store;
use raccordo_node::store::peer::{FormerCardRow, PeerRow};

use crate::sample::node;

pub async fn put_and_replace(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |name: &str, state| PeerRow {
        node: node(name),
        signed_card: b"card".to_vec(),
        card_serial: u64::from(u32::MAX) + 1,
        state,
        reason: "perché".to_owned(),
        changed_at: Instant(3),
        opened_key: None,
        challenged_at: Instant(0),
        refused: String::new(),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.peer(&node("toscana")).await?, None);
    for (name, state) in [("toscana", TrustState::Introduced), ("a-2", TrustState::Suspended)] {
        tx.put_peer(row(name, state)).await?;
    }
    tx.put_peer(row("a1", TrustState::Revoked)).await?;
    let verified = PeerRow {
        card_serial: 8,
        opened_key: Some(Digest([7; 32])),
        challenged_at: Instant(9),
        refused: "key_held: it is umbria's".to_owned(),
        ..row("toscana", TrustState::Verified)
    };
    tx.put_peer(verified.clone()).await?;
    tx.commit().await?;

    let mut tx = store.read().await?;
    assert_eq!(tx.peer(&node("toscana")).await?.as_ref(), Some(&verified));
    // A collation that skips hyphens would exchange the first two.
    let expected = [row("a-2", TrustState::Suspended), row("a1", TrustState::Revoked), verified];
    assert_eq!(tx.peers().await?, expected);
    Ok(())
}

pub async fn former_cards(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |name: &str, serial, until| FormerCardRow {
        node: node(name),
        serial,
        signed_card: format!("card {serial}").into_bytes(),
        accepted_until: Instant(until),
    };
    let mut tx = store.write().await?;
    for (name, serial) in [("toscana", 10), ("toscana", 9), ("a-2", 3), ("a1", 4)] {
        tx.put_former_card(row(name, serial, 7)).await?;
    }
    // The first stays: what was kept is what a fork is seen by.
    let other = FormerCardRow { signed_card: b"other".to_vec(), ..row("toscana", 9, 8) };
    tx.put_former_card(other).await?;
    tx.commit().await?;
    let expected = [row("a-2", 3, 7), row("a1", 4, 7), row("toscana", 9, 7), row("toscana", 10, 7)];
    assert_eq!(store.read().await?.former_cards().await?, expected);
    Ok(())
}
