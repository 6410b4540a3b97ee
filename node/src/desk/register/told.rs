//! What a record holds, in words.

use raccordo_core::register::{Entry, Field};

use super::label;
use crate::app::Node;
use crate::desk::words::Words;

/// A field with its values.
pub(super) struct Told {
    pub label: String,
    pub values: Vec<String>,
}

/// The values of a record, field by field.
pub(super) fn told(node: &Node, words: Words, entries: &[Entry]) -> Vec<Told> {
    let of = |field: Field| -> Vec<String> {
        let entries = entries.iter().filter(|entry| entry.field == field);
        entries.map(|entry| said(node, words, entry)).collect()
    };
    let told = Field::ALL.into_iter().map(|field| (field, of(field)));
    told.filter(|(_, values)| !values.is_empty())
        .map(|(field, values)| Told { label: label(words, field), values })
        .collect()
}

fn said(node: &Node, words: Words, entry: &Entry) -> String {
    let listed = |list: &str, code: &str| {
        if code.is_empty() { String::new() } else { node.lists.label(list, code, words.lang()) }
    };
    match entry.field {
        Field::BirthDate => words.date(entry.part(0)),
        Field::Document => {
            let kind = words.t(&document_key(entry.part(0)));
            let country = listed("country", entry.part(2));
            joined(" ", [kind, entry.part(1).to_owned(), country])
        }
        Field::Address => joined(", ", [entry.part(0).to_owned(), listed("comune", entry.part(1))]),
        _ => joined(" ", [entry.part(0).to_owned(), entry.part(1).to_owned()]),
    }
}

/// The text that names a kind of document.
pub(super) fn document_key(kind: &str) -> String {
    format!("document-{}", kind.replace('_', "-"))
}

fn joined(with: &str, parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(with)
}

#[cfg(test)]
mod tests {
    use raccordo_core::register::DOCUMENT_KINDS;

    use super::*;
    use crate::desk::tests::Lab;

    #[tokio::test]
    async fn values_are_said_as_people_say_them() {
        let lab = Lab::new().await;
        let check = |field, parts: &[&str], expected: &str| {
            let entry = Entry::new(field, parts.iter().map(|part| (*part).to_owned()));
            assert_eq!(said(&lab.node, Words::default(), &entry), expected);
        };
        check(Field::Name, &["Rossi", "Mario"], "Rossi Mario");
        check(Field::Name, &["Mariolino"], "Mariolino");
        check(Field::BirthDate, &["1985-03-02"], "02/03/1985");
        check(Field::Document, &["passport", "YA1", "BD"], "passaporto YA1 Bangladesh");
        check(Field::Address, &["Via Roma 1", "048017"], "Via Roma 1, Firenze");
        check(Field::Address, &["Via Roma 1"], "Via Roma 1");
    }

    #[test]
    fn documents_have_names() {
        for kind in DOCUMENT_KINDS {
            assert!(Words::default().maybe(&document_key(kind)).is_some(), "{kind}");
        }
    }
}
