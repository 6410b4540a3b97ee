//! Rows of envelopes and entries to be sent.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use async_trait::async_trait;
use raccordo_core::id::{
    Digest, EntryId, EnvelopeId, Epoch, LineageId, ObjectId, RecordId, Sequence,
};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::bulk::Bulk;
use super::log::{kind_number, read_kind};
use super::statement::{Columns, Statement, sql};
use crate::store::outbox::{EntryRow, EntryState, EnvelopeRow, OutboxRows};
use crate::store::{StoreError, Stored};

macro_rules! envelope_columns {
    () => {
        "lineage, position, envelope, entry, object, case_bearing, sealed, sequence, \
         queued_at_ms, record"
    };
}

macro_rules! entry_columns {
    () => {
        "lineage, position, entry, kind, epoch, payload, payload_digest, group_info, welcome, \
         boot, state, sequence, reason"
    };
}

static INSERT_ENVELOPES: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO envelope (", envelope_columns!(), ")");
    Bulk::new(insert, 10, "ON CONFLICT DO NOTHING")
});
static INSERT_ENTRIES: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO entry (", entry_columns!(), ")");
    Bulk::new(insert, 13, "ON CONFLICT DO NOTHING")
});
static PACK: LazyLock<Bulk> = LazyLock::new(|| {
    let update = "UPDATE envelope SET entry = packed.column3, sealed = packed.column4 FROM (";
    let place = ") AS packed \
         WHERE envelope.lineage = packed.column1 AND envelope.envelope = packed.column2";
    Bulk::new(update, 4, place)
});
static PLACE_ENTRIES: LazyLock<Bulk> = LazyLock::new(|| {
    let update = "UPDATE entry SET state = 'accepted', sequence = placed.column3 FROM (";
    let place = ") AS placed WHERE entry.lineage = placed.column1 \
         AND entry.entry = placed.column2 AND entry.state = 'pending'";
    Bulk::new(update, 3, place)
});

const NEWEST_ENVELOPE: &str =
    "SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM envelope WHERE lineage = $1";
const NEWEST_ENTRY: &str =
    "SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM entry WHERE lineage = $1";
const QUEUED: &str = concat!(
    "SELECT ",
    envelope_columns!(),
    " FROM envelope WHERE lineage = $1 AND entry IS NULL AND case_bearing <= $2 \
     ORDER BY position LIMIT $3"
);
const UNACCEPTED: &str = "SELECT COUNT(*) FROM envelope WHERE lineage = $1 AND sequence = 0";
const UNDER_WAY: &str = "SELECT object FROM envelope WHERE lineage = $1 AND object IS NOT NULL \
     AND queued_at_ms < $2 ORDER BY position LIMIT $3";
const ENVELOPES_OF: &str = concat!(
    "SELECT ",
    envelope_columns!(),
    " FROM envelope WHERE lineage = $1 AND entry = $2 ORDER BY position"
);
const ENVELOPES_OF_NODE: &str = concat!(
    "SELECT ",
    envelope_columns!(),
    " FROM envelope WHERE lineage = $1 AND entry = $2 AND object IS NULL ORDER BY position"
);
const ENVELOPES_AT: &str = concat!(
    "SELECT ",
    envelope_columns!(),
    " FROM envelope WHERE lineage = $1 AND sequence = $2 ORDER BY position"
);
const ENVELOPE: &str =
    concat!("SELECT ", envelope_columns!(), " FROM envelope WHERE lineage = $1 AND envelope = $2");
const ENVELOPES_OF_RECORD: &str = concat!(
    "SELECT ",
    envelope_columns!(),
    " FROM envelope WHERE record = $1 ORDER BY lineage, position"
);
const BLANK: &str =
    "UPDATE envelope SET sealed = $3, record = NULL WHERE lineage = $1 AND envelope = $2";
const UNPACK: &str = "UPDATE envelope SET entry = NULL WHERE lineage = $1 AND entry = $2";
const PLACE_ENVELOPES: &str = "UPDATE envelope SET sequence = e.sequence FROM entry AS e \
     WHERE e.lineage = $1 AND e.sequence >= $2 AND e.sequence <= $3 AND e.state = 'accepted' \
     AND envelope.lineage = e.lineage AND envelope.entry = e.entry";
const PLACE_OBJECTS: &str = "UPDATE object SET sequence = placed.sequence FROM \
     (SELECT object, MAX(sequence) AS sequence FROM envelope \
      WHERE lineage = $1 AND sequence >= $2 AND sequence <= $3 GROUP BY object) AS placed \
     WHERE object.object = placed.object";
