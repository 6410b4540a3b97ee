//! Personal accounts of operators at the desk: a password and a one-time code, sessions, and
//! the link by which an account is activated.
//!
//! Passwords follow NIST SP 800-63B §5.1.1 (length, no composition rules), codes RFC 6238.
//! All decisions of signing in are here: what a password must be, which code is right and not
//! used yet, which attempts are looked at, which browser is known, who somebody is at the
//! region's identity provider, and when a session ends.

mod code;
mod device;
mod email_notice;
mod key;
mod link;
mod password;
mod person;
mod session;
mod throttle;

pub use code::{CodeError, Seed};
pub use device::Device;
pub use email_notice::{EmailNotice, Marks, email_notice};
pub use key::BearerKey;
pub use link::{Activation, Invitation, LINK_LIFE};
pub use password::{Password, PasswordError};
pub use person::Person;
pub use session::{End, IDLE_MAX, LIFE_MAX, Session, SessionKey, SignedIn};
pub use throttle::{Address, Attempt, Throttle};
