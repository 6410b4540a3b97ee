//! The store in memory, for simulation: ordered maps, no waiting, and crashes on demand.
//!
//! Writers queue behind one another; all else is ready at once. A writer changes the maps
//! in place and can take its changes back; a reader shares the maps as they were at the
//! last commit, and only a writer beside a reader copies a map.

mod account;
mod audit_head;
mod draft;
mod email_notice;
mod equipe;
mod history;
mod honesty;
mod hub;
mod inbox;
mod keys;
mod matching;
mod membership;
mod node;
mod object;
mod offer;
mod outbox;
mod register;
mod rejoin;
mod served;
mod storable;
mod successor;
mod table;
mod tables;
mod term;
mod token;
mod token_request;
mod visit;
mod void;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use self::tables::Tables;
use super::ailment::{Ailing, Ailment};
pub use super::mishap::CrashPoint;
use super::mishap::{Meeting, Mishaps, Spared};
use super::{Store, StoreError, Stored, Tx};

/// Schema number that this store names.
const SCHEMA: u32 = 0;

/// A store in memory. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// All rows at one time, as a backup or a clone of the disk has them.
#[derive(Clone, Debug)]
pub struct Snapshot(Tables);

#[derive(Default)]
struct State {
    tables: Tables,
    mishaps: Mishaps,
    ailing: Option<Ailing>,
}

impl State {
    fn commit(&mut self) -> Stored<()> {
        if let Some(table) = self.tables.unfit() {
            self.tables.roll_back();
            return Err(StoreError::Unfit(table));
        }
        match self.mishaps.commit() {
            Meeting::Fine => {
                self.tables.settle();
                self.ailing = None;
                Ok(())
            }
            Meeting::Failed(error, point) => {
                match point {
                    CrashPoint::BeforeCommit => self.tables.roll_back(),
                    CrashPoint::AfterCommit => self.tables.settle(),
                }
                if let StoreError::Ailing { ailment, cause } = &error {
                    self.ailing = Some(Ailing { ailment: *ailment, cause: cause.clone() });
                }
                Err(error)
            }
        }
    }
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the `commits`-th commit of a writer from now on (1 is the next one) fail with
    /// [`StoreError::Crashed`], and after it every call until [`MemoryStore::recover`].
    pub fn crash_after(&self, commits: u64, point: CrashPoint) {
        self.state().mishaps.crash_after(commits, point);
    }

    /// Whether a crash is still to come.
    pub fn crash_pending(&self) -> bool {
        self.state().mishaps.crash_pending()
    }

    /// Takes back the crash and the failures that are still to come, until
    /// [`MemoryStore::resume`].
    pub fn spare(&self) -> Spared {
        self.state().mishaps.spare()
    }

    /// Lets what was taken back come after all.
    pub fn resume(&self, spared: Spared) {
        self.state().mishaps.resume(spared);
    }

    /// Lets the `commits`-th commit of a writer from now on (1 is the next one), and as many
    /// after it as to make `times`, fail while the process lives on.
    pub fn fail_after(&self, commits: u64, times: u64, ailment: Ailment, point: CrashPoint) {
        self.state().mishaps.fail_after(commits, times, ailment, point);
    }

    /// Whether commits are still to fail.
    pub fn fails(&self) -> bool {
        self.state().mishaps.fails()
    }

    /// Whether the crash has happened.
    pub fn crashed(&self) -> bool {
        self.state().mishaps.crashed()
    }

    /// Starts again after a crash, with what was committed; transactions from before are
    /// over, and no further crash is pending.
    pub fn recover(&self) {
        let mut state = self.state();
        state.tables.roll_back();
        state.mishaps.recover();
    }

    /// What is committed now.
    pub fn snapshot(&self) -> Snapshot {
        let mut tables = self.state().tables.clone();
        tables.roll_back();
        Snapshot(tables)
    }

    /// Puts everything back as it was; transactions from before are over.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        state.tables = snapshot.0.clone();
        state.mishaps.live_anew();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present life, unless crashed.
    fn life(&self) -> Stored<u64> {
        self.state().mishaps.life()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn write(&self) -> Stored<Box<dyn Tx>> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let life = self.life()?;
        Ok(Box::new(MemoryTx { store: self.clone(), life, mode: Mode::Write(turn) }))
    }

    async fn read(&self) -> Stored<Box<dyn Tx>> {
        let life = self.life()?;
        let mode = Mode::Read(Box::new(self.snapshot().0));
        Ok(Box::new(MemoryTx { store: self.clone(), life, mode }))
    }

    fn ailing(&self) -> Option<Ailing> {
        self.state().ailing.clone()
    }

    fn kind(&self) -> &'static str {
        "memory"
    }

    async fn schema(&self) -> Stored<u32> {
        self.life().map(|_| SCHEMA)
    }
}

enum Mode {
    Read(Box<Tables>),
    Write(#[expect(dead_code, reason = "held until the end")] OwnedMutexGuard<()>),
}

/// A transaction; dropping it rolls back.
pub struct MemoryTx {
    store: MemoryStore,
    life: u64,
    mode: Mode,
}

impl MemoryTx {
    /// Reads.
    fn look<T>(&self, look: impl FnOnce(&Tables) -> T) -> Stored<T> {
        let state = self.store.state();
        state.mishaps.check(self.life)?;
        match &self.mode {
            Mode::Read(tables) => Ok(look(tables)),
            Mode::Write(_) => Ok(look(&state.tables)),
        }
    }

    /// Writes; what no database holds is refused, and the whole transaction with it.
    fn change<T>(&mut self, change: impl FnOnce(&mut Tables) -> Stored<T>) -> Stored<T> {
        let mut state = self.store.state();
        state.mishaps.check(self.life)?;
        match &self.mode {
            Mode::Read(_) => Err(StoreError::Unavailable("this transaction only reads".to_owned())),
            Mode::Write(_) => {
                let changed = change(&mut state.tables)?;
                let unfit = state.tables.unfit();
                unfit.map_or(Ok(changed), |table| Err(StoreError::Unfit(table)))
            }
        }
    }

    /// Writes what cannot fail.
    fn alter<T>(&mut self, change: impl FnOnce(&mut Tables) -> T) -> Stored<T> {
        self.change(|tables| Ok(change(tables)))
    }
}

impl Drop for MemoryTx {
    fn drop(&mut self) {
        let mut state = self.store.state();
        // After a commit nothing is left to be taken back.
        if matches!(self.mode, Mode::Write(_)) && state.mishaps.is_of(self.life) {
            state.tables.roll_back();
        }
    }
}

#[async_trait]
impl Tx for MemoryTx {
    async fn commit(self: Box<Self>) -> Stored<()> {
        let mut state = self.store.state();
        state.mishaps.check(self.life)?;
        match &self.mode {
            Mode::Read(_) => Ok(()),
            Mode::Write(_) => state.commit(),
        }
    }
}

/// Inserted, or `Exists`.
fn inserted(table: &'static str, inserted: bool) -> Stored<()> {
    if inserted { Ok(()) } else { Err(StoreError::Exists(table)) }
}

/// The first `limit` of some rows, cloned.
fn first<'a, T: Clone + 'a>(rows: impl Iterator<Item = &'a T>, limit: u32) -> Vec<T> {
    rows.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
}
