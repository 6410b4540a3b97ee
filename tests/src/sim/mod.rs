//! A whole federation in one thread: a hub that is no member and three member nodes, each
//! the real node over a store in memory, with seeded randomness and a clock that only the
//! scheduler moves. The same seed takes the same steps.
//!
//! - [`chance`], [`clock`], [`task`]: randomness, time and waiting as inputs
//! - [`machine`]: a computer with its disk, on which a process runs until it is ended
//! - [`link`]: the network between members and hub, and what goes wrong on it
//! - [`world`]: the federation, and its steps
//! - [`moves`]: which steps there are, and how likely each is
//! - [`operators`], [`couriers`], [`founding`]: what people and the nodes' tasks do
//! - [`watch`]: the invariants after every step, [`ending`]: those at the end
//! - [`trace`], [`report`]: what happened, for people

pub mod chance;
pub mod clock;
pub mod couriers;
pub mod ending;
pub mod founding;
pub mod link;
pub mod machine;
pub mod moves;
pub mod operators;
pub mod report;
pub mod task;
pub mod trace;
pub mod watch;
pub mod world;

use raccordo_core::crypto::Suite;
use raccordo_core::invariant::Broken;
use raccordo_node::app::fault::Fault;
use raccordo_node::courier::Trouble;
use raccordo_node::store::StoreError;

use self::report::{Failure, Report};
use self::world::World;

/// What a run is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Everything else follows from it.
    pub seed: u64,
    /// Steps in which things go wrong.
    pub steps: u32,
    /// Ciphersuite of the group.
    pub suite: Suite,
}

impl Plan {
    /// The usual run of a seed: every eighth on the hybrid ciphersuite, which costs more.
    pub fn of(seed: u64) -> Self {
        let suite = if seed.is_multiple_of(8) { Suite::Hybrid } else { Suite::Classical };
        let steps = if seed.is_multiple_of(4) { 1_400 } else { 700 };
        Self { seed, steps, suite }
    }

    /// Three of four run their founding in peace, so that more steps are left for work.
    pub fn founded_in_peace(&self) -> bool {
        !self.seed.is_multiple_of(4)
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
    let mut world = World::new(plan).map_err(|violation| Failure::early(plan.seed, violation))?;
    match world.live() {
        Ok(()) => Ok(world.report()),
        Err(violation) => Err(world.failure(violation)),
    }
}
