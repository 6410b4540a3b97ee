//! The fields that identify somebody, to fill in: several rows of those that may be several.

use std::collections::BTreeMap;

use raccordo_core::alert::FieldError;
use raccordo_core::register::{DOCUMENT_KINDS, Entry, Field, Identity, RecordKind};

use super::label;
use super::told::document_key;
use crate::app::Node;
use crate::desk::inputs::Filled;
use crate::desk::inputs::{Choice, first, reason_key, resolved};
use crate::desk::words::Words;

/// Most rows of one field.
const ROWS_MAX: usize = 16;

/// A field with its rows.
pub(super) struct Group {
    pub name: &'static str,
    pub label: String,
    pub error: String,
    /// Whether there is more than one part or row.
    pub several: bool,
    pub rows: Vec<Vec<Part>>,
}

/// One part of one value.
pub(super) struct Part {
    /// `FIELD.ROW.PART`.
    pub name: String,
    /// What it is; with the row's number where there are several rows.
    pub label: String,
    pub value: String,
    /// What is chosen from; nothing where it is typed.
    pub choices: Vec<Choice>,
    /// Where suggestions come from; may be empty.
    pub search: &'static str,
    /// What helps to type it; may be empty.
    pub hint: String,
}

/// Fields that are searched for.
pub(super) fn sought(kind: RecordKind) -> Vec<Field> {
    let fields = match kind {
        RecordKind::Person => [
            Field::Name,
            Field::BirthDate,
            Field::FiscalCode,
            Field::Document,
            Field::Phone,
            Field::Reference,
        ],
        RecordKind::Company => [
            Field::CompanyName,
            Field::VatNumber,
            Field::FiscalCode,
            Field::ReaNumber,
            Field::Phone,
            Field::Reference,
        ],
    };
    fields.to_vec()
}

/// All fields of a kind; the number of the organisation comes last.
pub(super) fn all(kind: RecordKind) -> Vec<Field> {
    let suits = |field: &Field| field.suits(kind) && *field != Field::Reference;
    Field::ALL.into_iter().filter(suits).chain([Field::Reference]).collect()
}

/// Rows that are offered of a field before somebody asks for more.
fn rows(field: Field) -> usize {
    match field {
        Field::Name | Field::Phone | Field::Document | Field::CompanyName => 2,
        _ => 1,
    }
}

/// The fields, with what was filled in; `more` further rows of what may be several. A search
/// has one row of each.
pub(super) fn groups(
    node: &Node,
    words: Words,
    fields: &[Field],
    filled: &Filled,
    errors: &[FieldError],
    more: Option<usize>,
) -> Vec<Group> {
    let group = |field: &Field| {
        let field = *field;
        let used = used(field, filled);
        let offered = more.map_or(1, |more| rows(field).saturating_add(more));
        let count = if field == Field::Reference { 1 } else { used.max(offered).min(ROWS_MAX) };
        let wrong = errors.iter().find(|error| error.field == field.as_str());
        let error = wrong.map(|error| wrong_said(words, field, error)).unwrap_or_default();
        let rows = (0..count).map(|row| parts(node, words, field, row, count, filled)).collect();
        let several = count > 1 || field.parts().len() > 1;
        Group { name: field.as_str(), label: label(words, field), error, several, rows }
    };
    fields.iter().map(group).collect()
}

/// What is wrong with a field: its own sentence where there is one.
fn wrong_said(words: Words, field: Field, error: &FieldError) -> String {
    let own = format!("error-{}", field.as_str().replace('_', "-"));
    let reason = error.reason.as_str();
    let malformed = (reason == "malformed" || reason == "unknown_code").then_some(own);
    malformed.and_then(|key| words.maybe(&key)).unwrap_or_else(|| words.t(reason_key(reason)))
}

/// One more than the last row in which something stands.
fn used(field: Field, filled: &Filled) -> usize {
    let prefix = format!("{}.", field.as_str());
    let row = |name: &String| name.strip_prefix(&prefix)?.split('.').next()?.parse::<usize>().ok();
    filled.keys().filter_map(row).max().map_or(0, |row| row.saturating_add(1))
}

