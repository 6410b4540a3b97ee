//! Rows of peers.

use std::sync::Arc;

use raccordo_core::time::Instant;
use raccordo_core::trust::state::TrustState;
use raccordo_node::store::Store;
use raccordo_node::store::peer::PeerRow;

use crate::sample::node;

pub async fn put_and_replace(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |name: &str, state| PeerRow {
        node: node(name),
        signed_card: b"card".to_vec(),
        card_serial: u64::from(u32::MAX) + 1,
        state,
        reason: "perché".to_owned(),
        changed_at: Instant(3),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.peer(&node("toscana")).await?, None);
    for (name, state) in [("toscana", TrustState::Introduced), ("a-2", TrustState::Suspended)] {
        tx.put_peer(row(name, state)).await?;
    }
    tx.put_peer(row("a1", TrustState::Revoked)).await?;
    let verified = PeerRow { card_serial: 8, ..row("toscana", TrustState::Verified) };
    tx.put_peer(verified.clone()).await?;
    tx.commit().await?;

    let mut tx = store.read().await?;
    assert_eq!(tx.peer(&node("toscana")).await?.as_ref(), Some(&verified));
    // A collation that skips hyphens would exchange the first two.
    let expected = [row("a-2", TrustState::Suspended), row("a1", TrustState::Revoked), verified];
    assert_eq!(tx.peers().await?, expected);
    Ok(())
}
