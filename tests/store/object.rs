//! Rows of objects.

use std::sync::Arc;

use raccordo_core::id::Sequence;
use raccordo_core::time::Instant;
use raccordo_node::store::object::{NewestFilter, ObjectFilter, ObjectReports, ObjectRow};
use raccordo_node::store::{Store, StoreError};

use crate::sample::{envelope_id, lineage, node, object, object_id};

pub async fn positions_grow(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let received = ObjectRow { received_at: Some(Instant(7)), position: 99, ..object(5) };
    tx.insert_objects(vec![received.clone(), object(4)]).await?;
    tx.insert_objects(Vec::new()).await?;
    tx.insert_objects((10..60).map(object).collect()).await?;
    tx.commit().await?;
    let mut tx = store.read().await?;
    let expected = ObjectRow { position: 1, ..received };
    assert_eq!(tx.object(object_id(5)).await?, Some(expected));
    assert_eq!(tx.object(object_id(4)).await?.map(|row| row.position), Some(2));
    assert_eq!(tx.object(object_id(59)).await?.map(|row| row.position), Some(52));
    assert_eq!(tx.object(object_id(60)).await?, None);
    Ok(())
}

pub async fn taken_ids(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_objects(vec![object(1)]).await?;
    let taken = tx.insert_objects(vec![ObjectRow { lineage: lineage(2), ..object(1) }]).await;
    assert!(matches!(taken, Err(StoreError::Exists("object"))));
    assert_eq!(tx.object(object_id(1)).await?.map(|row| row.lineage), Some(lineage(1)));
    Ok(())
}

pub async fn many_among(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_objects((0..80).map(object).collect()).await?;
    let asked: Vec<_> = (0..160).step_by(2).chain([4]).map(object_id).collect();
    let found = tx.objects_among(&asked).await?;
    let ids: Vec<_> = found.iter().map(|row| row.object).collect();
    assert_eq!(ids, (0..80).step_by(2).map(object_id).collect::<Vec<_>>());
    assert_eq!(found[1], ObjectRow { position: 3, ..object(2) });
    assert_eq!(tx.objects_among(&[]).await?, []);
    Ok(())
}

pub async fn updated(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_objects(vec![object(1), object(2)]).await?;
    let ended = ObjectRow {
        version: 3,
        state: "withdrawn".to_owned(),
        wrapped_key: Vec::new(),
        sealed_share: Vec::new(),
        sealed_author: Vec::new(),
        end_reason: "closed".to_owned(),
        ..object(1)
    };
    tx.update_object(&ObjectRow { sequence: Sequence(9), ..ended.clone() }).await?;
    assert_eq!(tx.object(object_id(1)).await?, Some(ObjectRow { position: 1, ..ended }));
    assert_eq!(tx.object(object_id(2)).await?, Some(ObjectRow { position: 2, ..object(2) }));
    Ok(())
}

pub async fn listed(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let row = |number, of, origin: &str, state: &str| ObjectRow {
        lineage: lineage(of),
        origin: node(origin),
        state: state.to_owned(),
        ..object(number)
    };
    tx.insert_objects(vec![
        row(1, 1, "toscana", "active"),
        row(2, 1, "lazio", "active"),
        row(3, 2, "toscana", "active"),
        row(4, 1, "toscana", "withdrawn"),
        row(5, 1, "toscana", "active"),
    ])
    .await?;
    let all = ObjectFilter { limit: 9, ..ObjectFilter::default() };
    let of_one = ObjectFilter { lineage: Some(lineage(1)), ..all.clone() };
    let toscana = ObjectFilter { origin: Some(node("toscana")), ..all.clone() };
    let active = ObjectFilter { state: Some("active".to_owned()), ..all.clone() };
    for (filter, expected) in [
        (ObjectFilter::default(), &[][..]),
        (all.clone(), &[1, 2, 3, 4, 5]),
        (ObjectFilter { after_position: 2, ..all.clone() }, &[3, 4, 5]),
        (ObjectFilter { limit: 2, ..all }, &[1, 2]),
        (of_one.clone(), &[1, 2, 4, 5]),
        (ObjectFilter { after_position: 1, limit: 2, ..of_one.clone() }, &[2, 4]),
        (toscana.clone(), &[1, 3, 4, 5]),
        (ObjectFilter { origin: toscana.origin, ..of_one }, &[1, 4, 5]),
        (active.clone(), &[1, 2, 3, 5]),
        (ObjectFilter { lineage: Some(lineage(2)), ..active }, &[3]),
    ] {
        let found = tx.list_objects(&filter).await?;
        let positions: Vec<_> = found.iter().map(|row| row.position).collect();
        assert_eq!(positions, expected, "{filter:?}");
    }
    Ok(())
}

