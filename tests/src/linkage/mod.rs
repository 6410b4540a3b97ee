//! Linkage of two CSV files through the real normal forms, tokens and fixed rule, and how right
//! it is.
//!
//! The tokens are those of an unsplit key: which values agree is the same as with one that
//! members share.
//!
//! - [`columns`]: what a header means; [`record`]: evidence and tokens of each line
//! - [`link`]: accepted pairs, and their score; [`generate`]: people of whom nobody is real

pub mod columns;
pub mod generate;
pub mod link;
pub mod record;
#[cfg(test)]
mod tests;
