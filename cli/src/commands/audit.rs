//! `raccordo audit`: the chain of what was done.

use std::time::Duration;

use clap::Subcommand;
use raccordo_proto::admin::v1::audit_service_client::AuditServiceClient;
use raccordo_proto::admin::v1::{ExportAuditRequest, VerifyAuditRequest};
use serde::Serialize;
use tonic::Request;

use crate::client::call_within;
use crate::context::Context;
use crate::failure::Failure;

/// A long chain takes its time to verify.
const VERIFY_TIMEOUT: Duration = Duration::from_secs(600);

/// Commands on the audit chain.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo audit verify")]
pub enum AuditCommand {
    /// Verify that nothing was changed or left out
    #[command(after_help = "Example:\n  raccordo audit verify")]
    Verify,
    /// Print every record, one JSON object a line
    #[command(after_help = "Example:\n  raccordo audit export > audit.jsonl")]
    Export,
}

#[derive(Serialize)]
struct ChainView {
    records: u64,
    head: String,
}

/// Runs a command on the audit chain.
///
/// # Errors
/// The chain is broken, or the node does not answer.
pub async fn run(command: AuditCommand, context: &Context) -> Result<(), Failure> {
    let mut client = AuditServiceClient::new(context.admin().await?);
    match command {
        AuditCommand::Verify => {
            let request = call_within(VerifyAuditRequest {}, VERIFY_TIMEOUT);
            let answer = client.verify_audit(request).await?.into_inner();
            let view = ChainView { records: answer.records, head: answer.head };
            context.out.record(&view, |view| {
                format!("the chain of {} records is whole; head {}", view.records, view.head)
            })
        }
        AuditCommand::Export => {
            let request = Request::new(ExportAuditRequest {});
            let mut records = client.export_audit(request).await?.into_inner();
            while let Some(record) = records.message().await? {
                context.out.raw(&format!("{}\n", record.line.trim_end()))?;
            }
            Ok(())
        }
    }
}
