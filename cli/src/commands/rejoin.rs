//! `raccordo equipe rejoin` and `approve-rejoin`: a node that has lost its state comes back;
//! `void`: the others go on without a change that only its maker can process.

use raccordo_proto::admin::v1::rejoin_service_client::RejoinServiceClient;
use raccordo_proto::admin::v1::{
    ApproveRejoinRequest, AskToRejoinRequest, EquipeStatus, VoidChangeRequest,
};
use tonic::transport::Channel;

use super::equipe::EquipeView;
use super::present;
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;

/// Gives up this node's state in an équipe, and asks the other parties to be added again.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn ask(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = RejoinServiceClient::new(channel);
    let request = call(AskToRejoinRequest { equipe: name });
    show(client.ask_to_rejoin(request).await?.into_inner().equipe, context)?;
    context.out.note("another party approves: raccordo equipe approve-rejoin NAME ID");
    Ok(())
}

/// Approves that another party's node joins again.
///
/// # Errors
/// As [`ask`].
pub async fn approve(
    channel: Channel,
    name: String,
    id: String,
    context: &Context,
) -> Result<(), Failure> {
    let mut client = RejoinServiceClient::new(channel);
    let request = call(ApproveRejoinRequest { equipe: name, node: id });
    show(client.approve_rejoin(request).await?.into_inner().equipe, context)
}

/// Holds the change for void that this node cannot process.
///
/// # Errors
/// As [`ask`].
pub async fn void(channel: Channel, name: String, context: &Context) -> Result<(), Failure> {
    let mut client = RejoinServiceClient::new(channel);
    let request = call(VoidChangeRequest { equipe: name });
    show(client.void_change(request).await?.into_inner().equipe, context)?;
    context
        .out
        .note("every other member that cannot process it says so too: raccordo equipe void NAME");
    Ok(())
}

fn show(status: Option<EquipeStatus>, context: &Context) -> Result<(), Failure> {
    let view = EquipeView::from(present(status)?);
    context.out.record(&view, |view| view.describe(&context.out))
}
