//! Alerts: the list with its filters, one alert, and its withdrawal.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::alert::Alert;
use raccordo_core::id::{NodeId, ObjectId};
use raccordo_core::number::bounded;
use raccordo_core::object::{Form as Holds, Kind, State as Life};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use super::sent::Sent;
use super::words::Words;
use crate::app::Node;
use crate::app::alerts::{self, AlertRow, AlertView, Search};
use crate::app::delivery::{Delivery, State as Way};
use crate::app::fault::Done;
use crate::app::withdraw;

/// Alerts on one page.
const PAGE: u32 = 50;

/// An alert in a list.
pub(super) struct Line {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: String,
    /// The région's node that shared it; none if it is ours.
    pub origin: String,
    /// Whether this node shared it.
    pub own: bool,
    /// The équipe.
    pub equipe: String,
    /// When it came, or was shared.
    pub when: String,
    /// The two or three codes that tell most.
    pub summary: String,
    /// The object's state, in words.
    pub state: String,
    /// Whether it still holds.
    pub active: bool,
    /// How far it has come, in words; empty for others' alerts.
    pub delivery: String,
    /// Whether it came since the visitor was here before.
    pub new: bool,
}

/// An alert in a few words.
pub(super) fn line(node: &Node, words: Words, view: &AlertView) -> Line {
    let own = view.row.origin == node.identity.node;
    let active = view.row.state == Life::Active.as_str();
    let shown = fields(node, words, view);
    let telling = ["province", "sector", "exploitation", "role", "status"];
    let told = telling.iter().filter_map(|name| shown.iter().find(|field| field.name == *name));
    let summary: Vec<&str> = told.flat_map(|field| &field.values).map(String::as_str).collect();
    Line {
        id: view.row.object.to_string(),
        kind: kind_name(words, &view.row),
        origin: view.row.origin.to_string(),
        own,
        equipe: view.equipe.clone(),
        when: when(words, &view.row),
        summary: summary.join(" · "),
        state: words.t(state_key(&view.row.state)),
        active,
        delivery: if own { delivered(words, &view.delivery) } else { String::new() },
        new: false,
    }
}

/// When an alert came, or was shared.
pub(super) fn when(words: Words, row: &AlertRow) -> String {
    words.instant(row.received_at.unwrap_or(row.shared_at))
}

/// What an alert is, in words.
pub(super) fn kind_name(words: Words, row: &AlertRow) -> String {
    let is_company = row.kind == Kind::Company.as_str();
    words.t(if is_company { "kind-company" } else { "kind-case" })
}

fn state_key(state: &str) -> &'static str {
    match state.parse() {
        Ok(Life::Active) => "state-active",
        Ok(Life::Withdrawn) => "state-withdrawn",
        Ok(Life::Erased) => "state-erased",
        Ok(Life::Expired) | Err(_) => "state-expired",
    }
}

/// How far an own alert has come, in plain words.
fn delivered(words: Words, delivery: &Delivery) -> String {
    match delivery.state {
        Way::Queued => words.t("delivery-queued"),
        Way::Accepted if delivery.delivered == 0 => words.t("delivery-accepted"),
        Way::Accepted => {
            let (some, all) = (delivery.delivered, delivery.members);
            words.with("delivery-some", format!("{some}/{all}"))
        }
        Way::Delivered => words.t("delivery-delivered"),
        Way::Read => words.t("delivery-read"),
    }
}

/// One field with its values in words.
pub(super) struct Told {
    /// Its name in the declaration.
    pub name: &'static str,
    /// What people call it.
    pub label: String,
    /// The values, each as its label.
    pub values: Vec<String>,
}

/// What an alert says; nothing once it has ended.
fn fields(node: &Node, words: Words, view: &AlertView) -> Vec<Told> {
    let Some(share) = &view.share else { return Vec::new() };
    let Ok(kind) = view.row.kind.parse::<Kind>() else { return Vec::new() };
    said_of(node, words, kind, &share.alert)
}

/// What codes say, in the order of their declaration.
pub(super) fn said_of(node: &Node, words: Words, kind: Kind, alert: &Alert) -> Vec<Told> {
    let declaration = kind.declaration();
    let body = serde_json::to_value(alert).unwrap_or_default();
    let Some(body) = body.get(declaration.body) else { return Vec::new() };
    let told = declaration.fields.iter().filter_map(|field| {
        let value = body.get(field.name)?;
        let values = said(node, words, field.form, value);
        let label = words.t(&label_key(field.name));
        (!values.is_empty()).then_some(Told { name: field.name, label, values })
    });
    told.collect()
}

/// The text that names a field.
pub(super) fn label_key(name: &str) -> String {
    let mut key = "field-".to_owned();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() {
            key.push('-');
        }
        key.push(letter.to_ascii_lowercase());
    }
    key
}

fn said(node: &Node, words: Words, form: Holds, value: &Value) -> Vec<String> {
    let texts: Vec<&str> = match value {
        Value::String(text) => vec![text],
        Value::Array(all) => all.iter().filter_map(Value::as_str).collect(),
        Value::Bool(true) => return vec![words.t("yes")],
        _ => Vec::new(),
    };
    let texts = texts.into_iter().filter(|text| !text.is_empty());
    match form {
        Holds::Code(lists) | Holds::Codes(lists, _) => {
            texts.map(|code| label(node, words, lists, code)).collect()
        }
        Holds::Date | Holds::Month => texts.map(|text| words.date(text)).collect(),
        Holds::Uuid | Holds::Uuids(_) => texts.map(str::to_owned).collect(),
        Holds::Flag | Holds::Tags(_) => Vec::new(),
    }
}

