//! Rows of what waits for tokens.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, NodeId, RecordId, TokenRequestId};
use raccordo_core::pseudonym::key::{Class, Generation, KeyEpoch};

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::token_request::{AnswerRow, RequestRow, TokenRequestRows, WantedRow};

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
const PUT_REQUEST: &str = "INSERT INTO token_request (lineage, request, class, key_epoch, \
     elements, sealed, attempts, asked_at_ms, accepted_at_ms) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (lineage, request) DO UPDATE \
     SET attempts = excluded.attempts, asked_at_ms = excluded.asked_at_ms, \
     accepted_at_ms = excluded.accepted_at_ms";
const REQUEST: &str = "SELECT lineage, request, class, key_epoch, elements, sealed, attempts, \
     asked_at_ms, accepted_at_ms FROM token_request WHERE lineage = $1 AND request = $2";
const REQUESTS: &str = "SELECT lineage, request, class, key_epoch, elements, sealed, attempts, \
     asked_at_ms, accepted_at_ms FROM token_request WHERE lineage = $1 AND class = $2 \
     ORDER BY asked_at_ms, request";
const DELETE_REQUEST: &str = "DELETE FROM token_request WHERE lineage = $1 AND request = $2";
const DELETE_ANSWERS: &str = "DELETE FROM token_answer WHERE lineage = $1 AND request = $2";
const PUT_ANSWER: &str = "INSERT INTO token_answer (lineage, request, member, generation, \
     evaluation) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lineage, request, member) DO UPDATE \
     SET generation = excluded.generation, evaluation = excluded.evaluation";
const ANSWERS: &str = "SELECT lineage, request, member, generation, evaluation \
     FROM token_answer WHERE lineage = $1 AND request = $2";
const DELETE_ANSWER: &str =
    "DELETE FROM token_answer WHERE lineage = $1 AND request = $2 AND member = $3";

#[async_trait]
impl TokenRequestRows for SqlTx {
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

    async fn put_token_request(&mut self, row: RequestRow) -> Stored<()> {
        let put = asked("token_request", PUT_REQUEST, row.lineage, row.request)
            .text(row.class.name())
            .integer(row.key_epoch.0)
            .integer(row.elements)
            .bytes(row.sealed)
            .integer(row.attempts)
            .instant(row.asked_at)
            .instant(row.accepted_at);
        self.execute(put).await.map(drop)
    }

    async fn token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Option<RequestRow>> {
        self.one(asked("token_request", REQUEST, lineage, request), read_request).await
    }

    async fn token_requests(
        &mut self,
        lineage: LineageId,
        class: Class,
    ) -> Stored<Vec<RequestRow>> {
        self.all(of("token_request", REQUESTS, lineage).text(class.name()), read_request).await
    }

    async fn delete_token_request(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<()> {
        self.execute(asked("token_answer", DELETE_ANSWERS, lineage, request)).await?;
        self.execute(asked("token_request", DELETE_REQUEST, lineage, request)).await.map(drop)
    }

    async fn put_token_answer(&mut self, row: AnswerRow) -> Stored<()> {
        let put = asked("token_answer", PUT_ANSWER, row.lineage, row.request)
            .text(row.member)
            .integer(row.generation.0)
            .bytes(row.evaluation);
        self.execute(put).await.map(drop)
    }

    async fn token_answers(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
    ) -> Stored<Vec<AnswerRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(AnswerRow {
                lineage: row.id()?,
                request: row.id()?,
                member: row.parsed()?,
                generation: Generation(row.integer()?),
                evaluation: row.bytes()?,
            })
        };
        let select = asked("token_answer", ANSWERS, lineage, request);
        let mut rows = self.all(select, read).await?;
        rows.sort_by(|a, b| a.member.cmp(&b.member));
        Ok(rows)
    }

    async fn delete_token_answer(
        &mut self,
        lineage: LineageId,
        request: TokenRequestId,
        member: &NodeId,
    ) -> Stored<()> {
        let delete = asked("token_answer", DELETE_ANSWER, lineage, request);
        self.execute(delete.text(member.as_str())).await.map(drop)
    }
}

fn of(table: &'static str, text: &'static str, lineage: LineageId) -> Statement {
    sql(table, text).bytes(lineage.as_bytes())
}

fn asked(
    table: &'static str,
    text: &'static str,
    lineage: LineageId,
    request: TokenRequestId,
) -> Statement {
    of(table, text, lineage).bytes(request.as_bytes())
}

fn read_request(row: &mut Columns<'_>) -> Stored<RequestRow> {
    Ok(RequestRow {
        lineage: row.id()?,
        request: row.id()?,
        class: row.parsed()?,
        key_epoch: KeyEpoch(row.integer()?),
        elements: row.integer()?,
        sealed: row.bytes()?,
        attempts: row.integer()?,
        asked_at: row.instant()?,
        accepted_at: row.instant()?,
    })
}
