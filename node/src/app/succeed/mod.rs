//! Successor groups: how an équipe goes on where its group cannot, or must have another
//! ciphersuite (DESIGN §6).
//!
//! A statement signed by all founds another group after the last entry of the one before.
//! [`begin`] makes the statement, and signs one only of each group; [`follow`] goes the way
//! there once all have signed: nothing more is said in the old group, the hub is asked, and the
//! chair founds the new one; [`enter`] is what each member does when it is in. Objects, tokens,
//! budgets and what was seen belong to the lineage, and stay. What not all have confirmed is
//! sent again: other entries, the same envelopes.

pub mod begin;
pub mod enter;
pub mod follow;

pub use begin::{Wanted, begin, signs};
pub use enter::enter;
pub use follow::{answered, complete, found, leads, note, offers, overtaken};
