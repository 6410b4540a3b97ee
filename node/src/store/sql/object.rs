//! Rows of objects.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;
use sqlx::AssertSqlSafe;

use super::SqlTx;
use super::bulk::{Bulk, KEYS, among, filled};
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::live::{LiveAccess as _, Scope};
use crate::store::object::{
    NewestFilter, ObjectFilter, ObjectHead, ObjectReports, ObjectRow, ObjectRows,
};

/// Refused envelopes that are looked at.
const REFUSED_MAX: u32 = 1_000;

macro_rules! columns {
    () => {
        "object, position, lineage, kind, origin, version, state, envelope, sequence, \
         shared_at_ms, received_at_ms, expires_at_ms, wrapped_key, sealed_share, \
         sealed_author, end_reason"
    };
}

static INSERT: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO object (", columns!(), ")");
    Bulk::new(insert, 16, "ON CONFLICT DO NOTHING")
});
static AMONG: LazyLock<Arc<str>> =
    LazyLock::new(|| among(concat!("SELECT ", columns!(), " FROM object WHERE object"), 0));
static OWN: LazyLock<Arc<str>> = LazyLock::new(|| {
    let own =
        concat!("SELECT ", columns!(), " FROM object WHERE received_at_ms IS NULL AND envelope");
    among(own, 0)
});
static READS: LazyLock<Arc<str>> =
    LazyLock::new(|| among("SELECT object, lineage, member FROM object_read WHERE object", 0));
static REFUSALS: LazyLock<Arc<str>> = LazyLock::new(|| {
    among("SELECT envelope, lineage, member, reason FROM refusal WHERE envelope", 0)
});

const IS_OWN_SHARE: &str = "SELECT COUNT(*) FROM object \
     WHERE received_at_ms IS NULL AND envelope = $2 AND lineage = $1";
const OBJECT: &str = concat!("SELECT ", columns!(), " FROM object WHERE object = $1");
const UPDATE: &str = "UPDATE object SET version = $2, state = $3, wrapped_key = $4, \
     sealed_share = $5, sealed_author = $6, end_reason = $7 WHERE object = $1";
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM object WHERE position > $1 AND ($2 = '' OR origin = $2) \
     AND ($3 = '' OR state = $3) ORDER BY position LIMIT $4"
);
const LIST_OF_EQUIPE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM object WHERE position > $1 AND ($2 = '' OR origin = $2) \
     AND ($3 = '' OR state = $3) AND lineage = $5 ORDER BY position LIMIT $4"
);
macro_rules! newest {
    ($origin:literal, $state:literal, $equipe:literal) => {
        concat!(
            " FROM object WHERE position < $1 AND position > $2 AND ",
            $origin,
            " AND ($4 = '' OR origin <> $4) AND ",
            $state,
            " AND ($6 = '' OR kind = $6) AND ",
            $equipe,
            " ORDER BY position DESC LIMIT $9"
        )
    };
}

macro_rules! any {
    () => {
        newest!("($3 = '' OR origin = $3)", "($5 = '' OR state = $5)", "($7 = 0 OR lineage = $8)")
    };
}

macro_rules! of_origin {
    () => {
        newest!("origin = $3", "($5 = '' OR state = $5)", "($7 = 0 OR lineage = $8)")
    };
}

macro_rules! in_state {
    () => {
        newest!("($3 = '' OR origin = $3)", "state = $5", "($7 = 0 OR lineage = $8)")
    };
}

macro_rules! of_equipe {
    () => {
        newest!("($3 = '' OR origin = $3)", "($5 = '' OR state = $5)", "$7 = 1 AND lineage = $8")
    };
}

// What the filters ask is in an index; only what passes is read from the table.
macro_rules! whole {
    ($places:expr) => {
        concat!(
            "SELECT ",
            columns!(),
            " FROM object WHERE position IN (SELECT position",
            $places,
            ") ORDER BY position DESC"
        )
    };
}

macro_rules! heads {
    ($places:expr) => {
        concat!("SELECT object, position, version", $places)
    };
}

/// The same question in three texts, by where there is most to leave out.
struct Newest {
    any: &'static str,
    of_origin: &'static str,
    in_state: &'static str,
    of_equipe: &'static str,
}

