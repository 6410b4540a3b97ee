//! Rows of hub terms.

use std::sync::LazyLock;

use async_trait::async_trait;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{Epoch, LineageId, Sequence};

use super::SqlTx;
use super::bulk::Bulk;
use super::log::{kind_number, read_kind};
use super::statement::{Columns, Statement, sql};
use crate::store::Stored;
use crate::store::term::{HubMoveRow, KeptRow, TermRows};

macro_rules! columns {
    () => {
        "lineage, sequence, epoch, kind, sender, entry, accepted_at_ms, payload, bytes_through"
    };
}

static KEEP: LazyLock<Bulk> = LazyLock::new(|| {
    let insert = concat!("INSERT INTO kept_entry (", columns!(), ")");
    Bulk::new(insert, 9, "ON CONFLICT DO NOTHING")
});
const KEPT_AFTER: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM kept_entry WHERE lineage = $1 AND sequence > $2 ORDER BY sequence LIMIT $3"
);
const KEPT_BYTES: &str = "SELECT bytes_through FROM kept_entry WHERE lineage = $1 \
     ORDER BY sequence DESC LIMIT 1";
const FORGET_KEPT: &str = "DELETE FROM kept_entry WHERE lineage = $1 AND sequence <= $2";
const FORGET_KEPT_BYTES: &str = "DELETE FROM kept_entry WHERE lineage = $1 AND bytes_through <= $2";
const HUB_MOVE: &str = "SELECT lineage, statement, previous, answer, changed_at_ms FROM hub_move \
     WHERE lineage = $1";
const PUT_HUB_MOVE: &str = "INSERT INTO hub_move \
     (lineage, statement, previous, answer, changed_at_ms) VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (lineage) DO UPDATE SET statement = excluded.statement, \
     previous = excluded.previous, answer = excluded.answer, \
     changed_at_ms = excluded.changed_at_ms";
const DELETE_HUB_MOVE: &str = "DELETE FROM hub_move WHERE lineage = $1";
const UNPLACE_OBJECTS: &str = "UPDATE object SET sequence = 0 WHERE object IN \
     (SELECT object FROM envelope WHERE lineage = $1 AND sequence > $2 AND object IS NOT NULL)";
const UNPLACE_ENVELOPES: &str =
    "UPDATE envelope SET sequence = 0 WHERE lineage = $1 AND sequence > $2";
const UNPLACE_ENTRIES: &str = "UPDATE entry SET sequence = 0, state = 'pending' \
     WHERE lineage = $1 AND sequence > $2 AND state = 'accepted'";

#[async_trait]
impl TermRows for SqlTx {
    async fn keep_entries(&mut self, rows: &[KeptRow]) -> Stored<()> {
        self.write_all("kept_entry", &KEEP, rows, bind).await.map(drop)
    }

    async fn kept_after(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<KeptRow>> {
        let select = sql("kept_entry", KEPT_AFTER).bytes(lineage.as_bytes());
        self.all(select.integer(sequence.0).integer(limit), kept).await
    }

    async fn kept_bytes(&mut self, lineage: LineageId) -> Stored<u64> {
        let select = sql("kept_entry", KEPT_BYTES).bytes(lineage.as_bytes());
        let newest: Option<u64> = self.one(select, |row| row.integer()).await?;
        Ok(newest.unwrap_or_default())
    }

    async fn forget_kept(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()> {
        let delete = sql("kept_entry", FORGET_KEPT).bytes(lineage.as_bytes());
        self.execute(delete.integer(up_to.0)).await.map(drop)
    }

    async fn forget_kept_bytes(&mut self, lineage: LineageId, bytes: u64) -> Stored<()> {
        let delete = sql("kept_entry", FORGET_KEPT_BYTES).bytes(lineage.as_bytes());
        self.execute(delete.integer(bytes)).await.map(drop)
    }

    async fn hub_move(&mut self, lineage: LineageId) -> Stored<Option<HubMoveRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(HubMoveRow {
                lineage: row.id()?,
                statement: row.bytes()?,
                previous: row.bytes()?,
                answer: row.text()?,
                changed_at: row.instant()?,
            })
        };
        self.one(sql("hub_move", HUB_MOVE).bytes(lineage.as_bytes()), read).await
    }

    async fn put_hub_move(&mut self, row: HubMoveRow) -> Stored<()> {
        let put = sql("hub_move", PUT_HUB_MOVE)
            .bytes(row.lineage.as_bytes())
            .bytes(row.statement)
            .bytes(row.previous)
            .text(row.answer)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_hub_move(&mut self, lineage: LineageId) -> Stored<()> {
        let delete = sql("hub_move", DELETE_HUB_MOVE).bytes(lineage.as_bytes());
        self.execute(delete).await.map(drop)
    }

    async fn unplace_after(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        let texts = [
            ("object", UNPLACE_OBJECTS),
            ("envelope", UNPLACE_ENVELOPES),
            ("entry", UNPLACE_ENTRIES),
        ];
        for (table, text) in texts {
            let update = sql(table, text).bytes(lineage.as_bytes()).integer(sequence.0);
            self.execute(update).await?;
        }
        Ok(())
    }
}

fn bind(statement: Statement, row: &KeptRow) -> Statement {
    let entry = &row.entry;
    statement
        .bytes(row.lineage.as_bytes())
        .integer(entry.sequence.0)
        .integer(entry.epoch.0)
        .integer(kind_number(entry.kind))
        .text(entry.sender.as_str())
        .bytes(entry.entry_id.as_bytes())
        .instant(entry.accepted_at)
        .bytes(entry.payload.as_slice())
        .integer(row.bytes_through)
}

fn kept(row: &mut Columns<'_>) -> Stored<KeptRow> {
    Ok(KeptRow {
        lineage: row.id()?,
        entry: LogEntry {
            sequence: Sequence(row.integer()?),
            epoch: Epoch(row.integer()?),
            kind: read_kind(row)?,
            sender: row.parsed()?,
            entry_id: row.id()?,
            accepted_at: row.instant()?,
            payload: row.bytes()?,
        },
        bytes_through: row.integer()?,
    })
}
