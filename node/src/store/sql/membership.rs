//! Rows of changing membership.

use async_trait::async_trait;
use raccordo_core::id::{Digest, GroupId, LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::membership::{MembershipRows, ProposalRow, ReplayRow};

const PROPOSALS: &str = "SELECT lineage, statement, sealed_proposal, begun_here, changed_at_ms \
     FROM proposal WHERE lineage = $1";
const PUT_PROPOSAL: &str = "INSERT INTO proposal \
     (lineage, statement, sealed_proposal, begun_here, changed_at_ms) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lineage, statement) DO UPDATE \
     SET sealed_proposal = excluded.sealed_proposal, begun_here = excluded.begun_here, \
     changed_at_ms = excluded.changed_at_ms";
const DELETE_PROPOSAL: &str = "DELETE FROM proposal WHERE lineage = $1 AND statement = $2";

const REPLAYS: &str = "SELECT lineage, recipient, rejoined, added_at, position, queued, \
     envelope FROM replay WHERE lineage = $1";
const PUT_REPLAY: &str = "INSERT INTO replay \
     (lineage, recipient, rejoined, added_at, position, queued, envelope) \
     VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (lineage, recipient) DO UPDATE \
     SET rejoined = excluded.rejoined, added_at = excluded.added_at, \
     position = excluded.position, queued = excluded.queued, \
     envelope = excluded.envelope";
const DELETE_REPLAY: &str = "DELETE FROM replay WHERE lineage = $1 AND recipient = $2";

const KEY_UPDATE: &str = "SELECT at_ms FROM key_update WHERE lineage = $1";
const PUT_KEY_UPDATE: &str = "INSERT INTO key_update (lineage, at_ms) VALUES ($1, $2) \
     ON CONFLICT (lineage) DO UPDATE SET at_ms = excluded.at_ms";

const LEAVER: &str = "SELECT removed_at FROM log_leaver WHERE group_id = $1 AND node = $2";
const PUT_LEAVER: &str = "INSERT INTO log_leaver (group_id, node, removed_at) \
     VALUES ($1, $2, $3) ON CONFLICT (group_id, node) DO UPDATE \
     SET removed_at = excluded.removed_at";
const DELETE_LEAVER: &str = "DELETE FROM log_leaver WHERE group_id = $1 AND node = $2";

#[async_trait]
impl MembershipRows for SqlTx {
    async fn proposals(&mut self, lineage: LineageId) -> Stored<Vec<ProposalRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ProposalRow {
                lineage: row.id()?,
                statement: row.id()?,
                sealed_proposal: row.bytes()?,
                begun_here: row.flag()?,
                changed_at: row.instant()?,
            })
        };
        let select = sql("proposal", PROPOSALS).bytes(lineage.as_bytes());
        let mut rows = self.all(select, read).await?;
        rows.sort_by_key(|row| (row.changed_at, row.statement));
        Ok(rows)
    }

    async fn put_proposal(&mut self, row: ProposalRow) -> Stored<()> {
        let put = sql("proposal", PUT_PROPOSAL)
            .bytes(row.lineage.as_bytes())
            .bytes(row.statement.as_bytes())
            .bytes(row.sealed_proposal)
            .flag(row.begun_here)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_proposal(&mut self, lineage: LineageId, statement: Digest) -> Stored<()> {
        let delete = sql("proposal", DELETE_PROPOSAL).bytes(lineage.as_bytes());
        self.execute(delete.bytes(statement.as_bytes())).await.map(drop)
    }

    async fn replays(&mut self, lineage: LineageId) -> Stored<Vec<ReplayRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(ReplayRow {
                lineage: row.id()?,
                recipient: row.parsed()?,
                rejoined: row.flag()?,
                added_at: Sequence(row.integer()?),
                position: row.integer()?,
                queued: row.flag()?,
                envelope: row.option_id()?,
            })
        };
        let mut rows = self.all(sql("replay", REPLAYS).bytes(lineage.as_bytes()), read).await?;
        rows.sort_by(|a, b| a.recipient.cmp(&b.recipient));
        Ok(rows)
    }

    async fn put_replay(&mut self, row: ReplayRow) -> Stored<()> {
        let put = sql("replay", PUT_REPLAY)
            .bytes(row.lineage.as_bytes())
            .text(row.recipient)
            .flag(row.rejoined)
            .integer(row.added_at.0)
            .integer(row.position)
            .flag(row.queued)
            .option_bytes(row.envelope.map(|envelope| envelope.as_bytes().to_vec()));
        self.execute(put).await.map(drop)
    }

    async fn delete_replay(&mut self, lineage: LineageId, recipient: &NodeId) -> Stored<()> {
        let delete = sql("replay", DELETE_REPLAY).bytes(lineage.as_bytes());
        self.execute(delete.text(recipient.as_str())).await.map(drop)
    }

    async fn key_update(&mut self, lineage: LineageId) -> Stored<Option<Instant>> {
        let select = sql("key_update", KEY_UPDATE).bytes(lineage.as_bytes());
        self.one(select, |row| row.instant()).await
    }

    async fn put_key_update(&mut self, lineage: LineageId, at: Instant) -> Stored<()> {
        let put = sql("key_update", PUT_KEY_UPDATE).bytes(lineage.as_bytes()).instant(at);
        self.execute(put).await.map(drop)
    }

    async fn leaver(&mut self, group: GroupId, node: &NodeId) -> Stored<Option<Sequence>> {
        let select = sql("log_leaver", LEAVER).bytes(group.as_bytes()).text(node.as_str());
        self.one(select, |row| Ok(Sequence(row.integer()?))).await
    }

    async fn put_leaver(
        &mut self,
        group: GroupId,
        node: &NodeId,
        removed_at: Option<Sequence>,
    ) -> Stored<()> {
        let text = if removed_at.is_some() { PUT_LEAVER } else { DELETE_LEAVER };
        let named = sql("log_leaver", text).bytes(group.as_bytes()).text(node.as_str());
        let put = match removed_at {
            Some(sequence) => named.integer(sequence.0),
            None => named,
        };
        self.execute(put).await.map(drop)
    }
}
