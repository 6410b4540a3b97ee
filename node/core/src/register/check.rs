//! What a valid record is.

use super::{DOCUMENT_KINDS, Entry, Field, Identity, RecordKind, date};
use crate::alert::{self, Alert, Body, FieldError, Reason};
use crate::codes::CodeLists;
use crate::secret::Secret;
use crate::text::steers;
use crate::time::Instant;

/// Longest part of a value, in bytes.
const PART_BYTES_MAX: usize = 200;
/// Most values of one field.
const VALUES_MAX: usize = 16;

/// An identity that passed its checks: parts trimmed, dates in one form, nothing twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckedIdentity(Identity);

impl CheckedIdentity {
    /// The identity.
    pub fn identity(&self) -> &Identity {
        &self.0
    }
}

/// Checks an identity.
///
/// # Errors
/// All flaws, one for each field at most. A message never repeats a value.
pub fn check(lists: &CodeLists, identity: Identity) -> Result<CheckedIdentity, Vec<FieldError>> {
    let identity = tidy(lists, identity)?;
    if identity.entries.iter().all(|entry| entry.field == Field::Reference) {
        let message = "nothing identifies the record: give a name or a number".to_owned();
        let field = identity.kind.as_str().to_owned();
        return Err(vec![FieldError { field, reason: Reason::Missing, message }]);
    }
    Ok(CheckedIdentity(identity))
}

/// The same values, trimmed, dates in one form, nothing twice: how they are stored, and how
/// they are looked for.
///
/// # Errors
/// As [`check`], except that there may be none.
pub fn tidy(lists: &CodeLists, identity: Identity) -> Result<Identity, Vec<FieldError>> {
    let Identity { kind, sole_trader, entries } = identity;
    let mut errors = Vec::new();
    let mut kept: Vec<Entry> = Vec::new();
    for entry in entries {
        match tidied(lists, kind, entry) {
            Ok(entry) if kept.contains(&entry) => {}
            Ok(entry) => kept.push(entry),
            Err(error) => note(&mut errors, error),
        }
    }
    for field in Field::ALL {
        let most = if field == Field::Reference { 1 } else { VALUES_MAX };
        if kept.iter().filter(|entry| entry.field == field).count() > most {
            note(&mut errors, flaw(field, Reason::TooMany, format!("at most {most} of these")));
        }
    }
    if errors.is_empty() { Ok(Identity { kind, sole_trader, entries: kept }) } else { Err(errors) }
}

/// Checks what is said in codes of a case or company: the fields of an alert's body, of which
/// none is required here, and no tags.
///
/// # Errors
/// All flaws, as of an alert.
pub fn check_codes(
    lists: &CodeLists,
    kind: RecordKind,
    codes: &Alert,
    now: Instant,
) -> Result<(), Vec<FieldError>> {
    let (fits, tagged) = match &codes.body {
        None => return Ok(()),
        Some(Body::CaseAlert(case)) => (kind == RecordKind::Person, !case.tags.is_empty()),
        Some(Body::CompanyAlert(company)) => {
            (kind == RecordKind::Company, !company.tags.is_empty())
        }
    };
    let error = |reason, message: &str| {
        Err(vec![FieldError { field: "codes".into(), reason, message: message.into() }])
    };
    if !fits {
        return error(Reason::Malformed, "a case has a case's codes, a company a company's");
    }
    if tagged {
        return error(Reason::Malformed, "tags are made by the node: leave them out");
    }
    match alert::check(lists, codes, now) {
        Ok(_) => Ok(()),
        Err(mut errors) => {
            errors.retain(|error| error.reason != Reason::Missing);
            if errors.is_empty() { Ok(()) } else { Err(errors) }
        }
    }
}

fn note(errors: &mut Vec<FieldError>, error: FieldError) {
    if errors.iter().all(|known| known.field != error.field) {
        errors.push(error);
    }
}

fn flaw(field: Field, reason: Reason, message: impl Into<String>) -> FieldError {
    FieldError { field: field.as_str().to_owned(), reason, message: message.into() }
}

/// The entry with trimmed parts, if it is one.
fn tidied(lists: &CodeLists, kind: RecordKind, entry: Entry) -> Result<Entry, FieldError> {
    let Entry { field, parts } = entry;
    if !field.suits(kind) {
        let message = format!("a {} has no such value", kind.as_str());
        return Err(flaw(field, Reason::Malformed, message));
    }
    let mut entry = Entry::new(field, parts.iter().map(|part| part.reveal().trim().to_owned()));
    let length = entry.parts.len() == field.parts().len();
    let fits = |part: &Secret<String>| {
        part.reveal().len() <= PART_BYTES_MAX && !part.reveal().chars().any(steers)
    };
    if !length || !entry.parts.iter().all(fits) {
        let message = format!("at most {PART_BYTES_MAX} bytes, on one line");
        return Err(flaw(field, Reason::Malformed, message));
    }
    judge(lists, &mut entry)?;
    if super::canonical(&entry).is_none() {
        return Err(flaw(field, Reason::Missing, "the value is empty: leave the field out"));
    }
    Ok(entry)
}

