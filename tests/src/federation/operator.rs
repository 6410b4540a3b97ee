//! An operator's calls on a node's casework socket.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use raccordo_proto::alert::v1::Alert;
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::casework::v1::{
    AlertRecord, AwaitDeliveryRequest, DeliveryState, ListAlertsRequest, ShareAlertsRequest,
    ShareAlertsResponse, SharedAlert,
};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::Channel;
use tonic::{Request, Status};

use super::{EQUIPE, socket};

/// Alerts of one page.
const PAGE: u32 = 1000;
/// Largest page, in bytes.
const PAGE_BYTES_MAX: usize = 64 << 20;

/// An operator, who keeps calling whatever becomes of the node's process.
#[derive(Clone, Debug)]
pub struct Operator {
    socket: PathBuf,
    authorization: MetadataValue<Ascii>,
}

impl Operator {
    /// Reads the token file.
    ///
    /// # Errors
    /// It cannot be read, or holds no token.
    pub fn new(socket: PathBuf, token: &Path) -> anyhow::Result<Self> {
        let token = std::fs::read_to_string(token)
            .with_context(|| format!("no token file {}", token.display()))?;
        let authorization = format!("Bearer {}", token.trim()).parse()?;
        Ok(Self { socket, authorization })
    }

    async fn client(&self) -> anyhow::Result<CaseworkServiceClient<Channel>> {
        let channel = socket::connect(&self.socket).await?;
        Ok(CaseworkServiceClient::new(channel).max_decoding_message_size(PAGE_BYTES_MAX))
    }

    fn call<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", self.authorization.clone());
        request
    }

    /// Shares alerts, all or none.
    ///
    /// # Errors
    /// The node's [`Status`], or that it does not run.
    pub async fn share(&self, alerts: Vec<Alert>) -> anyhow::Result<ShareAlertsResponse> {
        let equipe = EQUIPE.to_owned();
        let message = ShareAlertsRequest { equipe, alerts, ..ShareAlertsRequest::default() };
        let answer = self.client().await?.share_alerts(self.call(message)).await?;
        Ok(answer.into_inner())
    }

    /// Waits until alerts have come so far, as long as the node is patient.
    ///
    /// # Errors
    /// The node's [`Status`], or that it does not run.
    pub async fn wait(
        &self,
        ids: Vec<String>,
        state: DeliveryState,
    ) -> anyhow::Result<Vec<SharedAlert>> {
        // After many restarts the couriers wait between their attempts: three times as long.
        let mut alerts = Vec::new();
        for _ in 0..3 {
            let message = AwaitDeliveryRequest { ids: ids.clone(), state: state.into() };
            let mut request = self.call(message);
            request.set_timeout(super::PATIENCE);
            alerts = self.client().await?.await_delivery(request).await?.into_inner().alerts;
            let reached = |alert: &SharedAlert| {
                alert.delivery.as_ref().is_some_and(|delivery| delivery.state >= state.into())
            };
            if alerts.iter().all(reached) {
                break;
            }
        }
        Ok(alerts)
    }

    /// All alerts, own and received.
    ///
    /// # Errors
    /// The node's [`Status`], or that it does not run.
    pub async fn list(&self) -> anyhow::Result<Vec<AlertRecord>> {
        let mut client = self.client().await?;
        let mut alerts = Vec::new();
        let mut page_token = String::new();
        loop {
            let message = ListAlertsRequest {
                equipe: EQUIPE.to_owned(),
                page_size: PAGE,
                page_token,
                ..ListAlertsRequest::default()
            };
            let page = client.list_alerts(self.call(message)).await?.into_inner();
            alerts.extend(page.alerts);
            if page.next_page_token.is_empty() {
                return Ok(alerts);
            }
            page_token = page.next_page_token;
        }
    }
}

/// The stable reason that a node gave; empty where it gave none.
pub fn reason(status: &Status) -> &str {
    let reason = status.metadata().get("raccordo-reason");
    reason.and_then(|reason| reason.to_str().ok()).unwrap_or_default()
}
