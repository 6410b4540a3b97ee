//! A whole federation in one thread: a hub that is no member and some nodes, each the real
//! node, mostly over a store in memory, with seeded randomness and a clock that only the scheduler
//! moves. The same seed takes the same steps.
//!
//! - [`chance`], [`clock`], [`task`]: randomness, time and waiting as inputs
//! - [`machine`]: a computer with its disk, on which a process runs until it is ended;
//!   [`storage`]: what is on the disk, for each tenth seed SQLite
//! - [`link`]: the network between members and hub, and what goes wrong on it
//! - [`world`]: the federation; [`life`]: its run from empty disks to the last check
//! - [`moves`]: which steps there are, and how likely each is; another kind of step is a
//!   variant there, a method of the world, and a place in a round of the healed federation
//! - [`founding`], [`parties`], [`operators`]: what administrators and operators do
//! - [`couriers`]: what the nodes' tasks do
//! - [`disks`]: disks that are put back, and copies of them that come alive
//! - [`liar`]: a hub that does not tell one member what stands in its log
//! - [`deceit`]: a member that says what is not so, of the log, of others and of itself
//! - [`rogue`]: an administrator who tries what the signatures do not allow
//! - [`tokens`]: people whom several know; [`cheats`]: who cheats where tokens are made
//! - [`rolls`]: who was a member when
//! - [`watch`]: the invariants after every step, [`ending`]: those at the end
//! - [`trace`], [`report`]: what happened, for people

pub mod chance;
pub mod cheats;
pub mod clock;
pub mod couriers;
pub mod deceit;
pub mod disks;
pub mod ending;
pub mod founding;
pub mod liar;
pub mod life;
pub mod link;
pub mod machine;
pub mod moves;
pub mod operators;
pub mod parties;
pub mod report;
pub mod rogue;
pub mod rolls;
pub mod storage;
pub mod task;
pub mod tokens;
pub mod trace;
pub mod watch;
pub mod world;

use raccordo_core::crypto::Suite;
use raccordo_core::invariant::Broken;
use raccordo_node::app::fault::Fault;
use raccordo_node::courier::Trouble;
use raccordo_node::store::StoreError;

use self::report::{Failure, Report};
use self::storage::StorageKind;
use self::task::Waiting;
use self::world::World;

/// Steps that a failure shows, unless more are asked for.
const STEPS_SHOWN: usize = 50;

/// How large a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes beside the hub, 3 to [`world::NODES_MAX`]; the last of them begins outside.
    pub nodes: usize,
    /// Alerts that are shared, about.
    pub alerts: usize,
    /// Changes of membership that are begun.
    pub changes: usize,
}

impl Default for Size {
    fn default() -> Self {
        Self { nodes: 5, alerts: 60, changes: 8 }
    }
}

/// What a run is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Everything else follows from it.
    pub seed: u64,
    /// How large it is.
    pub size: Size,
    /// On what the machines keep their rows.
    pub storage: StorageKind,
}

impl Plan {
    /// The usual run of a seed.
    pub fn of(seed: u64, size: Size) -> Self {
        let nodes = size.nodes.clamp(3, world::NODES_MAX);
        // One of each ten, at another place in each: so that it meets all kinds of seeds.
        let storage = match seed % 10 == seed / 10 % 10 {
            true => StorageKind::Sqlite,
            false => StorageKind::Memory,
        };
        Self { seed, size: Size { nodes, ..size }, storage }
    }

    /// The same run with its rows elsewhere.
    #[must_use]
    pub fn on(self, storage: StorageKind) -> Self {
        Self { storage, ..self }
    }

    /// Ciphersuite of the group: of every sixteenth seed the hybrid one, which costs more.
    pub fn suite(&self) -> Suite {
        if self.seed % 16 == 8 { Suite::Hybrid } else { Suite::Classical }
    }

    /// Steps in which things go wrong.
    pub fn steps(&self) -> usize {
        let Size { nodes, alerts, changes } = self.size;
        let work = nodes * 100 + alerts * 4 + changes * 40;
        if self.founded_in_peace() { work } else { work + nodes * 140 }
    }

    /// Most run their founding in peace, so that more steps are left for work.
    pub fn founded_in_peace(&self) -> bool {
        self.seed % 8 != 4
    }

    /// Whether disks are put back, and copies of them come alive.
    pub fn loses_disks(&self) -> bool {
        self.seed % 4 == 1
    }

    /// Whether members cheat where keys and tokens are made.
    pub fn cheats(&self) -> bool {
        self.seed % 4 == 2
    }

    /// Whether members say what is not so.
    pub fn deceives(&self) -> bool {
        matches!(self.seed % 8, 0 | 6)
    }

    /// Whether the hub lies.
    pub fn lies(&self) -> bool {
        self.seed % 4 == 3
    }
}

/// Something that must never happen has happened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

/// Short for results of steps.
pub type Checked<T = ()> = Result<T, Violation>;

impl Violation {
    /// In words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl From<Broken> for Violation {
    fn from(broken: Broken) -> Self {
        Self(broken.to_string())
    }
}

impl From<Fault> for Violation {
    fn from(fault: Fault) -> Self {
        Self(format!("unexpected fault {}: {}", fault.reason, fault.message))
    }
}

impl From<StoreError> for Violation {
    fn from(error: StoreError) -> Self {
        Self(format!("unexpected store error: {error}"))
    }
}

impl From<Trouble> for Violation {
    fn from(trouble: Trouble) -> Self {
        Self(format!("unexpected trouble {}: {trouble}", trouble.reason()))
    }
}

/// Runs one seed: founding and work under faults, then healing, then all checks.
///
/// # Errors
/// [`Failure`], with the seed and the last steps.
pub fn run(plan: Plan) -> Result<Report, Failure> {
    run_traced(plan, STEPS_SHOWN)
}

/// The same; a failure shows as many of the last steps.
///
/// # Errors
/// As [`run`].
pub fn run_traced(plan: Plan, shown: usize) -> Result<Report, Failure> {
    // Outlives all that runs on it.
    let early = |violation| Failure::early(plan, violation);
    let waiting = Waiting::of(plan.storage).map_err(early)?;
    let _entered = waiting.enter();
    let mut world = World::new(plan).map_err(early)?;
    world.trace.show(shown);
    if plan.storage == StorageKind::Sqlite {
        world.counts.count("runs on SQLite");
    }
    match world.live() {
        Ok(()) => Ok(world.report()),
        Err(violation) => Err(world.failure(violation)),
    }
}
