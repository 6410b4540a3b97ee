//! A record of a file as a person with a case, or as a company.

use std::collections::BTreeMap;

use raccordo_core::alert::Reason;
use raccordo_core::codes::{CodeLists, Lang};
use raccordo_core::object::Form;
use raccordo_core::register::date;
use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1::import_line::Record;
use raccordo_proto::casework::v1::{
    AddCaseRequest, AddCompanyRequest, Address, Case, Company, IdentityDocument, Person, PersonName,
};
use serde_json::{Map, Value};

use super::Kind;
use super::columns::{Columns, Target, alert_kind, folded};
use crate::failure::Violation;

/// What separates several values of one cell.
const SEVERAL: char = '|';

/// Turns records into what is imported.
pub(super) struct Rows {
    kind: Kind,
    lists: CodeLists,
    /// Codes by folded label, of the lists that were needed; none for a label of several.
    labels: BTreeMap<&'static str, BTreeMap<String, Option<String>>>,
}

/// What a row gathers.
#[derive(Default)]
struct Gathered {
    person: Person,
    company: Company,
    name: PersonName,
    address: Address,
    case: Case,
    codes: Map<String, Value>,
}

impl Rows {
    /// For one kind of file.
    pub(super) fn new(kind: Kind) -> Self {
        Self { kind, lists: CodeLists::builtin(), labels: BTreeMap::new() }
    }

    /// Reads one record; none where it holds nothing at all.
    ///
    /// # Errors
    /// What is wrong with it, without any value.
    pub(super) fn read(
        &mut self,
        columns: &Columns,
        line: u64,
        values: &[Secret<String>],
    ) -> Result<Option<Record>, Violation> {
        let targets = columns.targets();
        if values.iter().all(|value| value.reveal().trim().is_empty()) {
            return Ok(None);
        }
        let beyond = values.iter().skip(targets.len()).any(|value| !value.reveal().is_empty());
        if values.len() < targets.len() || beyond {
            let message = "the line has another number of columns than the first one";
            return Err(violation(line, "columns", Reason::Malformed, message));
        }
        let mut gathered = Gathered::default();
        for (target, value) in targets.iter().zip(values) {
            let value = value.reveal().trim();
            if !value.is_empty() {
                self.put(&mut gathered, line, target, value)?;
            }
        }
        gathered.record(self.kind, line).map(Some)
    }

    fn put(
        &mut self,
        gathered: &mut Gathered,
        line: u64,
        target: &Target,
        value: &str,
    ) -> Result<(), Violation> {
        match target {
            Target::Ignored => Ok(()),
            Target::Value("comune") => {
                gathered.address.comune = self.code(line, "comune", &["comune"], value)?;
                Ok(())
            }
            Target::Value("state") => {
                gathered.case.state = self.code(line, "state", &["case_state"], value)?;
                Ok(())
            }
            Target::Value(name) => gathered.value(self.kind, line, name, value),
            Target::Code(name) => {
                let coded = self.coded(line, name, value)?;
                gathered.codes.insert((*name).to_owned(), coded);
                Ok(())
            }
        }
    }

    /// A value of the codes, by code or label.
    fn coded(&mut self, line: u64, name: &'static str, value: &str) -> Result<Value, Violation> {
        let form = alert_kind(self.kind).field(name).map(|field| field.form);
        match form {
            Some(Form::Code(lists)) => self.code(line, name, lists, value).map(Value::from),
            Some(Form::Codes(lists, _)) => {
                let parts = several(value).map(|part| self.code(line, name, lists, part));
                parts
                    .map(|code| code.map(Value::from))
                    .collect::<Result<Vec<_>, _>>()
                    .map(Value::from)
            }
            Some(Form::Flag) => flag(line, name, value).map(Value::from),
            _ => Ok(Value::from(value)),
        }
    }

