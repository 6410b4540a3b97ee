//! Rows of the register.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use raccordo_core::id::{CaseId, Digest, OrganisationId, RecordId};
use raccordo_core::time::Instant;
use sqlx::AssertSqlSafe;

use super::SqlTx;
use super::bulk::{Bulk, KEYS, among, filled};
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::live::{LiveAccess as _, Scope};
use crate::store::register::{
    CaseRow, FieldRow, ImportRow, IndexRow, RecordRow, RegisterFilter, RegisterRows, WrappingKeyRow,
};

macro_rules! record_columns {
    () => {
        "record, position, kind, subject, organisation, state, key_number, wrapped_key, \
         sealed_codes, added_at_ms, changed_at_ms"
    };
}
macro_rules! case_columns {
    () => {
        "case_id, position, record, organisation, manager, state, sealed_codes, opened_at_ms, \
         changed_at_ms"
    };
}

static INSERT_RECORDS: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO register_record (", record_columns!(), ")");
    Bulk::new(insert, 11, "ON CONFLICT DO NOTHING")
});
static INSERT_FIELDS: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = "INSERT INTO register_field (record, place, sealed)";
    Bulk::new(insert, 3, "ON CONFLICT DO NOTHING")
});
static INSERT_INDEX: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new("INSERT INTO register_index (digest, record)", 2, "ON CONFLICT DO NOTHING")
});
static INSERT_CASES: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO register_case (", case_columns!(), ")");
    Bulk::new(insert, 9, "ON CONFLICT DO NOTHING")
});
static AMONG: LazyLock<Arc<str>> = LazyLock::new(|| {
    among(concat!("SELECT ", record_columns!(), " FROM register_record WHERE record"), 0)
});

const HOLD: &str = "UPDATE counter SET value = value WHERE name = 'register'";
const INSERT_KEY: &str = "INSERT INTO wrapping_key (number, wrapped, made_at_ms) \
     VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const KEYS_OF_KEYS: &str = "SELECT number, wrapped, made_at_ms FROM wrapping_key ORDER BY number";
const DELETE_KEYS: &str = "DELETE FROM wrapping_key WHERE number < $1";
const RECORD: &str =
    concat!("SELECT ", record_columns!(), " FROM register_record WHERE record = $1");
const FIELDS: &str =
    "SELECT record, place, sealed FROM register_field WHERE record = $1 ORDER BY place";
const LIST_RECORDS: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM register_record WHERE position > $1 AND ($2 = '' OR state = $2) \
     AND ($3 = '' OR kind = $3) ORDER BY position LIMIT $4"
);
const LIST_RECORDS_OF: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM register_record WHERE position > $1 AND ($2 = '' OR state = $2) \
     AND ($3 = '' OR kind = $3) AND organisation = $5 ORDER BY position LIMIT $4"
);
const WITH: &str = "SELECT record FROM register_index WHERE digest = $1 ORDER BY record LIMIT $2";
const ERASE_FIELDS: &str = "DELETE FROM register_field WHERE record = $1";
const ERASE_INDEX: &str = "DELETE FROM register_index WHERE record = $1";
const ERASE_RECORD: &str = "UPDATE register_record SET state = 'erased', wrapped_key = $2, \
     sealed_codes = $2, changed_at_ms = $3 WHERE record = $1";
const ERASE_CASES: &str = "UPDATE register_case SET state = 'erased', sealed_codes = $2, \
     changed_at_ms = $3 WHERE record = $1";
const WRAPPED_BEFORE: &str = concat!(
    "SELECT ",
    record_columns!(),
    " FROM register_record WHERE key_number < $1 AND state = 'active' \
     ORDER BY key_number, position LIMIT $2"
);
const REWRAP: &str =
    "UPDATE register_record SET key_number = $2, wrapped_key = $3 WHERE record = $1";
