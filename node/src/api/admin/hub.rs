//! What this node carries as a hub.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::hub_admin_service_server::HubAdminService;
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::api::number::bounded;
use crate::app::audit::Actor;
use crate::app::fault::Done;
use crate::app::hub::accept::{Decision, Equipe, decide, list};

#[async_trait]
impl HubAdminService for AdminCalls {
    async fn list_carried(
        &self,
        _: Request<proto::ListCarriedRequest>,
    ) -> Answer<proto::ListCarriedResponse> {
        let rows = list(&self.node).await?;
        let equipes = rows.iter().map(message).collect::<Done<Vec<_>>>()?;
        Ok(Response::new(proto::ListCarriedResponse { equipes }))
    }

    async fn accept_equipe(
        &self,
        request: Request<proto::AcceptEquipeRequest>,
    ) -> Answer<proto::AcceptEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let equipe = Some(self.decided(actor, &asked.equipe, Decision::Accept).await?);
        Ok(Response::new(proto::AcceptEquipeResponse { equipe }))
    }

    async fn refuse_equipe(
        &self,
        request: Request<proto::RefuseEquipeRequest>,
    ) -> Answer<proto::RefuseEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let equipe = Some(self.decided(actor, &asked.equipe, Decision::Refuse).await?);
        Ok(Response::new(proto::RefuseEquipeResponse { equipe }))
    }

    async fn limit_equipe(
        &self,
        request: Request<proto::LimitEquipeRequest>,
    ) -> Answer<proto::LimitEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let proto::LimitEquipeRequest { equipe, entries_per_minute_max, stored_bytes_max } = asked;
        let stored_bytes_max = bounded(stored_bytes_max, "stored_bytes_max")?;
        let limit = Decision::Limit { entries_per_minute_max, stored_bytes_max };
        let equipe = Some(self.decided(actor, &equipe, limit).await?);
        Ok(Response::new(proto::LimitEquipeResponse { equipe }))
    }

    async fn evict_equipe(
        &self,
        request: Request<proto::EvictEquipeRequest>,
    ) -> Answer<proto::EvictEquipeResponse> {
        let (actor, asked) = administrator(request)?;
        let equipe = Some(self.decided(actor, &asked.equipe, Decision::Evict).await?);
        Ok(Response::new(proto::EvictEquipeResponse { equipe }))
    }
}

impl AdminCalls {
    async fn decided(
        &self,
        actor: Actor,
        equipe: &str,
        decision: Decision,
    ) -> Done<proto::CarriedEquipe> {
        message(&decide(&self.node, actor, equipe, decision).await?)
    }
}

fn message(equipe: &Equipe) -> Done<proto::CarriedEquipe> {
    let signed = equipe.statement()?;
    let statement = signed.statement();
    let message = proto::CarriedEquipe {
        name: equipe.name().to_owned(),
        lineage: statement.lineage.to_string(),
        state: equipe.state().to_owned(),
        chair: statement.chair.to_string(),
        parties: statement.parties.iter().map(|party| party.node.to_string()).collect(),
        statement: signed.digest().to_string(),
        offered_by: equipe.offered_by().map(ToString::to_string).unwrap_or_default(),
        ..proto::CarriedEquipe::default()
    };
    Ok(match equipe {
        Equipe::Offered(_) => message,
        Equipe::Carried(row) => proto::CarriedEquipe {
            epoch: row.epoch.0,
            sequence: row.sequence.0,
            stored_entries: row.sequence.0.saturating_sub(row.trimmed.0),
            stored_bytes: row.stored_bytes,
            entries_per_minute_max: row.entries_per_minute_max,
            stored_bytes_max: row.stored_bytes_max,
            ..message
        },
    })
}
