//! The calls on matches: decoded, handed to a use case, encoded.

use std::sync::Arc;

use raccordo_core::id::Digest;
use raccordo_core::matching::event::Contact;
use raccordo_core::matching::life::{MatchId, Word};
use raccordo_core::secret::Secret;
use raccordo_proto::casework::v1 as proto;
use raccordo_proto::casework::v1::match_service_server::MatchService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, async_trait};

use super::caller::{Callers, bearer};
use super::page::position;
use super::record::timestamp;
use super::watch_matches::Watch;
use crate::api::{Answer, Answers};
use crate::app::Node;
use crate::app::account::session::Use;
use crate::app::directory::Operator;
use crate::app::fault::{Done, Fault};
use crate::app::matching::decide::{Decision, decide};
use crate::app::matching::list::{self, MatchView, Query};
use crate::app::matching::stops::{self, StopValue};

/// Entries of a page where the caller says nothing.
const SIZE_DEFAULT: u32 = 200;
/// Most entries of a page.
const SIZE_MAX: u32 = 1_000;

/// The service `raccordo.casework.v1.MatchService`.
pub struct MatchCalls {
    node: Arc<Node>,
    callers: Arc<Callers>,
    stop: CancellationToken,
}

impl MatchCalls {
    /// Serves until `stop` is cancelled, which ends what still streams.
    pub fn new(node: Arc<Node>, stop: CancellationToken) -> Self {
        Self { node, callers: Arc::default(), stop }
    }

    /// Who calls, and what is asked.
    async fn heard<T>(&self, request: Request<T>) -> Done<(Operator, T)> {
        let token = bearer(request.metadata())?;
        let operator = self.callers.operator(&self.node, &token).await?;
        Ok((operator, request.into_inner()))
    }

    async fn decided(
        &self,
        operator: &Operator,
        id: &str,
        decision: Decision,
    ) -> Done<Option<proto::Match>> {
        let view = decide(&self.node, operator, match_id(id)?, decision).await?;
        Ok(Some(message(view)))
    }
}

