//! Normal forms: what makes two spellings of one value the same before a token is made of it.
//!
//! Two regions' values meet only if both normalise alike, so that every rule here is part of
//! the protocol (`v1` in the PRF's input): a change needs a new version and new tokens. What
//! is no valid value is refused and makes no token; nothing is guessed, and only what a check
//! digit or character proves is put right.
//!
//! - people: [`codice_fiscale`], [`document`], [`phone`], [`birth`]; names: `crate::evidence::name`
//! - companies: [`company_number`], [`company_name`]
//! - places: [`comune`]
//! - what is none: [`stop_list`]

pub mod birth;
pub mod codice_fiscale;
pub mod company_name;
pub mod company_number;
pub mod comune;
pub mod document;
pub mod phone;
pub(crate) mod plain;
pub mod stop_list;
