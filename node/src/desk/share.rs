//! Sharing an alert: the form follows the declaration of its kind; what is filled in is kept
//! as a draft; before anything leaves, a second page shows who will receive what, and how many
//! people it may mean.

use std::collections::BTreeMap;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::alert::Alert;
use raccordo_core::id::{ObjectId, RecordId};
use raccordo_core::object::{Kind, Subject};
use raccordo_core::operator::{Action, may};
use serde_json::{Value, json};

use super::Desk;
use super::alerts::{self, label_key};
use super::frame::Frame;
use super::gate::Visitor;
use super::inputs::{self, Choice, Filled, Inputs, Shape, first};
use super::problem::{Problem, rendered};
use super::sent::Sent;
use super::words::Words;
use crate::app::draft::RECORD;
use crate::app::fault::{Done, Fault};
use crate::app::likeness::{self, Alike};
use crate::app::share::{self, Order, Shared};
use crate::app::{Node, draft, pact_in_force, status};

#[derive(Template)]
#[template(path = "share_choose.html")]
struct ChoosePage {
    frame: Frame,
    case: bool,
    company: bool,
}

/// Which kind.
pub(super) async fn choose(visitor: Visitor) -> Response {
    let operator = &visitor.operator;
    let may = |subject| may(operator.role, operator.class, Action::ShareAlert(subject));
    let (case, company) = (may(Subject::Person), may(Subject::Company));
    rendered(&ChoosePage { frame: Frame::new(&visitor, "share", "/share"), case, company })
}

#[derive(Template)]
#[template(path = "share.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    title: String,
    equipes: Vec<Choice>,
    expires: String,
    expires_error: String,
    inputs: Inputs,
    id: String,
    /// The record of the register that it is about; may be empty.
    record: String,
    errors: usize,
    /// Since when a draft is kept; empty without one.
    kept: String,
    /// Set once everything is right.
    preview: Option<Preview>,
    hidden: Vec<(String, String)>,
}

/// What is shown before the button.
struct Preview {
    recipients: Vec<String>,
    summary: Vec<(String, String)>,
    purpose: String,
    alike: Option<AlikeSaid>,
}

/// How many people an alert may mean, in words.
struct AlikeSaid {
    rare: bool,
    said: String,
    fields: String,
    advice: String,
}

/// The form: what is kept of it, or empty.
pub(super) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(kind): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let made = async {
        let kind = kind_of(&kind)?;
        let (filled, kept) = match draft::kept(&desk.node, &visitor.operator, kind).await? {
            Some(draft) => (draft.filled, words.instant(draft.changed_at)),
            None => (fresh(&desk.node), String::new()),
        };
        form(&desk.node, &visitor, kind, &filled, &Shared::default(), kept, None).await
    };
    made.await.map_err(|fault| Problem::new(words, fault))
}

/// A form of today. Its id makes sure that sent twice by mistake, it shares once.
fn fresh(node: &Node) -> Filled {
    let today = node.clock.now().date().to_string();
    let id = ObjectId::random(&*node.entropy).to_string();
    Filled::from([("issuedOn".to_owned(), vec![today]), ("id".to_owned(), vec![id])])
}

/// Checks what was filled in, shows who would receive it, and on the second time shares.
pub(super) async fn share(
    State(desk): State<Desk>,
    Path(kind): Path<String>,
    Sent { visitor, fields: pairs }: Sent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let node = &desk.node;
    let done = async {
        let kind = kind_of(&kind)?;
        let mut filled = inputs::filled(pairs);
        let step = filled.remove("step").unwrap_or_default().pop().unwrap_or_default();
        if step == "discard" {
            draft::discard(node, &visitor.operator, kind).await?;
            return Ok(Redirect::to(&format!("/share/{kind}")).into_response());
        }
        for (name, values) in fresh(node) {
            filled.entry(name).or_insert(values);
        }
        let sends = step == "send";
        // What begins from a record does not replace a draft before somebody writes.
        if !sends && step != "begin" {
            draft::keep(node, &visitor.operator, kind, &filled).await?;
        }
        if matches!(step.as_str(), "begin" | "change" | "keep") {
            let kept = words.instant(node.clock.now());
            let kept = if step == "keep" { kept } else { String::new() };
            return form(node, &visitor, kind, &filled, &Shared::default(), kept, None).await;
        }
        let records = record(&filled)?;
        if let Some(record) = records.get(&0).filter(|_| !sends) {
            let (operator, equipe) = (&visitor.operator, first(&filled, "equipe"));
            let named = share::named_before(node, operator, equipe, *record, kind).await?;
            if let Some(object) = named {
                filled.insert("id".to_owned(), vec![object.to_string()]);
            }
        }
        let order = order(node, kind, &filled, !sends)?;
        let came = share::share_about(node, &visitor.operator, order, &records).await?;
        if !came.violations.is_empty() {
            return form(node, &visitor, kind, &filled, &came, String::new(), None).await;
        }
        match came.objects.first().filter(|_| sends) {
            Some((row, _)) => {
                draft::discard(node, &visitor.operator, kind).await?;
                Ok(Redirect::to(&format!("/alerts/{}", row.object)).into_response())
            }
            None => {
                let preview = preview(node, &visitor, kind, &filled, &came).await?;
                form(node, &visitor, kind, &filled, &came, String::new(), Some(preview)).await
            }
        }
    };
    done.await.map_err(|fault| Problem::new(words, fault))
}

