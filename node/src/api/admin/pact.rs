//! Pacts before the équipe exists, and later changes of it.

use raccordo_core::id::NodeId;
use raccordo_core::trust::pact::Pact;
use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::pact_service_server::PactService;
use raccordo_proto::admin::v1::{preview_pact_request, sign_pact_request};
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator};
use crate::api::Answer;
use crate::app::doctor::{next_of_change, next_of_pact};
use crate::app::fault::{Done, Fault};
use crate::app::pacts::{self, Source, Standing};
use crate::app::{Node, changes};

#[async_trait]
impl PactService for AdminCalls {
    async fn draft_pact(
        &self,
        request: Request<proto::DraftPactRequest>,
    ) -> Answer<proto::DraftPactResponse> {
        let proto::DraftPactRequest { equipe, parties, hub, example, ciphersuite } =
            request.into_inner();
        let parties = parties.iter().map(|id| node_id(id)).collect::<Done<Vec<_>>>()?;
        let hub = node_id(&hub)?;
        let toml = pacts::draft(&self.node, &equipe, &parties, &hub, example, &ciphersuite).await?;
        Ok(Response::new(proto::DraftPactResponse { toml }))
    }

    async fn preview_pact(
        &self,
        request: Request<proto::PreviewPactRequest>,
    ) -> Answer<proto::PreviewPactResponse> {
        let source = request.into_inner().source.ok_or_else(no_source)?;
        let pact = pacts::preview(&self.node, &source.into()).await?;
        Ok(Response::new(preview(&pact)))
    }

    async fn sign_pact(
        &self,
        request: Request<proto::SignPactRequest>,
    ) -> Answer<proto::SignPactResponse> {
        let (actor, asked) = administrator(request)?;
        let source = asked.source.ok_or_else(no_source)?;
        let standing = pacts::sign(&self.node, actor, source.into()).await?;
        let pact = match &standing.change {
            Some(pending) => change(&self.node, pending),
            None => message(&self.node, &standing),
        };
        Ok(Response::new(proto::SignPactResponse { pact: Some(pact) }))
    }

    async fn propose_pact(
        &self,
        request: Request<proto::ProposePactRequest>,
    ) -> Answer<proto::ProposePactResponse> {
        let (actor, asked) = administrator(request)?;
        let (sent, proposal) =
            pacts::propose(&self.node, actor, &asked.equipe, asked.by_file).await?;
        Ok(Response::new(proto::ProposePactResponse {
            sent_to: sent.iter().map(NodeId::to_string).collect(),
            proposal: if asked.by_file { proposal } else { Vec::new() },
        }))
    }

    async fn list_pacts(
        &self,
        _: Request<proto::ListPactsRequest>,
    ) -> Answer<proto::ListPactsResponse> {
        let all = pacts::list(&self.node).await?;
        let changes = changes::list(&self.node).await?;
        let pacts = all.iter().map(|standing| message(&self.node, standing));
        let pacts = pacts.chain(changes.iter().map(|pending| change(&self.node, pending)));
        Ok(Response::new(proto::ListPactsResponse { pacts: pacts.collect() }))
    }
}

fn node_id(text: &str) -> Done<NodeId> {
    Ok(text.parse()?)
}

fn no_source() -> Fault {
    Fault::usage("malformed", "neither a draft nor a proposal is named")
        .hint("give a file, or the name of the équipe")
}

impl From<preview_pact_request::Source> for Source {
    fn from(source: preview_pact_request::Source) -> Self {
        use preview_pact_request::Source as Message;
        match source {
            Message::Toml(text) => Self::Toml(text),
            Message::Equipe(name) => Self::Named(name),
            Message::Proposal(bytes) => Self::Proposal(bytes),
        }
    }
}

impl From<sign_pact_request::Source> for Source {
    fn from(source: sign_pact_request::Source) -> Self {
        use sign_pact_request::Source as Message;
        match source {
            Message::Toml(text) => Self::Toml(text),
            Message::Equipe(name) => Self::Named(name),
            Message::Proposal(bytes) => Self::Proposal(bytes),
        }
    }
}

fn preview(pact: &Pact) -> proto::PreviewPactResponse {
    proto::PreviewPactResponse {
        equipe: pact.terms().equipe.clone(),
        summary: pact.summary(),
        problems: pact.problems(),
        toml: pact.text().to_owned(),
    }
}

fn message(node: &Node, standing: &Standing) -> proto::Pact {
    let proposal = &standing.proposal;
    let terms = proposal.pact.terms();
    proto::Pact {
        equipe: terms.equipe.clone(),
        lineage: terms.lineage.to_string(),
        chair: terms.chair.to_string(),
        hub: terms.hub.to_string(),
        parties: proposal.pact.parties().map(NodeId::to_string).collect(),
        signed_by: proposal.signed_by().iter().map(NodeId::to_string).collect(),
        state: state(&node.identity.node, standing.active, &proposal.missing()).to_owned(),
        next: next(node, standing),
        version: proposal.statement.statement().version,
        change: String::new(),
        id: String::new(),
    }
}

/// A change on its way, as a message.
pub fn change(node: &Node, pending: &changes::Pending) -> proto::Pact {
    let proposal = &pending.proposal;
    let (after, missing) = (proposal.statement.statement(), proposal.missing());
    let next = next_of_change(node, pending);
    proto::Pact {
        equipe: pending.equipe.clone(),
        lineage: pending.row.lineage.to_string(),
        chair: after.chair.to_string(),
        hub: after.hub.hub.to_string(),
        parties: after.parties.iter().map(|party| party.node.to_string()).collect(),
        signed_by: proposal.signed_by().iter().map(NodeId::to_string).collect(),
        state: state(&node.identity.node, false, &missing).to_owned(),
        next: format!("{}: {}", next.whose, next.step),
        version: after.version,
        change: proposal.words(),
        id: changes::short(pending.row.statement),
    }
}

fn state(me: &NodeId, active: bool, missing: &[NodeId]) -> &'static str {
    match (active, missing) {
        (true, _) => "active",
        (false, []) => "complete",
        (false, missing) if missing.contains(me) => "waiting for me",
        (false, _) => "waiting for others",
    }
}

/// The next step and whose it is; nothing once the équipe is here.
fn next(node: &Node, standing: &Standing) -> String {
    let finding = if standing.active { None } else { next_of_pact(node, standing) };
    finding.map_or_else(String::new, |next| format!("{}: {}", next.whose, next.step))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pact_waits_for_whoever_has_not_signed() {
        let check = |active, missing: &[&str], expected| {
            let missing: Vec<NodeId> = missing.iter().map(|id| id.parse().unwrap()).collect();
            assert_eq!(state(&"toscana".parse().unwrap(), active, &missing), expected);
        };
        check(false, &["toscana"], "waiting for me");
        check(false, &["lazio", "toscana"], "waiting for me");
        check(false, &["lazio"], "waiting for others");
        check(false, &[], "complete");
        check(true, &[], "active");
    }
}
