//! Tells open pages that something has changed, by server-sent events (HTML, §9.2): no
//! content, only that the page is to be read again.

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::Stream;

use super::Desk;
use super::gate::Visitor;
use crate::app::account::session::{self, Use};
use crate::app::signals::Topic;

/// Changes within this time are told once.
const TOGETHER: Duration = Duration::from_millis(300);

/// One event for any number of changes, until the session or the node ends.
pub(super) async fn events(
    State(desk): State<Desk>,
    visitor: Visitor,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let changes = desk.node.signals.listen(Topic::Objects);
    let stream = futures::stream::unfold((desk, visitor, changes), |state| async move {
        let (desk, visitor, mut changes) = state;
        let changed = async {
            changes.changed().await.ok()?;
            tokio::time::sleep(TOGETHER).await;
            changes.mark_unchanged();
            let key = (&visitor.key, &visitor.agent);
            let still = session::resume(&desk.node, key.0, key.1, Use::Background).await;
            still.ok().flatten()
        };
        let stopped = tokio::select! {
            still = changed => still.is_none(),
            () = desk.stop.cancelled() => true,
        };
        if stopped {
            return None;
        }
        let event = Event::default().event("changed").data("1");
        Some((Ok(event), (desk, visitor, changes)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
}
