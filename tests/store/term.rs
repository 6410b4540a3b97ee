//! Rows of hub terms.

use std::sync::Arc;

use raccordo_core::hublog::{EntryKind, LogEntry};
use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::outbox::{EntryRow, EntryState};
use raccordo_node::store::term::{HubMoveRow, KeptRow};

use crate::sample::{entry, entry_id, envelope, lineage, node};

fn kept(of: u8, sequence: u64) -> KeptRow {
    let entry = LogEntry {
        sequence: Sequence(sequence),
        epoch: Epoch(2),
        kind: EntryKind::Application,
        sender: node("umbria"),
        entry_id: entry_id(1),
        accepted_at: Instant(7),
        payload: vec![1; 10],
    };
    KeptRow { lineage: lineage(of), entry, bytes_through: sequence * 10 }
}

pub async fn entries_are_kept_and_go(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.kept_bytes(lineage(1)).await?, 0);
    tx.keep_entries(&[kept(1, 1), kept(1, 2), kept(1, 3), kept(2, 9)]).await?;
    let mut again = kept(1, 3);
    again.entry.payload = vec![2];
    tx.keep_entries(&[again, kept(1, 4)]).await?;
    let after = tx.kept_after(lineage(1), Sequence(1), 2).await?;
    assert_eq!(after, [kept(1, 2), kept(1, 3)]);
    assert_eq!(tx.kept_bytes(lineage(1)).await?, 40);
    tx.forget_kept(lineage(1), Sequence(1)).await?;
    tx.forget_kept_bytes(lineage(1), 20).await?;
    assert_eq!(tx.kept_after(lineage(1), Sequence(0), 9).await?, [kept(1, 3), kept(1, 4)]);
    assert_eq!(tx.kept_after(lineage(2), Sequence(0), 9).await?, [kept(2, 9)]);
    Ok(())
}

pub async fn hub_moves(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = HubMoveRow {
        lineage: lineage(1),
        statement: b"next".to_vec(),
        previous: b"before".to_vec(),
        answer: String::new(),
        changed_at: Instant(3),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.hub_move(lineage(1)).await?, None);
    tx.put_hub_move(row.clone()).await?;
    let answered = HubMoveRow { answer: "accepted".into(), changed_at: Instant(4), ..row };
    tx.put_hub_move(answered.clone()).await?;
    assert_eq!(tx.hub_move(lineage(1)).await?, Some(answered));
    assert_eq!(tx.hub_move(lineage(2)).await?, None);
    tx.delete_hub_move(lineage(1)).await?;
    assert_eq!(tx.hub_move(lineage(1)).await?, None);
    Ok(())
}

pub async fn own_entries_are_unplaced(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.queue_envelopes((1..=2).map(envelope).collect()).await?;
    let mut packed = tx.queued_envelopes(lineage(1), true, 2).await?;
    for (row, number) in packed.iter_mut().zip(1..) {
        row.entry = Some(entry_id(number));
    }
    tx.pack_envelopes(&packed).await?;
    tx.insert_entries(vec![entry(1), entry(2)]).await?;
    for (number, sequence) in [(1, Sequence(5)), (2, Sequence(6))] {
        let Some(row) = tx.entry(lineage(1), entry_id(number)).await? else { continue };
        tx.update_entry(&EntryRow { state: EntryState::Accepted, sequence, ..row }).await?;
        tx.entries_placed(lineage(1), &[(entry_id(number), sequence)]).await?;
    }
    tx.unplace_after(lineage(1), Sequence(5)).await?;
    let states = tx.entries_in(lineage(1), EntryState::Pending, 9).await?;
    let pending: Vec<_> = states.iter().map(|row| (row.entry, row.sequence)).collect();
    assert_eq!(pending, [(entry_id(2), Sequence(0))]);
    assert!(!pending.is_empty() && !states[0].payload.is_empty());
    assert_eq!(tx.entries_in(lineage(1), EntryState::Accepted, 9).await?.len(), 1);
    assert_eq!(tx.unaccepted_envelopes(lineage(1)).await?, 1);
    Ok(())
}
