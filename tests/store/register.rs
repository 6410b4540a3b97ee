//! Rows of the register.

use std::sync::Arc;

use raccordo_core::id::{CaseId, OperatorId, OrganisationId, RecordId};
use raccordo_core::time::Instant;
use raccordo_node::store::register::{
    CaseRow, FieldRow, ImportRow, IndexRow, RecordRow, RegisterFilter, WrappingKeyRow,
};
use raccordo_node::store::{Store, StoreError, Tx};

use crate::sample::{bytes, digest};

fn record_id(number: u32) -> RecordId {
    RecordId::try_from(bytes(number).as_slice()).unwrap()
}

fn case_id(number: u32) -> CaseId {
    CaseId::try_from(bytes(number).as_slice()).unwrap()
}

fn organisation(number: u32) -> OrganisationId {
    OrganisationId::try_from(bytes(number).as_slice()).unwrap()
}

pub fn record(number: u32) -> RecordRow {
    RecordRow {
        record: record_id(number),
        position: 0,
        kind: "person".to_owned(),
        subject: "company".to_owned(),
        organisation: organisation(1),
        state: "active".to_owned(),
        key_number: 2,
        wrapped_key: b"wrapped".to_vec(),
        sealed_codes: b"codes".to_vec(),
        added_at: Instant(3),
        changed_at: Instant(4),
    }
}

pub fn case(number: u32) -> CaseRow {
    CaseRow {
        case: case_id(number),
        position: 0,
        record: record_id(1),
        organisation: organisation(1),
        manager: OperatorId::try_from(bytes(5).as_slice()).unwrap(),
        state: "reported".to_owned(),
        sealed_codes: b"codes".to_vec(),
        opened_at: Instant(6),
        changed_at: Instant(7),
    }
}

fn field(number: u32, place: u32) -> FieldRow {
    let sealed = format!("field {number} {place}").into_bytes();
    FieldRow { record: record_id(number), place, sealed }
}

fn index(value: u8, number: u32) -> IndexRow {
    IndexRow { digest: digest(value), record: record_id(number) }
}

pub async fn wrapping_keys(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |number, wrapped: &[u8]| WrappingKeyRow {
        number,
        wrapped: wrapped.to_vec(),
        made_at: Instant(9),
    };
    let mut tx = store.write().await?;
    tx.hold_register().await?;
    for number in [2, 1, 3] {
        tx.insert_wrapping_key(row(number, b"key")).await?;
    }
    let taken = tx.insert_wrapping_key(row(2, b"other")).await;
    assert!(matches!(taken, Err(StoreError::Exists("wrapping_key"))));
    assert_eq!(tx.wrapping_keys().await?, [1, 2, 3].map(|number| row(number, b"key")));
    assert_eq!(tx.delete_wrapping_keys_before(3).await?, 2);
    assert_eq!(tx.wrapping_keys().await?, [row(3, b"key")]);
    assert_eq!(tx.delete_wrapping_keys_before(3).await?, 0);
    tx.commit().await?;
    assert!(store.sweep().await?);
    Ok(())
}

pub async fn records_and_values(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_records((1..=80).map(record).collect()).await?;
    let taken = tx.insert_records(vec![record(7)]).await;
    assert!(matches!(taken, Err(StoreError::Exists("register_record"))));
    drop(tx);
    let mut tx = store.write().await?;
    tx.insert_records((1..=80).map(record).collect()).await?;
    tx.insert_records(Vec::new()).await?;
    let fields: Vec<_> = (0..40).rev().map(|place| field(1, place)).collect();
    tx.insert_fields(&fields).await?;
    tx.insert_fields(&[field(2, 0)]).await?;
    tx.commit().await?;
    let mut tx = store.read().await?;
    let third = tx.register_record(record_id(3)).await?;
    assert_eq!(third, Some(RecordRow { position: 3, ..record(3) }));
    assert_eq!(tx.register_record(record_id(81)).await?, None);
    let expected: Vec<_> = (0..40).map(|place| field(1, place)).collect();
    assert_eq!(tx.record_fields(record_id(1)).await?, expected);
    assert_eq!(tx.record_fields(record_id(3)).await?, []);
    let asked: Vec<_> = (2..200).step_by(2).map(record_id).collect();
    let found: Vec<_> = tx.records_among(&asked).await?.iter().map(|row| row.position).collect();
    assert_eq!(found, (2..=80).step_by(2).collect::<Vec<_>>());
    Ok(())
}

