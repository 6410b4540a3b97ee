//! Checks of single fields, driven by their declared form.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_proto::alert::v1::{Alert, Tag};

use super::values::{self, Value};
use super::{FieldError, Reason, Strictness};
use crate::codes::CodeLists;
use crate::id::NodeId;
use crate::object::{Field, Form, Kind};

/// Classes of tokens (DESIGN §7).
const TOKEN_CLASSES: [&str; 3] = ["person_strong", "person_weak", "company"];

/// The longest class of tokens, in bytes.
const CLASS_BYTES_MAX: usize = 24;

/// Collects at most one error per field.
pub(super) struct Report<'a> {
    /// The lists in force.
    pub(super) lists: &'a CodeLists,
    strictness: Strictness,
    kind: Option<Kind>,
    errors: BTreeMap<usize, FieldError>,
}

impl<'a> Report<'a> {
    /// Begins the report on one alert.
    pub(super) fn new(lists: &'a CodeLists, strictness: Strictness, kind: Option<Kind>) -> Self {
        Self { lists, strictness, kind, errors: BTreeMap::new() }
    }

    /// Whether codes and dates are judged as at the origin.
    pub(super) fn at_origin(&self) -> bool {
        self.strictness == Strictness::Origin
    }

    /// Notes an error about a field of the body; the first one of each field stays.
    pub(super) fn body(&mut self, name: &str, reason: Reason, message: impl Into<String>) {
        let Some(declaration) = self.kind.map(Kind::declaration) else { return };
        let place = declaration.fields.iter().position(|field| field.name == name);
        let place = place.map_or(usize::MAX, |place| place.saturating_add(2));
        self.note(place, declaration.path(name), reason, message.into());
    }

    /// Notes an error about `expiresOn`.
    pub(super) fn expiry(&mut self, reason: Reason, message: &str) {
        self.note(1, "expiresOn".to_owned(), reason, message.to_owned());
    }

    /// All errors, in the order of the declaration.
    pub(super) fn finish(self) -> Vec<FieldError> {
        self.errors.into_values().collect()
    }

    /// Checks what stands around the body.
    pub(super) fn envelope(&mut self, alert: &Alert) {
        if !alert.id.is_empty() && !is_uuid(&alert.id) {
            let message = "must be a UUID with hyphens; leave it out to let the node choose one";
            self.note(0, "id".to_owned(), Reason::Malformed, message.to_owned());
        }
        if !alert.expires_on.is_empty() && values::date(&alert.expires_on).is_none() {
            self.expiry(Reason::Malformed, DATE_FORM);
        }
        if alert.body.is_none() {
            let message = "is required, or `companyAlert`; `raccordo alert example` shows both";
            self.note(2, "caseAlert".to_owned(), Reason::Missing, message.to_owned());
        }
    }

    /// Checks one field against its declaration.
    pub(super) fn field(&mut self, field: &Field, value: Value<'_>) {
        if value.is_absent() {
            if field.required {
                self.body(field.name, Reason::Missing, "is required; add it");
            }
            return;
        }
        if let Err((reason, message)) = self.form(field.form, value) {
            self.body(field.name, reason, message);
        }
    }

    fn form(&self, form: Form, value: Value<'_>) -> Result<(), (Reason, String)> {
        let malformed = |message: &str| Err((Reason::Malformed, message.to_owned()));
        match (form, value) {
            (Form::Date, Value::Text(text)) if values::date(text).is_none() => malformed(DATE_FORM),
            (Form::Month, Value::Text(text)) if values::month(text).is_none() => {
                malformed("must be a month like 2026-07")
            }
            (Form::Uuid, Value::Text(text)) if !is_uuid(text) => malformed(UUID_FORM),
            (Form::Code(lists), Value::Text(code)) => self.code(lists, code),
            (Form::Codes(lists, max), Value::List(codes)) => {
                distinct(codes, max)?;
                codes.iter().try_for_each(|code| self.code(lists, code))
            }
            (Form::Uuids(max), Value::List(ids)) => {
                distinct(ids, max)?;
                if ids.iter().all(|id| is_uuid(id)) { Ok(()) } else { malformed(UUID_FORM) }
            }
            (Form::Tags(max), Value::Tags(tags)) => self.tags(tags, max),
            _ => Ok(()),
        }
    }

    fn code(&self, lists: &[&str], code: &str) -> Result<(), (Reason, String)> {
        let names = lists.join("` or `");
        let hint = format!("`raccordo codes list {}` shows them", lists.first().unwrap_or(&""));
        if lists.iter().any(|list| self.lists.lookup(list, code).is_some()) {
            return Ok(());
        }
        if self.at_origin() {
            let message = format!("holds a code that is not in `{names}`; {hint}");
            return Err((Reason::UnknownCode, message));
        }
        // It may be of a newer list; what no version of the list could hold is no code.
        let formed = lists.iter().any(|list| self.lists.has_form(list, code));
        let malformed = || (Reason::Malformed, format!("must hold codes of `{names}`; {hint}"));
        formed.then_some(()).ok_or_else(malformed)
    }

    fn tags(&self, tags: &[Tag], max: usize) -> Result<(), (Reason, String)> {
        at_most(tags.len(), max)?;
        let class = |class: &str| {
            if self.at_origin() { TOKEN_CLASSES.contains(&class) } else { is_class(class) }
        };
        let formed = |tag: &Tag| {
            tag.receiver.parse::<NodeId>().is_ok() && class(&tag.token_class) && tag.tag.len() == 16
        };
        if !tags.iter().all(formed) {
            let message =
                "each needs a node id, a token class and 16 bytes; leave tags to the node";
            return Err((Reason::Malformed, message.to_owned()));
        }
        let key = |tag: &Tag| {
            (tag.receiver.clone(), tag.token_class.clone(), tag.key_epoch, tag.tag.clone())
        };
        unique(tags.iter().map(key), tags.len())
    }

    fn note(&mut self, place: usize, field: String, reason: Reason, message: String) {
        self.errors.entry(place).or_insert(FieldError { field, reason, message });
    }
}

const DATE_FORM: &str = "must be a date like 2026-07-31";
const UUID_FORM: &str = "must hold UUIDs with hyphens; copy them from where they were made";

fn is_uuid(text: &str) -> bool {
    // The parser also takes forms without hyphens and in braces; one id, one form.
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

/// Whether a text could be a class of tokens, of this version or of a newer one.
fn is_class(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
    (1..=CLASS_BYTES_MAX).contains(&text.len()) && text.bytes().all(inner)
}

fn distinct(items: &[String], max: usize) -> Result<(), (Reason, String)> {
    at_most(items.len(), max)?;
    unique(items.iter(), items.len())
}

fn at_most(length: usize, max: usize) -> Result<(), (Reason, String)> {
    if length <= max {
        return Ok(());
    }
    Err((Reason::TooMany, format!("may hold at most {max}; leave the least telling ones out")))
}

fn unique<T: Ord>(items: impl Iterator<Item = T>, length: usize) -> Result<(), (Reason, String)> {
    if items.collect::<BTreeSet<_>>().len() == length {
        return Ok(());
    }
    Err((Reason::Duplicate, "holds a value twice; leave one out".to_owned()))
}
