//! Records of a CSV file, as evidence.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use raccordo_core::evidence::family::{Company, Evidence, Person};
use raccordo_core::evidence::name::Name;
use raccordo_core::evidence::record::Subject;
use raccordo_core::normal::birth::Birth;
use raccordo_core::normal::codice_fiscale::CodiceFiscale;
use raccordo_core::normal::company_name::company_name;
use raccordo_core::normal::comune::Comuni;
use raccordo_core::normal::stop_list::StopList;
use raccordo_core::normal::{company_number, document, phone};
use raccordo_core::secret::Secret;

use super::columns::{self, Meaning};

/// A pair of ids, left and right.
pub type Pair = (String, String);

/// A record.
#[derive(Debug)]
pub struct Record {
    /// Its name in the truth.
    pub id: String,
    /// What it says.
    pub subject: Subject,
    /// The evidence of that: of each piece a token is made.
    pub evidence: Vec<Evidence>,
}

/// A file's header and rows, with its separator: comma, semicolon or tab.
fn rows(path: &Path) -> anyhow::Result<(Vec<String>, Vec<csv::StringRecord>)> {
    let shown = path.display();
    let bytes = fs::read(path).with_context(|| format!("cannot read {shown}"))?;
    let text = String::from_utf8(bytes).with_context(|| format!("{shown} is not UTF-8"))?;
    let first = text.lines().next().with_context(|| format!("{shown} is empty"))?;
    let often = |separator: &u8| first.bytes().filter(|byte| byte == separator).count();
    let separator = [b',', b';', b'\t'].into_iter().max_by_key(often).unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let headers = reader.headers().with_context(|| format!("{shown} has no header"))?;
    let headers = headers.iter().map(|header| header.trim().to_owned()).collect();
    let rows = reader.records().collect::<Result<Vec<_>, _>>();
    // The error names the line.
    Ok((headers, rows.with_context(|| format!("{shown} is no table"))?))
}

/// Reads the records of a file, without some columns.
///
/// # Errors
/// The file cannot be read, lacks a column `id`, or names two records alike.
pub fn read(path: &Path, without: &[String], comuni: &Comuni) -> anyhow::Result<Vec<Record>> {
    let shown = path.display();
    let (headers, rows) = rows(path)?;
    let meanings =
        columns::meanings(&headers, without).with_context(|| format!("cannot use {shown}"))?;
    let (mut records, mut ids) = (Vec::new(), BTreeSet::new());
    for (line, row) in (2..).zip(rows) {
        let values = meanings.iter().zip(row.iter().map(str::trim));
        let values = values.filter(|(_, value)| !value.is_empty());
        let values: Vec<(Meaning, &str)> =
            values.filter_map(|(meaning, value)| Some(((*meaning)?, value))).collect();
        let id = values.iter().find(|(meaning, _)| *meaning == Meaning::Id);
        let id = id.with_context(|| format!("{shown}, record {line}: no id"))?.1.to_owned();
        ensure!(ids.insert(id.clone()), "{shown}, record {line}: the id {id} stands twice");
        let subject = match meanings.contains(&Some(Meaning::Company)) {
            true => company(&values, comuni),
            false => Subject::Person(person(&values, comuni)),
        };
        let evidence = subject.evidence(&StopList::default());
        records.push(Record { id, subject, evidence });
    }
    ensure!(!records.is_empty(), "{shown} has no records");
    Ok(records)
}

/// The true pairs; for one file on both sides, each in the order of its ids.
///
/// # Errors
/// The file cannot be read, names no pair, or names a record that there is not.
pub fn truth(
    path: &Path,
    left: &[Record],
    right: Option<&[Record]>,
) -> anyhow::Result<BTreeSet<Pair>> {
    let (headers, rows) = rows(path)?;
    let shown = path.display();
    let (one, other) = columns::sides(&headers).with_context(|| format!("cannot use {shown}"))?;
    let ids = |records: &[Record]| -> BTreeSet<String> {
        records.iter().map(|record| record.id.clone()).collect()
    };
    let (lefts, rights) = (ids(left), ids(right.unwrap_or(left)));
    let mut pairs = BTreeSet::new();
    for (line, row) in (2..).zip(rows) {
        let value = |place: usize| row.get(place).unwrap_or_default().trim().to_owned();
        let mut pair = (value(one), value(other));
        if !(lefts.contains(&pair.0) && rights.contains(&pair.1)) {
            // Some write the right one first.
            pair = (pair.1, pair.0);
        }
        if !(lefts.contains(&pair.0) && rights.contains(&pair.1)) {
            bail!("{shown}, pair {line}: no such records: {} and {}", pair.1, pair.0);
        }
        pairs.insert(if right.is_none() && pair.0 > pair.1 { (pair.1, pair.0) } else { pair });
    }
    ensure!(!pairs.is_empty(), "{shown} names no pair");
    Ok(pairs)
}

fn place(value: &str, comuni: &Comuni) -> Secret<String> {
    let code = comuni.code(value).or_else(|| comuni.named(value));
    Secret::new(code.unwrap_or_else(|| value.to_uppercase()))
}

fn person(values: &[(Meaning, &str)], comuni: &Comuni) -> Person {
    let of = |wanted: Meaning| {
        let found = values.iter().filter(move |(meaning, _)| *meaning == wanted);
        found.map(|(_, value)| *value)
    };
    let joined = |wanted: Meaning| of(wanted).collect::<Vec<_>>().join(" ");
    let whole = format!("{} {}", joined(Meaning::Family), joined(Meaning::Given));
    let names = [whole.as_str()].into_iter().chain(of(Meaning::Name));
    let country = of(Meaning::Citizenship).next().unwrap_or_default();
    Person {
        codici_fiscali: of(Meaning::FiscalCode).flat_map(CodiceFiscale::parse).collect(),
        permits: of(Meaning::Number).map(|value| Secret::new(value.to_uppercase())).collect(),
        passports: of(Meaning::Passport)
            .filter_map(|value| document::passport(country, value).ok())
            .collect(),
        passport_numbers: of(Meaning::Passport)
            .filter_map(|value| document::permit(value).ok())
            .collect(),
        phones: of(Meaning::Phone).flat_map(phone::all).collect(),
        names: names.filter_map(Name::parse).collect(),
        births: of(Meaning::Birth).filter_map(|value| Birth::parse(&dashed(value)).ok()).collect(),
        citizenships: of(Meaning::Citizenship).map(str::to_uppercase).collect(),
        places: of(Meaning::Place).map(|value| place(value, comuni)).collect(),
    }
}

fn company(values: &[(Meaning, &str)], comuni: &Comuni) -> Subject {
    let (mut company, mut trader) = (Company::default(), Person::default());
    for (meaning, value) in values {
        match meaning {
            Meaning::Company => company.names.extend(company_name(value)),
            Meaning::VatNumber => company.numbers.extend(company_number::partita_iva(value)),
            Meaning::Rea => company.rea.extend(company_number::rea(value)),
            Meaning::Place => company.places.push(place(value, comuni)),
            Meaning::FiscalCode => match CodiceFiscale::parse(value) {
                Ok(code @ CodiceFiscale::Lasting(_)) => trader.codici_fiscali.push(code),
                _ => company.numbers.extend(company_number::partita_iva(value)),
            },
            _ => {}
        }
    }
    Subject::Company { company, trader }
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
