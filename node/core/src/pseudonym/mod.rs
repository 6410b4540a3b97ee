//! Pseudonyms that no single node can make or test: a threshold oblivious PRF (RFC 9497,
//! ristretto255-SHA512, verifiable mode) whose key is shared among the members of an équipe.
//!
//! - [`key`]: which key: lineage, class, key epoch
//! - [`sharing`]: who holds which share of it, in public; [`share`]: one node's share
//! - [`request`]: blinding, checking what members answer, combining, finishing
//! - [`evaluation`]: what a holder answers, with a proof that names it if it lies
//! - [`token`]: the pseudonym, and the tags that are shown of it to each peer
//! - [`dealing`], [`ceremony`]: how a key is made, and shared anew among others; [`renewal`]:
//!   when
//! - [`budget`]: how many tokens each node may ask for, counted by everybody
//! - [`collusion`]: what shares make without asking: the attack that the threshold defends against; [`cost`]: for benchmarks

pub mod budget;
pub mod ceremony;
pub mod collusion;
pub mod cost;
pub mod dealing;
pub mod evaluation;
mod group;
pub mod key;
pub mod renewal;
pub mod request;
pub mod share;
pub mod sharing;
pub mod token;
