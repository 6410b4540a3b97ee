//! Stop-lists: values that many unrelated records share.

use std::collections::BTreeSet;
use std::fmt;

use crate::secret::Secret;

/// What a stop-list names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stop {
    /// A phone: of a reception centre, an office, a labour agency.
    Phone,
    /// A place where many people of a register live: a reception centre's comune or postal
    /// code makes no evidence there.
    Place,
    /// A company of which everybody speaks.
    Company,
}

impl Stop {
    /// Every kind.
    pub const ALL: [Self; 3] = [Self::Phone, Self::Place, Self::Company];

    /// The name in the database and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Place => "place",
            Self::Company => "company",
        }
    }

    /// The kind of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stop| stop.name() == name)
    }
}

/// Normalised values that many unrelated records share, and that are no evidence. A node's
/// own: kept with its register, never shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StopList(BTreeSet<(Stop, Hidden)>);

/// A value that its `Debug` does not show.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hidden(pub(crate) String);

impl fmt::Debug for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl StopList {
    /// Adds a normalised value.
    pub fn add(&mut self, what: Stop, value: &Secret<String>) {
        self.0.insert((what, Hidden(value.reveal().clone())));
    }

    /// Whether a normalised value is named.
    pub fn has(&self, what: Stop, value: &str) -> bool {
        self.0.contains(&(what, Hidden(value.to_owned())))
    }
}
