//! Suggestions while a code is typed: options for a list of the page, nothing more.

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::response::Response;

use super::Desk;
use super::gate::Visitor;
use super::inputs::suggested;
use super::problem::rendered;

/// Suggestions for one text.
const SHOWN: usize = 12;

#[derive(Template)]
#[template(
    ext = "html",
    source = "{% for (option, code) in options %}<option value=\"{{ option }}\">{{ code }}</option>{% endfor %}"
)]
struct Options {
    options: Vec<(String, String)>,
}

/// The codes of these lists (names joined by `-`) that fit what was typed; the field is called
/// as it may.
pub(super) async fn options(
    State(desk): State<Desk>,
    visitor: Visitor,
    Path(lists): Path<String>,
    Query(typed): Query<Vec<(String, String)>>,
) -> Response {
    let lists: Vec<&str> = lists.split('-').collect();
    let text = typed.iter().rev().find(|(_, text)| !text.is_empty()).map(|(_, text)| text.trim());
    let options = match text {
        Some(text) => suggested(&desk.node, visitor.words, &lists, text, SHOWN),
        None => Vec::new(),
    };
    rendered(&Options { options })
}
