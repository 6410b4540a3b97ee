//! Signing in and out.

use askama::Template;
use axum::Form;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use raccordo_core::account::Password;
use serde::Deserialize;

use super::Desk;
use super::gate;
use super::origin::Origin;
use super::problem::{self, Problem, rendered};
use super::sent::Sent;
use super::words::Words;
use crate::app::account::session;
use crate::app::account::sign_in::{self, SignedIn};
use crate::app::fault::Whose;

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Page {
    words: Words,
    path: String,
    next: String,
    name: String,
    error: String,
    /// Whether people may sign in elsewhere.
    provider: bool,
}

/// Where a link leads after signing in.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// The form.
pub(super) async fn page(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Response {
    let words = Words::of(&headers);
    let next = gate::own_path(&wanted.next).to_owned();
    let (name, error) = (String::new(), String::new());
    let provider = desk.settings.provider.is_some();
    rendered(&Page { words, path: "/sign-in".to_owned(), next, name, error, provider })
}

/// What was typed.
#[derive(Deserialize)]
pub(super) struct Typed {
    name: String,
    password: String,
    code: String,
    #[serde(default)]
    next: String,
}

/// Signs in.
pub(super) async fn sign_in(
    State(desk): State<Desk>,
    origin: Origin,
    headers: HeaderMap,
    Form(typed): Form<Typed>,
) -> Response {
    let words = Words::of(&headers);
    let Typed { name, password, code, next } = typed;
    let next = gate::own_path(&next).to_owned();
    let password = Password::typed(password);
    let given = sign_in::Typed { name: name.clone(), password, code };
    match sign_in::sign_in(&desk.node, given, &gate::browser(&headers, origin)).await {
        Ok(SignedIn { key, devices, .. }) => {
            let cookies = [gate::set_cookie(&key), gate::set_devices(&devices)];
            let cookies = AppendHeaders(cookies.map(|cookie| (header::SET_COOKIE, cookie)));
            (cookies, Redirect::to(&next)).into_response()
        }
        Err(fault) if matches!(fault.whose, Whose::Unauthenticated | Whose::Exhausted) => {
            let error = problem::what(words, &fault);
            let provider = desk.settings.provider.is_some();
            let page = Page { words, path: "/sign-in".to_owned(), next, name, error, provider };
            (problem::status(fault.whose), rendered(&page)).into_response()
        }
        Err(fault) => Problem::new(words, fault).into_response(),
    }
}

/// What a form without fields of its own carries.
#[derive(Deserialize)]
pub(super) struct Nothing {}

/// Signs out.
pub(super) async fn sign_out(
    State(desk): State<Desk>,
    Sent { visitor, .. }: Sent<Nothing>,
) -> Result<Response, Problem> {
    let words = visitor.words;
    let problem = |fault| Problem::new(words, fault);
    session::sign_out(&desk.node, &visitor.operator, &visitor.key).await.map_err(problem)?;
    let headers = [(header::SET_COOKIE, gate::clear_cookie())];
    Ok((StatusCode::SEE_OTHER, headers, Redirect::to("/sign-in")).into_response())
}
