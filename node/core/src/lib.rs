//! The pure core of a Raccordo node: what is decided, and nothing that acts.
//!
//! No IO, clock, threads or globals: every function takes the state, an input, the time
//! and a source of randomness, and returns what is to be stored and sent. A tour, in the
//! order in which an alert meets the modules:
//!
//! - values: [`id`], [`number`], [`time`], [`entropy`], [`secret`], [`canonical`]; what others
//!   wrote: [`text`]
//! - who is who, and who is in: [`trust`] (cards, statements, pacts, the one validator)
//! - what is shared: [`codes`], [`alert`], [`object`], [`operator`]
//! - who signs in at the desk: [`account`]
//! - the node's own people and companies: [`register`]
//! - how it travels: [`envelope`], [`letter`], [`session`] over [`ledger`], [`hublog`], [`hubgroup`]
//! - how two nodes find that they know the same: [`normal`], [`pseudonym`], [`matching`]
//! - how it rests: [`vault`], [`audit`], [`backup`]
//! - what one peer may take: [`quota`]; who is answered what at a hub: [`callers`]
//! - what must hold whatever happens: [`invariant`], and what the simulation breaks: [`planted`]
//! - the wire's messages are named in [`wire`] alone

pub mod account;
pub mod alarm;
pub mod alert;
pub mod audit;
pub mod backup;
pub mod callers;
pub mod canonical;
pub mod codes;
pub mod crypto;
pub mod entropy;
pub mod envelope;
pub mod evidence;
mod hpke;
pub mod hubgroup;
pub mod hublog;
pub mod id;
pub mod invariant;
pub mod ledger;
pub mod letter;
pub mod matching;
pub mod normal;
pub mod number;
pub mod object;
pub mod operator;
pub mod planted;
pub mod pseudonym;
pub mod quota;
pub mod reason;
pub mod receipt;
pub mod register;
pub mod sealing;
pub mod secret;
pub mod sending;
pub mod session;
pub mod text;
pub mod time;
pub mod trust;
pub mod vault;
pub mod wire;
