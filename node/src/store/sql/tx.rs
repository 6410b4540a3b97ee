//! A transaction of [`SqlStore`](super::SqlStore): what the files of the tables are written with.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::bulk::Bulk;
use super::error::{noted, of_statement};
use super::statement::{Columns, Prepared, Statement, sql};
use crate::store::ailment::Vitals;
use crate::store::mishap::{CrashPoint, Meeting, SharedMishaps, locked};
use crate::store::{StoreError, Stored, Tx};

/// How a row is read.
type Read<T> = fn(&mut Columns<'_>) -> Stored<T>;

/// A transaction; dropping it rolls back.
///
/// One in which a statement has failed cannot be committed: PostgreSQL would answer that it
/// has rolled back, and the driver would take that for a commit.
///
/// The turn stands last: it is passed on only after the transaction has ended.
pub struct SqlTx {
    transaction: Transaction<'static, Any>,
    writes: bool,
    failed: Option<StoreError>,
    /// In a simulation: what may go wrong, and in which life it began.
    life: Option<(SharedMishaps, u64)>,
    vitals: Arc<Vitals>,
    _turn: Option<OwnedMutexGuard<()>>,
}

impl SqlTx {
    /// One that writes; on SQLite with the turn of the only writer.
    pub(super) fn writing(
        transaction: Transaction<'static, Any>,
        vitals: Arc<Vitals>,
        turn: Option<OwnedMutexGuard<()>>,
    ) -> Self {
        Self { transaction, writes: true, failed: None, life: None, vitals, _turn: turn }
    }

    /// One that only reads.
    pub(super) fn reading(transaction: Transaction<'static, Any>, vitals: Arc<Vitals>) -> Self {
        Self { transaction, writes: false, failed: None, life: None, vitals, _turn: None }
    }

    /// The same, of a store whose process may end.
    pub(super) fn in_life(self, life: Option<(SharedMishaps, u64)>) -> Self {
        Self { life, ..self }
    }

    /// Whether it may write.
    pub(super) fn writes(&self) -> bool {
        self.writes
    }

    fn check_writes(&self) -> Stored<()> {
        if self.writes {
            return Ok(());
        }
        Err(StoreError::Unavailable("this transaction only reads".to_owned()))
    }

    /// Notes that a statement has failed.
    fn fail(&mut self, error: StoreError) -> StoreError {
        self.failed.get_or_insert_with(|| error.clone());
        error
    }

    /// The table and the query of a statement, if its values fit.
    fn checked(&mut self, statement: Statement) -> Stored<(&'static str, Prepared)> {
        if let Some((mishaps, life)) = &self.life {
            locked(mishaps).check(*life)?;
        }
        let table = statement.table;
        match statement.query() {
            Ok(query) => Ok((table, query)),
            Err(unfit) => Err(self.fail(unfit)),
        }
    }

    /// Runs a statement that writes; returns the number of rows that it touched.
    pub(super) async fn execute(&mut self, statement: Statement) -> Stored<u64> {
        self.check_writes()?;
        let (table, query) = self.checked(statement)?;
        match query.execute(&mut *self.transaction).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(self.fail(of_statement(&self.vitals, table, error))),
        }
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
        bind: fn(Statement, &R) -> Statement,
    ) -> Stored<u64> {
        let mut written = 0_u64;
        let mut rest = rows;
        for (size, text) in bulk.texts() {
            while let Some((chunk, after)) = rest.split_at_checked(*size) {
                // The text is made of literals and parameter markers alone.
                let statement = sql(table, AssertSqlSafe(text.clone()));
                let statement = chunk.iter().fold(statement, bind);
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
        let (table, query) = self.checked(statement)?;
        let read = |row: AnyRow| read(&mut Columns::new(table, &row));
        match query.fetch_optional(&mut *self.transaction).await {
            Ok(row) => row.map(read).transpose(),
            Err(error) => Err(self.fail(of_statement(&self.vitals, table, error))),
        }
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
        let (table, query) = self.checked(statement)?;
        match query.fetch_all(&mut *self.transaction).await {
            Ok(rows) => rows.iter().map(|row| read(&mut Columns::new(table, row))).collect(),
            Err(error) => Err(self.fail(of_statement(&self.vitals, table, error))),
        }
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

    /// Takes `count` numbers from a counter, which stays locked until the end; returns the
    /// first of them.
    pub(super) async fn take_numbers(&mut self, counter: &str, count: usize) -> Stored<u64> {
        const TAKE: &str = "UPDATE counter SET value = value + $2 WHERE name = $1 RETURNING value";
        let take = sql("counter", TAKE).text(counter).integer(count);
        let newest: Vec<u64> = self.returning(take, |row| row.integer()).await?;
        let count = u64::try_from(count).ok();
        let first = newest.first().zip(count).and_then(|(newest, count)| {
            newest.checked_sub(count).and_then(|before| before.checked_add(1))
        });
        first.ok_or(StoreError::Damaged("counter"))
    }
}

#[async_trait]
impl Tx for SqlTx {
    async fn commit(self: Box<Self>) -> Stored<()> {
        let Self { transaction, writes, failed, life, vitals, _turn } = *self;
        let met = match (failed, &life) {
            (Some(error), _) => Meeting::Failed(error, CrashPoint::BeforeCommit),
            (None, Some((mishaps, life))) if writes => {
                let mut mishaps = locked(mishaps);
                mishaps.check(*life)?;
                mishaps.commit()
            }
            (None, _) => Meeting::Fine,
        };
        if let Meeting::Failed(error, CrashPoint::BeforeCommit) = met {
            // Before the turn is passed on.
            drop(transaction);
            return Err(error);
        }
        let committed = transaction.commit().await;
        committed.map_err(|error| noted(&vitals, error))?;
        if let Meeting::Failed(error, CrashPoint::AfterCommit) = met {
            return Err(error);
        }
        if writes {
            vitals.wrote();
        }
        Ok(())
    }
}
