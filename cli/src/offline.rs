//! What works without a running node: calls into the libraries.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use raccordo_core::alert::{self, FieldError};
use raccordo_core::audit::SignedAuditHead;
use raccordo_core::codes::{Code, CodeLists, Lang, List};
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::hublog::Equivocation;
use raccordo_core::object::Kind;
use raccordo_core::secret::Secret;
use raccordo_core::time::Instant;
use raccordo_core::trust::pact::draft::Draft;
use raccordo_core::trust::pact::{Pact, PactError};
use raccordo_node::home::Home;
use raccordo_node::setup::{self, SetupError};
pub use raccordo_node::setup::{
    BackupReport, InitOptions, InitReport, RestoreOptions, RestoreReport,
};
use raccordo_proto::alert::v1::Alert;
use serde::Serialize;

use crate::failure::{EXIT_NOT_FOUND, EXIT_REFUSED, EXIT_USAGE, Failure};

/// A pact's text as people read it.
#[derive(Clone, Debug, Serialize)]
pub struct PactReading {
    /// The pact in words, many lines, ending with the problems.
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

/// What a proof against a hub proves.
#[derive(Clone, Debug, Serialize)]
pub struct ProvenView {
    /// Always true: what proves nothing is refused.
    pub proven: bool,
    /// `two_heads` or `two_epochs`.
    pub contradiction: &'static str,
    /// Against whom.
    pub hub: String,
    /// Its identity key, hex.
    pub identity: String,
    /// The group, hex.
    pub group: String,
    /// The hub's term.
    pub term: u64,
    /// The place of which it told twice.
    pub sequence: u64,
    /// The head that it signed there, hex.
    pub one: String,
    /// The head there on which its other signature rests, hex.
    pub other: String,
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
    /// What every code looks like, in this version and in others: length and alphabet.
    pub form: String,
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

/// Makes a node; returns where its key lies, which must be kept safe.
///
/// # Errors
/// What the options, the directory or the database have to say; nothing is left behind.
pub async fn init(options: InitOptions) -> Result<InitReport, Failure> {
    setup::init(options).await.map_err(|error| setup_failure(&error))
}

/// Reads the passphrase of backups from its file.
///
/// # Errors
/// Others may read the file, or it holds no text.
pub fn backup_passphrase(path: &Path) -> Result<Secret<String>, Failure> {
    setup::read_passphrase(path).map_err(|error| setup_failure(&error))
}

/// Reads a whole backup.
///
/// # Errors
/// It was changed or cut off, or the passphrase is another.
pub fn verify_backup(path: &Path, passphrase: &Secret<String>) -> Result<BackupReport, Failure> {
    setup::verify_backup(path, passphrase).map_err(|error| setup_failure(&error))
}

/// Makes a node from a backup.
///
/// # Errors
/// As [`verify_backup`]; the home or the database holds a node already.
pub async fn restore(options: RestoreOptions) -> Result<RestoreReport, Failure> {
    setup::restore(options).await.map_err(|error| setup_failure(&error))
}

/// The text of the node's own card, from its home.
///
/// # Errors
/// The home holds no node, or its key cannot be opened.
pub async fn export_card(home: &Path) -> Result<String, Failure> {
    let home = Home::new(home.to_owned());
    setup::export_card(&home).await.map_err(|error| setup_failure(&error))
}

/// Reads a pact's text.
///
/// # Errors
/// The text is no pact.
pub fn read_pact(toml: &str) -> Result<PactReading, Failure> {
    let pact = Pact::parse(toml).map_err(no_pact)?;
    Ok(PactReading { summary: pact.summary(), problems: pact.problems() })
}

/// The draft with safe defaults from which a pact's text would start today.
///
/// # Errors
/// The text is no pact.
pub fn default_pact(toml: &str) -> Result<String, Failure> {
    let pact = Pact::parse(toml).map_err(no_pact)?;
    let terms = pact.terms();
    let draft = Draft {
        equipe: terms.equipe.clone(),
        lineage: terms.lineage,
        chair: terms.chair.clone(),
        parties: terms.party.iter().map(|party| (party.id.clone(), party.name.clone())).collect(),
        hub: terms.hub.clone(),
        suite: terms.ciphersuite,
        today: now().date(),
        example: false,
    };
    Ok(draft.toml())
}

/// Verifies a proof file.
///
/// # Errors
/// It is no proof file, forged, incomplete, or proves nothing.
pub fn verify_proof(text: &str) -> Result<ProvenView, Failure> {
    let judged = Equivocation::from_file(text).and_then(|proof| proof.judge());
    let proven = judged.map_err(|cause| {
        let code = cause.reason();
        let exit = if code == "bad_proof" { EXIT_USAGE } else { EXIT_REFUSED };
        Failure::new(exit, code, format!("this proves nothing: {cause}"))
            .hint("ask for the file that `raccordo audit export-proof` wrote, unchanged")
    })?;
    Ok(ProvenView {
        proven: true,
        contradiction: proven.contradiction.as_str(),
        hub: proven.hub.to_string(),
        identity: proven.identity.to_string(),
        group: proven.group.to_string(),
        term: proven.term,
        sequence: proven.sequence.0,
        one: proven.one.to_string(),
        other: proven.other.to_string(),
    })
}

/// The heads of audit chains among the lines of a text, each once.
///
/// # Errors
/// There are none.
pub fn audit_heads(text: &str) -> Result<Vec<String>, Failure> {
    let heads = text.lines().filter_map(|line| SignedAuditHead::from_line(line.trim()).ok());
    let lines: BTreeSet<String> = heads.filter_map(|head| head.to_line().ok()).collect();
    if lines.is_empty() {
        return Err(Failure::usage("no_heads", "no line of this is the head of an audit chain")
            .hint(
                "take what `raccordo audit heads` printed at another member, or the lines of \
                   this machine's log: journalctl -u raccordod -o cat",
            ));
    }
    Ok(lines.into_iter().collect())
}

fn no_pact(error: PactError) -> Failure {
    Failure::usage(error.reason(), error.to_string())
        .hint("put it right in the file; a fresh one: raccordo pact draft --help")
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

/// The values of a TOML text by their dotted keys; elements of lists of tables
/// by their `id`, or by number.
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
            for (place, value) in list.iter().enumerate() {
                let id = value.get("id").and_then(toml::Value::as_str).map(str::to_owned);
                flatten(&below(&id.unwrap_or_else(|| place.to_string())), value, found);
            }
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
        form: list.form.as_str().to_owned(),
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

fn setup_failure(error: &SetupError) -> Failure {
    Failure::new(error.exit_code(), error.reason(), error.to_string()).hint(error.hint())
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
                change("party.u.id", None, Some("u")),
                change("share.fields", Some("[\"b\"]"), None),
            ]
        );
        assert_eq!(compare_pacts("a", after).unwrap_err().code, "bad_toml");
    }