/// Keeps what is filled in so far; pages with scripts do so by themselves.
pub(super) async fn keep(
    State(desk): State<Desk>,
    Path(kind): Path<String>,
    Sent { visitor, fields: pairs }: Sent<Vec<(String, String)>>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = async {
        let kind = kind_of(&kind)?;
        let mut filled = inputs::filled(pairs);
        filled.remove("step");
        draft::keep(&desk.node, &visitor.operator, kind, &filled).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    done.await.map_err(|fault| Problem::new(words, fault))
}

fn kind_of(text: &str) -> Done<Kind> {
    text.parse().map_err(|_| Fault::not_found("no_such_page", "no kind has this name"))
}

/// The record that the alert is about, if any.
fn record(filled: &Filled) -> Done<BTreeMap<usize, RecordId>> {
    let text = first(filled, RECORD);
    let record = (!text.is_empty()).then(|| text.parse::<RecordId>()).transpose()?;
    Ok(record.into_iter().map(|record| (0, record)).collect())
}

/// What was filled in as an order.
fn order(node: &Node, kind: Kind, filled: &Filled, dry_run: bool) -> Done<Order> {
    let alert = json!({
        "id": first(filled, "id"),
        "expiresOn": first(filled, "expiresOn"),
        kind.declaration().body: Value::Object(inputs::body(node, kind, filled)),
    });
    let alert: Alert = serde_json::from_value(alert)
        .map_err(|_| Fault::usage("bad_form", "the form holds what no alert can hold"))?;
    let equipe = first(filled, "equipe").to_owned();
    Ok(Order { equipe, alerts: vec![alert], purpose: None, dry_run })
}

async fn preview(
    node: &Node,
    visitor: &Visitor,
    kind: Kind,
    filled: &Filled,
    came: &Shared,
) -> Done<Preview> {
    let words = visitor.words;
    let Order { equipe, alerts, .. } = order(node, kind, filled, true)?;
    let mut like = None;
    if let Some(alert) = alerts.first() {
        like = likeness::alike(node, &visitor.operator, &equipe, kind, alert).await?;
    }
    let pact = pact_in_force::named(node, &equipe).await?;
    let purpose = pact.terms().purposes.first().map_or("", String::as_str);
    let mut summary = inputs::said(node, words, kind, filled);
    let expires = first(filled, "expiresOn");
    if !expires.is_empty() {
        summary.push((words.t("expires"), words.date(expires)));
    }
    Ok(Preview {
        recipients: came.recipients.iter().map(ToString::to_string).collect(),
        summary,
        purpose: if purpose.is_empty() {
            String::new()
        } else {
            alerts::purpose(node, words, purpose)
        },
        alike: like.map(|like| alike_said(words, &like)),
    })
}

fn alike_said(words: Words, like: &Alike) -> AlikeSaid {
    let names = |fields: &[&'static str]| {
        let labels = fields.iter().map(|name| words.t(&label_key(name)));
        labels.collect::<Vec<_>>().join(", ")
    };
    let rare = like.people < like.threshold;
    let said = if rare {
        words.count("alike-count", like.people)
    } else {
        words.with("alike-enough", like.threshold)
    };
    let advice = match (rare, like.without.is_empty()) {
        (false, _) => String::new(),
        (true, true) => words.with("alike-rare", like.threshold),
        (true, false) => words.with("alike-without", names(&like.without)),
    };
    AlikeSaid { rare, said, fields: names(&like.fields), advice }
}

async fn form(
    node: &Node,
    visitor: &Visitor,
    kind: Kind,
    filled: &Filled,
    came: &Shared,
    kept: String,
    preview: Option<Preview>,
) -> Done<Response> {
    let words = visitor.words;
    let told = status::status(node).await?;
    let chosen = first(filled, "equipe");
    let equipes = told.equipes.iter().map(|equipe| {
        let name = equipe.row.name.clone();
        Choice { code: name.clone(), chosen: name == chosen, label: name }
    });
    let errors: Vec<_> = came.violations.iter().map(|it| &it.error).collect();
    let late = errors.iter().any(|error| error.field == "expiresOn");
    let hidden =
        filled.iter().flat_map(|(name, all)| all.iter().map(|it| (name.clone(), it.clone())));
    let title = if kind == Kind::Case { "share-case" } else { "share-company" };
    let page = Page {
        frame: Frame::new(visitor, "share", format!("/share/{kind}")),
        kind: kind.as_str(),
        title: words.t(title),
        equipes: equipes.collect(),
        expires: first(filled, "expiresOn").to_owned(),
        expires_error: if late { words.t("error-expires") } else { String::new() },
        inputs: inputs::inputs(node, words, kind, filled, &errors, false),
        id: first(filled, "id").to_owned(),
        record: first(filled, RECORD).to_owned(),
        errors: errors.len(),
        kept,
        hidden: if preview.is_some() { hidden.collect() } else { Vec::new() },
        preview,
    };
    Ok(rendered(&page))
}
