//! Rows of changing membership.

use std::sync::Arc;

use raccordo_core::id::Sequence;
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::membership::{ProposalRow, ReplayRow};

use crate::sample::{digest, envelope_id, group, lineage, node};

pub async fn proposals(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |of, statement, at| ProposalRow {
        lineage: lineage(of),
        statement: digest(statement),
        sealed_proposal: b"proposal".to_vec(),
        begun_here: false,
        changed_at: Instant(at),
    };
    let mut tx = store.write().await?;
    for (of, statement, at) in [(1, 9, 5), (1, 8, 5), (1, 7, 9), (2, 9, 1)] {
        tx.put_proposal(row(of, statement, at)).await?;
    }
    let signed = ProposalRow {
        sealed_proposal: b"signed".to_vec(),
        begun_here: true,
        changed_at: Instant(3),
        ..row(1, 7, 9)
    };
    tx.put_proposal(signed.clone()).await?;
    assert_eq!(tx.proposals(lineage(1)).await?, [signed, row(1, 8, 5), row(1, 9, 5)]);
    tx.delete_proposal(lineage(1), digest(7)).await?;
    tx.delete_proposal(lineage(1), digest(9)).await?;
    assert_eq!(tx.proposals(lineage(1)).await?, [row(1, 8, 5)]);
    assert_eq!(tx.proposals(lineage(2)).await?, [row(2, 9, 1)]);
    Ok(())
}

pub async fn replays(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |of, name: &str| ReplayRow {
        lineage: lineage(of),
        recipient: node(name),
        rejoined: false,
        added_at: Sequence(4),
        position: 0,
        queued: false,
        envelope: None,
    };
    let mut tx = store.write().await?;
    for (of, name) in [(1, "umbria"), (1, "lazio"), (2, "lazio")] {
        tx.put_replay(row(of, name)).await?;
    }
    let moved = ReplayRow {
        rejoined: true,
        added_at: Sequence(5),
        position: 3,
        queued: true,
        envelope: Some(envelope_id(8)),
        ..row(1, "umbria")
    };
    tx.put_replay(moved.clone()).await?;
    assert_eq!(tx.replays(lineage(1)).await?, [row(1, "lazio"), moved.clone()]);
    tx.delete_replay(lineage(1), &node("lazio")).await?;
    assert_eq!(tx.replays(lineage(1)).await?, [moved]);
    assert_eq!(tx.replays(lineage(2)).await?, [row(2, "lazio")]);
    Ok(())
}

pub async fn key_updates(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.key_update(lineage(1)).await?, None);
    tx.put_key_update(lineage(1), Instant(5)).await?;
    tx.put_key_update(lineage(2), Instant(6)).await?;
    tx.put_key_update(lineage(1), Instant(7)).await?;
    assert_eq!(tx.key_update(lineage(1)).await?, Some(Instant(7)));
    assert_eq!(tx.key_update(lineage(2)).await?, Some(Instant(6)));
    Ok(())
}

pub async fn leavers(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let (umbria, lazio) = (node("umbria"), node("lazio"));
    tx.put_leaver(group(1), &umbria, Some(Sequence(3))).await?;
    tx.put_leaver(group(1), &umbria, Some(Sequence(5))).await?;
    tx.put_leaver(group(2), &lazio, Some(Sequence(6))).await?;
    assert_eq!(tx.leaver(group(1), &umbria).await?, Some(Sequence(5)));
    assert_eq!(tx.leaver(group(1), &lazio).await?, None);
    tx.put_leaver(group(1), &umbria, None).await?;
    assert_eq!(tx.leaver(group(1), &umbria).await?, None);
    assert_eq!(tx.leaver(group(2), &lazio).await?, Some(Sequence(6)));
    tx.delete_log(group(2)).await?;
    assert_eq!(tx.leaver(group(2), &lazio).await?, None);
    Ok(())
}
