//! Whether a pact permits a sharing, and which clause forbids it. Asked by the sender
//! before it seals, and by the receiver before it shows.

use crate::object::Kind;
use crate::time::Instant;
use crate::trust::pact::fields::{CitizenshipPrecision, PlacePrecision};
use crate::trust::pact::terms::Terms;

/// The clause that forbids a sharing, by its key in the pact.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the pact forbids it: {clause}{}", .value.as_ref().map_or_else(String::new, |value| format!(" ({value})")))]
pub struct ForbiddenBy {
    /// Key in the pact, such as `share.case_alert.fields`.
    pub clause: String,
    /// The field, class or purpose that is not allowed, where one is.
    pub value: Option<String>,
}

impl ForbiddenBy {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        "pact_forbids"
    }
}

/// What is about to be shared or shown.
#[derive(Clone, Copy, Debug)]
pub struct Sharing<'a> {
    /// The kind.
    pub kind: Kind,
    /// JSON names of the fields that are filled.
    pub fields: &'a [&'a str],
    /// How precisely the place is said, when it is.
    pub place: Option<PlacePrecision>,
    /// How precisely the citizenship is said, when it is: the most precise of several.
    pub citizenship: Option<CitizenshipPrecision>,
    /// From the label.
    pub purpose: &'a str,
    /// From the label.
    pub recipient_classes: &'a [String],
    /// From the label.
    pub onward_sharing: bool,
    /// When it was or is shared.
    pub shared_at: Instant,
    /// From the label.
    pub expires_at: Instant,
}

impl Terms {
    /// Asks whether the pact permits a sharing.
    ///
    /// # Errors
    /// [`ForbiddenBy`], with the first clause that does not.
    pub fn permit(&self, sharing: &Sharing<'_>) -> Result<(), ForbiddenBy> {
        self.permit_label(sharing)?;
        let terms = self.kind(sharing.kind);
        let clause = |key: &str| format!("share.{}.{key}", sharing.kind.section());
        rule(terms.allowed, || clause("allowed"), None)?;
        let field = sharing.fields.iter().find(|field| !holds(terms.fields, field));
        rule(field.is_none(), || clause("fields"), field.copied())?;
        let place = sharing.place.is_none_or(|place| place <= terms.place_precision);
        rule(place, || clause("place_precision"), None)?;
        let citizenship = sharing.citizenship <= terms.citizenship_precision;
        rule(citizenship, || clause("citizenship_precision"), None)?;
        let lives = sharing.shared_at < sharing.expires_at
            && sharing.expires_at <= latest_expiry(sharing.shared_at, terms.retention_days);
        rule(lives, || clause("retention_days"), None)?;
        let mut classes = sharing.recipient_classes.iter();
        let class = classes.find(|class| !holds(terms.recipient_classes, class));
        rule(class.is_none(), || clause("recipient_classes"), class.map(String::as_str))
    }

    /// When an object shared now expires unless its author says less.
    pub fn default_expiry(&self, kind: Kind, shared_at: Instant) -> Instant {
        latest_expiry(shared_at, self.kind(kind).retention_days)
    }

    fn permit_label(&self, sharing: &Sharing<'_>) -> Result<(), ForbiddenBy> {
        let in_force = self.expiry().is_some_and(|last| sharing.shared_at.date() <= last);
        rule(in_force, || "expiry_date".to_owned(), None)?;
        let purpose = holds(&self.purposes, sharing.purpose);
        rule(purpose, || "purposes".to_owned(), Some(sharing.purpose))?;
        let onward = self.onward_sharing || !sharing.onward_sharing;
        rule(onward, || "onward_sharing".to_owned(), None)
    }
}

/// The end of the last day of retention, so that a date `retention_days` ahead is allowed
/// whatever the hour.
fn latest_expiry(shared_at: Instant, retention_days: u32) -> Instant {
    const DAY: std::time::Duration = std::time::Duration::from_secs(86_400);
    Instant::start_of(shared_at.date()).plus(DAY * retention_days.saturating_add(1))
}

fn holds(list: &[String], value: &str) -> bool {
    list.iter().any(|item| item == value)
}

