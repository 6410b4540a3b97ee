//! A watcher's stream: alerts that are here, if wished, and every change afterwards.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use raccordo_core::id::ObjectId;
use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1::{AlertRecord, WatchAlertsRequest, WatchAlertsResponse};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::caller::Callers;
use super::record;
use crate::api::stopping;
use crate::app::Node;
use crate::app::alerts::{self, AlertView, Listing, Place, Query};
use crate::app::delivery::Delivery;
use crate::app::fault::Done;
use crate::app::signals::Topic;

/// Alerts opened at once.
const STEP: u32 = 100;
/// How long changes gather before they are looked for: each look reads the équipe's alerts.
const GATHER: Duration = Duration::from_millis(200);

/// What a watcher has been told of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Told {
    version: u64,
    state: String,
    delivery: Delivery,
}

/// A watcher.
pub struct Watch {
    node: Arc<Node>,
    callers: Arc<Callers>,
    token: Secret<String>,
    query: Query,
    told: BTreeMap<ObjectId, Told>,
    ready: VecDeque<AlertRecord>,
    changes: watch::Receiver<u64>,
    /// Whether alerts after `query.after` are still to be looked at.
    looking: bool,
    stop: CancellationToken,
}

impl Watch {
    /// Begins to listen, and looks at what is here already.
    ///
    /// # Errors
    /// `wrong_token`, `role_not_allowed`, `no_such_equipe`.
    pub async fn begin(
        node: Arc<Node>,
        callers: Arc<Callers>,
        token: Secret<String>,
        asked: WatchAlertsRequest,
        stop: CancellationToken,
    ) -> Done<Self> {
        let changes = node.signals.listen(Topic::Objects);
        let mut watch = Self {
            node,
            callers,
            token,
            query: Query { equipe: asked.equipe, limit: STEP, ..Query::default() },
            told: BTreeMap::new(),
            ready: VecDeque::new(),
            changes,
            looking: true,
            stop,
        };
        watch.look(asked.include_existing).await?;
        while watch.looking && !asked.include_existing {
            watch.look(false).await?;
        }
        Ok(watch)
    }

    /// The changes, until the first fault.
    pub fn stream(self) -> impl Stream<Item = Result<WatchAlertsResponse, Status>> + Send {
        stream::try_unfold(self, |mut watch| async move {
            let alert = watch.next().await?;
            Ok(Some((WatchAlertsResponse { alert: Some(alert) }, watch)))
        })
    }

    async fn next(&mut self) -> Done<AlertRecord> {
        loop {
            if let Some(alert) = self.ready.pop_front() {
                return Ok(alert);
            }
            if self.looking {
                self.look(true).await?;
                continue;
            }
            tokio::select! {
                _ = self.changes.changed() => sleep(GATHER).await,
                () = self.stop.cancelled() => return Err(stopping()),
            }
            // Marked before looking: what changes during it wakes again.
            self.changes.mark_unchanged();
            self.looking = true;
            self.query.after = 0;
        }
    }

    /// Looks at the next alerts, as whoever the token now stands for; what is new is told only
    /// where that is wished.
    async fn look(&mut self, wished: bool) -> Done<()> {
        let operator = self.callers.operator(&self.node, &self.token).await?;
        let mut news = News { told: &self.told, wished, now: Vec::new(), ready: Vec::new() };
        let look = |view| news.look(view);
        let next = alerts::list(&self.node, &operator, &self.query, Listing::Watch, look).await?;
        let News { now, ready, .. } = news;
        self.told.extend(now);
        self.ready.extend(ready);
        self.looking = next.is_some();
        self.query.after = next.unwrap_or_default();
        Ok(())
    }
}

/// Alerts that are not as they were told, until it is certain that they are told.
struct News<'t> {
    told: &'t BTreeMap<ObjectId, Told>,
    wished: bool,
    now: Vec<(ObjectId, Told)>,
    ready: Vec<AlertRecord>,
}

impl News<'_> {
    fn look(&mut self, view: AlertView) -> Place {
        let (object, now) = (view.row.object, Told::from(&view));
        if self.told.get(&object) == Some(&now) {
            return Place::LeftOut;
        }
        self.now.push((object, now));
        if !self.wished {
            return Place::LeftOut;
        }
        self.ready.push(record::alert(view));
        Place::Shown
    }
}

impl From<&AlertView> for Told {
    fn from(view: &AlertView) -> Self {
        Self {
            version: view.row.version,
            state: view.row.state.clone(),
            delivery: view.delivery.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::tests::view;
    use super::*;
    use crate::app::delivery::State;

    #[test]
    fn only_changes_are_told() {
        let mut told = BTreeMap::new();
        let mut check = |change: &dyn Fn(&mut AlertView), count| {
            let mut view = view();
            change(&mut view);
            let mut news = News { told: &told, wished: true, now: Vec::new(), ready: Vec::new() };
            let expected = if count == 0 { Place::LeftOut } else { Place::Shown };
            assert_eq!(news.look(view), expected);
            let News { now, ready, .. } = news;
            assert_eq!(ready.len(), count);
            told.extend(now);
        };
        check(&|_| {}, 1);
        check(&|_| {}, 0);
        check(&|view| view.row.sequence.0 = 8, 0);
        check(&|view| view.delivery.state = State::Read, 1);
        check(&|view| view.delivery.state = State::Read, 0);
        check(&|view| view.row.version = 2, 1);
        check(&|view| view.row.state = "withdrawn".into(), 1);
        check(&|view| view.delivery.refusals.clear(), 1);
    }

    #[test]
    fn what_is_not_wished_is_left_out() {
        let told = BTreeMap::new();
        let mut news = News { told: &told, wished: false, now: Vec::new(), ready: Vec::new() };
        assert_eq!(news.look(view()), Place::LeftOut);
        assert_eq!((news.now.len(), news.ready.len()), (1, 0));
    }
}