    fn draft(example: bool) -> String {
        let node = |id: &str| id.parse().unwrap();
        let named = |id: &str| (node(id), id.to_owned());
        Draft {
            equipe: "toscana-umbria".to_owned(),
            lineage: "00112233445566778899aabbccddeeff".parse().unwrap(),
            chair: node("toscana"),
            parties: vec![named("toscana"), named("umbria")],
            hub: node("relay"),
            suite: raccordo_core::crypto::Suite::Hybrid,
            today: now().date(),
            example,
        }
        .toml()
    }

    #[test]
    fn drafts_are_read_and_differ_from_the_defaults_where_they_were_changed() {
        let text = draft(false);
        assert!(!read_pact(&text).unwrap().problems.is_empty());
        assert!(read_pact(&draft(true)).unwrap().problems.is_empty());
        assert_eq!(compare_pacts(&default_pact(&text).unwrap(), &text).unwrap(), []);
        let changed = text.replace("onward_sharing = false", "onward_sharing = true");
        let changes = compare_pacts(&default_pact(&changed).unwrap(), &changed).unwrap();
        assert_eq!(changes.len(), 1, "{changes:?}");
        assert_eq!(changes[0].field, "onward_sharing");
    }

    #[test]
    fn what_is_no_pact_is_refused() {
        let failure = read_pact("equipe = 1").err().unwrap();
        assert_eq!((failure.code.as_str(), failure.exit), ("pact_invalid", 2));
    }

    #[test]
    fn unknown_lists_are_not_found() {
        assert_eq!(codes("colour").unwrap_err().exit, EXIT_NOT_FOUND);
        assert!(search_codes("comune", "zzz", 3).unwrap().is_empty());
        assert!(code_lists().iter().any(|list| list.list == "province" && list.codes == 107));
    }
}
