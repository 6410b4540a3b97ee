//! Hub terms: how the log of an équipe goes on at another hub (DESIGN §6).
//!
//! A statement signed by all moves it. Planned: the commit that carries the statement is the
//! last entry at the hub before. Lost: the statement names the last entry, and its commit is
//! the first one at the next hub. [`begin`] makes the statement; [`follow`] goes to the next
//! hub once all have signed; [`seed`] hands over the entries that [`keep`] has kept.

pub mod begin;
pub mod follow;
pub mod keep;
pub mod seed;

pub use begin::{Wanted, begin, not_beyond};
pub use follow::{
    Moving, answered, checkpoint_of, hub_given_up, in_force, moving, next_term, note, opened,
};
