//! Rows of matches and stop values.

use std::sync::Arc;

use raccordo_core::id::{OperatorId, OrganisationId};
use raccordo_core::matching::life::MatchId;
use raccordo_core::time::Instant;
use raccordo_node::store::matching::{
    MatchEventRow, MatchFilter, MatchRow, MatchStage, RecordObjectRow, StopValueRow,
};
use raccordo_node::store::register::RecordRow;
use raccordo_node::store::{Store, StoreError};

use crate::register;
use crate::sample::{bytes, digest, envelope_id, lineage, node, object_id};
use crate::token::record_id;

fn operator(number: u32) -> OperatorId {
    OperatorId::try_from(bytes(number).as_slice()).unwrap()
}

pub fn found(number: u8) -> MatchRow {
    MatchRow {
        id: MatchId(digest(number)),
        position: 0,
        lineage: lineage(1),
        counterpart: node("umbria"),
        record: record_id(u32::from(number)),
        ours: object_id(u32::from(number)),
        theirs: object_id(100 + u32::from(number)),
        state: "candidate".to_owned(),
        grade: "B".to_owned(),
        claimed: "A".to_owned(),
        seen: true,
        families: "name_birth phone".to_owned(),
        reasons: "phone:120 name:98".to_owned(),
        strength: -35,
        said_here: String::new(),
        said_there: "call_me".to_owned(),
        decided_by: None,
        sealed_contact: Vec::new(),
        found_at: Instant(5),
        changed_at: Instant(6),
    }
}

pub async fn record_objects(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |object: u32, shared| RecordObjectRow {
        object: object_id(object),
        lineage: lineage(1),
        record: record_id(7),
        shared,
    };
    let mut tx = store.write().await?;
    tx.put_record_object(row(1, false)).await?;
    tx.put_record_object(row(2, true)).await?;
    tx.put_record_object(row(1, true)).await?;
    assert_eq!(tx.record_object(object_id(1)).await?, Some(row(1, true)));
    assert_eq!(tx.objects_of_record(record_id(7)).await?, [row(1, true), row(2, true)]);
    tx.delete_record_object(object_id(1)).await?;
    assert_eq!(tx.record_object(object_id(1)).await?, None);
    assert_eq!(tx.objects_of_record(record_id(7)).await?, [row(2, true)]);
    Ok(())
}

pub async fn matches(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    for number in 1..=3 {
        tx.insert_match(found(number)).await?;
    }
    let again = tx.insert_match(found(2)).await;
    assert!(matches!(again, Err(StoreError::Exists("found_match"))), "{again:?}");
    let changed = MatchRow {
        state: "linked".to_owned(),
        grade: "C".to_owned(),
        claimed: "B".to_owned(),
        seen: false,
        families: "permit".to_owned(),
        said_here: "not_mine".to_owned(),
        said_there: String::new(),
        decided_by: Some(operator(4)),
        sealed_contact: b"contact".to_vec(),
        changed_at: Instant(9),
        ..found(2)
    };
    tx.update_match(&changed).await?;
    tx.commit().await?;
    let mut tx = store.write().await?;
    let listed = tx.list_matches(0, 10).await?;
    let positions: Vec<u64> = listed.iter().map(|row| row.position).collect();
    assert!(positions.is_sorted() && positions.len() == 3, "{positions:?}");
    let expected = MatchRow { position: positions[1], ..changed };
    assert_eq!(listed[1], expected);
    assert_eq!(tx.found_match(expected.id).await?, Some(expected.clone()));
    assert_eq!(tx.list_matches(positions[0], 1).await?, std::slice::from_ref(&expected));
    assert_eq!(tx.matches_of_record(record_id(2)).await?, std::slice::from_ref(&expected));
    assert_eq!(tx.matches_of_object(object_id(2)).await?, std::slice::from_ref(&expected));
    assert_eq!(tx.matches_of_object(object_id(102)).await?, std::slice::from_ref(&expected));
    tx.delete_match(expected.id).await?;
    assert_eq!(tx.found_match(expected.id).await?, None);
    assert_eq!(tx.list_matches(0, 10).await?.len(), 2);
    Ok(())
}

