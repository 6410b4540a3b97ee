//! What a record of the register is known by: its values in their normal forms.
//!
//! A value without a normal form makes no evidence and is kept in the register as it is.

use super::facts::Facts;
use super::family::{Company, Evidence, Person};
use super::frequency::Frequencies;
use super::name::Name;
use super::weight::{self, Weight};
use crate::normal::birth::Birth;
use crate::normal::codice_fiscale::CodiceFiscale;
use crate::normal::company_name::company_name;
use crate::normal::comune::Comuni;
use crate::normal::stop_list::StopList;
use crate::normal::{company_number, document, phone};
use crate::register::{Entry, Field, RecordKind};
use crate::secret::Secret;

/// A record as evidence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A person.
    Person(Person),
    /// A company, and of a sole trader the codice fiscale, which is a natural person's.
    Company {
        /// What it is known by.
        company: Company,
        /// The trader.
        trader: Person,
    },
}

impl Subject {
    /// Of the entries of a record; of a person besides the citizenships (ISO 3166-1, two letters)
    /// that its cases name.
    pub fn of_record(
        kind: RecordKind,
        entries: &[Entry],
        citizenships: Vec<String>,
        comuni: &Comuni,
    ) -> Self {
        match kind {
            RecordKind::Person => Self::Person(Person { citizenships, ..person(entries, comuni) }),
            RecordKind::Company => Self::Company {
                company: company(entries, comuni),
                trader: Person { codici_fiscali: lasting(entries), ..Person::default() },
            },
        }
    }

    /// Its evidence, but for what the stop-list names.
    pub fn evidence(&self, stops: &StopList) -> Vec<Evidence> {
        match self {
            Self::Person(person) => person.evidence(stops),
            Self::Company { company, trader } => {
                let mut found = trader.evidence(stops);
                found.extend(company.evidence(stops));
                found
            }
        }
    }

    /// What is known of it at all.
    pub fn facts(&self, stops: &StopList) -> Facts {
        match self {
            Self::Person(person) => Facts::of_person(person, stops),
            Self::Company { company, .. } => Facts::of_company(company),
        }
    }

    /// Weighs what agrees with another, of whom only the facts are known.
    pub fn weigh(
        &self,
        agreeing: &[&Evidence],
        facts: (Facts, Facts),
        frequencies: &Frequencies,
    ) -> Weight {
        match self {
            Self::Person(person) => weight::person(person, agreeing, facts, frequencies),
            Self::Company { .. } => weight::company(agreeing, facts, frequencies),
        }
    }

    /// Counts its values.
    pub fn count(&self, frequencies: &mut Frequencies) {
        match self {
            Self::Person(person) => frequencies.add_person(person),
            Self::Company { company, .. } => frequencies.add_company(company),
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
            Field::FiscalCode => person.codici_fiscali.extend(CodiceFiscale::parse(value)),
            Field::Document if value == "residence_permit" => {
                person.permits.extend(document::permit(entry.part(1)));
            }
            Field::Document if value == "passport" => {
                person.passports.extend(document::passport(entry.part(2), entry.part(1)));
                person.passport_numbers.extend(document::permit(entry.part(1)));
            }
            Field::Phone => person.phones.extend(phone::all(value)),
            _ => {}
        }
    }
    person
}

/// What is known of a company.
fn company(entries: &[Entry], comuni: &Comuni) -> Company {
    let mut company = Company { places: places(entries, comuni), ..Company::default() };
    for entry in entries {
        let value = entry.part(0);
        match entry.field {
            Field::VatNumber | Field::FiscalCode => {
                company.numbers.extend(company_number::partita_iva(value));
            }
            Field::ReaNumber => company.rea.extend(company_number::rea(value)),
            Field::CompanyName => company.names.extend(company_name(value)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codes::CodeLists;
    use crate::evidence::family::Family;
    use crate::normal::stop_list::Stop;

    fn entry(field: Field, parts: &[&str]) -> Entry {
        Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
    }

    fn of(kind: RecordKind, entries: &[Entry], stops: &StopList) -> Vec<(Family, String)> {
        let comuni = Comuni::new(&CodeLists::builtin());
        let citizenships = vec!["BD".to_owned()];
        let subject = Subject::of_record(kind, entries, citizenships, &comuni);
        subject
            .evidence(stops)
            .into_iter()
            .map(|one| (one.family, one.value.reveal().clone()))
            .collect()
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
            (Family::PassportNumber, "AB1234567"),
            (Family::PhoneName, "KML|+393331234567"),
            (Family::NamesYearsGroup, "HSN KML|1990|BD"),
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
        let expected = [
            (Family::NamesYear, "HSN KML|1990".to_owned()),
            (Family::NamesYearsGroup, "HSN KML|1988|BD".to_owned()),
            (Family::NamesYearsGroup, "HSN KML|1990|BD".to_owned()),
        ];
        assert_eq!(found, expected);
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
            (Family::CompanyName, "ROSSI TESSITURA".to_owned()),
            (Family::CompanyWordsPlace, "ROSSI TESSITURA|D612".to_owned()),
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
