//! Rows of what waits for tokens.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, RecordId};
use raccordo_core::pseudonym::key::Class;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::token_request::{WantedRow, WantedRows};

const WANT: &str = "INSERT INTO token_wanted (lineage, class, record, state, at_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lineage, class, record) DO UPDATE \
     SET state = excluded.state, at_ms = excluded.at_ms";
const WANTED: &str = "SELECT lineage, class, record, state, at_ms FROM token_wanted \
     WHERE lineage = $1 AND class = $2 AND state = 'wanted' ORDER BY at_ms DESC, record LIMIT $3";
const COUNT: &str =
    "SELECT COUNT(*) FROM token_wanted WHERE lineage = $1 AND class = $2 AND state = $3";
const TURN: &str = "UPDATE token_wanted SET state = $5 WHERE lineage = $1 AND class = $2 \
     AND record = $3 AND state = $4";
const WANT_AGAIN: &str = "UPDATE token_wanted SET state = 'wanted' WHERE lineage = $1 \
     AND class = $2 AND state = $3";
const FORGET: &str = "DELETE FROM token_wanted WHERE record = $1";

#[async_trait]
impl WantedRows for SqlTx {
    async fn want_tokens(&mut self, rows: &[WantedRow]) -> Stored<()> {
        for row in rows {
            let want = of("token_wanted", WANT, row.lineage)
                .text(row.class.name())
                .bytes(row.record.as_bytes())
                .text(row.state.as_str())
                .instant(row.at);
            self.execute(want).await?;
        }
        Ok(())
    }

    async fn wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        limit: u32,
    ) -> Stored<Vec<WantedRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(WantedRow {
                lineage: row.id()?,
                class: row.parsed()?,
                record: row.id()?,
                state: row.text()?,
                at: row.instant()?,
            })
        };
        let select = of("token_wanted", WANTED, lineage).text(class.name()).integer(limit);
        self.all(select, read).await
    }

    async fn count_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<u64> {
        self.number(of("token_wanted", COUNT, lineage).text(class.name()).text(state)).await
    }

    async fn turn_wanted_tokens(
        &mut self,
        lineage: LineageId,
        class: Class,
        records: &[RecordId],
        (from, to): (&str, &str),
    ) -> Stored<()> {
        for record in records {
            let turn = of("token_wanted", TURN, lineage)
                .text(class.name())
                .bytes(record.as_bytes())
                .text(from)
                .text(to);
            self.execute(turn).await?;
        }
        Ok(())
    }

    async fn want_tokens_again(
        &mut self,
        lineage: LineageId,
        class: Class,
        state: &str,
    ) -> Stored<()> {
        let again = of("token_wanted", WANT_AGAIN, lineage).text(class.name()).text(state);
        self.execute(again).await.map(drop)
    }

    async fn forget_wanted_tokens(&mut self, record: RecordId) -> Stored<()> {
        self.execute(sql("token_wanted", FORGET).bytes(record.as_bytes())).await.map(drop)
    }
}

fn of(table: &'static str, text: &'static str, lineage: LineageId) -> Statement {
    sql(table, text).bytes(lineage.as_bytes())
}
