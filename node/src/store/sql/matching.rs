//! Rows of matches and stop values.

use async_trait::async_trait;
use raccordo_core::id::{Digest, EnvelopeId, LineageId, ObjectId, OperatorId, RecordId};
use raccordo_core::matching::life::MatchId;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::matching::{
    MatchEventRow, MatchFilter, MatchRow, MatchRows, MatchStage, RecordObjectRow, StopValueRow,
};

macro_rules! columns {
    () => {
        "match_id, position, lineage, counterpart, record, ours, theirs, state, grade, claimed, \
         seen, families, reasons, strength, said_here, said_there, decided_by, sealed_contact, found_at_ms, \
         changed_at_ms"
    };
}

const PUT_RECORD_OBJECT: &str = "INSERT INTO record_object (object, lineage, record, shared) \
     VALUES ($1, $2, $3, $4) ON CONFLICT (object) DO UPDATE SET shared = excluded.shared";
const RECORD_OBJECT: &str =
    "SELECT object, lineage, record, shared FROM record_object WHERE object = $1";
const OF_RECORD: &str =
    "SELECT object, lineage, record, shared FROM record_object WHERE record = $1 ORDER BY object";
const DELETE_RECORD_OBJECT: &str = "DELETE FROM record_object WHERE object = $1";
const INSERT: &str = concat!(
    "INSERT INTO found_match (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, \
     $18, $19, $20) \
     ON CONFLICT DO NOTHING"
);
const UPDATE: &str = "UPDATE found_match SET state = $2, grade = $3, claimed = $4, \
     seen = $5, families = $6, said_here = $7, said_there = $8, decided_by = $9, \
     sealed_contact = $10, changed_at_ms = $11, reasons = $12, strength = $13 \
     WHERE match_id = $1";
const ONE: &str = concat!("SELECT ", columns!(), " FROM found_match WHERE match_id = $1");
const LIST: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM found_match WHERE position > $1 ORDER BY position LIMIT $2"
);
macro_rules! met {
    ($stage:literal) => {
        concat!(
            " FROM found_match WHERE ",
            $stage,
            "position < $1 AND position > $2 AND EXISTS (SELECT 1 FROM register_record AS r \
             WHERE r.record = found_match.record AND ($3 = 0 OR r.organisation = $4) \
             AND ($5 = 1 OR r.subject = 'company') AND ($6 = 1 OR r.subject <> 'company'))"
        )
    };
}

macro_rules! undecided {
    () => {
        met!("state IN ('candidate', 'confirmed_there') AND ")
    };
}

macro_rules! unanswered {
    () => {
        met!("state = 'linked' AND said_here = '' AND ")
    };
}

const COUNT: &str = concat!("SELECT COUNT(*)", met!(""));
const COUNT_UNDECIDED: &str = concat!("SELECT COUNT(*)", undecided!());
const COUNT_UNANSWERED: &str = concat!("SELECT COUNT(*)", unanswered!());
const NEWEST: &str = concat!("SELECT ", columns!(), met!(""), " ORDER BY position DESC LIMIT $7");
const NEWEST_UNDECIDED: &str =
    concat!("SELECT ", columns!(), undecided!(), " ORDER BY position DESC LIMIT $7");
const NEWEST_UNANSWERED: &str =
    concat!("SELECT ", columns!(), unanswered!(), " ORDER BY position DESC LIMIT $7");
const BY_RECORD: &str =
    concat!("SELECT ", columns!(), " FROM found_match WHERE record = $1 ORDER BY position");
const BY_OBJECT: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM found_match WHERE ours = $1 OR theirs = $1 ORDER BY position"
);
const DELETE: &str = "DELETE FROM found_match WHERE match_id = $1";
const PUT_EVENT: &str = "INSERT INTO match_event (envelope, lineage, peer, operator, sealed) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const TAKE_EVENT: &str = "DELETE FROM match_event WHERE envelope = $1 \
     RETURNING envelope, lineage, peer, operator, sealed";
const EVENTS: &str = "SELECT envelope, lineage, peer, operator, sealed FROM match_event \
     WHERE lineage = $1 ORDER BY envelope";
const PUT_STOP: &str = "INSERT INTO stop_value (digest, kind, sealed, added_by, added_at_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
const STOPS: &str = "SELECT digest, kind, sealed, added_by, added_at_ms FROM stop_value \
     ORDER BY added_at_ms, digest";
const DELETE_STOP: &str = "DELETE FROM stop_value WHERE digest = $1";
const PUT_PHONE: &str = "INSERT INTO operator_phone (operator, sealed) VALUES ($1, $2) \
     ON CONFLICT (operator) DO UPDATE SET sealed = excluded.sealed";
