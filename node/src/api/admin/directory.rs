//! Organisations and operators of this node.

use raccordo_proto::admin::v1 as proto;
use raccordo_proto::admin::v1::directory_service_server::DirectoryService;
use tonic::{Request, Response, async_trait};

use super::{AdminCalls, administrator, count};
use crate::api::Answer;
use crate::app::account::{invite, session};
use crate::app::directory::{self, Operator};
use crate::app::matching::contact;
use crate::store::directory::OrganisationRow;

#[async_trait]
impl DirectoryService for AdminCalls {
    async fn add_organisation(
        &self,
        request: Request<proto::AddOrganisationRequest>,
    ) -> Answer<proto::AddOrganisationResponse> {
        let (actor, asked) = administrator(request)?;
        let proto::AddOrganisationRequest { name, class } = asked;
        let row = directory::add_organisation(&self.node, actor, &name, &class).await?;
        let organisation = Some(organisation(row, 0));
        Ok(Response::new(proto::AddOrganisationResponse { organisation }))
    }

    async fn list_organisations(
        &self,
        _: Request<proto::ListOrganisationsRequest>,
    ) -> Answer<proto::ListOrganisationsResponse> {
        let rows = directory::organisations(&self.node).await?;
        let organisations = rows.into_iter().map(|(row, count)| organisation(row, count));
        let organisations = organisations.collect();
        Ok(Response::new(proto::ListOrganisationsResponse { organisations }))
    }

    async fn add_operator(
        &self,
        request: Request<proto::AddOperatorRequest>,
    ) -> Answer<proto::AddOperatorResponse> {
        let (actor, asked) = administrator(request)?;
        let proto::AddOperatorRequest { name, organisation, role } = asked;
        let added = directory::add_operator(&self.node, actor, &name, &organisation, &role).await?;
        let (operator, token) = added;
        Ok(Response::new(proto::AddOperatorResponse {
            operator: Some(message(&operator)),
            token: token.reveal().clone(),
        }))
    }

    async fn list_operators(
        &self,
        _: Request<proto::ListOperatorsRequest>,
    ) -> Answer<proto::ListOperatorsResponse> {
        let operators = directory::operators(&self.node).await?.iter().map(message).collect();
        Ok(Response::new(proto::ListOperatorsResponse { operators }))
    }

    async fn set_operator_role(
        &self,
        request: Request<proto::SetOperatorRoleRequest>,
    ) -> Answer<proto::SetOperatorRoleResponse> {
        let (actor, asked) = administrator(request)?;
        let proto::SetOperatorRoleRequest { operator: named, role } = asked;
        let changed =
            directory::change_operator(&self.node, actor, &named, Some(&role), true).await?;
        let operator = Some(message(&changed));
        Ok(Response::new(proto::SetOperatorRoleResponse { operator }))
    }

    async fn set_operator_phone(
        &self,
        request: Request<proto::SetOperatorPhoneRequest>,
    ) -> Answer<proto::SetOperatorPhoneResponse> {
        let (actor, asked) = administrator(request)?;
        let proto::SetOperatorPhoneRequest { operator: named, phone } = asked;
        let id = contact::set_phone(&self.node, actor, &named, &phone).await?;
        let operators = directory::operators(&self.node).await?;
        let operator = operators.iter().find(|operator| operator.id == id).map(message);
        Ok(Response::new(proto::SetOperatorPhoneResponse { operator }))
    }

    async fn disable_operator(
        &self,
        request: Request<proto::DisableOperatorRequest>,
    ) -> Answer<proto::DisableOperatorResponse> {
        let (actor, asked) = administrator(request)?;
        let changed =
            directory::change_operator(&self.node, actor, &asked.operator, None, false).await?;
        let operator = Some(message(&changed));
        Ok(Response::new(proto::DisableOperatorResponse { operator }))
    }

    async fn invite_operator(
        &self,
        request: Request<proto::InviteOperatorRequest>,
    ) -> Answer<proto::InviteOperatorResponse> {
        let (actor, asked) = administrator(request)?;
        let (invited, link) = invite::invite(&self.node, actor, &asked.operator).await?;
        let path = format!("/activate/{}", link.reveal());
        let operator = Some(message(&invited));
        Ok(Response::new(proto::InviteOperatorResponse { operator, path }))
    }

    async fn sign_out_operator(
        &self,
        request: Request<proto::SignOutOperatorRequest>,
    ) -> Answer<proto::SignOutOperatorResponse> {
        let (actor, asked) = administrator(request)?;
        let (operator, ended) =
            session::sign_out_everywhere(&self.node, actor, &asked.operator).await?;
        let operator = Some(message(&operator));
        Ok(Response::new(proto::SignOutOperatorResponse { operator, ended }))
    }
}

fn organisation(row: OrganisationRow, operators: usize) -> proto::Organisation {
    proto::Organisation {
        id: row.organisation.to_string(),
        name: row.name,
        class: row.class,
        operators: count(operators),
    }
}

fn message(operator: &Operator) -> proto::Operator {
    proto::Operator {
        id: operator.id.to_string(),
        name: operator.name.reveal().clone(),
        organisation: operator.organisation_name.clone(),
        role: operator.role.as_str().to_owned(),
        enabled: operator.enabled,
    }
}
