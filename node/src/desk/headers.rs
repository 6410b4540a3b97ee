//! Headers of every answer: nothing is loaded from elsewhere, nothing is framed, nothing that
//! shows a case stays in a cache.

use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Desk;

/// How long browsers use nothing but HTTPS for the desk: a year.
const HTTPS_ONLY: &str = "max-age=31536000";

/// Content Security Policy Level 3.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
     font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 6] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// Where the desk is opened over HTTPS, browsers use nothing else for it from then on (RFC 6797).
pub(super) async fn transport(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    if desk.settings.url.starts_with("https://") {
        let value = HeaderValue::from_static(HTTPS_ONLY);
        answer.headers_mut().insert(header::STRICT_TRANSPORT_SECURITY, value);
    }
    answer
}

/// Adds them.
pub(super) async fn secure(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let kept = HeaderValue::from_static("no-store");
    headers.entry(header::CACHE_CONTROL).or_insert(kept);
    answer
}
