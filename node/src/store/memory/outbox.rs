//! Rows of envelopes and entries to be sent, in memory.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    Digest, EntryId, EnvelopeId, Epoch, LineageId, ObjectId, RecordId, Sequence,
};
use raccordo_core::time::Instant;

use super::tables::Tables;
use super::{MemoryTx, first, inserted};
use crate::store::Stored;
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, OutboxRows};

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

    async fn objects_under_way(
        &mut self,
        lineage: LineageId,
        queued_before: Instant,
        limit: u32,
    ) -> Stored<Vec<ObjectId>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        self.look(|tables| {
            let rows = envelopes(tables, lineage);
            let rows = rows.filter(|row| row.object.is_some() && row.queued_at < queued_before);
            let mut objects: Vec<_> = rows.take(most).filter_map(|row| row.object).collect();
            let mut seen = BTreeSet::new();
            objects.retain(|object| seen.insert(*object));
            objects
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

    async fn envelopes_of_node(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        let of = |row: &&EnvelopeRow| row.entry == Some(entry) && row.object.is_none();
        self.look(|tables| envelopes(tables, lineage).filter(of).cloned().collect())
    }

    async fn envelopes_at(
        &mut self,
        lineage: LineageId,
        place: Sequence,
    ) -> Stored<Vec<EnvelopeRow>> {
        let at = |row: &&EnvelopeRow| row.sequence == place;
        self.look(|tables| envelopes(tables, lineage).filter(at).cloned().collect())
    }

    async fn envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
    ) -> Stored<Option<EnvelopeRow>> {
        self.look(|tables| {
            let place = tables.envelope_place.row(&(lineage, envelope))?;
            tables.envelope.row(&(lineage, *place)).cloned()
        })
    }

    async fn envelopes_of_record(&mut self, record: RecordId) -> Stored<Vec<EnvelopeRow>> {
        let of = |row: &&EnvelopeRow| row.record == Some(record);
        self.look(|tables| tables.envelope.rows().map(|(_, row)| row).filter(of).cloned().collect())
    }

    async fn blank_envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        sealed: Vec<u8>,
    ) -> Stored<()> {
        self.alter(|tables| {
            let Some(place) = tables.envelope_place.row(&(lineage, envelope)) else { return };
            tables.envelope.change(&(lineage, *place), |old| {
                old.sealed = sealed;
                old.record = None;
            });
        })
    }

    async fn unpack_envelopes(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        let of = |row: &EnvelopeRow| row.entry == Some(entry);
        let unpack = |row: &mut EnvelopeRow| row.entry = None;
        self.alter(|tables| tables.envelope.change_where(whole(lineage), of, unpack))
    }

    async fn entries_placed(
        &mut self,
        lineage: LineageId,
        places: &[(EntryId, Sequence)],
    ) -> Stored<()> {
        self.alter(|tables| {
            let mut places = places.to_vec();
            places.sort_by_key(|(_, sequence)| *sequence);
            for (entry, sequence) in places {
                entry_placed(tables, lineage, entry, sequence);
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
            let gone: Vec<_> = gone.cloned().collect();
            for EntryRow { position, entry, kind, epoch, payload_digest, .. } in gone {
                tables.made_entry.add((lineage, payload_digest), (kind, epoch));
                tables.entry.remove(&(lineage, position));
                tables.entry_place.remove(&(lineage, entry));
            }
        })
    }

    async fn has_made(&mut self, lineage: LineageId, payload: Digest) -> Stored<bool> {
        self.look(|tables| {
            tables.made_entry.row(&(lineage, payload)).is_some()
                || entries(tables, lineage).any(|row| row.payload_digest == payload)
        })
    }

    async fn forget_made(&mut self, lineage: LineageId, but: Epoch) -> Stored<()> {
        let whole = (lineage, Digest([0; 32]))..=(lineage, Digest([255; 32]));
        self.alter(|tables| {
            tables.made_entry.remove_where(whole, |_, (kind, epoch)| {
                *kind != EntryKind::Notice && *epoch != but
            });
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

    async fn pending_changes(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<EntryRow>> {
        let is = |row: &&EntryRow| {
            row.kind != EntryKind::Application && row.state == EntryState::Pending
        };
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

fn entry_placed(tables: &mut Tables, lineage: LineageId, entry: EntryId, sequence: Sequence) {
    let Some(place) = tables.entry_place.row(&(lineage, entry)).copied() else { return };
    tables.entry.change(&(lineage, place), |row| {
        if row.state == EntryState::Pending {
            row.state = EntryState::Accepted;
            row.sequence = sequence;
        }
    });
    let accepted = |row: &EntryRow| row.state == EntryState::Accepted && row.sequence == sequence;
    if !tables.entry.row(&(lineage, place)).is_some_and(accepted) {
        return;
    }
    let of = |row: &EnvelopeRow| row.entry == Some(entry);
    let packed = envelopes(tables, lineage).filter(|row| of(row));
    let objects: Vec<ObjectId> = packed.filter_map(|row| row.object).collect();
    tables.envelope.change_where(whole(lineage), of, |row| row.sequence = sequence);
    for object in objects {
        tables.object.change(&object, |row| row.sequence = sequence);
    }
}

/// All positions of an équipe.
pub(super) fn whole(lineage: LineageId) -> RangeInclusive<(LineageId, u64)> {
    (lineage, 0)..=(lineage, u64::MAX)
}

fn envelopes(tables: &Tables, lineage: LineageId) -> impl Iterator<Item = &EnvelopeRow> {
    tables.envelope.range(whole(lineage)).map(|(_, row)| row)
}

fn entries(tables: &Tables, lineage: LineageId) -> impl Iterator<Item = &EntryRow> {
    tables.entry.range(whole(lineage)).map(|(_, row)| row)
}
