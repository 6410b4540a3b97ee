//! What OpenMLS keeps, by scope: sealed by the vault before it comes here.

use async_trait::async_trait;

use super::Stored;

/// One value of OpenMLS, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerRow {
    /// `device`, `group/<hex>` or `hub/<hex>`.
    pub scope: String,
    /// Kind of value.
    pub kind: String,
    /// Key within the kind.
    pub key: Vec<u8>,
    /// Sealed value.
    pub sealed: Vec<u8>,
}

/// Rows of the ledger.
#[async_trait]
pub trait LedgerRows {
    /// All rows of a scope.
    async fn ledger(&mut self, scope: &str) -> Stored<Vec<LedgerRow>>;
    /// Writes or replaces rows.
    async fn put_ledger(&mut self, rows: &[LedgerRow]) -> Stored<()>;
    /// Deletes one row; nothing happens if there is none.
    async fn delete_ledger(&mut self, scope: &str, kind: &str, key: &[u8]) -> Stored<()>;
    /// Deletes a scope.
    async fn delete_ledger_scope(&mut self, scope: &str) -> Stored<()>;
}
