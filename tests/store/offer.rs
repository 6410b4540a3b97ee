//! Rows of offers.

use std::sync::Arc;

use raccordo_core::id::{Epoch, Sequence};
use raccordo_core::time::Instant;
use raccordo_node::store::Store;
use raccordo_node::store::offer::{CopyRow, OfferLoad, OfferRow};

use crate::sample::{digest, group, lineage, node};

fn offer(of: u8, statement: u8, name: &str) -> OfferRow {
    OfferRow {
        lineage: lineage(of),
        digest: digest(statement),
        name: name.to_owned(),
        state: "waiting".to_owned(),
        offered_by: node("toscana"),
        offered_at: Instant(i64::from(statement)),
        statement: b"statement".to_vec(),
        earlier: vec![b"first".to_vec(), b"second".to_vec()],
        cards: vec![b"card".to_vec(), Vec::new()],
    }
}

pub async fn kept_and_decided(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let (first, second) = (offer(1, 2, "pisa"), offer(1, 1, "pisa"));
    let other = offer(2, 3, "Lucca");
    for row in [&first, &second, &other] {
        tx.put_offer(row.clone()).await?;
    }
    tx.raise_offers(lineage(1)).await?;
    assert_eq!(tx.offers(lineage(1)).await?, [second.clone(), first.clone()]);
    assert_eq!(tx.offers(lineage(3)).await?, []);
    assert_eq!(tx.all_offers().await?, [other.clone(), second.clone(), first.clone()]);
    // State and cards change, and nothing else.
    let changed =
        OfferRow { state: "accepted".to_owned(), cards: vec![b"newer".to_vec()], ..first.clone() };
    let put = OfferRow { offered_by: node("lazio"), offered_at: Instant(99), ..changed.clone() };
    tx.put_offer(put).await?;
    assert_eq!(tx.offers(lineage(1)).await?, [second.clone(), changed]);
    tx.delete_offer(lineage(1), digest(2)).await?;
    tx.delete_offer(lineage(2), digest(2)).await?;
    assert_eq!(tx.all_offers().await?, [other, second]);
    tx.commit().await?;
    Ok(())
}

fn copy(statement: u8, party: &str) -> CopyRow {
    CopyRow {
        lineage: lineage(1),
        digest: digest(statement),
        party: node(party),
        group: group(4),
        after: Sequence(5),
        sequence: Sequence(6),
        head: digest(7),
        epoch: Epoch(8),
        accepted_at: Instant(9),
        stored_bytes: 10,
    }
}

pub async fn copies_of_each_party(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let (toscana, umbria) = (copy(1, "toscana"), copy(1, "umbria"));
    for row in [&umbria, &toscana, &copy(2, "toscana")] {
        tx.put_log_copy(row.clone()).await?;
    }
    let places = [umbria.place(), toscana.place(), copy(2, "toscana").place()];
    assert!(places[0] != places[1] && places[1] != places[2]);
    let grown = CopyRow {
        group: group(14),
        after: Sequence(15),
        sequence: Sequence(16),
        head: digest(17),
        epoch: Epoch(18),
        accepted_at: Instant(19),
        stored_bytes: 20,
        ..toscana.clone()
    };
    tx.put_log_copy(grown.clone()).await?;
    let found = tx.log_copy(lineage(1), digest(1), &node("toscana")).await?;
    assert_eq!(found, Some(grown.clone()));
    assert_eq!(tx.log_copy(lineage(2), digest(1), &node("toscana")).await?, None);
    assert_eq!(tx.log_copies(lineage(1)).await?, [grown, umbria.clone(), copy(2, "toscana")]);
    tx.delete_log_copy(&toscana).await?;
    assert_eq!(tx.log_copies(lineage(1)).await?, [umbria, copy(2, "toscana")]);
    assert_eq!(tx.log_copies(lineage(2)).await?, []);
    Ok(())
}

pub async fn bounded_and_expiring(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for (number, by, state, at) in [
        (1, "toscana", "waiting", 9),
        (2, "toscana", "refused", 10),
        (3, "toscana", "accepted", 9),
        (4, "lazio", "waiting", 9),
    ] {
        tx.put_offer(OfferRow {
            lineage: lineage(number),
            digest: digest(number),
            name: format!("offer {number}"),
            state: state.to_owned(),
            offered_by: node(by),
            offered_at: Instant(at),
            statement: vec![1; 10],
            earlier: vec![vec![2; 20]],
            cards: vec![vec![3; 30], vec![4; 40]],
        })
        .await?;
    }
    // Each part of a list after its length.
    let each = 10 + (4 + 20) + (4 + 30 + 4 + 40);
    let load =
        |by: &str, offers: u64| OfferLoad { offered_by: node(by), offers, bytes: offers * each };
    assert_eq!(tx.offer_loads().await?, [load("lazio", 1), load("toscana", 2)]);
    let accepted = tx.offers_in("accepted").await?;
    assert_eq!(accepted.iter().map(|row| row.lineage).collect::<Vec<_>>(), [lineage(3)]);
    tx.delete_offers_before(Instant(10)).await?;
    let left = tx.all_offers().await?;
    assert_eq!(left.iter().map(|row| row.lineage).collect::<Vec<_>>(), [lineage(2), lineage(3)]);
    Ok(())
}
