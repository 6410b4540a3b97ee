//! Équipes with what they send, receive and hold, in memory.

use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    EntryId, EnvelopeId, Epoch, GroupId, LineageId, NodeId, ObjectId, Sequence,
};
use raccordo_core::time::Instant;

use super::tables::Tables;
use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, EquipeRow, EquipeRows, MemberRow};
use crate::store::inbox::{ChunkRow, InboxRows, SetAsideRow};
use crate::store::object::{ObjectFilter, ObjectReports, ObjectRow, ObjectRows};
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, OutboxRows};

#[async_trait]
impl EquipeRows for MemoryTx {
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool> {
        let raise = |row: &mut EquipeRow| row.version = row.version.saturating_add(1);
        self.alter(|tables| tables.equipe.change(&lineage, raise))
    }

    async fn equipe(&mut self, lineage: LineageId) -> Stored<Option<EquipeRow>> {
        self.look(|tables| tables.equipe.row(&lineage).cloned())
    }

    async fn equipe_named(&mut self, name: &str) -> Stored<Option<EquipeRow>> {
        let find = |tables: &Tables| {
            tables.equipe.rows().map(|(_, row)| row).find(|row| row.name == name).cloned()
        };
        self.look(find)
    }

    async fn equipe_of_group(&mut self, group: GroupId) -> Stored<Option<EquipeRow>> {
        let find = |tables: &Tables| {
            tables.equipe.rows().map(|(_, row)| row).find(|row| row.group == group).cloned()
        };
        self.look(find)
    }

    async fn equipes(&mut self) -> Stored<Vec<EquipeRow>> {
        self.look(|tables| {
            let mut rows: Vec<_> = tables.equipe.rows().map(|(_, row)| row.clone()).collect();
            rows.sort_by(|a, b| a.name.cmp(&b.name));
            rows
        })
    }

    async fn insert_equipe(&mut self, row: EquipeRow) -> Stored<()> {
        self.change(|tables| {
            let named = |(_, other): (_, &EquipeRow)| other.name == row.name;
            let free = !tables.equipe.rows().any(named);
            inserted("equipe", free && tables.equipe.add(row.lineage, row))
        })
    }

    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()> {
        let update = |old: &mut EquipeRow| *old = EquipeRow { version: old.version, ..row.clone() };
        self.alter(|tables| tables.equipe.change(&row.lineage, update)).map(drop)
    }

    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>> {
        let of = |row: &&MemberRow| row.lineage == lineage;
        self.look(|tables| tables.member.rows().map(|(_, row)| row).filter(of).cloned().collect())
    }

    async fn put_member(&mut self, row: MemberRow) -> Stored<()> {
        self.alter(|tables| tables.member.put((row.lineage, row.node.clone()), row))
    }

    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        self.alter(|tables| tables.member.remove(&(lineage, node.clone())))
    }

    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>> {
        self.look(|tables| {
            let rows = tables.alarm.rows().map(|(_, row)| row);
            let mut rows: Vec<_> = rows.filter(|row| row.lineage == lineage).cloned().collect();
            rows.sort_by_key(|row| row.raised_at);
            rows
        })
    }

    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()> {
        self.alter(|tables| {
            let key = (row.lineage, row.code.clone());
            let raised_at = tables.alarm.row(&key).map_or(row.raised_at, |old| old.raised_at);
            tables.alarm.put(key, AlarmRow { raised_at, ..row });
        })
    }

    async fn delete_alarm(&mut self, lineage: LineageId, code: &str) -> Stored<()> {
        self.alter(|tables| tables.alarm.remove(&(lineage, code.to_owned())))
    }
}

#[async_trait]
impl OutboxRows for MemoryTx {
    async fn queue_envelopes(&mut self, rows: Vec<EnvelopeRow>) -> Stored<()> {
        self.change(|tables| {
            for mut row in rows {
                let newest = tables.envelope.range(whole(row.lineage)).next_back();
                row.position = newest.map_or(0, |((_, place), _)| *place).saturating_add(1);
                let place = (row.lineage, row.envelope);
                inserted("envelope", tables.envelope_place.add(place, row.position))?;
                tables.envelope.put((row.lineage, row.position), row);
            }
            Ok(())
        })
    }

    async fn queued_envelopes(
        &mut self,
        lineage: LineageId,
        case_bearing: bool,
        limit: u32,
    ) -> Stored<Vec<EnvelopeRow>> {
        let queued = |row: &&EnvelopeRow| row.entry.is_none() && row.case_bearing <= case_bearing;
        self.look(|tables| first(envelopes(tables, lineage).filter(queued), limit))
    }

