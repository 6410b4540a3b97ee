//! The store on SQLite and PostgreSQL: one text of SQL for both.
//!
//! Everything is durable at commit. The writers of this process queue behind one another, and
//! on SQLite use a connection of their own, so that readers cannot starve them. What every step
//! needs is kept in memory (the [live state](super::live)); what was changed there is written
//! when a transaction commits.
//!
//! An insert whose key is taken yields `Exists` and leaves the transaction usable, except
//! that of several rows some may have been inserted: then the transaction is to be dropped.

mod account;
mod archive;
mod audit_head;
mod bulk;
mod carried;
mod directory;
mod draft;
mod email_notice;
mod equipe;
mod error;
mod history;
mod honesty;
mod hub;
mod inbox;
mod ledger;
mod live;
mod log;
mod mailbox;
mod matching;
mod migrations;
mod node;
mod object;
mod offer;
pub(in crate::store) mod record;
mod register;
mod served;
mod statement;
mod term;
mod token;
mod token_request;
mod tx;
mod visit;

use std::sync::{Arc, Mutex as StdMutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{Any, AnyConnection, AnyPool, Connection as _, Executor as _, Row as _, Transaction};
use tokio::sync::Mutex;

pub use self::tx::SqlTx;

use self::error::{noted, unavailable};
use self::live::Live;
use super::ailment::{Ailing, Ailment, Vitals};
use super::archive::{Archive, Purpose};
use super::dialect::Dialect;
use super::mishap::{SharedMishaps, locked};
use super::statements::Statements;
use super::{Store, StoreError, Stored, Tx};

/// How long a transaction waits for a free connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the first connection to a server may take.
const REACH_TIMEOUT: Duration = Duration::from_secs(10);

/// A database on SQLite or PostgreSQL.
pub struct SqlStore {
    shared: Arc<Shared>,
}

/// What a store and its transactions share.
struct Shared {
    dialect: Dialect,
    readers: AnyPool,
    writers: AnyPool,
    turn: Arc<Mutex<()>>,
    vitals: Vitals,
    /// In a simulation: what may go wrong.
    mishaps: OnceLock<SharedMishaps>,
    live: Live,
    connections: u32,
    statements: StdMutex<Statements>,
}

impl SqlStore {
    /// Connects, refuses a newer schema, and brings the schema up to date.
    ///
    /// `url` is `sqlite://PATH` (made if missing), `postgres://USER@HOST/DATABASE` or, over
    /// a Unix socket, `postgres:///DATABASE?host=/run/postgresql&user=USER`.
    /// `connections` is the largest number of connections, at least 1; SQLite takes one
    /// more for writing.
    ///
    /// # Errors
    /// [`StoreError::Newer`], [`StoreError::Unavailable`].
    pub async fn open(url: &str, connections: u32) -> Stored<Self> {
        let store = Self::connect(url, connections).await?;
        store.migrate().await?;
        Ok(store)
    }

    /// Connects without looking at the schema.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn connect(url: &str, connections: u32) -> Stored<Self> {
        install_default_drivers();
        let Some(dialect) = Dialect::of(url) else {
            let text = "the URL must begin with `sqlite:` or `postgres:`";
            return Err(StoreError::Unavailable(text.to_owned()));
        };
        let url = dialect.driver_url(url);
        let (writers, readers) = match dialect {
            Dialect::Sqlite => {
                // The writer connects first: it makes the file and turns WAL on.
                (pool(dialect, &url, 1).await?, pool(dialect, &url, connections).await?)
            }
            Dialect::Postgres => {
                reach(&url).await?;
                let pool = pool(dialect, &url, connections).await?;
                (pool.clone(), pool)
            }
        };
        let shared = Shared {
            dialect,
            readers,
            writers,
            turn: Arc::default(),
            vitals: Vitals::default(),
            mishaps: OnceLock::new(),
            live: Live::default(),
            connections,
            statements: StdMutex::default(),
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Lets a simulation decide which commits fail.
    #[must_use]
    pub fn with_mishaps(self, mishaps: SharedMishaps) -> Self {
        let _ = self.shared.mishaps.set(mishaps);
        self
    }

    /// Brings the schema up to date; may run in several processes at once.
    ///
    /// # Errors
    /// [`StoreError::Newer`] when a newer program has been here; [`StoreError::Unavailable`].
    pub async fn migrate(&self) -> Stored<()> {
        self.migrate_to(migrations::newest()).await
    }

    /// Brings a new database to an older schema, as that of a backup.
    ///
    /// # Errors
    /// As [`SqlStore::migrate`]; [`StoreError::Newer`] also for a schema that this program
    /// does not know.
    pub async fn migrate_to(&self, schema: i64) -> Stored<()> {
        let known = migrations::newest();
        if schema > known {
            return Err(StoreError::Newer { found: schema, known });
        }
        let found = self.newest_migration().await?;
        if found > known {
            return Err(StoreError::Newer { found, known });
        }
        for statement in self.shared.dialect.prelude() {
            self.shared.writers.execute(*statement).await.map_err(unavailable)?;
        }
        let done = migrations::migrator(schema).run(&self.shared.writers).await;
        done.map_err(|error| error::migration(error, known))
    }

    /// Moves SQLite's write-ahead log into the database file and empties it, so that with
    /// `secure_delete` no erased bytes stay in either; false when a reader stood in the way
    /// for longer than the busy timeout. On PostgreSQL there is nothing to do.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn checkpoint_truncate(&self) -> Stored<bool> {
        if self.shared.dialect == Dialect::Postgres {
            return Ok(true);
        }
        let _turn = self.shared.turn.lock().await;
        let row = self.shared.writers.fetch_one("PRAGMA wal_checkpoint(TRUNCATE)").await;
        let busy = row.and_then(|row| row.try_get::<i64, _>(0)).map_err(unavailable)?;
        Ok(busy == 0)
    }

    /// Closes all connections once their transactions have ended.
    pub async fn close(&self) {
        self.shared.readers.close().await;
        self.shared.writers.close().await;
    }

    async fn writing(&self) -> Stored<SqlTx> {
        let turn = Arc::clone(&self.shared.turn).lock_owned().await;
        SqlTx::writing(Arc::clone(&self.shared), turn)
    }

    fn reading(&self) -> Stored<SqlTx> {
        SqlTx::reading(Arc::clone(&self.shared))
    }

    /// Looks for torn pages and broken trees (SQLite's `quick_check`); on PostgreSQL the
    /// server looks at each page that it reads.
    ///
    /// # Errors
    /// [`StoreError::Ailing`] with the first thing that is wrong.
    pub async fn check(&self) -> Stored<()> {
        if self.shared.dialect == Dialect::Postgres {
            return Ok(());
        }
        let row = self.shared.readers.fetch_one("PRAGMA quick_check(1)").await;
        let found = row.and_then(|row| row.try_get::<String, _>(0));
        let found = found.map_err(|error| noted(&self.shared.vitals, error))?;
        if found == "ok" {
            return Ok(());
        }
        let ailing = Ailing { ailment: Ailment::Damaged, cause: found };
        self.shared.vitals.note(ailing.clone());
        Err(StoreError::Ailing { ailment: ailing.ailment, cause: ailing.cause })
    }

    async fn newest_migration(&self) -> Stored<i64> {
        const NEWEST: &str =
            "SELECT CAST(COALESCE(MAX(version), 0) AS BIGINT) FROM _sqlx_migrations";
        if self.single_number(self.shared.dialect.count_migration_tables()).await? == 0 {
            return Ok(0);
        }
        self.single_number(NEWEST).await
    }

    async fn single_number(&self, text: &'static str) -> Stored<i64> {
        let row = sqlx::query(text).fetch_one(&self.shared.readers).await;
        row.and_then(|row| row.try_get(0)).map_err(unavailable)
    }
}

impl Shared {
    /// The present life of a simulated store, unless it has crashed.
    fn life(&self) -> Stored<Option<(SharedMishaps, u64)>> {
        let Some(mishaps) = self.mishaps.get() else { return Ok(None) };
        let life = locked(mishaps).life()?;
        Ok(Some((Arc::clone(mishaps), life)))
    }

    fn counted(&self) -> MutexGuard<'_, Statements> {
        self.statements.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a transaction. When the disk fails, SQLite ends a transaction by itself, and
    /// the driver, whose rollback then finds none, counts it as open for ever: such a
    /// connection is closed here, and another one made.
    async fn begin(&self, writes: bool) -> Stored<Transaction<'static, Any>> {
        let (pool, statement) = match writes {
            true => (&self.writers, self.dialect.begin_write()),
            false => (&self.readers, self.dialect.begin_read()),
        };
        for _ in 0..=self.connections {
            match self.begun(pool, statement).await {
                Err(sqlx::Error::InvalidSavePointStatement) => {
                    let stuck = pool.acquire().await;
                    let stuck = stuck.map_err(|error| noted(&self.vitals, error))?;
                    // Whether it ends well does not matter: it is never used again.
                    let _ = stuck.close().await;
                }
                begun => {
                    let begun = begun.map_err(|error| noted(&self.vitals, error))?;
                    self.vitals.answered();
                    return Ok(begun);
                }
            }
        }
        Err(StoreError::Unavailable("no connection can begin a transaction".to_owned()))
    }

    /// Begins a transaction, and ends it again should the caller go away meanwhile.
    ///
    /// sqlx forgets a `BEGIN` that it has sent to PostgreSQL when its future is dropped
    /// before the answer: the connection would go back into the pool with a transaction
    /// open in it, which may be one that only reads. So it is begun in a task of its own.
    async fn begun(
        &self,
        pool: &AnyPool,
        text: &'static str,
    ) -> Result<Transaction<'static, Any>, sqlx::Error> {
        if self.dialect == Dialect::Sqlite {
            return pool.begin_with(text).await;
        }
        let pool = pool.clone();
        let begun = tokio::spawn(async move { pool.begin_with(text).await }).await;
        begun.map_err(|error| sqlx::Error::Io(std::io::Error::other(error)))?
    }
}

