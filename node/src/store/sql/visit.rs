//! Rows of visits.

use async_trait::async_trait;
use raccordo_core::account::Marks;
use raccordo_core::id::OperatorId;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::visit::{VisitRow, VisitRows};

const VISIT: &str = "SELECT operator, known_objects, known_matches, left_at_ms, met_objects, \
     met_matches, seen_at_ms FROM visit WHERE operator = $1";
const PUT: &str = "INSERT INTO visit (operator, known_objects, known_matches, left_at_ms, \
     met_objects, met_matches, seen_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (operator) DO UPDATE SET known_objects = excluded.known_objects, \
     known_matches = excluded.known_matches, left_at_ms = excluded.left_at_ms, \
     met_objects = excluded.met_objects, met_matches = excluded.met_matches, \
     seen_at_ms = excluded.seen_at_ms";
const NEWEST_OBJECT: &str = "SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM object";
const NEWEST_MATCH: &str = "SELECT CAST(COALESCE(MAX(position), 0) AS BIGINT) FROM found_match";

#[async_trait]
impl VisitRows for SqlTx {
    async fn visit(&mut self, operator: OperatorId) -> Stored<Option<VisitRow>> {
        self.one(sql("visit", VISIT).bytes(operator.as_bytes()), read).await
    }

    async fn put_visit(&mut self, row: VisitRow) -> Stored<()> {
        let put = sql("visit", PUT)
            .bytes(row.operator.as_bytes())
            .integer(row.known.objects)
            .integer(row.known.matches)
            .instant(row.left_at)
            .integer(row.met.objects)
            .integer(row.met.matches)
            .instant(row.seen_at);
        self.execute(put).await.map(drop)
    }

    async fn newest_marks(&mut self) -> Stored<Marks> {
        Ok(Marks {
            objects: self.number(sql("object", NEWEST_OBJECT)).await?,
            matches: self.number(sql("found_match", NEWEST_MATCH)).await?,
        })
    }
}

fn read(row: &mut Columns<'_>) -> Stored<VisitRow> {
    Ok(VisitRow {
        operator: row.id()?,
        known: Marks { objects: row.integer()?, matches: row.integer()? },
        left_at: row.instant()?,
        met: Marks { objects: row.integer()?, matches: row.integer()? },
        seen_at: row.instant()?,
    })
}
