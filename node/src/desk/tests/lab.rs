//! A node in memory, operators who have signed in, and their browsers.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::http::request::Builder;
use axum::http::{Request, header};
use futures::StreamExt as _;
use raccordo_core::account::{Session, SessionKey};
use raccordo_core::id::Digest;
use raccordo_core::time::Clock as _;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;

use crate::app::Node;
use crate::app::audit::Actor;
use crate::app::directory::{self, Operator};
use crate::app::lab::{self, Still};
use crate::desk::Settings;

/// What every browser here calls itself.
const AGENT: &str = "a browser";

/// What a page answered.
pub(in crate::desk) struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

impl Page {
    /// Whether it shows this.
    pub fn says(&self, text: &str) -> bool {
        self.text.contains(text)
    }

    /// Whether it shows this in the part that reads itself again.
    pub fn says_in_its_live_part(&self, text: &str) -> bool {
        let Some((_, rest)) = self.text.split_once("<div id=\"live\"") else { return false };
        let Some((before, _)) = rest.split_once(text) else { return false };
        // One is open before the rest begins.
        before.matches("</div>").count() <= before.matches("<div").count()
    }

    /// Where the page hears of changes.
    pub fn events(&self) -> String {
        let (_, rest) = self.text.split_once("hx-sse:connect=\"").unwrap();
        rest.split_once('"').unwrap().0.to_owned()
    }
}

/// What a page hears.
pub(in crate::desk) struct Events(BodyDataStream);

impl Events {
    /// The mark of the next event; waits for it.
    pub async fn next(&mut self) -> String {
        let event = self.0.next().await.unwrap().unwrap();
        let event = String::from_utf8(event.to_vec()).unwrap();
        let field = |name| event.lines().find_map(|line| line.strip_prefix(name));
        assert_eq!(field("event: "), Some("changed"), "{event}");
        field("id: ").unwrap().to_owned()
    }
}

/// The node `toscana`.
pub(in crate::desk) struct Lab {
    pub node: Arc<Node>,
    router: axum::Router,
}

impl Lab {
    pub async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    /// The same with other settings.
    pub async fn with(settings: Settings) -> Self {
        let node = lab::node("toscana", None).await;
        let router = crate::desk::router(node.clone(), CancellationToken::new(), settings);
        Self { node, router }
    }

    /// All pages.
    pub fn router(&self) -> axum::Router {
        self.router.clone()
    }

    /// A new operator, of an organisation of this class, who has signed in.
    pub async fn operator(&self, name: &str, role: &str, class: &str) -> Browser<'_> {
        let (node, admin) = (&*self.node, Actor::Administrator(0));
        let home = format!("{class} {name}");
        directory::add_organisation(node, admin, &home, class).await.unwrap();
        let added = directory::add_operator(node, admin, name, &home, role).await;
        let (operator, _) = added.unwrap();
        let key = SessionKey::random(&*node.entropy);
        let now = Still.now();
        let session = Session {
            key: key.digest(),
            operator: operator.id,
            agent: Digest::of(AGENT.as_bytes()),
            begun_at: now,
            seen_at: now,
        };
        let mut tx = node.store.write().await.unwrap();
        tx.put_session(session).await.unwrap();
        tx.commit().await.unwrap();
        Browser { lab: self, operator, key, language: "it" }
    }

    /// Actions of the audit, in order.
    pub async fn audit(&self) -> Vec<String> {
        let mut tx = self.node.store.read().await.unwrap();
        let records = tx.audit_after(0, 1_000).await.unwrap();
        let said = |record: raccordo_core::audit::AuditRecord| {
            let purpose = record.event.detail.get("purpose").cloned().unwrap_or_default();
            format!("{} {purpose}", record.event.action).trim().to_owned()
        };
        records.into_iter().map(said).collect()
    }
}

/// The browser of one operator.
pub(in crate::desk) struct Browser<'l> {
    lab: &'l Lab,
    pub operator: Operator,
    key: SessionKey,
    pub language: &'static str,
}

impl Browser<'_> {
    /// Opens a page.
    pub async fn open(&self, path: &str) -> Page {
        self.ask("GET", path, "", String::new()).await
    }

    /// Sends a form with this session's token.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let form = self.token();
        let all: Vec<(&str, &str)> =
            [("form", form.as_str())].into_iter().chain(fields.iter().copied()).collect();
        self.send_bare(path, &all).await
    }

    /// Sends a form as it is.
    pub async fn send_bare(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = serde_urlencoded::to_string(fields).unwrap();
        self.ask("POST", path, "application/x-www-form-urlencoded", body).await
    }

    /// Sends a file with this session's token.
    pub async fn upload(&self, path: &str, file: &str) -> Page {
        let form = self.token();
        let part = |name: &str, content: &str| {
            format!("--b\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{content}\r\n")
        };
        let body = format!("{}{}--b--\r\n", part("form", &form), part("file", file));
        self.ask("POST", path, "multipart/form-data; boundary=b", body).await
    }

    fn token(&self) -> String {
        hex::encode(self.lab.node.vault.index("desk-form", self.key.bytes().reveal()))
    }

    /// Listens where a page does, from the last mark that it has heard.
    pub async fn listen(&self, path: &str, last: Option<&str>) -> Events {
        let request = self.request("GET", path);
        let request = match last {
            Some(mark) => request.header("last-event-id", mark),
            None => request,
        };
        let answer = self.lab.router.clone().oneshot(request.body(Body::empty()).unwrap()).await;
        Events(answer.unwrap().into_body().into_data_stream())
    }

    fn request(&self, method: &str, path: &str) -> Builder {
        let cookie = self.key.text();
        let cookie = format!("__Host-raccordo={}; language={}", cookie.reveal(), self.language);
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::COOKIE, cookie)
            .header(header::USER_AGENT, AGENT)
            .header("sec-fetch-site", "same-origin")
    }

    async fn ask(&self, method: &str, path: &str, kind: &str, body: String) -> Page {
        let request = self.request(method, path).header(header::CONTENT_TYPE, kind);
        let request = request.body(Body::from(body)).unwrap();
        let answer = self.lab.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = answer.into_parts();
        let location = parts.headers.get(header::LOCATION).and_then(|value| value.to_str().ok());
        let text = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        Page {
            status: parts.status.as_u16(),
            location: location.unwrap_or_default().to_owned(),
            text: String::from_utf8(text.to_vec()).unwrap(),
        }
    }
}
