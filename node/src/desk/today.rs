//! The first page: what is new, what waits for the visitor, what is late; then the newest
//! alerts, and how the équipes stand.

mod answers;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use raccordo_core::operator::Action;

use self::answers::Answer;
use super::Desk;
use super::alerts::{Line, line};
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{Problem, rendered};
use crate::app::account::session::Use;
use crate::app::fault::{Done, Whose};
use crate::app::status::EquipeStatus;
use crate::app::{Node, alerts, today};

/// How many of the newest alerts are shown.
const NEWEST: u32 = 10;

#[derive(Template)]
#[template(path = "today.html")]
struct Page {
    frame: Frame,
    answers: Vec<Answer>,
    newest: Vec<Line>,
    may_read: bool,
    equipes: Vec<Standing>,
}

/// An équipe in a few words.
pub(super) struct Standing {
    /// Its name.
    pub name: String,
    /// How many take part.
    pub members: usize,
    /// Whether alerts go out now.
    pub open: bool,
    /// Alerts that the hub does not have yet.
    pub waiting: u64,
    /// Whether something is wrong that the administrator must look at.
    pub alarms: usize,
}

impl From<&EquipeStatus> for Standing {
    fn from(status: &EquipeStatus) -> Self {
        Self {
            name: status.row.name.clone(),
            members: status.members.len(),
            open: status.sending == "open",
            waiting: status.outbox,
            alarms: status.alarms.len(),
        }
    }
}

/// The page. A person who opens it is at the desk; a page that reads itself again is not.
pub(super) async fn page(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Problem> {
    let words = visitor.words;
    made(&desk.node, &visitor).await.map_err(|fault| Problem::new(words, fault))
}

async fn made(node: &Node, visitor: &Visitor) -> Done<Response> {
    visitor.operator.must(Action::ListEquipes)?;
    if visitor.used == Use::Person {
        today::visited(node, &visitor.operator).await?;
    }
    let search = alerts::Search { limit: NEWEST, used: visitor.used, ..Default::default() };
    let (newest, may_read) = match alerts::newest(node, &visitor.operator, &search).await {
        Ok((views, _)) => (views, true),
        Err(fault) if fault.whose == Whose::Refused => (Vec::new(), false),
        Err(fault) => return Err(fault),
    };
    let today = today::look(node, &visitor.operator).await?;
    let fresh = |view: &alerts::AlertView| {
        view.row.position > today.new.after && view.row.origin != node.identity.node
    };
    let newest = newest.iter();
    let newest =
        newest.map(|view| Line { new: fresh(view), ..line(node, visitor.words, view) }).collect();
    Ok(rendered(&Page {
        frame: Frame::new(visitor, "today", "/"),
        answers: answers::answers(visitor, &today),
        newest,
        may_read,
        equipes: today.late.equipes.iter().map(Into::into).collect(),
    }))
}
