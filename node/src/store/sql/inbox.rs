//! Rows of what was received.

use async_trait::async_trait;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::inbox::{ChunkRow, InboxRows, SetAsideRow, WholeRow};
use crate::store::live::{LiveAccess as _, Scope};

const SEE: &str = "INSERT INTO seen (lineage, origin, envelope, expires_at_ms) \
     VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
const FORGET_SEEN: &str = "DELETE FROM seen WHERE expires_at_ms <= $1";
const FORGET_CHUNKS: &str = "DELETE FROM chunk WHERE expires_at_ms <= $1";
const SET_ASIDE: &str = "INSERT INTO set_aside (lineage, sequence, envelope, sender, reason, \
     at_ms) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING";
const SET_ASIDE_AFTER: &str = "SELECT lineage, sequence, envelope, sender, reason, at_ms \
     FROM set_aside WHERE lineage = $1 AND sequence > $2 ORDER BY sequence, envelope";
const FORGET_SET_ASIDE: &str = "DELETE FROM set_aside WHERE lineage = $1 AND sender = $2 \
     AND sequence <= (SELECT s.sequence FROM set_aside AS s WHERE s.lineage = $1 \
     AND s.sender = $2 ORDER BY s.sequence DESC LIMIT 1 OFFSET $3)";
const NEWEST_SET_ASIDE: &str =
    "SELECT CAST(COALESCE(MAX(sequence), 0) AS BIGINT) FROM set_aside WHERE lineage = $1";
const SET_ASIDE_COUNT: &str = "SELECT COUNT(*) FROM set_aside WHERE lineage = $1";
const PUT_CHUNK: &str = "INSERT INTO chunk (lineage, origin, whole, part, parts, sealed, \
     expires_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
const CHUNKS: &str = "SELECT lineage, origin, whole, part, parts, sealed, expires_at_ms \
     FROM chunk WHERE lineage = $1 AND origin = $2 AND whole = $3 ORDER BY part";
const WHOLES: &str = "SELECT whole, CAST(SUM(LENGTH(sealed)) AS BIGINT) FROM chunk \
     WHERE lineage = $1 AND origin = $2 GROUP BY whole ORDER BY MIN(expires_at_ms), whole";
const WHOLES_OVERDUE: &str = "SELECT DISTINCT origin, whole FROM chunk \
     WHERE lineage = $1 AND expires_at_ms <= $2 ORDER BY origin, whole";
const DELETE_CHUNKS: &str = "DELETE FROM chunk WHERE lineage = $1 AND origin = $2 AND whole = $3";
const PUT_REFUSAL: &str = "INSERT INTO refusal (lineage, envelope, member, reason) \
     VALUES ($1, $2, $3, $4) \
     ON CONFLICT (envelope, lineage, member) DO UPDATE SET reason = excluded.reason";
const PUT_READ: &str = "INSERT INTO object_read (lineage, object, member) VALUES ($1, $2, $3) \
     ON CONFLICT DO NOTHING";

#[async_trait]
impl InboxRows for SqlTx {
    async fn see_envelope(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        envelope: EnvelopeId,
        expires_at: Instant,
    ) -> Stored<bool> {
        let see = from("seen", SEE, lineage, origin, envelope).instant(expires_at);
        Ok(self.execute(see).await? > 0)
    }

    async fn forget_seen(&mut self, now: Instant) -> Stored<()> {
        self.execute(sql("seen", FORGET_SEEN).instant(now)).await.map(drop)
    }

    async fn set_aside(&mut self, row: SetAsideRow) -> Stored<()> {
        let envelope = row.envelope.map(|envelope| envelope.as_bytes().to_vec());
        let (scope, sequence) = (Scope::Equipe(row.lineage), row.sequence);
        let insert = sql("set_aside", SET_ASIDE)
            .bytes(row.lineage.as_bytes())
            .integer(row.sequence.0)
            .bytes(envelope.unwrap_or_default())
            .text(row.sender)
            .text(row.reason)
            .instant(row.at);
        self.execute(insert).await?;
        let tables = self.live_mut(scope).await?;
        tables.newest_set_aside = tables.newest_set_aside.max(sequence);
        Ok(())
    }