const FORGET_ENVELOPES: &str =
    "DELETE FROM envelope WHERE lineage = $1 AND sequence > 0 AND sequence <= $2";
const FORGET_ENTRIES: &str =
    "DELETE FROM entry WHERE lineage = $1 AND sequence > 0 AND sequence <= $2";
const REMEMBER_MADE: &str = "INSERT INTO made_entry (lineage, payload_digest, kind, epoch) \
     SELECT lineage, payload_digest, kind, epoch FROM entry \
     WHERE lineage = $1 AND sequence > 0 AND sequence <= $2 ON CONFLICT DO NOTHING";
const HAS_MADE: &str = "SELECT (SELECT COUNT(*) FROM entry \
     WHERE lineage = $1 AND payload_digest = $2) + (SELECT COUNT(*) FROM made_entry \
     WHERE lineage = $1 AND payload_digest = $2)";
const FORGET_MADE: &str = "DELETE FROM made_entry WHERE lineage = $1 AND epoch <> $2 AND kind <> 3";

const ENTRY: &str =
    concat!("SELECT ", entry_columns!(), " FROM entry WHERE lineage = $1 AND entry = $2");
const ENTRIES_IN: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM entry WHERE lineage = $1 AND state = $2 ORDER BY position LIMIT $3"
);
const PENDING_CHANGES: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM entry WHERE lineage = $1 AND state = 'pending' AND kind <> 1 \
     ORDER BY position LIMIT $2"
);
const PENDING_COMMIT: &str = concat!(
    "SELECT ",
    entry_columns!(),
    " FROM entry WHERE lineage = $1 AND state IN ('pending', 'stale') AND kind = 2 \
     ORDER BY position LIMIT 1"
);
const UPDATE_ENTRY: &str = "UPDATE entry SET epoch = $3, payload = $4, payload_digest = $5, \
     state = $6, sequence = $7, reason = $8 WHERE lineage = $1 AND entry = $2";
const STALE_BEFORE: &str = "UPDATE entry SET state = 'stale', payload = $3 \
     WHERE lineage = $1 AND state = 'pending' AND kind = 1 AND epoch < $2";
const DELETE_ENTRY: &str = "DELETE FROM entry WHERE lineage = $1 AND entry = $2";

#[async_trait]
impl OutboxRows for SqlTx {
    async fn queue_envelopes(&mut self, mut rows: Vec<EnvelopeRow>) -> Stored<()> {
        let places = rows.iter_mut().map(|row| (row.lineage, &mut row.position));
        self.assign("envelope", NEWEST_ENVELOPE, places.collect()).await?;
        self.insert_new("envelope", &INSERT_ENVELOPES, &rows, bind_envelope).await
    }

    async fn queued_envelopes(
        &mut self,
        lineage: LineageId,
        case_bearing: bool,
        limit: u32,
    ) -> Stored<Vec<EnvelopeRow>> {
        let select = sql("envelope", QUEUED).bytes(lineage.as_bytes());
        self.all(select.flag(case_bearing).integer(limit), envelope).await
    }

    async fn unaccepted_envelopes(&mut self, lineage: LineageId) -> Stored<u64> {
        self.number(sql("envelope", UNACCEPTED).bytes(lineage.as_bytes())).await
    }

    async fn objects_under_way(
        &mut self,
        lineage: LineageId,
        queued_before: Instant,
        limit: u32,
    ) -> Stored<Vec<ObjectId>> {
        let select = sql("envelope", UNDER_WAY).bytes(lineage.as_bytes());
        let mut objects =
            self.all(select.instant(queued_before).integer(limit), |row| row.id()).await?;
        let mut seen = BTreeSet::new();
        objects.retain(|object| seen.insert(*object));
        Ok(objects)
    }

    async fn pack_envelopes(&mut self, rows: &[EnvelopeRow]) -> Stored<()> {
        self.write_all("envelope", &PACK, rows, bind_packed).await.map(drop)
    }

    async fn envelopes_of(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        self.all(of("envelope", ENVELOPES_OF, lineage, entry), envelope).await
    }

    async fn envelopes_of_node(
        &mut self,
        lineage: LineageId,
        entry: EntryId,
    ) -> Stored<Vec<EnvelopeRow>> {
        self.all(of("envelope", ENVELOPES_OF_NODE, lineage, entry), envelope).await
    }

    async fn envelopes_at(
        &mut self,
        lineage: LineageId,
        place: Sequence,
    ) -> Stored<Vec<EnvelopeRow>> {
        let select = sql("envelope", ENVELOPES_AT).bytes(lineage.as_bytes());
        self.all(select.integer(place.0), self::envelope).await
    }

