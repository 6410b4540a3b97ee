//! `raccordo equipe move-hub`: the log of an équipe goes to another hub.

use clap::Args;
use raccordo_proto::admin::v1::MoveHubRequest;
use raccordo_proto::admin::v1::equipe_service_client::EquipeServiceClient;
use tonic::transport::Channel;

use super::pact::PactView;
use super::{ask, present};
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;

/// Where the log goes, and how.
#[derive(Args, Clone, Debug)]
pub struct MoveHubArgs {
    /// The équipe's name
    name: String,
    /// The hub that is to keep the log; its card must be verified here
    #[arg(long, value_name = "ID")]
    to: String,
    /// The present hub is lost, or was put back to an older state: the log goes on from where
    /// this node stands
    #[arg(long)]
    lost: bool,
    /// Parties that are lost with it, and removed at once
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Why; kept in the audit
    #[arg(long, value_name = "T", default_value = "")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Begins the move, and says who signs next.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn run(channel: Channel, args: MoveHubArgs, context: &Context) -> Result<(), Failure> {
    let MoveHubArgs { name, to, lost, without, reason, yes } = args;
    if lost {
        let question = format!(
            "Entries of {name} that no node of a party has are sent again by their makers, and \
             who stands further on joins again. Give the present hub up?"
        );
        ask(yes, context.out.is_json(), &question)?;
    }
    let mut client = EquipeServiceClient::new(channel);
    let request = MoveHubRequest { equipe: name, to, lost, without, reason };
    let answer = client.move_hub(call(request)).await?.into_inner();
    let view = PactView::from(present(answer.pact)?);
    context.out.record(&view, PactView::line)?;
    if !view.next().is_empty() {
        context.out.note(&format!("next: {}", view.next()));
    }
    Ok(())
}
