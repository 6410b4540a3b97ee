//! Rows of envelopes and entries to be sent.

use std::collections::BTreeSet;

use async_trait::async_trait;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{
    Digest, EntryId, EnvelopeId, Epoch, LineageId, ObjectId, RecordId, Sequence,
};
use raccordo_core::time::Instant;

use crate::store::Stored;
use crate::store::live::{LiveAccess, LiveTables, Scope};
use crate::store::object::ObjectRows;
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, MadeEntryRow, OutboxRows};

#[async_trait]
impl<T: LiveAccess + ObjectRows> OutboxRows for T {
    async fn queue_envelopes(&mut self, rows: Vec<EnvelopeRow>) -> Stored<()> {
        for row in rows {
            let scope = Scope::Equipe(row.lineage);
            self.change_live(scope, |tables| tables.add_envelope(row)).await?;
        }
        Ok(())
    }

    async fn queued_envelopes(
        &mut self,
        lineage: LineageId,
        case_bearing: bool,
        limit: u32,
    ) -> Stored<Vec<EnvelopeRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let rows = envelopes_at(tables, lineage, tables.places.queued(lineage));
        let rows = rows.filter(|row| row.case_bearing <= case_bearing);
        Ok(super::first(rows, limit))
    }

    async fn unaccepted_envelopes(&mut self, lineage: LineageId) -> Stored<u64> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let none = Sequence(0);
        let waiting = tables.places.envelopes_between(lineage, none, none).len();
        Ok(u64::try_from(waiting).unwrap_or(u64::MAX))
    }

    async fn objects_under_way(
        &mut self,
        lineage: LineageId,
        queued_before: Instant,
        limit: u32,
    ) -> Stored<Vec<ObjectId>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let rows = tables.envelope.rows().map(|(_, row)| row);
        let rows = rows.filter(|row| row.object.is_some() && row.queued_at < queued_before);
        let mut objects: Vec<_> = rows.take(most).filter_map(|row| row.object).collect();
        let mut seen = BTreeSet::new();
        objects.retain(|object| seen.insert(*object));
        Ok(objects)
    }

    async fn pack_envelopes(&mut self, rows: &[EnvelopeRow]) -> Stored<()> {
        for row in rows {
            let pack = |tables: &mut LiveTables| {
                if let Some(position) = tables.places.of_envelope(row.lineage, row.envelope) {
                    tables.change_envelope((row.lineage, position), |old| {
                        old.entry = row.entry;
                        old.sealed.clone_from(&row.sealed);
                    });
                }
            };
            self.alter_live(Scope::Equipe(row.lineage), pack).await?;
        }
        Ok(())
    }

    async fn envelopes_of(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(envelopes_of(tables, lineage, entry).cloned().collect())
    }

    async fn envelopes_of_node(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let rows = envelopes_of(tables, lineage, entry);
        Ok(rows.filter(|row| row.object.is_none()).cloned().collect())
    }

    async fn envelopes_at(
        &mut self,
        lineage: LineageId,
        place: Sequence,
    ) -> Stored<Vec<EnvelopeRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let mut positions = tables.places.envelopes_between(lineage, place, place);
        positions.sort_unstable();
        Ok(envelopes_at(tables, lineage, positions.into_iter()).cloned().collect())
    }

    async fn envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
    ) -> Stored<Option<EnvelopeRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let position = tables.places.of_envelope(lineage, envelope);
        Ok(position.and_then(|position| tables.envelope.row(&(lineage, position))).cloned())
    }

    async fn envelopes_of_record(&mut self, record: RecordId) -> Stored<Vec<EnvelopeRow>> {
        let equipes = self.live(Scope::Node).await?.equipe.rows().map(|(_, row)| row.lineage);
        let mut found = Vec::new();
        for lineage in equipes.collect::<Vec<_>>() {
            let tables = self.live(Scope::Equipe(lineage)).await?;
            let rows = tables.envelope.rows().map(|(_, row)| row);
            found.extend(rows.filter(|row| row.record == Some(record)).cloned());
        }
        Ok(found)
    }

    async fn blank_envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        sealed: Vec<u8>,
    ) -> Stored<()> {
        let blank = |tables: &mut LiveTables| {
            if let Some(position) = tables.places.of_envelope(lineage, envelope) {
                tables.change_envelope((lineage, position), |old| {
                    old.sealed = sealed;
                    old.record = None;
                });
            }
        };
        self.alter_live(Scope::Equipe(lineage), blank).await
    }

    async fn unpack_envelopes(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            for position in tables.places.of_entry(lineage, entry) {
                tables.change_envelope((lineage, position), |row| row.entry = None);
            }
        })
        .await
    }

    async fn entries_placed(
        &mut self,
        lineage: LineageId,
        places: &[(EntryId, Sequence)],
    ) -> Stored<()> {
        let mut places = places.to_vec();
        places.sort_by_key(|(_, sequence)| *sequence);
        let place = |tables: &mut LiveTables| {
            let mut objects = Vec::new();
            for (entry, sequence) in places {
                objects.extend(place_entry(tables, lineage, entry, sequence));
            }
            objects
        };
        let objects = self.alter_live(Scope::Equipe(lineage), place).await?;
        self.place_objects(&objects).await
    }

    async fn forget_delivered(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            for position in tables.places.envelopes_between(lineage, Sequence(1), up_to) {
                tables.remove_envelope((lineage, position));
            }
            for position in tables.places.entries_between(lineage, Sequence(1), up_to) {
                tables.remember_made((lineage, position));
                tables.remove_entry((lineage, position));
            }
        })
        .await
    }

    async fn has_made(&mut self, lineage: LineageId, payload: Digest) -> Stored<bool> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let forgotten = || tables.made_entry.row(&(lineage, payload)).is_some();
        Ok(tables.places.has_payload(lineage, payload) || forgotten())
    }

    async fn forget_made(&mut self, lineage: LineageId, but: Epoch) -> Stored<()> {
        let past = |row: &MadeEntryRow| row.kind != EntryKind::Notice && row.epoch != but;
        let forget = |tables: &mut LiveTables| {
            tables.made_entry.remove_where(.., |_, row| past(row));
        };
        self.alter_live(Scope::Equipe(lineage), forget).await
    }

    async fn insert_entries(&mut self, rows: Vec<EntryRow>) -> Stored<()> {
        for row in rows {
            let scope = Scope::Equipe(row.lineage);
            self.change_live(scope, |tables| tables.add_entry(row)).await?;
        }
        Ok(())
    }

    async fn entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<Option<EntryRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let position = tables.places.entry(lineage, entry);
        Ok(position.and_then(|position| tables.entry.row(&(lineage, position))).cloned())
    }

    async fn entries_in(
        &mut self,
        lineage: LineageId,
        state: EntryState,
        limit: u32,
    ) -> Stored<Vec<EntryRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        if state == EntryState::Accepted {
            let rows = tables.entry.rows().map(|(_, row)| row);
            return Ok(super::first(rows.filter(|row| row.state == state), limit));
        }
        let positions = tables.places.entries_in(lineage, state);
        let rows = positions.filter_map(|position| tables.entry.row(&(lineage, position)));
        Ok(super::first(rows, limit))
    }

    async fn pending_changes(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<EntryRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let pending = tables.places.entries_in(lineage, EntryState::Pending);
        let rows = pending.filter_map(|position| tables.entry.row(&(lineage, position)));
        Ok(super::first(rows.filter(|row| row.kind != EntryKind::Application), limit))
    }

    async fn pending_commit(&mut self, lineage: LineageId) -> Stored<Option<EntryRow>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let commits = tables.places.commits(lineage);
        let mut rows = commits.filter_map(|position| tables.entry.row(&(lineage, position)));
        let pending =
            |row: &&EntryRow| matches!(row.state, EntryState::Pending | EntryState::Stale);
        Ok(rows.find(pending).cloned())
    }

    async fn update_entry(&mut self, row: &EntryRow) -> Stored<()> {
        self.alter_live(Scope::Equipe(row.lineage), |tables| {
            if let Some(position) = tables.places.entry(row.lineage, row.entry) {
                tables.change_entry((row.lineage, position), |old| {
                    old.epoch = row.epoch;
                    old.payload.clone_from(&row.payload);
                    old.payload_digest = row.payload_digest;
                    old.state = row.state;
                    old.sequence = row.sequence;
                    old.reason.clone_from(&row.reason);
                });
            }
        })
        .await
    }

    async fn entries_stale_before(&mut self, lineage: LineageId, epoch: Epoch) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            let pending: Vec<u64> =
                tables.places.entries_in(lineage, EntryState::Pending).collect();
            for position in pending {
                let passed =
                    |row: &EntryRow| row.kind == EntryKind::Application && row.epoch < epoch;
                if tables.entry.row(&(lineage, position)).is_some_and(passed) {
                    tables.change_entry((lineage, position), |row| {
                        row.state = EntryState::Stale;
                        row.payload = Vec::new();
                    });
                }
            }
        })
        .await
    }

    async fn delete_entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            if let Some(position) = tables.places.entry(lineage, entry) {
                tables.remove_entry((lineage, position));
            }
        })
        .await
    }

    async fn own_places(
        &mut self,
        lineage: LineageId,
        after: Sequence,
        up_to: Sequence,
    ) -> Stored<Vec<(Sequence, EntryId)>> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        let positions = tables.places.entries_between(lineage, after.next(), up_to);
        let rows = positions.iter().filter_map(|place| tables.entry.row(&(lineage, *place)));
        let accepted = rows.filter(|row| row.state == EntryState::Accepted);
        Ok(accepted.map(|row| (row.sequence, row.entry)).collect())
    }

    async fn unplace_after(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        let unplace = |tables: &mut LiveTables| unplace_after(tables, lineage, sequence);
        let objects = self.alter_live(Scope::Equipe(lineage), unplace).await?;
        self.place_objects(&objects).await
    }

    async fn queue_all_again(&mut self, lineage: LineageId) -> Stored<()> {
        self.alter_live(Scope::Equipe(lineage), |tables| {
            let bound = |row: &&EntryRow| row.kind != EntryKind::Notice;
            let entries = tables.entry.rows().map(|(_, row)| row).filter(bound);
            let entries: Vec<_> = entries.map(|row| row.position).collect();
            for position in entries {
                tables.remove_entry((lineage, position));
            }
            let envelopes: Vec<_> = tables.envelope.rows().map(|(_, row)| row.position).collect();
            for position in envelopes {
                tables.change_envelope((lineage, position), |row| {
                    row.entry = None;
                    row.sequence = Sequence(0);
                });
            }
        })
        .await
    }
}