const DELETE_PHONE: &str = "DELETE FROM operator_phone WHERE operator = $1";
const PHONE: &str = "SELECT sealed FROM operator_phone WHERE operator = $1";

#[async_trait]
impl MatchRows for SqlTx {
    async fn put_record_object(&mut self, row: RecordObjectRow) -> Stored<()> {
        let put = sql("record_object", PUT_RECORD_OBJECT)
            .bytes(row.object.as_bytes())
            .bytes(row.lineage.as_bytes())
            .bytes(row.record.as_bytes())
            .flag(row.shared);
        self.execute(put).await.map(drop)
    }

    async fn record_object(&mut self, object: ObjectId) -> Stored<Option<RecordObjectRow>> {
        let select = sql("record_object", RECORD_OBJECT).bytes(object.as_bytes());
        self.one(select, read_record_object).await
    }

    async fn objects_of_record(&mut self, record: RecordId) -> Stored<Vec<RecordObjectRow>> {
        let select = sql("record_object", OF_RECORD).bytes(record.as_bytes());
        self.all(select, read_record_object).await
    }

    async fn delete_record_object(&mut self, object: ObjectId) -> Stored<()> {
        let delete = sql("record_object", DELETE_RECORD_OBJECT).bytes(object.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn insert_match(&mut self, row: MatchRow) -> Stored<()> {
        let position = self.take_numbers("match", 1).await?;
        let insert = sql("found_match", INSERT)
            .bytes(row.id.0.as_bytes())
            .integer(position)
            .bytes(row.lineage.as_bytes())
            .text(row.counterpart.as_str())
            .bytes(row.record.as_bytes())
            .bytes(row.ours.as_bytes())
            .bytes(row.theirs.as_bytes())
            .text(row.state)
            .text(row.grade)
            .text(row.claimed)
            .flag(row.seen)
            .text(row.families)
            .text(row.reasons)
            .integer(row.strength)
            .text(row.said_here)
            .text(row.said_there)
            .option_bytes(row.decided_by.map(|operator| operator.as_bytes().to_vec()))
            .bytes(row.sealed_contact)
            .instant(row.found_at)
            .instant(row.changed_at);
        self.insert(insert).await
    }

    async fn update_match(&mut self, row: &MatchRow) -> Stored<()> {
        let update = sql("found_match", UPDATE)
            .bytes(row.id.0.as_bytes())
            .text(&row.state)
            .text(&row.grade)
            .text(&row.claimed)
            .flag(row.seen)
            .text(&row.families)
            .text(&row.said_here)
            .text(&row.said_there)
            .option_bytes(row.decided_by.map(|operator| operator.as_bytes().to_vec()))
            .bytes(row.sealed_contact.as_slice())
            .instant(row.changed_at)
            .text(&row.reasons)
            .integer(row.strength);
        self.execute(update).await.map(drop)
    }

    async fn found_match(&mut self, id: MatchId) -> Stored<Option<MatchRow>> {
        self.one(sql("found_match", ONE).bytes(id.0.as_bytes()), read_match).await
    }

    async fn list_matches(&mut self, after: u64, limit: u32) -> Stored<Vec<MatchRow>> {
        self.all(sql("found_match", LIST).integer(after).integer(limit), read_match).await
    }

    async fn newest_matches(&mut self, filter: &MatchFilter) -> Stored<Vec<MatchRow>> {
        let text = match filter.stage {
            MatchStage::Any => NEWEST,
            MatchStage::Undecided => NEWEST_UNDECIDED,
            MatchStage::Unanswered => NEWEST_UNANSWERED,
        };
        let select = bind_met(sql("found_match", text), filter).integer(filter.limit);
        self.all(select, read_match).await
    }

    async fn count_matches(&mut self, filter: &MatchFilter) -> Stored<u64> {
        let text = match filter.stage {
            MatchStage::Any => COUNT,
            MatchStage::Undecided => COUNT_UNDECIDED,
            MatchStage::Unanswered => COUNT_UNANSWERED,
        };
        self.number(bind_met(sql("found_match", text), filter)).await
    }

    async fn matches_of_record(&mut self, record: RecordId) -> Stored<Vec<MatchRow>> {
        self.all(sql("found_match", BY_RECORD).bytes(record.as_bytes()), read_match).await
    }

    async fn matches_of_object(&mut self, object: ObjectId) -> Stored<Vec<MatchRow>> {
        self.all(sql("found_match", BY_OBJECT).bytes(object.as_bytes()), read_match).await
    }

    async fn delete_match(&mut self, id: MatchId) -> Stored<()> {
        self.execute(sql("found_match", DELETE).bytes(id.0.as_bytes())).await.map(drop)
    }

    async fn put_match_event(&mut self, row: MatchEventRow) -> Stored<()> {
        let put = sql("match_event", PUT_EVENT)
            .bytes(row.envelope.as_bytes())
            .bytes(row.lineage.as_bytes())
            .text(row.peer.as_str())
            .option_bytes(row.operator.map(|operator| operator.as_bytes().to_vec()))
            .bytes(row.sealed);
        self.execute(put).await.map(drop)
    }

    async fn take_match_event(&mut self, envelope: EnvelopeId) -> Stored<Option<MatchEventRow>> {
        let take = sql("match_event", TAKE_EVENT).bytes(envelope.as_bytes());
        Ok(self.returning(take, read_event).await?.pop())
    }

    async fn match_events(&mut self, lineage: LineageId) -> Stored<Vec<MatchEventRow>> {
        self.all(sql("match_event", EVENTS).bytes(lineage.as_bytes()), read_event).await
    }

    async fn put_stop_value(&mut self, row: StopValueRow) -> Stored<bool> {
        let put = sql("stop_value", PUT_STOP)
            .bytes(row.digest.as_bytes())
            .text(row.kind)
            .bytes(row.sealed)
            .bytes(row.added_by.as_bytes())
            .instant(row.added_at);
        Ok(self.execute(put).await? > 0)
    }

    async fn stop_values(&mut self) -> Stored<Vec<StopValueRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(StopValueRow {
                digest: row.id()?,
                kind: row.text()?,
                sealed: row.bytes()?,
                added_by: row.id()?,
                added_at: row.instant()?,
            })
        };
        self.all(sql("stop_value", STOPS), read).await
    }