pub async fn matches_that_people_meet(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let organisation = |number: u32| OrganisationId::try_from(bytes(number).as_slice()).unwrap();
    let record = |number: u32, subject: &str, of: u32| RecordRow {
        record: record_id(number),
        subject: subject.to_owned(),
        organisation: organisation(of),
        ..register::record(number)
    };
    let (person, company) = ("person", "company");
    let records = [(1, person, 1), (2, company, 1), (3, person, 2), (4, person, 1), (5, person, 1)];
    let records = records.map(|(number, subject, of)| record(number, subject, of));
    tx.insert_records(records.into()).await?;
    let states = ["candidate", "confirmed_there", "confirmed_here", "linked", "linked"];
    for (number, state) in (1..).zip(states) {
        let said_here = if number == 5 { "call_me" } else { "" }.to_owned();
        tx.insert_match(MatchRow { state: state.to_owned(), said_here, ..found(number) }).await?;
    }
    // Of a record that is not there.
    tx.insert_match(found(6)).await?;
    let all = MatchFilter { people: true, companies: true, limit: 9, ..MatchFilter::default() };
    let at = |stage| MatchFilter { stage, ..all.clone() };
    for (filter, expected) in [
        (MatchFilter { people: false, companies: false, ..all.clone() }, &[][..]),
        (all.clone(), &[5, 4, 3, 2, 1]),
        (MatchFilter { companies: false, ..all.clone() }, &[5, 4, 3, 1]),
        (MatchFilter { people: false, ..all.clone() }, &[2]),
        (MatchFilter { organisation: Some(organisation(2)), ..all.clone() }, &[3]),
        (MatchFilter { after_position: 3, ..all.clone() }, &[5, 4]),
        (MatchFilter { after_position: 9, before_position: Some(2), ..all.clone() }, &[]),
        (MatchFilter { before_position: Some(3), ..all.clone() }, &[2, 1]),
        (at(MatchStage::Undecided), &[2, 1]),
        (MatchFilter { people: false, ..at(MatchStage::Undecided) }, &[2]),
        (at(MatchStage::Unanswered), &[4]),
    ] {
        let found = tx.newest_matches(&filter).await?;
        let positions: Vec<_> = found.iter().map(|row| row.position).collect();
        assert_eq!(positions, expected, "{filter:?}");
        assert_eq!(tx.count_matches(&filter).await?, expected.len() as u64, "{filter:?}");
    }
    let two = MatchFilter { limit: 2, ..all };
    assert_eq!(tx.newest_matches(&two).await?.len(), 2);
    assert_eq!(tx.count_matches(&two).await?, 5);
    Ok(())
}

pub async fn match_events(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u32, operator| MatchEventRow {
        envelope: envelope_id(number),
        lineage: lineage(1),
        peer: node("umbria"),
        operator,
        sealed: b"event".to_vec(),
    };
    let rows = [row(1, None), row(2, Some(operator(3)))];
    let mut tx = store.write().await?;
    for row in &rows {
        tx.put_match_event(row.clone()).await?;
    }
    assert_eq!(tx.match_events(lineage(1)).await?, rows);
    assert_eq!(tx.match_events(lineage(2)).await?, []);
    assert_eq!(tx.take_match_event(envelope_id(2)).await?, Some(rows[1].clone()));
    assert_eq!(tx.take_match_event(envelope_id(2)).await?, None);
    assert_eq!(tx.match_events(lineage(1)).await?, rows[..1]);
    Ok(())
}

pub async fn stop_values(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number: u8| StopValueRow {
        digest: digest(number),
        kind: "phone".to_owned(),
        sealed: vec![number; 3],
        added_by: operator(1),
        added_at: Instant(100 - i64::from(number)),
    };
    let mut tx = store.write().await?;
    assert!(tx.put_stop_value(row(1)).await?);
    assert!(tx.put_stop_value(row(2)).await?);
    assert!(!tx.put_stop_value(row(2)).await?);
    assert_eq!(tx.stop_values().await?, [row(2), row(1)]);
    assert!(tx.delete_stop_value(&digest(2)).await?);
    assert!(!tx.delete_stop_value(&digest(2)).await?);
    assert_eq!(tx.stop_values().await?, [row(1)]);
    Ok(())
}

pub async fn operator_phones(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    assert_eq!(tx.operator_phone(operator(1)).await?, None);
    for sealed in [b"one".to_vec(), b"two".to_vec()] {
        tx.put_operator_phone(operator(1), Some(sealed.clone())).await?;
        assert_eq!(tx.operator_phone(operator(1)).await?, Some(sealed));
    }
    tx.put_operator_phone(operator(1), None).await?;
    assert_eq!(tx.operator_phone(operator(1)).await?, None);
    Ok(())
}
