//! Records of a CSV file, as evidence and tokens.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use raccordo_core::evidence;
use raccordo_core::normal::birth::Birth;
use raccordo_core::normal::codice_fiscale::CodiceFiscale;
use raccordo_core::normal::company_name::company_name;
use raccordo_core::normal::comune::Comuni;
use raccordo_core::normal::evidence::{Evidence, Family, Person, name_with_place};
use raccordo_core::normal::name::Name;
use raccordo_core::normal::stop_list::StopList;
use raccordo_core::normal::{company_number, document, phone};
use raccordo_core::secret::Secret;
use raccordo_core::vault::Vault;

use super::columns::{self, Meaning};

/// A token, as the bytes that two nodes compare.
pub type TokenBytes = [u8; 32];

/// A pair of ids, left and right.
pub type Pair = (String, String);

/// A record.
#[derive(Debug)]
pub struct Record {
    /// Its name in the truth.
    pub id: String,
    /// What the fixed rule compares it by.
    pub tokens: Vec<(Family, TokenBytes)>,
    /// What it says, where evidence is weighed in bits.
    pub person: evidence::family::Person,
    /// The evidence of that.
    pub evidence: Vec<evidence::family::Evidence>,
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
    let key = Vault::new(&Secret::new([42; 32]));
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
        let fixed = person(&values, comuni).evidence(&StopList::default());
        let tokens = fixed.iter().map(|one| (one.family, token(&key, one)));
        let person = weighed_person(&values, comuni);
        let weighed = person.evidence(&StopList::default());
        records.push(Record { id, tokens: tokens.collect(), person, evidence: weighed });
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

fn token(key: &Vault, evidence: &Evidence) -> TokenBytes {
    let purpose = format!("{}/{}", evidence.family.class(), evidence.family);
    key.index(&purpose, evidence.value.reveal().as_bytes())
}

fn person(values: &[(Meaning, &str)], comuni: &Comuni) -> Person {
    let mut person = Person::default();
    let part = |wanted: Meaning| {
        let found = values.iter().filter(move |(meaning, _)| *meaning == wanted);
        found.map(|(_, value)| *value).collect::<Vec<_>>().join(" ")
    };
    person.names.extend(Name::parse(&format!(
        "{} {}",
        part(Meaning::Family),
        part(Meaning::Given)
    )));
    for (meaning, value) in values {
        match meaning {
            Meaning::Name => person.names.extend(Name::parse(value)),
            Meaning::Birth => person.births.extend(Birth::parse(&dashed(value))),
            Meaning::FiscalCode => {
                let code = CodiceFiscale::parse(value).ok();
                person.births.extend(code.as_ref().and_then(CodiceFiscale::birth));
                person.codici_fiscali.extend(code);
            }
            Meaning::Number => person.permits.push(Secret::new(value.to_uppercase())),
            Meaning::Phone => person.phones.extend(phone::all(value)),
            Meaning::Place => {
                let code = comuni.code(value).or_else(|| comuni.named(value));
                person.places.push(Secret::new(code.unwrap_or_else(|| value.to_uppercase())));
            }
            Meaning::Employer => {
                let named = || company_name(value).map(|name| name_with_place(&name, ""));
                person.employers.extend(company_number::partita_iva(value).ok().or_else(named));
            }
            Meaning::Passport => person.permits.extend(document::permit(value)),
            Meaning::Id
            | Meaning::Given
            | Meaning::Family
            | Meaning::Sex
            | Meaning::Citizenship => {}
        }
    }
    person
}

/// The same, for evidence in bits.
fn weighed_person(values: &[(Meaning, &str)], comuni: &Comuni) -> evidence::family::Person {
    let fixed = person(values, comuni);
    let of = |wanted: Meaning| {
        let found = values.iter().filter(move |(meaning, _)| *meaning == wanted);
        found.map(|(_, value)| *value)
    };
    let joined = |wanted: Meaning| of(wanted).collect::<Vec<_>>().join(" ");
    let whole = format!("{} {}", joined(Meaning::Family), joined(Meaning::Given));
    let names = [whole.as_str()].into_iter().chain(of(Meaning::Name));
    let country = of(Meaning::Citizenship).next().unwrap_or_default();
    evidence::family::Person {
        codici_fiscali: fixed.codici_fiscali,
        permits: of(Meaning::Number).map(|value| Secret::new(value.to_uppercase())).collect(),
        passports: of(Meaning::Passport)
            .filter_map(|value| document::passport(country, value).ok())
            .collect(),
        passport_numbers: of(Meaning::Passport)
            .filter_map(|value| document::permit(value).ok())
            .collect(),
        phones: fixed.phones,
        names: names.filter_map(evidence::name::Name::parse).collect(),
        births: of(Meaning::Birth).filter_map(|value| Birth::parse(&dashed(value)).ok()).collect(),
        sex: of(Meaning::Sex).find_map(evidence::family::Sex::parse),
        citizenships: of(Meaning::Citizenship).map(str::to_uppercase).collect(),
        places: fixed.places,
    }
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
