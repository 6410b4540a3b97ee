//! The rows of live tables, one file per table's trait, for every store at once.

mod carried;
mod equipe;
mod honesty;
mod keys;
mod membership;
mod outbox;
mod own;
mod pact;
mod peer;
mod rejoin;
mod successor;
mod term;
mod token_request;
mod void;

use crate::store::live::{Row, RowTable};
use crate::store::{StoreError, Stored};

/// All rows of a table, by key.
fn all<R: Row>(table: &RowTable<R>) -> Vec<R> {
    table.rows().map(|(_, row)| row.clone()).collect()
}

/// Inserted, or `Exists`.
fn inserted(table: &'static str, inserted: bool) -> Stored<()> {
    if inserted { Ok(()) } else { Err(StoreError::Exists(table)) }
}

/// The first `limit` of some rows, cloned.
fn first<'a, T: Clone + 'a>(rows: impl Iterator<Item = &'a T>, limit: u32) -> Vec<T> {
    rows.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
}
