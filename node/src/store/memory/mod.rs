//! The store in memory, for simulation: ordered maps, no waiting, and crashes on demand.
//!
//! Writers queue behind one another; all else is ready at once. Each transaction has the maps
//! as they were at the last commit: a copy costs nothing, and shares what neither changes.

mod account;
mod audit_head;
mod draft;
mod email_notice;
mod history;
mod honesty;
mod hub;
mod inbox;
mod matching;
mod node;
mod object;
mod offer;
mod register;
mod served;
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
    fn commit(&mut self, mut tables: Tables) -> Stored<()> {
        if let Some(table) = tables.unfit() {
            return Err(StoreError::Unfit(table));
        }
        tables.settle();
        match self.mishaps.commit() {
            Meeting::Fine => {
                self.tables = tables;
                self.ailing = None;
                Ok(())
            }
            Meeting::Failed(error, point) => {
                if point == CrashPoint::AfterCommit {
                    self.tables = tables;
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
        state.mishaps.recover();
    }

    /// What is committed now.
    pub fn snapshot(&self) -> Snapshot {
        Snapshot(self.state().tables.clone())
    }

    /// Puts everything back as it was; transactions from before are over.
    pub fn restore(&self, snapshot: &Snapshot) {
        let mut state = self.state();
        state.tables = snapshot.0.clone();
        state.mishaps.live_anew();
    }

    fn begin(&self, turn: Option<OwnedMutexGuard<()>>) -> Stored<Box<dyn Tx>> {
        let state = self.state();
        let (life, tables) = (state.mishaps.life()?, state.tables.clone());
        drop(state);
        Ok(Box::new(MemoryTx { store: self.clone(), life, tables, turn }))
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
        self.begin(Some(turn))
    }

    async fn read(&self) -> Stored<Box<dyn Tx>> {
        self.begin(None)
    }

    fn ailing(&self) -> Option<Ailing> {
        self.state().ailing.clone()
    }

    async fn ping(&self) -> Stored<()> {
        self.life().map(drop)
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
        self.store.state().mishaps.check(self.life)
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

    /// Writes; what no database holds is refused, and the whole transaction with it.
    fn change<T>(&mut self, change: impl FnOnce(&mut Tables) -> Stored<T>) -> Stored<T> {
        self.check_writes()?;
        let changed = change(&mut self.tables)?;
        let unfit = self.tables.unfit();
        unfit.map_or(Ok(changed), |table| Err(StoreError::Unfit(table)))
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
        state.mishaps.check(life)?;
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
