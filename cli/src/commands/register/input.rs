//! People and companies as they are given: JSON, or answers at the terminal.

use std::path::Path;

use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1::{
    AddCaseRequest, AddCompanyRequest, Company, FieldViolation, Person, PersonName,
};
use serde::de::DeserializeOwned;

use crate::commands::alert::without_value;
use crate::failure::{Failure, Violation};
use crate::{files, prompt};

/// Reads a JSON object; asks where there is no file and somebody to ask, else reads standard
/// input.
pub(super) fn read_or_ask<T: DeserializeOwned>(
    file: Option<&Path>,
    ask: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    match file {
        None if prompt::is_possible() => ask(),
        None => read(Path::new("-")),
        Some(path) => read(path),
    }
}

/// Reads a JSON object; a failure names line and field, never a value.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Failure> {
    let text = Secret::new(files::read_text(path)?);
    serde_json::from_str(text.reveal()).map_err(|error| {
        let (code, what) = match error.is_data() {
            true => ("invalid_record", without_value(&error.to_string())),
            false => ("invalid_json", "this is no JSON object".to_owned()),
        };
        Failure::usage(code, format!("line {}: {what}", error.line()))
            .hint("see the form in: raccordo case add --help")
    })
}

/// Asks for a person.
pub(super) fn ask_person() -> Result<AddCaseRequest, Failure> {
    let names = PersonName {
        family: prompt::line_or_nothing("family names")?,
        given: prompt::line_or_nothing("given names")?,
    };
    let person = Person {
        names: vec![names],
        birth_dates: several("birth date (YYYY-MM-DD)")?,
        fiscal_codes: several("codice fiscale")?,
        phones: several("telephone")?,
        ..Person::default()
    };
    Ok(AddCaseRequest { person: Some(person), ..AddCaseRequest::default() })
}

/// Asks for a company.
pub(super) fn ask_company() -> Result<AddCompanyRequest, Failure> {
    let company = Company {
        names: several("name")?,
        vat_numbers: several("partita IVA")?,
        fiscal_codes: several("codice fiscale, if it is another number")?,
        rea_numbers: several("REA (FI-123456)")?,
        ..Company::default()
    };
    Ok(AddCompanyRequest { company: Some(company), codes: None })
}

/// Asks until the answer is empty.
fn several(what: &str) -> Result<Vec<String>, Failure> {
    let mut answers = Vec::new();
    loop {
        let more = if answers.is_empty() { what.to_owned() } else { format!("another {what}") };
        let answer = prompt::line_or_nothing(&more)?;
        if answer.trim().is_empty() {
            return Ok(answers);
        }
        answers.push(answer);
    }
}

/// What the node found invalid.
pub(super) fn refused(violations: Vec<FieldViolation>) -> Result<(), Failure> {
    if violations.is_empty() {
        return Ok(());
    }
    let violations = violations.into_iter().map(|violation| Violation {
        line: 1,
        field: violation.field,
        reason: violation.reason,
        message: violation.message,
    });
    let message = "the record is invalid; nothing was stored";
    Err(Failure::usage("invalid_record", message)
        .violations(violations.collect())
        .hint("see the form in: raccordo case add --help, raccordo company add --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn people_are_read() {
        let text = r#"{"person":{"names":[{"family":"Rossi"}],"birthDates":["1985"]},
            "case":{"codes":{"gender":"Feminine"}}}"#;
        let asked: AddCaseRequest = read(file(text).path()).unwrap();
        let person = asked.person.unwrap();
        assert_eq!((person.names[0].family.as_str(), &*person.birth_dates[0]), ("Rossi", "1985"));
        assert_eq!(asked.case.unwrap().codes.unwrap().gender, "Feminine");
    }

    #[test]
    fn failures_name_no_value() {
        for text in [
            r#"{"person":{"names":"Canarino"}}"#,
            r#"{"person":{"phones":[Canarino]}}"#,
            r#"{"person":{"phones":{"Canarino":1}}}"#,
            r#"{"person":{"phones":["Canarino"#,
            r#"{"person":{"reference":{"a":"Canarino"}}}"#,
        ] {
            let failure = read::<AddCaseRequest>(file(text).path()).unwrap_err();
            assert!(!failure.to_string().contains("Canarino"), "{failure}");
            assert!(failure.message.starts_with("line 1"), "{failure}");
        }
    }
}