    fn code(
        &mut self,
        line: u64,
        field: &str,
        lists: &[&'static str],
        value: &str,
    ) -> Result<String, Violation> {
        for list in lists {
            if self.lists.lookup(list, value).is_some() {
                return Ok(value.to_owned());
            }
            if let Some(Some(code)) = self.labels(list).get(&folded(value)) {
                return Ok(code.clone());
            }
        }
        let message = format!("not a code or label of {}", lists.join(" or "));
        Err(violation(line, field, Reason::UnknownCode, message))
    }

    fn labels(&mut self, list: &'static str) -> &BTreeMap<String, Option<String>> {
        let lists = &self.lists;
        self.labels.entry(list).or_insert_with(|| {
            let mut labels = BTreeMap::new();
            let codes = lists.list(list).map(|list| list.entries()).unwrap_or_default();
            for code in codes {
                let (it, en) = (folded(code.label(Lang::It)), folded(code.label(Lang::En)));
                for label in if it == en { vec![it] } else { vec![it, en] } {
                    let known = labels.insert(label.clone(), Some(code.code.clone()));
                    if known.is_some_and(|known| known.as_ref() != Some(&code.code)) {
                        labels.insert(label, None);
                    }
                }
            }
            labels
        })
    }
}

impl Gathered {
    fn value(&mut self, kind: Kind, line: u64, name: &str, value: &str) -> Result<(), Violation> {
        let person = kind == Kind::Person;
        let (one, all) = (value.to_owned(), several(value).map(str::to_owned));
        let whole = |family| PersonName { family, given: String::new() };
        let document = |kind: &str| {
            let kind = kind.to_owned();
            move |number| IdentityDocument { kind: kind.clone(), number, country: String::new() }
        };
        match name {
            "family_name" => self.name.family = one,
            "given_name" => self.name.given = one,
            "full_name" | "alias" => self.person.names.extend(all.map(whole)),
            "birth_date" => {
                for text in all {
                    let read = date(&text).ok_or_else(|| {
                        let message = "a date is written 31/12/1985, 1985-12-31, 12/1985 or 1985";
                        violation(line, name, Reason::Malformed, message)
                    })?;
                    self.person.birth_dates.push(read);
                }
            }
            "fiscal_code" if person => self.person.fiscal_codes.extend(all),
            "fiscal_code" => self.company.fiscal_codes.extend(all),
            "phone" if person => self.person.phones.extend(all),
            "phone" => self.company.phones.extend(all),
            "passport" | "residence_permit" | "identity_card" => {
                self.person.documents.extend(all.map(document(name)));
            }
            "document" => self.person.documents.extend(all.map(document("other"))),
            "street" => self.address.street = one,
            "employer" => self.person.employers.extend(all),
            "reference" if person => self.person.reference = one,
            "reference" => self.company.reference = one,
            "manager" => self.case.manager = one,
            "company_name" => self.company.names.extend(all),
            "vat_number" => self.company.vat_numbers.extend(all),
            "rea_number" => self.company.rea_numbers.extend(all),
            "sole_trader" => self.company.sole_trader = flag(line, name, value)?,
            _ => {}
        }
        Ok(())
    }

