//! The evidence of a record of the register: its values in their normal forms.
//!
//! A value without a normal form makes no evidence and is kept in the register as it is.

use super::birth::Birth;
use super::codice_fiscale::CodiceFiscale;
use super::company_name::company_name;
use super::comune::Comuni;
use super::evidence::{Company, Evidence, Person, name_with_place};
use super::name::Name;
use super::stop_list::StopList;
use super::{company_number, document, phone};
use crate::register::{Entry, Field, RecordKind};
use crate::secret::Secret;

/// The evidence of a record: of a person, a company, or for a sole trader of both, since the
/// codice fiscale of a natural person is no company's.
pub fn evidence(
    kind: RecordKind,
    entries: &[Entry],
    comuni: &Comuni,
    stops: &StopList,
) -> Vec<Evidence> {
    match kind {
        RecordKind::Person => person(entries, comuni).evidence(stops),
        RecordKind::Company => {
            let trader = Person { codici_fiscali: lasting(entries), ..Person::default() };
            let mut found = trader.evidence(stops);
            found.extend(company(entries, comuni).evidence(stops));
            found
        }
    }
}

/// What is known of a person.
fn person(entries: &[Entry], comuni: &Comuni) -> Person {
    let mut person = Person { places: places(entries, comuni), ..Person::default() };
    for entry in entries {
        let value = entry.part(0);
        match entry.field {
            Field::Name => {
                let whole = Secret::new(format!("{value} {}", entry.part(1)));
                person.names.extend(Name::parse(whole.reveal()));
            }
            Field::BirthDate => person.births.extend(birth(value)),
            Field::FiscalCode => {
                let code = CodiceFiscale::parse(value).ok();
                // The date in a valid one is a date of birth as good as any.
                let born = code.as_ref().and_then(CodiceFiscale::birth);
                person.births.extend(born.filter(|born| !person.births.contains(born)));
                person.codici_fiscali.extend(code);
            }
            Field::Document if value == "residence_permit" => {
                person.permits.extend(document::permit(entry.part(1)));
            }
            Field::Document if value == "passport" => {
                person.passports.extend(document::passport(entry.part(2), entry.part(1)));
            }
            Field::Phone => person.phones.extend(phone::all(value)),
            Field::Employer => person.employers.extend(employer(value)),
            _ => {}
        }
    }
    person
}

/// What is known of a company.
fn company(entries: &[Entry], comuni: &Comuni) -> Company {
    let places = places(entries, comuni);
    let mut company = Company::default();
    for entry in entries {
        let value = entry.part(0);
        match entry.field {
            Field::VatNumber | Field::FiscalCode => {
                company.numbers.extend(company_number::partita_iva(value));
            }
            Field::ReaNumber => company.rea.extend(company_number::rea(value)),
            Field::CompanyName => {
                if let Some(name) = company_name(value) {
                    let with = places.iter().map(|place| name_with_place(&name, place.reveal()));
                    company.names.extend(with);
                }
            }
            _ => {}
        }
    }
    company
}

/// A date of birth as the register keeps it; of a year with its month only the year counts.
fn birth(text: &str) -> Option<Birth> {
    Birth::parse(text).or_else(|_| Birth::parse(text.get(..4).unwrap_or(text))).ok()
}

fn lasting(entries: &[Entry]) -> Vec<CodiceFiscale> {
    let codes = entries.iter().filter(|entry| entry.field == Field::FiscalCode);
    let codes = codes.filter_map(|entry| CodiceFiscale::parse(entry.part(0)).ok());
    codes.filter(|code| matches!(code, CodiceFiscale::Lasting(_))).collect()
}

fn places(entries: &[Entry], comuni: &Comuni) -> Vec<Secret<String>> {
    let addresses = entries.iter().filter(|entry| entry.field == Field::Address);
    addresses.filter_map(|entry| comuni.code(entry.part(1))).map(Secret::new).collect()
}

