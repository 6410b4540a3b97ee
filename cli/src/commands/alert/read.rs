//! `raccordo alert list`, `show` and `withdraw`.

use clap::Args;
use raccordo_proto::casework::v1::casework_service_client::CaseworkServiceClient;
use raccordo_proto::casework::v1::{ListAlertsRequest, ShowAlertRequest, WithdrawAlertRequest};

use super::view::{AlertDetail, AlertView};
use crate::client::ANSWER_BYTES_MAX;
use crate::commands::present;
use crate::context::Context;
use crate::failure::Failure;

/// Options of `raccordo alert list`.
#[derive(Args, Clone, Debug)]
pub struct ListArgs {
    /// The équipe's name
    #[arg(long, value_name = "NAME")]
    equipe: String,
    /// Only alerts of this node
    #[arg(long, value_name = "ID")]
    from: Option<String>,
    /// Only alerts in this state
    #[arg(long, value_parser = ["active", "withdrawn", "expired"])]
    state: Option<String>,
}

/// Lists alerts page by page.
///
/// # Errors
/// There is no such équipe, the operator may not read it, or the node does not answer.
pub async fn list(args: ListArgs, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let mut client =
        CaseworkServiceClient::new(channel).max_decoding_message_size(ANSWER_BYTES_MAX);
    let ListArgs { equipe, from, state } = args;
    let mut request = ListAlertsRequest {
        equipe,
        from: from.unwrap_or_default(),
        state: state.unwrap_or_default(),
        ..ListAlertsRequest::default()
    };
    let mut views = Vec::new();
    loop {
        let page = client.list_alerts(operator.call(request.clone())).await?.into_inner();
        let alerts = page.alerts.into_iter().map(AlertView::of);
        match context.out.is_json() {
            true => alerts.into_iter().try_for_each(|view| context.out.object(&view?))?,
            false => views.extend(alerts.collect::<Result<Vec<_>, _>>()?),
        }
        if page.next_page_token.is_empty() {
            break;
        }
        request.page_token = page.next_page_token;
    }
    let row = |view: &AlertView| {
        let received = view.received_at.clone().unwrap_or_else(|| "-".to_owned());
        let AlertView { id, kind, origin, state, .. } = view;
        let delivery = view.delivery_words().unwrap_or_else(|| "-".to_owned());
        [id.clone(), kind.clone(), origin.clone(), state.clone(), delivery, received]
    };
    let header = ["ID", "KIND", "ORIGIN", "STATE", "DELIVERY", "RECEIVED"];
    context.out.records(&views, header, row, "no alerts")
}

/// Shows one alert.
///
/// # Errors
/// There is no such alert, the operator may not read it, or the node does not answer.
pub async fn show(id: String, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let mut client = CaseworkServiceClient::new(channel);
    let answer = client.show_alert(operator.call(ShowAlertRequest { id })).await?.into_inner();
    let detail = AlertDetail::of(present(answer.alert)?)?;
    context.out.record(&detail, |detail| detail.describe(&context.out))
}

/// Ends an own alert.
///
/// # Errors
/// There is no such alert, it has ended, the operator may not end it, or the node does not
/// answer.
pub async fn withdraw(id: String, reason: String, context: &Context) -> Result<(), Failure> {
    let (channel, operator) = context.casework().await?;
    let mut client = CaseworkServiceClient::new(channel);
    let request = operator.call(WithdrawAlertRequest { id, reason });
    let answer = client.withdraw_alert(request).await?.into_inner();
    let view = AlertView::of(present(answer.alert)?)?;
    context.out.record(&view, |view| format!("{}  {}", view.id, view.state))
}