fn label(node: &Node, words: Words, lists: &[&str], code: &str) -> String {
    let known = lists.iter().find(|list| node.lists.lookup(list, code).is_some());
    let list = known.or_else(|| lists.first()).copied().unwrap_or_default();
    node.lists.label(list, code, words.lang())
}

/// A purpose in words: pacts may name others than the list has.
pub(super) fn purpose(node: &Node, words: Words, code: &str) -> String {
    if node.lists.lookup("purpose", code).is_some() {
        return node.lists.label("purpose", code, words.lang());
    }
    let key = format!("purpose-{}", code.replace('_', "-"));
    words.maybe(&key).unwrap_or_else(|| code.replace('_', " "))
}

/// The filters of the list.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(super) struct Filters {
    #[serde(default)]
    equipe: String,
    #[serde(default)]
    origin: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    before: String,
}

#[derive(Template)]
#[template(path = "alerts.html")]
struct ListPage {
    frame: Frame,
    filters: Filters,
    equipes: Vec<String>,
    origins: Vec<String>,
    lines: Vec<Line>,
    here: String,
    older: String,
}

/// The list.
pub(super) async fn list(
    State(desk): State<Desk>,
    visitor: Visitor,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    listed(&desk.node, &visitor, filters).await.map_err(|fault| Problem::new(words, fault))
}

async fn listed(node: &Node, visitor: &Visitor, filters: Filters) -> Done<Response> {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let search = Search {
        equipe: given(&filters.equipe),
        origin: given(&filters.origin).and_then(|text| text.parse::<NodeId>().ok()),
        state: given(&filters.state),
        kind: filters.kind.parse().ok(),
        says: alerts::said(node, visitor.words.lang(), &filters.text),
        before: filters.before.parse().ok().and_then(bounded),
        limit: PAGE,
        used: visitor.used,
        ..Search::default()
    };
    let (views, next) = alerts::newest(node, &visitor.operator, &search).await?;
    let lines = views.iter().map(|view| line(node, visitor.words, view)).collect();
    let (equipes, origins) = alerts::places(node).await?;
    let origins = origins.iter().map(ToString::to_string).collect();
    let frame = Frame::new(visitor, "alerts", "/alerts");
    let here = address(&filters);
    let older = next.map(|place| older(&filters, place)).unwrap_or_default();
    Ok(rendered(&ListPage { frame, filters, equipes, origins, lines, here, older }))
}

/// The address of the next page: the same filters, from a place on.
fn older(filters: &Filters, before: u64) -> String {
    let next = Filters { before: before.to_string(), ..filters.clone() };
    address(&next)
}

fn address(filters: &Filters) -> String {
    format!("/alerts?{}", serde_urlencoded::to_string(filters).unwrap_or_default())
}

#[derive(Template)]
#[template(path = "alert.html")]
struct OnePage {
    frame: Frame,
    line: Line,
    fields: Vec<Told>,
    expires: String,
    purpose: String,
    refusals: usize,
    delivered: usize,
    members: usize,
    reasons: Vec<(String, String)>,
}

/// One alert: opening it is audited, and its origin is told.
pub(super) async fn show(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    opened(&desk.node, &visitor, &id).await.map_err(|fault| Problem::new(words, fault))
}

async fn opened(node: &Node, visitor: &Visitor, id: &str) -> Done<Response> {
    let words = visitor.words;
    let id: ObjectId = id.parse()?;
    let view = alerts::open(node, &visitor.operator, id).await?;
    let reasons = node.lists.list("withdrawal_reason").map(|list| list.entries());
    let reasons = reasons.unwrap_or_default().iter();
    let reasons = reasons.map(|it| (it.code.clone(), it.label(words.lang()).to_owned())).collect();
    let label = view.share.as_ref().map(|share| &share.label);
    let page = OnePage {
        frame: Frame::new(visitor, "alerts", format!("/alerts/{id}")),
        line: line(node, words, &view),
        fields: fields(node, words, &view),
        expires: label.map(|label| words.instant(label.expires_at)).unwrap_or_default(),
        purpose: label.map(|label| purpose(node, words, &label.purpose)).unwrap_or_default(),
        refusals: view.delivery.refusals.len(),
        delivered: view.delivery.delivered,
        members: view.delivery.members,
        reasons,
    };
    Ok(rendered(&page))
}

/// Why an alert is withdrawn.
#[derive(Deserialize)]
pub(super) struct Withdrawal {
    #[serde(default)]
    reason: String,
}

/// Withdraws an own alert.
pub(super) async fn withdraw(
    State(desk): State<Desk>,
    Path(id): Path<String>,
    Sent { visitor, fields: asked }: Sent<Withdrawal>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done = async {
        let id: ObjectId = id.parse()?;
        withdraw::withdraw(&desk.node, &visitor.operator, id, &asked.reason).await?;
        Ok(Redirect::to(&format!("/alerts/{id}")).into_response())
    };
    done.await.map_err(|fault| Problem::new(words, fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_all_fields_exist_in_both_languages() {
        for kind in Kind::ALL {
            for field in kind.declaration().fields {
                let key = label_key(field.name);
                assert!(Words::default().maybe(&key).is_some(), "{key}");
            }
        }
        assert_eq!(label_key("indices603bis"), "field-indices603bis");
        assert_eq!(label_key("ageBand"), "field-age-band");
    }

    #[test]
    fn the_next_page_keeps_the_filters() {
        let filters = Filters { equipe: "toscana è umbria&".into(), ..Default::default() };
        let expected =
            "/alerts?equipe=toscana+%C3%A8+umbria%26&origin=&state=&kind=&text=&before=7";
        assert_eq!(older(&filters, 7), expected);
    }
}