    async fn delete_stop_value(&mut self, digest: &Digest) -> Stored<bool> {
        let delete = sql("stop_value", DELETE_STOP).bytes(digest.as_bytes());
        Ok(self.execute(delete).await? > 0)
    }

    async fn put_operator_phone(
        &mut self,
        operator: OperatorId,
        sealed: Option<Vec<u8>>,
    ) -> Stored<()> {
        let statement = match sealed {
            Some(sealed) => {
                sql("operator_phone", PUT_PHONE).bytes(operator.as_bytes()).bytes(sealed)
            }
            None => sql("operator_phone", DELETE_PHONE).bytes(operator.as_bytes()),
        };
        self.execute(statement).await.map(drop)
    }

    async fn operator_phone(&mut self, operator: OperatorId) -> Stored<Option<Vec<u8>>> {
        self.one(sql("operator_phone", PHONE).bytes(operator.as_bytes()), |row| row.bytes()).await
    }
}

fn bind_met(statement: Statement, filter: &MatchFilter) -> Statement {
    let before = filter.before_position.map(i64::try_from);
    let organisation = filter.organisation.map(|it| it.as_bytes().to_vec());
    statement
        .integer(before.map_or(i64::MAX, |place| place.unwrap_or(i64::MAX)))
        .integer(filter.after_position)
        .flag(organisation.is_some())
        .bytes(organisation.unwrap_or_default())
        .flag(filter.people)
        .flag(filter.companies)
}

fn read_record_object(row: &mut Columns<'_>) -> Stored<RecordObjectRow> {
    Ok(RecordObjectRow {
        object: row.id()?,
        lineage: row.id()?,
        record: row.id()?,
        shared: row.flag()?,
    })
}

fn read_event(row: &mut Columns<'_>) -> Stored<MatchEventRow> {
    Ok(MatchEventRow {
        envelope: row.id()?,
        lineage: row.id()?,
        peer: row.parsed()?,
        operator: row.option_id()?,
        sealed: row.bytes()?,
    })
}

fn read_match(row: &mut Columns<'_>) -> Stored<MatchRow> {
    Ok(MatchRow {
        id: MatchId(row.id()?),
        position: row.integer()?,
        lineage: row.id()?,
        counterpart: row.parsed()?,
        record: row.id()?,
        ours: row.id()?,
        theirs: row.id()?,
        state: row.text()?,
        grade: row.text()?,
        claimed: row.text()?,
        seen: row.flag()?,
        families: row.text()?,
        reasons: row.text()?,
        strength: row.integer()?,
        said_here: row.text()?,
        said_there: row.text()?,
        decided_by: row.option_id()?,
        sealed_contact: row.bytes()?,
        found_at: row.instant()?,
        changed_at: row.instant()?,
    })
}
