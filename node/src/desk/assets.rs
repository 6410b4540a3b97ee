//! Files that pages load: built into the program, from this project and, where npm was there
//! when it was built, from Bootstrap Italia and htmx.

use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use raccordo_core::id::Digest;

/// Name, type and content.
type File = (&'static str, &'static str, &'static [u8]);

const BUNDLED: &[File] = include!(concat!(env!("OUT_DIR"), "/bundled.rs"));
const OWN: &[File] = &[
    ("desk.css", "text/css; charset=utf-8", include_bytes!("../../assets/desk.css")),
    ("typeface.css", "text/css; charset=utf-8", include_bytes!("../../assets/typeface.css")),
    ("plain.css", "text/css; charset=utf-8", include_bytes!("../../assets/plain.css")),
];

/// The first style sheet of every page: Bootstrap Italia, or one of our own in its place.
pub(super) fn style() -> &'static str {
    if BUNDLED.is_empty() { "plain.css" } else { "css/bootstrap-italia.min.css" }
}

/// Whether Bootstrap Italia and htmx are built in; pages work without.
pub(super) fn is_bundled() -> bool {
    !BUNDLED.is_empty()
}

/// One file by its name; a browser that has it is told so (RFC 9110 §13.1.2).
pub(super) async fn asset(Path(name): Path<String>, asked: HeaderMap) -> Response {
    let found = OWN.iter().chain(BUNDLED).find(|(known, ..)| *known == name);
    let Some((_, kind, content)) = found else { return StatusCode::NOT_FOUND.into_response() };
    let tag = format!("\"{}\"", Digest::of(content));
    let Ok(tag) = HeaderValue::from_str(&tag) else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kept = HeaderValue::from_static("public, max-age=3600");
    let known = asked.get(header::IF_NONE_MATCH) == Some(&tag);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, kept),
        (header::ETAG, tag),
    ];
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, *content).into_response()
}
