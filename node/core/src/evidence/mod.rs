//! Evidence in bits: how improbable it is that two different people, or companies, agree so.
//!
//! Measured by `linkage --rule bits` against the fixed rule of `matching::grade`, by which nodes
//! still grade: their tags do not carry [`facts`] yet, nor do their tokens have these families.
//!
//! - a [`name`] by its parts and how they [`sound`]; [`family`]: what tokens are made of, and what
//!   each says
//! - [`facts`]: what a record knows at all; [`frequency`]: how frequent values are
//! - [`weight`]: bits; [`grade`]: what they mean between two registers

pub mod facts;
pub mod family;
pub mod frequency;
pub mod grade;
pub mod name;
pub mod sound;
pub mod weight;

#[cfg(test)]
mod tests;
