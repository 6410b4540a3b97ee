//! Rows of équipes, members and alarms.

use async_trait::async_trait;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId, Sequence};

use super::SqlTx;
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::equipe::{AlarmRow, EquipeRow, EquipeRows, MemberRow};

macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT e.lineage, e.name, e.group_id, e.suite, e.state, e.version, d.statement, \
             d.sealed_pact, e.hub, e.sequence, e.head, e.accepted_at_ms, e.epoch, \
             e.authenticator, e.checkpoint, e.checkpoint_signature, e.next_number, \
             e.receipt_due, e.receipt_sent \
             FROM equipe e JOIN equipe_document d ON d.lineage = e.lineage",
            $rest
        )
    };
}

const RAISE: &str = "UPDATE equipe SET version = version + 1 WHERE lineage = $1";
const EQUIPE: &str = select!(" WHERE e.lineage = $1");
const NAMED: &str = select!(" WHERE e.name = $1");
const OF_GROUP: &str = select!(" WHERE e.group_id = $1");
const ALL: &str = select!("");
const INSERT: &str = "INSERT INTO equipe (lineage, name, group_id, suite, state, hub, sequence, \
     head, accepted_at_ms, epoch, authenticator, checkpoint, checkpoint_signature, next_number, \
     receipt_due, receipt_sent, version) \
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) \
     ON CONFLICT DO NOTHING";
const UPDATE: &str = "UPDATE equipe SET name = $2, group_id = $3, suite = $4, state = $5, \
     hub = $6, sequence = $7, head = $8, accepted_at_ms = $9, epoch = $10, authenticator = $11, \
     checkpoint = $12, checkpoint_signature = $13, next_number = $14, receipt_due = $15, \
     receipt_sent = $16 WHERE lineage = $1";
const INSERT_DOCUMENT: &str = "INSERT INTO equipe_document (lineage, statement, sealed_pact) \
     VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const UPDATE_DOCUMENT: &str = "UPDATE equipe_document SET statement = $2, sealed_pact = $3 \
     WHERE lineage = $1 AND (statement <> $2 OR sealed_pact <> $3)";

const MEMBERS: &str = "SELECT lineage, node, delivered, last_seen_ms, last_number FROM member \
     WHERE lineage = $1";
const PUT_MEMBER: &str = "INSERT INTO member (lineage, node, delivered, last_seen_ms, last_number) \
     VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lineage, node) DO UPDATE SET \
     delivered = excluded.delivered, last_seen_ms = excluded.last_seen_ms, \
     last_number = excluded.last_number";
const DELETE_MEMBER: &str = "DELETE FROM member WHERE lineage = $1 AND node = $2";

const ALARMS: &str = "SELECT lineage, code, member, peer, place, detail, raised_at_ms FROM alarm \
     WHERE lineage = $1";
const PUT_ALARM: &str = "INSERT INTO alarm (lineage, code, member, peer, place, detail, \
     raised_at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT (lineage, code, member, peer) DO UPDATE SET \
     place = excluded.place, detail = excluded.detail";
const DELETE_ALARM: &str =
    "DELETE FROM alarm WHERE lineage = $1 AND code = $2 AND member = $3 AND peer = $4";

#[async_trait]
impl EquipeRows for SqlTx {
    async fn raise_equipe(&mut self, lineage: LineageId) -> Stored<bool> {
        Ok(self.execute(sql("equipe", RAISE).bytes(lineage.as_bytes())).await? > 0)
    }

    async fn equipe(&mut self, lineage: LineageId) -> Stored<Option<EquipeRow>> {
        self.one(sql("equipe", EQUIPE).bytes(lineage.as_bytes()), equipe).await
    }

    async fn equipe_named(&mut self, name: &str) -> Stored<Option<EquipeRow>> {
        self.one(sql("equipe", NAMED).text(name), equipe).await
    }

    async fn equipe_of_group(&mut self, group: GroupId) -> Stored<Option<EquipeRow>> {
        self.one(sql("equipe", OF_GROUP).bytes(group.as_bytes()), equipe).await
    }

    async fn equipes(&mut self) -> Stored<Vec<EquipeRow>> {
        let mut rows = self.all(sql("equipe", ALL), equipe).await?;
        rows.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(rows)
    }

    async fn insert_equipe(&mut self, row: EquipeRow) -> Stored<()> {
        self.insert(bind(sql("equipe", INSERT), &row).integer(row.version)).await?;
        self.insert(bind_document(sql("equipe_document", INSERT_DOCUMENT), &row)).await
    }

