//! Rows of verified history, claims and proofs.

use async_trait::async_trait;
use raccordo_core::id::{LineageId, Sequence};

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::honesty::{HonestyRows, StretchRow};

const INSERT_STRETCH: &str = "INSERT INTO stretch (lineage, last, after, head_before, digests, \
     checkpoint, checkpoint_signature) VALUES ($1, $2, $3, $4, $5, $6, $7) \
     ON CONFLICT DO NOTHING";
const STRETCHES_FROM: &str = "SELECT lineage, last, after, head_before, digests, checkpoint, \
     checkpoint_signature FROM stretch WHERE lineage = $1 AND last >= $2 ORDER BY last LIMIT $3";
const FORGET_STRETCHES: &str = "DELETE FROM stretch WHERE lineage = $1 AND last < $2";
const KEEP_PROOF: &str = "INSERT INTO proof (lineage, sequence, proof) VALUES ($1, $2, $3) \
     ON CONFLICT DO NOTHING";
const PROOFS: &str = "SELECT proof FROM proof WHERE lineage = $1 ORDER BY sequence";

#[async_trait]
impl HonestyRows for SqlTx {
    async fn insert_stretch(&mut self, row: StretchRow) -> Stored<()> {
        let insert = sql("stretch", INSERT_STRETCH)
            .bytes(row.lineage.as_bytes())
            .integer(row.last.0)
            .integer(row.after.0)
            .bytes(row.before.as_bytes())
            .bytes(row.digests)
            .bytes(row.checkpoint)
            .bytes(row.checkpoint_signature);
        self.insert(insert).await
    }

    async fn stretches_from(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        limit: u32,
    ) -> Stored<Vec<StretchRow>> {
        let select = sql("stretch", STRETCHES_FROM).bytes(lineage.as_bytes());
        self.all(select.integer(sequence.0).integer(limit), stretch).await
    }

    async fn forget_stretches(&mut self, lineage: LineageId, before: Sequence) -> Stored<()> {
        let delete = sql("stretch", FORGET_STRETCHES).bytes(lineage.as_bytes());
        self.execute(delete.integer(before.0)).await.map(drop)
    }

    async fn keep_proof(
        &mut self,
        lineage: LineageId,
        sequence: Sequence,
        proof: Vec<u8>,
    ) -> Stored<bool> {
        let keep = sql("proof", KEEP_PROOF).bytes(lineage.as_bytes());
        Ok(self.execute(keep.integer(sequence.0).bytes(proof)).await? > 0)
    }

    async fn proofs(&mut self, lineage: LineageId) -> Stored<Vec<Vec<u8>>> {
        self.all(sql("proof", PROOFS).bytes(lineage.as_bytes()), |row| row.bytes()).await
    }
}

fn stretch(row: &mut Columns<'_>) -> Stored<StretchRow> {
    Ok(StretchRow {
        lineage: row.id()?,
        last: Sequence(row.integer()?),
        after: Sequence(row.integer()?),
        before: row.id()?,
        digests: row.bytes()?,
        checkpoint: row.bytes()?,
        checkpoint_signature: row.bytes()?,
    })
}