const NEWEST: Newest = Newest {
    any: whole!(any!()),
    of_origin: whole!(of_origin!()),
    in_state: whole!(in_state!()),
    of_equipe: whole!(of_equipe!()),
};
const HEADS: Newest = Newest {
    any: heads!(any!()),
    of_origin: heads!(of_origin!()),
    in_state: heads!(in_state!()),
    of_equipe: heads!(of_equipe!()),
};

impl Newest {
    /// Most objects are active: then their origin says more.
    fn text(&self, filter: &NewestFilter) -> &'static str {
        match (&filter.origin, filter.state.as_deref()) {
            (Some(_), None | Some("active")) => self.of_origin,
            (_, Some(_)) => self.in_state,
            (None, None) if filter.lineage.is_some() => self.of_equipe,
            (None, None) => self.any,
        }
    }
}

const REFUSED: &str = "SELECT DISTINCT envelope FROM refusal WHERE lineage = $1 LIMIT $2";
const EXPIRED: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM object WHERE state = 'active' AND expires_at_ms <= $1 \
     ORDER BY expires_at_ms, position LIMIT $2"
);
const NOTE_READ: &str = "INSERT INTO read_note (lineage, object, reported) VALUES ($1, $2, 0) \
     ON CONFLICT DO NOTHING";
const UNREPORTED: &str = "SELECT object FROM read_note WHERE lineage = $1 AND reported = 0";
const PLACED_UNTIL: &str = "UPDATE object SET sequence = $2 WHERE lineage = $1 AND sequence > $2";
static REPORT_READS: LazyLock<Arc<str>> =
    LazyLock::new(|| among("UPDATE read_note SET reported = 1 WHERE lineage = $1 AND object", 1));
static PLACE: LazyLock<Bulk> = LazyLock::new(|| {
    let place = ") AS placed WHERE object.object = placed.column1";
    Bulk::new("UPDATE object SET sequence = placed.column2 FROM (", 2, place)
});

#[async_trait]
impl ObjectRows for SqlTx {
    async fn insert_objects(&mut self, mut rows: Vec<ObjectRow>) -> Stored<()> {
        let first = self.take_numbers("object", rows.len()).await?;
        for (position, row) in (first..).zip(&mut rows) {
            row.position = position;
        }
        self.insert_new("object", &INSERT, &rows, bind).await
    }

    async fn object(&mut self, object: ObjectId) -> Stored<Option<ObjectRow>> {
        self.one(sql("object", OBJECT).bytes(object.as_bytes()), read).await
    }

    async fn is_own_share(&mut self, lineage: LineageId, envelope: EnvelopeId) -> Stored<bool> {
        let select = sql("object", IS_OWN_SHARE).bytes(lineage.as_bytes());
        Ok(self.number(select.bytes(envelope.as_bytes())).await? > 0)
    }

    async fn objects_among(&mut self, objects: &[ObjectId]) -> Stored<Vec<ObjectRow>> {
        let mut found = BTreeMap::new();
        for chunk in objects.chunks(KEYS) {
            let select = bind_keys("object", &AMONG, chunk, |id| id.as_bytes().to_vec());
            let rows = self.all(select, read).await?;
            found.extend(rows.into_iter().map(|row| (row.position, row)));
        }
        Ok(found.into_values().collect())
    }

    async fn update_object(&mut self, row: &ObjectRow) -> Stored<()> {
        let update = sql("object", UPDATE)
            .bytes(row.object.as_bytes())
            .integer(row.version)
            .text(&row.state)
            .bytes(row.wrapped_key.as_slice())
            .bytes(row.sealed_share.as_slice())
            .bytes(row.sealed_author.as_slice())
            .text(&row.end_reason);
        self.execute(update).await.map(drop)
    }

    async fn list_objects(&mut self, filter: &ObjectFilter) -> Stored<Vec<ObjectRow>> {
        let text = if filter.lineage.is_some() { LIST_OF_EQUIPE } else { LIST };
        let select = sql("object", text)
            .integer(filter.after_position)
            .text(filter.origin.as_ref().map_or("", NodeId::as_str))
            .text(filter.state.as_deref().unwrap_or(""))
            .integer(filter.limit);
        let select = match filter.lineage {
            Some(lineage) => select.bytes(lineage.as_bytes()),
            None => select,
        };
        self.all(select, read).await
    }

