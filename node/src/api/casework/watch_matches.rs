//! A watcher's stream of matches: those that are here, if wished, and every change afterwards.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, stream};
use raccordo_core::matching::life::MatchId;
use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1::{Match, WatchMatchesRequest, WatchMatchesResponse};
use tokio::sync::watch;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::caller::Callers;
use super::matching::{given, message};
use crate::api::stopping;
use crate::app::Node;
use crate::app::fault::Done;
use crate::app::matching::list::{self, MatchView, Query};
use crate::app::signals::Topic;

/// Matches read at once.
const STEP: u32 = 200;
/// How long changes gather before they are looked for.
const GATHER: Duration = Duration::from_millis(200);

/// A watcher.
pub(super) struct Watch {
    node: Arc<Node>,
    callers: Arc<Callers>,
    token: Secret<String>,
    query: Query,
    told: BTreeMap<MatchId, Match>,
    ready: VecDeque<WatchMatchesResponse>,
    changes: watch::Receiver<u64>,
    stop: CancellationToken,
}

impl Watch {
    /// Begins to listen, and looks at what is here already.
    ///
    /// # Errors
    /// `wrong_token`, `role_not_allowed`, `no_such_equipe`.
    pub(super) async fn begin(
        node: Arc<Node>,
        callers: Arc<Callers>,
        token: Secret<String>,
        asked: WatchMatchesRequest,
        stop: CancellationToken,
    ) -> Done<Self> {
        let changes = node.signals.listen(Topic::Objects);
        let query = Query { equipe: given(asked.equipe), limit: STEP, ..Query::default() };
        let (told, ready) = (BTreeMap::new(), VecDeque::new());
        let mut watch = Self { node, callers, token, query, told, ready, changes, stop };
        watch.look(asked.include_existing).await?;
        Ok(watch)
    }

    /// The changes, until the first fault.
    pub(super) fn stream(self) -> impl Stream<Item = Result<WatchMatchesResponse, Status>> + Send {
        stream::try_unfold(self, |mut watch| async move {
            let change = watch.next().await?;
            Ok(Some((change, watch)))
        })
    }

    async fn next(&mut self) -> Done<WatchMatchesResponse> {
        loop {
            if let Some(change) = self.ready.pop_front() {
                return Ok(change);
            }
            tokio::select! {
                _ = self.changes.changed() => sleep(GATHER).await,
                () = self.stop.cancelled() => return Err(stopping()),
            }
            // Marked before looking: what changes during it wakes again.
            self.changes.mark_unchanged();
            self.look(true).await?;
        }
    }

    /// Looks at all matches, as whoever the token now stands for; what is new is told only where
    /// that is wished.
    async fn look(&mut self, wished: bool) -> Done<()> {
        let operator = self.callers.operator(&self.node, &self.token).await?;
        let mut seen = BTreeSet::new();
        let mut after = Some(0);
        while let Some(position) = after {
            self.query.after = position;
            let (views, next) = list::watched(&self.node, &operator, &self.query).await?;
            after = next;
            seen.extend(views.iter().map(|view| view.row.id));
            let news = news(&self.told, views);
            if wished {
                list::note_watched(&self.node, &operator, &news).await?;
            }
            for view in news {
                let (id, now) = (view.row.id, message(view));
                if wished {
                    let told = Some(now.clone());
                    let change = WatchMatchesResponse { r#match: told, ended_id: String::new() };
                    self.ready.push_back(change);
                }
                self.told.insert(id, now);
            }
        }
        let ended = self.told.keys().copied().filter(|id| !seen.contains(id));
        for id in ended.collect::<Vec<_>>() {
            self.told.remove(&id);
            let ended_id = id.to_string();
            self.ready.push_back(WatchMatchesResponse { r#match: None, ended_id });
        }
        Ok(())
    }
}

/// The matches that are not as they were told.
fn news(told: &BTreeMap<MatchId, Match>, mut views: Vec<MatchView>) -> Vec<MatchView> {
    views.retain(|view| told.get(&view.row.id) != Some(&message(view.clone())));
    views
}
