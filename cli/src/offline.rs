//! What works without a running node: calls into the libraries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use raccordo_core::alert::{self, FieldError};
use raccordo_core::codes::{Code, CodeLists, Lang, List};
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::object::Kind;
use raccordo_core::time::Instant;
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

/// The draft with safe defaults from which a pact's text started.
///
/// # Errors
/// The text is no pact.
pub fn default_pact(toml: &str) -> Result<String, Failure> {
    Err(unconnected(&format!("pact diff without --against, of {} bytes", toml.len())))
}

/// What differs between two pacts, key by key, in alphabetical order.
///
/// # Errors
/// A text is no TOML.
pub fn compare_pacts(before: &str, after: &str) -> Result<Vec<PactChange>, Failure> {
    let (mut before, after) = (values(before)?, values(after)?);
    let mut changes = Vec::new();
    for (field, after) in after {
        let before = before.remove(&field);
        if before.as_ref() != Some(&after) {
            changes.push(PactChange { field, before, after: Some(after) });
        }
    }
    let gone = before.into_iter();
    changes.extend(gone.map(|(field, value)| PactChange {
        field,
        before: Some(value),
        after: None,
    }));
    changes.sort_by(|one, other| one.field.cmp(&other.field));
    Ok(changes)
}

/// The values of a TOML text by their dotted keys; elements of lists of tables by number.
fn values(toml: &str) -> Result<BTreeMap<String, String>, Failure> {
    let table: toml::Table = toml.parse().map_err(|error: toml::de::Error| {
        Failure::usage("bad_toml", format!("this is no TOML: {}", error.message()))
            .hint("is it a pact's file? see: raccordo pact draft --help")
    })?;
    let mut found = BTreeMap::new();
    flatten("", &toml::Value::Table(table), &mut found);
    Ok(found)
}

fn flatten(name: &str, value: &toml::Value, found: &mut BTreeMap<String, String>) {
    let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
    match value {
        toml::Value::Table(table) => {
            table.iter().for_each(|(key, value)| flatten(&below(key), value, found));
        }
        toml::Value::Array(list) if list.iter().any(toml::Value::is_table) => {
            let numbered = list.iter().enumerate();
            numbered.for_each(|(place, value)| flatten(&below(&place.to_string()), value, found));
        }
        toml::Value::String(text) => drop(found.insert(name.to_owned(), text.clone())),
        other => drop(found.insert(name.to_owned(), other.to_string())),
    }
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
pub fn check_alert(lists: &CodeLists, alert: &Alert) -> Vec<Invalid> {
    let invalid = |error: FieldError| Invalid {
        field: error.field,
        reason: error.reason.as_str().to_owned(),
        message: error.message,
    };
    let errors = alert::check(lists, alert, now()).err().unwrap_or_default();
    errors.into_iter().map(invalid).collect()
}

/// Makes valid synthetic alerts; the same for the same seed on the same day.
pub struct Examples {
    kind: Kind,
    entropy: SeededEntropy,
    now: Instant,
    lists: CodeLists,
}

impl Examples {
    /// Starts with a kind, `case` or `company`.
    ///
    /// # Errors
    /// There is no such kind.
    pub fn new(kind: &str, seed: u64) -> Result<Self, Failure> {
        let kind = kind.parse().map_err(|_| {
            Failure::usage("no_such_kind", format!("there is no kind `{kind}`"))
                .hint("the kinds: case, company")
        })?;
        let entropy = SeededEntropy::labelled(&format!("example {seed}"));
        Ok(Self { kind, entropy, now: now(), lists: CodeLists::builtin() })
    }

    /// The next alerts.
    pub fn next(&self, count: usize) -> Vec<Alert> {
        alert::example(self.kind, count, &self.entropy, self.now, &self.lists)
    }
}

fn now() -> Instant {
    Instant(jiff::Timestamp::now().as_millisecond())
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
    fn examples_repeat_and_are_valid() {
        let lists = CodeLists::builtin();
        for kind in ["case", "company"] {
            let alerts = Examples::new(kind, 7).unwrap().next(20);
            assert_eq!(alerts, Examples::new(kind, 7).unwrap().next(20));
            assert_ne!(alerts, Examples::new(kind, 8).unwrap().next(20));
            assert!(alerts.iter().all(|alert| check_alert(&lists, alert).is_empty()), "{kind}");
        }
        assert_eq!(Examples::new("person", 7).err().unwrap().exit, 2);
    }

    #[test]
    fn an_empty_alert_is_invalid() {
        assert!(!check_alert(&CodeLists::builtin(), &Alert::default()).is_empty());
    }

    #[test]
    fn pacts_are_compared_key_by_key() {
        let before = "a = 1\nsame = \"x\"\n[share]\nfields = [\"b\"]\n[[party]]\nid = \"t\"\n";
        let after =
            "# other words\na = 2\nsame = \"x\"\n[[party]]\nid = \"t\"\n[[party]]\nid = \"u\"\n";
        let change = |field: &str, before: Option<&str>, after: Option<&str>| PactChange {
            field: field.to_owned(),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        assert_eq!(
            compare_pacts(before, after).unwrap(),
            [
                change("a", Some("1"), Some("2")),
                change("party.1.id", None, Some("u")),
                change("share.fields", Some("[\"b\"]"), None),
            ]
        );
        assert_eq!(compare_pacts("a", after).unwrap_err().code, "bad_toml");
    }

    #[test]
    fn unknown_lists_are_not_found() {
        assert_eq!(codes("colour").unwrap_err().exit, EXIT_NOT_FOUND);
        assert!(search_codes("comune", "zzz", 3).unwrap().is_empty());
        assert!(code_lists().iter().any(|list| list.list == "province" && list.codes == 107));
    }
}
