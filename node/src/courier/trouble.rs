//! Why a step did not come to its end.

use raccordo_core::id::NodeId;

use super::link::LinkError;
use crate::app::fault::{Fault, Whose};
use crate::store::StoreError;

/// Why a step did not come to its end; it is taken again later.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Trouble {
    /// This node's own: its store, or a fault of this program.
    #[error(transparent)]
    Here(#[from] Fault),
    /// The hub's, or the network's.
    #[error(transparent)]
    There(#[from] LinkError),
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        Self::Here(error.into())
    }
}

impl Trouble {
    /// The stable reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Here(fault) => fault.reason,
            Self::There(error) => error.reason(),
        }
    }

    /// The next step; may be empty.
    pub fn hint(&self) -> &str {
        match self {
            Self::Here(fault) => &fault.hint,
            Self::There(error) => error.hint(),
        }
    }

    /// Writes it to the log, ours as an error, the network's as a warning.
    pub(super) fn log(&self, kind: &'static str, hub: &NodeId) {
        let reason = self.reason();
        match self {
            Self::Here(fault) if fault.whose == Whose::Ours => {
                tracing::error!(%hub, kind, reason, error = %fault, "the courier meets a fault");
            }
            _ => tracing::warn!(%hub, kind, reason, error = %self, "the courier tries again"),
        }
    }
}
