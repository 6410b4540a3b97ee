//! Where a machine keeps its rows: in memory, or in a database of its own.
//!
//! A database answers from elsewhere; the scheduler waits for it ([`super::task`]), so that its
//! answers move nothing in the order of steps.

use std::path::Path;
use std::sync::Arc;

use raccordo_node::store::Store;
use raccordo_node::store::memory::{self, MemoryStore};
use raccordo_node::store::mishap::{CrashPoint, SharedMishaps, locked};
use raccordo_node::store::sql::SqlStore;
use tempfile::TempDir;

use super::task::ready;
use super::{Checked, Violation};

/// Which of them a run uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StorageKind {
    /// Maps, which wait for nobody.
    Memory,
    /// A file.
    Sqlite,
    /// A database on a server, of which no copies are made: for runs that lose no disks.
    Postgres,
}

/// A disk with a store on it. Clones are the same disk.
#[derive(Clone)]
pub enum Storage {
    /// In memory.
    Memory(MemoryStore),
    /// In a database.
    Sql(Arc<Database>),
}

/// A database; a file goes with its directory.
pub struct Database {
    store: Arc<SqlStore>,
    mishaps: SharedMishaps,
    directory: Option<TempDir>,
}

/// All rows at one time, as a backup or a clone of the disk has them.
#[derive(Clone)]
pub enum Snapshot {
    /// In memory.
    Memory(Box<memory::Snapshot>),
    /// The bytes of the file.
    Sqlite(Vec<u8>),
}

/// Files that nobody needs after a power cut lie in memory, where there is room for them.
const SHARED_MEMORY: &str = "/dev/shm";
const FILE: &str = "node.db";

impl Storage {
    /// An empty disk.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn new(kind: StorageKind) -> Checked<Self> {
        match kind {
            StorageKind::Memory => Ok(Self::Memory(MemoryStore::new())),
            StorageKind::Sqlite => Database::file(None),
            StorageKind::Postgres => Database::on_server(),
        }
    }

    /// Another disk, as one was.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn of(past: &Snapshot) -> Checked<Self> {
        match past {
            Snapshot::Memory(past) => {
                let store = MemoryStore::new();
                store.restore(past);
                Ok(Self::Memory(store))
            }
            Snapshot::Sqlite(bytes) => Database::file(Some(bytes)),
        }
    }

    /// What is committed now.
    ///
    /// # Errors
    /// The file cannot be read, or somebody stands in the way.
    pub fn snapshot(&self) -> Checked<Snapshot> {
        match self {
            Self::Memory(store) => Ok(Snapshot::Memory(Box::new(store.snapshot()))),
            Self::Sql(database) => database.bytes().map(Snapshot::Sqlite),
        }
    }

    /// The store, as a node has it.
    pub fn store(&self) -> Arc<dyn Store> {
        match self {
            Self::Memory(store) => Arc::new(store.clone()),
            Self::Sql(database) => Arc::clone(&database.store) as Arc<dyn Store>,
        }
    }

    /// Lets the `commits`-th commit from now on be the last of the process.
    pub fn crash_after(&self, commits: u64, point: CrashPoint) {
        match self {
            Self::Memory(store) => store.crash_after(commits, point),
            Self::Sql(database) => locked(&database.mishaps).crash_after(commits, point),
        }
    }

    /// Whether a crash has happened.
    pub fn crashed(&self) -> bool {
        match self {
            Self::Memory(store) => store.crashed(),
            Self::Sql(database) => locked(&database.mishaps).crashed(),
        }
    }

    /// Starts again after a crash, with what was committed.
    pub fn recover(&self) {
        match self {
            Self::Memory(store) => store.recover(),
            Self::Sql(database) => locked(&database.mishaps).recover(),
        }
    }
}

impl Database {
    fn file(bytes: Option<&[u8]>) -> Checked<Storage> {
        let shared = Path::new(SHARED_MEMORY);
        let directory = match shared.is_dir() {
            true => tempfile::tempdir_in(shared),
            false => tempfile::tempdir(),
        };
        let directory = directory.map_err(|error| unusable(&error))?;
        let path = directory.path().join(FILE);
        if let Some(bytes) = bytes {
            std::fs::write(&path, bytes).map_err(|error| unusable(&error))?;
        }
        Self::open(&format!("sqlite://{}", path.display()), Some(directory))
    }

    fn on_server() -> Checked<Storage> {
        let url = crate::postgres::database();
        let url = url.map_err(|error| Violation(format!("PostgreSQL: {error:#}")))?;
        Self::open(&url, None)
    }

    fn open(url: &str, directory: Option<TempDir>) -> Checked<Storage> {
        let mishaps = SharedMishaps::default();
        let store = ready(SqlStore::open(url, 2))??.with_mishaps(mishaps.clone());
        Ok(Storage::Sql(Arc::new(Self { store: Arc::new(store), mishaps, directory })))
    }

    /// The file, once all that is committed is in it.
    fn bytes(&self) -> Checked<Vec<u8>> {
        let Some(directory) = &self.directory else {
            return Err(Violation::new("no copies are made of a database on a server"));
        };
        if !ready(self.store.checkpoint_truncate())?? {
            return Err(Violation::new("a transaction is open while a disk is copied"));
        }
        std::fs::read(directory.path().join(FILE)).map_err(|error| unusable(&error))
    }
}

fn unusable(error: &std::io::Error) -> Violation {
    Violation(format!("a directory for SQLite: {error}"))
}