    async fn unaccepted_envelopes(&mut self, lineage: LineageId) -> Stored<u64> {
        let waits = |row: &&EnvelopeRow| row.sequence == Sequence(0);
        self.look(|tables| {
            envelopes(tables, lineage).filter(waits).fold(0_u64, |sum, _| sum.saturating_add(1))
        })
    }

    async fn pack_envelopes(&mut self, rows: &[EnvelopeRow]) -> Stored<()> {
        self.alter(|tables| {
            for row in rows {
                let Some(place) = tables.envelope_place.row(&(row.lineage, row.envelope)) else {
                    continue;
                };
                tables.envelope.change(&(row.lineage, *place), |old| {
                    old.entry = row.entry;
                    old.sealed = row.sealed.clone();
                });
            }
        })
    }

    async fn envelopes_of(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        let of = |row: &&EnvelopeRow| row.entry == Some(entry);
        self.look(|tables| envelopes(tables, lineage).filter(of).cloned().collect())
    }

    async fn unpack_envelopes(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        let of = |row: &EnvelopeRow| row.entry == Some(entry);
        let unpack = |row: &mut EnvelopeRow| row.entry = None;
        self.alter(|tables| tables.envelope.change_where(whole(lineage), of, unpack))
    }

    async fn envelopes_placed(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
        sequence: Sequence,
    ) -> Stored<()> {
        self.alter(|tables| {
            let of = |row: &EnvelopeRow| row.entry == Some(entry);
            let packed = envelopes(tables, lineage).filter(|row| of(row));
            let objects: Vec<ObjectId> = packed.filter_map(|row| row.object).collect();
            tables.envelope.change_where(whole(lineage), of, |row| row.sequence = sequence);
            for object in objects {
                tables.object.change(&object, |row| row.sequence = sequence);
            }
        })
    }

    async fn forget_delivered(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()> {
        let delivered = |sequence: Sequence| sequence > Sequence(0) && sequence <= up_to;
        self.alter(|tables| {
            let gone = envelopes(tables, lineage).filter(|row| delivered(row.sequence));
            let gone: Vec<_> = gone.map(|row| (row.position, row.envelope)).collect();
            for (position, envelope) in gone {
                tables.envelope.remove(&(lineage, position));
                tables.envelope_place.remove(&(lineage, envelope));
            }
            let gone = entries(tables, lineage).filter(|row| delivered(row.sequence));
            let gone: Vec<_> = gone.map(|row| (row.position, row.entry)).collect();
            for (position, entry) in gone {
                tables.entry.remove(&(lineage, position));
                tables.entry_place.remove(&(lineage, entry));
            }
        })
    }

    async fn insert_entries(&mut self, rows: Vec<EntryRow>) -> Stored<()> {
        self.change(|tables| {
            for mut row in rows {
                let newest = tables.entry.range(whole(row.lineage)).next_back();
                row.position = newest.map_or(0, |((_, place), _)| *place).saturating_add(1);
                let place = (row.lineage, row.entry);
                inserted("entry", tables.entry_place.add(place, row.position))?;
                tables.entry.put((row.lineage, row.position), row);
            }
            Ok(())
        })
    }

    async fn entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<Option<EntryRow>> {
        self.look(|tables| {
            let place = tables.entry_place.row(&(lineage, entry))?;
            tables.entry.row(&(lineage, *place)).cloned()
        })
    }

    async fn entries_in(
        &mut self,
        lineage: LineageId,
        state: EntryState,
        limit: u32,
    ) -> Stored<Vec<EntryRow>> {
        let is = |row: &&EntryRow| row.state == state;
        self.look(|tables| first(entries(tables, lineage).filter(is), limit))
    }

    async fn pending_commit(&mut self, lineage: LineageId) -> Stored<Option<EntryRow>> {
        let pending = |row: &&EntryRow| {
            row.kind == EntryKind::Commit
                && matches!(row.state, EntryState::Pending | EntryState::Stale)
        };
        self.look(|tables| entries(tables, lineage).find(pending).cloned())
    }

    async fn update_entry(&mut self, row: &EntryRow) -> Stored<()> {
        self.alter(|tables| {
            let Some(place) = tables.entry_place.row(&(row.lineage, row.entry)) else {
                return;
            };
            tables.entry.change(&(row.lineage, *place), |old| {
                old.epoch = row.epoch;
                old.payload = row.payload.clone();
                old.payload_digest = row.payload_digest;
                old.state = row.state;
                old.sequence = row.sequence;
                old.reason = row.reason.clone();
            });
        })
    }

    async fn entries_stale_before(&mut self, lineage: LineageId, epoch: Epoch) -> Stored<()> {
        let passed = |row: &EntryRow| {
            row.state == EntryState::Pending
                && row.kind == EntryKind::Application
                && row.epoch < epoch
        };
        let stale = |row: &mut EntryRow| {
            row.state = EntryState::Stale;
            row.payload = Vec::new();
        };
        self.alter(|tables| tables.entry.change_where(whole(lineage), passed, stale))
    }

    async fn delete_entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        self.alter(|tables| {
            if let Some(place) = tables.entry_place.row(&(lineage, entry)).copied() {
                tables.entry.remove(&(lineage, place));
                tables.entry_place.remove(&(lineage, entry));
            }
        })
    }
}

