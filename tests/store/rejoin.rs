//! Rows of rejoining.

use std::sync::Arc;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::Sequence;
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::outbox::{EntryRow, EntryState, EnvelopeRow};
use raccordo_node::store::rejoin::RejoinRow;

use crate::sample::{entry, entry_id, envelope, envelope_id, lineage, node};

pub async fn requests(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |of, name: &str| RejoinRow {
        lineage: lineage(of),
        node: node(name),
        entry: entry_id(1),
        signed_notice: b"notice".to_vec(),
        approved: false,
        noted_at: Instant(5),
    };
    let mut tx = store.write().await?;
    for (of, name) in [(1, "umbria"), (1, "lazio"), (2, "lazio")] {
        tx.put_rejoin(row(of, name)).await?;
    }
    let approved = RejoinRow { entry: entry_id(2), approved: true, ..row(1, "umbria") };
    tx.put_rejoin(approved.clone()).await?;
    assert_eq!(tx.rejoins(lineage(1)).await?, [row(1, "lazio"), approved.clone()]);
    tx.delete_rejoin(lineage(1), &node("lazio")).await?;
    tx.delete_rejoin(lineage(1), &node("marche")).await?;
    assert_eq!(tx.rejoins(lineage(1)).await?, [approved]);
    assert_eq!(tx.rejoins(lineage(2)).await?, [row(2, "lazio")]);
    Ok(())
}

pub async fn all_is_queued_again(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.queue_envelopes((1..=3).map(envelope).collect()).await?;
    tx.queue_envelopes(vec![EnvelopeRow { lineage: lineage(2), ..envelope(4) }]).await?;
    let mut packed = tx.queued_envelopes(lineage(1), true, 2).await?;
    packed.iter_mut().for_each(|row| row.entry = Some(entry_id(1)));
    tx.pack_envelopes(&packed).await?;
    let notice = EntryRow { kind: EntryKind::Notice, ..entry(3) };
    let other = EntryRow { lineage: lineage(2), ..entry(2) };
    tx.insert_entries(vec![entry(1), notice, other]).await?;
    tx.entries_placed(lineage(1), &[(entry_id(1), Sequence(7))]).await?;
    assert_eq!(tx.queued_envelopes(lineage(1), true, 9).await?.len(), 1);
    tx.queue_all_again(lineage(1)).await?;
    let queued = tx.queued_envelopes(lineage(1), true, 9).await?;
    let ids: Vec<_> = queued.iter().map(|row| (row.envelope, row.sequence)).collect();
    assert_eq!(ids, [1, 2, 3].map(|n| (envelope_id(n), Sequence(0))));
    assert_eq!(tx.entry(lineage(1), entry_id(1)).await?, None);
    // It may still come back from the log.
    let known = tx.entry(lineage(1), entry_id(3)).await?.map(|row| row.kind);
    assert_eq!(known, Some(EntryKind::Notice));
    assert_eq!(tx.entries_in(lineage(2), EntryState::Pending, 9).await?.len(), 1);
    tx.insert_entries(vec![entry(1)]).await?;
    Ok(())
}
