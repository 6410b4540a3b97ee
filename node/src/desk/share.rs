//! Sharing an alert: the form follows the declaration of its kind; before anything leaves,
//! a second page shows who will receive what.

use std::collections::BTreeMap;

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::alert::Alert;
use raccordo_core::id::ObjectId;
use raccordo_core::object::{Field, Form as Holds, Kind};
use raccordo_core::operator::Action;
use serde_json::{Map, Value, json};

use super::Desk;
use super::alerts::label_key;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::words::Words;
use crate::app::fault::{Done, Fault};
use crate::app::share::{self, Order, Shared};
use crate::app::{Node, status};

/// Codes up to which a list is shown whole; longer ones are searched while typing.
const SHORT_LIST: usize = 40;
/// Lines offered for a field that takes several codes of a long list.
const SEVERAL: usize = 5;

/// A field of the form.
struct Input {
    name: &'static str,
    label: String,
    required: bool,
    error: String,
    shape: Shape,
}

/// How a field is filled in.
enum Shape {
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
        values: Vec<String>,
    },
}

struct Choice {
    code: String,
    label: String,
    chosen: bool,
}

/// A list of suggestions.
struct Suggestions {
    id: String,
    codes: Vec<(String, String)>,
}

/// What was filled in, by field; several values for a field that takes several.
type Filled = BTreeMap<String, Vec<String>>;

#[derive(Template)]
#[template(path = "share_choose.html")]
struct ChoosePage {
    frame: Frame,
    case: bool,
    company: bool,
}

/// Which kind.
pub(super) async fn choose(visitor: Visitor) -> Response {
    let may = |subject| visitor.operator.must(Action::ShareAlert(subject)).is_ok();
    let case = may(raccordo_core::object::Subject::Person);
    let company = may(raccordo_core::object::Subject::Company);
    rendered(&ChoosePage { frame: Frame::new(&visitor, "share", "/share"), case, company })
}

#[derive(Template)]
#[template(path = "share.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    title: String,
    equipes: Vec<Choice>,
    inputs: Vec<Input>,
    suggestions: Vec<Suggestions>,
    id: String,
    errors: usize,
    /// Set once everything is right: who receives.
    recipients: Option<Vec<String>>,
    summary: Vec<(String, String)>,
    hidden: Vec<(String, String)>,
}

/// The empty form.
pub(super) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = async {
        let kind = kind_of(&kind)?;
        let today = desk.node.clock.now().date().to_string();
        let mut filled = Filled::from([("issuedOn".to_owned(), vec![today])]);
        // Sent twice by mistake, the same form shares once.
        let id = ObjectId::random(&*desk.node.entropy).to_string();
        filled.insert("id".to_owned(), vec![id]);
        form(&desk.node, &visitor, kind, &filled, &Shared::default(), None).await
    };
    made.await.map_err(|fault| Problem::new(words, fault))
}

/// Checks what was filled in, shows who would receive it, and on the second time shares.
pub(super) async fn share(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = async {
        let kind = kind_of(&kind)?;
        let mut filled = Filled::new();
        for (name, value) in pairs {
            let value = value.trim();
            if !value.is_empty() {
                filled.entry(name).or_default().push(value.to_owned());
            }
        }
        visitor.must_be_of_form(first(&filled, "form"))?;
        let sends = first(&filled, "step") == "send";
        let order = order(&desk.node, words, kind, &filled, !sends)?;
        let came = share::share(&desk.node, &visitor.operator, order).await?;
        let right = came.violations.is_empty();
        match came.objects.first().filter(|_| sends && right) {
            Some((row, _)) => Ok(Redirect::to(&format!("/alerts/{}", row.object)).into_response()),
            None => {
                let sees = first(&filled, "step") != "change";
                let recipients = (right && sees).then_some(&came.recipients);
                let recipients =
                    recipients.map(|all| all.iter().map(ToString::to_string).collect());
                form(&desk.node, &visitor, kind, &filled, &came, recipients).await
            }
        }
    };
    done.await.map_err(|fault| Problem::new(words, fault))
}

fn kind_of(text: &str) -> Done<Kind> {
    text.parse().map_err(|_| Fault::not_found("no_such_page", "no kind has this name"))
}

fn first<'f>(filled: &'f Filled, name: &str) -> &'f str {
    filled.get(name).and_then(|all| all.first()).map_or("", String::as_str)
}

