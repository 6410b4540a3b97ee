//! The node's own state.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::node_service_server::NodeService;
use tonic::{Request, Response, async_trait};

use super::AdminCalls;
use super::equipe::equipe_status;
use crate::api::Answer;
use crate::app::Node;
use crate::app::doctor::{Finding, doctor};
use crate::app::expiry::Expiring;
use crate::app::status::{NodeStatus, at_any_time};

#[async_trait]
impl NodeService for AdminCalls {
    async fn status(&self, _: Request<proto::StatusRequest>) -> Answer<proto::StatusResponse> {
        let told = at_any_time(&self.node).await?;
        Ok(Response::new(status_response(&self.node, &told)))
    }

    async fn doctor(&self, _: Request<proto::DoctorRequest>) -> Answer<proto::DoctorResponse> {
        let findings = doctor(&self.node).await?;
        let findings = findings.into_iter().map(finding).collect();
        Ok(Response::new(proto::DoctorResponse { findings }))
    }
}

fn status_response(node: &Node, told: &NodeStatus) -> proto::StatusResponse {
    let equipes: Vec<_> = told.equipes.iter().map(equipe_status).collect();
    let named = |equipe: &proto::EquipeStatus| {
        let name = equipe.name.clone();
        equipe.alarms.iter().map(|alarm| format!("{name}: {alarm}")).collect::<Vec<_>>()
    };
    proto::StatusResponse {
        node: node.identity.node.to_string(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        schema: told.schema,
        ready: told.ready,
        database: node.store.kind().to_owned(),
        uptime_s: told.uptime_s,
        expires: told.expires.iter().map(expiring).collect(),
        alarms: told.alarms.iter().cloned().chain(equipes.iter().flat_map(named)).collect(),
        equipes,
    }
}

fn expiring(told: &Expiring) -> proto::Expiring {
    proto::Expiring { what: told.what.clone(), expires_ms: told.at.0, days: told.days }
}

fn finding(found: Finding) -> proto::Finding {
    proto::Finding {
        severity: found.severity.as_str().to_owned(),
        code: found.code,
        message: found.message,
        step: found.step,
        whose: found.whose,
    }
}
