//! The comments of the protos, as far as they describe canonical types and what is sealed.

use std::collections::BTreeMap;
use std::path::Path;

/// The form of a field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    Text,
    Integer,
    Instant,
    Boolean,
    /// Of so many bytes, or of any number.
    Bytes(Option<usize>),
    List(Box<Form>),
    /// Fields stand below it.
    Record(Vec<Field>),
}

/// A field of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub form: Form,
    /// It may be missing at the end.
    pub may_be_absent: bool,
}

/// What is said of something sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    pub info: String,
    pub aad: String,
    pub plaintext: String,
}

/// All that is described, by name and, for types, kind.
#[derive(Debug, Default)]
pub struct Schema {
    pub types: BTreeMap<(String, String), Vec<Field>>,
    pub sealed: BTreeMap<String, Sealed>,
}

/// What the fields are being read of.
enum Open {
    Nothing,
    Type((String, String)),
    Sealed(String),
}

impl Schema {
    pub fn read(directory: &Path) -> Self {
        let mut schema = Self::default();
        for file in ["trust/v1/trust", "trust/v1/group", "trust/v1/pact", "alert/v1/alert"] {
            let path = directory.join(format!("{file}.proto"));
            schema.read_file(&std::fs::read_to_string(path).unwrap());
        }
        assert!(!schema.types.is_empty() && !schema.sealed.is_empty());
        schema
    }

    fn read_file(&mut self, text: &str) {
        let mut open = Open::Nothing;
        for line in text.lines() {
            let Some(line) = line.strip_prefix("//") else { continue };
            let line = line.strip_prefix(' ').unwrap_or(line);
            let indent = line.len() - line.trim_start().len();
            match line.trim_start().strip_prefix("- ") {
                Some(field) if indent > 0 => self.add(&open, indent / 2 - 1, field),
                _ if indent > 0 => {}
                _ => match header(line) {
                    Some(header) => open = self.begin(header),
                    // More words, before the fields; or what comes after them.
                    None if self.has_fields(&open) => open = Open::Nothing,
                    None => {}
                },
            }
        }
    }

    fn begin(&mut self, open: Open) -> Open {
        match &open {
            Open::Type(name) => {
                let before = self.types.insert(name.clone(), Vec::new());
                assert_eq!(before, None, "{name:?} is described twice");
            }
            Open::Sealed(name) => {
                let before = self.sealed.insert(name.clone(), Sealed::default());
                assert_eq!(before, None, "{name} is described twice");
            }
            Open::Nothing => {}
        }
        open
    }

    fn has_fields(&self, open: &Open) -> bool {
        match open {
            Open::Type(name) => !self.types[name].is_empty(),
            Open::Sealed(name) => !self.sealed[name].plaintext.is_empty(),
            Open::Nothing => false,
        }
    }

    fn add(&mut self, open: &Open, depth: usize, field: &str) {
        let (name, said) = field.split_once(": ").unwrap_or_else(|| panic!("{field}"));
        match open {
            Open::Type(kind) => {
                let mut fields = self.types.get_mut(kind).unwrap();
                for _ in 0..depth {
                    fields = match fields.last_mut().map(|last| &mut last.form) {
                        Some(Form::Record(inner)) => inner,
                        Some(Form::List(item)) => match &mut **item {
                            Form::Record(inner) => inner,
                            other => panic!("{kind:?}: {field} stands below {other:?}"),
                        },
                        other => panic!("{kind:?}: {field} stands below {other:?}"),
                    };
                }
                fields.push(described(name, said));
            }
            Open::Sealed(kind) => {
                let sealed = self.sealed.get_mut(kind).unwrap();
                let place = match name {
                    "info" => &mut sealed.info,
                    "aad" => &mut sealed.aad,
                    "plaintext" => &mut sealed.plaintext,
                    other => panic!("{kind}: {other}"),
                };
                said.clone_into(place);
            }
            Open::Nothing => panic!("{field} belongs to nothing"),
        }
    }
}

/// `` `NAME`: ``, `` `NAME` of kind `KIND`: `` or `` sealed `NAME`: ``.
fn header(line: &str) -> Option<Open> {
    if let Some(rest) = line.strip_prefix("sealed `") {
        let (name, rest) = rest.split_once('`')?;
        return rest.starts_with(':').then(|| Open::Sealed(name.to_owned()));
    }
    let (name, rest) = line.strip_prefix('`')?.split_once('`')?;
    let name = name.to_owned();
    if rest.starts_with(':') {
        return Some(Open::Type((name, String::new())));
    }
    let (kind, rest) = rest.strip_prefix(" of kind `")?.split_once('`')?;
    rest.starts_with(':').then(|| Open::Type((name, kind.to_owned())))
}

fn described(name: &str, said: &str) -> Field {
    let form = said.split(';').next().unwrap_or_default().trim();
    let (form, may_be_absent) = match form.strip_suffix(", or absent") {
        Some(form) => (form, true),
        None => (form, false),
    };
    Field { name: name.to_owned(), form: read_form(form), may_be_absent }
}

fn read_form(form: &str) -> Form {
    match form {
        "text" => Form::Text,
        "integer" => Form::Integer,
        "instant" => Form::Instant,
        "boolean" => Form::Boolean,
        "bytes" => Form::Bytes(None),
        "record" => Form::Record(Vec::new()),
        "list of records" => Form::List(Box::new(Form::Record(Vec::new()))),
        other => match (other.strip_prefix("list of "), other.strip_suffix(" bytes")) {
            (Some(item), _) => Form::List(Box::new(read_form(item))),
            (None, Some(count)) => Form::Bytes(Some(count.parse().unwrap())),
            (None, None) => panic!("{other} is no form"),
        },
    }
}
