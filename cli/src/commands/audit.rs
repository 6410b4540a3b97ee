//! `raccordo audit`: the chain of what was done, and proofs against hubs.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Subcommand;
use raccordo_proto::admin::v1::audit_service_client::AuditServiceClient;
use raccordo_proto::admin::v1::{
    ExportAuditHeadsRequest, ExportAuditRequest, ExportProofsRequest, VerifyAuditRequest,
};
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
    #[command(
        long_about = "Verify that nothing was changed or left out. With --against the chain is also held against what this node has signed of it and given away: whoever can write the database can rewrite the whole chain, but not that. FILE has lines of `raccordo audit heads` of another member, or of this machine's log; other lines are passed over.",
        after_help = "Example:\n  raccordo audit verify --against umbria.heads"
    )]
    Verify {
        /// Lines with heads of this node's chain, or - for standard input
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Print where other nodes have said that their chains end, one JSON object a line
    #[command(
        long_about = "Print where other nodes have said that their chains end, and where this node's own ends, one JSON object a line. Whoever asks for it holds its own chain against it: `raccordo audit verify --against`. It holds no name and nothing of any alert.",
        after_help = "Example:\n  raccordo audit heads --node umbria > umbria.heads"
    )]
    Heads {
        /// Of this node alone
        #[arg(long, value_name = "ID")]
        node: Option<String>,
    },
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

#[derive(Default, Serialize)]
struct ChainView {
    records: u64,
    head: String,
    borne_out: u32,
    passed_over: u32,
}

/// Heads of one call.
const HEADS_OF_A_CALL: usize = 5_000;

/// Runs a command on the audit chain or on a proof.
///
/// # Errors
/// The chain is broken, the proof proves nothing, or the node does not answer.
pub async fn run(command: AuditCommand, context: &Context) -> Result<(), Failure> {
    match command {
        AuditCommand::Verify { against } => verify(against.as_deref(), context).await,
        AuditCommand::Heads { node } => {
            let request = Request::new(ExportAuditHeadsRequest { node: node.unwrap_or_default() });
            let mut heads = client(context).await?.export_audit_heads(request).await?.into_inner();
            while let Some(head) = heads.message().await? {
                context.out.raw(&format!("{}\n", head.line.trim_end()))?;
            }
            Ok(())
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

async fn verify(against: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let heads = match against {
        None => Vec::new(),
        Some(file) => offline::audit_heads(&files::read_text(file)?)?,
    };
    let mut client = client(context).await?;
    let mut view = ChainView::default();
    // Without heads the chain is verified once all the same.
    let mut calls: Vec<Vec<String>> = heads.chunks(HEADS_OF_A_CALL).map(<[_]>::to_vec).collect();
    if calls.is_empty() {
        calls.push(Vec::new());
    }
    for heads in calls {
        let request = call_within(VerifyAuditRequest { heads }, VERIFY_TIMEOUT);
        let answer = client.verify_audit(request).await?.into_inner();
        view.records = answer.records;
        view.head = answer.head;
        view.borne_out += answer.borne_out;
        view.passed_over += answer.passed_over;
    }
    let held = against.is_some();
    if held && view.borne_out == 0 {
        let message = "no head in it was signed by this node: nothing was held against the chain";
        return Err(Failure::usage("no_own_head", message)
            .hint("ask another member for `raccordo audit heads --node` with this node's id"));
    }
    context.out.record(&view, |view| {
        let whole = format!("the chain of {} records is whole; head {}", view.records, view.head);
        match held {
            false => whole,
            true => format!(
                "{whole}\nheads that this node signed, borne out: {}; others, passed over: {}",
                view.borne_out, view.passed_over
            ),
        }
    })
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
