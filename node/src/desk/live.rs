//! Tells open pages that something has changed, by server-sent events (HTML, §9.2): no
//! content, only that the page is to be read again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;
use serde::Deserialize;
use uuid::Uuid;

use super::Desk;
use super::gate::Visitor;
use crate::app::account::session::{self, Use};
use crate::app::signals::Topic;

/// Changes within this time are told once.
const TOGETHER: Duration = Duration::from_millis(300);

/// How far the node had come when somebody asked for a page: one of this run, and not of the
/// run before a restart.
pub(super) fn mark(desk: &Desk) -> String {
    marked(desk.run, desk.node.signals.count(Topic::Objects))
}

fn marked(run: Uuid, changes: u64) -> String {
    format!("{}-{changes}", run.simple())
}

/// What a page asks for.
#[derive(Deserialize)]
pub(super) struct Asked {
    /// The mark of the page: what changed after it, and before the page listened, is told too.
    #[serde(default)]
    since: String,
}

/// One event for any number of changes, until the session or the node ends. Its id is the mark
/// from which a browser goes on that was cut off, or whose window was hidden.
pub(super) async fn events(
    State(desk): State<Desk>,
    visitor: Visitor,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let mut changes = desk.node.signals.listen(Topic::Objects);
    let now = marked(desk.run, *changes.borrow_and_update());
    let missed = now != last.unwrap_or(&asked.since);
    let state = (desk, visitor, changes, missed);
    let stream = futures::stream::unfold(state, |state| async move {
        let (desk, visitor, mut changes, missed) = state;
        let changed = async {
            if !missed {
                changes.changed().await.ok()?;
            }
            tokio::time::sleep(TOGETHER).await;
            let mark = marked(desk.run, *changes.borrow_and_update());
            let key = (&visitor.key, &visitor.agent);
            let still = session::resume(&desk.node, key.0, key.1, Use::Background).await;
            still.ok().flatten().map(|_| mark)
        };
        let mark = tokio::select! {
            mark = changed => mark,
            () = desk.stop.cancelled() => None,
        };
        let event = Event::default().event("changed").id(mark?).data("1");
        Some((Ok(event), (desk, visitor, changes, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
