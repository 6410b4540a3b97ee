//! What a simulation lets a store meet: the end of the process at a commit, and commits that
//! fail while the process lives on. A node in earnest meets none of it by this.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::ailment::Ailment;
use super::{StoreError, Stored};

/// When the process ends, seen from the commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashPoint {
    /// Nothing was stored.
    BeforeCommit,
    /// All was stored, but nobody was told.
    AfterCommit,
}

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

/// What a commit meets.
#[derive(Clone, Debug)]
pub enum Meeting {
    /// Nothing: it is made.
    Fine,
    /// It fails; what was written is stored or not, as the point says.
    Failed(StoreError, CrashPoint),
}

/// The mishaps of a store and of the transactions on it.
pub type SharedMishaps = Arc<Mutex<Mishaps>>;

/// Whoever held it before may have panicked: what it says is whole at any time.
pub fn locked(mishaps: &SharedMishaps) -> MutexGuard<'_, Mishaps> {
    mishaps.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is still to come, and what has come.
#[derive(Clone, Debug, Default)]
pub struct Mishaps {
    /// Commits until the crash, from 1, and its point.
    crash: Option<(u64, CrashPoint)>,
    crashed: bool,
    failing: Option<Failing>,
    /// Raised by recovery and restoration: older transactions are over.
    life: u64,
}

/// What was to come, and waits.
#[derive(Debug)]
pub struct Spared {
    crash: Option<(u64, CrashPoint)>,
    failing: Option<Failing>,
}

impl Mishaps {
    /// Lets the `commits`-th commit from now on (1 is the next one) fail with
    /// [`StoreError::Crashed`], and after it every call until [`Mishaps::recover`].
    pub fn crash_after(&mut self, commits: u64, point: CrashPoint) {
        self.crash = Some((commits, point));
    }

    /// Whether a crash is still to come.
    pub fn crash_pending(&self) -> bool {
        self.crash.is_some()
    }

    /// Takes back what is still to come, until [`Mishaps::resume`].
    pub fn spare(&mut self) -> Spared {
        Spared { crash: self.crash.take(), failing: self.failing.take() }
    }

    /// Lets what was taken back come after all.
    pub fn resume(&mut self, spared: Spared) {
        self.crash = spared.crash;
        self.failing = spared.failing;
    }

    /// Whether the crash has happened.
    pub fn crashed(&self) -> bool {
        self.crashed
    }

    /// Lets the `commits`-th commit from now on (1 is the next one), and as many after it as
    /// to make `times`, fail while the process lives on.
    pub fn fail_after(&mut self, commits: u64, times: u64, ailment: Ailment, point: CrashPoint) {
        self.failing = Some(Failing { after: commits, times, ailment, point });
    }

    /// Whether commits are still to fail.
    pub fn fails(&self) -> bool {
        self.failing.is_some()
    }

    /// Starts again after a crash: no further one is pending, and transactions from before
    /// are over.
    pub fn recover(&mut self) {
        self.crash = None;
        self.crashed = false;
        self.live_anew();
    }

    /// Transactions from before are over.
    pub fn live_anew(&mut self) {
        self.life = self.life.saturating_add(1);
    }

    /// The present life.
    ///
    /// # Errors
    /// [`StoreError::Crashed`].
    pub fn life(&self) -> Stored<u64> {
        self.check(self.life).map(|()| self.life)
    }

    /// Whether a life goes on, from which a transaction is.
    ///
    /// # Errors
    /// [`StoreError::Crashed`].
    pub fn check(&self, life: u64) -> Stored<()> {
        if self.crashed || self.life != life { Err(StoreError::Crashed) } else { Ok(()) }
    }

    /// What the next commit meets.
    pub fn commit(&mut self) -> Meeting {
        if let Some(failing) = self.failing.take()
            && let failed @ Meeting::Failed(..) = self.fail(failing)
        {
            return failed;
        }
        match self.crash.take() {
            Some((0 | 1, point)) => {
                self.crashed = true;
                Meeting::Failed(StoreError::Crashed, point)
            }
            Some((commits, point)) => {
                self.crash = Some((commits.saturating_sub(1), point));
                Meeting::Fine
            }
            None => Meeting::Fine,
        }
    }

    fn fail(&mut self, mut failing: Failing) -> Meeting {
        if failing.after > 1 {
            failing.after -= 1;
            self.failing = Some(failing);
            return Meeting::Fine;
        }
        failing.times = failing.times.saturating_sub(1);
        self.failing = (failing.times > 0).then_some(failing);
        let (ailment, cause) = (failing.ailment, "as the story has it".to_owned());
        Meeting::Failed(StoreError::Ailing { ailment, cause }, failing.point)
    }
}
