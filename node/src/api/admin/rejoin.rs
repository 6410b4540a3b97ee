//! Joining again: asked for here, approved at another party; and changes that are void.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::rejoin_service_server::RejoinService;
use tonic::{Request, Response, async_trait};

use super::equipe::equipe_status;
use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::app::fault::Fault;
use crate::app::rejoin::{approve, request};
use crate::app::{status, void};

#[async_trait]
impl RejoinService for AdminCalls {
    async fn ask_to_rejoin(
        &self,
        request: Request<proto::AskToRejoinRequest>,
    ) -> Answer<proto::AskToRejoinResponse> {
        let (actor, asked) = administrator(request)?;
        request::ask(&self.node, actor, &asked.equipe).await?;
        let equipe = Some(equipe_status(&status::equipe(&self.node, &asked.equipe).await?));
        Ok(Response::new(proto::AskToRejoinResponse { equipe }))
    }

    async fn approve_rejoin(
        &self,
        request: Request<proto::ApproveRejoinRequest>,
    ) -> Answer<proto::ApproveRejoinResponse> {
        let (actor, asked) = administrator(request)?;
        let who = asked.node.parse().map_err(Fault::from)?;
        approve::approve(&self.node, actor, &asked.equipe, &who).await?;
        let equipe = Some(equipe_status(&status::equipe(&self.node, &asked.equipe).await?));
        Ok(Response::new(proto::ApproveRejoinResponse { equipe }))
    }

    async fn void_change(
        &self,
        request: Request<proto::VoidChangeRequest>,
    ) -> Answer<proto::VoidChangeResponse> {
        let (actor, asked) = administrator(request)?;
        void::ask::ask(&self.node, actor, &asked.equipe).await?;
        let equipe = Some(equipe_status(&status::equipe(&self.node, &asked.equipe).await?));
        Ok(Response::new(proto::VoidChangeResponse { equipe }))
    }
}
