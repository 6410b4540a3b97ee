//! What the columns of a file mean: by their names, by `--map`, or by a mapping file.

use std::collections::BTreeMap;
use std::path::Path;

use raccordo_core::register::RecordKind;
use raccordo_core::register::import::{Columns, Target, Unfit};
use raccordo_core::secret::Secret;
use serde::Deserialize;

use crate::failure::Failure;
use crate::files;

/// A mapping file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MappingFile {
    /// Target by header or number of the column.
    columns: BTreeMap<String, String>,
}

/// Decides from the header, after what the operator says (`COLUMN=FIELD`).
///
/// # Errors
/// A mapping is malformed, a column is not understood, or nothing identifies. No message
/// repeats the header: a file without one begins with somebody's data.
pub(super) fn decide(
    kind: RecordKind,
    header: &[Secret<String>],
    mapping: Option<&Path>,
    maps: &[String],
) -> Result<Columns, Failure> {
    let said = said(kind, mapping, maps)?;
    Columns::decide(kind, header, &said).map_err(|unfit| failure(kind, &unfit))
}

fn failure(kind: RecordKind, unfit: &Unfit) -> Failure {
    let bad = |hint: &str| Failure::usage("bad_mapping", unfit.to_string()).hint(hint);
    match unfit {
        Unfit::Unknown(columns) => {
            let numbers: Vec<String> = columns.iter().map(ToString::to_string).collect();
            let message = format!("no known meaning of column {}", numbers.join(", "));
            Failure::usage("unknown_column", message).hint(format!(
                "the first line must hold the names of the columns; say what they mean with \
                 --map NUMBER=FIELD, or leave one out with --map NUMBER=-; fields: {}",
                names(kind)
            ))
        }
        Unfit::NoSuchColumn => bad("columns are named by their header or their number, from 1"),
        Unfit::Twice(_) => bad("leave one out with --map NUMBER=-"),
        Unfit::Nobody => bad("is the separator right? say it with --delimiter"),
    }
}

fn said(
    kind: RecordKind,
    mapping: Option<&Path>,
    maps: &[String],
) -> Result<Vec<(String, Target)>, Failure> {
    let mut pairs = Vec::new();
    if let Some(path) = mapping {
        let file: MappingFile = toml::from_str(&files::read_text(path)?).map_err(|error| {
            let message = format!("{}: {}", path.display(), error.message());
            Failure::usage("bad_mapping", message)
                .hint("it holds a table [columns] with lines like: \"Tel. 2\" = \"phone\"")
        })?;
        pairs.extend(file.columns);
    }
    for map in maps {
        let (column, target) = map.rsplit_once('=').ok_or_else(|| {
            Failure::usage("bad_mapping", "a mapping is written COLUMN=FIELD")
                .hint("for example: --map 'Tel. 2=phone'")
        })?;
        pairs.push((column.to_owned(), target.to_owned()));
    }
    let target = |(column, name): (String, String)| {
        let target = Target::parse(kind, name.trim()).ok_or_else(|| {
            Failure::usage("bad_mapping", "a mapping names no known field")
                .hint(format!("fields: {}; or - to leave a column out", names(kind)))
        })?;
        Ok((column.trim().to_owned(), target))
    };
    pairs.into_iter().map(target).collect()
}

/// All fields that a column can be.
fn names(kind: RecordKind) -> String {
    Target::names(kind).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn targets(header: &str, maps: &[&str]) -> Result<Vec<&'static str>, Failure> {
        let header: Vec<_> = header.split(';').map(|name| Secret::new(name.to_owned())).collect();
        let maps: Vec<String> = maps.iter().map(|map| (*map).to_owned()).collect();
        let columns = decide(RecordKind::Person, &header, None, &maps)?;
        Ok(columns.targets().iter().map(Target::name).collect())
    }

    #[test]
    fn operators_know_better() {
        let maps = ["Tel. 2=phone", "3=-", "Nome=full_name"];
        assert_eq!(targets("Nome;Tel. 2;Note", &maps).unwrap(), ["full_name", "phone", "-"]);
    }

    #[test]
    fn what_is_not_understood_is_refused_without_words_of_it() {
        let refused = |header: &str, maps: &[&str], code: &str| {
            let failure = targets(header, maps).unwrap_err();
            assert_eq!((failure.code.as_str(), failure.exit), (code, 2), "{header}");
            assert!(!failure.to_string().contains("Canarino"), "{failure}");
        };
        refused("Cognome;Canarino", &[], "unknown_column");
        refused("Cognome", &["2=phone"], "bad_mapping");
        refused("Cognome;x", &["2=Canarino"], "bad_mapping");
        refused("Cognome;x", &["Canarino"], "bad_mapping");
        refused("Cognome;Surname", &[], "bad_mapping");
        refused("Comune;Stato", &[], "bad_mapping");
    }

    #[test]
    fn mapping_files_are_read() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "[columns]\n\"Tel.\" = \"phone\"\n2 = \"-\"\n").unwrap();
        let header = ["Tel.", "x"].map(|name| Secret::new(name.to_owned()));
        let columns = decide(RecordKind::Person, &header, Some(file.path()), &[]).unwrap();
        assert_eq!(columns.targets(), [Target::Value("phone"), Target::Ignored]);
    }
}
