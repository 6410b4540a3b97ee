//! Two nodes learn that they know the same person or company (DESIGN §7).
//!
//! - a record's [`evidence`], but for the [`stops`]; its finished [`tokens`]
//! - what two nodes share: [`pairs`]; what they show each other: [`tags`]
//! - where they agree: [`find`]; what both do about it: [`events`], [`decide`], [`contact`]
//! - reading: [`list`]; the end of objects and records: [`end`]; [`wanted`] tokens

pub mod contact;
pub mod events;
mod evidence;
pub mod pairs;
pub mod stops;
pub mod tokens;

pub use evidence::{Memory, evidence};
pub use tokens::tokens_made;