const ERASED_UNDER: &str = "SELECT COUNT(*) FROM (SELECT 1 FROM register_record \
     WHERE key_number BETWEEN 1 AND $1 AND state = 'erased' LIMIT 1) AS one";
const FORGET_KEY: &str =
    "UPDATE register_record SET key_number = 0 WHERE key_number < $1 AND state = 'erased'";
const CASE: &str = concat!("SELECT ", case_columns!(), " FROM register_case WHERE case_id = $1");
const CASES_OF: &str =
    concat!("SELECT ", case_columns!(), " FROM register_case WHERE record = $1 ORDER BY position");
const LIST_CASES: &str = concat!(
    "SELECT ",
    case_columns!(),
    " FROM register_case WHERE position > $1 AND ($2 = '' OR state = $2) \
     ORDER BY position LIMIT $3"
);
const LIST_CASES_OF: &str = concat!(
    "SELECT ",
    case_columns!(),
    " FROM register_case WHERE position > $1 AND ($2 = '' OR state = $2) \
     AND organisation = $4 ORDER BY position LIMIT $3"
);
const UPDATE_CASE: &str = "UPDATE register_case SET manager = $2, state = $3, sealed_codes = $4, \
     changed_at_ms = $5 WHERE case_id = $1";
const IMPORT: &str = "SELECT source, kind, operator, line, added, known, refused, began_at_ms, \
     changed_at_ms FROM register_import WHERE source = $1";
const PUT_IMPORT: &str = "INSERT INTO register_import (source, kind, operator, line, added, \
     known, refused, began_at_ms, changed_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
     ON CONFLICT (source) DO UPDATE SET kind = excluded.kind, operator = excluded.operator, \
     line = excluded.line, added = excluded.added, known = excluded.known, \
     refused = excluded.refused, began_at_ms = excluded.began_at_ms, \
     changed_at_ms = excluded.changed_at_ms";

#[async_trait]
impl RegisterRows for SqlTx {
    async fn hold_register(&mut self) -> Stored<()> {
        self.execute(sql("counter", HOLD)).await.map(drop)
    }

    async fn insert_wrapping_key(&mut self, row: WrappingKeyRow) -> Stored<()> {
        let insert = sql("wrapping_key", INSERT_KEY).integer(row.number).bytes(row.wrapped);
        self.insert(insert.instant(row.made_at)).await
    }