/// A pool would try again and again: what cannot be reached at the start is told at once.
async fn reach(url: &str) -> Stored<()> {
    let connected = tokio::time::timeout(REACH_TIMEOUT, AnyConnection::connect(url)).await;
    let silent = |_| StoreError::Unavailable("the server does not answer".to_owned());
    connected.map_err(silent)?.map_err(unavailable)?.close().await.map_err(unavailable)
}

async fn pool(dialect: Dialect, url: &str, connections: u32) -> Stored<AnyPool> {
    let options = AnyPoolOptions::new()
        .max_connections(connections.max(1))
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .test_before_acquire(dialect.connections_break())
        .after_connect(move |connection, _| {
            Box::pin(async move {
                for statement in dialect.session() {
                    connection.execute(*statement).await?;
                }
                Ok(())
            })
        });
    options.connect(url).await.map_err(unavailable)
}

#[async_trait]
impl Store for SqlStore {
    async fn write(&self) -> Stored<Box<dyn Tx>> {
        Ok(Box::new(self.writing().await?))
    }

    async fn read(&self) -> Stored<Box<dyn Tx>> {
        Ok(Box::new(self.reading()?))
    }

    async fn archive(&self, purpose: Purpose) -> Stored<Box<dyn Archive>> {
        Ok(match purpose {
            Purpose::Backup => Box::new(self.reading()?),
            Purpose::Restoration => Box::new(self.writing().await?),
        })
    }

