//! The list of cases or companies: whose they are and where they stand, and nobody's name.

use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use raccordo_core::object::Subject;
use raccordo_core::operator::{Action, may};
use raccordo_core::register::{RecordKind, subject_of};
use serde::{Deserialize, Serialize};

use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::app::register::list::{self, CaseSummary, RecordSummary};
use crate::desk::Desk;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::inputs::{Choice, choices};
use crate::desk::problem::{Problem, rendered};
use crate::desk::words::Words;

/// Records on one page.
const PAGE: u32 = 50;

/// A case or company in a list.
pub(super) struct Line {
    pub path: String,
    /// What it is called: the beginning of its id, since nobody's name stands in a list.
    pub name: String,
    pub state: String,
    pub manager: String,
    pub organisation: String,
    pub since: String,
    pub over: bool,
}

/// A case in a few words.
pub(super) fn case_line(node: &Node, words: Words, case: &CaseSummary) -> Line {
    let id = case.row.case.to_string();
    Line {
        path: format!("/register/cases/{id}"),
        name: words.with("case-named", short(&id)),
        state: state(node, words, &case.row.state),
        manager: case.manager.reveal().clone(),
        organisation: case.organisation.clone(),
        since: words.instant(case.row.opened_at),
        over: case.row.state == "erased",
    }
}

/// A company in a few words.
pub(super) fn company_line(words: Words, company: &RecordSummary) -> Line {
    let id = company.row.record.to_string();
    let sole = subject_of(&company.row.subject) == Subject::Person;
    let named = if sole { "sole-trader-named" } else { "company-named" };
    let erased = company.row.state == "erased";
    Line {
        path: format!("/register/companies/{id}"),
        name: words.with(named, short(&id)),
        state: words.t(if erased { "record-erased" } else { "record-active" }),
        manager: String::new(),
        organisation: company.organisation.clone(),
        since: words.instant(company.row.added_at),
        over: erased,
    }
}

/// The state of a case in words.
pub(super) fn state(node: &Node, words: Words, state: &str) -> String {
    match state {
        "erased" => words.t("record-erased"),
        state => node.lists.label("case_state", state, words.lang()),
    }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

/// Which, and from where on.
#[derive(Clone, Default, Deserialize, Serialize)]
pub(in crate::desk) struct Filters {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    after: u64,
}

#[derive(Template)]
#[template(path = "register.html")]
struct Page {
    frame: Frame,
    kind: &'static str,
    people: bool,
    sees_people: bool,
    may_add: bool,
    may_import: bool,
    states: Vec<Choice>,
    erased: bool,
    lines: Vec<Line>,
    next: String,
}

/// The page.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Query(filters): Query<Filters>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor, &filters).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor, filters: &Filters) -> Done<Response> {
    let (operator, words) = (&visitor.operator, visitor.words);
    let sees_people = may(operator.role, operator.class, Action::ReadRecord(Subject::Person));
    let asked = RecordKind::parse(&filters.kind);
    let kind = asked.unwrap_or(if sees_people { RecordKind::Person } else { RecordKind::Company });
    let state = Some(filters.state.clone()).filter(|state| !state.is_empty());
    let query = list::Query { state, after: filters.after, limit: PAGE };
    let (lines, next) = match kind {
        RecordKind::Person => {
            let (cases, next) = list::cases(node, operator, &query).await?;
            (cases.iter().map(|case| case_line(node, words, case)).collect(), next)
        }
        RecordKind::Company => {
            let (companies, next) = list::companies(node, operator, &query).await?;
            (companies.iter().map(|company| company_line(words, company)).collect(), next)
        }
    };
    let next =
        next.map(|after| Filters { after, kind: kind.as_str().to_owned(), ..filters.clone() });
    let next = next.and_then(|next| serde_urlencoded::to_string(&next).ok());
    let page = Page {
        frame: Frame::new(visitor, "register", "/register"),
        kind: kind.as_str(),
        people: kind == RecordKind::Person,
        sees_people,
        may_add: may_with(operator, kind, Action::AddRecord),
        may_import: may_with(operator, kind, Action::ImportRecords),
        states: choices(node, words, "case_state", &filters.state),
        erased: filters.state == "erased",
        lines,
        next: next.map(|query| format!("/register?{query}")).unwrap_or_default(),
    };
    Ok(rendered(&page))
}

/// Whether an operator may do this to records of a kind; of companies, to those of legal
/// persons at least.
pub(super) fn may_with(
    operator: &Operator,
    kind: RecordKind,
    action: fn(Subject) -> Action,
) -> bool {
    let subject = match kind {
        RecordKind::Person => Subject::Person,
        RecordKind::Company => Subject::Company,
    };
    may(operator.role, operator.class, action(subject))
}