    async fn newest_objects(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectRow>> {
        self.all(bind_newest(sql("object", NEWEST.text(filter)), filter), read).await
    }

    async fn newest_heads(&mut self, filter: &NewestFilter) -> Stored<Vec<ObjectHead>> {
        let read = |row: &mut Columns<'_>| {
            let (object, position) = (row.id()?, row.integer()?);
            Ok(ObjectHead { object, position, version: row.integer()? })
        };
        self.all(bind_newest(sql("object", HEADS.text(filter)), filter), read).await
    }

    async fn objects_refused(&mut self, lineage: LineageId, limit: u32) -> Stored<Vec<ObjectRow>> {
        let select = sql("refusal", REFUSED).bytes(lineage.as_bytes()).integer(REFUSED_MAX);
        let envelopes: Vec<EnvelopeId> = self.all(select, |row| row.id()).await?;
        let mut found = BTreeMap::new();
        for chunk in envelopes.chunks(KEYS) {
            let select = bind_keys("object", &OWN, chunk, |id| id.as_bytes().to_vec());
            let own = self.all(select, read).await?.into_iter();
            let own = own.filter(|row| row.lineage == lineage && row.state == "active");
            found.extend(own.map(|row| (row.position, row)));
        }
        Ok(found.into_values().take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn objects_expired(&mut self, now: Instant, limit: u32) -> Stored<Vec<ObjectRow>> {
        self.all(sql("object", EXPIRED).instant(now).integer(limit), read).await
    }

    async fn object_reports(&mut self, rows: &[ObjectRow]) -> Stored<Vec<ObjectReports>> {
        let mut reads: BTreeMap<(ObjectId, LineageId), Vec<NodeId>> = BTreeMap::new();
        let mut refusals: BTreeMap<(EnvelopeId, LineageId), Vec<(NodeId, String)>> =
            BTreeMap::new();
        let objects: BTreeSet<ObjectId> = rows.iter().map(|row| row.object).collect();
        let objects: Vec<ObjectId> = objects.into_iter().collect();
        for chunk in objects.chunks(KEYS) {
            let select = bind_keys("object_read", &READS, chunk, |id| id.as_bytes().to_vec());
            let read = |row: &mut Columns<'_>| Ok(((row.id()?, row.id()?), row.parsed()?));
            for (key, member) in self.all(select, read).await? {
                reads.entry(key).or_default().push(member);
            }
        }
        let envelopes: BTreeSet<EnvelopeId> = rows.iter().map(|row| row.envelope).collect();
        let envelopes: Vec<EnvelopeId> = envelopes.into_iter().collect();
        for chunk in envelopes.chunks(KEYS) {
            let select = bind_keys("refusal", &REFUSALS, chunk, |id| id.as_bytes().to_vec());
            let read =
                |row: &mut Columns<'_>| Ok(((row.id()?, row.id()?), (row.parsed()?, row.text()?)));
            for (key, refusal) in self.all(select, read).await? {
                refusals.entry(key).or_default().push(refusal);
            }
        }
        let report = |row: &ObjectRow| {
            let read = reads.get(&(row.object, row.lineage)).cloned();
            let refused = refusals.get(&(row.envelope, row.lineage)).cloned();
            let (mut read, mut refusals) = (read.unwrap_or_default(), refused.unwrap_or_default());
            read.sort();
            refusals.sort();
            ObjectReports { read, refusals }
        };
        Ok(rows.iter().map(report).collect())
    }

    async fn note_read(&mut self, lineage: LineageId, object: ObjectId) -> Stored<()> {
        let note = sql("read_note", NOTE_READ).bytes(lineage.as_bytes()).bytes(object.as_bytes());
        if self.execute(note).await? > 0 {
            self.live_mut(Scope::Equipe(lineage)).await?.unreported_reads.load(object, ());
        }
        Ok(())
    }

    async fn has_unreported_reads(&mut self, lineage: LineageId) -> Stored<bool> {
        let tables = self.live(Scope::Equipe(lineage)).await?;
        Ok(tables.unreported_reads.rows().next().is_some())
    }

    async fn take_unreported_reads(
        &mut self,
        lineage: LineageId,
        limit: u32,
    ) -> Stored<Vec<ObjectId>> {
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let tables = self.live_mut(Scope::Equipe(lineage)).await?;
        let taken = tables.unreported_reads.rows().map(|(object, ())| *object);
        let taken: Vec<ObjectId> = taken.take(most).collect();
        for object in &taken {
            tables.unreported_reads.unload(object);
        }
        for chunk in taken.chunks(KEYS) {
            let text = AssertSqlSafe(Arc::clone(&REPORT_READS));
            let report = sql("read_note", text).bytes(lineage.as_bytes());
            let report = filled(chunk).fold(report, |report, id| report.bytes(id.as_bytes()));
            self.execute(report).await?;
        }
        Ok(taken)
    }

    async fn place_objects(&mut self, places: &[(ObjectId, Sequence)]) -> Stored<()> {
        // Where several envelopes speak of one object, the newest place counts.
        let newest: BTreeMap<ObjectId, Sequence> = places.iter().copied().collect();
        let rows: Vec<_> = newest.into_iter().collect();
        let bind = |statement: Statement, (object, sequence): &(ObjectId, Sequence)| {
            statement.bytes(object.as_bytes()).integer(sequence.0)
        };
        self.write_all("object", &PLACE, &rows, bind).await.map(drop)
    }

    async fn objects_placed_until(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        let update = sql("object", PLACED_UNTIL).bytes(lineage.as_bytes());
        self.execute(update.integer(sequence.0)).await.map(drop)
    }
}

impl SqlTx {
    /// Objects that were read here, and of which the origin has not been told.
    pub(super) async fn unreported_reads(&mut self, lineage: LineageId) -> Stored<Vec<ObjectId>> {
        let select = sql("read_note", UNREPORTED).bytes(lineage.as_bytes());
        self.all(select, |row| row.id()).await
    }
}

fn bind_newest(statement: Statement, filter: &NewestFilter) -> Statement {
    let before = filter.before_position.map(i64::try_from);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let node = |node: &Option<NodeId>| node.as_ref().map_or("", NodeId::as_str).to_owned();
    statement
        .integer(before.map_or(i64::MAX, |place| place.unwrap_or(i64::MAX)))
        .integer(filter.after_position)
        .text(node(&filter.origin))
        .text(node(&filter.not_origin))
        .text(text(&filter.state))
        .text(text(&filter.kind))
        .flag(filter.lineage.is_some())
        .bytes(filter.lineage.map(|lineage| lineage.as_bytes().to_vec()).unwrap_or_default())
        .integer(filter.limit)
}

/// A statement over [`KEYS`] keys; its text is made of literals and markers alone.
fn bind_keys<K: Copy>(
    table: &'static str,
    text: &Arc<str>,
    chunk: &[K],
    bytes: impl Fn(K) -> Vec<u8>,
) -> Statement {
    let statement = sql(table, AssertSqlSafe(Arc::clone(text)));
    filled(chunk).fold(statement, |statement, key| statement.bytes(bytes(key)))
}

fn bind(statement: Statement, row: &ObjectRow) -> Statement {
    statement
        .bytes(row.object.as_bytes())
        .integer(row.position)
        .bytes(row.lineage.as_bytes())
        .text(&row.kind)
        .text(row.origin.as_str())
        .integer(row.version)
        .text(&row.state)
        .bytes(row.envelope.as_bytes())
        .integer(row.sequence.0)
        .instant(row.shared_at)
        .option_instant(row.received_at)
        .instant(row.expires_at)
        .bytes(row.wrapped_key.as_slice())
        .bytes(row.sealed_share.as_slice())
        .bytes(row.sealed_author.as_slice())
        .text(&row.end_reason)
}

fn read(row: &mut Columns<'_>) -> Stored<ObjectRow> {
    Ok(ObjectRow {
        object: row.id()?,
        position: row.integer()?,
        lineage: row.id()?,
        kind: row.text()?,
        origin: row.parsed()?,
        version: row.integer()?,
        state: row.text()?,
        envelope: row.id()?,
        sequence: Sequence(row.integer()?),
        shared_at: row.instant()?,
        received_at: row.option_instant()?,
        expires_at: row.instant()?,
        wrapped_key: row.bytes()?,
        sealed_share: row.bytes()?,
        sealed_author: row.bytes()?,
        end_reason: row.text()?,
    })
}
