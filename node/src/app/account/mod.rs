//! Personal accounts at the desk, from the link to the end of a session.
//!
//! - [`invite`]: the administrator makes a link
//! - [`activate`]: the operator chooses a password and sets up the one-time codes
//! - [`sign_in`]: name, password and code against a session
//! - [`email_notice`]: who is told by e-mail that there is something new
//! - [`provider`]: both through the region's identity provider
//! - [`session`]: who has signed in; its end
//! - [`hash_pool`]: where passwords and tokens are hashed

pub mod activate;
pub mod email_notice;
pub mod hash_pool;
pub mod invite;
pub mod provider;
pub mod session;
pub mod sign_in;

use std::sync::{Mutex, MutexGuard, PoisonError};

use raccordo_core::account::{Attempt, Person, Throttle};
use raccordo_core::id::{Digest, OperatorId};

use self::hash_pool::HashPool;
use super::Node;

/// What this process remembers of who signs in.
#[derive(Debug, Default)]
pub struct Memory {
    /// Where passwords and tokens are hashed.
    pub hashes: HashPool,
    throttle: Mutex<Throttle>,
    refusals: sign_in::Refusals,
}

impl Memory {
    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an attempt is looked at.
fn may_try(node: &Node, attempt: &Attempt) -> bool {
    node.accounts.throttle().take(attempt, node.clock.now())
}

/// Context under which the seed of an operator's one-time codes is sealed.
pub(super) fn seed_context(operator: OperatorId) -> String {
    format!("account-seed/{operator}")
}

/// Context under which an operator's issuer and subject are sealed.
pub(super) fn person_context(operator: OperatorId) -> String {
    format!("provider-person/{operator}")
}

/// Purpose of the keyed digest by which a person at the provider is found.
pub(super) const PERSON_INDEX: &str = "provider-person";

/// By which a person at the provider is found.
fn person_index(node: &Node, person: &Person) -> Digest {
    Digest(node.vault.index(PERSON_INDEX, person.bytes().reveal()))
}
