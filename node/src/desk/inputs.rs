//! Form fields for what is said in codes: made from the declaration of a kind, filled in by
//! code or by label, and read back.

use std::collections::BTreeMap;

use raccordo_core::alert::FieldError;
use raccordo_core::codes::{Code, Lang};
use raccordo_core::object::{Field, Form as Holds, Kind};
use serde_json::{Map, Value, json};

use super::alerts::label_key;
use super::words::Words;
use crate::app::Node;

/// Codes up to which a list is shown whole.
const SHORT_LIST: usize = 40;
/// Codes up to which a page holds all suggestions; more are asked for while typing.
const SUGGESTED_MAX: usize = 500;
/// Suggestions for what was typed.
const HINTS: usize = 8;
/// Lines offered at first for a field that takes several codes of a long list; there is
/// always one more than are filled in.
const SEVERAL: usize = 2;

/// What was filled in, by field; several values for a field that takes several.
pub(super) type Filled = BTreeMap<String, Vec<String>>;

/// What a browser sent, without what was left empty.
pub(super) fn filled(pairs: Vec<(String, String)>) -> Filled {
    let mut filled = Filled::new();
    for (name, value) in pairs {
        let value = value.trim();
        if !value.is_empty() {
            filled.entry(name).or_default().push(value.to_owned());
        }
    }
    filled
}

/// The first value of a field; empty without one.
pub(super) fn first<'f>(filled: &'f Filled, name: &str) -> &'f str {
    filled.get(name).and_then(|all| all.first()).map_or("", String::as_str)
}

/// A field of a form.
pub(super) struct Input {
    pub name: &'static str,
    pub label: String,
    pub required: bool,
    pub error: String,
    pub shape: Shape,
}

/// How a field is filled in.
pub(super) enum Shape {
    Date(String),
    Month(String),
    Flag(bool),
    /// One of a few.
    Select(Vec<Choice>),
    /// Several of a few.
    Boxes(Vec<Choice>),
    /// One or several of many: typed, with suggestions.
    Typed {
        list: String,
        search: String,
        values: Vec<String>,
    },
}

/// One of several values.
pub(super) struct Choice {
    pub code: String,
    pub label: String,
    pub chosen: bool,
}

/// A list of suggestions.
pub(super) struct Suggestions {
    pub id: String,
    /// What is put into the field, and what is said beside it.
    pub options: Vec<(String, String)>,
}

/// The fields of one form.
pub(super) struct Inputs {
    pub fields: Vec<Input>,
    pub suggestions: Vec<Suggestions>,
}

/// All codes of a list, the one that is chosen marked.
pub(super) fn choices(node: &Node, words: Words, list: &str, chosen: &str) -> Vec<Choice> {
    let entries = node.lists.list(list).map(|list| list.entries()).unwrap_or_default().iter();
    let choice = |it: &Code| Choice {
        code: it.code.clone(),
        label: it.label(words.lang()).to_owned(),
        chosen: it.code == chosen,
    };
    entries.map(choice).collect()
}

/// The fields of a kind that people fill in. With `all_optional` none is required.
pub(super) fn inputs(
    node: &Node,
    words: Words,
    kind: Kind,
    filled: &Filled,
    errors: &[&FieldError],
    all_optional: bool,
) -> Inputs {
    let declaration = kind.declaration();
    let mut lists = BTreeMap::new();
    let fields = declaration.fields.iter().filter(|field| offered(field.form));
    let fields = fields.map(|field| {
        let path = declaration.path(field.name);
        let wrong = errors.iter().find(|it| it.field == path);
        let mut error = wrong.map(|it| words.t(reason_key(it.reason.as_str()))).unwrap_or_default();
        let shape = shape(node, words, field, filled, &mut lists);
        let hints = hints(node, words, field, filled);
        if !error.is_empty() && !hints.is_empty() {
            error = format!("{error} {}", words.with("perhaps", hints.join("; ")));
        }
        let required = field.required && !all_optional;
        Input { name: field.name, label: words.t(&label_key(field.name)), required, error, shape }
    });
    Inputs { fields: fields.collect(), suggestions: lists.into_values().collect() }
}

/// Fields that people fill in; the others come from the node.
fn offered(form: Holds) -> bool {
    !matches!(form, Holds::Uuid | Holds::Uuids(_) | Holds::Tags(_))
}

/// The sentence about a reason for which a field was refused.
pub(super) fn reason_key(reason: &str) -> &'static str {
    match reason {
        "missing" => "error-missing",
        "unknown_code" => "error-unknown-code",
        "pact_forbids" => "error-pact-forbids",
        "too_many" => "error-too-many",
        _ => "error-field",
    }
}

