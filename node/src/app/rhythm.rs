//! How often a node does by itself what keeps an équipe well, and when it speaks of others.

use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Spans that the configuration sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// How old the keys of this node's leaf may grow before it renews them by a commit.
    pub key_update: Duration,
    /// After how long a member that says nothing is called silent.
    pub silent_after: Duration,
}

impl Rhythm {
    /// From whole days.
    pub fn of_days(key_update: u32, silent_after: u32) -> Self {
        Self { key_update: DAY * key_update, silent_after: DAY * silent_after }
    }
}

impl Default for Rhythm {
    fn default() -> Self {
        Self::of_days(7, 3)
    }
}
