//! Rows of whom a hub serves.

use std::sync::Arc;

use raccordo_core::time::Instant;
use raccordo_core::trust::keys::PublicKey;
use raccordo_node::store::Store;
use raccordo_node::store::served::{ConflictRow, ServedRow};

use crate::sample::{lineage, node};

fn served(of: u8, name: &str, key: u8, former: bool) -> ServedRow {
    let identity = PublicKey([key; 32]);
    ServedRow { lineage: lineage(of), node: node(name), identity, former }
}

pub async fn known_by_id_and_replaced(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let umbria = served(1, "umbria", 1, false);
    tx.replace_served(lineage(1), vec![umbria.clone(), served(1, "lazio", 2, true)]).await?;
    let elsewhere = served(2, "umbria", 1, true);
    tx.replace_served(lineage(2), vec![elsewhere.clone()]).await?;
    assert_eq!(tx.served(&node("umbria")).await?, [umbria, elsewhere.clone()]);
    assert_eq!(tx.served(&node("lazio")).await?, [served(1, "lazio", 2, true)]);
    assert_eq!(tx.served(&node("molise")).await?, []);
    tx.replace_served(lineage(1), vec![served(1, "molise", 3, false)]).await?;
    assert_eq!(tx.served(&node("umbria")).await?, [elsewhere]);
    assert_eq!(tx.served(&node("lazio")).await?, []);
    tx.replace_served(lineage(1), Vec::new()).await?;
    assert_eq!(tx.served(&node("molise")).await?, []);
    tx.commit().await?;
    Ok(())
}

pub async fn conflicts(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let conflict = |name: &str, by: &str, of: u8, at: i64| ConflictRow {
        node: node(name),
        claimed_by: node(by),
        lineage: lineage(of),
        at: Instant(at),
    };
    for (name, by, of, at) in [("umbria", "lazio", 1, 5), ("marche", "lazio", 1, 6)] {
        tx.put_identity_conflict(conflict(name, by, of, at)).await?;
    }
    tx.put_identity_conflict(conflict("umbria", "lazio", 2, 7)).await?;
    let all = [conflict("marche", "lazio", 1, 6), conflict("umbria", "lazio", 2, 7)];
    assert_eq!(tx.identity_conflicts().await?, all);
    tx.forget_identity_conflicts(Instant(7)).await?;
    assert_eq!(tx.identity_conflicts().await?, all[1..]);
    Ok(())
}
