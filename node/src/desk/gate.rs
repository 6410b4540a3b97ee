//! Who asks for a page, and whether a change was asked for on a page of this desk.

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use raccordo_core::account::SessionKey;
use raccordo_core::id::Digest;
use raccordo_core::secret::Secret;

use super::origin::Origin;
use super::problem::Problem;
use super::words::Words;
use super::{Desk, live};
use crate::app::account::session::{self, Use};
use crate::app::account::sign_in::Browser;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault, Whose};

/// The cookie that holds the session key (RFC 6265bis §4.1.3.2): sent by browsers only over a
/// secure connection or to this machine, to this host and no other.
const COOKIE: &str = "__Host-raccordo";
/// The cookie that says in which browsers whom has signed in before: as [`COOKIE`], and kept.
const DEVICES: &str = "__Host-raccordo-device";
/// Purpose of the keyed digest that shows that a form is of this session's pages.
const FORM_PURPOSE: &str = "desk-form";

/// An operator who has signed in.
pub(super) struct Visitor {
    /// Who.
    pub operator: Operator,
    /// The session.
    pub key: SessionKey,
    /// What the browser says of itself.
    pub agent: Digest,
    /// The language of the pages.
    pub words: Words,
    /// How far the node had come before anything was read for the page.
    pub mark: String,
    /// Whether a person asks, or a page that reads itself again.
    pub used: Use,
    form: String,
}

impl Visitor {
    /// What every form of this session carries; secret.
    pub fn form_token(&self) -> &str {
        &self.form
    }

    /// Passes if a form is of this session's pages.
    ///
    /// # Errors
    /// `forged_form`.
    pub fn must_be_of_form(&self, token: &str) -> Done<()> {
        let right = Digest::of(self.form.as_bytes()) == Digest::of(token.as_bytes());
        right.then_some(()).ok_or_else(forged)
    }
}

impl FromRequestParts<Desk> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        let words = Words::of(&parts.headers);
        let Some(key) = session_key(&parts.headers) else { return Err(sign_in_first(parts)) };
        let agent = agent(&parts.headers);
        let mark = live::mark(desk);
        let used = used(&parts.headers);
        let found = session::resume(&desk.node, &key, &agent, used).await;
        match found {
            Ok(Some(operator)) => {
                let form = desk.node.vault.index(FORM_PURPOSE, key.bytes().reveal());
                Ok(Self { operator, key, agent, words, mark, used, form: hex::encode(form) })
            }
            Ok(None) => Err(sign_in_first(parts)),
            Err(fault) => Err(Problem::new(words, fault).into_response()),
        }
    }
}

/// Pages read themselves again through htmx, which says so; people follow links.
pub(super) fn used(headers: &HeaderMap) -> Use {
    if headers.contains_key("hx-request") { Use::Background } else { Use::Person }
}

/// After signing in, a page that was asked for is shown; a change is not repeated.
fn sign_in_first(parts: &Parts) -> Response {
    let wanted = (parts.method == Method::GET).then(|| parts.uri.path());
    match wanted.filter(|path| *path != "/") {
        Some(path) => Redirect::to(&format!("/sign-in?next={path}")).into_response(),
        None => Redirect::to("/sign-in").into_response(),
    }
}

/// The path to go on to after signing in: one of this desk, whatever a link says.
pub(super) fn own_path(asked: &str) -> &str {
    let own = asked.starts_with('/')
        && !asked.starts_with("//")
        && asked.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-_.".contains(&byte));
    if own { asked } else { "/" }
}

/// The key in the cookie.
pub(super) fn session_key(headers: &HeaderMap) -> Option<SessionKey> {
    SessionKey::parse(cookie(headers, COOKIE)?)
}

/// The value of a cookie.
pub(super) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|it| it.split_once('='));
    pairs.find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())
}

/// Sets the cookie for as long as the browser runs; the node ends the session earlier.
pub(super) fn set_cookie(key: &SessionKey) -> String {
    format!("{COOKIE}={}; Path=/; Secure; HttpOnly; SameSite=Strict", key.text().reveal())
}

/// Removes the cookie.
pub(super) fn clear_cookie() -> String {
    format!("{COOKIE}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0")
}

/// The browser of a request, as far as it says something of itself.
pub(super) fn browser(headers: &HeaderMap, Origin(address): Origin) -> Browser {
    let devices = cookie(headers, DEVICES).unwrap_or_default().to_owned();
    Browser { address, agent: agent(headers), devices: Secret::new(devices) }
}

/// Keeps the cookie that makes a browser known, for half a year.
pub(super) fn set_devices(devices: &Secret<String>) -> String {
    let devices = devices.reveal();
    format!("{DEVICES}={devices}; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=15552000")
}

/// Of what the browser says of itself.
pub(super) fn agent(headers: &HeaderMap) -> Digest {
    let said = headers.get(header::USER_AGENT).map_or(&b""[..], |value| value.as_bytes());
    Digest::of(said)
}

/// Refuses changes that another site asks for (Fetch Metadata; for older browsers `Origin`).
pub(super) async fn same_origin(request: Request, next: Next) -> Response {
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if reads || is_own(request.headers()) {
        return next.run(request).await;
    }
    let words = Words::of(request.headers());
    let mut answer = Problem::new(words, forged()).into_response();
    *answer.status_mut() = StatusCode::FORBIDDEN;
    answer
}

fn is_own(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    let host = text("host").unwrap_or_default();
    let origin = text("origin").and_then(|origin| origin.split_once("://"));
    origin.is_some_and(|(_, from)| !host.is_empty() && from == host)
}

fn forged() -> Fault {
    Fault::new(Whose::Refused, "forged_form", "this form is not of a page of this session")
        .hint("open the page again, and send the form from there")
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), value.parse().unwrap())
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn next_is_a_path_of_this_desk() {
        let check = |asked: &str, expected: &str| assert_eq!(own_path(asked), expected);
        check("/alerts/0190", "/alerts/0190");
        check("/", "/");
        check("", "/");
        check("//evil.example", "/");
        check("/\\evil.example", "/");
        check("https://evil.example/", "/");
        check("javascript:alert(1)", "/");
        check("/alerts?x=%0d%0a", "/");
    }

    #[test]
    fn whose_page_asked() {
        let check = |pairs: &[(&'static str, &str)], own: bool| {
            assert_eq!(is_own(&headers(pairs)), own, "{pairs:?}");
        };
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "none")], false);
        check(&[("host", "desk:1"), ("origin", "https://desk:1")], true);
        check(&[("host", "desk:1"), ("origin", "https://evil")], false);
        check(&[("host", "desk:1"), ("origin", "null")], false);
        check(&[("host", "desk:1")], false);
    }

    #[test]
    fn cookies_are_found() {
        let found = headers(&[("cookie", "a=b; __Host-raccordo=key; lang=en")]);
        assert_eq!(cookie(&found, COOKIE), Some("key"));
        assert_eq!(cookie(&found, "lang"), Some("en"));
        assert_eq!(cookie(&found, "Host-raccordo"), None);
        assert!(session_key(&found).is_none());
    }
}
