//! Whether and where somebody is told by e-mail that there is something new.

use askama::Template;
use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::Desk;
use super::frame::Frame;
use super::gate::Visitor;
use super::problem::{self, Problem, rendered};
use super::sent::Sent;
use crate::app::account::email_notice;
use crate::app::fault::Whose;

#[derive(Template)]
#[template(path = "email_notices.html")]
struct Page {
    frame: Frame,
    /// Whether this node sends e-mail at all.
    served: bool,
    address: String,
    error: String,
}

impl Page {
    fn new(desk: &Desk, visitor: &Visitor, address: String, error: String) -> Self {
        let frame = Frame::new(visitor, "notices", "/notices");
        Self { frame, served: desk.settings.email, address, error }
    }
}

/// The form.
pub(super) async fn page(State(desk): State<Desk>, visitor: Visitor) -> Result<Response, Problem> {
    let words = visitor.words;
    let kept = email_notice::address(&desk.node, &visitor.operator).await;
    let kept = kept.map_err(|fault| Problem::new(words, fault))?;
    let address = kept.map(|address| address.reveal().clone()).unwrap_or_default();
    Ok(rendered(&Page::new(&desk, &visitor, address, String::new())))
}

/// What was typed.
#[derive(Deserialize)]
pub(super) struct Typed {
    #[serde(default)]
    address: String,
}

/// Keeps it.
pub(super) async fn choose(
    State(desk): State<Desk>,
    Sent { visitor, fields: typed }: Sent<Typed>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    match email_notice::choose(&desk.node, &visitor.operator, &typed.address).await {
        Ok(()) => Ok(Redirect::to("/notices").into_response()),
        Err(fault) if fault.whose == Whose::Usage => {
            let page = Page::new(&desk, &visitor, typed.address, problem::what(words, &fault));
            Ok((problem::status(fault.whose), rendered(&page)).into_response())
        }
        Err(fault) => Err(Problem::new(words, fault)),
    }
}