    async fn envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
    ) -> Stored<Option<EnvelopeRow>> {
        let select = sql("envelope", ENVELOPE).bytes(lineage.as_bytes());
        self.one(select.bytes(envelope.as_bytes()), self::envelope).await
    }

    async fn envelopes_of_record(&mut self, record: RecordId) -> Stored<Vec<EnvelopeRow>> {
        let select = sql("envelope", ENVELOPES_OF_RECORD).bytes(record.as_bytes());
        self.all(select, self::envelope).await
    }

    async fn blank_envelope(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        sealed: Vec<u8>,
    ) -> Stored<()> {
        let update = sql("envelope", BLANK).bytes(lineage.as_bytes());
        self.execute(update.bytes(envelope.as_bytes()).bytes(sealed)).await.map(drop)
    }

    async fn unpack_envelopes(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        self.execute(of("envelope", UNPACK, lineage, entry)).await.map(drop)
    }

    async fn entries_placed(
        &mut self,
        lineage: LineageId,
        places: &[(EntryId, Sequence)],
    ) -> Stored<()> {
        let sequences = places.iter().map(|(_, sequence)| sequence.0);
        let Some((first, last)) = sequences.clone().min().zip(sequences.max()) else {
            return Ok(());
        };
        let rows: Vec<_> =
            places.iter().map(|(entry, sequence)| (lineage, *entry, *sequence)).collect();
        self.write_all("entry", &PLACE_ENTRIES, &rows, bind_place).await?;
        // What else stands between them has its place already: it is written again.
        for (table, text) in [("envelope", PLACE_ENVELOPES), ("object", PLACE_OBJECTS)] {
            let place = sql(table, text).bytes(lineage.as_bytes()).integer(first).integer(last);
            self.execute(place).await?;
        }
        Ok(())
    }

    async fn forget_delivered(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()> {
        let steps = [
            ("envelope", FORGET_ENVELOPES),
            ("made_entry", REMEMBER_MADE),
            ("entry", FORGET_ENTRIES),
        ];
        for (table, text) in steps {
            let forget = sql(table, text).bytes(lineage.as_bytes()).integer(up_to.0);
            self.execute(forget).await?;
        }
        Ok(())
    }

    async fn has_made(&mut self, lineage: LineageId, payload: Digest) -> Stored<bool> {
        let count = sql("made_entry", HAS_MADE).bytes(lineage.as_bytes());
        Ok(self.number(count.bytes(payload.as_bytes())).await? > 0)
    }

    async fn forget_made(&mut self, lineage: LineageId, but: Epoch) -> Stored<()> {
        let forget = sql("made_entry", FORGET_MADE).bytes(lineage.as_bytes());
        self.execute(forget.integer(but.0)).await.map(drop)
    }

    async fn insert_entries(&mut self, mut rows: Vec<EntryRow>) -> Stored<()> {
        let places = rows.iter_mut().map(|row| (row.lineage, &mut row.position));
        self.assign("entry", NEWEST_ENTRY, places.collect()).await?;
        self.insert_new("entry", &INSERT_ENTRIES, &rows, bind_entry).await
    }

    async fn entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<Option<EntryRow>> {
        self.one(of("entry", ENTRY, lineage, entry), read_entry).await
    }

    async fn entries_in(
        &mut self,
        lineage: LineageId,
        state: EntryState,
        limit: u32,
    ) -> Stored<Vec<EntryRow>> {
        let select = sql("entry", ENTRIES_IN).bytes(lineage.as_bytes());
        self.all(select.text(state_name(state)).integer(limit), read_entry).await
    }

    async fn pending_changes(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<EntryRow>> {
        let select = sql("entry", PENDING_CHANGES).bytes(lineage.as_bytes()).integer(limit);
        self.all(select, read_entry).await
    }

    async fn pending_commit(&mut self, lineage: LineageId) -> Stored<Option<EntryRow>> {
        self.one(sql("entry", PENDING_COMMIT).bytes(lineage.as_bytes()), read_entry).await
    }

    async fn update_entry(&mut self, row: &EntryRow) -> Stored<()> {
        let update = of("entry", UPDATE_ENTRY, row.lineage, row.entry)
            .integer(row.epoch.0)
            .bytes(row.payload.as_slice())
            .bytes(row.payload_digest.as_bytes())
            .text(state_name(row.state))
            .integer(row.sequence.0)
            .text(&row.reason);
        self.execute(update).await.map(drop)
    }

    async fn entries_stale_before(&mut self, lineage: LineageId, epoch: Epoch) -> Stored<()> {
        let update = sql("entry", STALE_BEFORE).bytes(lineage.as_bytes()).integer(epoch.0);
        self.execute(update.bytes([])).await.map(drop)
    }

    async fn delete_entry(&mut self, lineage: LineageId, entry: EntryId) -> Stored<()> {
        self.execute(of("entry", DELETE_ENTRY, lineage, entry)).await.map(drop)
    }
}

impl SqlTx {
    /// Gives rows the places after the newest of their équipe, whose version the caller has
    /// raised.
    async fn assign(
        &mut self,
        table: &'static str,
        newest: &'static str,
        places: Vec<(LineageId, &mut u64)>,
    ) -> Stored<()> {
        let mut last: BTreeMap<LineageId, u64> = BTreeMap::new();
        for (lineage, place) in places {
            let before = match last.get(&lineage) {
                Some(before) => *before,
                None => self.number(sql(table, newest).bytes(lineage.as_bytes())).await?,
            };
            *place = before.checked_add(1).ok_or(StoreError::Damaged(table))?;
            last.insert(lineage, *place);
        }
        Ok(())
    }
}

fn of(table: &'static str, text: &'static str, lineage: LineageId, entry: EntryId) -> Statement {
    sql(table, text).bytes(lineage.as_bytes()).bytes(entry.as_bytes())
}

fn bind_envelope(statement: Statement, row: &EnvelopeRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .integer(row.position)
        .bytes(row.envelope.as_bytes())
        .option_bytes(row.entry.map(|entry| entry.as_bytes().to_vec()))
        .option_bytes(row.object.map(|object| object.as_bytes().to_vec()))
        .flag(row.case_bearing)
        .bytes(row.sealed.as_slice())
        .integer(row.sequence.0)
        .instant(row.queued_at)
        .option_bytes(row.record.map(|record| record.as_bytes().to_vec()))
}

fn bind_packed(statement: Statement, row: &EnvelopeRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .bytes(row.envelope.as_bytes())
        .option_bytes(row.entry.map(|entry| entry.as_bytes().to_vec()))
        .bytes(row.sealed.as_slice())
}

fn bind_place(
    statement: Statement,
    (lineage, entry, sequence): &(LineageId, EntryId, Sequence),
) -> Statement {
    statement.bytes(lineage.as_bytes()).bytes(entry.as_bytes()).integer(sequence.0)
}

fn envelope(row: &mut Columns<'_>) -> Stored<EnvelopeRow> {
    Ok(EnvelopeRow {
        lineage: row.id()?,
        position: row.integer()?,
        envelope: row.id()?,
        entry: row.option_id()?,
        object: row.option_id()?,
        case_bearing: row.flag()?,
        sealed: row.bytes()?,
        sequence: Sequence(row.integer()?),
        queued_at: row.instant()?,
        record: row.option_id()?,
    })
}

fn bind_entry(statement: Statement, row: &EntryRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .integer(row.position)
        .bytes(row.entry.as_bytes())
        .integer(kind_number(row.kind))
        .integer(row.epoch.0)
        .bytes(row.payload.as_slice())
        .bytes(row.payload_digest.as_bytes())
        .bytes(row.group_info.as_slice())
        .bytes(row.welcome.as_slice())
        .bytes(row.boot.as_bytes())
        .text(state_name(row.state))
        .integer(row.sequence.0)
        .text(&row.reason)
}

fn read_entry(row: &mut Columns<'_>) -> Stored<EntryRow> {
    Ok(EntryRow {
        lineage: row.id()?,
        position: row.integer()?,
        entry: row.id()?,
        kind: read_kind(row)?,
        epoch: Epoch(row.integer()?),
        payload: row.bytes()?,
        payload_digest: row.id()?,
        group_info: row.bytes()?,
        welcome: row.bytes()?,
        boot: row.id()?,
        state: read_state(row)?,
        sequence: Sequence(row.integer()?),
        reason: row.text()?,
    })
}

fn state_name(state: EntryState) -> &'static str {
    match state {
        EntryState::Pending => "pending",
        EntryState::Stale => "stale",
        EntryState::Accepted => "accepted",
        EntryState::Refused => "refused",
    }
}

fn read_state(row: &mut Columns<'_>) -> Stored<EntryState> {
    match row.text()?.as_str() {
        "pending" => Ok(EntryState::Pending),
        "stale" => Ok(EntryState::Stale),
        "accepted" => Ok(EntryState::Accepted),
        "refused" => Ok(EntryState::Refused),
        _ => Err(row.damaged()),
    }
}
