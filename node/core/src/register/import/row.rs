//! A line of a file as a person with a case, or as a company.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::columns::{Columns, Target, alert_kind, folded};
use crate::alert::{Alert, FieldError, Reason};
use crate::codes::{CodeLists, Lang};
use crate::object::Form;
use crate::register::{Entry, Field, Identity, RecordKind, date};
use crate::secret::Secret;

/// What separates several values of one cell.
const SEVERAL: char = '|';

/// What one line says.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who or what it is.
    pub identity: Identity,
    /// What is said in codes.
    pub codes: Alert,
    /// Of a person: where the case stands, from the list `case_state`; none if nothing is said.
    pub state: Option<String>,
    /// Of a person: who answers for the case, by name or id; none if nothing is said.
    pub manager: Option<String>,
}

/// Turns lines into what is imported.
#[derive(Debug)]
pub struct Rows {
    kind: RecordKind,
    lists: CodeLists,
    /// Codes by folded label, of the lists that were needed; none for a label of several.
    labels: BTreeMap<&'static str, BTreeMap<String, Option<String>>>,
}

/// What a line gathers.
#[derive(Default)]
struct Gathered {
    entries: Vec<Entry>,
    family: String,
    given: String,
    street: String,
    comune: String,
    sole_trader: bool,
    state: Option<String>,
    manager: Option<String>,
    codes: Map<String, Value>,
}

impl Rows {
    /// For one kind of file.
    pub fn new(kind: RecordKind, lists: CodeLists) -> Self {
        Self { kind, lists, labels: BTreeMap::new() }
    }

    /// Reads one line; none where it holds nothing at all.
    ///
    /// # Errors
    /// What is wrong with it, without any value.
    pub fn read(
        &mut self,
        columns: &Columns,
        values: &[Secret<String>],
    ) -> Result<Option<Row>, FieldError> {
        let targets = columns.targets();
        if values.iter().all(|value| value.reveal().trim().is_empty()) {
            return Ok(None);
        }
        let beyond = values.iter().skip(targets.len()).any(|value| !value.reveal().is_empty());
        if values.len() < targets.len() || beyond {
            let message = "the line has another number of columns than the first one";
            return Err(flaw("columns", Reason::Malformed, message));
        }
        let mut gathered = Gathered::default();
        for (target, value) in targets.iter().zip(values) {
            let value = value.reveal().trim();
            if !value.is_empty() {
                self.put(&mut gathered, target, value)?;
            }
        }
        gathered.row(self.kind).map(Some)
    }

    fn put(
        &mut self,
        gathered: &mut Gathered,
        target: &Target,
        value: &str,
    ) -> Result<(), FieldError> {
        match target {
            Target::Ignored => Ok(()),
            Target::Value("comune") => {
                gathered.comune = self.code("comune", &["comune"], value)?;
                Ok(())
            }
            Target::Value("state") => {
                gathered.state = Some(self.code("state", &["case_state"], value)?);
                Ok(())
            }
            Target::Value(name) => gathered.value(name, value),
            Target::Code(name) => {
                let coded = self.coded(name, value)?;
                gathered.codes.insert((*name).to_owned(), coded);
                Ok(())
            }
        }
    }

    /// A value of the codes, by code or label.
    fn coded(&mut self, name: &'static str, value: &str) -> Result<Value, FieldError> {
        let form = alert_kind(self.kind).field(name).map(|field| field.form);
        match form {
            Some(Form::Code(lists)) => self.code(name, lists, value).map(Value::from),
            Some(Form::Codes(lists, _)) => {
                let parts = several(value).map(|part| self.code(name, lists, part));
                parts
                    .map(|code| code.map(Value::from))
                    .collect::<Result<Vec<_>, _>>()
                    .map(Value::from)
            }
            Some(Form::Flag) => flag(name, value).map(Value::from),
            _ => Ok(Value::from(value)),
        }
    }

