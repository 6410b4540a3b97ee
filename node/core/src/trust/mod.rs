//! Identity, trust and membership: cards, statements, pacts, and the one commit validator.

pub mod card;
pub mod change;
pub mod commit;
pub mod key_check;
pub mod key_holders;
pub mod keys;
pub mod notice;
pub mod pact;
pub mod phone_code;
pub mod possession;
pub mod proposal;
pub mod rejoin;
pub mod sealing_challenge;
pub mod state;
pub mod statement;
pub mod statement_chain;
pub mod step;
pub mod succession;
pub mod successor;
pub mod validator;
pub mod void;

#[cfg(test)]
pub(crate) mod sample;
