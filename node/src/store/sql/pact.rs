//! Rows of pacts.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use super::SqlTx;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::pact::{PactRow, PactRows};

macro_rules! columns {
    () => {
        "lineage, equipe, sealed_proposal, hub_answer, changed_at_ms"
    };
}

const PACT: &str = concat!("SELECT ", columns!(), " FROM pact WHERE lineage = $1");
const PACTS: &str = concat!("SELECT ", columns!(), " FROM pact");
const DELETE_PACT: &str = "DELETE FROM pact WHERE lineage = $1";
const RAISE_PACT: &str = "UPDATE pact SET equipe = equipe WHERE lineage = $1";
const PUT_PACT: &str = concat!(
    "INSERT INTO pact (",
    columns!(),
    ") VALUES ($1, $2, $3, $4, $5) \
     ON CONFLICT (lineage) DO UPDATE SET equipe = excluded.equipe, \
     sealed_proposal = excluded.sealed_proposal, hub_answer = excluded.hub_answer, \
     changed_at_ms = excluded.changed_at_ms"
);

#[async_trait]
impl PactRows for SqlTx {
    async fn raise_pact(&mut self, lineage: LineageId) -> Stored<bool> {
        Ok(self.execute(sql("pact", RAISE_PACT).bytes(lineage.as_bytes())).await? > 0)
    }

    async fn pact(&mut self, lineage: LineageId) -> Stored<Option<PactRow>> {
        self.one(sql("pact", PACT).bytes(lineage.as_bytes()), pact).await
    }

    async fn pacts(&mut self) -> Stored<Vec<PactRow>> {
        let mut rows = self.all(sql("pact", PACTS), pact).await?;
        rows.sort_by(|a, b| (&a.equipe, a.lineage).cmp(&(&b.equipe, b.lineage)));
        Ok(rows)
    }

    async fn put_pact(&mut self, row: PactRow) -> Stored<()> {
        let put = sql("pact", PUT_PACT)
            .bytes(row.lineage.as_bytes())
            .text(row.equipe)
            .bytes(row.sealed_proposal)
            .text(row.hub_answer)
            .instant(row.changed_at);
        self.execute(put).await.map(drop)
    }

    async fn delete_pact(&mut self, lineage: LineageId) -> Stored<()> {
        self.execute(sql("pact", DELETE_PACT).bytes(lineage.as_bytes())).await.map(drop)
    }
}

fn pact(row: &mut Columns<'_>) -> Stored<PactRow> {
    Ok(PactRow {
        lineage: row.id()?,
        equipe: row.text()?,
        sealed_proposal: row.bytes()?,
        hub_answer: row.text()?,
        changed_at: row.instant()?,
    })
}
