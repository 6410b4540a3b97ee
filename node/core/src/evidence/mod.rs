//! Evidence in bits: how improbable it is that two different people, or companies, agree so.
//!
//! Every rule here that makes a value is part of the protocol (`v1` in the PRF's input): a change
//! needs a new version and new tokens. What weighs them is each node's own.
//!
//! - a [`name`] by its parts and how they [`sound`]; [`family`]: what tokens are made of, and what
//!   each says
//! - of a [`record`] of the register; [`facts`]: what a record knows at all; [`frequency`]: how frequent values are
//! - [`weight`]: bits; [`grade`]: what they mean between two registers

pub mod facts;
pub mod family;
pub mod frequency;
pub mod grade;
pub mod name;
pub mod record;
pub mod sound;
pub mod weight;

#[cfg(test)]
mod tests;