    async fn wrapping_keys(&mut self) -> Stored<Vec<WrappingKeyRow>> {
        let read = |row: &mut Columns<'_>| {
            let (number, wrapped) = (row.integer()?, row.bytes()?);
            Ok(WrappingKeyRow { number, wrapped, made_at: row.instant()? })
        };
        self.all(sql("wrapping_key", KEYS_OF_KEYS), read).await
    }

    async fn delete_wrapping_keys_before(&mut self, number: u64) -> Stored<u64> {
        self.execute(sql("register_record", FORGET_KEY).integer(number)).await?;
        self.execute(sql("wrapping_key", DELETE_KEYS).integer(number)).await
    }

    async fn insert_records(&mut self, mut rows: Vec<RecordRow>) -> Stored<()> {
        let first = self.take_numbers("register", rows.len()).await?;
        for (position, row) in (first..).zip(&mut rows) {
            row.position = position;
        }
        self.insert_new("register_record", &INSERT_RECORDS, &rows, bind_record).await
    }

    async fn insert_fields(&mut self, rows: &[FieldRow]) -> Stored<()> {
        let bind = |statement: Statement, row: &FieldRow| {
            statement.bytes(row.record.as_bytes()).integer(row.place).bytes(row.sealed.as_slice())
        };
        self.insert_new("register_field", &INSERT_FIELDS, rows, bind).await
    }

    async fn insert_index(&mut self, rows: &[IndexRow]) -> Stored<()> {
        let bind = |statement: Statement, row: &IndexRow| {
            statement.bytes(row.digest.as_bytes()).bytes(row.record.as_bytes())
        };
        self.write_all("register_index", &INSERT_INDEX, rows, bind).await.map(drop)
    }

    async fn register_record(&mut self, record: RecordId) -> Stored<Option<RecordRow>> {
        self.one(sql("register_record", RECORD).bytes(record.as_bytes()), read_record).await
    }

    async fn records_among(&mut self, records: &[RecordId]) -> Stored<Vec<RecordRow>> {
        let mut found = BTreeMap::new();
        for chunk in records.chunks(KEYS) {
            // Literals and markers alone.
            let select = sql("register_record", AssertSqlSafe(Arc::clone(&AMONG)));
            let select = filled(chunk).fold(select, |select, id| select.bytes(id.as_bytes()));
            let rows = self.all(select, read_record).await?;
            found.extend(rows.into_iter().map(|row| (row.position, row)));
        }
        Ok(found.into_values().collect())
    }

    async fn record_fields(&mut self, record: RecordId) -> Stored<Vec<FieldRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(FieldRow { record: row.id()?, place: row.integer()?, sealed: row.bytes()? })
        };
        self.all(sql("register_field", FIELDS).bytes(record.as_bytes()), read).await
    }

    async fn has_records(&mut self) -> Stored<bool> {
        // Each took a number, and none is ever deleted whole.
        let taken = self.live(Scope::Node).await?.newest_number("register");
        Ok(taken > 0)
    }

    async fn list_records(&mut self, filter: &RegisterFilter) -> Stored<Vec<RecordRow>> {
        let text = if filter.organisation.is_some() { LIST_RECORDS_OF } else { LIST_RECORDS };
        let select = sql("register_record", text)
            .integer(filter.after_position)
            .text(filter.state.as_deref().unwrap_or(""))
            .text(filter.kind.as_deref().unwrap_or(""))
            .integer(filter.limit);
        self.all(of(select, filter.organisation), read_record).await
    }

    async fn records_with(&mut self, digest: &Digest, limit: u32) -> Stored<Vec<RecordId>> {
        let select = sql("register_index", WITH).bytes(digest.as_bytes()).integer(limit);
        self.all(select, |row| row.id()).await
    }

    async fn erase_record(&mut self, record: RecordId, at: Instant) -> Stored<()> {
        for (table, text) in [("register_field", ERASE_FIELDS), ("register_index", ERASE_INDEX)] {
            self.execute(sql(table, text).bytes(record.as_bytes())).await?;
        }
        for (table, text) in [("register_record", ERASE_RECORD), ("register_case", ERASE_CASES)] {
            let erase = sql(table, text).bytes(record.as_bytes()).bytes(Vec::new()).instant(at);
            self.execute(erase).await?;
        }
        Ok(())
    }

    async fn records_wrapped_before(&mut self, number: u64, limit: u32) -> Stored<Vec<RecordRow>> {
        let select = sql("register_record", WRAPPED_BEFORE).integer(number).integer(limit);
        self.all(select, read_record).await
    }

    async fn rewrap_record(
        &mut self,
        record: RecordId,
        key_number: u64,
        wrapped_key: Vec<u8>,
    ) -> Stored<()> {
        let update = sql("register_record", REWRAP).bytes(record.as_bytes()).integer(key_number);
        self.execute(update.bytes(wrapped_key)).await.map(drop)
    }

    async fn erased_under(&mut self, number: u64) -> Stored<bool> {
        let count = sql("register_record", ERASED_UNDER).integer(number);
        Ok(self.number(count).await? > 0)
    }

    async fn insert_cases(&mut self, mut rows: Vec<CaseRow>) -> Stored<()> {
        let first = self.take_numbers("register", rows.len()).await?;
        for (position, row) in (first..).zip(&mut rows) {
            row.position = position;
        }
        self.insert_new("register_case", &INSERT_CASES, &rows, bind_case).await
    }

    async fn register_case(&mut self, case: CaseId) -> Stored<Option<CaseRow>> {
        self.one(sql("register_case", CASE).bytes(case.as_bytes()), read_case).await
    }

    async fn list_cases(&mut self, filter: &RegisterFilter) -> Stored<Vec<CaseRow>> {
        let text = if filter.organisation.is_some() { LIST_CASES_OF } else { LIST_CASES };
        let select = sql("register_case", text)
            .integer(filter.after_position)
            .text(filter.state.as_deref().unwrap_or(""))
            .integer(filter.limit);
        self.all(of(select, filter.organisation), read_case).await
    }

    async fn cases_of(&mut self, record: RecordId) -> Stored<Vec<CaseRow>> {
        self.all(sql("register_case", CASES_OF).bytes(record.as_bytes()), read_case).await
    }

    async fn update_case(&mut self, row: &CaseRow) -> Stored<()> {
        let update = sql("register_case", UPDATE_CASE)
            .bytes(row.case.as_bytes())
            .bytes(row.manager.as_bytes())
            .text(&row.state)
            .bytes(row.sealed_codes.as_slice())
            .instant(row.changed_at);
        self.execute(update).await.map(drop)
    }

    async fn register_import(&mut self, source: &Digest) -> Stored<Option<ImportRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ImportRow {
                source: row.id()?,
                kind: row.text()?,
                operator: row.id()?,
                line: row.integer()?,
                added: row.integer()?,
                known: row.integer()?,
                refused: row.integer()?,
                began_at: row.instant()?,
                changed_at: row.instant()?,
            })
        };
        self.one(sql("register_import", IMPORT).bytes(source.as_bytes()), read).await
    }

    async fn put_register_import(&mut self, row: ImportRow) -> Stored<()> {
        let put = sql("register_import", PUT_IMPORT)
            .bytes(row.source.as_bytes())
            .text(row.kind)
            .bytes(row.operator.as_bytes())
            .integer(row.line)
            .integer(row.added)
            .integer(row.known)
            .integer(row.refused)
            .instant(row.began_at)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }
}

