//! The page behind a link: the operator chooses a password and sets up the one-time codes.

use askama::Template;
use axum::Form;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Redirect, Response};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Deserialize;

use super::Desk;
use super::problem::{self, Problem, rendered};
use super::words::Words;
use crate::app::account::activate::{self, Activation};
use crate::app::fault::{Done, Fault, Whose};

/// Side of the picture, in pixels, at least.
const PICTURE_MIN: u32 = 220;

#[derive(Template)]
#[template(path = "activate.html")]
struct Page {
    words: Words,
    path: String,
    name: String,
    picture: String,
    seed: String,
    error: String,
    /// Whether the account may be bound to a person elsewhere instead.
    provider: bool,
}

/// The form.
pub(super) async fn page(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    shown(&desk, words, &link, String::new()).await.map_err(|fault| Problem::new(words, fault))
}

/// What was typed.
#[derive(Deserialize)]
pub(super) struct Typed {
    password: String,
    again: String,
    code: String,
}

/// Activates the account.
pub(super) async fn activate(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Path(link): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    let problem = |fault| Problem::new(words, fault);
    let Typed { password, again, code } = typed;
    let done = if password == again {
        activate::activate(&desk.node, &link, password, &code).await
    } else {
        Err(Fault::usage("password_differs", "the two passwords differ"))
    };
    match done {
        Ok(_) => Ok(Redirect::to("/sign-in").into_response()),
        Err(fault) if fault.whose == Whose::Usage => {
            let error = problem::what(words, &fault);
            let page = shown(&desk, words, &link, error).await.map_err(problem)?;
            Ok((problem::status(fault.whose), page).into_response())
        }
        Err(fault) => Err(problem(fault)),
    }
}

async fn shown(desk: &Desk, words: Words, link: &str, error: String) -> Done<Response> {
    let Activation { operator, seed } = activate::look(&desk.node, link).await?;
    let name = operator.name.reveal().clone();
    let failed = |cause: &dyn std::fmt::Display| Fault::ours("seed", cause);
    let address = seed.address(&name).map_err(|cause| failed(&cause))?;
    let code = QrCode::new(address.reveal()).map_err(|cause| failed(&cause))?;
    let picture = code.render::<svg::Color<'_>>().min_dimensions(PICTURE_MIN, PICTURE_MIN).build();
    // The declaration of XML has no place inside a page.
    let picture = picture.find("<svg").map_or("", |start| picture.get(start..).unwrap_or_default());
    let seed = seed.text().map_err(|cause| failed(&cause))?;
    let page = Page {
        words,
        path: format!("/activate/{link}"),
        name,
        picture: picture.to_owned(),
        seed: seed.reveal().clone(),
        error,
        provider: desk.settings.provider.is_some(),
    };
    Ok(rendered(&page))
}
