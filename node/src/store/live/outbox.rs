//! The outbox in memory: where its rows are, for every question that is asked of it, so that
//! none of them walks through what waits.

use std::ops::RangeInclusive;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{Digest, EntryId, EnvelopeId, LineageId, Sequence};

use super::{LiveTables, Table};
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, MadeEntryRow};
use crate::store::{StoreError, Stored};

/// Positions of the outbox's rows by what is asked of them.
#[derive(Clone, Debug, Default)]
pub struct OutboxPlaces {
    envelope_by_id: Table<(LineageId, EnvelopeId), u64>,
    /// Not packed yet.
    envelope_queued: Table<(LineageId, u64), ()>,
    envelope_by_entry: Table<(LineageId, EntryId, u64), ()>,
    /// Place in the log, 0 before.
    envelope_by_place: Table<(LineageId, Sequence, u64), ()>,
    entry_by_id: Table<(LineageId, EntryId), u64>,
    /// All but accepted ones, of which there may be many.
    entry_by_state: Table<(LineageId, EntryState, u64), ()>,
    entry_by_place: Table<(LineageId, Sequence, u64), ()>,
    entry_by_payload: Table<(LineageId, Digest, u64), ()>,
    commit: Table<(LineageId, u64), ()>,
}

/// All positions of an équipe.
pub(super) fn whole(lineage: LineageId) -> RangeInclusive<(LineageId, u64)> {
    (lineage, 0)..=(lineage, u64::MAX)
}

/// All rows at places of an équipe's log.
fn between(
    lineage: LineageId,
    first: Sequence,
    last: Sequence,
) -> RangeInclusive<(LineageId, Sequence, u64)> {
    (lineage, first, 0)..=(lineage, last, u64::MAX)
}

impl LiveTables {
    /// Notes where the rows are that were loaded.
    pub(in crate::store) fn load_places(&mut self) {
        let mut places = OutboxPlaces::default();
        self.envelope.rows().for_each(|(_, row)| places.add_envelope(row));
        self.entry.rows().for_each(|(_, row)| places.add_entry(row));
        self.places = places;
    }

    /// Adds an envelope at the end of its équipe's queue.
    pub(super) fn add_envelope(&mut self, mut row: EnvelopeRow) -> Stored<()> {
        if self.places.envelope_by_id.row(&(row.lineage, row.envelope)).is_some() {
            return Err(StoreError::Exists("envelope"));
        }
        let newest = self.envelope.range(whole(row.lineage)).next_back();
        row.position = newest.map_or(0, |((_, place), _)| *place).saturating_add(1);
        self.places.add_envelope(&row);
        self.envelope.put((row.lineage, row.position), row);
        Ok(())
    }

    /// Adds an entry at the end of its équipe's.
    pub(super) fn add_entry(&mut self, mut row: EntryRow) -> Stored<()> {
        if self.places.entry_by_id.row(&(row.lineage, row.entry)).is_some() {
            return Err(StoreError::Exists("entry"));
        }
        let newest = self.entry.range(whole(row.lineage)).next_back();
        row.position = newest.map_or(0, |((_, place), _)| *place).saturating_add(1);
        self.places.add_entry(&row);
        self.entry.put((row.lineage, row.position), row);
        Ok(())
    }

    /// Changes an envelope; nothing where there is none at this position.
    pub(super) fn change_envelope(
        &mut self,
        (lineage, position): (LineageId, u64),
        change: impl FnOnce(&mut EnvelopeRow),
    ) {
        let Some(mut row) = self.envelope.row(&(lineage, position)).cloned() else { return };
        self.places.remove_envelope(&row);
        change(&mut row);
        self.places.add_envelope(&row);
        self.envelope.put((lineage, position), row);
    }

    /// Changes an entry; nothing where there is none at this position.
    pub(super) fn change_entry(
        &mut self,
        (lineage, position): (LineageId, u64),
        change: impl FnOnce(&mut EntryRow),
    ) {
        let Some(mut row) = self.entry.row(&(lineage, position)).cloned() else { return };
        self.places.remove_entry(&row);
        change(&mut row);
        self.places.add_entry(&row);
        self.entry.put((lineage, position), row);
    }

    /// Removes an envelope.
    pub(super) fn remove_envelope(&mut self, key: (LineageId, u64)) {
        if let Some(row) = self.envelope.row(&key).cloned() {
            self.places.remove_envelope(&row);
            self.envelope.remove(&key);
        }
    }

    /// Notes that this node has made an entry, which is about to be forgotten.
    pub(super) fn remember_made(&mut self, key: (LineageId, u64)) {
        let Some(row) = self.entry.row(&key) else { return };
        let EntryRow { lineage, payload_digest, kind, epoch, .. } = *row;
        let made = MadeEntryRow { lineage, payload_digest, kind, epoch };
        self.made_entry.add((lineage, payload_digest), made);
    }