    async fn sweep(&self) -> Stored<bool> {
        for statement in self.shared.dialect.sweep() {
            self.shared.writers.execute(*statement).await.map_err(unavailable)?;
        }
        self.checkpoint_truncate().await
    }

    fn ailing(&self) -> Option<Ailing> {
        self.shared.vitals.now()
    }

    async fn ping(&self) -> Stored<()> {
        self.shared.life()?;
        let answer = self.shared.readers.execute("SELECT 1").await;
        answer.map_err(|error| noted(&self.shared.vitals, error))?;
        self.shared.vitals.answered();
        Ok(())
    }

    async fn probe(&self) -> Stored<()> {
        const TOUCH: &str = "UPDATE counter SET value = value WHERE name = $1";
        let mut tx = self.writing().await?;
        tx.execute(statement::sql("counter", TOUCH).text("audit")).await?;
        Tx::commit(Box::new(tx)).await
    }

    fn statements(&self) -> Statements {
        self.shared.counted().clone()
    }

    fn kind(&self) -> &'static str {
        self.shared.dialect.as_str()
    }

    async fn schema(&self) -> Stored<u32> {
        let newest = self.newest_migration().await?;
        u32::try_from(newest).map_err(|_| StoreError::Damaged("_sqlx_migrations"))
    }
}
