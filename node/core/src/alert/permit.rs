//! An alert held against the pact: the same question at the sender, before it seals, and
//! at the receiver, before it shows.

use super::{Alert, fields_present, kind};
use crate::envelope::Label;
use crate::time::Instant;
use crate::trust::pact::Pact;
use crate::trust::pact::fields::{CitizenshipPrecision, PlacePrecision};
use crate::trust::pact::permits::{ForbiddenBy, Sharing};
use raccordo_proto::alert::v1::alert::Body;

/// Asks whether a pact permits an alert under a label.
///
/// # Errors
/// [`ForbiddenBy`], with the first clause that does not; an alert without body is of no
/// kind that a pact allows.
pub fn permit(
    pact: &Pact,
    alert: &Alert,
    label: &Label,
    shared_at: Instant,
) -> Result<(), ForbiddenBy> {
    let Some(kind) = kind(alert) else {
        return Err(ForbiddenBy { clause: "share".to_owned(), value: None });
    };
    let fields = fields_present(alert);
    pact.terms().permit(&Sharing {
        kind,
        fields: &fields,
        place: place(alert),
        citizenship: citizenship(alert),
        purpose: &label.purpose,
        recipient_classes: &label.recipient_classes,
        onward_sharing: label.onward_sharing,
        shared_at,
        expires_at: label.expires_at,
    })
}

fn place(alert: &Alert) -> Option<PlacePrecision> {
    let (province, comune) = match alert.body.as_ref()? {
        Body::CaseAlert(case) => (&case.province, &case.comune),
        Body::CompanyAlert(company) => (&company.province, &company.comune),
    };
    match (province.is_empty(), comune.is_empty()) {
        (_, false) => Some(PlacePrecision::Comune),
        (false, true) => Some(PlacePrecision::Province),
        (true, true) => None,
    }
}

/// UN M49 regions are digits, ISO 3166-1 countries letters.
fn citizenship(alert: &Alert) -> Option<CitizenshipPrecision> {
    let Body::CaseAlert(case) = alert.body.as_ref()? else { return None };
    let region = |code: &String| code.bytes().all(|byte| byte.is_ascii_digit());
    match case.citizenship.as_slice() {
        [] => None,
        codes if codes.iter().all(region) => Some(CitizenshipPrecision::WorldRegion),
        _ => Some(CitizenshipPrecision::Country),
    }
}
