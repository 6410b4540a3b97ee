//! Identity, trust and membership: cards, statements, pacts, and the one commit validator.

pub mod commit;
