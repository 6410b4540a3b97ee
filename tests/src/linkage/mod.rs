//! Linkage of two CSV files through the real normal forms and families of evidence, by evidence in
//! bits, and how right it is.
//!
//! The tokens are those of an unsplit key: which values agree is the same as with one that
//! members share.
//!
//! - [`columns`]: what a header means; [`record`]: the evidence of each line
//! - [`bits`]: pairs that agree, their grades, and why; [`link`]: their score
//! - [`generate`]: people and companies of whom nobody is real

pub mod bits;
pub mod columns;
pub mod generate;
pub mod link;
pub mod record;
#[cfg(test)]
mod tests;
