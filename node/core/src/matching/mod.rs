//! Matches: two nodes know the same person or company, and two people decide whether it is so.
//!
//! - [`grade`]: how strong the evidence is that agrees
//! - [`fan_out`]: what agrees with too many records, and is no evidence
//! - [`life`]: candidate, confirmed by one, linked, denied, unlinked
//! - [`shown`]: the tags that two nodes show each other, and what they share for it
//! - [`event`]: what the two nodes tell each other; [`letter`]: how it travels, sealed, of one size

pub mod event;
pub mod fan_out;
pub mod grade;
pub mod letter;
pub mod life;
pub mod shown;