pub async fn newest_first(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let row = |number, of, kind: &str, origin: &str, state: &str| ObjectRow {
        lineage: lineage(of),
        kind: kind.to_owned(),
        origin: node(origin),
        state: state.to_owned(),
        ..object(number)
    };
    tx.insert_objects(vec![
        row(1, 1, "case", "toscana", "active"),
        row(2, 1, "company", "lazio", "active"),
        row(3, 2, "case", "toscana", "active"),
        row(4, 1, "case", "toscana", "withdrawn"),
        row(5, 1, "company", "toscana", "active"),
    ])
    .await?;
    let all = NewestFilter { limit: 9, ..NewestFilter::default() };
    let of_one = NewestFilter { lineage: Some(lineage(1)), ..all.clone() };
    let toscana = NewestFilter { origin: Some(node("toscana")), ..all.clone() };
    let active = NewestFilter { state: Some("active".to_owned()), ..all.clone() };
    for (filter, expected) in [
        (NewestFilter::default(), &[][..]),
        (all.clone(), &[5, 4, 3, 2, 1]),
        (NewestFilter { before_position: Some(4), ..all.clone() }, &[3, 2, 1]),
        (NewestFilter { after_position: 3, ..all.clone() }, &[5, 4]),
        (NewestFilter { after_position: 5, ..all.clone() }, &[]),
        (NewestFilter { after_position: 9, before_position: Some(2), ..all.clone() }, &[]),
        (NewestFilter { limit: 2, ..all.clone() }, &[5, 4]),
        (NewestFilter { not_origin: Some(node("toscana")), ..all.clone() }, &[2]),
        (NewestFilter { kind: Some("company".to_owned()), ..all.clone() }, &[5, 2]),
        (of_one.clone(), &[5, 4, 2, 1]),
        (NewestFilter { before_position: Some(4), limit: 1, ..of_one.clone() }, &[2]),
        (toscana.clone(), &[5, 4, 3, 1]),
        (NewestFilter { origin: toscana.origin, ..of_one }, &[5, 4, 1]),
        (active.clone(), &[5, 3, 2, 1]),
        (NewestFilter { lineage: Some(lineage(2)), ..active }, &[3]),
    ] {
        let found = tx.newest_objects(&filter).await?;
        let positions: Vec<_> = found.iter().map(|row| row.position).collect();
        assert_eq!(positions, expected, "{filter:?}");
        let heads = tx.newest_heads(&filter).await?;
        let head = |row: &ObjectRow| (row.object, row.position, row.version);
        let heads: Vec<_> = heads.iter().map(|it| (it.object, it.position, it.version)).collect();
        assert_eq!(heads, found.iter().map(head).collect::<Vec<_>>(), "{filter:?}");
    }
    Ok(())
}

pub async fn refused(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let received = ObjectRow { received_at: Some(Instant(1)), ..object(4) };
    let ended = ObjectRow { state: "withdrawn".to_owned(), ..object(5) };
    let other = ObjectRow { lineage: lineage(2), ..object(6) };
    tx.insert_objects(vec![object(3), object(2), object(1), received, ended, other]).await?;
    for number in 2..=6 {
        for member in ["lazio", "umbria"] {
            tx.put_refusal(lineage(1), envelope_id(number), &node(member), "malformed").await?;
        }
    }
    let ids = |rows: Vec<ObjectRow>| rows.into_iter().map(|row| row.object).collect::<Vec<_>>();
    assert_eq!(ids(tx.objects_refused(lineage(1), 9).await?), [object_id(3), object_id(2)]);
    assert_eq!(ids(tx.objects_refused(lineage(1), 1).await?), [object_id(3)]);
    assert_eq!(ids(tx.objects_refused(lineage(2), 9).await?), []);
    Ok(())
}

pub async fn expired(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let until = |number, at| ObjectRow { expires_at: Instant(at), ..object(number) };
    let gone = ObjectRow { state: "expired".to_owned(), ..until(5, 1) };
    tx.insert_objects(vec![until(1, 30), until(2, 20), until(3, 21), until(4, 10), gone]).await?;
    let ids = |rows: Vec<ObjectRow>| rows.into_iter().map(|row| row.object).collect::<Vec<_>>();
    let found = ids(tx.objects_expired(Instant(20), 9).await?);
    assert_eq!(found, [object_id(4), object_id(2)]);
    assert_eq!(ids(tx.objects_expired(Instant(99), 1).await?), [object_id(4)]);
    assert_eq!(ids(tx.objects_expired(Instant(9), 9).await?), []);
    Ok(())
}

pub async fn reports(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let rows: Vec<_> = (0..70).map(object).collect();
    tx.put_read(lineage(1), object_id(69), &node("b1")).await?;
    tx.put_read(lineage(1), object_id(69), &node("b-2")).await?;
    tx.put_read(lineage(1), object_id(3), &node("c")).await?;
    tx.put_refusal(lineage(1), envelope_id(3), &node("d"), "malformed").await?;
    // Of another équipe: no word about ours.
    tx.put_read(lineage(2), object_id(4), &node("e")).await?;
    tx.put_refusal(lineage(2), envelope_id(4), &node("e"), "malformed").await?;

    let reports = tx.object_reports(&rows).await?;
    assert_eq!(reports.len(), 70);
    let refusals = vec![(node("d"), "malformed".to_owned())];
    assert_eq!(reports[3], ObjectReports { read: vec![node("c")], refusals });
    assert_eq!(reports[4], ObjectReports::default());
    assert_eq!(reports[69].read, [node("b-2"), node("b1")]);
    assert_eq!(tx.object_reports(&rows[69..]).await?, reports[69..]);
    Ok(())
}

pub async fn reads_are_told_once(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for number in [3, 1, 2, 1] {
        tx.note_read(lineage(1), object_id(number)).await?;
    }
    tx.note_read(lineage(2), object_id(9)).await?;
    assert!(tx.has_unreported_reads(lineage(1)).await?);
    let first = tx.take_unreported_reads(lineage(1), 2).await?;
    assert_eq!(first, [object_id(1), object_id(2)]);
    assert!(tx.has_unreported_reads(lineage(1)).await?);
    assert_eq!(tx.take_unreported_reads(lineage(1), 9).await?, [object_id(3)]);
    assert!(!tx.has_unreported_reads(lineage(1)).await?);
    tx.note_read(lineage(1), object_id(1)).await?;
    assert_eq!(tx.take_unreported_reads(lineage(1), 9).await?, []);
    assert_eq!(tx.take_unreported_reads(lineage(2), 9).await?, [object_id(9)]);
    Ok(())
}
