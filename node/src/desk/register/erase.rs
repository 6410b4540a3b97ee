//! Erasing a person or company: asked once more, since nothing brings it back.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::operator::Action;
use serde::Deserialize;

use super::show::{Which, head};
use crate::app::fault::{Done, Fault};
use crate::app::register::erase;
use crate::desk::Desk;
use crate::desk::frame::Frame;
use crate::desk::gate::Visitor;
use crate::desk::problem::{Problem, rendered};
use crate::desk::sent::Sent;

#[derive(Template)]
#[template(path = "register_erase.html")]
struct Page {
    frame: Frame,
    people: bool,
    name: String,
    path: String,
}

/// What will happen.
pub(in crate::desk) async fn page(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path((kind, id)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        let which = Which::parse(&kind, &id)?;
        let head = head(&desk.node, &visitor, which).await?;
        visitor.operator.must(Action::EraseRecord(head.subject))?;
        let frame = Frame::new(&visitor, "register", format!("{}/erase", which.path()));
        let people = matches!(which, Which::Case(_));
        Ok(rendered(&Page { frame, people, name: head.line.name, path: which.path() }))
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}

/// What confirms it.
#[derive(Deserialize)]
pub(in crate::desk) struct Sure {
    #[serde(default)]
    sure: String,
}

/// Erases.
pub(in crate::desk) async fn erase(
    State(desk): State<Desk>,
    Path((kind, id)): Path<(String, String)>,
    Sent { visitor, fields: asked }: Sent<Sure>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let done: Done<Response> = async {
        if asked.sure != "yes" {
            return Err(Fault::usage("not_confirmed", "the box that confirms was not ticked"));
        }
        let which = Which::parse(&kind, &id)?;
        match which {
            Which::Case(id) => {
                erase::person_of(&desk.node, &visitor.operator, id).await?;
            }
            Which::Company(id) => erase::company(&desk.node, &visitor.operator, id).await?,
        }
        Ok(Redirect::to(&which.path()).into_response())
    }
    .await;
    done.map_err(|fault| Problem::new(words, fault))
}
