//! The declared fields of an alert with their values, so that one table drives every check.

use jiff::civil::Date;
use raccordo_proto::alert::v1::alert::Body;
use raccordo_proto::alert::v1::{Alert, CaseAlert, CompanyAlert, Tag};

use super::Present;
use crate::object::{Field, Kind, Risk};

/// The value of one field, by shape.
#[derive(Clone, Copy)]
pub(super) enum Value<'a> {
    /// Empty: absent.
    Text(&'a str),
    /// Empty: absent.
    List(&'a [String]),
    /// False: absent.
    Flag(bool),
    /// Empty: absent.
    Tags(&'a [Tag]),
}

impl Value<'_> {
    /// Whether there is nothing.
    pub(super) fn is_absent(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Flag(set) => !set,
            Self::Tags(tags) => tags.is_empty(),
        }
    }
}

/// All declared fields of the body with their values, in the order of the declaration.
pub(super) fn of(alert: &Alert) -> Vec<(&'static Field, Value<'_>)> {
    let (kind, named) = match &alert.body {
        Some(Body::CaseAlert(body)) => (Kind::Case, of_case(body)),
        Some(Body::CompanyAlert(body)) => (Kind::Company, of_company(body)),
        None => return Vec::new(),
    };
    named.into_iter().filter_map(|(name, value)| Some((kind.field(name)?, value))).collect()
}

fn of_case(body: &CaseAlert) -> Vec<(&'static str, Value<'_>)> {
    use Value::{Flag, List, Tags, Text};
    vec![
        ("issuedOn", Text(&body.issued_on)),
        ("ageBand", Text(&body.age_band)),
        ("gender", Text(&body.gender)),
        ("citizenship", List(&body.citizenship)),
        ("languages", List(&body.languages)),
        ("legalPath", Text(&body.legal_path)),
        ("traffickingStatus", Text(&body.trafficking_status)),
        ("statusDecider", Text(&body.status_decider)),
        ("exploitation", List(&body.exploitation)),
        ("recruitment", List(&body.recruitment)),
        ("sector", Text(&body.sector)),
        ("province", Text(&body.province)),
        ("comune", Text(&body.comune)),
        ("month", Text(&body.month)),
        ("iloIndicators", List(&body.ilo_indicators)),
        ("indices603bis", List(&body.indices_603bis)),
        ("controlMethods", List(&body.control_methods)),
        ("severity", Text(&body.severity)),
        ("urgency", Text(&body.urgency)),
        ("needs", List(&body.needs)),
        ("minor", Flag(body.minor)),
        ("contactSafety", List(&body.contact_safety)),
        ("companyRefs", List(&body.company_refs)),
        ("consentRef", Text(&body.consent_ref)),
        ("reliability", Text(&body.reliability)),
        ("tags", Tags(&body.tags)),
    ]
}

fn of_company(body: &CompanyAlert) -> Vec<(&'static str, Value<'_>)> {
    use Value::{Flag, List, Tags, Text};
    vec![
        ("issuedOn", Text(&body.issued_on)),
        ("soleTrader", Flag(body.sole_trader)),
        ("sector", Text(&body.sector)),
        ("province", Text(&body.province)),
        ("comune", Text(&body.comune)),
        ("role", Text(&body.role)),
        ("iloIndicators", List(&body.ilo_indicators)),
        ("indices603bis", List(&body.indices_603bis)),
        ("workersBand", Text(&body.workers_band)),
        ("monthFrom", Text(&body.month_from)),
        ("monthTo", Text(&body.month_to)),
        ("sourceClass", Text(&body.source_class)),
        ("status", Text(&body.status)),
        ("investigationHold", Flag(body.investigation_hold)),
        ("replyRight", Text(&body.reply_right)),
        ("reliability", Text(&body.reliability)),
        ("tags", Tags(&body.tags)),
    ]
}

/// The fields that hold a value, with the risk of that value.
pub(super) fn present(alert: &Alert) -> Vec<Present> {
    let set = of(alert).into_iter().filter(|(_, value)| !value.is_absent());
    set.map(|(field, value)| Present { field: field.name, risk: risk(field, value) }).collect()
}

/// The class of a value: that of ordinary values for the codes that tell little.
fn risk(field: &Field, value: Value<'_>) -> Risk {
    let ordinary = match (field.name, value) {
        ("gender", Value::Text(code)) => {
            matches!(code, "Feminine" | "Masculine" | "NonSpecifiedUnknown")
        }
        // Regions have the three digits of UN M49, countries two letters.
        ("citizenship", Value::List(codes)) => {
            codes.iter().all(|code| code.len() == 3 && code.bytes().all(|b| b.is_ascii_digit()))
        }
        // A worker who reported its own employer is easily guessed.
        ("sourceClass", Value::Text(code)) => code != "worker",
        _ => false,
    };
    if ordinary { field.risk } else { field.risk_max }
}

/// Reads a date `YYYY-MM-DD` of this or the last century.
pub(super) fn date(text: &str) -> Option<Date> {
    let shaped = text.len() == 10
        && text.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let date: Date = shaped.then(|| text.parse().ok()).flatten()?;
    (1950..=2100).contains(&date.year()).then_some(date)
}

/// Reads a month `YYYY-MM` as its first day.
pub(super) fn month(text: &str) -> Option<Date> {
    if text.len() == 7 { date(&format!("{text}-01")) } else { None }
}