/// What single fields ask for, besides being there.
fn judge(lists: &CodeLists, entry: &mut Entry) -> Result<(), FieldError> {
    let field = entry.field;
    let listed = |list, code: &str| code.is_empty() || lists.lookup(list, code).is_some();
    match field {
        Field::BirthDate => {
            let read = date(entry.part(0)).ok_or_else(|| {
                flaw(field, Reason::Malformed, "a date is YYYY-MM-DD, YYYY-MM or YYYY")
            })?;
            *entry = Entry::new(field, [read]);
        }
        Field::Document if !DOCUMENT_KINDS.contains(&entry.part(0)) => {
            let message = format!("a document's kind is one of: {}", DOCUMENT_KINDS.join(", "));
            return Err(flaw(field, Reason::UnknownCode, message));
        }
        Field::Document if !listed("country", entry.part(2)) => {
            return Err(flaw(field, Reason::UnknownCode, "the country is not in `country`"));
        }
        Field::Address if !listed("comune", entry.part(1)) => {
            return Err(flaw(field, Reason::UnknownCode, "the comune is not in `comune`"));
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::{CaseAlert, CompanyAlert};

    fn entry(field: Field, parts: &[&str]) -> Entry {
        Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
    }

    fn checked(kind: RecordKind, entries: Vec<Entry>) -> Result<Vec<Entry>, Vec<(String, Reason)>> {
        let identity = Identity { kind, sole_trader: false, entries };
        check(&CodeLists::builtin(), identity)
            .map(|checked| checked.identity().entries.clone())
            .map_err(|errors| errors.into_iter().map(|it| (it.field, it.reason)).collect())
    }

    fn refused(kind: RecordKind, one: Entry, reason: Reason) {
        let field = one.field.as_str().to_owned();
        assert_eq!(checked(kind, vec![one]), Err(vec![(field, reason)]));
    }

    #[test]
    fn values_are_tidied() {
        let person = vec![
            entry(Field::Name, &[" Rossi ", "Mario"]),
            entry(Field::Name, &["Rossi", "Mario "]),
            entry(Field::BirthDate, &["2/3/1985"]),
        ];
        let expected =
            vec![entry(Field::Name, &["Rossi", "Mario"]), entry(Field::BirthDate, &["1985-03-02"])];
        assert_eq!(checked(RecordKind::Person, person), Ok(expected));
    }

    #[test]
    fn what_is_not_a_value_is_refused() {
        use RecordKind::{Company, Person};
        refused(Person, entry(Field::BirthDate, &["30/02/1985"]), Reason::Malformed);
        refused(Person, entry(Field::Phone, &["--"]), Reason::Missing);
        refused(Person, entry(Field::Phone, &[&"1".repeat(201)]), Reason::Malformed);
        refused(Person, entry(Field::Name, &["a\nb"]), Reason::Malformed);
        refused(Person, entry(Field::VatNumber, &["1"]), Reason::Malformed);
        refused(Company, entry(Field::Name, &["Rossi"]), Reason::Malformed);
        refused(Person, entry(Field::Document, &["ticket", "7"]), Reason::UnknownCode);
        refused(Person, entry(Field::Document, &["passport", "7", "??"]), Reason::UnknownCode);
        refused(Person, entry(Field::Address, &["Via Roma", "0"]), Reason::UnknownCode);
    }

    #[test]
    fn something_must_identify_and_not_too_much() {
        let nothing = Err(vec![("person".to_owned(), Reason::Missing)]);
        assert_eq!(checked(RecordKind::Person, Vec::new()), nothing);
        let file = vec![entry(Field::Reference, &["7"])];
        assert_eq!(checked(RecordKind::Person, file), nothing);
        let many: Vec<_> =
            (0..17).map(|number| entry(Field::Phone, &[&number.to_string()])).collect();
        let too_many = Err(vec![("phone".to_owned(), Reason::TooMany)]);
        assert_eq!(checked(RecordKind::Person, many), too_many);
        let files = ["7", "8"].map(|number| entry(Field::Reference, &[number])).to_vec();
        assert_eq!(
            checked(RecordKind::Company, files),
            Err(vec![("reference".to_owned(), Reason::TooMany)])
        );
    }

    #[test]
    fn messages_never_repeat_a_value() {
        let entries = vec![
            entry(Field::BirthDate, &["Canarino"]),
            entry(Field::Document, &["Canarino", "Canarino", "Canarino"]),
            entry(Field::Address, &["Canarino", "Canarino"]),
            entry(Field::VatNumber, &["Canarino"]),
        ];
        let identity = Identity { kind: RecordKind::Person, sole_trader: false, entries };
        let errors = check(&CodeLists::builtin(), identity).unwrap_err();
        assert_eq!(errors.len(), 4);
        assert!(!format!("{errors:?}").contains("Canarino"));
    }

    #[test]
    fn codes_may_be_few_but_must_be_known() {
        let check = |kind, body: Option<Body>, expected: Result<(), &str>| {
            let codes = Alert { body, ..Alert::default() };
            let done = check_codes(&CodeLists::builtin(), kind, &codes, Instant(0));
            assert_eq!(
                done.map_err(|errors| errors[0].field.clone()),
                expected.map_err(Into::into)
            );
        };
        let case = |gender: &str| {
            Some(Body::CaseAlert(CaseAlert { gender: gender.into(), ..CaseAlert::default() }))
        };
        check(RecordKind::Person, None, Ok(()));
        check(RecordKind::Person, case(""), Ok(()));
        check(RecordKind::Person, case("Feminine"), Ok(()));
        check(RecordKind::Person, case("f"), Err("caseAlert.gender"));
        check(RecordKind::Company, case("Feminine"), Err("codes"));
        let company = Some(Body::CompanyAlert(CompanyAlert::default()));
        check(RecordKind::Person, company.clone(), Err("codes"));
        check(RecordKind::Company, company, Ok(()));
        let tagged = CaseAlert { tags: vec![Default::default()], ..CaseAlert::default() };
        check(RecordKind::Person, Some(Body::CaseAlert(tagged)), Err("codes"));
    }
}
