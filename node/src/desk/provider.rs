//! Signing in through the region's identity provider.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use serde::Deserialize;

use super::problem::{Problem, rendered};
use super::words::Words;
use super::{Desk, gate};
use crate::app::account::provider::{self, Provider, Return};
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

/// Sends somebody to the provider.
pub(super) async fn leave(
    State(desk): State<Desk>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, Problem> {
    let problem = |fault| Problem::new(Words::of(&headers), fault);
    let provider = provider_of(&desk).map_err(problem)?;
    let next = gate::own_path(&wanted.next);
    let (address, kept) = provider::leave(&desk.node, &*provider, next).await.map_err(problem)?;
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
    headers: HeaderMap,
    Query(answer): Query<Answer>,
) -> Result<Response, Problem> {
    let words = Words::of(&headers);
    let problem = |fault| Problem::new(words, fault);
    let provider = provider_of(&desk).map_err(problem)?;
    let cookie = gate::cookie(&headers, COOKIE).unwrap_or_default().to_owned();
    let back = Return { cookie, code: answer.code, state: answer.state };
    let agent = gate::agent(&headers);
    let done = provider::come_back(&desk.node, &*provider, back, agent).await;
    let (_, key, next) = done.map_err(problem)?;
    let forget = format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0");
    let cookies = [(header::SET_COOKIE, gate::set_cookie(&key)), (header::SET_COOKIE, forget)];
    let refresh = [(HeaderName::from_static("refresh"), format!("0; url={next}"))];
    let page = Page { words, path: "/".to_owned(), next };
    Ok((AppendHeaders(cookies), refresh, rendered(&page)).into_response())
}

fn provider_of(desk: &Desk) -> Done<Arc<dyn Provider>> {
    let none = || Fault::not_found("no_such_page", "this desk has no identity provider");
    desk.provider.clone().ok_or_else(none)
}