pub async fn found_by_digest(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_index(&[index(1, 5), index(1, 3), index(2, 3), index(1, 3)]).await?;
    assert_eq!(tx.records_with(&digest(1), 9).await?, [record_id(3), record_id(5)]);
    assert_eq!(tx.records_with(&digest(1), 1).await?, [record_id(3)]);
    assert_eq!(tx.records_with(&digest(2), 9).await?, [record_id(3)]);
    assert_eq!(tx.records_with(&digest(3), 9).await?, []);
    Ok(())
}

async fn positions(tx: &mut dyn Tx, filter: RegisterFilter) -> anyhow::Result<[Vec<u64>; 2]> {
    let records = tx.list_records(&filter).await?;
    let cases = tx.list_cases(&filter).await?;
    let records = records.iter().map(|row| row.position).collect();
    Ok([records, cases.iter().map(|row| row.position).collect()])
}

pub async fn listed(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let company = RecordRow { kind: "company".to_owned(), ..record(2) };
    let elsewhere = RecordRow { organisation: organisation(2), ..record(3) };
    tx.insert_records(vec![record(1), company, elsewhere]).await?;
    let closed = CaseRow { state: "closed".to_owned(), ..case(12) };
    let elsewhere = CaseRow { organisation: organisation(2), record: record_id(3), ..case(13) };
    tx.insert_cases(vec![case(11), closed, elsewhere]).await?;
    let all = || RegisterFilter { limit: 9, ..RegisterFilter::default() };
    let check = async |tx: &mut dyn Tx, filter, records: &[u64], cases: &[u64]| {
        let found = positions(tx, filter).await?;
        assert_eq!(found, [records.to_vec(), cases.to_vec()]);
        anyhow::Ok(())
    };
    check(&mut *tx, RegisterFilter::default(), &[], &[]).await?;
    check(&mut *tx, all(), &[1, 2, 3], &[4, 5, 6]).await?;
    check(&mut *tx, RegisterFilter { limit: 1, ..all() }, &[1], &[4]).await?;
    check(&mut *tx, RegisterFilter { after_position: 2, ..all() }, &[3], &[4, 5, 6]).await?;
    let near = RegisterFilter { organisation: Some(organisation(1)), ..all() };
    check(&mut *tx, near.clone(), &[1, 2], &[4, 5]).await?;
    let state = |state: &str| Some(state.to_owned());
    check(&mut *tx, RegisterFilter { state: state("closed"), ..near }, &[], &[5]).await?;
    let companies = RegisterFilter { kind: Some("company".to_owned()), ..all() };
    check(&mut *tx, companies, &[2], &[4, 5, 6]).await?;
    let of: Vec<_> = tx.cases_of(record_id(1)).await?.iter().map(|row| row.position).collect();
    assert_eq!(of, [4, 5]);
    assert_eq!(tx.register_case(case_id(13)).await?.map(|row| row.record), Some(record_id(3)));
    assert_eq!(tx.register_case(case_id(14)).await?, None);
    let taken = tx.insert_cases(vec![case(11)]).await;
    assert!(matches!(taken, Err(StoreError::Exists("register_case"))));
    Ok(())
}

