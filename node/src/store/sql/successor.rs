//! Rows of successors of groups.

use async_trait::async_trait;
use raccordo_core::id::{GroupId, LineageId, Sequence};

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::successor::{SuccessorRow, SuccessorRows};

const SUCCESSOR: &str = "SELECT lineage, old_group, signed, statement, answer, changed_at_ms \
     FROM successor WHERE lineage = $1 AND old_group = $2";
const PUT: &str = "INSERT INTO successor \
     (lineage, old_group, signed, statement, answer, changed_at_ms) \
     VALUES ($1, $2, $3, $4, $5, $6) \
     ON CONFLICT (lineage, old_group) DO UPDATE SET signed = excluded.signed, \
     statement = excluded.statement, answer = excluded.answer, \
     changed_at_ms = excluded.changed_at_ms";
const PLACED_UNTIL: &str = "UPDATE object SET sequence = $2 WHERE lineage = $1 AND sequence > $2";

#[async_trait]
impl SuccessorRows for SqlTx {
    async fn successor(
        &mut self,
        lineage: LineageId,
        old_group: GroupId,
    ) -> Stored<Option<SuccessorRow>> {
        let read = |row: &mut Columns<'_>| {
            Ok(SuccessorRow {
                lineage: row.id()?,
                old_group: row.id()?,
                signed: row.id()?,
                statement: row.bytes()?,
                answer: row.text()?,
                changed_at: row.instant()?,
            })
        };
        let select = sql("successor", SUCCESSOR).bytes(lineage.as_bytes());
        self.one(select.bytes(old_group.as_bytes()), read).await
    }

    async fn put_successor(&mut self, row: SuccessorRow) -> Stored<()> {
        let put = sql("successor", PUT)
            .bytes(row.lineage.as_bytes())
            .bytes(row.old_group.as_bytes())
            .bytes(row.signed.as_bytes())
            .bytes(row.statement)
            .text(row.answer)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }

    async fn objects_placed_until(&mut self, lineage: LineageId, sequence: Sequence) -> Stored<()> {
        let update = sql("object", PLACED_UNTIL).bytes(lineage.as_bytes());
        self.execute(update.integer(sequence.0)).await.map(drop)
    }
}