    /// Removes an entry.
    pub(super) fn remove_entry(&mut self, key: (LineageId, u64)) {
        if let Some(row) = self.entry.row(&key).cloned() {
            self.places.remove_entry(&row);
            self.entry.remove(&key);
        }
    }
}

impl OutboxPlaces {
    fn add_envelope(&mut self, row: &EnvelopeRow) {
        let (lineage, position) = (row.lineage, row.position);
        self.envelope_by_id.load((lineage, row.envelope), position);
        match row.entry {
            None => self.envelope_queued.load((lineage, position), ()),
            Some(entry) => self.envelope_by_entry.load((lineage, entry, position), ()),
        }
        self.envelope_by_place.load((lineage, row.sequence, position), ());
    }

    fn remove_envelope(&mut self, row: &EnvelopeRow) {
        let (lineage, position) = (row.lineage, row.position);
        self.envelope_by_id.unload(&(lineage, row.envelope));
        match row.entry {
            None => self.envelope_queued.unload(&(lineage, position)),
            Some(entry) => self.envelope_by_entry.unload(&(lineage, entry, position)),
        }
        self.envelope_by_place.unload(&(lineage, row.sequence, position));
    }

    fn add_entry(&mut self, row: &EntryRow) {
        let (lineage, position) = (row.lineage, row.position);
        self.entry_by_id.load((lineage, row.entry), position);
        if row.state != EntryState::Accepted {
            self.entry_by_state.load((lineage, row.state, position), ());
        }
        if row.kind == EntryKind::Commit {
            self.commit.load((lineage, position), ());
        }
        self.entry_by_place.load((lineage, row.sequence, position), ());
        self.entry_by_payload.load((lineage, row.payload_digest, position), ());
    }

    fn remove_entry(&mut self, row: &EntryRow) {
        let (lineage, position) = (row.lineage, row.position);
        self.entry_by_id.unload(&(lineage, row.entry));
        self.entry_by_state.unload(&(lineage, row.state, position));
        self.commit.unload(&(lineage, position));
        self.entry_by_place.unload(&(lineage, row.sequence, position));
        self.entry_by_payload.unload(&(lineage, row.payload_digest, position));
    }

    /// Position of an envelope.
    pub(super) fn of_envelope(&self, lineage: LineageId, envelope: EnvelopeId) -> Option<u64> {
        self.envelope_by_id.row(&(lineage, envelope)).copied()
    }

    /// Positions of envelopes that no entry carries, oldest first.
    pub(super) fn queued(&self, lineage: LineageId) -> impl Iterator<Item = u64> {
        self.envelope_queued.range(whole(lineage)).map(|((_, position), ())| *position)
    }

    /// Positions of the envelopes of an entry, oldest first.
    pub(super) fn of_entry(&self, lineage: LineageId, entry: EntryId) -> Vec<u64> {
        let range = (lineage, entry, 0)..=(lineage, entry, u64::MAX);
        let rows = self.envelope_by_entry.range(range);
        rows.map(|((.., position), ())| *position).collect()
    }

    /// Positions of envelopes at places of the log.
    pub(super) fn envelopes_between(
        &self,
        lineage: LineageId,
        first: Sequence,
        last: Sequence,
    ) -> Vec<u64> {
        let rows = self.envelope_by_place.range(between(lineage, first, last));
        rows.map(|((.., position), ())| *position).collect()
    }

    /// Position of an entry.
    pub(super) fn entry(&self, lineage: LineageId, entry: EntryId) -> Option<u64> {
        self.entry_by_id.row(&(lineage, entry)).copied()
    }

    /// Whether an entry has a payload.
    pub(super) fn has_payload(&self, lineage: LineageId, payload: Digest) -> bool {
        let range = (lineage, payload, 0)..=(lineage, payload, u64::MAX);
        self.entry_by_payload.range(range).next().is_some()
    }

    /// Positions of entries in a state other than `accepted`, oldest first.
    pub(super) fn entries_in(
        &self,
        lineage: LineageId,
        state: EntryState,
    ) -> impl Iterator<Item = u64> {
        let range = (lineage, state, 0)..=(lineage, state, u64::MAX);
        self.entry_by_state.range(range).map(|((.., position), ())| *position)
    }

    /// Positions of commits, oldest first.
    pub(super) fn commits(&self, lineage: LineageId) -> impl Iterator<Item = u64> {
        self.commit.range(whole(lineage)).map(|((_, position), ())| *position)
    }

    /// Positions of entries at places of the log.
    pub(super) fn entries_between(
        &self,
        lineage: LineageId,
        first: Sequence,
        last: Sequence,
    ) -> Vec<u64> {
        let rows = self.entry_by_place.range(between(lineage, first, last));
        rows.map(|((.., position), ())| *position).collect()
    }
}