fn shape(
    node: &Node,
    words: Words,
    field: &Field,
    filled: &Filled,
    suggestions: &mut BTreeMap<String, Suggestions>,
) -> Shape {
    let values = filled.get(field.name).cloned().unwrap_or_default();
    let one = || values.first().cloned().unwrap_or_default();
    let (lists, several) = match field.form {
        Holds::Date => return Shape::Date(one()),
        Holds::Month => return Shape::Month(one()),
        Holds::Flag => return Shape::Flag(!values.is_empty()),
        Holds::Code(lists) => (lists, 1),
        Holds::Codes(lists, most) => (lists, most),
        Holds::Uuid | Holds::Uuids(_) | Holds::Tags(_) => (&[][..], 1),
    };
    let codes = lists.iter().filter_map(|name| node.lists.list(name));
    let count: usize = codes.map(|list| list.entries().len()).sum();
    if count <= SHORT_LIST {
        let chosen: Vec<String> = values.iter().map(|typed| resolved(node, lists, typed)).collect();
        let all = lists.iter().flat_map(|list| choices(node, words, list, ""));
        let choices = all.map(|it| Choice { chosen: chosen.contains(&it.code), ..it }).collect();
        return if several == 1 { Shape::Select(choices) } else { Shape::Boxes(choices) };
    }
    let names = lists.join("-");
    let list = format!("list-{names}");
    let hold = suggestions
        .entry(list.clone())
        .or_insert_with(|| Suggestions { id: list.clone(), options: Vec::new() });
    if count <= SUGGESTED_MAX {
        if hold.options.is_empty() {
            hold.options = suggested(node, words, lists, "", usize::MAX);
        }
    } else {
        for typed in values.iter().filter(|typed| !is_known(node, lists, typed)) {
            hold.options.extend(suggested(node, words, lists, typed, HINTS));
        }
    }
    let search = if count <= SUGGESTED_MAX { String::new() } else { format!("/codes/{names}") };
    let mut values: Vec<String> = values;
    let lines = values.len().saturating_add(1).max(SEVERAL).min(several);
    values.resize(values.len().max(lines), String::new());
    Shape::Typed { list, search, values }
}

/// What somebody may have meant who typed something that is no code.
fn hints(node: &Node, words: Words, field: &Field, filled: &Filled) -> Vec<String> {
    let (Holds::Code(lists) | Holds::Codes(lists, _)) = field.form else { return Vec::new() };
    let typed = filled.get(field.name).into_iter().flatten();
    let unknown = typed.filter(|typed| !is_known(node, lists, typed));
    unknown
        .flat_map(|typed| suggested(node, words, lists, typed, HINTS))
        .map(|(option, _)| option)
        .collect()
}

/// Codes that fit a text: what is put into the field, and what stands beside it.
pub(super) fn suggested(
    node: &Node,
    words: Words,
    lists: &[&str],
    text: &str,
    limit: usize,
) -> Vec<(String, String)> {
    let known = lists.iter().filter_map(|name| node.lists.list(name));
    let found: Vec<&Code> =
        known.flat_map(|list| list.search(text, words.lang(), limit)).take(limit).collect();
    let mut labels: BTreeMap<&str, usize> = BTreeMap::new();
    for code in &found {
        let count = labels.entry(code.label(words.lang())).or_default();
        *count = count.saturating_add(1);
    }
    // Two comuni of one name are told apart by their codes.
    let option = |code: &&Code| {
        let label = code.label(words.lang());
        let twice = labels.get(label).is_some_and(|count| *count > 1);
        let shown = if twice { format!("{label} [{}]", code.code) } else { label.to_owned() };
        (shown, code.code.clone())
    };
    found.iter().map(option).collect()
}

fn is_known(node: &Node, lists: &[&str], typed: &str) -> bool {
    let code = resolved(node, lists, typed);
    lists.iter().any(|list| node.lists.lookup(list, &code).is_some())
}

/// The code behind what was typed: a code, a label of either language, `label [code]`, or the
/// only one that fits. What is none stays as it is, for the check to name.
pub(super) fn resolved(node: &Node, lists: &[&str], typed: &str) -> String {
    let within = typed.strip_suffix(']').and_then(|text| text.rsplit_once('[')).map(|it| it.1);
    let known = || lists.iter().filter_map(|name| node.lists.list(name));
    for text in [Some(typed), within].into_iter().flatten() {
        if known().any(|list| list.lookup(text).is_some()) {
            return text.to_owned();
        }
    }
    let folded = typed.to_lowercase();
    let labelled = |code: &&Code| {
        [Lang::It, Lang::En].into_iter().any(|lang| code.label(lang).to_lowercase() == folded)
    };
    let mut same = known().flat_map(|list| list.entries()).filter(labelled);
    if let Some(code) = same.next() {
        return if same.next().is_none() { code.code.clone() } else { typed.to_owned() };
    }
    let mut fitting = known().flat_map(|list| list.search(typed, Lang::It, 2));
    match (fitting.next(), fitting.next()) {
        (Some(only), None) if !typed.is_empty() => only.code.clone(),
        _ => typed.to_owned(),
    }
}

