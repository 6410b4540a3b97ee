//! Two nodes learn that they know the same person or company (DESIGN §7).
//!
//! - a record's [`evidence`], but for the [`stops`]; tokens that are [`wanted`] of it, and
//!   were made ([`tokens_made`])
//! - which objects are about which records: [`naming`]
//! - what two nodes share: [`pairs`]; what they show each other: [`tags`]; [`tend`]
//! - where they agree: [`find`], by how frequent values are ([`statistics`]); what both do about it: [`events`], [`decide`], [`contact`]
//! - reading: [`list`], what is [`waiting`] for people; the end of objects and records: [`end`]

pub mod contact;
pub mod decide;
pub mod end;
pub mod events;
mod evidence;
pub mod find;
pub mod list;
pub mod naming;
pub mod pairs;
pub mod standing;
mod statistics;
pub mod stops;
pub mod tags;
mod tend;
pub mod tokens;
pub mod waiting;
pub mod wanted;
mod weighing;

pub use evidence::{Memory, evidence};
pub use tend::tend;
pub use tokens::{NewToken, tokens_made};
