//! The node's own register: people and companies with the values by which they are known
//! (DESIGN §9).
//!
//! A record holds [`Entry`]s: one identifying value each, of a declared [`Field`], several of
//! each field where a person has several names, phones or documents. [`check`] decides what a
//! valid record is; nothing else can be stored. Each entry is sealed by itself under the
//! record's key (`sealed.rs`) and found by a keyed digest of its canonical form
//! (`canonical.rs`). Values live in [`Secret`]s: no message, log or `Debug` shows one.

mod canonical;
mod check;
mod date;
mod field;
pub mod import;
mod sealed;

use crate::object::Subject;
use crate::secret::Secret;

pub use canonical::canonical;
pub use check::{CheckedIdentity, check, check_codes, tidy};
pub use date::date;
pub use field::{DOCUMENT_KINDS, Field};
pub use sealed::{
    SealedError, codes_context, digest, entry_context, import_digest, open_codes, open_entry,
    record_of_line, record_of_reference, seal_codes, seal_entry,
};

/// What a record is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RecordKind {
    /// A natural person.
    Person,
    /// A company: a legal person, or a sole trader as such.
    Company,
}

impl RecordKind {
    /// Both kinds.
    pub const ALL: [Self; 2] = [Self::Person, Self::Company];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Company => "company",
        }
    }

    /// The kind of a name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

/// One identifying value of a record, in the parts that its field declares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub field: Field,
    /// Its parts, as many as the field has; parts that are not known are empty.
    pub parts: Vec<Secret<String>>,
}

impl Entry {
    /// An entry of these parts; those that are left out are empty.
    pub fn new(field: Field, parts: impl IntoIterator<Item = String>) -> Self {
        let mut parts: Vec<_> = parts.into_iter().map(Secret::new).collect();
        while parts.len() < field.parts().len() {
            parts.push(Secret::new(String::new()));
        }
        Self { field, parts }
    }

    /// One part, by its place; empty where it is not known.
    pub fn part(&self, place: usize) -> &str {
        self.parts.get(place).map_or("", |part| part.reveal().as_str())
    }
}

/// Whom or what a record identifies, as an operator wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Person or company.
    pub kind: RecordKind,
    /// Of a company: whether it is a sole trader, who is a natural person.
    pub sole_trader: bool,
    /// The values.
    pub entries: Vec<Entry>,
}

impl Identity {
    /// Whose data it is; permissions follow this.
    pub fn subject(&self) -> Subject {
        match self.kind {
            RecordKind::Company if !self.sole_trader => Subject::Company,
            _ => Subject::Person,
        }
    }

    /// Values of one field, in the order in which they were given.
    pub fn of(&self, field: Field) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.field == field)
    }
}

/// The name of a subject in the database.
pub fn subject_name(subject: Subject) -> &'static str {
    match subject {
        Subject::Person => "person",
        Subject::Company => "company",
    }
}

/// The subject of a name; what is not known counts as a person, who is protected most.
pub fn subject_of(name: &str) -> Subject {
    if name == "company" { Subject::Company } else { Subject::Person }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sole_trader_is_a_person() {
        let check = |kind, sole_trader, expected| {
            let identity = Identity { kind, sole_trader, entries: Vec::new() };
            assert_eq!(identity.subject(), expected);
            assert_eq!(subject_of(subject_name(expected)), expected);
        };
        check(RecordKind::Person, false, Subject::Person);
        check(RecordKind::Company, true, Subject::Person);
        check(RecordKind::Company, false, Subject::Company);
        assert_eq!(subject_of("?"), Subject::Person);
    }

    #[test]
    fn debug_shows_no_value() {
        let entry = Entry::new(Field::Name, ["Rossi".to_owned(), "Mario".to_owned()]);
        let shown = format!("{entry:?}");
        assert!(shown.contains("Name") && !shown.contains("Rossi"), "{shown}");
        assert_eq!((entry.part(0), entry.part(1), entry.part(2)), ("Rossi", "Mario", ""));
    }

    #[test]
    fn kinds_read_what_they_write() {
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(RecordKind::parse("case"), None);
    }
}
