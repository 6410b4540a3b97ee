//! Rows of the register, in memory.

use async_trait::async_trait;
use raccordo_core::id::{CaseId, Digest, RecordId};
use raccordo_core::time::Instant;

use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::register::{
    CaseRow, FieldRow, ImportRow, IndexRow, RecordRow, RegisterFilter, RegisterRows, WrappingKeyRow,
};

#[async_trait]
impl RegisterRows for MemoryTx {
    async fn hold_register(&mut self) -> Stored<()> {
        // Writers queue behind one another anyway.
        self.alter(|_| ())
    }

    async fn insert_wrapping_key(&mut self, row: WrappingKeyRow) -> Stored<()> {
        self.change(|tables| inserted("wrapping_key", tables.wrapping_key.add(row.number, row)))
    }

    async fn wrapping_keys(&mut self) -> Stored<Vec<WrappingKeyRow>> {
        self.look(|tables| tables.wrapping_key.rows().map(|(_, row)| row.clone()).collect())
    }

    async fn delete_wrapping_keys_before(&mut self, number: u64) -> Stored<u64> {
        self.alter(|tables| {
            let forgotten = |row: &RecordRow| row.key_number < number && row.state == "erased";
            tables.register_record.change_where(.., forgotten, |row| row.key_number = 0);
            let gone = tables.wrapping_key.range(..number).count();
            tables.wrapping_key.remove_where(..number, |_, _| true);
            u64::try_from(gone).unwrap_or(u64::MAX)
        })
    }

    async fn insert_records(&mut self, rows: Vec<RecordRow>) -> Stored<()> {
        self.change(|tables| {
            for mut row in rows {
                row.position = tables.next_number("register");
                let (record, position) = (row.record, row.position);
                inserted("register_record", tables.register_record.add(record, row))?;
                tables.record_place.put(position, record);
            }
            Ok(())
        })
    }

    async fn insert_fields(&mut self, rows: &[FieldRow]) -> Stored<()> {
        self.change(|tables| {
            for row in rows {
                let key = (row.record, row.place);
                let new = tables.register_field.add(key, row.sealed.clone());
                inserted("register_field", new)?;
            }
            Ok(())
        })
    }

