//! A transaction of [`SqlStore`](super::SqlStore): what the files of the tables are written with.

use std::sync::Arc;

use async_trait::async_trait;
use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Transaction};
use tokio::sync::OwnedMutexGuard;

use super::Shared;
use super::bulk::Bulk;
use super::error::{noted, of_statement};
use super::live::Doubt;
use super::statement::{Columns, Prepared, Statement, sql};
use crate::store::dialect::Dialect;
use crate::store::live::{LiveAccess, LiveTables, Scope, View};
use crate::store::mishap::{CrashPoint, Meeting, SharedMishaps, locked};
use crate::store::statements::Access;
use crate::store::{StoreError, Stored, Tx};

/// How a row is read.
type Read<T> = fn(&mut Columns<'_>) -> Stored<T>;

/// A transaction; dropping it rolls back.
///
/// One in which a statement has failed cannot be committed: PostgreSQL would answer that it
/// has rolled back, and the driver would take that for a commit.
///
/// The database hears of it with its first statement: what finds all that it needs in memory
/// and changes nothing costs the database nothing. So what a reader finds in memory is of its
/// beginning, and what it reads of the database may be newer.
///
/// The turn stands last: it is passed on only after the transaction has ended.
pub struct SqlTx {
    shared: Arc<Shared>,
    transaction: Option<Transaction<'static, Any>>,
    writes: bool,
    failed: Option<StoreError>,
    /// In a simulation: what may go wrong, and in which life it began.
    life: Option<(SharedMishaps, u64)>,
    view: View,
    /// Commits of this store before it began.
    commits: u64,
    /// Whether it has written to the database: what it reads there is not what others read.
    wrote: bool,
    turn: Option<OwnedMutexGuard<()>>,
}

impl SqlTx {
    /// One that writes, with the turn of the only writer.
    pub(super) fn writing(shared: Arc<Shared>, turn: OwnedMutexGuard<()>) -> Stored<Self> {
        let reading = Self::reading(shared)?;
        Ok(Self { writes: true, turn: Some(turn), ..reading })
    }

    /// One that only reads.
    pub(super) fn reading(shared: Arc<Shared>) -> Stored<Self> {
        let life = shared.life()?;
        let (scopes, commits) = shared.live.scopes(life.as_ref().map_or(0, |(_, life)| *life));
        Ok(Self {
            shared,
            transaction: None,
            writes: false,
            failed: None,
            life,
            view: View::over(scopes),
            commits,
            wrote: false,
            turn: None,
        })
    }

    /// Begins in the database, if it has not.
    pub(super) async fn begun(&mut self) -> Stored<&mut Transaction<'static, Any>> {
        if self.transaction.is_none() {
            self.transaction = Some(self.shared.begin(self.writes).await?);
        }
        self.transaction
            .as_mut()
            .ok_or_else(|| StoreError::Unavailable("no transaction began".to_owned()))
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
    fn checked(
        &mut self,
        statement: Statement,
        access: Access,
    ) -> Stored<(&'static str, Prepared)> {
        self.shared.counted().count(statement.table, access);
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
        self.wrote = true;
        let (table, query) = self.checked(statement, Access::Write)?;
        match query.execute(&mut **self.begun().await?).await {
            Ok(done) => Ok(done.rows_affected()),
            Err(error) => Err(self.fail(of_statement(&self.shared.vitals, table, error))),
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
        let (table, query) = self.checked(statement, Access::Read)?;
        let read = |row: AnyRow| read(&mut Columns::new(table, &row));
        match query.fetch_optional(&mut **self.begun().await?).await {
            Ok(row) => row.map(read).transpose(),
            Err(error) => Err(self.fail(of_statement(&self.shared.vitals, table, error))),
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
        let (table, query) = self.checked(statement, Access::Read)?;
        match query.fetch_all(&mut **self.begun().await?).await {
            Ok(rows) => rows.iter().map(|row| read(&mut Columns::new(table, row))).collect(),
            Err(error) => Err(self.fail(of_statement(&self.shared.vitals, table, error))),
        }
    }

    /// The rows that a statement with `RETURNING` has written.
    pub(super) async fn returning<T>(
        &mut self,
        statement: Statement,
        read: Read<T>,
    ) -> Stored<Vec<T>> {
        self.check_writes()?;
        self.wrote = true;
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
        self.alter_live(Scope::Node, |tables| tables.take_numbers(counter, count)).await
    }

    async fn loaded(&mut self, scope: Scope) -> Stored<()> {
        if self.view.has(scope) {
            return Ok(());
        }
        let tables = Arc::new(self.load_scope(scope).await?);
        if !self.wrote {
            self.shared.live.load(scope, Arc::clone(&tables), self.commits);
        }
        self.view.load(scope, tables);
        Ok(())
    }

    /// What this commit meets in a simulation.
    fn meeting(&self) -> Stored<Meeting> {
        let Some((mishaps, life)) = &self.life else { return Ok(Meeting::Fine) };
        let mut mishaps = locked(mishaps);
        mishaps.check(*life)?;
        Ok(mishaps.commit())
    }

    /// Makes everything durable: first what was changed in memory is written.
    async fn end(mut self) -> Stored<()> {
        if let Some(failed) = self.failed.take() {
            return Err(failed);
        }
        if !self.writes {
            let Some(transaction) = self.transaction.take() else { return Ok(()) };
            let ended = transaction.commit().await;
            return ended.map_err(|error| noted(&self.shared.vitals, error));
        }
        if let Some(table) = self.view.unfit() {
            return Err(StoreError::Unfit(table));
        }
        let view = std::mem::take(&mut self.view);
        if self.transaction.is_none() && !view.has_changes() {
            return match self.meeting()? {
                Meeting::Fine => Ok(()),
                Meeting::Failed(error, _) => Err(error),
            };
        }
        // Until the database has answered, nobody knows what it holds.
        let doubt = Doubt::begin(Arc::clone(&self.shared));
        for (before, now) in view.changes() {
            self.write_scope(before, now).await?;
        }
        let after = match self.meeting()? {
            Meeting::Fine => None,
            Meeting::Failed(error, CrashPoint::BeforeCommit) => return Err(error),
            Meeting::Failed(error, CrashPoint::AfterCommit) => Some(error),
        };
        self.finish(doubt).await?.end(view);
        after.map_or(Ok(()), Err)
    }

    /// The same where whole tables were written past the live state: it is read anew.
    pub(super) async fn end_archive(self) -> Stored<()> {
        let _doubt = self.writes.then(|| Doubt::begin(Arc::clone(&self.shared)));
        self.end().await
    }

    /// Ends the transaction in the database, if it has begun there. On PostgreSQL the caller may
    /// go away and the answer is waited for all the same: whoever writes next would read what was
    /// before, while the server still commits.
    async fn finish(&mut self, mut doubt: Doubt) -> Stored<Doubt> {
        let Some(transaction) = self.transaction.take() else { return Ok(doubt) };
        doubt.take_turn(self.turn.take());
        let shared = Arc::clone(&self.shared);
        let commit = async move {
            let committed = transaction.commit().await;
            committed.map_err(|error| noted(&shared.vitals, error))?;
            shared.vitals.wrote();
            Ok(doubt)
        };
        if self.shared.dialect == Dialect::Sqlite {
            return commit.await;
        }
        let committed = tokio::spawn(commit).await;
        committed.map_err(|error| StoreError::Unavailable(error.to_string()))?
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
