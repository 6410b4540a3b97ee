//! What somebody sees when something did not happen: what, whether anything was lost, what to
//! do, and a number under which the log has it.

use askama::Template;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};

use super::words::Words;
use crate::app::fault::{Fault, Whose};

/// A page about a fault.
pub(super) struct Problem {
    words: Words,
    fault: Fault,
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Page {
    words: Words,
    /// Where the switch of the language leads: the page that failed may have been a change.
    path: &'static str,
    what: String,
    next: String,
    number: String,
}

impl Problem {
    /// The page of a fault.
    pub fn new(words: Words, fault: Fault) -> Self {
        Self { words, fault }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let Self { words, fault } = self;
        let number = uuid::Uuid::new_v4().simple().to_string();
        let number = number.get(..8).unwrap_or_default().to_owned();
        let (whose, reason) = (fault.whose, fault.reason);
        if whose == Whose::Ours {
            tracing::error!(operation = number, reason, message = fault.message, "desk");
        } else {
            tracing::info!(operation = number, reason, ?whose, "desk");
        }
        let (what, next) = (what(words, &fault), next(words, &fault));
        let page = Page { words, path: "/", what, next, number };
        (status(whose), rendered(&page)).into_response()
    }
}

/// A sentence about a fault: its own where there is one, else one for faults of its kind.
pub(super) fn what(words: Words, fault: &Fault) -> String {
    words
        .maybe(&format!("fault-{}", fault.reason.replace('_', "-")))
        .unwrap_or_else(|| words.t(general(fault.whose)))
}

/// The next step.
fn next(words: Words, fault: &Fault) -> String {
    words
        .maybe(&format!("next-{}", fault.reason.replace('_', "-")))
        .unwrap_or_else(|| words.t("next"))
}

fn general(whose: Whose) -> &'static str {
    match whose {
        Whose::Usage => "fault-usage",
        Whose::Unauthenticated => "fault-unauthenticated",
        Whose::Refused => "fault-refused",
        Whose::NotFound => "fault-not-found",
        Whose::Conflict => "fault-conflict",
        Whose::Exhausted => "fault-exhausted",
        Whose::Unavailable => "fault-unavailable",
        Whose::Ours => "fault-ours",
    }
}

/// The status of an answer (RFC 9110 §15).
pub(super) fn status(whose: Whose) -> StatusCode {
    match whose {
        Whose::Usage => StatusCode::UNPROCESSABLE_ENTITY,
        Whose::Unauthenticated => StatusCode::UNAUTHORIZED,
        Whose::Refused => StatusCode::FORBIDDEN,
        Whose::NotFound => StatusCode::NOT_FOUND,
        Whose::Conflict => StatusCode::CONFLICT,
        Whose::Exhausted => StatusCode::TOO_MANY_REQUESTS,
        Whose::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Whose::Ours => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The text of a page; a template that fails is our own fault.
pub(super) fn rendered(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).into_response(),
        Err(error) => {
            tracing::error!(%error, "a page could not be made");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// No page has this address.
pub(super) async fn nowhere(headers: HeaderMap) -> Response {
    let fault = Fault::not_found("no_such_page", "no page has this address");
    Problem::new(Words::of(&headers), fault).into_response()
}
