//! The terms of a pact, as its TOML says them. Unknown keys are refused.

use serde::{Deserialize, Deserializer};

use crate::crypto::Suite;
use crate::id::{LineageId, NodeId};
use crate::object::Kind;
use crate::trust::pact::fields::{CitizenshipPrecision, PlacePrecision};

/// How a value begins that the parties still have to decide.
pub const TO_FILL: &str = "TO FILL";

/// What the parties agree on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// Name of the équipe, one line.
    pub equipe: String,
    /// The équipe through all its groups, 32 hex digits; fixed by the draft.
    #[serde(deserialize_with = "parsed")]
    pub lineage: LineageId,
    /// The party that founds groups and adds members.
    pub chair: NodeId,
    /// The act that names the chair.
    pub chair_mandate: String,
    /// The node that keeps the log.
    pub hub: NodeId,
    /// MLS ciphersuite of the first group.
    pub ciphersuite: Suite,
    /// For what data is shared; a label names one of them.
    pub purposes: Vec<String>,
    /// Legal basis (GDPR arts. 6, 9, 10).
    pub legal_basis: String,
    /// The data protection impact assessment (GDPR art. 35).
    pub dpia_reference: String,
    /// When the parties look at the pact again, `YYYY-MM-DD`.
    pub review_date: String,
    /// The last day on which anything is shared, `YYYY-MM-DD`.
    pub expiry_date: String,
    /// Below how many people with the same coarse fields an alert is held.
    pub threshold_k: u32,
    /// Whether a receiver may share an object further.
    pub onward_sharing: bool,
    /// After how many days the hub may trim entries that a member never fetched.
    pub log_age_limit_days: u32,
    /// How often a silent node says where it stands, in minutes.
    pub heartbeat_minutes: u32,
    /// The parties.
    pub party: Vec<PartyTerms>,
    /// What may be shared.
    pub share: ShareTerms,
    /// How many tokens each node may ask for.
    pub budget: Budget,
}

/// One party of a pact.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PartyTerms {
    /// The node.
    pub id: NodeId,
    /// The body's name.
    pub name: String,
    /// Its part among the joint controllers (GDPR art. 26).
    pub art26_role: String,
}

/// What may be shared, by kind.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareTerms {
    /// Alerts about people.
    pub case_alert: CaseTerms,
    /// Alerts about companies.
    pub company_alert: CompanyTerms,
}

/// Under which terms alerts about people are shared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseTerms {
    /// Whether they are shared at all.
    pub allowed: bool,
    /// The act or meeting that decided what stands below.
    pub decided_by: String,
    /// JSON names of the fields that may be filled; all others are forbidden.
    pub fields: Vec<String>,
    /// How precisely the place is said.
    pub place_precision: PlacePrecision,
    /// How precisely the citizenship is said.
    pub citizenship_precision: CitizenshipPrecision,
    /// The longest life, in days.
    pub retention_days: u32,
    /// Organisation classes that may read them.
    pub recipient_classes: Vec<String>,
}

/// Under which terms alerts about companies are shared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CompanyTerms {
    /// As [`CaseTerms::allowed`].
    pub allowed: bool,
    /// As [`CaseTerms::decided_by`].
    pub decided_by: String,
    /// As [`CaseTerms::fields`].
    pub fields: Vec<String>,
    /// As [`CaseTerms::place_precision`].
    pub place_precision: PlacePrecision,
    /// As [`CaseTerms::retention_days`].
    pub retention_days: u32,
    /// As [`CaseTerms::recipient_classes`].
    pub recipient_classes: Vec<String>,
}

/// How many tokens of each class one node may ask for in a day.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The act or meeting that decided what stands below.
    pub decided_by: String,
    /// From strong identifiers of people.
    pub person_strong_per_day: u32,
    /// From weak evidence about people.
    pub person_weak_per_day: u32,
    /// From companies.
    pub company_per_day: u32,
}

/// The terms that both kinds have.
#[derive(Clone, Copy, Debug)]
pub struct KindTerms<'a> {
    /// Whether the kind is shared at all.
    pub allowed: bool,
    /// Who decided.
    pub decided_by: &'a str,
    /// Fields that may be filled.
    pub fields: &'a [String],
    /// How precisely the place is said.
    pub place_precision: PlacePrecision,
    /// How precisely the citizenship is said; companies have none.
    pub citizenship_precision: Option<CitizenshipPrecision>,
    /// The longest life, in days.
    pub retention_days: u32,
    /// Organisation classes that may read it.
    pub recipient_classes: &'a [String],
}

impl Terms {
    /// The terms of one kind.
    pub fn kind(&self, kind: Kind) -> KindTerms<'_> {
        match kind {
            Kind::Case => self.share.case_alert.kind(),
            Kind::Company => self.share.company_alert.kind(),
        }
    }

    /// When the pact is looked at again; none while unfilled or malformed.
    pub fn review(&self) -> Option<jiff::civil::Date> {
        self.review_date.parse().ok()
    }

    /// The last day on which anything is shared; none while unfilled or malformed.
    pub fn expiry(&self) -> Option<jiff::civil::Date> {
        self.expiry_date.parse().ok()
    }
}

impl CaseTerms {
    fn kind(&self) -> KindTerms<'_> {
        KindTerms {
            allowed: self.allowed,
            decided_by: &self.decided_by,
            fields: &self.fields,
            place_precision: self.place_precision,
            citizenship_precision: Some(self.citizenship_precision),
            retention_days: self.retention_days,
            recipient_classes: &self.recipient_classes,
        }
    }
}

impl CompanyTerms {
    fn kind(&self) -> KindTerms<'_> {
        KindTerms {
            allowed: self.allowed,
            decided_by: &self.decided_by,
            fields: &self.fields,
            place_precision: self.place_precision,
            citizenship_precision: None,
            retention_days: self.retention_days,
            recipient_classes: &self.recipient_classes,
        }
    }
}

fn parsed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<LineageId, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
