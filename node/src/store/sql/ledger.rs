//! Rows of the ledger.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use async_trait::async_trait;

use super::SqlTx;
use super::bulk::Bulk;
use super::statement::{Columns, sql};
use crate::store::Stored;
use crate::store::ledger::{LedgerRow, LedgerRows};

const SCOPE: &str = "SELECT scope, kind, ledger_key, sealed FROM ledger WHERE scope = $1";
const DELETE: &str = "DELETE FROM ledger WHERE scope = $1 AND kind = $2 AND ledger_key = $3";
const DELETE_SCOPE: &str = "DELETE FROM ledger WHERE scope = $1";

static PUT: LazyLock<Bulk> = LazyLock::new(|| {
    Bulk::new(
        "INSERT INTO ledger (scope, kind, ledger_key, sealed)",
        4,
        "ON CONFLICT (scope, kind, ledger_key) DO UPDATE SET sealed = excluded.sealed",
    )
});

#[async_trait]
impl LedgerRows for SqlTx {
    async fn ledger(&mut self, scope: &str) -> Stored<Vec<LedgerRow>> {
        let read = |row: &mut Columns<'_>| {
            let (scope, kind, key) = (row.text()?, row.text()?, row.bytes()?);
            Ok(LedgerRow { scope, kind, key, sealed: row.bytes()? })
        };
        self.all(sql("ledger", SCOPE).text(scope), read).await
    }

    async fn put_ledger(&mut self, rows: &[LedgerRow]) -> Stored<()> {
        // PostgreSQL refuses a statement that writes a row twice: the last one counts.
        let rows: BTreeMap<_, _> =
            rows.iter().map(|row| ((&row.scope, &row.kind, &row.key), row)).collect();
        let rows: Vec<&LedgerRow> = rows.into_values().collect();
        let put = self.write_all("ledger", &PUT, &rows, |put, row| {
            let put = put.text(&row.scope).text(&row.kind);
            put.bytes(row.key.as_slice()).bytes(row.sealed.as_slice())
        });
        put.await.map(drop)
    }

    async fn delete_ledger(&mut self, scope: &str, kind: &str, key: &[u8]) -> Stored<()> {
        let delete = sql("ledger", DELETE).text(scope).text(kind).bytes(key);
        self.execute(delete).await.map(drop)
    }

    async fn delete_ledger_scope(&mut self, scope: &str) -> Stored<()> {
        self.execute(sql("ledger", DELETE_SCOPE).text(scope)).await.map(drop)
    }
}