fn of(select: Statement, organisation: Option<OrganisationId>) -> Statement {
    match organisation {
        Some(organisation) => select.bytes(organisation.as_bytes()),
        None => select,
    }
}

fn bind_record(statement: Statement, row: &RecordRow) -> Statement {
    statement
        .bytes(row.record.as_bytes())
        .integer(row.position)
        .text(&row.kind)
        .text(&row.subject)
        .bytes(row.organisation.as_bytes())
        .text(&row.state)
        .integer(row.key_number)
        .bytes(row.wrapped_key.as_slice())
        .bytes(row.sealed_codes.as_slice())
        .instant(row.added_at)
        .instant(row.changed_at)
}

fn read_record(row: &mut Columns<'_>) -> Stored<RecordRow> {
    Ok(RecordRow {
        record: row.id()?,
        position: row.integer()?,
        kind: row.text()?,
        subject: row.text()?,
        organisation: row.id()?,
        state: row.text()?,
        key_number: row.integer()?,
        wrapped_key: row.bytes()?,
        sealed_codes: row.bytes()?,
        added_at: row.instant()?,
        changed_at: row.instant()?,
    })
}

fn bind_case(statement: Statement, row: &CaseRow) -> Statement {
    statement
        .bytes(row.case.as_bytes())
        .integer(row.position)
        .bytes(row.record.as_bytes())
        .bytes(row.organisation.as_bytes())
        .bytes(row.manager.as_bytes())
        .text(&row.state)
        .bytes(row.sealed_codes.as_slice())
        .instant(row.opened_at)
        .instant(row.changed_at)
}

fn read_case(row: &mut Columns<'_>) -> Stored<CaseRow> {
    Ok(CaseRow {
        case: row.id()?,
        position: row.integer()?,
        record: row.id()?,
        organisation: row.id()?,
        manager: row.id()?,
        state: row.text()?,
        sealed_codes: row.bytes()?,
        opened_at: row.instant()?,
        changed_at: row.instant()?,
    })
}