#[async_trait]
impl InboxRows for MemoryTx {
    async fn see_envelope(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        envelope: EnvelopeId,
        expires_at: Instant,
    ) -> Stored<bool> {
        let key = (lineage, origin.clone(), envelope);
        self.alter(|tables| tables.seen.add(key, expires_at))
    }

    async fn forget_seen(&mut self, now: Instant) -> Stored<()> {
        self.alter(|tables| {
            tables.seen.remove_where(.., |_, expires_at| *expires_at <= now);
            tables.chunk.remove_where(.., |_, row| row.expires_at <= now);
        })
    }

    async fn set_aside(&mut self, row: SetAsideRow) -> Stored<()> {
        let key = (row.lineage, row.sequence, row.envelope);
        self.alter(|tables| tables.set_aside.add(key, row)).map(drop)
    }

    async fn set_aside_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
    ) -> Stored<Vec<SetAsideRow>> {
        let from = (lineage, sequence.next(), None);
        self.look(|tables| {
            let rows = tables.set_aside.range(from..).map(|(_, row)| row);
            rows.take_while(|row| row.lineage == lineage).cloned().collect()
        })
    }

    async fn set_aside_count(&mut self, lineage: LineageId) -> Stored<u64> {
        let rows = self.set_aside_after(lineage, Sequence(0)).await?;
        Ok(u64::try_from(rows.len()).unwrap_or(u64::MAX))
    }

    async fn put_chunk(&mut self, row: ChunkRow) -> Stored<()> {
        let key = (row.lineage, row.origin.clone(), row.whole, row.index);
        self.alter(|tables| tables.chunk.add(key, row)).map(drop)
    }

    async fn chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<Vec<ChunkRow>> {
        let parts = parts(lineage, origin, whole);
        self.look(|tables| tables.chunk.range(parts).map(|(_, row)| row.clone()).collect())
    }

    async fn delete_chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<()> {
        let parts = parts(lineage, origin, whole);
        self.alter(|tables| tables.chunk.remove_where(parts, |_, _| true))
    }

    async fn put_refusal(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        member: &NodeId,
        reason: &str,
    ) -> Stored<()> {
        let key = (lineage, envelope, member.clone());
        self.alter(|tables| tables.refusal.put(key, reason.to_owned()))
    }

    async fn put_read(
        &mut self,
        lineage: LineageId,
        object: ObjectId,
        member: &NodeId,
    ) -> Stored<()> {
        self.alter(|tables| tables.object_read.put((lineage, object, member.clone()), ()))
    }
}

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
}

/// All positions of an équipe.
fn whole(lineage: LineageId) -> RangeInclusive<(LineageId, u64)> {
    (lineage, 0)..=(lineage, u64::MAX)
}

fn parts(
    lineage: LineageId,
    origin: &NodeId,
    whole: EnvelopeId,
) -> RangeInclusive<(LineageId, NodeId, EnvelopeId, u32)> {
    (lineage, origin.clone(), whole, 0)..=(lineage, origin.clone(), whole, u32::MAX)
}

fn envelopes(tables: &Tables, lineage: LineageId) -> impl Iterator<Item = &EnvelopeRow> {
    tables.envelope.range(whole(lineage)).map(|(_, row)| row)
}

fn entries(tables: &Tables, lineage: LineageId) -> impl Iterator<Item = &EntryRow> {
    tables.entry.range(whole(lineage)).map(|(_, row)| row)
}