    async fn update_equipe(&mut self, row: &EquipeRow) -> Stored<()> {
        self.execute(bind(sql("equipe", UPDATE), row)).await?;
        self.execute(bind_document(sql("equipe_document", UPDATE_DOCUMENT), row)).await.map(drop)
    }

    async fn members(&mut self, lineage: LineageId) -> Stored<Vec<MemberRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(MemberRow {
                lineage: row.id()?,
                node: row.parsed()?,
                delivered: Sequence(row.integer()?),
                last_seen: row.instant()?,
                last_number: row.integer()?,
            })
        };
        let select = sql("member", MEMBERS).bytes(lineage.as_bytes());
        let mut rows = self.all(select, read).await?;
        rows.sort_by(|a, b| a.node.cmp(&b.node));
        Ok(rows)
    }

    async fn put_member(&mut self, row: MemberRow) -> Stored<()> {
        let put = sql("member", PUT_MEMBER)
            .bytes(row.lineage.as_bytes())
            .text(row.node)
            .integer(row.delivered.0)
            .instant(row.last_seen)
            .integer(row.last_number);
        self.execute(put).await.map(drop)
    }

    async fn delete_member(&mut self, lineage: LineageId, node: &NodeId) -> Stored<()> {
        let delete = sql("member", DELETE_MEMBER).bytes(lineage.as_bytes()).text(node.as_str());
        self.execute(delete).await.map(drop)
    }

    async fn alarms(&mut self, lineage: LineageId) -> Stored<Vec<AlarmRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(AlarmRow {
                lineage: row.id()?,
                code: row.parsed()?,
                member: row.parsed_or_none()?,
                peer: row.parsed_or_none()?,
                place: Sequence(row.integer()?),
                detail: row.text()?,
                raised_at: row.instant()?,
            })
        };
        let mut rows = self.all(sql("alarm", ALARMS).bytes(lineage.as_bytes()), read).await?;
        rows.sort_by(AlarmRow::order);
        Ok(rows)
    }

    async fn put_alarm(&mut self, row: AlarmRow) -> Stored<()> {
        let put = sql("alarm", PUT_ALARM)
            .bytes(row.lineage.as_bytes())
            .text(row.code.as_str())
            .text(name(row.member.as_ref()))
            .text(name(row.peer.as_ref()))
            .integer(row.place.0)
            .text(row.detail)
            .instant(row.raised_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_alarm(&mut self, row: &AlarmRow) -> Stored<()> {
        let delete = sql("alarm", DELETE_ALARM)
            .bytes(row.lineage.as_bytes())
            .text(row.code.as_str())
            .text(name(row.member.as_ref()))
            .text(name(row.peer.as_ref()));
        self.execute(delete).await.map(drop)
    }
}

/// A node id in a column that is empty for none.
fn name(node: Option<&NodeId>) -> &str {
    node.map_or("", NodeId::as_str)
}

fn bind(statement: Statement, row: &EquipeRow) -> Statement {
    statement
        .bytes(row.lineage.as_bytes())
        .text(&row.name)
        .bytes(row.group.as_bytes())
        .integer(row.suite)
        .text(&row.state)
        .text(row.hub.as_str())
        .integer(row.sequence.0)
        .bytes(row.head.as_bytes())
        .instant(row.accepted_at)
        .integer(row.epoch.0)
        .bytes(row.authenticator.as_slice())
        .bytes(row.checkpoint.as_slice())
        .bytes(row.checkpoint_signature.as_slice())
        .integer(row.next_number)
        .integer(row.receipt_due.0)
        .integer(row.receipt_sent.0)
}

fn bind_document(statement: Statement, row: &EquipeRow) -> Statement {
    let statement = statement.bytes(row.lineage.as_bytes());
    statement.bytes(row.statement.as_slice()).bytes(row.sealed_pact.as_slice())
}

fn equipe(row: &mut Columns<'_>) -> Stored<EquipeRow> {
    Ok(EquipeRow {
        lineage: row.id()?,
        name: row.text()?,
        group: row.id()?,
        suite: row.integer()?,
        state: row.text()?,
        version: row.integer()?,
        statement: row.bytes()?,
        sealed_pact: row.bytes()?,
        hub: row.parsed()?,
        sequence: Sequence(row.integer()?),
        head: row.id()?,
        accepted_at: row.instant()?,
        epoch: Epoch(row.integer()?),
        authenticator: row.bytes()?,
        checkpoint: row.bytes()?,
        checkpoint_signature: row.bytes()?,
        next_number: row.integer()?,
        receipt_due: Sequence(row.integer()?),
        receipt_sent: Sequence(row.integer()?),
    })
}
