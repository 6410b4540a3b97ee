//! Rows of verified history, claims and proofs.

use std::sync::Arc;

use raccordo_core::id::Sequence;
use raccordo_core::time::Instant;
use raccordo_node::store::honesty::{ClaimRow, StretchRow};
use raccordo_node::store::outbox::EntryState;
use raccordo_node::store::{Store, StoreError};

use crate::sample::{digest, entry, lineage, node};

fn stretch(number: u8, after: u64, last: u64) -> StretchRow {
    StretchRow {
        lineage: lineage(number),
        last: Sequence(last),
        after: Sequence(after),
        before: digest(number),
        digests: vec![1; 64],
        checkpoint: b"checkpoint".to_vec(),
        checkpoint_signature: Vec::new(),
    }
}

pub async fn stretches_ascend_and_go(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for row in [stretch(1, 8, 10), stretch(1, 0, 2), stretch(1, 2, 8), stretch(2, 0, 9)] {
        tx.insert_stretch(row).await?;
    }
    let again = tx.insert_stretch(stretch(1, 1, 2)).await;
    assert!(matches!(again, Err(StoreError::Exists("stretch"))));
    let all = [stretch(1, 0, 2), stretch(1, 2, 8), stretch(1, 8, 10)];
    assert_eq!(tx.stretches_from(lineage(1), Sequence(0), 9).await?, all);
    assert_eq!(tx.stretches_from(lineage(1), Sequence(2), 2).await?, all[..2]);
    assert_eq!(tx.stretches_from(lineage(1), Sequence(3), 9).await?, all[1..]);
    assert_eq!(tx.stretches_from(lineage(1), Sequence(11), 9).await?, []);
    tx.forget_stretches(lineage(1), Sequence(8)).await?;
    assert_eq!(tx.stretches_from(lineage(1), Sequence(0), 9).await?, all[1..]);
    assert_eq!(tx.stretches_from(lineage(2), Sequence(0), 9).await?, [stretch(2, 0, 9)]);
    Ok(())
}

fn claim(teller: &str, sequence: u64) -> ClaimRow {
    ClaimRow {
        lineage: lineage(1),
        teller: node(teller),
        sequence: Sequence(sequence),
        head: digest(3),
        checkpoint: b"checkpoint".to_vec(),
        checkpoint_signature: b"signature".to_vec(),
        noted_at: Instant(4),
    }
}

pub async fn claims_are_kept_first(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for row in [claim("b", 5), claim("a", 6), claim("b", 7)] {
        tx.keep_claim(row).await?;
    }
    assert_eq!(tx.claims(lineage(1)).await?, [claim("a", 6), claim("b", 5)]);
    assert_eq!(tx.claims(lineage(2)).await?, []);
    tx.delete_claim(lineage(1), &node("b")).await?;
    tx.keep_claim(claim("b", 7)).await?;
    assert_eq!(tx.claims(lineage(1)).await?, [claim("a", 6), claim("b", 7)]);
    Ok(())
}

pub async fn proofs_are_kept_once(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert!(tx.keep_proof(lineage(1), Sequence(9), b"nine".to_vec()).await?);
    assert!(tx.keep_proof(lineage(1), Sequence(2), b"two".to_vec()).await?);
    assert!(!tx.keep_proof(lineage(1), Sequence(9), b"other".to_vec()).await?);
    assert_eq!(tx.proofs(lineage(1)).await?, [b"two".to_vec(), b"nine".to_vec()]);
    assert_eq!(tx.proofs(lineage(2)).await?, Vec::<Vec<u8>>::new());
    Ok(())
}

pub async fn own_places(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let mut rows = Vec::new();
    for (number, place) in [(1, 4), (2, 5), (3, 0), (4, 7)] {
        let mut row = entry(number);
        row.state = if place == 0 { EntryState::Pending } else { EntryState::Accepted };
        row.sequence = Sequence(place);
        rows.push(row);
    }
    let ids: Vec<_> = rows.iter().map(|row| row.entry).collect();
    tx.insert_entries(rows).await?;
    let places = tx.own_places(lineage(1), Sequence(4), Sequence(7)).await?;
    assert_eq!(places, [(Sequence(5), ids[1]), (Sequence(7), ids[3])]);
    assert_eq!(tx.own_places(lineage(2), Sequence(0), Sequence(9)).await?, []);
    Ok(())
}