    fn record(mut self, kind: Kind, line: u64) -> Result<Record, Violation> {
        let codes = Value::Object(std::mem::take(&mut self.codes));
        let unfit = |_| violation(line, "codes", Reason::Malformed, "the codes do not fit");
        let named = !(self.name.family.is_empty() && self.name.given.is_empty());
        // A comune alone is no address.
        let address = (!self.address.street.is_empty()).then_some(self.address);
        Ok(match kind {
            Kind::Person => {
                self.person.names.splice(0..0, named.then_some(self.name));
                self.person.addresses.extend(address);
                self.case.codes = Some(serde_json::from_value(codes).map_err(unfit)?);
                let (person, case) = (Some(self.person), Some(self.case));
                Record::Case(AddCaseRequest { person, case, ..AddCaseRequest::default() })
            }
            Kind::Company => {
                self.company.addresses.extend(address);
                let codes = Some(serde_json::from_value(codes).map_err(unfit)?);
                Record::Company(AddCompanyRequest { company: Some(self.company), codes })
            }
        })
    }
}

fn several(value: &str) -> impl Iterator<Item = &str> {
    value.split(SEVERAL).map(str::trim).filter(|part| !part.is_empty())
}

fn flag(line: u64, name: &str, value: &str) -> Result<bool, Violation> {
    match folded(value).as_str() {
        "si" | "s" | "yes" | "y" | "true" | "vero" | "1" | "x" => Ok(true),
        "no" | "n" | "false" | "falso" | "0" => Ok(false),
        _ => Err(violation(line, name, Reason::Malformed, "write si or no")),
    }
}

fn violation(line: u64, field: &str, reason: Reason, message: impl Into<String>) -> Violation {
    let (field, reason) = (field.to_owned(), reason.as_str().to_owned());
    Violation { line, field, reason, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, header: &str, values: &str) -> Result<Option<Record>, Violation> {
        let cells = |text: &str| -> Vec<_> {
            text.split(';').map(|cell| Secret::new(cell.to_owned())).collect()
        };
        let columns = Columns::decide(kind, &cells(header), None, &[]).unwrap();
        Rows::new(kind).read(&columns, 7, &cells(values))
    }

    #[test]
    fn people() {
        let header = "Cognome;Nome;Alias;Nato il;Tel;Cell;Passaporto;Via;Comune;Sesso;Cittadinanza;Stato;Minore";
        let values = " Rossi ;Mario;Super Mario|Mariolino;2/3/1985;055 1;333|334;YA1;Via Roma 1;Firenze;Feminine;Bangladesh;Chiuso;sì";
        let Ok(Some(Record::Case(asked))) = read(Kind::Person, header, values) else { panic!() };
        let (person, case) = (asked.person.unwrap(), asked.case.unwrap());
        let names: Vec<_> = person.names.iter().map(|it| (&*it.family, &*it.given)).collect();
        assert_eq!(names, [("Rossi", "Mario"), ("Super Mario", ""), ("Mariolino", "")]);
        assert_eq!(person.birth_dates, ["1985-03-02"]);
        assert_eq!(person.phones, ["055 1", "333", "334"]);
        assert_eq!((&*person.documents[0].kind, &*person.documents[0].number), ("passport", "YA1"));
        assert_eq!(person.addresses[0].comune, "048017");
        assert_eq!(case.state, "closed");
        let codes = case.codes.unwrap();
        assert_eq!((codes.gender.as_str(), codes.minor), ("Feminine", true));
        assert_eq!(codes.citizenship, ["BD"]);
    }

    #[test]
    fn companies() {
        let header = "Ragione sociale;P.IVA;Ditta individuale;Indirizzo;Comune;Provincia";
        let values = "Alfa Srl;01234567890;no;Via Po 1;048017;Firenze";
        let Ok(Some(Record::Company(asked))) = read(Kind::Company, header, values) else {
            panic!()
        };
        let company = asked.company.unwrap();
        assert_eq!((company.names, company.sole_trader), (vec!["Alfa Srl".to_owned()], false));
        assert_eq!(asked.codes.unwrap().province, "048");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        let check = |header: &str, values: &str, field: &str, reason: &str| {
            let violation = read(Kind::Person, header, values).map(|_| ()).unwrap_err();
            assert_eq!((violation.line, violation.field.as_str()), (7, field));
            assert_eq!(violation.reason, reason);
            assert!(!violation.message.contains("Canarino"), "{violation:?}");
        };
        check("Cognome;Nato il", "Canarino;Canarino", "birth_date", "malformed");
        check("Cognome;Sesso", "Canarino;Canarino", "gender", "unknown_code");
        check("Cognome;Via;Comune", "x;y;Canarino", "comune", "unknown_code");
        check("Cognome;Minore", "Canarino;Canarino", "minor", "malformed");
        check("Cognome;Nome", "Canarino", "columns", "malformed");
        check("Cognome;Nome", "a;b;Canarino", "columns", "malformed");
    }

    #[test]
    fn empty_lines_are_nothing() {
        assert!(read(Kind::Person, "Cognome;Nome", " ;").unwrap().is_none());
        assert!(read(Kind::Person, "Cognome;Nome", "a;b;").unwrap().is_some());
    }
}
