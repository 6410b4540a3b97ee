//! Adding a person with a case, or a company.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::alert::{Alert, FieldError};
use raccordo_core::operator::Action;
use raccordo_core::register::{Identity, RecordKind};
use serde_json::{Value, json};

use super::form::{self, Group};
use super::{alert_kind, kind_of};
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::app::register::add::{self, Addition, NewCase};
use crate::desk::Desk;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::inputs::{self, Choice, Filled, Inputs, Shape, choices, filled, first};
use crate::desk::problem::{Problem, rendered};
use crate::desk::sent::Sent;

#[derive(Template)]
#[template(path = "register_add.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    people: bool,
    groups: Vec<Group>,
    sole_trader: bool,
    states: Vec<Choice>,
    manager: String,
    inputs: Inputs,
    errors: usize,
    /// What is wrong with all of it; may be empty.
    error: String,
    /// Further rows that were asked for.
    more: usize,
}

/// The empty form.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = || {
        let kind = kind_of(&kind)?;
        let nobody = Identity { kind, sole_trader: false, entries: Vec::new() };
        visitor.operator.must(Action::AddRecord(nobody.subject()))?;
        Ok(shown(&desk.node, &visitor, kind, &Filled::new(), &[]))
    };
    made().map_err(|fault| Problem::new(words, fault))
}

/// Adds, or says what is wrong.
pub(in crate::desk) async fn add(
    State(desk): State<Desk>,
    Path(kind): Path<String>,
    Sent { visitor, fields: pairs }: Sent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let kind = kind_of(&kind)?;
        let mut filled = filled(pairs);
        if first(&filled, "step") == "more" {
            let more = more(&filled).saturating_add(1);
            filled.insert("more".to_owned(), vec![more.to_string()]);
            return Ok(shown(&desk.node, &visitor, kind, &filled, &[]));
        }
        match added(&desk.node, &visitor, kind, &filled).await? {
            Ok(added) => {
                let path = match added.case {
                    Some(case) => format!("/register/cases/{case}"),
                    None => format!("/register/companies/{}", added.record),
                };
                let note = if added.known { "?known=1" } else { "?added=1" };
                Ok(Redirect::to(&format!("{path}{note}")).into_response())
            }
            Err(errors) => Ok(shown(&desk.node, &visitor, kind, &filled, &errors)),
        }
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

async fn added(
    node: &Node,
    visitor: &Visitor,
    kind: RecordKind,
    filled: &Filled,
) -> Done<Addition> {
    let identity = form::identity(node, kind, filled);
    let codes = codes(node, kind, filled)?;
    let given = |name: &str| Some(first(filled, name).to_owned()).filter(|text| !text.is_empty());
    match kind {
        RecordKind::Person => {
            let case = NewCase { state: given("state"), manager: given("manager"), codes };
            add::add_case(node, &visitor.operator, identity, case).await
        }
        RecordKind::Company => add::add_company(node, &visitor.operator, identity, codes).await,
    }
}

/// What is said in codes; nothing where nothing was filled in.
fn codes(node: &Node, kind: RecordKind, filled: &Filled) -> Done<Alert> {
    let kind = alert_kind(kind);
    let body = inputs::body(node, kind, filled);
    if body.is_empty() {
        return Ok(Alert::default());
    }
    serde_json::from_value(json!({ kind.declaration().body: Value::Object(body) }))
        .map_err(|_| Fault::usage("bad_form", "the form holds what no record can hold"))
}

fn more(filled: &Filled) -> usize {
    first(filled, "more").parse().unwrap_or(0)
}

fn shown(
    node: &Node,
    visitor: &Visitor,
    kind: RecordKind,
    filled: &Filled,
    errors: &[FieldError],
) -> Response {
    let words = visitor.words;
    let coded: Vec<&FieldError> = errors.iter().collect();
    let nothing = errors.iter().any(|error| error.field == kind.as_str());
    rendered(&Page {
        frame: Frame::new(visitor, "register", format!("/register/add/{}", kind.as_str())),
        kind: kind.as_str(),
        people: kind == RecordKind::Person,
        groups: form::groups(node, words, &form::all(kind), filled, errors, Some(more(filled))),
        sole_trader: filled.contains_key("sole_trader"),
        states: choices(node, words, "case_state", first(filled, "state")),
        manager: first(filled, "manager").to_owned(),
        inputs: inputs::inputs(node, words, alert_kind(kind), filled, &coded, true),
        errors: errors.len(),
        error: if nothing { words.t("error-nobody") } else { String::new() },
        more: more(filled),
    })
}