pub async fn cases_change(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_cases(vec![case(1), case(2)]).await?;
    let changed = CaseRow {
        position: 1,
        manager: OperatorId::try_from(bytes(9).as_slice())?,
        state: "closed".to_owned(),
        sealed_codes: b"other".to_vec(),
        changed_at: Instant(99),
        ..case(1)
    };
    let also_opened = CaseRow { opened_at: Instant(98), ..changed.clone() };
    tx.update_case(&also_opened).await?;
    assert_eq!(tx.register_case(case_id(1)).await?, Some(changed));
    assert_eq!(tx.register_case(case_id(2)).await?, Some(CaseRow { position: 2, ..case(2) }));
    Ok(())
}

pub async fn erased(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    tx.insert_records(vec![record(1), record(2)]).await?;
    tx.insert_fields(&[field(1, 0), field(1, 1), field(2, 0)]).await?;
    tx.insert_index(&[index(1, 1), index(1, 2), index(2, 1)]).await?;
    let other = CaseRow { record: record_id(2), ..case(12) };
    tx.insert_cases(vec![case(11), other]).await?;
    assert!(!tx.erased_under(9).await?);
    tx.erase_record(record_id(1), Instant(50)).await?;
    let gone = tx.register_record(record_id(1)).await?.unwrap();
    assert_eq!((gone.state.as_str(), gone.changed_at), ("erased", Instant(50)));
    assert!(gone.wrapped_key.is_empty() && gone.sealed_codes.is_empty());
    assert_eq!(tx.record_fields(record_id(1)).await?, []);
    assert_eq!(tx.records_with(&digest(1), 9).await?, [record_id(2)]);
    let case = tx.register_case(case_id(11)).await?.unwrap();
    assert_eq!((case.state.as_str(), case.changed_at), ("erased", Instant(50)));
    assert!(case.sealed_codes.is_empty());
    assert_eq!(tx.record_fields(record_id(2)).await?, [field(2, 0)]);
    assert_eq!(tx.register_case(case_id(12)).await?.unwrap().state, "reported");
    assert!(!tx.erased_under(1).await?);
    assert!(tx.erased_under(2).await?);
    tx.delete_wrapping_keys_before(3).await?;
    assert!(!tx.erased_under(9).await?);
    Ok(())
}

pub async fn wrapped_anew(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let mut tx = store.write().await?;
    let newer = RecordRow { key_number: 3, ..record(2) };
    let erased = RecordRow { state: "erased".to_owned(), key_number: 1, ..record(3) };
    tx.insert_records(vec![record(1), newer, erased, record(4)]).await?;
    let ids = |rows: Vec<RecordRow>| rows.iter().map(|row| row.record).collect::<Vec<_>>();
    assert_eq!(ids(tx.records_wrapped_before(3, 9).await?), [record_id(1), record_id(4)]);
    assert_eq!(ids(tx.records_wrapped_before(3, 1).await?), [record_id(1)]);
    tx.rewrap_record(record_id(1), 3, b"anew".to_vec()).await?;
    assert_eq!(ids(tx.records_wrapped_before(3, 9).await?), [record_id(4)]);
    let row = tx.register_record(record_id(1)).await?.unwrap();
    assert_eq!((row.key_number, row.wrapped_key), (3, b"anew".to_vec()));
    Ok(())
}

pub async fn imports(store: Arc<dyn Store>) -> anyhow::Result<()> {
    let row = |line| ImportRow {
        source: digest(1),
        kind: "person".to_owned(),
        operator: OperatorId::try_from(bytes(5).as_slice()).unwrap(),
        line,
        added: 2,
        known: 3,
        refused: 4,
        began_at: Instant(5),
        changed_at: Instant(6),
    };
    let mut tx = store.write().await?;
    assert_eq!(tx.register_import(&digest(1)).await?, None);
    tx.put_register_import(row(1)).await?;
    tx.put_register_import(row(9)).await?;
    assert_eq!(tx.register_import(&digest(1)).await?, Some(row(9)));
    assert_eq!(tx.register_import(&digest(2)).await?, None);
    Ok(())
}