/// What was filled in as the body of an alert.
pub(super) fn body(node: &Node, kind: Kind, filled: &Filled) -> Map<String, Value> {
    let mut body = Map::new();
    for field in kind.declaration().fields {
        let Some(values) = filled.get(field.name) else { continue };
        let one = first(filled, field.name);
        let value = match field.form {
            Holds::Flag => json!(true),
            Holds::Code(lists) => json!(resolved(node, lists, one)),
            Holds::Codes(lists, _) => {
                let codes = values.iter().map(|value| resolved(node, lists, value));
                json!(codes.collect::<Vec<_>>())
            }
            Holds::Uuids(_) => json!(values),
            Holds::Tags(_) => continue,
            Holds::Date | Holds::Month | Holds::Uuid => json!(one),
        };
        body.insert(field.name.to_owned(), value);
    }
    body
}

/// What was filled in, in words.
pub(super) fn said(
    node: &Node,
    words: Words,
    kind: Kind,
    filled: &Filled,
) -> Vec<(String, String)> {
    let told = kind.declaration().fields.iter().filter_map(|field| {
        let values = filled.get(field.name)?;
        let said = values.iter().map(|value| match field.form {
            Holds::Code(lists) | Holds::Codes(lists, _) => {
                let code = resolved(node, lists, value);
                let list = lists.iter().find(|list| node.lists.lookup(list, &code).is_some());
                list.map_or(code.clone(), |list| node.lists.label(list, &code, words.lang()))
            }
            Holds::Date | Holds::Month => words.date(value),
            Holds::Flag => words.t("yes"),
            _ => value.clone(),
        });
        Some((words.t(&label_key(field.name)), said.collect::<Vec<_>>().join(", ")))
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::Lab;

    #[tokio::test]
    async fn codes_are_understood_however_they_are_written() {
        let lab = Lab::new().await;
        let check = |lists: &[&str], typed: &str, expected: &str| {
            assert_eq!(resolved(&lab.node, lists, typed), expected, "{typed}");
        };
        check(&["province"], "048", "048");
        check(&["province"], "firenze", "048");
        check(&["comune"], "Greve in Chianti", "048021");
        check(&["comune"], "greve chianti", "048021");
        check(&["comune"], "Qualcosa [048017]", "048017");
        check(&["country", "world_region"], "Bangladesh", "BD");
        // What may be several stays as it was typed, for people to choose.
        check(&["comune"], "castel", "castel");
        check(&["comune"], "xyzzy", "xyzzy");
        check(&["comune"], "", "");
    }

    #[tokio::test]
    async fn what_is_not_understood_is_answered_with_what_it_may_be() {
        let lab = Lab::new().await;
        let filled = filled(vec![("comune".to_owned(), "scandic".to_owned())]);
        let wrong = FieldError {
            field: Kind::Case.declaration().path("comune"),
            reason: raccordo_core::alert::Reason::UnknownCode,
            message: String::new(),
        };
        let several = super::filled(vec![("comune".to_owned(), "castelnu".to_owned())]);
        let words = Words::default();
        let form = inputs(&lab.node, words, Kind::Case, &several, &[&wrong], false);
        let comune = form.fields.iter().find(|input| input.name == "comune").unwrap();
        assert!(comune.error.contains("Forse: Castelnuovo"), "{}", comune.error);
        assert_eq!(resolved(&lab.node, &["comune"], first(&filled, "comune")), "048041");
    }

    #[tokio::test]
    async fn one_more_line_than_is_filled_in() {
        let lab = Lab::new().await;
        let lines = |codes: &[&str]| {
            let pairs = codes.iter().map(|code| ("citizenship".to_owned(), (*code).to_owned()));
            let filled = filled(pairs.collect());
            let form = inputs(&lab.node, Words::default(), Kind::Case, &filled, &[], false);
            let input = form.fields.into_iter().find(|input| input.name == "citizenship").unwrap();
            let Shape::Typed { values, .. } = input.shape else { panic!("not typed") };
            values.len()
        };
        assert_eq!((lines(&[]), lines(&["BD"]), lines(&["BD", "IT"])), (2, 2, 3));
    }
}
