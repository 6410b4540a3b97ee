//! A transaction of [`SqlStore`](super::SqlStore): what the files of the tables are written with.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::Shared;
use super::bulk::Bulk;
use super::error::noted;
use super::live::Doubt;
use super::statement::{Columns, Statement, sql};
use crate::store::live::{LiveAccess, LiveTables, Scope, View};
use crate::store::{StoreError, Stored, Tx};

/// How a row is read.
type Read<T> = fn(&mut Columns<'_>) -> Stored<T>;

/// A transaction; dropping it rolls back.
///
/// The database hears of it with its first statement: what finds all that it needs in memory
/// and changes nothing costs the database nothing.
///
/// The turn stands last: it is passed on only after the transaction has ended.
pub struct SqlTx {
    shared: Arc<Shared>,
    transaction: Option<Transaction<'static, Any>>,
    view: View,
    /// Only a writer has the turn.
    turn: Option<OwnedMutexGuard<()>>,
}

impl SqlTx {
    /// One that writes, with the turn of the only writer.
    pub(super) fn writing(shared: Arc<Shared>, turn: OwnedMutexGuard<()>) -> Self {
        let view = View::over(shared.live.scopes());
        Self { shared, transaction: None, view, turn: Some(turn) }
    }

    /// One that only reads.
    pub(super) fn reading(shared: Arc<Shared>) -> Self {
        let view = View::over(shared.live.scopes());
        Self { shared, transaction: None, view, turn: None }
    }

    /// Begins in the database, if it has not.
    pub(super) async fn begun(&mut self) -> Stored<&mut Transaction<'static, Any>> {
        if self.transaction.is_none() {
            self.transaction = Some(self.shared.begin(self.turn.is_some()).await?);
        }
        self.transaction
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("no transaction began".to_owned()))
    }

    fn check_writes(&self) -> Stored<()> {
        if self.turn.is_some() {
            return Ok(());
        }
        Err(StoreError::Unavailable("this transaction only reads".to_owned()))
    }

    /// Runs a statement that writes; returns the number of rows that it touched.
    pub(super) async fn execute(&mut self, statement: Statement) -> Stored<u64> {
        self.check_writes()?;
        self.shared.count_statement();
        let query = statement.query()?;
        let done = query.execute(&mut **self.begun().await?).await;
        done.map(|done| done.rows_affected()).map_err(|error| noted(&self.shared.vitals, error))
    }

    /// Inserts one row with `ON CONFLICT DO NOTHING`; `Exists` when it was there.
    pub(super) async fn insert(&mut self, statement: Statement) -> Stored<()> {
        let table = statement.table;
        match self.execute(statement).await? {
            0 => Err(StoreError::Exists(table)),
            _ => Ok(()),
        }
    }

    /// Writes many rows; returns how many were written.
    pub(super) async fn write_all<R: Sync>(
        &mut self,
        table: &'static str,
        bulk: &Bulk,
        rows: &[R],
        bind: impl Fn(Statement, &R) -> Statement + Send,
    ) -> Stored<u64> {
        let mut written = 0_u64;
        let mut rest = rows;
        for (size, text) in bulk.texts() {
            while let Some((chunk, after)) = rest.split_at_checked(*size) {
                // The text is made of literals and parameter markers alone.
                let statement = sql(table, AssertSqlSafe(text.clone()));
                let statement = chunk.iter().fold(statement, &bind);
                written = written.saturating_add(self.execute(statement).await?);
                rest = after;
            }
        }
        Ok(written)
    }

    /// As [`SqlTx::write_all`], where every row must be new.
    pub(super) async fn insert_new<R: Sync>(
        &mut self,
        table: &'static str,
        bulk: &Bulk,
        rows: &[R],
        bind: fn(Statement, &R) -> Statement,
    ) -> Stored<()> {
        let inserted = self.write_all(table, bulk, rows, bind).await?;
        let whole = u64::try_from(rows.len()).is_ok_and(|rows| rows == inserted);
        if whole { Ok(()) } else { Err(StoreError::Exists(table)) }
    }

    /// The first row, if any.
    pub(super) async fn one<T>(
        &mut self,
        statement: Statement,
        read: Read<T>,
    ) -> Stored<Option<T>> {
        let table = statement.table;
        self.shared.count_statement();
        let query = statement.query()?;
        let row = query.fetch_optional(&mut **self.begun().await?).await;
        let read = |row: AnyRow| read(&mut Columns::new(table, &row));
        row.map_err(|error| noted(&self.shared.vitals, error))?.map(read).transpose()
    }

    /// All rows.
    pub(super) async fn all<T>(&mut self, statement: Statement, read: Read<T>) -> Stored<Vec<T>> {
        self.all_with(statement, read).await
    }

    /// All rows, read by what the caller knows of them.
    pub(super) async fn all_with<T>(
        &mut self,
        statement: Statement,
        read: impl Fn(&mut Columns<'_>) -> Stored<T> + Send,
    ) -> Stored<Vec<T>> {
        let table = statement.table;
        self.shared.count_statement();
        let query = statement.query()?;
        let rows = query.fetch_all(&mut **self.begun().await?).await;
        let rows = rows.map_err(|error| noted(&self.shared.vitals, error))?;
        rows.iter().map(|row| read(&mut Columns::new(table, row))).collect()
    }

    /// The rows that a statement with `RETURNING` has written.
    pub(super) async fn returning<T>(
        &mut self,
        statement: Statement,
        read: Read<T>,
    ) -> Stored<Vec<T>> {
        self.check_writes()?;
        self.all(statement, read).await
    }

    /// The single number that a statement selects.
    pub(super) async fn number(&mut self, statement: Statement) -> Stored<u64> {
        let table = statement.table;
        let number = self.one(statement, |row| row.integer()).await?;
        number.ok_or(StoreError::Damaged(table))
    }

    /// Takes `count` numbers from a counter; returns the first of them.
    pub(super) async fn take_numbers(
        &mut self,
        counter: &'static str,
        count: usize,
    ) -> Stored<u64> {
        let count = u64::try_from(count).map_err(|_| StoreError::Damaged("counter"))?;
        Ok(self.live_mut(Scope::Node).await?.take_numbers(counter, count))
    }

    async fn loaded(&mut self, scope: Scope) -> Stored<()> {
        if self.view.has(scope) {
            return Ok(());
        }
        let tables = Arc::new(self.load_scope(scope).await?);
        if self.turn.is_some() {
            // Nobody else writes meanwhile: this is what is committed.
            self.shared.live.load(scope, Arc::clone(&tables));
        }
        self.view.load(scope, tables);
        Ok(())
    }

    /// Makes everything durable: first what was changed in memory is written.
    async fn end(mut self) -> Stored<()> {
        if self.turn.is_none() {
            return Ok(());
        }
        // Until the database has answered, nobody knows what it holds.
        let doubt = Doubt::begin(Arc::clone(&self.shared));
        let view = std::mem::take(&mut self.view);
        for (before, now) in view.changes() {
            self.write_scope(before, now).await?;
        }
        if let Some(transaction) = self.transaction.take() {
            let committed = transaction.commit().await;
            committed.map_err(|error| noted(&self.shared.vitals, error))?;
            self.shared.vitals.wrote();
        }
        doubt.end(view);
        Ok(())
    }

    /// Makes whole tables durable, which were written past the live state: it is read anew.
    pub(super) async fn end_archive(mut self) -> Stored<()> {
        let _doubt = Doubt::begin(Arc::clone(&self.shared));
        if let Some(transaction) = self.transaction.take() {
            let committed = transaction.commit().await;
            committed.map_err(|error| noted(&self.shared.vitals, error))?;
        }
        Ok(())
    }
}

#[async_trait]
impl LiveAccess for SqlTx {
    async fn live(&mut self, scope: Scope) -> Stored<&LiveTables> {
        self.loaded(scope).await?;
        self.view.tables(scope).ok_or(StoreError::Damaged("live"))
    }

    async fn live_mut(&mut self, scope: Scope) -> Stored<&mut LiveTables> {
        self.check_writes()?;
        self.loaded(scope).await?;
        self.view.tables_mut(scope).ok_or(StoreError::Damaged("live"))
    }
}

#[async_trait]
impl Tx for SqlTx {
    async fn commit(self: Box<Self>) -> Stored<()> {
        self.end().await
    }
}
