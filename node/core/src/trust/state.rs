//! How far a peer is trusted here: `introduced → verified → suspended → revoked`.

use std::fmt;
use std::str::FromStr;

/// Why the trust in a peer cannot change so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TrustError {
    /// Revocation is final.
    #[error("trust in this peer was revoked, which is final")]
    Revoked,
    /// The text names no state.
    #[error("expected `introduced`, `verified`, `suspended` or `revoked`")]
    UnknownState,
}

impl TrustError {
    /// The stable reason for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::UnknownState => "unknown_state",
        }
    }
}

/// How far a peer is trusted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TrustState {
    /// Its card is here; nobody has compared the code.
    Introduced,
    /// The administrators compared the code.
    Verified,
    /// Not trusted for the time being.
    Suspended,
    /// Never trusted again.
    Revoked,
}

/// What an administrator does to the trust in a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustChange {
    /// The code heard on the phone was the right one.
    Verify,
    /// Trust is withdrawn for the time being.
    Suspend,
    /// Trust is withdrawn for ever.
    Revoke,
}

impl TrustState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Introduced, Self::Verified, Self::Suspended, Self::Revoked];

    /// The state after a change; repeating a change changes nothing.
    ///
    /// # Errors
    /// [`TrustError::Revoked`] when a revoked peer would become anything else.
    pub fn after(self, change: TrustChange) -> Result<Self, TrustError> {
        match (self, change) {
            (_, TrustChange::Revoke) => Ok(Self::Revoked),
            (Self::Revoked, _) => Err(TrustError::Revoked),
            (_, TrustChange::Verify) => Ok(Self::Verified),
            (_, TrustChange::Suspend) => Ok(Self::Suspended),
        }
    }

    /// Whether case-bearing messages may go to an équipe with this member.
    pub fn counts_as_verified(self) -> bool {
        self == Self::Verified
    }

    /// The state's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Introduced => "introduced",
            Self::Verified => "verified",
            Self::Suspended => "suspended",
            Self::Revoked => "revoked",
        }
    }
}

impl fmt::Display for TrustState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for TrustState {
    type Err = TrustError;

    fn from_str(text: &str) -> Result<Self, TrustError> {
        let named = Self::ALL.into_iter().find(|state| state.as_str() == text);
        named.ok_or(TrustError::UnknownState)
    }
}

#[cfg(test)]
mod tests {
    use super::TrustChange::{Revoke, Suspend, Verify};
    use super::TrustState::{Introduced, Revoked, Suspended, Verified};
    use super::*;

    fn check(state: TrustState, change: TrustChange, after: Option<TrustState>) {
        assert_eq!(state.after(change), after.ok_or(TrustError::Revoked), "{state} {change:?}");
    }

    #[test]
    fn all_changes_of_all_states() {
        check(Introduced, Verify, Some(Verified));
        check(Introduced, Suspend, Some(Suspended));
        check(Introduced, Revoke, Some(Revoked));
        check(Verified, Verify, Some(Verified));
        check(Verified, Suspend, Some(Suspended));
        check(Verified, Revoke, Some(Revoked));
        check(Suspended, Verify, Some(Verified));
        check(Suspended, Suspend, Some(Suspended));
        check(Suspended, Revoke, Some(Revoked));
        check(Revoked, Verify, None);
        check(Revoked, Suspend, None);
        check(Revoked, Revoke, Some(Revoked));
    }

    #[test]
    fn only_verified_counts() {
        let counting = TrustState::ALL.into_iter().filter(|state| state.counts_as_verified());
        assert_eq!(counting.collect::<Vec<_>>(), [Verified]);
    }

    #[test]
    fn names_are_read_back() {
        for state in TrustState::ALL {
            assert_eq!(state.to_string().parse(), Ok(state));
        }
        assert_eq!("Verified".parse::<TrustState>(), Err(TrustError::UnknownState));
    }
}
