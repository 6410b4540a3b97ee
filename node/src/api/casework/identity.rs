//! People and companies as messages, and back.

use raccordo_core::alert::{Alert, CaseAlert, CompanyAlert};
use raccordo_core::register::{Entry, Field, Identity, RecordKind};
use raccordo_proto::alert::v1::alert::Body;
use raccordo_proto::casework::v1 as proto;

/// A person as the register takes it.
pub fn person(message: proto::Person) -> Identity {
    let proto::Person { names, birth_dates, fiscal_codes, documents, .. } = message;
    let proto::Person { phones, addresses, employers, reference, .. } = message;
    let mut entries = Vec::new();
    entries.extend(given(reference).map(|text| Entry::new(Field::Reference, [text])));
    entries.extend(names.into_iter().map(|it| Entry::new(Field::Name, [it.family, it.given])));
    entries.extend(birth_dates.into_iter().map(|it| Entry::new(Field::BirthDate, [it])));
    entries.extend(fiscal_codes.into_iter().map(|it| Entry::new(Field::FiscalCode, [it])));
    entries.extend(
        documents
            .into_iter()
            .map(|it| Entry::new(Field::Document, [it.kind, it.number, it.country])),
    );
    entries.extend(phones.into_iter().map(|it| Entry::new(Field::Phone, [it])));
    entries.extend(addresses.into_iter().map(address));
    entries.extend(employers.into_iter().map(|it| Entry::new(Field::Employer, [it])));
    Identity { kind: RecordKind::Person, sole_trader: false, entries }
}

/// A company as the register takes it.
pub fn company(message: proto::Company) -> Identity {
    let proto::Company { names, vat_numbers, fiscal_codes, rea_numbers, .. } = message;
    let proto::Company { addresses, phones, sole_trader, reference, .. } = message;
    let mut entries = Vec::new();
    entries.extend(given(reference).map(|text| Entry::new(Field::Reference, [text])));
    entries.extend(names.into_iter().map(|it| Entry::new(Field::CompanyName, [it])));
    entries.extend(vat_numbers.into_iter().map(|it| Entry::new(Field::VatNumber, [it])));
    entries.extend(fiscal_codes.into_iter().map(|it| Entry::new(Field::FiscalCode, [it])));
    entries.extend(rea_numbers.into_iter().map(|it| Entry::new(Field::ReaNumber, [it])));
    entries.extend(addresses.into_iter().map(address));
    entries.extend(phones.into_iter().map(|it| Entry::new(Field::Phone, [it])));
    Identity { kind: RecordKind::Company, sole_trader, entries }
}

fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn address(message: proto::Address) -> Entry {
    Entry::new(Field::Address, [message.street, message.comune])
}

/// A person's values as a message.
pub fn person_message(entries: &[Entry]) -> proto::Person {
    let name = |entry: &Entry| proto::PersonName { family: part(entry, 0), given: part(entry, 1) };
    let document = |entry: &Entry| proto::IdentityDocument {
        kind: part(entry, 0),
        number: part(entry, 1),
        country: part(entry, 2),
    };
    proto::Person {
        names: of(entries, Field::Name).map(name).collect(),
        birth_dates: texts(entries, Field::BirthDate),
        fiscal_codes: texts(entries, Field::FiscalCode),
        documents: of(entries, Field::Document).map(document).collect(),
        phones: texts(entries, Field::Phone),
        addresses: addresses(entries),
        employers: texts(entries, Field::Employer),
        reference: texts(entries, Field::Reference).into_iter().next().unwrap_or_default(),
    }
}

/// A company's values as a message.
pub fn company_message(entries: &[Entry], sole_trader: bool) -> proto::Company {
    proto::Company {
        names: texts(entries, Field::CompanyName),
        vat_numbers: texts(entries, Field::VatNumber),
        fiscal_codes: texts(entries, Field::FiscalCode),
        rea_numbers: texts(entries, Field::ReaNumber),
        addresses: addresses(entries),
        phones: texts(entries, Field::Phone),
        sole_trader,
        reference: texts(entries, Field::Reference).into_iter().next().unwrap_or_default(),
    }
}

fn of(entries: &[Entry], field: Field) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(move |entry| entry.field == field)
}

fn part(entry: &Entry, place: usize) -> String {
    entry.part(place).to_owned()
}

fn texts(entries: &[Entry], field: Field) -> Vec<String> {
    of(entries, field).map(|entry| part(entry, 0)).collect()
}

fn addresses(entries: &[Entry]) -> Vec<proto::Address> {
    let address = |entry: &Entry| proto::Address { street: part(entry, 0), comune: part(entry, 1) };
    of(entries, Field::Address).map(address).collect()
}

/// Codes of a case as the body of an alert.
pub fn case_codes(codes: Option<CaseAlert>) -> Alert {
    Alert { body: codes.map(Body::CaseAlert), ..Alert::default() }
}

/// Codes of a company as the body of an alert.
pub fn company_codes(codes: Option<CompanyAlert>) -> Alert {
    Alert { body: codes.map(Body::CompanyAlert), ..Alert::default() }
}

/// Codes of a case, if they are one's.
pub fn case_codes_message(codes: Alert) -> Option<CaseAlert> {
    match codes.body {
        Some(Body::CaseAlert(codes)) => Some(codes),
        _ => None,
    }
}

/// Codes of a company, if they are one's.
pub fn company_codes_message(codes: Alert) -> Option<CompanyAlert> {
    match codes.body {
        Some(Body::CompanyAlert(codes)) => Some(codes),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(number: u8) -> String {
        format!("value {number}")
    }

    fn address(number: u8) -> proto::Address {
        proto::Address { street: text(number), comune: text(number + 1) }
    }

    #[test]
    fn people_come_back_as_they_were() {
        let message = proto::Person {
            names: vec![proto::PersonName { family: text(1), given: text(2) }],
            birth_dates: vec![text(3)],
            fiscal_codes: vec![text(4)],
            documents: vec![proto::IdentityDocument {
                kind: text(5),
                number: text(6),
                country: text(7),
            }],
            phones: vec![text(8), text(9)],
            addresses: vec![address(10)],
            employers: vec![text(12)],
            reference: text(13),
        };
        let identity = person(message.clone());
        assert_eq!(identity.entries.len(), 9);
        assert_eq!(person_message(&identity.entries), message);
    }

    #[test]
    fn companies_come_back_as_they_were() {
        let message = proto::Company {
            names: vec![text(1)],
            vat_numbers: vec![text(2)],
            fiscal_codes: vec![text(3)],
            rea_numbers: vec![text(4)],
            addresses: vec![address(5)],
            phones: vec![text(7)],
            sole_trader: true,
            reference: text(8),
        };
        let identity = company(message.clone());
        assert!(identity.sole_trader);
        assert_eq!(company_message(&identity.entries, true), message);
    }

    #[test]
    fn messages_show_no_value() {
        let name = proto::PersonName { family: "Rossi".into(), given: "Mario".into() };
        let person = proto::Person { names: vec![name], ..proto::Person::default() };
        let asked = proto::AddCaseRequest { person: Some(person), ..Default::default() };
        let shown = format!("{asked:?}");
        assert!(shown.contains("Person([secret])") && !shown.contains("Rossi"), "{shown}");
    }
}
