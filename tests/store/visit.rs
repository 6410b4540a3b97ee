//! Rows of visits.

use std::sync::Arc;

use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::visit::VisitRow;

use crate::matching::found;
use crate::sample::{bytes, object};

fn operator(number: u32) -> anyhow::Result<OperatorId> {
    Ok(OperatorId::try_from(bytes(number).as_slice())?)
}

pub async fn written_and_replaced(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let first = VisitRow {
        operator: operator(1)?,
        known: Marks { objects: 1, matches: 2 },
        left_at: Instant(3),
        met: Marks { objects: 4, matches: 5 },
        seen_at: Instant(6),
    };
    let later = VisitRow {
        known: first.met,
        left_at: Instant(6),
        met: Marks { objects: 7, matches: 8 },
        seen_at: Instant(9),
        ..first
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.visit(operator(1)?).await?, None);
    for row in [first, later] {
        tx.put_visit(row).await?;
        assert_eq!(tx.visit(operator(1)?).await?, Some(row));
    }
    assert_eq!(tx.visit(operator(2)?).await?, None);
    Ok(())
}

pub async fn newest_positions(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.newest_marks().await?, Marks::default());
    tx.insert_objects(vec![object(1), object(2), object(3)]).await?;
    tx.insert_match(found(1)).await?;
    assert_eq!(tx.newest_marks().await?, Marks { objects: 3, matches: 1 });
    Ok(())
}