/// Notes the place of one entry; the objects of which its envelopes speak.
fn place_entry(
    tables: &mut LiveTables,
    lineage: LineageId,
    entry: EntryId,
    sequence: Sequence,
) -> Vec<(ObjectId, Sequence)> {
    let Some(position) = tables.places.entry(lineage, entry) else { return Vec::new() };
    tables.change_entry((lineage, position), |row| {
        if row.state == EntryState::Pending {
            row.state = EntryState::Accepted;
            row.sequence = sequence;
        }
    });
    let accepted = |row: &EntryRow| row.state == EntryState::Accepted && row.sequence == sequence;
    if !tables.entry.row(&(lineage, position)).is_some_and(accepted) {
        return Vec::new();
    }
    let mut objects = Vec::new();
    for position in tables.places.of_entry(lineage, entry) {
        let row = tables.envelope.row(&(lineage, position));
        objects.extend(row.and_then(|row| row.object).map(|object| (object, sequence)));
        tables.change_envelope((lineage, position), |row| row.sequence = sequence);
    }
    objects
}

/// Takes back the places after one; the objects of which envelopes there speak.
fn unplace_after(
    tables: &mut LiveTables,
    lineage: LineageId,
    sequence: Sequence,
) -> Vec<(ObjectId, Sequence)> {
    let (next, last) = (sequence.next(), Sequence(u64::MAX));
    let mut objects = Vec::new();
    for position in tables.places.envelopes_between(lineage, next, last) {
        let row = tables.envelope.row(&(lineage, position));
        objects.extend(row.and_then(|row| row.object).map(|object| (object, Sequence(0))));
        tables.change_envelope((lineage, position), |row| row.sequence = Sequence(0));
    }
    for position in tables.places.entries_between(lineage, next, last) {
        tables.change_entry((lineage, position), |row| {
            if row.state == EntryState::Accepted {
                row.sequence = Sequence(0);
                row.state = EntryState::Pending;
            }
        });
    }
    objects
}

fn envelopes_of(
    tables: &LiveTables,
    lineage: LineageId,
    entry: EntryId,
) -> impl Iterator<Item = &EnvelopeRow> {
    envelopes_at(tables, lineage, tables.places.of_entry(lineage, entry).into_iter())
}

fn envelopes_at(
    tables: &LiveTables,
    lineage: LineageId,
    positions: impl Iterator<Item = u64>,
) -> impl Iterator<Item = &EnvelopeRow> {
    positions.filter_map(move |position| tables.envelope.row(&(lineage, position)))
}
