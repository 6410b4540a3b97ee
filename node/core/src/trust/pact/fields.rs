//! What of the declaration of a kind a pact speaks of, and how precisely.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::object::{Field, Form, Kind};

impl Kind {
    /// The name of the kind's section below `share` in a pact.
    pub fn section(self) -> &'static str {
        match self {
            Self::Case => "case_alert",
            Self::Company => "company_alert",
        }
    }

    /// All fields that a pact may allow. Tags are none: matching has its own budgets.
    pub fn shareable(self) -> impl Iterator<Item = &'static Field> {
        let tags = |field: &&Field| matches!(field.form, Form::Tags(_));
        self.declaration().fields.iter().filter(move |field| !tags(field))
    }
}

/// How precisely an alert says where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlacePrecision {
    /// The province only.
    Province,
    /// The comune too.
    Comune,
}

/// How precisely an alert says where a person is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CitizenshipPrecision {
    /// A region of the world (UN M49) only.
    WorldRegion,
    /// The country.
    Country,
}

impl fmt::Display for PlacePrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Province => "province",
            Self::Comune => "comune",
        })
    }
}

impl fmt::Display for CitizenshipPrecision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WorldRegion => "world_region",
            Self::Country => "country",
        })
    }
}
