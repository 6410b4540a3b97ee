//! Rows of what was received.

use std::sync::Arc;

use raccordo_core::id::Sequence;
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::inbox::{ChunkRow, SetAsideRow, WholeRow};
use raccordo_node::store::object::{ObjectReports, ObjectRow};

use crate::sample::{envelope_id, lineage, node, object, object_id};

pub async fn seen_once(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let (one, two) = (node("one"), node("two"));
    let id = envelope_id(1);
    let mut tx = store.write().await?;
    assert!(tx.see_envelope(lineage(1), &one, id, Instant(10)).await?);
    assert!(!tx.see_envelope(lineage(1), &one, id, Instant(99)).await?);
    assert!(tx.see_envelope(lineage(1), &two, id, Instant(11)).await?);
    assert!(tx.see_envelope(lineage(2), &one, id, Instant(10)).await?);
    assert!(tx.see_envelope(lineage(1), &one, envelope_id(2), Instant(10)).await?);
    tx.forget_seen(Instant(10)).await?;
    assert!(tx.see_envelope(lineage(1), &one, id, Instant(10)).await?);
    assert!(!tx.see_envelope(lineage(1), &two, id, Instant(10)).await?);
    Ok(())
}

pub async fn set_aside_once(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |sequence, envelope| SetAsideRow {
        lineage: lineage(1),
        sequence: Sequence(sequence),
        envelope,
        sender: node("lazio"),
        reason: "malformed".to_owned(),
        at: Instant(3),
    };
    let mut tx = store.write().await?;
    let rows = [
        row(4, None),
        row(4, Some(envelope_id(1))),
        row(4, Some(envelope_id(2))),
        row(7, None),
        row(8, Some(envelope_id(1))),
    ];
    for row in rows.iter().rev() {
        tx.set_aside(row.clone()).await?;
        tx.set_aside(SetAsideRow { reason: "other".to_owned(), ..row.clone() }).await?;
    }
    tx.set_aside(SetAsideRow { lineage: lineage(2), ..row(5, None) }).await?;
    assert_eq!(tx.set_aside_after(lineage(1), Sequence(0)).await?, rows);
    assert_eq!(tx.set_aside_after(lineage(1), Sequence(4)).await?, rows[3..]);
    assert_eq!(tx.set_aside_count(lineage(1)).await?, 5);
    assert_eq!(tx.set_aside_count(lineage(3)).await?, 0);
    Ok(())
}

pub async fn set_aside_forgotten(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |sender, sequence, number| SetAsideRow {
        lineage: lineage(1),
        sequence: Sequence(sequence),
        envelope: Some(envelope_id(number)),
        sender: node(sender),
        reason: "malformed".to_owned(),
        at: Instant(3),
    };
    let mut tx = store.write().await?;
    let rows = [
        row("lazio", 4, 1),
        row("umbria", 5, 1),
        row("lazio", 6, 1),
        row("lazio", 6, 2),
        row("lazio", 7, 1),
    ];
    for row in &rows {
        tx.set_aside(row.clone()).await?;
    }
    let (one, lazio) = (lineage(1), node("lazio"));
    assert_eq!(tx.forget_set_aside(one, &lazio, 4).await?, 0);
    assert_eq!(tx.forget_set_aside(lineage(2), &lazio, 0).await?, 0);
    assert_eq!(tx.set_aside_after(one, Sequence(0)).await?, rows);
    // Whole entries, as few as leave no more than these.
    assert_eq!(tx.forget_set_aside(one, &lazio, 3).await?, 1);
    assert_eq!(tx.set_aside_after(one, Sequence(0)).await?, rows[1..]);
    assert_eq!(tx.forget_set_aside(one, &lazio, 2).await?, 2);
    let left = [rows[1].clone(), rows[4].clone()];
    assert_eq!(tx.set_aside_after(one, Sequence(0)).await?, left);
    Ok(())
}

pub async fn chunks(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let origin = node("lazio");
    let row = |whole, index, expires_at| ChunkRow {
        lineage: lineage(1),
        origin: origin.clone(),
        whole: envelope_id(whole),
        index,
        count: 3,
        sealed: vec![1, 2],
        expires_at: Instant(expires_at),
    };
    let mut tx = store.write().await?;
    for index in [2, 0, 1] {
        tx.put_chunk(row(1, index, 10)).await?;
    }
    tx.put_chunk(ChunkRow { sealed: vec![9], ..row(1, 0, 10) }).await?;
    tx.put_chunk(row(2, 0, 11)).await?;
    tx.put_chunk(row(3, 0, 11)).await?;
    let expected = [row(1, 0, 10), row(1, 1, 10), row(1, 2, 10)];
    assert_eq!(tx.chunks(lineage(1), &origin, envelope_id(1)).await?, expected);
    assert_eq!(tx.chunks(lineage(1), &node("umbria"), envelope_id(1)).await?, []);
    tx.put_chunk(ChunkRow { origin: node("umbria"), ..row(4, 0, 10) }).await?;
    let whole = |number, bytes| WholeRow { whole: envelope_id(number), bytes };
    let wholes = [whole(1, 6), whole(2, 2), whole(3, 2)];
    assert_eq!(tx.wholes(lineage(1), &origin).await?, wholes);
    assert_eq!(tx.wholes(lineage(2), &origin).await?, []);
    let overdue = [(origin.clone(), envelope_id(1)), (node("umbria"), envelope_id(4))];
    assert_eq!(tx.wholes_overdue(lineage(1), Instant(10)).await?, overdue);
    assert_eq!(tx.wholes_overdue(lineage(1), Instant(9)).await?, []);
    assert_eq!(tx.wholes_overdue(lineage(2), Instant(10)).await?, []);
    tx.forget_seen(Instant(99)).await?;
    assert_eq!(tx.wholes(lineage(1), &origin).await?, wholes);
    tx.forget_chunks(Instant(10)).await?;
    assert_eq!(tx.chunks(lineage(1), &origin, envelope_id(1)).await?, []);
    tx.delete_chunks(lineage(1), &origin, envelope_id(2)).await?;
    assert_eq!(tx.chunks(lineage(1), &origin, envelope_id(2)).await?, []);
    assert_eq!(tx.chunks(lineage(1), &origin, envelope_id(3)).await?, [row(3, 0, 11)]);
    Ok(())
}

pub async fn refusals_and_reads(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for reason in ["unknown_code", "malformed"] {
        tx.put_refusal(lineage(1), envelope_id(1), &node("lazio"), reason).await?;
        tx.put_read(lineage(1), object_id(1), &node("umbria")).await?;
    }
    let reports = tx.object_reports(&[object(1)]).await?;
    let refusals = vec![(node("lazio"), "malformed".to_owned())];
    assert_eq!(reports, [ObjectReports { read: vec![node("umbria")], refusals }]);
    let received = ObjectRow { received_at: Some(Instant(1)), ..object(2) };
    tx.insert_objects(vec![object(1), received]).await?;
    assert!(tx.is_own_share(lineage(1), envelope_id(1)).await?);
    assert!(!tx.is_own_share(lineage(2), envelope_id(1)).await?);
    assert!(!tx.is_own_share(lineage(1), envelope_id(2)).await?);
    assert!(!tx.is_own_share(lineage(1), envelope_id(3)).await?);
    Ok(())
}