#[async_trait]
impl MatchService for MatchCalls {
    async fn list_matches(
        &self,
        request: Request<proto::ListMatchesRequest>,
    ) -> Answer<proto::ListMatchesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let size = if asked.page_size == 0 { SIZE_DEFAULT } else { asked.page_size.min(SIZE_MAX) };
        let query = Query {
            equipe: given(asked.equipe),
            state: given(asked.state),
            after: position(&asked.page_token)?,
            limit: size,
        };
        let (views, next) = list::list(&self.node, &operator, &query).await?;
        Ok(Response::new(proto::ListMatchesResponse {
            matches: views.into_iter().map(message).collect(),
            next_page_token: next.map(|position| position.to_string()).unwrap_or_default(),
        }))
    }

    async fn get_match(
        &self,
        request: Request<proto::GetMatchRequest>,
    ) -> Answer<proto::GetMatchResponse> {
        let (operator, asked) = self.heard(request).await?;
        let view = list::show(&self.node, &operator, match_id(&asked.id)?, Use::Person).await?;
        Ok(Response::new(proto::GetMatchResponse { r#match: Some(message(view)) }))
    }

    async fn confirm_match(
        &self,
        request: Request<proto::ConfirmMatchRequest>,
    ) -> Answer<proto::ConfirmMatchResponse> {
        let (operator, asked) = self.heard(request).await?;
        let r#match = self.decided(&operator, &asked.id, Decision::Confirm).await?;
        Ok(Response::new(proto::ConfirmMatchResponse { r#match }))
    }

    async fn deny_match(
        &self,
        request: Request<proto::DenyMatchRequest>,
    ) -> Answer<proto::DenyMatchResponse> {
        let (operator, asked) = self.heard(request).await?;
        let r#match = self.decided(&operator, &asked.id, Decision::Deny).await?;
        Ok(Response::new(proto::DenyMatchResponse { r#match }))
    }

    async fn unlink_match(
        &self,
        request: Request<proto::UnlinkMatchRequest>,
    ) -> Answer<proto::UnlinkMatchResponse> {
        let (operator, asked) = self.heard(request).await?;
        let r#match = self.decided(&operator, &asked.id, Decision::Unlink).await?;
        Ok(Response::new(proto::UnlinkMatchResponse { r#match }))
    }

    async fn answer_match(
        &self,
        request: Request<proto::AnswerMatchRequest>,
    ) -> Answer<proto::AnswerMatchResponse> {
        let (operator, asked) = self.heard(request).await?;
        let word = Word::from_name(&asked.word).ok_or_else(|| {
            Fault::usage("unknown_word", "this is no answer")
                .hint("call_me, not_mine or already_closed")
        })?;
        let r#match = self.decided(&operator, &asked.id, Decision::Answer(word)).await?;
        Ok(Response::new(proto::AnswerMatchResponse { r#match }))
    }

    type WatchMatchesStream = Answers<proto::WatchMatchesResponse>;

    async fn watch_matches(
        &self,
        request: Request<proto::WatchMatchesRequest>,
    ) -> Answer<Self::WatchMatchesStream> {
        let token = bearer(request.metadata())?;
        let asked = request.into_inner();
        let (node, callers, stop) = (self.node.clone(), self.callers.clone(), self.stop.clone());
        let watch = Watch::begin(node, callers, token, asked, stop).await?;
        Ok(Response::new(Box::pin(watch.stream())))
    }

    async fn add_stop_values(
        &self,
        request: Request<proto::AddStopValuesRequest>,
    ) -> Answer<proto::AddStopValuesResponse> {
        let (operator, asked) = self.heard(request).await?;
        let values: Vec<_> = asked.values.into_iter().map(Secret::new).collect();
        let stops::Added { added, known } =
            stops::add(&self.node, &operator, &asked.kind, &values).await?;
        Ok(Response::new(proto::AddStopValuesResponse { added, known }))
    }

    async fn list_stop_values(
        &self,
        request: Request<proto::ListStopValuesRequest>,
    ) -> Answer<proto::ListStopValuesResponse> {
        let (operator, _) = self.heard(request).await?;
        let values = stops::all(&self.node, &operator).await?;
        let values = values.into_iter().map(stop_message).collect();
        Ok(Response::new(proto::ListStopValuesResponse { values }))
    }

    async fn remove_stop_value(
        &self,
        request: Request<proto::RemoveStopValueRequest>,
    ) -> Answer<proto::RemoveStopValueResponse> {
        let (operator, asked) = self.heard(request).await?;
        let digest: Digest = asked.id.parse().map_err(Fault::from)?;
        stops::remove(&self.node, &operator, &digest).await?;
        Ok(Response::new(proto::RemoveStopValueResponse {}))
    }
}

fn match_id(text: &str) -> Done<MatchId> {
    Ok(MatchId(text.parse()?))
}

/// What is empty was not said.
pub(super) fn given(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

fn stop_message(stop: StopValue) -> proto::StopValue {
    proto::StopValue {
        id: stop.row.digest.to_string(),
        kind: stop.row.kind,
        value: stop.value.reveal().clone(),
        added_at: Some(timestamp(stop.row.added_at)),
    }
}

/// A match as a message.
pub(super) fn message(view: MatchView) -> proto::Match {
    let MatchView { row, equipe, kind, coming, shared, contact } = view;
    let contact = contact.map(|Contact { name, organisation, work_phone }| proto::MatchContact {
        name: name.reveal().clone(),
        organisation: organisation.reveal().clone(),
        work_phone: work_phone.reveal().clone(),
    });
    proto::Match {
        id: row.id.to_string(),
        state: row.state,
        coming: coming.unwrap_or_default().to_owned(),
        grade: row.grade,
        seen: row.seen,
        families: row.families.split_whitespace().map(str::to_owned).collect(),
        equipe,
        counterpart: row.counterpart.to_string(),
        record_id: row.record.to_string(),
        kind,
        alert_id: if shared { row.theirs.to_string() } else { String::new() },
        contact,
        said_here: row.said_here,
        said_there: row.said_there,
        found_at: Some(timestamp(row.found_at)),
        changed_at: Some(timestamp(row.changed_at)),
    }
}
