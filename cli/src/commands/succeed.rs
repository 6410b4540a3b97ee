//! `raccordo equipe succeed`: an équipe goes on in another group.

use clap::Args;
use raccordo_proto::admin::v1::SucceedEquipeRequest;
use raccordo_proto::admin::v1::equipe_service_client::EquipeServiceClient;
use tonic::transport::Channel;

use super::pact::PactView;
use super::{ask, present};
use crate::client::call;
use crate::context::Context;
use crate::failure::Failure;

/// How the équipe goes on.
#[derive(Args, Clone, Debug)]
pub struct SucceedArgs {
    /// The équipe's name
    name: String,
    /// The hub that is to keep the log, where it is not the present one; its card must be
    /// verified here
    #[arg(long, value_name = "ID")]
    to: Option<String>,
    /// Parties that do not go on
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',')]
    without: Vec<String>,
    /// Another ciphersuite: hybrid or classical
    #[arg(long, value_name = "SUITE")]
    suite: Option<String>,
    /// Why; kept in the audit
    #[arg(long, value_name = "T", default_value = "")]
    reason: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Begins the successor, and says who signs next.
///
/// # Errors
/// The node refuses, or does not answer.
pub async fn run(channel: Channel, args: SucceedArgs, context: &Context) -> Result<(), Failure> {
    let SucceedArgs { name, to, without, suite, reason, yes } = args;
    let question = format!(
        "Once all have signed, nothing more is said in the present group of {name}, and nothing \
         undoes that; a node signs one successor only. Begin it?"
    );
    ask(yes, context.out.is_json(), &question)?;
    let mut client = EquipeServiceClient::new(channel);
    let request = SucceedEquipeRequest {
        equipe: name,
        to: to.unwrap_or_default(),
        without,
        ciphersuite: suite.unwrap_or_default(),
        reason,
    };
    let answer = client.succeed_equipe(call(request)).await?.into_inner();
    let view = PactView::from(present(answer.pact)?);
    context.out.record(&view, PactView::line)?;
    if !view.next().is_empty() {
        context.out.note(&format!("next: {}", view.next()));
    }
    Ok(())
}
