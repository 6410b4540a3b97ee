//! Signing in through the region's identity provider, and activating an account with it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::origin::Origin;
use super::problem::{Problem, rendered};
use super::words::Words;
use super::{Desk, gate};
use crate::app::account::provider::{self, Aim, Provider, Return};
use crate::app::fault::{Done, Fault};

/// The cookie that waits for somebody to come back. The way back is a link of another site, so
/// unlike the session's it is sent along then (`SameSite=Lax`).
const COOKIE: &str = "__Host-raccordo-provider";

/// Where a link leads after signing in.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    next: String,
}

/// Sends somebody to the provider, to sign in.
pub(super) async fn leave(
    State(desk): State<Desk>,
    origin: Origin,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let aim = Aim::SignIn(gate::own_path(&wanted.next).to_owned());
    let left = send(&desk, aim, origin).await;
    left.map_err(|fault| Problem::new(Words::of(&headers), fault))
}

/// Sends somebody to the provider, to be bound to the operator of a link.
pub(super) async fn activate(
    State(desk): State<Desk>,
    origin: Origin,
    headers: HeaderMap,
    Path(link): Path<String>,
) -> Result<Response, Problem> {
    let left = send(&desk, Aim::Activate(link), origin).await;
    left.map_err(|fault| Problem::new(Words::of(&headers), fault))
}

async fn send(desk: &Desk, aim: Aim, Origin(from): Origin) -> Done<Response> {
    let provider = provider_of(desk)?;
    let (address, kept) = provider::leave(&desk.node, &*provider, aim, from).await?;
    let cookie = format!("{COOKIE}={kept}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=600");
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(&address)).into_response())
}

/// What the provider sends along.
#[derive(Deserialize)]
pub(super) struct Answer {
    #[serde(default)]
    code: String,
    #[serde(default)]
    state: String,
}

#[derive(Template)]
#[template(path = "signed_in.html")]
struct Page {
    words: Words,
    path: String,
    next: String,
}

/// Somebody is back. The page leads on by itself: the browser would not send the session's
/// cookie along on a way that another site began.
pub(super) async fn come_back(
    State(desk): State<Desk>,
    Origin(from): Origin,
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    let problem = |fault| Problem::new(words, fault);
    let provider = provider_of(&desk).map_err(problem)?;
    let cookie = gate::cookie(&headers, COOKIE).unwrap_or_default().to_owned();
    let back = Return { cookie, code: answer.code, state: answer.state };
    let agent = gate::agent(&headers);
    let done = provider::come_back(&desk.node, &*provider, back, from, agent).await;
    let (_, key, next) = done.map_err(problem)?;
    let forget = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    let cookies = [(header::SET_COOKIE, gate::set_cookie(&key)), (header::SET_COOKIE, forget)];
    let refresh = [(HeaderName::from_static("refresh"), format!("0; url={next}"))];
    let page = Page { words, path: "/".to_owned(), next };
    Ok((AppendHeaders(cookies), refresh, rendered(&page)).into_response())
}

fn provider_of(desk: &Desk) -> Done<Arc<dyn Provider>> {
    let none = || Fault::not_found("no_such_page", "this desk has no identity provider");
    desk.settings.provider.clone().ok_or_else(none)
}