fn rule(
    holds: bool,
    clause: impl FnOnce() -> String,
    value: Option<&str>,
) -> Result<(), ForbiddenBy> {
    if holds {
        return Ok(());
    }
    Err(ForbiddenBy { clause: clause(), value: value.map(str::to_owned) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trust::pact::tests::example;

    const NOON: i64 = 1_790_000_000_000;

    fn check(terms: impl FnOnce(&mut Terms), bend: impl FnOnce(&mut Sharing<'_>), clause: &str) {
        let mut agreed = example().terms().clone();
        agreed.share.case_alert.place_precision = PlacePrecision::Province;
        agreed.share.case_alert.citizenship_precision = CitizenshipPrecision::WorldRegion;
        terms(&mut agreed);
        let classes = ["access_point".to_owned()];
        let mut sharing = Sharing {
            kind: Kind::Case,
            fields: &["issuedOn", "exploitation", "province"],
            place: Some(PlacePrecision::Province),
            citizenship: Some(CitizenshipPrecision::WorldRegion),
            purpose: &agreed.purposes[0],
            recipient_classes: &classes,
            onward_sharing: false,
            shared_at: Instant(NOON),
            expires_at: Instant(NOON + 1),
        };
        bend(&mut sharing);
        let found =
            agreed.permit(&sharing).map_or_else(|refused| refused.clause, |()| String::new());
        assert_eq!(found, clause);
    }

    #[test]
    fn each_clause_forbids_by_its_name() {
        check(|_| {}, |_| {}, "");
        check(|it| it.share.case_alert.allowed = false, |_| {}, "share.case_alert.allowed");
        check(|it| drop(it.share.case_alert.fields.remove(0)), |_| {}, "share.case_alert.fields");
        check(|_| {}, |it| it.fields = &["tags"], "share.case_alert.fields");
        let comune = |it: &mut Sharing<'_>| it.place = Some(PlacePrecision::Comune);
        check(|_| {}, comune, "share.case_alert.place_precision");
        check(|it| it.share.case_alert.place_precision = PlacePrecision::Comune, comune, "");
        check(|_| {}, |it| it.place = None, "");
        let country = |it: &mut Sharing<'_>| it.citizenship = Some(CitizenshipPrecision::Country);
        check(|_| {}, country, "share.case_alert.citizenship_precision");
        check(|_| {}, |it| it.citizenship = None, "");
        check(|_| {}, |it| it.purpose = "other", "purposes");
        check(|_| {}, |it| it.onward_sharing = true, "onward_sharing");
        check(|it| it.onward_sharing = true, |it| it.onward_sharing = true, "");
        let nobody = |it: &mut Terms| it.share.case_alert.recipient_classes.clear();
        check(nobody, |_| {}, "share.case_alert.recipient_classes");
        check(nobody, |it| it.recipient_classes = &[], "");
        check(|it| it.expiry_date = "2026-09-20".to_owned(), |_| {}, "expiry_date");
        check(|it| it.expiry_date = "2026-09-21".to_owned(), |_| {}, "");
    }

    #[test]
    fn lives_end_with_the_last_day_of_retention() {
        let days = |it: &mut Terms| it.share.case_alert.retention_days = 2;
        let end = Instant::start_of("2026-09-24".parse().unwrap()).0;
        let expires = |at: i64| move |it: &mut Sharing<'_>| it.expires_at = Instant(at);
        check(days, expires(end), "");
        check(days, expires(end + 1), "share.case_alert.retention_days");
        check(days, expires(NOON), "share.case_alert.retention_days");
    }

    #[test]
    fn the_refusal_names_the_value() {
        let refused = rule(false, || "share.case_alert.fields".to_owned(), Some("tags"));
        let shown = refused.unwrap_err().to_string();
        assert_eq!(shown, "the pact forbids it: share.case_alert.fields (tags)");
    }

    #[test]
    fn the_default_expiry_is_permitted() {
        let expiry = example().terms().default_expiry(Kind::Case, Instant(NOON));
        assert_eq!(expiry.since(Instant::start_of(Instant(NOON).date())).as_secs(), 181 * 86_400);
        let days = |it: &mut Terms| it.share.case_alert.retention_days = 180;
        check(days, |it| it.expires_at = expiry, "");
    }
}