/// An employer by number, or by name: where it has its seat is not known.
fn employer(text: &str) -> Option<Secret<String>> {
    let named = || company_name(text).map(|name| name_with_place(&name, ""));
    company_number::partita_iva(text).ok().or_else(named)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::CodeLists;
    use crate::normal::evidence::Family;
    use crate::normal::stop_list::Stop;

    fn entry(field: Field, parts: &[&str]) -> Entry {
        Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
    }

    fn of(kind: RecordKind, entries: &[Entry], stops: &StopList) -> Vec<(Family, String)> {
        let comuni = Comuni::new(&CodeLists::builtin());
        let found = evidence(kind, entries, &comuni, stops);
        found.into_iter().map(|one| (one.family, one.value.reveal().clone())).collect()
    }

    #[test]
    fn a_person_with_everything() {
        let entries = [
            entry(Field::Reference, &["7"]),
            entry(Field::Name, &["Hossain", "Md Kamal"]),
            entry(Field::Name, &["Hosen Kamal", ""]),
            entry(Field::BirthDate, &["1990-03-04"]),
            entry(Field::FiscalCode, &["rssmra85t10a562s"]),
            entry(Field::Document, &["passport", "AB1234567", "BD"]),
            entry(Field::Document, &["residence_permit", "I00123456", ""]),
            entry(Field::Document, &["identity_card", "CA00000AA", ""]),
            entry(Field::Phone, &["333 1234567"]),
            entry(Field::Address, &["Via Roma 1", "048017"]),
            entry(Field::Employer, &["00743110157"]),
        ];
        let found = of(RecordKind::Person, &entries, &StopList::default());
        for (family, value) in [
            (Family::CodiceFiscale, "RSSMRA85T10A562S"),
            (Family::Permit, "I00123456"),
            (Family::Phone, "+393331234567"),
            (Family::NameBirth, "HSN|1990.03.04"),
            (Family::NamesPlace, "HSN KML|D612"),
            (Family::BirthPlace, "1990.03.04|D612"),
            (Family::NameEmployer, "KML|00743110157"),
            (Family::NamesYear, "HSN KML|1990"),
            // What the codice fiscale says of the birth.
            (Family::NameBirth, "HSN|1985.10.12"),
        ] {
            assert!(found.contains(&(family, value.to_owned())), "{family}: {found:?}");
        }
        assert!(found.iter().any(|(family, _)| *family == Family::Passport));
    }

    #[test]
    fn parts_of_dates_and_wrong_numbers() {
        let entries = [
            entry(Field::Name, &["Hossain", "Kamal"]),
            entry(Field::BirthDate, &["1990-03"]),
            entry(Field::FiscalCode, &["RSSMRA85T10A562X"]),
            entry(Field::Phone, &["12"]),
            entry(Field::Phone, &["chiamare Ali"]),
        ];
        let found = of(RecordKind::Person, &entries, &StopList::default());
        assert_eq!(found, [(Family::NamesYear, "HSN KML|1990".to_owned())]);
    }

    #[test]
    fn a_company_and_a_sole_trader() {
        let entries = [
            entry(Field::CompanyName, &["Tessitura Rossi S.r.l."]),
            entry(Field::VatNumber, &["IT 00743110157"]),
            entry(Field::ReaNumber, &["fi 123456"]),
            entry(Field::Address, &["Via Roma 1", "048017"]),
        ];
        let found = of(RecordKind::Company, &entries, &StopList::default());
        let expected = [
            (Family::CompanyNumber, "00743110157".to_owned()),
            (Family::Rea, "FI-123456".to_owned()),
            (Family::CompanyNamePlace, "ROSSI TESSITURA|D612".to_owned()),
        ];
        assert_eq!(found, expected);
        let trader = [entry(Field::FiscalCode, &["RSSMRA85T10A562S"])];
        let found = of(RecordKind::Company, &trader, &StopList::default());
        assert_eq!(found, [(Family::CodiceFiscale, "RSSMRA85T10A562S".to_owned())]);
    }

    #[test]
    fn stopped_values_are_left_out() {
        let mut stops = StopList::default();
        stops.add(Stop::Phone, &Secret::new("+393331234567".to_owned()));
        let entries = [entry(Field::Phone, &["333 1234567"])];
        assert_eq!(of(RecordKind::Person, &entries, &stops), []);
    }
}
