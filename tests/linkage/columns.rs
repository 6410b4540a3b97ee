//! Records of a CSV file, as evidence and tokens.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context as _;
use raccordo_core::normal::birth::Birth;
use raccordo_core::normal::codice_fiscale::CodiceFiscale;
use raccordo_core::normal::comune::Comuni;
use raccordo_core::normal::evidence::{Evidence, Family, Person};
use raccordo_core::normal::name::Name;
use raccordo_core::normal::stop_list::StopList;
use raccordo_core::normal::{company_number, phone};
use raccordo_core::secret::Secret;
use raccordo_core::vault::Vault;

/// Columns that are left out.
pub type Without = BTreeSet<String>;

/// A token, as the bytes that two nodes compare.
pub type TokenBytes = [u8; 32];

/// A record.
pub struct Record {
    pub id: String,
    pub tokens: Vec<(Family, TokenBytes)>,
}

/// Reads a file.
pub fn read(path: &Path, without: &Without, comuni: &Comuni) -> anyhow::Result<Vec<Record>> {
    let key = Vault::new(&Secret::new([42; 32]));
    let mut reader =
        csv::Reader::from_path(path).with_context(|| format!("cannot read {}", path.display()))?;
    let headers: Vec<String> =
        reader.headers()?.iter().map(|name| name.trim().to_owned()).collect();
    let mut records = Vec::new();
    for row in reader.records() {
        let row = row?;
        let values = headers.iter().map(String::as_str).zip(row.iter().map(str::trim));
        let values: Vec<(&str, &str)> =
            values.filter(|(name, value)| !value.is_empty() && !without.contains(*name)).collect();
        let id = values.iter().find(|(name, _)| *name == "id").context("a record without id")?.1;
        let evidence = person(&values, comuni).evidence(&StopList::default());
        let tokens = evidence.iter().map(|one| (one.family, token(&key, one)));
        records.push(Record { id: id.to_owned(), tokens: tokens.collect() });
    }
    Ok(records)
}

fn token(key: &Vault, evidence: &Evidence) -> TokenBytes {
    let purpose = format!("{}/{}", evidence.family.class(), evidence.family);
    key.index(&purpose, evidence.value.reveal().as_bytes())
}

fn person(values: &[(&str, &str)], comuni: &Comuni) -> Person {
    let mut person = Person::default();
    let part = |wanted: &str| {
        let found = values.iter().filter(move |(name, _)| *name == wanted);
        found.map(|(_, value)| *value).collect::<Vec<_>>().join(" ")
    };
    person.names.extend(Name::parse(&format!("{} {}", part("family"), part("given"))));
    for (name, value) in values {
        match name.trim_end_matches(|c: char| c.is_ascii_digit()) {
            "name" => person.names.extend(Name::parse(value)),
            "birth" => person.births.extend(Birth::parse(&dashed(value))),
            "fiscal_code" => person.codici_fiscali.extend(CodiceFiscale::parse(value)),
            "number" => person.permits.push(Secret::new(value.to_uppercase())),
            "phone" => person.phones.extend(phone::e164(value)),
            "place" => {
                let code = comuni.code(value).or_else(|| comuni.named(value));
                person.places.push(Secret::new(code.unwrap_or_else(|| value.to_uppercase())));
            }
            "employer" => {
                let number = company_number::partita_iva(value).ok();
                person.employers.push(number.unwrap_or_else(|| Secret::new(value.to_uppercase())));
            }
            _ => {}
        }
    }
    person
}

/// `19850302` → `1985-03-02`; others as they are.
fn dashed(text: &str) -> String {
    match (text.len(), text.get(..4), text.get(4..6), text.get(6..)) {
        (8, Some(year), Some(month), Some(day)) if text.bytes().all(|b| b.is_ascii_digit()) => {
            format!("{year}-{month}-{day}")
        }
        _ => text.to_owned(),
    }
}
