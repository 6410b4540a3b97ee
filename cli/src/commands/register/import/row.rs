//! A line as a message to the node.

use raccordo_core::alert::{Body, FieldError};
use raccordo_core::register::import::Row;
use raccordo_core::register::{Entry, Field, RecordKind};
use raccordo_proto::casework::v1::import_line::Record;
use raccordo_proto::casework::v1::{
    AddCaseRequest, AddCompanyRequest, Address, Case, Company, IdentityDocument, Person, PersonName,
};

use crate::failure::Violation;

/// The line as the node takes it.
pub(super) fn record(row: Row) -> Record {
    let Row { identity, codes, state, manager } = row;
    let entries = &identity.entries;
    match identity.kind {
        RecordKind::Person => {
            let codes = match codes.body {
                Some(Body::CaseAlert(codes)) => Some(codes),
                _ => None,
            };
            let (state, manager) = (state.unwrap_or_default(), manager.unwrap_or_default());
            let case = Some(Case { state, manager, codes });
            let person = Some(person(entries));
            Record::Case(AddCaseRequest { person, case, ..AddCaseRequest::default() })
        }
        RecordKind::Company => {
            let codes = match codes.body {
                Some(Body::CompanyAlert(codes)) => Some(codes),
                _ => None,
            };
            let company = Some(company(entries, identity.sole_trader));
            Record::Company(AddCompanyRequest { company, codes })
        }
    }
}

fn person(entries: &[Entry]) -> Person {
    let name = |entry: &Entry| PersonName { family: part(entry, 0), given: part(entry, 1) };
    let document = |entry: &Entry| IdentityDocument {
        kind: part(entry, 0),
        number: part(entry, 1),
        country: part(entry, 2),
    };
    Person {
        names: of(entries, Field::Name).map(name).collect(),
        birth_dates: texts(entries, Field::BirthDate),
        fiscal_codes: texts(entries, Field::FiscalCode),
        documents: of(entries, Field::Document).map(document).collect(),
        phones: texts(entries, Field::Phone),
        addresses: of(entries, Field::Address).map(address).collect(),
        employers: texts(entries, Field::Employer),
        reference: texts(entries, Field::Reference).into_iter().next().unwrap_or_default(),
    }
}

fn company(entries: &[Entry], sole_trader: bool) -> Company {
    Company {
        names: texts(entries, Field::CompanyName),
        vat_numbers: texts(entries, Field::VatNumber),
        fiscal_codes: texts(entries, Field::FiscalCode),
        rea_numbers: texts(entries, Field::ReaNumber),
        addresses: of(entries, Field::Address).map(address).collect(),
        phones: texts(entries, Field::Phone),
        sole_trader,
        reference: texts(entries, Field::Reference).into_iter().next().unwrap_or_default(),
    }
}

fn address(entry: &Entry) -> Address {
    Address { street: part(entry, 0), comune: part(entry, 1) }
}

fn of(entries: &[Entry], field: Field) -> impl Iterator<Item = &Entry> {
    entries.iter().filter(move |entry| entry.field == field)
}

fn texts(entries: &[Entry], field: Field) -> Vec<String> {
    of(entries, field).map(|entry| part(entry, 0)).collect()
}

fn part(entry: &Entry, place: usize) -> String {
    entry.part(place).to_owned()
}

/// What is wrong with a line.
pub(super) fn violation(line: u64, error: FieldError) -> Violation {
    let reason = error.reason.as_str().to_owned();
    Violation { line, field: error.field, reason, message: error.message }
}

#[cfg(test)]
mod tests {
    use raccordo_core::codes::CodeLists;
    use raccordo_core::register::import::{Columns, Rows};
    use raccordo_core::secret::Secret;

    use super::*;

    fn read(kind: RecordKind, header: &str, values: &str) -> Record {
        let cells = |text: &str| -> Vec<_> {
            text.split(';').map(|cell| Secret::new(cell.to_owned())).collect()
        };
        let columns = Columns::decide(kind, &cells(header), &[]).unwrap();
        let mut rows = Rows::new(kind, CodeLists::builtin());
        record(rows.read(&columns, &cells(values)).unwrap().unwrap())
    }

    #[test]
    fn people() {
        let header = "Cognome;Nome;Alias;Nato il;Tel;Cell;Passaporto;Via;Comune;Sesso;Stato";
        let values =
            "Rossi;Mario;Mariolino;2/3/1985;055 1;333;YA1;Via Roma 1;Firenze;Feminine;Chiuso";
        let Record::Case(asked) = read(RecordKind::Person, header, values) else { panic!() };
        let (person, case) = (asked.person.unwrap(), asked.case.unwrap());
        let names: Vec<_> = person.names.iter().map(|it| (&*it.family, &*it.given)).collect();
        assert_eq!(names, [("Rossi", "Mario"), ("Mariolino", "")]);
        assert_eq!(person.birth_dates, ["1985-03-02"]);
        assert_eq!(person.phones, ["055 1", "333"]);
        assert_eq!((&*person.documents[0].kind, &*person.documents[0].number), ("passport", "YA1"));
        assert_eq!(person.addresses[0].comune, "048017");
        assert_eq!((&*case.state, &*case.codes.unwrap().gender), ("closed", "Feminine"));
    }

    #[test]
    fn companies() {
        let header = "Ragione sociale;P.IVA;Ditta individuale;Indirizzo;Comune;Provincia";
        let values = "Alfa Srl;01234567890;si;Via Po 1;048017;Firenze";
        let Record::Company(asked) = read(RecordKind::Company, header, values) else { panic!() };
        let company = asked.company.unwrap();
        assert_eq!((company.names, company.sole_trader), (vec!["Alfa Srl".to_owned()], true));
        assert_eq!(company.addresses[0].street, "Via Po 1");
        assert_eq!(asked.codes.unwrap().province, "048");
    }
}
