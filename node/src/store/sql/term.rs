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
use crate::store::live::{LiveAccess as _, Scope};
use crate::store::term::{KeptRow, TermRows};

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
const NEWEST_KEPT: &str = "SELECT sequence, bytes_through FROM kept_entry WHERE lineage = $1 \
     ORDER BY sequence DESC LIMIT 1";
const FORGET_KEPT: &str = "DELETE FROM kept_entry WHERE lineage = $1 AND sequence <= $2";
const FORGET_KEPT_BYTES: &str = "DELETE FROM kept_entry WHERE lineage = $1 AND bytes_through <= $2";

#[async_trait]
impl TermRows for SqlTx {
    async fn keep_entries(&mut self, rows: &[KeptRow]) -> Stored<()> {
        let Some(newest) = rows.last() else { return Ok(()) };
        let kept = Some((newest.entry.sequence, newest.bytes_through));
        let scope = Scope::Equipe(newest.lineage);
        self.write_all("kept_entry", &KEEP, rows, bind).await?;
        self.live_mut(scope).await?.newest_kept = kept;
        Ok(())
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
        let newest = self.live(Scope::Equipe(lineage)).await?.newest_kept;
        Ok(newest.map(|(_, bytes)| bytes).unwrap_or_default())
    }

    async fn forget_kept(&mut self, lineage: LineageId, up_to: Sequence) -> Stored<()> {
        let delete = sql("kept_entry", FORGET_KEPT).bytes(lineage.as_bytes());
        self.execute(delete.integer(up_to.0)).await?;
        let tables = self.live_mut(Scope::Equipe(lineage)).await?;
        tables.newest_kept = tables.newest_kept.filter(|(sequence, _)| *sequence > up_to);
        Ok(())
    }

    async fn forget_kept_bytes(&mut self, lineage: LineageId, bytes: u64) -> Stored<()> {
        let delete = sql("kept_entry", FORGET_KEPT_BYTES).bytes(lineage.as_bytes());
        self.execute(delete.integer(bytes)).await?;
        let tables = self.live_mut(Scope::Equipe(lineage)).await?;
        tables.newest_kept = tables.newest_kept.filter(|(_, through)| *through > bytes);
        Ok(())
    }
}

impl SqlTx {
    /// Place of the newest entry that is kept, and the bytes up to it.
    pub(super) async fn newest_kept(
        &mut self,
        lineage: LineageId,
    ) -> Stored<Option<(Sequence, u64)>> {
        let select = sql("kept_entry", NEWEST_KEPT).bytes(lineage.as_bytes());
        self.one(select, |row| Ok((Sequence(row.integer()?), row.integer()?))).await
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
