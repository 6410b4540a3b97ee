//! Files that pages load: built into the program.

use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

const STYLE: &str = include_str!("../../assets/desk.css");

/// One file by its name.
pub(super) async fn asset(Path(name): Path<String>) -> Response {
    match name.as_str() {
        "desk.css" => {
            let headers = [
                (header::CONTENT_TYPE, "text/css; charset=utf-8"),
                (header::CACHE_CONTROL, "public, max-age=600"),
            ];
            (headers, STYLE).into_response()
        }
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}