    async fn set_aside_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
    ) -> Stored<Vec<SetAsideRow>> {
        if self.live(Scope::Equipe(lineage)).await?.newest_set_aside <= sequence {
            return Ok(Vec::new());
        }
        let select = sql("set_aside", SET_ASIDE_AFTER).bytes(lineage.as_bytes());
        self.all(select.integer(sequence.0), set_aside).await
    }

    async fn forget_set_aside(
        &mut self,
        lineage: LineageId,
        sender: &NodeId,
        keep: u64,
    ) -> Stored<u64> {
        let forget = sql("set_aside", FORGET_SET_ASIDE).bytes(lineage.as_bytes());
        self.execute(forget.text(sender.as_str()).integer(keep)).await
    }

    async fn set_aside_count(&mut self, lineage: LineageId) -> Stored<u64> {
        self.number(sql("set_aside", SET_ASIDE_COUNT).bytes(lineage.as_bytes())).await
    }

    async fn put_chunk(&mut self, row: ChunkRow) -> Stored<()> {
        let insert = from("chunk", PUT_CHUNK, row.lineage, &row.origin, row.whole)
            .integer(row.index)
            .integer(row.count)
            .bytes(row.sealed)
            .instant(row.expires_at);
        self.execute(insert).await.map(drop)
    }

    async fn chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<Vec<ChunkRow>> {
        self.all(from("chunk", CHUNKS, lineage, origin, whole), chunk).await
    }

    async fn wholes(&mut self, lineage: LineageId, origin: &NodeId) -> Stored<Vec<WholeRow>> {
        let select = sql("chunk", WHOLES).bytes(lineage.as_bytes()).text(origin.as_str());
        self.all(select, |row| Ok(WholeRow { whole: row.id()?, bytes: row.integer()? })).await
    }

    async fn wholes_overdue(
        &mut self,
        lineage: LineageId,
        now: Instant,
    ) -> Stored<Vec<(NodeId, EnvelopeId)>> {
        let select = sql("chunk", WHOLES_OVERDUE).bytes(lineage.as_bytes()).instant(now);
        self.all(select, |row| Ok((row.parsed()?, row.id()?))).await
    }

    async fn forget_chunks(&mut self, now: Instant) -> Stored<()> {
        self.execute(sql("chunk", FORGET_CHUNKS).instant(now)).await.map(drop)
    }

    async fn delete_chunks(
        &mut self,
        lineage: LineageId,
        origin: &NodeId,
        whole: EnvelopeId,
    ) -> Stored<()> {
        self.execute(from("chunk", DELETE_CHUNKS, lineage, origin, whole)).await.map(drop)
    }

    async fn put_refusal(
        &mut self,
        lineage: LineageId,
        envelope: EnvelopeId,
        member: &NodeId,
        reason: &str,
    ) -> Stored<()> {
        let put = sql("refusal", PUT_REFUSAL)
            .bytes(lineage.as_bytes())
            .bytes(envelope.as_bytes())
            .text(member.as_str())
            .text(reason);
        self.execute(put).await.map(drop)
    }

    async fn put_read(
        &mut self,
        lineage: LineageId,
        object: ObjectId,
        member: &NodeId,
    ) -> Stored<()> {
        let put = sql("object_read", PUT_READ)
            .bytes(lineage.as_bytes())
            .bytes(object.as_bytes())
            .text(member.as_str());
        self.execute(put).await.map(drop)
    }
}

impl SqlTx {
    /// The newest place at which something was set aside; 0 for none.
    pub(super) async fn newest_set_aside(&mut self, lineage: LineageId) -> Stored<Sequence> {
        let select = sql("set_aside", NEWEST_SET_ASIDE).bytes(lineage.as_bytes());
        self.number(select).await.map(Sequence)
    }
}

fn from(
    table: &'static str,
    text: &'static str,
    lineage: LineageId,
    origin: &NodeId,
    envelope: EnvelopeId,
) -> Statement {
    let statement = sql(table, text).bytes(lineage.as_bytes()).text(origin.as_str());
    statement.bytes(envelope.as_bytes())
}

fn set_aside(row: &mut Columns<'_>) -> Stored<SetAsideRow> {
    Ok(SetAsideRow {
        lineage: row.id()?,
        sequence: Sequence(row.integer()?),
        envelope: match row.bytes()?.as_slice() {
            [] => None,
            bytes => Some(EnvelopeId::try_from(bytes).map_err(|_| row.damaged())?),
        },
        sender: row.parsed()?,
        reason: row.text()?,
        at: row.instant()?,
    })
}

fn chunk(row: &mut Columns<'_>) -> Stored<ChunkRow> {
    Ok(ChunkRow {
        lineage: row.id()?,
        origin: row.parsed()?,
        whole: row.id()?,
        index: row.integer()?,
        count: row.integer()?,
        sealed: row.bytes()?,
        expires_at: row.instant()?,
    })
}
