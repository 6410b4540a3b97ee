//! Rows of matches and stop values, in memory.

use async_trait::async_trait;
use raccordo_core::id::{Digest, EnvelopeId, LineageId, ObjectId, OperatorId, RecordId};
use raccordo_core::matching::life::MatchId;

use super::tables::Tables;
use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::matching::{
    MatchEventRow, MatchFilter, MatchRow, MatchRows, MatchStage, RecordObjectRow, StopValueRow,
};

#[async_trait]
impl MatchRows for MemoryTx {
    async fn put_record_object(&mut self, row: RecordObjectRow) -> Stored<()> {
        self.alter(|tables| {
            if !tables.record_object.change(&row.object, |old| old.shared = row.shared) {
                tables.record_object.put(row.object, row);
            }
        })
    }

    async fn record_object(&mut self, object: ObjectId) -> Stored<Option<RecordObjectRow>> {
        self.look(|tables| tables.record_object.row(&object).cloned())
    }

    async fn objects_of_record(&mut self, record: RecordId) -> Stored<Vec<RecordObjectRow>> {
        self.look(|tables| {
            let rows = tables.record_object.rows().map(|(_, row)| row);
            rows.filter(|row| row.record == record).cloned().collect()
        })
    }

    async fn delete_record_object(&mut self, object: ObjectId) -> Stored<()> {
        self.alter(|tables| tables.record_object.remove(&object))
    }

    async fn insert_match(&mut self, mut row: MatchRow) -> Stored<()> {
        self.change(|tables| {
            let taken = tables.found_match.rows().any(|(_, other)| other.id == row.id);
            inserted("found_match", !taken)?;
            row.position = tables.next_number("match");
            tables.found_match.put(row.position, row);
            Ok(())
        })
    }

    async fn update_match(&mut self, row: &MatchRow) -> Stored<()> {
        let update = |old: &mut MatchRow| {
            let (position, found_at) = (old.position, old.found_at);
            *old = MatchRow { position, found_at, ..row.clone() };
        };
        self.alter(|tables| tables.found_match.change_where(.., |old| old.id == row.id, update))
    }

    async fn found_match(&mut self, id: MatchId) -> Stored<Option<MatchRow>> {
        self.look(|tables| {
            tables.found_match.rows().map(|(_, row)| row).find(|row| row.id == id).cloned()
        })
    }

    async fn list_matches(&mut self, after: u64, limit: u32) -> Stored<Vec<MatchRow>> {
        self.look(|tables| {
            let rows = tables.found_match.range(after.saturating_add(1)..);
            first(rows.map(|(_, row)| row), limit)
        })
    }

    async fn newest_matches(&mut self, filter: &MatchFilter) -> Stored<Vec<MatchRow>> {
        self.look(|tables| first(met(tables, filter), filter.limit))
    }

    async fn count_matches(&mut self, filter: &MatchFilter) -> Stored<u64> {
        self.look(|tables| met(tables, filter).fold(0_u64, |sum, _| sum.saturating_add(1)))
    }

    async fn matches_of_record(&mut self, record: RecordId) -> Stored<Vec<MatchRow>> {
        self.look(|tables| {
            let rows = tables.found_match.rows().map(|(_, row)| row);
            rows.filter(|row| row.record == record).cloned().collect()
        })
    }

    async fn matches_of_object(&mut self, object: ObjectId) -> Stored<Vec<MatchRow>> {
        self.look(|tables| {
            let rows = tables.found_match.rows().map(|(_, row)| row);
            rows.filter(|row| row.ours == object || row.theirs == object).cloned().collect()
        })
    }

    async fn delete_match(&mut self, id: MatchId) -> Stored<()> {
        self.alter(|tables| tables.found_match.remove_where(.., |_, row| row.id == id))
    }

    async fn put_match_event(&mut self, row: MatchEventRow) -> Stored<()> {
        self.alter(|tables| {
            tables.match_event.add(row.envelope, row);
        })
    }

    async fn take_match_event(&mut self, envelope: EnvelopeId) -> Stored<Option<MatchEventRow>> {
        self.alter(|tables| {
            let row = tables.match_event.row(&envelope).cloned();
            tables.match_event.remove(&envelope);
            row
        })
    }

    async fn match_events(&mut self, lineage: LineageId) -> Stored<Vec<MatchEventRow>> {
        self.look(|tables| {
            let rows = tables.match_event.rows().map(|(_, row)| row);
            rows.filter(|row| row.lineage == lineage).cloned().collect()
        })
    }

    async fn put_stop_value(&mut self, row: StopValueRow) -> Stored<bool> {
        self.alter(|tables| tables.stop_value.add(row.digest, row))
    }

    async fn stop_values(&mut self) -> Stored<Vec<StopValueRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.stop_value.rows().map(|(_, row)| row.clone()).collect();
            rows.sort_by_key(|row| row.added_at);
            rows
        })
    }

    async fn delete_stop_value(&mut self, digest: &Digest) -> Stored<bool> {
        self.alter(|tables| {
            let known = tables.stop_value.row(digest).is_some();
            tables.stop_value.remove(digest);
            known
        })
    }

    async fn put_operator_phone(
        &mut self,
        operator: OperatorId,
        sealed: Option<Vec<u8>>,
    ) -> Stored<()> {
        self.alter(|tables| match sealed {
            Some(sealed) => tables.operator_phone.put(operator, sealed),
            None => tables.operator_phone.remove(&operator),
        })
    }

    async fn operator_phone(&mut self, operator: OperatorId) -> Stored<Option<Vec<u8>>> {
        self.look(|tables| tables.operator_phone.row(&operator).cloned())
    }
}

/// Matches that a filter lets pass, the newest first.
fn met<'t>(tables: &'t Tables, filter: &'t MatchFilter) -> impl Iterator<Item = &'t MatchRow> {
    let after = filter.after_position.saturating_add(1);
    let before = filter.before_position.unwrap_or(u64::MAX);
    let stage = |row: &MatchRow| match filter.stage {
        MatchStage::Any => true,
        MatchStage::Undecided => matches!(row.state.as_str(), "candidate" | "confirmed_there"),
        MatchStage::Unanswered => row.state == "linked" && row.said_here.is_empty(),
    };
    let owned = |row: &MatchRow| {
        tables.register_record.row(&row.record).is_some_and(|record| {
            let subject =
                if record.subject == "company" { filter.companies } else { filter.people };
            subject && filter.organisation.is_none_or(|it| record.organisation == it)
        })
    };
    let rows = tables.found_match.range(after.min(before)..before).rev().map(|(_, row)| row);
    rows.filter(move |row| stage(row) && owned(row))
}