    async fn insert_index(&mut self, rows: &[IndexRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                tables.register_index.add((row.digest, row.record), ());
            }
        })
    }

    async fn register_record(&mut self, record: RecordId) -> Stored<Option<RecordRow>> {
        self.look(|tables| tables.register_record.row(&record).cloned())
    }

    async fn records_among(&mut self, records: &[RecordId]) -> Stored<Vec<RecordRow>> {
        self.look(|tables| {
            let rows = records.iter().filter_map(|record| tables.register_record.row(record));
            let mut rows: Vec<_> = rows.cloned().collect();
            rows.sort_by_key(|row| row.position);
            rows.dedup_by_key(|row| row.position);
            rows
        })
    }

    async fn record_fields(&mut self, record: RecordId) -> Stored<Vec<FieldRow>> {
        self.look(|tables| {
            let rows = tables.register_field.range((record, 0)..=(record, u32::MAX));
            let row = |((record, place), sealed): (&(RecordId, u32), &Vec<u8>)| FieldRow {
                record: *record,
                place: *place,
                sealed: sealed.clone(),
            };
            rows.map(row).collect()
        })
    }

    async fn has_records(&mut self) -> Stored<bool> {
        self.look(|tables| tables.register_record.rows().next().is_some())
    }

    async fn list_records(&mut self, filter: &RegisterFilter) -> Stored<Vec<RecordRow>> {
        let RegisterFilter { organisation, state, kind, after_position, limit } = filter;
        let fits = |row: &&RecordRow| {
            organisation.is_none_or(|organisation| row.organisation == organisation)
                && state.as_ref().is_none_or(|state| row.state == *state)
                && kind.as_ref().is_none_or(|kind| row.kind == *kind)
        };
        self.look(|tables| {
            let places = tables.record_place.range(after_position.saturating_add(1)..);
            let rows = places.filter_map(|(_, record)| tables.register_record.row(record));
            first(rows.filter(fits), *limit)
        })
    }

    async fn records_with(&mut self, digest: &Digest, limit: u32) -> Stored<Vec<RecordId>> {
        let from = (*digest, RecordId(uuid::Uuid::nil()));
        self.look(|tables| {
            let rows = tables.register_index.range(from..);
            let rows = rows.take_while(|((of, _), ())| of == digest);
            first(rows.map(|((_, record), ())| record), limit)
        })
    }

    async fn erase_record(&mut self, record: RecordId, at: Instant) -> Stored<()> {
        self.alter(|tables| {
            tables.register_field.remove_where((record, 0)..=(record, u32::MAX), |_, _| true);
            tables.register_index.remove_where(.., |(_, of), ()| *of == record);
            tables.register_record.change(&record, |row| {
                row.state = "erased".to_owned();
                row.wrapped_key.clear();
                row.sealed_codes.clear();
                row.changed_at = at;
            });
            let of_it = |row: &CaseRow| row.record == record;
            tables.register_case.change_where(.., of_it, |row| {
                row.state = "erased".to_owned();
                row.sealed_codes.clear();
                row.changed_at = at;
            });
        })
    }

    async fn records_wrapped_before(&mut self, number: u64, limit: u32) -> Stored<Vec<RecordRow>> {
        self.look(|tables| {
            let rows = tables.register_record.rows().map(|(_, row)| row);
            let old = rows.filter(|row| row.key_number < number && row.state == "active");
            let mut old: Vec<_> = old.collect();
            old.sort_by_key(|row| (row.key_number, row.position));
            first(old.into_iter(), limit)
        })
    }

    async fn rewrap_record(
        &mut self,
        record: RecordId,
        key_number: u64,
        wrapped_key: Vec<u8>,
    ) -> Stored<()> {
        let rewrap = |row: &mut RecordRow| {
            row.key_number = key_number;
            row.wrapped_key = wrapped_key;
        };
        self.alter(|tables| tables.register_record.change(&record, rewrap)).map(drop)
    }

    async fn erased_under(&mut self, number: u64) -> Stored<bool> {
        let under =
            |row: &RecordRow| (1..=number).contains(&row.key_number) && row.state == "erased";
        self.look(|tables| tables.register_record.rows().any(|(_, row)| under(row)))
    }

    async fn insert_cases(&mut self, rows: Vec<CaseRow>) -> Stored<()> {
        self.change(|tables| {
            for mut row in rows {
                let taken = tables.register_case.rows().any(|(_, other)| other.case == row.case);
                inserted("register_case", !taken)?;
                row.position = tables.next_number("register");
                tables.register_case.put(row.position, row);
            }
            Ok(())
        })
    }

    async fn register_case(&mut self, case: CaseId) -> Stored<Option<CaseRow>> {
        self.look(|tables| {
            tables.register_case.rows().map(|(_, row)| row).find(|row| row.case == case).cloned()
        })
    }

    async fn list_cases(&mut self, filter: &RegisterFilter) -> Stored<Vec<CaseRow>> {
        let RegisterFilter { organisation, state, after_position, limit, .. } = filter;
        let fits = |row: &&CaseRow| {
            organisation.is_none_or(|organisation| row.organisation == organisation)
                && state.as_ref().is_none_or(|state| row.state == *state)
        };
        self.look(|tables| {
            let rows = tables.register_case.range(after_position.saturating_add(1)..);
            first(rows.map(|(_, row)| row).filter(fits), *limit)
        })
    }

    async fn cases_of(&mut self, record: RecordId) -> Stored<Vec<CaseRow>> {
        self.look(|tables| {
            let rows = tables.register_case.rows().map(|(_, row)| row);
            rows.filter(|row| row.record == record).cloned().collect()
        })
    }

    async fn update_case(&mut self, row: &CaseRow) -> Stored<()> {
        let update = |old: &mut CaseRow| {
            old.manager = row.manager;
            old.state = row.state.clone();
            old.sealed_codes = row.sealed_codes.clone();
            old.changed_at = row.changed_at;
        };
        self.alter(|tables| {
            tables.register_case.change_where(.., |old| old.case == row.case, update)
        })
    }

    async fn register_import(&mut self, source: &Digest) -> Stored<Option<ImportRow>> {
        self.look(|tables| tables.register_import.row(source).cloned())
    }

    async fn put_register_import(&mut self, row: ImportRow) -> Stored<()> {
        self.alter(|tables| tables.register_import.put(row.source, row))
    }
}
