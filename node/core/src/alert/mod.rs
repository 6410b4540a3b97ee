//! Alerts: what a valid one is, what it tells, and synthetic examples.
//!
//! The generated protobuf type is the shape of an alert: it is what operators write, what is
//! shared and what is stored, so this module names it beside `crate::wire`. Which fields a
//! kind has, with form and risk, is declared in `crate::object`; the rules between fields
//! stand in `rules.rs`.

mod example;
mod field;
mod permit;
mod rules;
mod values;

use std::fmt;

pub use raccordo_proto::alert::v1::alert::Body;
pub use raccordo_proto::alert::v1::{Alert, CaseAlert, CompanyAlert, Tag};

use crate::codes::CodeLists;
use crate::id::ObjectId;
use crate::object::{Kind, Risk, Subject};
use crate::time::Instant;

pub use example::example;
pub use permit::permit;

/// Why a field is invalid; stable on the wire (`FieldViolation.reason`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A required field is absent.
    Missing,
    /// The code is not in the field's list.
    UnknownCode,
    /// The value has another form than the field's.
    Malformed,
    /// The list is longer than allowed.
    TooMany,
    /// The list holds a value twice.
    Duplicate,
    /// The value contradicts another field or the calendar.
    Contradiction,
    /// The équipe's pact does not allow the field or its precision.
    PactForbids,
}

impl Reason {
    /// The name on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::UnknownCode => "unknown_code",
            Self::Malformed => "malformed",
            Self::TooMany => "too_many",
            Self::Duplicate => "duplicate",
            Self::Contradiction => "contradiction",
            Self::PactForbids => "pact_forbids",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One invalid field: the operator's fault, or at a receiver the peer's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {message}")]
pub struct FieldError {
    /// JSON name with that of the body, such as `caseAlert.ageBand`.
    pub field: String,
    /// Why.
    pub reason: Reason,
    /// A sentence and the next step. Never holds the value.
    pub message: String,
}

/// How strictly codes and dates are judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Strictness {
    /// At the origin: codes must be known, dates must fit the calendar.
    Origin,
    /// At a receiver, whose lists and clock may be older: the structure must hold.
    Received,
}

/// What an alert says about itself in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// JSON name without that of the body, such as `ageBand`.
    pub field: &'static str,
    /// Risk class of the value that is there.
    pub risk: Risk,
}

/// An alert that passed its checks; nothing else can be shared or stored.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckedAlert {
    alert: Alert,
    kind: Kind,
}

impl CheckedAlert {
    /// The alert.
    pub fn alert(&self) -> &Alert {
        &self.alert
    }

    /// Gives the alert away.
    pub fn into_alert(self) -> Alert {
        self.alert
    }

    /// Its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whose data it holds.
    pub fn subject(&self) -> Subject {
        subject(&self.alert)
    }

    /// The id that the operator gave; `None`: the node chooses one.
    pub fn id(&self) -> Option<ObjectId> {
        self.alert.id.parse().ok()
    }

    /// When it expires by its own field: the end of that day, UTC. `None`: by the pact.
    pub fn expires_at(&self) -> Option<Instant> {
        let date = values::date(&self.alert.expires_on)?;
        date.tomorrow().ok().map(Instant::start_of)
    }

    /// JSON names of the fields that hold a value, as [`fields_present`].
    pub fn fields_present(&self) -> Vec<&'static str> {
        fields_present(&self.alert)
    }

    /// The fields that hold a value, with the risk of these values.
    pub fn present(&self) -> Vec<Present> {
        values::present(&self.alert)
    }
}

/// Checks an alert at its origin: structure, codes, dates, and contradictions.
///
/// # Errors
/// All invalid fields at once, one error per field, in the order of the declaration.
pub fn check(
    lists: &CodeLists,
    alert: &Alert,
    now: Instant,
) -> Result<CheckedAlert, Vec<FieldError>> {
    judge(lists, alert, now, Strictness::Origin)
}

/// Checks a received alert: structure only. Codes that the lists here do not know are kept,
/// and dates are not compared with the clock, since an alert may arrive late.
///
/// # Errors
/// As [`check`]; the fault is the peer's.
pub fn check_received(
    lists: &CodeLists,
    alert: &Alert,
    now: Instant,
) -> Result<CheckedAlert, Vec<FieldError>> {
    judge(lists, alert, now, Strictness::Received)
}

fn judge(
    lists: &CodeLists,
    alert: &Alert,
    now: Instant,
    strictness: Strictness,
) -> Result<CheckedAlert, Vec<FieldError>> {
    let mut report = field::Report::new(lists, strictness, kind(alert));
    report.envelope(alert);
    for (declared, value) in values::of(alert) {
        report.field(declared, value);
    }
    rules::judge(&mut report, alert, now);
    let errors = report.finish();
    match kind(alert) {
        Some(kind) if errors.is_empty() => Ok(CheckedAlert { alert: alert.clone(), kind }),
        _ => Err(errors),
    }
}

/// The kind of an alert; `None` when it has no body.
pub fn kind(alert: &Alert) -> Option<Kind> {
    alert.body.as_ref().map(|body| match body {
        Body::CaseAlert(_) => Kind::Case,
        Body::CompanyAlert(_) => Kind::Company,
    })
}

/// Whose data an alert holds: a sole trader is a natural person.
pub fn subject(alert: &Alert) -> Subject {
    match &alert.body {
        Some(Body::CompanyAlert(company)) if !company.sole_trader => Subject::Company,
        _ => Subject::Person,
    }
}

/// JSON names of the fields of the body that hold a value, such as `ageBand`, in the order of
/// the declaration; what a pact must allow.
pub fn fields_present(alert: &Alert) -> Vec<&'static str> {
    values::present(alert).into_iter().map(|present| present.field).collect()
}

#[cfg(test)]
mod tests;
