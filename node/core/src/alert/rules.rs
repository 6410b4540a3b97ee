//! Rules between the fields of an alert, and between its dates and the calendar.

use jiff::civil::Date;
use raccordo_proto::alert::v1::alert::Body;
use raccordo_proto::alert::v1::{Alert, CaseAlert, CompanyAlert};

use super::Reason;
use super::field::Report;
use super::values::{date, month};
use crate::time::Instant;

/// Age bands of minors; the others in the list are of adults.
const MINOR_BANDS: [&str; 2] = ["0-13", "14-17"];
/// An alert about facts before this is a mistake in writing.
const EARLIEST: Date = Date::constant(2000, 1, 1);

/// Notes every contradiction.
pub(super) fn judge(report: &mut Report<'_>, alert: &Alert, now: Instant) {
    let issued_on = match &alert.body {
        Some(Body::CaseAlert(body)) => {
            case(report, body);
            date(&body.issued_on)
        }
        Some(Body::CompanyAlert(body)) => {
            company(report, body);
            date(&body.issued_on)
        }
        None => None,
    };
    calendar(report, issued_on, date(&alert.expires_on), now);
}

fn case(report: &mut Report<'_>, body: &CaseAlert) {
    place(report, &body.province, &body.comune);
    fact_month(report, "month", &body.month, &body.issued_on);
    let known = report.lists.lookup("age_band", &body.age_band).is_some();
    let minor_band = MINOR_BANDS.contains(&body.age_band.as_str());
    if body.minor && known && !minor_band {
        let message = "contradicts `ageBand`, which is an adult's; correct one of the two";
        report.body("minor", Reason::Contradiction, message);
    }
    if !body.minor && minor_band {
        let message = "must be true for this `ageBand`, so that fewest see it; set it";
        report.body("minor", Reason::Contradiction, message);
    }
}

fn company(report: &mut Report<'_>, body: &CompanyAlert) {
    place(report, &body.province, &body.comune);
    fact_month(report, "monthFrom", &body.month_from, &body.issued_on);
    fact_month(report, "monthTo", &body.month_to, &body.issued_on);
    if let (Some(from), Some(to)) = (month(&body.month_from), month(&body.month_to))
        && to < from
    {
        let message = "is before `monthFrom`; exchange the two";
        report.body("monthTo", Reason::Contradiction, message);
    }
    if body.ilo_indicators.is_empty() && body.indices_603bis.is_empty() {
        let message = "or `indices603bis` must hold at least one indicator; add it";
        report.body("iloIndicators", Reason::Missing, message);
    }
}

/// A known comune must lie in the province. Not asked of received alerts: comuni change
/// province between versions of the list.
fn place(report: &mut Report<'_>, province: &str, comune: &str) {
    let lies_in = report.lists.lookup("comune", comune).and_then(|known| known.parent.clone());
    if report.at_origin() && !province.is_empty() && lies_in.is_some_and(|is| is != province) {
        let message = "does not lie in `province`; correct one of the two";
        report.body("comune", Reason::Contradiction, message);
    }
}

/// Facts lie before the issue of the alert, and not in another century.
fn fact_month(report: &mut Report<'_>, name: &str, text: &str, issued_on: &str) {
    let Some(month) = month(text) else { return };
    if month < EARLIEST {
        report.body(name, Reason::Malformed, "lies before 2000; correct the year");
    }
    if date(issued_on).is_some_and(|issued| month > issued) {
        let message = "lies after `issuedOn`; correct one of the two";
        report.body(name, Reason::Contradiction, message);
    }
}

fn calendar(report: &mut Report<'_>, issued: Option<Date>, expires: Option<Date>, now: Instant) {
    if issued.is_some_and(|issued| issued < EARLIEST) {
        report.body("issuedOn", Reason::Malformed, "lies before 2000; correct the year");
    }
    if issued.zip(expires).is_some_and(|(issued, expires)| expires < issued) {
        let message = "lies before `issuedOn`; choose a later date or leave it out";
        report.expiry(Reason::Contradiction, message);
    }
    if !report.at_origin() {
        return;
    }
    // In Italy it is tomorrow up to two hours before it is in UTC.
    let today = now.date();
    if issued.is_some_and(|issued| issued > today.tomorrow().unwrap_or(today)) {
        let message = "lies in the future; use the day on which the alert is written";
        report.body("issuedOn", Reason::Contradiction, message);
    }
    if expires.is_some_and(|expires| expires <= today) {
        let message = "must lie in the future; choose a later date or leave it out";
        report.expiry(Reason::Contradiction, message);
    }
}