fn parts(
    node: &Node,
    words: Words,
    field: Field,
    row: usize,
    count: usize,
    filled: &Filled,
) -> Vec<Part> {
    let part = |part: &&'static str| {
        let name = format!("{}.{row}.{part}", field.as_str());
        let value = first(filled, &name).to_owned();
        let own = if field.parts().len() > 1 {
            words.t(&format!("part-{part}"))
        } else {
            label(words, field)
        };
        let number = row.saturating_add(1);
        let label = if count > 1 { format!("{own} {number}") } else { own };
        let choices = if *part == "kind" { documents(words, &value) } else { Vec::new() };
        let search = match *part {
            "comune" => "/codes/comune",
            "country" => "/codes/country",
            _ => "",
        };
        // What was typed as a label, or came as a code, is shown as its label.
        let value = match search.rsplit('/').next().filter(|list| !list.is_empty()) {
            Some(list) if !value.is_empty() => {
                node.lists.label(list, &resolved(node, &[list], &value), words.lang())
            }
            _ => value,
        };
        let hint = words.maybe(&format!("hint-{}", field.as_str().replace('_', "-")));
        Part { name, label, value, choices, search, hint: hint.unwrap_or_default() }
    };
    field.parts().iter().map(part).collect()
}

fn documents(words: Words, chosen: &str) -> Vec<Choice> {
    let choice = |kind: &str| Choice {
        code: kind.to_owned(),
        label: words.t(&document_key(kind)),
        chosen: kind == chosen,
    };
    DOCUMENT_KINDS.into_iter().map(choice).collect()
}

/// What was filled in as an identity.
pub(super) fn identity(node: &Node, kind: RecordKind, filled: &Filled) -> Identity {
    let mut rows: BTreeMap<(Field, usize), Entry> = BTreeMap::new();
    for field in all(kind) {
        for row in 0..used(field, filled).min(ROWS_MAX) {
            let value = |part: &&'static str| {
                let text = first(filled, &format!("{}.{row}.{part}", field.as_str()));
                match *part {
                    "comune" | "country" if !text.is_empty() => resolved(node, &[part], text),
                    _ => text.to_owned(),
                }
            };
            let values: Vec<String> = field.parts().iter().map(value).collect();
            // A kind of document is always chosen, also where none is given.
            let given = field
                .parts()
                .iter()
                .zip(&values)
                .any(|(part, value)| *part != "kind" && !value.is_empty());
            if given {
                rows.insert((field, row), Entry::new(field, values));
            }
        }
    }
    let sole_trader = kind == RecordKind::Company && filled.contains_key("sole_trader");
    Identity { kind, sole_trader, entries: rows.into_values().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::tests::Lab;

    fn filled(pairs: &[(&str, &str)]) -> Filled {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), vec![(*value).to_owned()]);
        pairs.iter().map(pair).collect()
    }

    #[tokio::test]
    async fn rows_become_values() {
        let lab = Lab::new().await;
        let filled = filled(&[
            ("name.0.family", "Rossi"),
            ("name.0.given", "Mario"),
            ("name.2.family", "Mariolino"),
            ("document.0.kind", "passport"),
            ("document.1.kind", "passport"),
            ("document.1.number", "YA1"),
            ("document.1.country", "Bangladesh"),
            ("address.0.street", "Via Roma 1"),
            ("address.0.comune", "Firenze"),
            ("vat_number.0.value", "no value of a person"),
        ]);
        let identity = identity(&lab.node, RecordKind::Person, &filled);
        let said: Vec<String> = identity
            .entries
            .iter()
            .map(|it| format!("{} {}/{}/{}", it.field.as_str(), it.part(0), it.part(1), it.part(2)))
            .collect();
        assert_eq!(
            said,
            [
                "name Rossi/Mario/",
                "name Mariolino//",
                "document passport/YA1/BD",
                "address Via Roma 1/048017/"
            ]
        );
    }

    #[tokio::test]
    async fn as_many_rows_as_are_used_or_asked_for() {
        let lab = Lab::new().await;
        let count = |filled: &Filled, more| {
            let fields = [Field::Phone, Field::Reference];
            let groups = groups(&lab.node, Words::default(), &fields, filled, &[], more);
            groups.iter().map(|group| group.rows.len()).collect::<Vec<_>>()
        };
        assert_eq!(count(&filled(&[]), Some(0)), [2, 1]);
        assert_eq!(count(&filled(&[]), Some(3)), [5, 1]);
        assert_eq!(count(&filled(&[("phone.4.value", "1")]), Some(0)), [5, 1]);
        assert_eq!(count(&filled(&[("phone.999999.value", "1")]), None), [16, 1]);
    }
}
