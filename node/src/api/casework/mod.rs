//! What operators' systems ask, on the Unix socket or over TLS. Every call carries an
//! operator's token, checked in one place, [`caller`].

mod await_delivery;
mod caller;
mod identity;
mod matching;
mod page;
mod record;
mod register;
mod watch;
mod watch_matches;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use raccordo_core::id::{NodeId, ObjectId, RecordId};
use raccordo_core::operator::Action;
use raccordo_proto::casework::v1 as proto;
use raccordo_proto::casework::v1::casework_service_server::CaseworkService;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, async_trait};

use super::{Answer, Answers, deadline};
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::app::{Node, alerts, pacts, share, status, withdraw};
use await_delivery::Wait;
use caller::{Callers, bearer};
pub use matching::MatchCalls;
pub use register::RegisterCalls;
use watch::Watch;

/// The service `raccordo.casework.v1.CaseworkService`.
pub struct CaseworkCalls {
    node: Arc<Node>,
    callers: Arc<Callers>,
    stop: CancellationToken,
}

impl CaseworkCalls {
    /// Serves until `stop` is cancelled, which ends what still streams or waits.
    pub fn new(node: Arc<Node>, stop: CancellationToken) -> Self {
        Self { node, callers: Arc::default(), stop }
    }

    /// Who calls, by the token.
    async fn operator<T>(&self, request: &Request<T>) -> Done<Operator> {
        self.callers.operator(&self.node, &bearer(request.metadata())?).await
    }
}

#[async_trait]
impl CaseworkService for CaseworkCalls {
    async fn who_am_i(
        &self,
        request: Request<proto::WhoAmIRequest>,
    ) -> Answer<proto::WhoAmIResponse> {
        let operator = self.operator(&request).await?;
        Ok(Response::new(proto::WhoAmIResponse {
            operator_id: operator.id.to_string(),
            name: operator.name.reveal().clone(),
            role: operator.role.as_str().to_owned(),
            organisation_id: operator.organisation.to_string(),
            organisation: operator.organisation_name,
            organisation_class: operator.class.as_str().to_owned(),
            node_id: self.node.identity.node.to_string(),
        }))
    }

    async fn list_equipes(
        &self,
        request: Request<proto::ListEquipesRequest>,
    ) -> Answer<proto::ListEquipesResponse> {
        self.operator(&request).await?.must(Action::ListEquipes)?;
        let told = status::status(&self.node).await?;
        let pacts = pacts::list(&self.node).await?;
        let equipes = told.equipes.iter().map(|equipe| record::summary(equipe, &pacts)).collect();
        Ok(Response::new(proto::ListEquipesResponse { equipes }))
    }

    async fn share_alerts(
        &self,
        request: Request<proto::ShareAlertsRequest>,
    ) -> Answer<proto::ShareAlertsResponse> {
        let operator = self.operator(&request).await?;
        let asked = request.into_inner();
        let proto::ShareAlertsRequest { equipe, alerts, purpose, dry_run, records } = asked;
        let records = records_of(&records)?;
        let purpose = (!purpose.is_empty()).then_some(purpose);
        let order = share::Order { equipe, alerts, purpose, dry_run };
        let came = share::share_about(&self.node, &operator, order, &records).await?;
        let mut shared = Vec::with_capacity(came.objects.len());
        for (row, already) in &came.objects {
            shared.push(if *already {
                let head = alerts::head(&self.node, &operator, row.object).await?;
                proto::SharedAlert { already_shared: true, ..record::shared(&head) }
            } else {
                record::queued(row, came.recipients.len())
            });
        }
        Ok(Response::new(proto::ShareAlertsResponse {
            shared,
            violations: came.violations.into_iter().map(record::violation).collect(),
            recipients: came.recipients.iter().map(NodeId::to_string).collect(),
        }))
    }

    async fn list_alerts(
        &self,
        request: Request<proto::ListAlertsRequest>,
    ) -> Answer<proto::ListAlertsResponse> {
        let operator = self.operator(&request).await?;
        let query = page::query(request.into_inner())?;
        Ok(Response::new(page::read(&self.node, &operator, &query).await?))
    }

    async fn show_alert(
        &self,
        request: Request<proto::ShowAlertRequest>,
    ) -> Answer<proto::ShowAlertResponse> {
        let operator = self.operator(&request).await?;
        let id = object_id(&request.into_inner().id)?;
        let view = alerts::open(&self.node, &operator, id).await?;
        Ok(Response::new(proto::ShowAlertResponse { alert: Some(record::alert(view)) }))
    }

    type WatchAlertsStream = Answers<proto::WatchAlertsResponse>;

    async fn watch_alerts(
        &self,
        request: Request<proto::WatchAlertsRequest>,
    ) -> Answer<Self::WatchAlertsStream> {
        let token = bearer(request.metadata())?;
        let asked = request.into_inner();
        let (node, callers, stop) = (self.node.clone(), self.callers.clone(), self.stop.clone());
        let watch = Watch::begin(node, callers, token, asked, stop).await?;
        Ok(Response::new(Box::pin(watch.stream())))
    }

    async fn withdraw_alert(
        &self,
        request: Request<proto::WithdrawAlertRequest>,
    ) -> Answer<proto::WithdrawAlertResponse> {
        let operator = self.operator(&request).await?;
        let asked = request.into_inner();
        let id = object_id(&asked.id)?;
        withdraw::withdraw(&self.node, &operator, id, &asked.reason).await?;
        let head = alerts::head(&self.node, &operator, id).await?;
        Ok(Response::new(proto::WithdrawAlertResponse { alert: Some(record::head(head)) }))
    }

    async fn await_delivery(
        &self,
        request: Request<proto::AwaitDeliveryRequest>,
    ) -> Answer<proto::AwaitDeliveryResponse> {
        let operator = self.operator(&request).await?;
        let patience = deadline::patience(request.metadata());
        let wait = Wait::new(&self.node, &operator, &request.into_inner())?;
        let alerts = wait.end(patience, &self.stop).await?;
        Ok(Response::new(proto::AwaitDeliveryResponse { alerts }))
    }
}

/// The records of alerts, by the place of each.
fn records_of(records: &HashMap<u32, String>) -> Done<BTreeMap<usize, RecordId>> {
    let read = |(place, id): (&u32, &String)| Ok((*place as usize, id.parse()?));
    records.iter().map(read).collect()
}

fn object_id(text: &str) -> Done<ObjectId> {
    Ok(text.parse()?)
}
