//! What the tasks of one hub share: the link, whether it stands, and when to stop.

use std::sync::Arc;
use std::time::Duration;

use raccordo_core::id::NodeId;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::link::Feed;
use crate::app::Node;

/// A hub as its tasks see it.
#[derive(Clone)]
pub(super) struct Line {
    pub(super) node: Arc<Node>,
    pub(super) hub: NodeId,
    pub(super) link: Arc<dyn Feed>,
    /// Whether the subscription stands; calls wait for it, so that a hub that is away is
    /// dialled by one task and not by all.
    pub(super) stands: watch::Receiver<bool>,
    pub(super) stop: CancellationToken,
}

/// Whether a task goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Up {
    /// The subscription stands.
    Yes,
    /// The task is to end.
    Stop,
}

impl Line {
    /// Waits until the subscription stands.
    pub(super) async fn up(&self) -> Up {
        let mut stands = self.stands.clone();
        let stood = tokio::select! {
            biased;
            () = self.stop.cancelled() => return Up::Stop,
            stood = stands.wait_for(|stands| *stands) => stood.is_ok(),
        };
        if stood { Up::Yes } else { Up::Stop }
    }

    /// Waits, at most until told to stop.
    pub(super) async fn pause(&self, span: Duration) {
        tokio::select! {
            () = tokio::time::sleep(span) => {}
            () = self.stop.cancelled() => {}
        }
    }
}
