//! The link by which an operator activates an account, once.

use std::time::Duration;

use super::key::BearerKey;

/// How long a link works.
pub const LINK_LIFE: Duration = Duration::from_secs(72 * 3_600);

/// The use of an [`Invitation`].
#[derive(Clone, Copy, Debug)]
pub struct Activation;

/// What stands in the link; the seed of the codes is derived of its bytes.
pub type Invitation = BearerKey<Activation>;
