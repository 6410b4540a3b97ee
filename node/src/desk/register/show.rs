//! One case or company: where it stands; and, once a purpose was chosen, who it is.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::alert::Alert;
use raccordo_core::id::{CaseId, RecordId};
use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::Action;
use raccordo_core::register::{RecordKind, subject_of};
use serde::Deserialize;
use serde_json::Value;

use super::list::{Line, case_line, company_line, may_with};
use super::told::{Told, told};
use super::{alert_kind, purposes};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::register::add::{self, NewCase};
use crate::app::register::change::{self, Change};
use crate::app::register::{list, show};
use crate::desk::Desk;
use crate::desk::alerts;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::inputs::{Choice, choices};
use crate::desk::problem::{Problem, rendered};
use crate::desk::sent::Sent;
use crate::desk::sign_in::Nothing;

/// What an address names.
#[derive(Clone, Copy)]
pub(super) enum Which {
    Case(CaseId),
    Company(RecordId),
}

impl Which {
    /// Of a path `/register/KIND/ID`.
    pub(super) fn parse(kind: &str, id: &str) -> Done<Self> {
        match kind {
            "cases" => Ok(Self::Case(id.parse()?)),
            "companies" => Ok(Self::Company(id.parse()?)),
            _ => Err(Fault::not_found("no_such_page", "no kind has this name")),
        }
    }

    /// Its page.
    pub(super) fn path(self) -> String {
        match self {
            Self::Case(id) => format!("/register/cases/{id}"),
            Self::Company(id) => format!("/register/companies/{id}"),
        }
    }

    fn kind(self) -> RecordKind {
        match self {
            Self::Case(_) => RecordKind::Person,
            Self::Company(_) => RecordKind::Company,
        }
    }
}

/// What the page says without any name.
pub(super) struct Head {
    pub which: Which,
    pub line: Line,
    /// The record of the case, or the company.
    pub record: RecordId,
    pub state: String,
    pub changed: String,
    /// Whose data it is.
    pub subject: Subject,
}

/// Reads it.
pub(super) async fn head(node: &Node, visitor: &Visitor, which: Which) -> Done<Head> {
    let words = visitor.words;
    Ok(match which {
        Which::Case(id) => {
            let case = list::case(node, &visitor.operator, id).await?;
            Head {
                which,
                line: case_line(node, words, &case),
                record: case.row.record,
                state: case.row.state.clone(),
                changed: words.instant(case.row.changed_at),
                subject: Subject::Person,
            }
        }
        Which::Company(id) => {
            let company = list::company(node, &visitor.operator, id).await?;
            Head {
                which,
                line: company_line(words, &company),
                record: company.row.record,
                state: company.row.state.clone(),
                changed: words.instant(company.row.changed_at),
                subject: subject_of(&company.row.subject),
            }
        }
    })
}

#[derive(Template)]
#[template(path = "register_show.html")]
struct Page {
    frame: Frame,
    people: bool,
    line: Line,
    path: String,
    record: String,
    changed: String,
    note: String,
    purposes: Vec<Choice>,
    states: Vec<Choice>,
    may_change: bool,
    may_erase: bool,
    may_share: bool,
    share: &'static str,
    opened: Option<Opened>,
}

/// What is shown once a purpose was chosen.
struct Opened {
    purpose: String,
    values: Vec<Told>,
    codes: Vec<alerts::Told>,
    /// The codes as fields of the form that shares them.
    fields: Vec<(String, String)>,
}

/// What the page before did.
#[derive(Default, Deserialize)]
pub(in crate::desk) struct Note {
    #[serde(default)]
    added: u8,
    #[serde(default)]
    known: u8,
    #[serde(default)]
    changed: u8,
}

impl Note {
    fn key(&self) -> Option<&'static str> {
        let all = [
            (self.added, "note-added"),
            (self.known, "note-known"),
            (self.changed, "note-changed"),
        ];
        all.into_iter().find(|(set, _)| *set == 1).map(|(_, key)| key)
    }
}

/// The page without any name.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((kind, id)): Path<(String, String)>,
    Query(note): Query<Note>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let head = head(&desk.node, &visitor, Which::parse(&kind, &id)?).await?;
        let note = note.key().map(|key| words.t(key)).unwrap_or_default();
        Ok(shown(&desk.node, &visitor, head, note, None))
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

