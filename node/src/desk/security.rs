//! Whom to tell of a weakness (RFC 9116).

use std::time::Duration;

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use raccordo_core::time::Instant;

use super::Desk;
use super::problem;

/// How long what is said counts; it is said anew with each request.
const LIFE: Duration = Duration::from_secs(180 * 24 * 3_600);

/// `/.well-known/security.txt`, where somebody is named in the configuration.
pub(super) async fn contacts(State(desk): State<Desk>, headers: HeaderMap) -> Response {
    if desk.settings.security_contacts.is_empty() {
        return problem::nowhere(headers).await;
    }
    let text = text(&desk.settings.security_contacts, &desk.settings.url, desk.node.clock.now());
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response()
}

fn text(contacts: &[String], url: &str, now: Instant) -> String {
    let mut lines: Vec<String> =
        contacts.iter().map(|contact| format!("Contact: {contact}")).collect();
    // To the day: the text is the same for everybody who asks on one.
    let expires = now.plus(LIFE).date();
    lines.push(format!("Expires: {expires}T00:00:00Z"));
    lines.push("Preferred-Languages: it, en".to_owned());
    if url.starts_with("https://") {
        lines.push(format!("Canonical: {url}/.well-known/security.txt"));
    }
    lines.push(String::new());
    lines.join("\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_of_the_rfc() {
        let contacts =
            ["mailto:security@example.org".to_owned(), "https://example.org/s".to_owned()];
        let now = Instant(1_790_000_000_000);
        assert_eq!(
            text(&contacts, "https://desk.example.org", now),
            "Contact: mailto:security@example.org\r\nContact: https://example.org/s\r\n\
             Expires: 2027-03-20T00:00:00Z\r\nPreferred-Languages: it, en\r\n\
             Canonical: https://desk.example.org/.well-known/security.txt\r\n"
        );
        assert!(!text(&contacts, "http://127.0.0.1:1", now).contains("Canonical"));
    }
}