    fn code(
        &mut self,
        field: &str,
        lists: &[&'static str],
        value: &str,
    ) -> Result<String, FieldError> {
        for list in lists {
            if self.lists.lookup(list, value).is_some() {
                return Ok(value.to_owned());
            }
            if let Some(Some(code)) = self.labels(list).get(&folded(value)) {
                return Ok(code.clone());
            }
        }
        let message = format!("not a code or label of {}", lists.join(" or "));
        Err(flaw(field, Reason::UnknownCode, message))
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
    fn value(&mut self, name: &str, value: &str) -> Result<(), FieldError> {
        let one = value.to_owned();
        match name {
            "family_name" => self.family = one,
            "given_name" => self.given = one,
            "full_name" | "alias" => self.all(Field::Name, value),
            "birth_date" => {
                for text in several(value) {
                    let read = date(text).ok_or_else(|| {
                        let message = "a date is written 31/12/1985, 1985-12-31, 12/1985 or 1985";
                        flaw(name, Reason::Malformed, message)
                    })?;
                    self.entries.push(Entry::new(Field::BirthDate, [read]));
                }
            }
            "fiscal_code" => self.all(Field::FiscalCode, value),
            "phone" => self.all(Field::Phone, value),
            "passport" | "residence_permit" | "identity_card" => self.documents(name, value),
            "document" => self.documents("other", value),
            "street" => self.street = one,
            "employer" => self.all(Field::Employer, value),
            "reference" => self.entries.push(Entry::new(Field::Reference, [one])),
            "manager" => self.manager = Some(one),
            "company_name" => self.all(Field::CompanyName, value),
            "vat_number" => self.all(Field::VatNumber, value),
            "rea_number" => self.all(Field::ReaNumber, value),
            "sole_trader" => self.sole_trader = flag(name, value)?,
            _ => {}
        }
        Ok(())
    }

    fn all(&mut self, field: Field, value: &str) {
        self.entries.extend(several(value).map(|text| Entry::new(field, [text.to_owned()])));
    }

    fn documents(&mut self, kind: &str, value: &str) {
        let document =
            |number: &str| Entry::new(Field::Document, [kind.to_owned(), number.to_owned()]);
        self.entries.extend(several(value).map(document));
    }

    fn row(self, kind: RecordKind) -> Result<Row, FieldError> {
        let Self { mut entries, family, given, street, comune, sole_trader, .. } = self;
        let (state, manager, codes) = (self.state, self.manager, self.codes);
        if !(family.is_empty() && given.is_empty()) {
            entries.insert(0, Entry::new(Field::Name, [family, given]));
        }
        // A comune alone is no address.
        if !street.is_empty() {
            entries.push(Entry::new(Field::Address, [street, comune]));
        }
        let body = alert_kind(kind).declaration().body;
        let codes = serde_json::from_value(json!({ body: Value::Object(codes) }))
            .map_err(|_| flaw("codes", Reason::Malformed, "the codes do not fit"))?;
        let identity = Identity { kind, sole_trader, entries };
        Ok(Row { identity, codes, state, manager })
    }
}

fn several(value: &str) -> impl Iterator<Item = &str> {
    value.split(SEVERAL).map(str::trim).filter(|part| !part.is_empty())
}

fn flag(name: &str, value: &str) -> Result<bool, FieldError> {
    match folded(value).as_str() {
        "si" | "s" | "yes" | "y" | "true" | "vero" | "1" | "x" => Ok(true),
        "no" | "n" | "false" | "falso" | "0" => Ok(false),
        _ => Err(flaw(name, Reason::Malformed, "write si or no")),
    }
}

fn flaw(field: &str, reason: Reason, message: impl Into<String>) -> FieldError {
    FieldError { field: field.to_owned(), reason, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Body;

    fn read(kind: RecordKind, header: &str, values: &str) -> Result<Option<Row>, FieldError> {
        let cells = |text: &str| -> Vec<_> {
            text.split(';').map(|cell| Secret::new(cell.to_owned())).collect()
        };
        let columns = Columns::decide(kind, &cells(header), &[]).unwrap();
        Rows::new(kind, CodeLists::builtin()).read(&columns, &cells(values))
    }

    fn said(row: &Row) -> Vec<String> {
        let said = |it: &Entry| {
            let parts: Vec<_> = (0..it.parts.len()).map(|place| it.part(place)).collect();
            format!("{} {}", it.field.as_str(), parts.join("/"))
        };
        row.identity.entries.iter().map(said).collect()
    }

    #[test]
    fn people() {
        let header = "Cognome;Nome;Alias;Nato il;Tel;Cell;Passaporto;Via;Comune;Sesso;Cittadinanza;Stato;Operatore;Minore";
        let values = " Rossi ;Mario;Super Mario|Mariolino;2/3/1985;055 1;333|334;YA1;Via Roma 1;Firenze;Feminine;Bangladesh;Chiuso;Anna;sì";
        let row = read(RecordKind::Person, header, values).unwrap().unwrap();
        let expected = [
            "name Rossi/Mario",
            "name Super Mario/",
            "name Mariolino/",
            "birth_date 1985-03-02",
            "phone 055 1",
            "phone 333",
            "phone 334",
            "document passport/YA1/",
            "address Via Roma 1/048017",
        ];
        assert_eq!(said(&row), expected);
        assert_eq!((row.state.as_deref(), row.manager.as_deref()), (Some("closed"), Some("Anna")));
        let Some(Body::CaseAlert(codes)) = row.codes.body else { panic!() };
        assert_eq!((codes.gender.as_str(), codes.minor), ("Feminine", true));
        assert_eq!(codes.citizenship, ["BD"]);
    }

    #[test]
    fn companies() {
        let header = "Ragione sociale;P.IVA;Ditta individuale;Indirizzo;Comune;Provincia";
        let values = "Alfa Srl;01234567890;no;Via Po 1;048017;Firenze";
        let row = read(RecordKind::Company, header, values).unwrap().unwrap();
        let expected =
            ["company_name Alfa Srl", "vat_number 01234567890", "address Via Po 1/048017"];
        assert_eq!(
            (said(&row), row.identity.sole_trader),
            (expected.map(str::to_owned).to_vec(), false)
        );
        let Some(Body::CompanyAlert(codes)) = row.codes.body else { panic!() };
        assert_eq!(codes.province, "048");
    }

    #[test]
    fn what_is_wrong_is_told_without_the_value() {
        let check = |header: &str, values: &str, field: &str, reason: Reason| {
            let flaw = read(RecordKind::Person, header, values).map(|_| ()).unwrap_err();
            assert_eq!((flaw.field.as_str(), flaw.reason), (field, reason));
            assert!(!flaw.message.contains("Canarino"), "{flaw:?}");
        };
        check("Cognome;Nato il", "Canarino;Canarino", "birth_date", Reason::Malformed);
        check("Cognome;Sesso", "Canarino;Canarino", "gender", Reason::UnknownCode);
        check("Cognome;Via;Comune", "x;y;Canarino", "comune", Reason::UnknownCode);
        check("Cognome;Minore", "Canarino;Canarino", "minor", Reason::Malformed);
        check("Cognome;Nome", "Canarino", "columns", Reason::Malformed);
        check("Cognome;Nome", "a;b;Canarino", "columns", Reason::Malformed);
    }

    #[test]
    fn empty_lines_are_nothing() {
        assert!(read(RecordKind::Person, "Cognome;Nome", " ;").unwrap().is_none());
        assert!(read(RecordKind::Person, "Cognome;Nome", "a;b;").unwrap().is_some());
    }
}
