//! What works without a running node: calls into the libraries.

use std::path::{Path, PathBuf};

use raccordo_core::codes::{Code, CodeLists, Lang, List};
use raccordo_proto::alert::v1::Alert;
use serde::Serialize;

use crate::failure::{EXIT_NOT_FOUND, Failure};

/// How a new node is made.
#[derive(Clone, Debug)]
pub struct InitOptions {
    /// The home directory, which must not hold a node yet.
    pub home: PathBuf,
    /// Node id, a DNS-like label.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// Code in the index of public administrations.
    pub ipa: Option<String>,
    /// `sqlite`, or a `postgres://` address.
    pub database: Option<String>,
    /// Address on which the node's hub listens.
    pub hub_listen: Option<String>,
    /// `host:port` under which others reach the hub.
    pub hub_endpoint: Option<String>,
}

/// A pact's text as people read it.
#[derive(Clone, Debug, Serialize)]
pub struct PactReading {
    /// The pact in words, many lines.
    pub summary: String,
    /// What must be filled or put right before it can be signed.
    pub problems: Vec<String>,
}

/// One value that differs between two pacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PactChange {
    /// Dotted name of the key.
    pub field: String,
    /// The value in the first pact; absent where it has none.
    pub before: Option<String>,
    /// The value in the second pact; absent where it has none.
    pub after: Option<String>,
}

/// A list of codes.
#[derive(Clone, Debug, Serialize)]
pub struct CodeList {
    /// Its name, as alerts' fields refer to it.
    pub list: String,
    /// Number of codes.
    pub codes: usize,
    /// Its version.
    pub version: String,
    /// Date of the codes, `YYYY-MM-DD`.
    pub date: String,
    /// Who publishes the codes.
    pub source: String,
    /// The source's licence.
    pub licence: String,
}

/// A code with its labels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CodeEntry {
    /// The code that stands in an alert.
    pub code: String,
    /// Italian label.
    pub it: String,
    /// English label.
    pub en: String,
}

/// One invalid field of one alert.
#[derive(Clone, Debug)]
pub struct Invalid {
    /// Its JSON name.
    pub field: String,
    /// Stable reason, in snake case.
    pub reason: String,
    /// A sentence that never repeats the value.
    pub message: String,
}

/// Makes a node's home, keys, configuration and database.
///
/// # Errors
/// The home holds a node already, or an option is wrong.
pub fn init(options: &InitOptions) -> Result<(), Failure> {
    Err(unconnected(&format!("init of {}", options.id)))
}

/// The text of the node's own card, from its home.
///
/// # Errors
/// The home holds no node, or its key cannot be opened.
pub fn export_card(home: &Path) -> Result<String, Failure> {
    Err(unconnected(&format!("trust export from {}", home.display())))
}

/// Reads a pact's text.
///
/// # Errors
/// The text is no pact.
pub fn read_pact(toml: &str) -> Result<PactReading, Failure> {
    Err(unconnected(&format!("pact show of {} bytes", toml.len())))
}

/// What differs between two pacts; without the first, the safe defaults.
///
/// # Errors
/// A text is no pact.
pub fn compare_pacts(base: Option<&str>, toml: &str) -> Result<Vec<PactChange>, Failure> {
    Err(unconnected(&format!("pact diff of {:?} and {}", base.map(str::len), toml.len())))
}

/// All lists, in alphabetical order.
pub fn code_lists() -> Vec<CodeList> {
    let lists = CodeLists::builtin();
    let describe = |list: &List| CodeList {
        list: list.name.clone(),
        codes: list.entries().len(),
        version: list.version.clone(),
        date: list.date.to_string(),
        source: list.source.clone(),
        licence: list.licence.clone(),
    };
    lists.names().filter_map(|name| lists.list(name)).map(describe).collect()
}

/// All codes of a list.
///
/// # Errors
/// There is no such list.
pub fn codes(list: &str) -> Result<Vec<CodeEntry>, Failure> {
    let lists = CodeLists::builtin();
    Ok(find(&lists, list)?.entries().iter().map(CodeEntry::from).collect())
}

/// The codes of a list that match a text, best first; Italian labels before English ones.
///
/// # Errors
/// There is no such list.
pub fn search_codes(list: &str, text: &str, max: usize) -> Result<Vec<CodeEntry>, Failure> {
    let lists = CodeLists::builtin();
    let list = find(&lists, list)?;
    let mut found: Vec<CodeEntry> = Vec::new();
    for lang in [Lang::It, Lang::En] {
        let more = list.search(text, lang, max).into_iter().map(CodeEntry::from);
        let more: Vec<CodeEntry> = more.filter(|entry| !found.contains(entry)).collect();
        found.extend(more);
    }
    found.truncate(max);
    Ok(found)
}

fn find<'a>(lists: &'a CodeLists, name: &str) -> Result<&'a List, Failure> {
    lists.list(name).ok_or_else(|| {
        Failure::new(EXIT_NOT_FOUND, "no_such_list", format!("there is no code list `{name}`"))
            .hint("the names: raccordo codes list")
    })
}

impl From<&Code> for CodeEntry {
    fn from(code: &Code) -> Self {
        let Code { code, label_it, label_en, .. } = code;
        Self { code: code.clone(), it: label_it.clone(), en: label_en.clone() }
    }
}

/// The invalid fields of an alert, as far as they can be known without a pact.
///
/// # Errors
/// The built-in code lists are damaged.
pub fn check_alert(alert: &Alert) -> Result<Vec<Invalid>, Failure> {
    Err(unconnected(&format!("alert check {}", alert.id)))
}

/// Valid synthetic alerts; the same for the same seed.
///
/// # Errors
/// There is no such kind.
pub fn example_alerts(kind: &str, count: usize, seed: u64) -> Result<Vec<Alert>, Failure> {
    Err(unconnected(&format!("alert example {kind} {count} {seed}")))
}

fn unconnected(what: &str) -> Failure {
    Failure::internal(format!("{what}: not available in this build"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(list: &str, text: &str, code: &str) {
        let found = search_codes(list, text, 3).unwrap();
        assert_eq!(found.first().map(|entry| entry.code.as_str()), Some(code), "{list} {text}");
        assert!(found.len() <= 3);
    }

    #[test]
    fn codes_are_found_in_both_languages() {
        check("comune", "grosseto", "053011");
        check("country", "marocco", "MA");
        check("country", "morocco", "MA");
    }

    #[test]
    fn unknown_lists_are_not_found() {
        assert_eq!(codes("colour").unwrap_err().exit, EXIT_NOT_FOUND);
        assert!(search_codes("comune", "zzz", 3).unwrap().is_empty());
        assert!(code_lists().iter().any(|list| list.list == "province" && list.codes == 107));
    }
}
