//! The desk: pages for the people of an équipe, in Italian first.
//!
//! Handlers hold no decisions: they read a form, call one use case, and show a page. Every
//! page works without scripts. What peers and people wrote is escaped by the templates.
//!
//! - one file for each page: [`sign_in`], [`provider`], [`activate`], [`today`], [`alerts`],
//!   [`share`], [`matches`], [`register`], [`map`], [`links`], [`equipe`], [`activity`],
//!   [`email_notices`], [`health`]
//! - forms of codes: [`inputs`], [`codes`]
//! - around all pages: [`gate`] (who it is, and forged requests), [`origin`] (from where),
//!   [`sent`] (own forms), [`headers`], [`frame`], [`words`], [`escape`], [`problem`], [`live`],
//!   [`assets`], [`security`]

mod activate;
mod activity;
mod alerts;
mod assets;
mod codes;
mod email_notices;
mod equipe;
mod escape;
mod frame;
mod gate;
mod headers;
mod health;
mod inputs;
mod links;
mod live;
mod map;
mod matches;
mod origin;
mod problem;
mod provider;
mod register;
mod security;
mod sent;
mod share;
mod sign_in;
#[cfg(test)]
mod tests;
mod today;
mod words;

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::app::Node;
use crate::app::account::provider::Provider;

/// Largest form, in bytes.
const FORM_BYTES_MAX: usize = 256 * 1024;

/// What is set of the desk.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    /// Where people may also sign in.
    pub provider: Option<Arc<dyn Provider>>,
    /// Whether people can be told by e-mail.
    pub email: bool,
    /// Under which people open the desk, without a slash at the end.
    pub url: String,
    /// Web servers on other machines that hand requests on, and say from where.
    pub proxies: Vec<IpAddr>,
    /// Whom to tell of a weakness, as URIs; nothing is said where there are none.
    pub security_contacts: Vec<String>,
}

/// What the pages need.
#[derive(Clone)]
pub(crate) struct Desk {
    node: Arc<Node>,
    stop: CancellationToken,
    settings: Arc<Settings>,
    uploads: register::Uploads,
    /// Tells this run of the node from others.
    run: Uuid,
}

/// All pages; what streams ends when `stop` is cancelled.
pub(crate) fn router(node: Arc<Node>, stop: CancellationToken, settings: Settings) -> Router {
    let run = Uuid::new_v4();
    let settings = Arc::new(settings);
    let desk = Desk { node, stop, settings, uploads: Default::default(), run };
    let transport = middleware::from_fn_with_state(desk.clone(), headers::transport);
    Router::new()
        .route("/", get(today::page))
        .route("/sign-in", get(sign_in::page).post(sign_in::sign_in))
        .route("/sign-in/provider", get(provider::leave))
        .route("/sign-in/provider/done", get(provider::come_back))
        .route("/sign-out", post(sign_in::sign_out))
        .route("/language", post(words::choose))
        .route("/activate/{link}", get(activate::page).post(activate::activate))
        .route("/activate/{link}/provider", get(provider::activate))
        .route("/.well-known/security.txt", get(security::contacts))
        .route("/alerts", get(alerts::list))
        .route("/alerts/{id}", get(alerts::show))
        .route("/alerts/{id}/withdraw", post(alerts::withdraw))
        .route("/share", get(share::choose))
        .route("/share/{kind}", get(share::page).post(share::share))
        .route("/share/{kind}/draft", post(share::keep))
        .route("/codes/{lists}", get(codes::options))
        .merge(register::routes())
        .route("/map", get(map::page))
        .route("/links", get(links::page))
        .route("/activity", get(activity::page))
        .route("/node", get(health::page))
        .route("/matches", get(matches::list))
        .route("/matches/{id}", get(matches::show))
        .route("/matches/{id}/decide", post(matches::decide))
        .route("/equipes/{name}", get(equipe::page))
        .route("/notices", get(email_notices::page).post(email_notices::choose))
        .route("/events", get(live::events))
        .route("/assets/{*name}", get(assets::asset))
        .fallback(problem::nowhere)
        .layer(middleware::from_fn(gate::same_origin))
        .layer(DefaultBodyLimit::max(FORM_BYTES_MAX))
        .layer(middleware::from_fn(headers::secure))
        .layer(transport)
        .with_state(desk)
}
