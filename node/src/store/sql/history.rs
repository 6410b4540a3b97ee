//! Rows of statements that were in force.

use async_trait::async_trait;
use raccordo_core::id::LineageId;

use super::SqlTx;
use super::statement::sql;
use crate::store::Stored;
use crate::store::history::{HistoryRows, Keeper};

/// The texts of one table.
struct Texts {
    table: &'static str,
    put: &'static str,
    delete_later: &'static str,
    before: &'static str,
    forget: &'static str,
}

macro_rules! texts {
    ($table:literal) => {
        Texts {
            table: $table,
            put: concat!(
                "INSERT INTO ",
                $table,
                " (lineage, version, signed) VALUES ($1, $2, $3) \
                 ON CONFLICT (lineage, version) DO UPDATE SET signed = excluded.signed"
            ),
            delete_later: concat!("DELETE FROM ", $table, " WHERE lineage = $1 AND version > $2"),
            before: concat!(
                "SELECT signed FROM ",
                $table,
                " WHERE lineage = $1 AND version < $2 ORDER BY version DESC LIMIT $3"
            ),
            forget: concat!("DELETE FROM ", $table, " WHERE lineage = $1 AND version < $2"),
        }
    };
}

const MEMBER: Texts = texts!("past_statement");
const HUB: Texts = texts!("carried_statement");

fn of(keeper: Keeper) -> &'static Texts {
    match keeper {
        Keeper::Member => &MEMBER,
        Keeper::Hub => &HUB,
    }
}

#[async_trait]
impl HistoryRows for SqlTx {
    async fn put_past_statement(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        version: u64,
        statement: Vec<u8>,
    ) -> Stored<()> {
        let texts = of(keeper);
        let put = sql(texts.table, texts.put).bytes(lineage.as_bytes()).integer(version);
        self.execute(put.bytes(statement)).await?;
        let delete = sql(texts.table, texts.delete_later).bytes(lineage.as_bytes());
        self.execute(delete.integer(version)).await.map(drop)
    }

    async fn past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
        limit: u32,
    ) -> Stored<Vec<Vec<u8>>> {
        let texts = of(keeper);
        let select = sql(texts.table, texts.before).bytes(lineage.as_bytes()).integer(before);
        self.all(select.integer(limit), |row| row.bytes()).await
    }

    async fn forget_past_statements(
        &mut self,
        keeper: Keeper,
        lineage: LineageId,
        before: u64,
    ) -> Stored<()> {
        let texts = of(keeper);
        let forget = sql(texts.table, texts.forget).bytes(lineage.as_bytes()).integer(before);
        self.execute(forget).await.map(drop)
    }
}
