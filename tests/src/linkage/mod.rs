//! Linkage of two CSV files through the real normal forms and tokens, by the fixed rule and by
//! evidence in bits, and how right each is.
//!
//! The tokens are those of an unsplit key: which values agree is the same as with one that
//! members share.
//!
//! - [`columns`]: what a header means; [`record`]: evidence and tokens of each line
//! - [`link`]: pairs that the fixed rule accepts, and their score; [`bits`]: those of evidence in
//!   bits, and why; [`generate`]: people of whom nobody is real

pub mod bits;
pub mod columns;
pub mod generate;
pub mod link;
pub mod record;
#[cfg(test)]
mod tests;
