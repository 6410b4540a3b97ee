//! What a use case answers when it does not do what was asked: whose fault, a stable
//! reason for machines, a sentence and a next step for people.

use raccordo_core::id::IdError;

use crate::store::StoreError;

/// Whose fault it is, which decides the gRPC code and the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// The caller wrote something malformed.
    Usage,
    /// The caller is not who it says, or the token is wrong.
    Unauthenticated,
    /// Policy, pact, role or trust forbids it.
    Refused,
    /// There is no such thing.
    NotFound,
    /// It does not fit the present state.
    Conflict,
    /// Too much at once.
    Exhausted,
    /// Something outside cannot be reached, or the database cannot write.
    Unavailable,
    /// A fault of this program.
    Ours,
}

/// An answer that is not what was asked for. Nothing was stored.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// Whose fault.
    pub whose: Whose,
    /// Stable, snake case.
    pub reason: &'static str,
    /// A sentence. No identifying values.
    pub message: String,
    /// The next step; may be empty.
    pub hint: String,
}

/// Reason of what no database holds.
pub const UNFIT: &str = "does_not_fit";
/// Reason of what is there already.
const EXISTS: &str = "exists";

/// Short for results of use cases.
pub type Done<T> = Result<T, Fault>;

impl Fault {
    /// A fault with its sentence.
    pub fn new(whose: Whose, reason: &'static str, message: impl Into<String>) -> Self {
        Self { whose, reason, message: message.into(), hint: String::new() }
    }

    /// The caller wrote something malformed.
    pub fn usage(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Whose::Usage, reason, message)
    }

    /// Policy, pact, role or trust forbids it.
    pub fn refused(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Whose::Refused, reason, message)
    }

    /// There is no such thing.
    pub fn not_found(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Whose::NotFound, reason, message)
    }

    /// It does not fit the present state.
    pub fn conflict(reason: &'static str, message: impl Into<String>) -> Self {
        Self::new(Whose::Conflict, reason, message)
    }

    /// A fault of this program: a broken invariant that must not end the process.
    pub fn ours(reason: &'static str, cause: impl std::fmt::Display) -> Self {
        Self::new(Whose::Ours, reason, format!("internal fault: {cause}"))
    }

    /// Whether the store refuses what was said, and is well itself: said again, it would be
    /// refused again.
    pub fn is_of_content(&self) -> bool {
        matches!(self.reason, UNFIT | EXISTS)
    }

    /// Adds the next step.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(_) => {
                Self::new(Whose::Unavailable, "store_unavailable", error.to_string())
                    .hint("see the node's log; nothing was stored, and it can be tried again")
            }
            StoreError::Ailing { ailment, .. } => {
                Self::new(Whose::Unavailable, ailment.reason(), error.to_string())
                    .hint(format!("nothing was stored; {}", ailment.step()))
            }
            StoreError::Exists(_) => Self::conflict(EXISTS, error.to_string()),
            StoreError::Overtaken(_) => {
                Self::new(Whose::Unavailable, "store_overtaken", error.to_string()).hint(
                    "nothing was stored; try again, and see that one node alone uses the database",
                )
            }
            StoreError::Newer { .. } => {
                Self::new(Whose::Unavailable, "schema_newer", error.to_string())
            }
            StoreError::Unfit(_) => Self::usage(UNFIT, error.to_string())
                .hint("a number or a text in it is beyond what any database holds"),
            StoreError::Damaged(_) => Self::new(Whose::Ours, "row_damaged", error.to_string())
                .hint("restore the newest backup; do not edit the database by hand"),
            StoreError::Crashed => Self::new(Whose::Unavailable, "crashed", error.to_string()),
        }
    }
}

impl From<IdError> for Fault {
    fn from(error: IdError) -> Self {
        Self::usage("bad_id", error.to_string())
    }
}
