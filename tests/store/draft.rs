//! Rows of drafts.

use std::sync::Arc;

use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::draft::DraftRow;

use crate::sample::bytes;

fn row(number: u32, kind: &str, sealed: &[u8], at: i64) -> anyhow::Result<DraftRow> {
    Ok(DraftRow {
        operator: OperatorId::try_from(bytes(number).as_slice())?,
        kind: kind.to_owned(),
        sealed: sealed.to_vec(),
        changed_at: Instant(at),
    })
}

pub async fn kept_replaced_and_gone(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (anna, ugo) = (row(1, "case", b"a", 5)?, row(2, "case", b"b", 6)?);
    let mut tx = store.write().await?;
    assert_eq!(tx.draft(anna.operator, "case").await?, None);
    for row in [anna.clone(), ugo.clone(), row(1, "company", b"c", 7)?, row(1, "case", b"d", 8)?] {
        tx.put_draft(row).await?;
    }
    assert_eq!(tx.draft(anna.operator, "case").await?, Some(row(1, "case", b"d", 8)?));
    tx.delete_drafts_before(Instant(7)).await?;
    assert_eq!(tx.draft(ugo.operator, "case").await?, None);
    tx.delete_draft(anna.operator, "case").await?;
    tx.delete_draft(anna.operator, "case").await?;
    assert_eq!(tx.draft(anna.operator, "case").await?, None);
    assert!(tx.draft(anna.operator, "company").await?.is_some());
    Ok(())
}
