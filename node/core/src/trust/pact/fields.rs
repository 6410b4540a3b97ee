//! What an alert consists of, as far as a pact speaks of it: kinds and their JSON fields.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kinds of alert that a pact may allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A person's case in codes.
    Case,
    /// A company in codes.
    Company,
}

impl AlertKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Case, Self::Company];

    /// The name of the kind's section below `share` in a pact.
    pub fn section(self) -> &'static str {
        match self {
            Self::Case => "case_alert",
            Self::Company => "company_alert",
        }
    }

    /// All fields that a pact may allow, by their canonical protobuf JSON names. Tags are
    /// none: matching has its own budgets.
    pub fn fields(self) -> &'static [&'static str] {
        match self {
            Self::Case => &CASE_FIELDS,
            Self::Company => &COMPANY_FIELDS,
        }
    }

    /// Fields that identify or endanger by themselves (risk class 3 in CASEWORK): left out
    /// of a new draft, for the parties to add.
    pub fn risky_fields(self) -> &'static [&'static str] {
        match self {
            Self::Case => &["legalPath", "comune", "minor", "companyRefs"],
            Self::Company => &["sourceClass"],
        }
    }

    /// Fields without which no alert of the kind is valid.
    pub fn needed_fields(self) -> &'static [&'static str] {
        match self {
            Self::Case => &["issuedOn", "exploitation"],
            Self::Company => &["issuedOn"],
        }
    }
}

impl fmt::Display for AlertKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.section())
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

const CASE_FIELDS: [&str; 25] = [
    "issuedOn",
    "ageBand",
    "gender",
    "citizenship",
    "languages",
    "legalPath",
    "traffickingStatus",
    "statusDecider",
    "exploitation",
    "recruitment",
    "sector",
    "province",
    "comune",
    "month",
    "iloIndicators",
    "indices603bis",
    "controlMethods",
    "severity",
    "urgency",
    "needs",
    "minor",
    "contactSafety",
    "companyRefs",
    "consentRef",
    "reliability",
];

const COMPANY_FIELDS: [&str; 16] = [
    "issuedOn",
    "soleTrader",
    "sector",
    "province",
    "comune",
    "role",
    "iloIndicators",
    "indices603bis",
    "workersBand",
    "monthFrom",
    "monthTo",
    "sourceClass",
    "status",
    "investigationHold",
    "replyRight",
    "reliability",
];

#[cfg(test)]
mod tests {
    use super::*;

    /// The deserializer made from the proto names all fields when it meets another.
    fn check<T: for<'a> Deserialize<'a> + fmt::Debug>(kind: AlertKind) {
        let message = serde_json::from_str::<T>(r#"{"none":1}"#).unwrap_err().to_string();
        let quoted: Vec<_> = message.split('`').skip(3).step_by(2).collect();
        let json: Vec<_> =
            quoted.into_iter().filter(|name| !name.contains('_') && *name != "tags").collect();
        assert_eq!(json, kind.fields(), "{message}");
    }

    #[test]
    fn fields_are_those_of_the_proto() {
        check::<raccordo_proto::alert::v1::CaseAlert>(AlertKind::Case);
        check::<raccordo_proto::alert::v1::CompanyAlert>(AlertKind::Company);
    }

    #[test]
    fn risky_and_needed_fields_exist() {
        for kind in AlertKind::ALL {
            for field in kind.risky_fields().iter().chain(kind.needed_fields()) {
                assert!(kind.fields().contains(field), "{field}");
            }
        }
    }
}