/// What was filled in as an order.
fn order(node: &Node, words: Words, kind: Kind, filled: &Filled, dry_run: bool) -> Done<Order> {
    let declaration = kind.declaration();
    let mut body = Map::new();
    for field in declaration.fields {
        let Some(values) = filled.get(field.name) else { continue };
        let value = match field.form {
            Holds::Flag => json!(true),
            Holds::Code(lists) => json!(code(node, words, lists, first(filled, field.name))),
            Holds::Codes(lists, _) => {
                let codes = values.iter().map(|value| code(node, words, lists, value));
                json!(codes.collect::<Vec<_>>())
            }
            Holds::Uuids(_) => json!(values),
            Holds::Tags(_) => continue,
            Holds::Date | Holds::Month | Holds::Uuid => json!(first(filled, field.name)),
        };
        body.insert(field.name.to_owned(), value);
    }
    let alert = json!({
        "id": first(filled, "id"),
        "expiresOn": first(filled, "expiresOn"),
        declaration.body: Value::Object(body),
    });
    let alert: Alert = serde_json::from_value(alert)
        .map_err(|_| Fault::usage("bad_form", "the form holds what no alert can hold"))?;
    let equipe = first(filled, "equipe").to_owned();
    Ok(Order { equipe, alerts: vec![alert], purpose: None, dry_run })
}

/// The code behind what was typed: a code, a label, or a label that a suggestion has put
/// there. What is none stays as it is, for the check to name.
fn code(node: &Node, words: Words, lists: &[&str], typed: &str) -> String {
    let known = lists.iter().filter_map(|name| node.lists.list(name));
    for list in known {
        if list.lookup(typed).is_some() {
            return typed.to_owned();
        }
        let folded = typed.to_lowercase();
        let by_label =
            |it: &&raccordo_core::codes::Code| it.label(words.lang()).to_lowercase() == folded;
        if let Some(found) = list.entries().iter().find(by_label) {
            return found.code.clone();
        }
    }
    typed.to_owned()
}

async fn form(
    node: &Node,
    visitor: &Visitor,
    kind: Kind,
    filled: &Filled,
    came: &Shared,
    recipients: Option<Vec<String>>,
) -> Done<Response> {
    let words = visitor.words;
    let declaration = kind.declaration();
    let told = status::status(node).await?;
    let equipe = first(filled, "equipe");
    let equipes = told.equipes.iter().map(|row| row.row.name.clone());
    let equipes =
        equipes.map(|name| Choice { chosen: name == equipe, code: name.clone(), label: name });
    let mut lists: BTreeMap<String, Suggestions> = BTreeMap::new();
    let inputs: Vec<Input> = declaration
        .fields
        .iter()
        .filter(|field| offered(field.form))
        .map(|field| {
            let path = declaration.path(field.name);
            let wrong = came.violations.iter().find(|it| it.error.field == path);
            let error = wrong.map(|it| words.t(reason_key(it.error.reason.as_str())));
            Input {
                name: field.name,
                label: words.t(&label_key(field.name)),
                required: field.required,
                error: error.unwrap_or_default(),
                shape: shape(node, words, field, filled, &mut lists),
            }
        })
        .collect();
    let summary = summary(node, words, kind, filled);
    let hidden = filled.iter().filter(|(name, _)| !matches!(name.as_str(), "form" | "step"));
    let hidden = hidden.flat_map(|(name, all)| all.iter().map(|it| (name.clone(), it.clone())));
    let title = if kind == Kind::Case { "share-case" } else { "share-company" };
    let page = Page {
        frame: Frame::new(visitor, "share", format!("/share/{kind}")),
        kind: kind.as_str(),
        title: words.t(title),
        equipes: equipes.collect(),
        inputs,
        suggestions: lists.into_values().collect(),
        id: first(filled, "id").to_owned(),
        errors: came.violations.len(),
        recipients,
        summary,
        hidden: hidden.collect(),
    };
    Ok(rendered(&page))
}

/// Fields that people fill in; the others come from the node.
fn offered(form: Holds) -> bool {
    !matches!(form, Holds::Uuid | Holds::Uuids(_) | Holds::Tags(_))
}

fn reason_key(reason: &str) -> &'static str {
    match reason {
        "missing" => "error-missing",
        "unknown_code" => "error-unknown-code",
        "pact_forbids" => "error-pact-forbids",
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
    let codes: Vec<(String, String)> = lists
        .iter()
        .filter_map(|name| node.lists.list(name))
        .flat_map(|list| list.entries())
        .map(|it| (it.code.clone(), it.label(words.lang()).to_owned()))
        .collect();
    if codes.len() <= SHORT_LIST {
        let choice = |(code, label): (String, String)| {
            let chosen = values.contains(&code);
            Choice { code, label, chosen }
        };
        let choices = codes.into_iter().map(choice).collect();
        return if several == 1 { Shape::Select(choices) } else { Shape::Boxes(choices) };
    }
    let list = format!("list-{}", lists.join("-"));
    suggestions.entry(list.clone()).or_insert_with(|| Suggestions { id: list.clone(), codes });
    let lines = several.min(SEVERAL);
    let mut values: Vec<String> = values;
    values.resize(values.len().max(lines), String::new());
    Shape::Typed { list, values }
}

/// What will leave, in words.
fn summary(node: &Node, words: Words, kind: Kind, filled: &Filled) -> Vec<(String, String)> {
    let told = kind.declaration().fields.iter().filter_map(|field| {
        let values = filled.get(field.name)?;
        let said = values.iter().map(|value| match field.form {
            Holds::Code(lists) | Holds::Codes(lists, _) => {
                let code = code(node, words, lists, value);
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
