//! Rows of objects, in memory.

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::tables::Tables;
use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::object::{
    NewestFilter, ObjectFilter, ObjectHead, ObjectReports, ObjectRow, ObjectRows,
};

#[async_trait]
impl ObjectRows for MemoryTx {
    async fn insert_objects(&mut self, rows: Vec<ObjectRow>) -> Stored<()> {
        self.change(|tables| {
            for mut row in rows {
                row.position = tables.next_number("object");
                let (object, position) = (row.object, row.position);
                inserted("object", tables.object.add(object, row))?;
                tables.object_place.put(position, object);
            }
            Ok(())
        })
    }

    async fn object(&mut self, object: ObjectId) -> Stored<Option<ObjectRow>> {
        self.look(|tables| tables.object.row(&object).cloned())
    }

    async fn is_own_share(&mut self, lineage: LineageId, envelope: EnvelopeId) -> Stored<bool> {
        let is = |row: &ObjectRow| {
            row.received_at.is_none() && (row.lineage, row.envelope) == (lineage, envelope)
        };
        self.look(|tables| tables.object.rows().any(|(_, row)| is(row)))
    }

    async fn objects_among(&mut self, objects: &[ObjectId]) -> Stored<Vec<ObjectRow>> {
        self.look(|tables| {
            let rows = objects.iter().filter_map(|object| tables.object.row(object));
            let mut rows: Vec<_> = rows.cloned().collect();
            rows.sort_by_key(|row| row.position);
            rows.dedup_by_key(|row| row.position);
            rows
        })
    }

    async fn update_object(&mut self, row: &ObjectRow) -> Stored<()> {
        let update = |old: &mut ObjectRow| {
            old.version = row.version;
            old.state = row.state.clone();
            old.wrapped_key = row.wrapped_key.clone();
            old.sealed_share = row.sealed_share.clone();
            old.sealed_author = row.sealed_author.clone();
            old.end_reason = row.end_reason.clone();
        };
        self.alter(|tables| tables.object.change(&row.object, update)).map(drop)
    }

    async fn list_objects(&mut self, filter: &ObjectFilter) -> Stored<Vec<ObjectRow>> {
        let ObjectFilter { lineage, origin, state, after_position, limit } = filter;
        let fits = |row: &&ObjectRow| {
            lineage.is_none_or(|lineage| row.lineage == lineage)
                && origin.as_ref().is_none_or(|origin| row.origin == *origin)
                && state.as_ref().is_none_or(|state| row.state == *state)
        };
        self.look(|tables| {
            let places = tables.object_place.range(after_position.saturating_add(1)..);
            let rows = places.filter_map(|(_, object)| tables.object.row(object));
            first(rows.filter(fits), *limit)
        })
    }

    async fn newest_objects(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectRow>> {
        self.look(|tables| first(newest(tables, filter), filter.limit))
    }

    async fn newest_heads(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectHead>> {
        let head = |row: &ObjectRow| ObjectHead {
            object: row.object,
            position: row.position,
            version: row.version,
        };
        let most = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        self.look(|tables| newest(tables, filter).take(most).map(head).collect())
    }

    async fn objects_refused(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<ObjectRow>> {
        self.look(|tables| {
            let refused = |envelope: EnvelopeId| {
                tables.refusal.rows().any(|(key, _)| (key.0, key.1) == (lineage, envelope))
            };
            let places = tables.object_place.rows();
            let rows = places.filter_map(|(_, object)| tables.object.row(object));
            let own = |row: &&ObjectRow| {
                let here = row.lineage == lineage && row.received_at.is_none();
                here && row.state == "active" && refused(row.envelope)
            };
            first(rows.filter(own), limit)
        })
    }

    async fn objects_expired(&mut self, now: Instant, limit: u32) -> Stored<Vec<ObjectRow>> {
        self.look(|tables| {
            let rows = tables.object.rows().map(|(_, row)| row);
            let expired = rows.filter(|row| row.state == "active" && row.expires_at <= now);
            let mut expired: Vec<_> = expired.collect();
            expired.sort_by_key(|row| (row.expires_at, row.position));
            first(expired.into_iter(), limit)
        })
    }

    async fn object_reports(&mut self, rows: &[ObjectRow]) -> Stored<Vec<ObjectReports>> {
        self.look(|tables| {
            let report = |row: &ObjectRow| {
                let reads = tables.object_read.rows().map(|(key, ())| key);
                let of = |key: &&(LineageId, ObjectId, NodeId)| {
                    (key.0, key.1) == (row.lineage, row.object)
                };
                let read = reads.filter(of).map(|key| key.2.clone()).collect();
                let refused =
                    |((lineage, envelope, _), _): &(&(LineageId, EnvelopeId, NodeId), _)| {
                        (*lineage, *envelope) == (row.lineage, row.envelope)
                    };
                let refusals = tables.refusal.rows().filter(refused);
                let refusals = refusals.map(|(key, reason)| (key.2.clone(), reason.clone()));
                ObjectReports { read, refusals: refusals.collect() }
            };
            rows.iter().map(report).collect()
        })
    }

    async fn note_read(&mut self, lineage: LineageId, object: ObjectId) -> Stored<()> {
        self.alter(|tables| tables.read_note.add((lineage, object), false)).map(drop)
    }

    async fn has_unreported_reads(&mut self, lineage: LineageId) -> Stored<bool> {
        self.look(|tables| {
            let mut notes = tables.read_note.rows();
            notes.any(|((of, _), reported)| *of == lineage && !*reported)
        })
    }

    async fn take_unreported_reads(
        &mut self,
        lineage: LineageId,
        limit: u32,
    ) -> Stored<Vec<ObjectId>> {
        self.alter(|tables| {
            let notes = tables.read_note.rows();
            let notes = notes.filter(|((of, _), reported)| *of == lineage && !**reported);
            let taken = first(notes.map(|((_, object), _)| object), limit);
            for object in &taken {
                tables.read_note.put((lineage, *object), true);
            }
            taken
        })
    }

    async fn place_objects(&mut self, places: &[(ObjectId, Sequence)]) -> Stored<()> {
        self.alter(|tables| {
            for (object, sequence) in places {
                tables.object.change(object, |row| row.sequence = *sequence);
            }
        })
    }

    async fn objects_placed_until(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        let beyond = |row: &ObjectRow| row.lineage == lineage && row.sequence > sequence;
        self.alter(|tables| {
            tables.object.change_where(.., beyond, |row| row.sequence = sequence);
        })
    }
}

/// Objects that a filter lets pass, the newest first.
fn newest<'t>(
    tables: &'t Tables,
    filter: &NewestFilter,
) -> impl Iterator<Item = &'t ObjectRow> + use<'t> {
    let filter = filter.clone();
    let (after, before) = (filter.after_position, filter.before_position.unwrap_or(u64::MAX));
    let fits = move |row: &&ObjectRow| {
        filter.lineage.is_none_or(|lineage| row.lineage == lineage)
            && filter.origin.as_ref().is_none_or(|origin| row.origin == *origin)
            && filter.not_origin.as_ref().is_none_or(|origin| row.origin != *origin)
            && filter.state.as_ref().is_none_or(|state| row.state == *state)
            && filter.kind.as_ref().is_none_or(|kind| row.kind == *kind)
    };
    let after = after.saturating_add(1);
    let places = tables.object_place.range(after.min(before)..before);
    places.rev().filter_map(|(_, object)| tables.object.row(object)).filter(fits)
}
