//! Rows of tokens and tags.

use std::sync::Arc;

use raccordo_core::id::RecordId;
use raccordo_core::pseudonym::token::Tag;
use raccordo_node::store::token::{OwnTagRow, PairRow, ReceivedTagRow, TokenRow};
use raccordo_node::store::{Store, Tx};

use crate::sample::{bytes, digest, lineage, node, object_id};

pub fn record_id(number: u32) -> RecordId {
    RecordId::try_from(bytes(number).as_slice()).unwrap()
}

fn token(record: u32, class: &str, value: u8) -> TokenRow {
    TokenRow {
        record: record_id(record),
        lineage: lineage(1),
        class: class.to_owned(),
        lookup: digest(value),
        key_epoch: 3,
        family: "phone".to_owned(),
        sealed: vec![value; 5],
    }
}

pub async fn tokens(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let rows = [
        token(1, "person_strong", 1),
        token(1, "person_weak", 2),
        TokenRow { lineage: lineage(2), ..token(1, "person_weak", 3) },
        token(2, "company", 4),
    ];
    tx.put_tokens(&rows).await?;
    tx.put_tokens(&rows[..1]).await?;
    assert_eq!(tx.tokens_of(lineage(1), record_id(1)).await?, rows[..2]);
    tx.delete_tokens(record_id(1), lineage(1), "person_weak").await?;
    tx.commit().await?;
    let mut tx = store.write().await?;
    assert_eq!(tx.tokens_of(lineage(1), record_id(1)).await?, rows[..1]);
    assert_eq!(tx.tokens_of(lineage(2), record_id(1)).await?, rows[2..3]);
    tx.forget_tokens(record_id(1)).await?;
    assert_eq!(tx.tokens_of(lineage(1), record_id(1)).await?, []);
    assert_eq!(tx.tokens_of(lineage(2), record_id(1)).await?, []);
    assert_eq!(tx.tokens_of(lineage(1), record_id(2)).await?, rows[3..]);
    Ok(())
}

pub async fn tokened_records(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let mut rows: Vec<_> = (1..=5).map(|record| token(record, "company", 1)).collect();
    rows.push(token(3, "company", 2));
    rows.push(TokenRow { lineage: lineage(2), ..token(9, "company", 2) });
    tx.put_tokens(&rows).await?;
    async fn found(tx: &mut dyn Tx, after: Option<u32>, limit: u32) -> Vec<RecordId> {
        tx.records_with_tokens(lineage(1), after.map(record_id), limit).await.unwrap()
    }
    assert_eq!(found(&mut *tx, None, 2).await, [record_id(1), record_id(2)]);
    assert_eq!(found(&mut *tx, Some(2), 9).await, [3, 4, 5].map(record_id));
    assert_eq!(found(&mut *tx, Some(5), 9).await, []);
    Ok(())
}

pub async fn pairs(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |peer: &str| PairRow {
        lineage: lineage(1),
        peer: node(peer),
        sealed_own: b"own".to_vec(),
        sealed_theirs: Vec::new(),
        tagged_until: None,
        tagged: false,
    };
    let mut tx = store.write().await?;
    tx.put_pair(row("umbria")).await?;
    tx.put_pair(row("lazio")).await?;
    tx.put_pair(PairRow { lineage: lineage(2), ..row("marche") }).await?;
    let changed = PairRow {
        sealed_theirs: b"theirs".to_vec(),
        tagged_until: Some(record_id(7)),
        tagged: true,
        ..row("umbria")
    };
    tx.put_pair(changed.clone()).await?;
    tx.commit().await?;
    let mut tx = store.read().await?;
    assert_eq!(tx.pairs(lineage(1)).await?, [row("lazio"), changed]);
    Ok(())
}

fn own(record: u32, peer: &str, tag: u8) -> OwnTagRow {
    OwnTagRow {
        lineage: lineage(1),
        peer: node(peer),
        tag: Tag([tag; 16]),
        record: record_id(record),
        class: "company".to_owned(),
        family: "rea".to_owned(),
    }
}

pub async fn own_tags(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let rows: Vec<_> = (0..70).map(|tag| own(u32::from(tag % 2) + 1, "umbria", tag)).collect();
    let mut tx = store.write().await?;
    tx.put_own_tags(&rows).await?;
    tx.put_own_tags(&rows[..3]).await?;
    let others = [own(3, "umbria", 5), own(3, "lazio", 5)];
    tx.put_own_tags(&others).await?;
    let tags =
        |range: std::ops::Range<u8>| -> Vec<Tag> { range.map(|tag| Tag([tag; 16])).collect() };
    let found = tx.own_tags_among(lineage(1), &node("umbria"), &tags(4..7)).await?;
    assert_eq!(found, [&rows[4], &rows[5], &others[0], &rows[6]].map(Clone::clone));
    let all = tx.own_tags_among(lineage(1), &node("umbria"), &tags(0..200)).await?;
    assert_eq!(all.len(), 71);
    assert_eq!(tx.own_tags_among(lineage(2), &node("umbria"), &tags(0..9)).await?, []);
    assert_eq!(tx.own_tags_among(lineage(1), &node("umbria"), &[]).await?, []);
    assert_eq!(tx.own_tags(lineage(1), record_id(3)).await?.len(), 2);
    tx.delete_own_tags(lineage(1), record_id(1)).await?;
    assert_eq!(tx.own_tags(lineage(1), record_id(1)).await?, []);
    assert_eq!(tx.own_tags(lineage(1), record_id(2)).await?.len(), 35);
    tx.forget_tokens(record_id(3)).await?;
    assert_eq!(tx.own_tags(lineage(1), record_id(3)).await?, []);
    Ok(())
}

pub async fn received_tags(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |peer: &str, tag: u8, object: u32| ReceivedTagRow {
        lineage: lineage(1),
        peer: node(peer),
        tag: Tag([tag; 16]),
        object: object_id(object),
        facts: 250 + tag,
        register: 16,
    };
    let rows = [row("umbria", 1, 1), row("umbria", 2, 1), row("umbria", 2, 2), row("lazio", 2, 3)];
    let mut tx = store.write().await?;
    tx.put_received_tags(&rows).await?;
    tx.put_received_tags(&rows).await?;
    let tags = [Tag([2; 16]), Tag([9; 16])];
    let found = tx.received_tags_among(lineage(1), &node("umbria"), &tags).await?;
    assert_eq!(found, rows[1..3]);
    assert_eq!(tx.received_tags(object_id(1)).await?, rows[..2]);
    tx.delete_received_tags(object_id(1)).await?;
    assert_eq!(tx.received_tags(object_id(1)).await?, []);
    let found = tx.received_tags_among(lineage(1), &node("umbria"), &tags).await?;
    assert_eq!(found, rows[2..3]);
    Ok(())
}