/// Why somebody reads.
#[derive(Deserialize)]
pub(in crate::desk) struct Reading {
    #[serde(default)]
    purpose: String,
}

/// The same with who it is: in the audit first.
pub(in crate::desk) async fn open(
    State(desk): State<Desk>,
    Path((kind, id)): Path<(String, String)>,
    Sent { visitor, fields: reading }: Sent<Reading>,
) -> Result<Response, Problem> {
    let (words, node) = (visitor.words, &desk.node);
    let done: Done<Response> = async {
        let which = Which::parse(&kind, &id)?;
        let why = &reading.purpose;
        let (record, codes) = match which {
            Which::Case(id) => {
                let view = show::case(node, &visitor.operator, id, why).await?;
                (view.record, view.codes)
            }
            Which::Company(id) => {
                let mut view = show::company(node, &visitor.operator, id, why).await?;
                let codes = std::mem::take(&mut view.codes);
                (view, codes)
            }
        };
        let kind = alert_kind(which.kind());
        let opened = Opened {
            purpose: node.lists.label("purpose", why, words.lang()),
            values: told(node, words, &record.entries),
            codes: alerts::said_of(node, words, kind, &codes),
            fields: fields(kind, &codes),
        };
        let head = head(node, &visitor, which).await?;
        Ok(shown(node, &visitor, head, String::new(), Some(opened)))
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

/// Codes as fields of a form.
fn fields(kind: Kind, codes: &Alert) -> Vec<(String, String)> {
    let body = serde_json::to_value(codes).unwrap_or_default();
    let body = body.get(kind.declaration().body).and_then(Value::as_object);
    let mut fields = Vec::new();
    for (name, value) in body.into_iter().flatten() {
        match value {
            Value::String(text) if !text.is_empty() => fields.push((name.clone(), text.clone())),
            Value::Bool(true) => fields.push((name.clone(), "true".to_owned())),
            Value::Array(all) => {
                let texts = all.iter().filter_map(Value::as_str);
                fields.extend(texts.map(|text| (name.clone(), text.to_owned())));
            }
            _ => {}
        }
    }
    fields
}

fn shown(
    node: &Node,
    visitor: &Visitor,
    head: Head,
    note: String,
    opened: Option<Opened>,
) -> Response {
    let (words, operator) = (visitor.words, &visitor.operator);
    let Head { which, line, record, state, changed, subject } = head;
    let may = |action| raccordo_core::operator::may(operator.role, operator.class, action);
    let kind = which.kind();
    let there = !line.over;
    rendered(&Page {
        frame: Frame::new(visitor, "register", which.path()),
        people: kind == RecordKind::Person,
        path: which.path(),
        record: record.to_string(),
        changed,
        note,
        purposes: purposes(node, words),
        states: choices(node, words, "case_state", &state),
        may_change: there && may_with(operator, kind, Action::AddRecord),
        may_erase: there && may(Action::EraseRecord(subject)),
        may_share: there && may(Action::ShareAlert(subject)),
        share: alert_kind(kind).as_str(),
        line,
        opened,
    })
}

/// What is to change.
#[derive(Deserialize)]
pub(in crate::desk) struct Changed {
    #[serde(default)]
    state: String,
    #[serde(default)]
    manager: String,
}

/// Changes where a case stands, or who answers for it.
pub(in crate::desk) async fn change(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Sent { visitor, fields: changed }: Sent<Changed>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let id: CaseId = id.parse()?;
        let given = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let wanted = Change { state: given(changed.state), manager: given(changed.manager) };
        change::change(&desk.node, &visitor.operator, id, wanted).await?.map_err(wrong)?;
        Ok(Redirect::to(&format!("/register/cases/{id}?changed=1")).into_response())
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

/// Opens another case of the same person.
pub(in crate::desk) async fn again(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Sent { visitor, .. }: Sent<Nothing>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let case = list::case(&desk.node, &visitor.operator, id.parse()?).await?;
        let (record, new) = (case.row.record, NewCase::default());
        let added = add::add_case_of(&desk.node, &visitor.operator, record, new).await?;
        let case = added.map_err(wrong)?.case;
        let path = case.map(|case| format!("/register/cases/{case}?added=1"));
        Ok(Redirect::to(&path.unwrap_or_else(|| "/register".to_owned())).into_response())
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

fn wrong(_: Vec<raccordo_core::alert::FieldError>) -> Fault {
    Fault::usage("bad_form", "the form holds what no case can hold")
}
