//! Why a member refuses what another said, as its receipt names it: a stable reason; of a field
//! also which, and by which rule. Never a value.
//!
//! `invalid_alert:caseAlert.ageBand:malformed`, `pact_forbids:share.case_alert.fields:ageBand`,
//! `pact_forbids:share.case_alert.place_precision`, `version_gap`.

use crate::alert::FieldError;
use crate::trust::pact::permits::ForbiddenBy;

/// The longest part of a reason.
pub const PART_BYTES_MAX: usize = 64;
/// The longest reason: three parts with colons between them.
pub const REASON_BYTES_MAX: usize = 3 * PART_BYTES_MAX + 2;

/// Of an alert whose fields break the rules of their kind: the first of them.
pub fn of_fields(errors: &[FieldError]) -> String {
    let first = errors.first().map(|error| [error.field.as_str(), error.reason.as_str()]);
    join("invalid_alert", first.iter().flatten().copied())
}

/// Of an alert that the pact forbids: the clause, and which field it does not name.
pub fn of_pact(by: &ForbiddenBy) -> String {
    // What another clause does not allow is what the sender wrote: a purpose, a class.
    let field = by.value.as_deref().filter(|_| by.clause.ends_with(".fields"));
    join(by.reason(), [by.clause.as_str()].into_iter().chain(field))
}

/// What would be no part is left out, with all that follows.
fn join<'p>(code: &str, parts: impl IntoIterator<Item = &'p str>) -> String {
    let mut reason = code.to_owned();
    for part in parts.into_iter().take_while(|part| is_part(part)) {
        reason.push(':');
        reason.push_str(part);
    }
    reason
}

/// The stable reason alone, for those who count.
pub fn code(reason: &str) -> &str {
    reason.split_once(':').map_or(reason, |(code, _)| code)
}

/// Whether a text has the form of a reason: a word of 1 to 64 lower-case letters, digits and
/// underscores, and after it at most twice a colon and 1 to 64 letters, digits, underscores and
/// dots.
pub fn is_reason(text: &str) -> bool {
    let mut parts = text.split(':');
    let code = parts.next().is_some_and(is_code);
    let parts: Vec<&str> = parts.collect();
    code && parts.len() <= 2 && parts.into_iter().all(is_part)
}

fn is_code(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=PART_BYTES_MAX).contains(&text.len()) && text.bytes().all(inner)
}

fn is_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.".contains(&byte);
    (1..=PART_BYTES_MAX).contains(&text.len()) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Reason;

    fn field(field: &str, reason: Reason) -> FieldError {
        FieldError { field: field.to_owned(), reason, message: "a sentence".to_owned() }
    }

    #[test]
    fn the_first_field_and_its_rule_are_named() {
        let errors = [
            field("caseAlert.ageBand", Reason::Malformed),
            field("caseAlert.sector", Reason::Missing),
        ];
        assert_eq!(of_fields(&errors), "invalid_alert:caseAlert.ageBand:malformed");
        assert_eq!(of_fields(&[]), "invalid_alert");
        assert_eq!(of_fields(&[field("no field", Reason::Missing)]), "invalid_alert");
    }

    #[test]
    fn the_clause_is_named_and_of_values_only_a_field() {
        let by = |clause: &str, value: Option<&str>| {
            of_pact(&ForbiddenBy { clause: clause.to_owned(), value: value.map(str::to_owned) })
        };
        let fields = by("share.case_alert.fields", Some("ageBand"));
        assert_eq!(fields, "pact_forbids:share.case_alert.fields:ageBand");
        assert_eq!(by("purposes", Some("kamal_hossain")), "pact_forbids:purposes");
        let classes = by("share.case_alert.recipient_classes", Some("kamal_hossain"));
        assert_eq!(classes, "pact_forbids:share.case_alert.recipient_classes");
    }

    #[test]
    fn reasons_have_a_form() {
        let long = "r".repeat(PART_BYTES_MAX);
        let longest = format!("{long}:{long}:{long}");
        assert_eq!(longest.len(), REASON_BYTES_MAX);
        for good in
            ["version_gap", "a:B.c", "pact_forbids:share.case_alert.fields:ageBand", &longest]
        {
            assert!(is_reason(good), "{good}");
            assert!(is_code(code(good)), "{good}");
        }
        let beyond = [format!("{long}r"), format!("a:{long}r"), format!("{longest}:a")];
        let bad = ["", ":", "a:", ":a", "A", "a:b:", "a:b c", "a:<b>", "a:b:c:d", "a\0"];
        for bad in bad.into_iter().chain(beyond.iter().map(String::as_str)) {
            assert!(!is_reason(bad), "{bad}");
        }
    }
}
