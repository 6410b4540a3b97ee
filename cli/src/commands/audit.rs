//! `raccordo audit`: the chain of what was done, and proofs against hubs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use raccordo_proto::admin::v1::audit_service_client::AuditServiceClient;
use raccordo_proto::admin::v1::{ExportAuditRequest, ExportProofsRequest, VerifyAuditRequest};
use serde::Serialize;
use tonic::Request;
use tonic::transport::Channel;

use crate::client::{call, call_within};
use crate::context::Context;
use crate::failure::Failure;
use crate::files;
use crate::offline;

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
    /// Write the proof that an équipe's hub signed two histories of its log
    #[command(
        long_about = "Write the proof that an équipe's hub signed two histories of its log. The file holds the hub's card and two of its signatures, and nothing of any alert: it may be given to everybody.",
        after_help = "Example:\n  raccordo audit export-proof toscana-umbria --out proof.json"
    )]
    ExportProof {
        /// Name or lineage of the équipe
        equipe: String,
        /// Where to write it
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
    },
    /// Verify such a proof, also without a node
    #[command(
        long_about = "Verify such a proof, also without a node. It names the hub and its identity key: compare the key with the hub's card that you know.",
        after_help = "Example:\n  raccordo audit verify-proof proof.json"
    )]
    VerifyProof {
        /// The proof's file, or - for standard input
        file: PathBuf,
    },
}

#[derive(Serialize)]
struct ProofsView {
    proofs: usize,
    file: PathBuf,
}

#[derive(Serialize)]
struct ChainView {
    records: u64,
    head: String,
}

/// Runs a command on the audit chain or on a proof.
///
/// # Errors
/// The chain is broken, the proof proves nothing, or the node does not answer.
pub async fn run(command: AuditCommand, context: &Context) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify => {
            let request = call_within(VerifyAuditRequest {}, VERIFY_TIMEOUT);
            let answer = client(context).await?.verify_audit(request).await?.into_inner();
            let view = ChainView { records: answer.records, head: answer.head };
            context.out.record(&view, |view| {
                format!("the chain of {} records is whole; head {}", view.records, view.head)
            })
        }
        AuditCommand::Export => {
            let request = Request::new(ExportAuditRequest {});
            let mut records = client(context).await?.export_audit(request).await?.into_inner();
            while let Some(record) = records.message().await? {
                context.out.line(&record.line)?;
            }
            Ok(())
        }
        AuditCommand::ExportProof { equipe, out } => {
            let request = call(ExportProofsRequest { equipe });
            let proofs = client(context).await?.export_proofs(request).await?.into_inner().proofs;
            let first = proofs.first().map(String::as_bytes).unwrap_or_default();
            files::write_public(&out, first)?;
            context.out.record(&ProofsView { proofs: proofs.len(), file: out }, |view| {
                format!("the earliest of {} proofs is in {}", view.proofs, view.file.display())
            })
        }
        AuditCommand::VerifyProof { file } => verify_proof(&file, context),
    }
}

async fn client(context: &Context) -> Result<AuditServiceClient<Channel>, Failure> {
    Ok(AuditServiceClient::new(context.admin().await?))
}

fn verify_proof(file: &Path, context: &Context) -> Result<(), Failure> {
    let proven = offline::verify_proof(&files::read_text(file)?)?;
    context.out.record(&proven, |proven| {
        format!(
            "proven: {} (identity {}) signed two histories of the group {} in its term {}.\n\
             At entry {} it signed head {},\nand elsewhere head {} ({}).",
            proven.hub,
            proven.identity,
            proven.group,
            proven.term,
            proven.sequence,
            proven.one,
            proven.other,
            proven.contradiction
        )
    })
}
