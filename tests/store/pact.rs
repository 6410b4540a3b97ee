//! Rows of pacts.

use std::sync::Arc;

use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::pact::PactRow;

use crate::sample::lineage;

pub async fn put_and_replace(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number, equipe: &str| PactRow {
        lineage: lineage(number),
        equipe: equipe.to_owned(),
        sealed_proposal: b"proposal".to_vec(),
        hub_answer: String::new(),
        changed_at: Instant(2),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.pact(lineage(1)).await?, None);
    assert!(!tx.raise_pact(lineage(1)).await?);
    tx.put_pact(row(1, "b")).await?;
    tx.put_pact(row(2, "a")).await?;
    let accepted = PactRow {
        sealed_proposal: b"signed".to_vec(),
        hub_answer: "accepted".to_owned(),
        changed_at: Instant(5),
        ..row(1, "c")
    };
    tx.put_pact(accepted.clone()).await?;
    assert_eq!(tx.pact(lineage(1)).await?.as_ref(), Some(&accepted));
    assert!(tx.raise_pact(lineage(1)).await?);
    assert_eq!(tx.pacts().await?, [row(2, "a"), accepted]);
    tx.delete_pact(lineage(1)).await?;
    tx.delete_pact(lineage(1)).await?;
    assert_eq!(tx.pacts().await?, [row(2, "a")]);
    Ok(())
}
