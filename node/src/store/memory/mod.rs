//! The store in memory, for simulation: ordered maps, no waiting, and crashes on demand.
//!
//! Writers queue behind one another; all else is ready at once. Each transaction has the maps
//! as they were at the last commit: a copy costs nothing, and shares what neither changes.

mod account;
mod draft;
mod email_notice;
mod honesty;
mod hub;
mod inbox;
mod matching;
mod node;
mod object;
mod register;
mod tables;
mod term;
mod token;
mod token_request;
mod visit;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use tokio::sync::OwnedMutexGuard;

use self::tables::Tables;
use super::ailment::{Ailing, Ailment};
use super::live::{LiveAccess, LiveTables, Scope};
use super::{Store, StoreError, Stored, Tx};

/// Schema number that this store names.
const SCHEMA: u32 = 0;

/// When the process ends, seen from the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Nothing was stored.
    BeforeCommit,
    /// All was stored, but nobody was told.
    AfterCommit,
}

/// A store in memory. Clones are the same store.
#[derive(Clone, Default)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
    turn: Arc<tokio::sync::Mutex<()>>,
}

/// All rows at one time, as a backup or a clone of the disk has them.
#[derive(Clone, Debug)]
pub struct Snapshot(Tables);

/// Commits that fail while the process lives on.
#[derive(Clone, Copy, Debug)]
struct Failing {
    /// Commits until the first that fails, from 1.
    after: u64,
    /// How many fail.
    times: u64,
    ailment: Ailment,
    point: CrashPoint,
}

#[derive(Default)]
struct State {
    tables: Tables,
    /// Commits until the crash, from 1, and its point.
    crash: Option<(u64, CrashPoint)>,
    crashed: bool,
    failing: Option<Failing>,
    ailing: Option<Ailing>,
    /// Raised by recovery and restoration: older transactions are over.
    life: u64,
}

impl State {
    fn check(&self, life: u64) -> Stored<()> {
        if self.crashed || self.life != life { Err(StoreError::Crashed) } else { Ok(()) }
    }

    fn commit(&mut self, mut tables: Tables) -> Stored<()> {
        tables.settle();
        if let Some((failed, point)) = self.fails() {
            if point == CrashPoint::AfterCommit {
                self.tables = tables;
            }
            return Err(failed);
        }
        match self.crash.take() {
            Some((0 | 1, point)) => {
                self.crashed = true;
                if point == CrashPoint::AfterCommit {
                    self.tables = tables;
                }
                return Err(StoreError::Crashed);
            }
            Some((commits, point)) => self.crash = Some((commits.saturating_sub(1), point)),
            None => {}
        }
        self.tables = tables;
        self.ailing = None;
        Ok(())
    }

    /// The failure that this commit meets, if any.
    fn fails(&mut self) -> Option<(StoreError, CrashPoint)> {
        let mut failing = self.failing.take()?;
        if failing.after > 1 {
            failing.after -= 1;
            self.failing = Some(failing);
            return None;
        }
        failing.times = failing.times.saturating_sub(1);
        self.failing = (failing.times > 0).then_some(failing);
        let (ailment, cause) = (failing.ailment, "as the story has it".to_owned());
        self.ailing = Some(Ailing { ailment, cause: cause.clone() });
        Some((StoreError::Ailing { ailment, cause }, failing.point))
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
        self.state().crash = Some((commits, point));
    }

    /// Whether a crash is still to come.
    pub fn crash_pending(&self) -> bool {
        self.state().crash.is_some()
    }

    /// Lets the `commits`-th commit of a writer from now on (1 is the next one), and as many
    /// after it as to make `times`, fail while the process lives on.
    pub fn fail_after(&self, commits: u64, times: u64, ailment: Ailment, point: CrashPoint) {
        self.state().failing = Some(Failing { after: commits, times, ailment, point });
    }

    /// Whether commits are still to fail.
    pub fn fails(&self) -> bool {
        self.state().failing.is_some()
    }

    /// Whether the crash has happened.
    pub fn crashed(&self) -> bool {
        self.state().crashed
    }

    /// Starts again after a crash, with what was committed; transactions from before are
    /// over, and no further crash is pending.
    pub fn recover(&self) {
        let mut state = self.state();
        state.crash = None;
        state.crashed = false;
        state.life = state.life.saturating_add(1);
    }

    /// What is committed now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state().tables.clone())
    }

    /// Puts everything back as it was; transactions from before are over.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        state.tables = snapshot.0.clone();
        state.life = state.life.saturating_add(1);
    }

    fn begin(&self, turn: Option<OwnedMutexGuard<()>>) -> Stored<Box<dyn Tx>> {
        let state = self.state();
        state.check(state.life)?;
        let (life, tables) = (state.life, state.tables.clone());
        drop(state);
        Ok(Box::new(MemoryTx { store: self.clone(), life, tables, turn }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The present life, unless crashed.
    fn life(&self) -> Stored<u64> {
        let state = self.state();
        state.check(state.life).map(|()| state.life)
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn write(&self) -> Stored<Box<dyn Tx>> {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        self.begin(Some(turn))
    }

    async fn read(&self) -> Stored<Box<dyn Tx>> {
        self.begin(None)
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

/// A transaction; dropping it rolls back.
pub struct MemoryTx {
    store: MemoryStore,
    life: u64,
    tables: Tables,
    /// Only a writer has the turn, until the end.
    turn: Option<OwnedMutexGuard<()>>,
}

impl MemoryTx {
    fn check(&self) -> Stored<()> {
        self.store.state().check(self.life)
    }

    fn check_writes(&self) -> Stored<()> {
        self.check()?;
        if self.turn.is_some() {
            return Ok(());
        }
        Err(StoreError::Unavailable("this transaction only reads".to_owned()))
    }

    /// Reads.
    fn look<T>(&self, look: impl FnOnce(&Tables) -> T) -> Stored<T> {
        self.check()?;
        Ok(look(&self.tables))
    }

    /// Writes.
    fn change<T>(&mut self, change: impl FnOnce(&mut Tables) -> Stored<T>) -> Stored<T> {
        self.check_writes()?;
        change(&mut self.tables)
    }

    /// Writes what cannot fail.
    fn alter<T>(&mut self, change: impl FnOnce(&mut Tables) -> T) -> Stored<T> {
        self.change(|tables| Ok(change(tables)))
    }

    /// In memory everything is loaded, and a scope that nobody wrote to is empty.
    fn loaded(&mut self, scope: Scope) {
        if !self.tables.live.has(scope) {
            self.tables.live.load(scope, Arc::default());
        }
    }
}

#[async_trait]
impl LiveAccess for MemoryTx {
    async fn live(&mut self, scope: Scope) -> Stored<&LiveTables> {
        self.check()?;
        self.loaded(scope);
        self.tables.live.tables(scope).ok_or(StoreError::Damaged("live"))
    }

    async fn live_mut(&mut self, scope: Scope) -> Stored<&mut LiveTables> {
        self.check_writes()?;
        self.loaded(scope);
        self.tables.live.tables_mut(scope).ok_or(StoreError::Damaged("live"))
    }
}

#[async_trait]
impl Tx for MemoryTx {
    async fn commit(self: Box<Self>) -> Stored<()> {
        let Self { store, life, tables, turn } = *self;
        let mut state = store.state();
        state.check(life)?;
        match turn {
            None => Ok(()),
            Some(_turn) => state.commit(tables),
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
