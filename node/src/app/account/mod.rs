//! Personal accounts at the desk, from the link to the end of a session.
//!
//! - [`invite`]: the administrator makes a link
//! - [`activate`]: the operator chooses a password and sets up the one-time codes
//! - [`sign_in`]: name, password and code against a session
//! - [`email_notice`]: who is told by e-mail that there is something new
//! - [`provider`]: the same through the region's identity provider
//! - [`session`]: who has signed in; its end

pub mod activate;
pub mod email_notice;
pub mod invite;
pub mod provider;
pub mod session;
pub mod sign_in;

use raccordo_core::id::OperatorId;

/// Context under which the seed of an operator's one-time codes is sealed.
pub(super) fn seed_context(operator: OperatorId) -> String {
    format!("account-seed/{operator}")
}
