//! `raccordo pact`: from the draft to the last signature.

use std::path::{Path, PathBuf};

use clap::{Subcommand, ValueEnum};
use raccordo_proto::admin::v1::pact_service_client::PactServiceClient;
use raccordo_proto::admin::v1::{
    DraftPactRequest, ListPactsRequest, Pact, PreviewPactRequest, PreviewPactResponse,
    ProposePactRequest, SignPactRequest, preview_pact_request, sign_pact_request,
};
use serde::Serialize;
use tonic::transport::Channel;

use super::present;
use crate::client::call;
use crate::context::Context;
use crate::failure::{EXIT_CONFLICT, EXIT_REFUSED, Failure};
use crate::files::{self, PrivateFile};
use crate::offline::{self, PactChange};
use crate::prompt;

/// Commands on pacts.
#[derive(Clone, Debug, Subcommand)]
#[command(
    after_help = "Example:\n  raccordo pact draft --equipe tu --parties toscana,umbria --hub relay --out pact.toml\n  raccordo pact sign pact.toml && raccordo pact propose pact.toml"
)]
pub enum PactCommand {
    /// Write a draft with safe defaults, marked where a human must decide
    #[command(
        after_help = "Example:\n  raccordo pact draft --equipe tu --parties toscana,umbria --hub relay --out pact.toml"
    )]
    Draft(DraftArgs),
    /// Show a pact's file in words
    #[command(after_help = "Example:\n  raccordo pact show pact.toml")]
    Show {
        /// The pact's file, or - for standard input
        file: PathBuf,
    },
    /// Show what a pact's file changes
    #[command(
        long_about = "Show what a pact's file changes: against the safe defaults, or against another file.",
        after_help = "Example:\n  raccordo pact diff pact.toml --against old-pact.toml"
    )]
    Diff {
        /// The pact's file, or - for standard input
        file: PathBuf,
        /// The file to compare with, instead of the safe defaults
        #[arg(long, value_name = "FILE")]
        against: Option<PathBuf>,
    },
    /// Show what signing means, ask, and sign
    #[command(
        long_about = "Show what signing means, ask, and sign. The signature is also this node's consent to join the équipe.",
        after_help = "Example:\n  raccordo pact sign pact.toml\n  raccordo pact sign toscana-umbria"
    )]
    Sign {
        /// A draft, a proposal's file, or the name of a received proposal
        #[arg(value_name = "FILE|NAME")]
        pact: String,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
    /// Send a signed pact to the other parties
    #[command(
        after_help = "Example:\n  raccordo pact propose pact.toml\n  raccordo pact propose toscana-umbria --out for-umbria.pact"
    )]
    Propose {
        /// The signed pact's file, or the équipe's name
        #[arg(value_name = "FILE|NAME")]
        pact: String,
        /// Write the proposal to this file instead of sending it
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// List the pacts, and whose signature is missing
    #[command(after_help = "Example:\n  raccordo pact list")]
    List,
}

/// Options of `raccordo pact draft`.
#[derive(clap::Args, Clone, Debug)]
pub struct DraftArgs {
    /// Name of the équipe
    #[arg(long, value_name = "NAME")]
    equipe: String,
    /// Ids of all parties, this node included
    #[arg(long, value_name = "ID,ID,…", value_delimiter = ',', required = true)]
    parties: Vec<String>,
    /// Id of the node that keeps the équipe's log
    #[arg(long, value_name = "ID")]
    hub: String,
    /// Where to write the draft
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Fill every decision with an example, for pilots
    #[arg(long)]
    example: bool,
    /// Cryptography of the équipe; fixed for its life
    #[arg(long, value_enum, default_value = "hybrid")]
    ciphersuite: Ciphersuite,
    /// Replace the file if it exists
    #[arg(long)]
    force: bool,
}

/// Families of MLS ciphersuites.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Ciphersuite {
    /// Safe also against quantum computers
    Hybrid,
    /// Elliptic curves alone
    Classical,
}

/// A pact, or a change of an équipe that exists, with its signatures.
#[derive(Debug, Serialize)]
pub struct PactView {
    equipe: String,
    lineage: String,
    chair: String,
    hub: String,
    parties: Vec<String>,
    signed_by: Vec<String>,
    state: String,
    next: String,
    version: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    change: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    id: String,
}

impl From<Pact> for PactView {
    fn from(pact: Pact) -> Self {
        let Pact { equipe, lineage, chair, hub, parties, signed_by, state, next, .. } = pact;
        let Pact { version, change, id, .. } = pact;
        Self { equipe, lineage, chair, hub, parties, signed_by, state, next, version, change, id }
    }
}

impl PactView {
    /// How it stands; of a change also what it is, and the digits that name it.
    fn standing(&self) -> String {
        match self.change.as_str() {
            "" => self.state.clone(),
            words => format!("{}: {words} ({})", self.state, self.id),
        }
    }

    /// One line on who has signed and how it stands.
    pub fn line(&self) -> String {
        let signed = self.signed_by.join(", ");
        format!("{}: signed by {signed}; {}", self.equipe, self.standing())
    }

    /// The next step and whose it is; may be empty.
    pub fn next(&self) -> &str {
        &self.next
    }
}

#[derive(Serialize)]
struct DraftView {
    file: String,
    equipe: String,
}

#[derive(Serialize)]
struct ProposalView {
    equipe: String,
    sent_to: Vec<String>,
    file: Option<String>,
}

/// Where a pact comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    /// The text of a draft.
    Toml(String),
    /// The name of a proposal that the node has received.
    Equipe(String),
    /// A proposal's file.
    Proposal(Vec<u8>),
}

impl Source {
    /// A file where there is one of that name, else a proposal's name.
    fn find(pact: &str) -> Result<Self, Failure> {
        let path = Path::new(pact);
        if pact == "-" || path.exists() {
            return files::read(path).map(Self::of);
        }
        if pact.contains('/') || pact.contains('.') {
            let missing = std::io::Error::from(std::io::ErrorKind::NotFound);
            return Err(Failure::file("read", path, &missing));
        }
        Ok(Self::Equipe(pact.to_owned()))
    }

    /// Drafts are text; proposals, which carry signatures, are not.
    fn of(bytes: Vec<u8>) -> Self {
        let binary = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
        match String::from_utf8(bytes) {
            Ok(text) if !text.contains(binary) => Self::Toml(text),
            Ok(text) => Self::Proposal(text.into_bytes()),
            Err(error) => Self::Proposal(error.into_bytes()),
        }
    }

    fn preview(self) -> PreviewPactRequest {
        use preview_pact_request::Source as To;
        let source = match self {
            Self::Toml(text) => To::Toml(text),
            Self::Equipe(name) => To::Equipe(name),
            Self::Proposal(bytes) => To::Proposal(bytes),
        };
        PreviewPactRequest { source: Some(source) }
    }

    fn sign(self) -> SignPactRequest {
        use sign_pact_request::Source as To;
        let source = match self {
            Self::Toml(text) => To::Toml(text),
            Self::Equipe(name) => To::Equipe(name),
            Self::Proposal(bytes) => To::Proposal(bytes),
        };
        SignPactRequest { source: Some(source) }
    }
}

/// Runs a command on pacts.
///
/// # Errors
/// The node refuses or does not answer, or a file cannot be read or written.
pub async fn run(command: PactCommand, context: &Context) -> Result<(), Failure> {
    match command {
        PactCommand::Draft(args) => draft(args, context).await,
        PactCommand::Show { file } => show(&file, context),
        PactCommand::Diff { file, against } => diff(&file, against.as_deref(), context),
        PactCommand::Sign { pact, yes } => sign(&pact, yes, context).await,
        PactCommand::Propose { pact, out } => propose(&pact, out.as_deref(), context).await,
        PactCommand::List => list(context).await,
    }
}

/// The équipe that a pact's file names.
///
/// # Errors
/// The file is no pact, or the node does not answer.
pub async fn name_in_file(channel: Channel, path: &Path) -> Result<String, Failure> {
    let source = Source::of(files::read(path)?);
    Ok(preview(&mut PactServiceClient::new(channel), source).await?.equipe)
}

async fn preview(
    client: &mut PactServiceClient<Channel>,
    source: Source,
) -> Result<PreviewPactResponse, Failure> {
    Ok(client.preview_pact(call(source.preview())).await?.into_inner())
}

async fn draft(args: DraftArgs, context: &Context) -> Result<(), Failure> {
    let DraftArgs { equipe, parties, hub, out, example, ciphersuite, force } = args;
    let parties = parties.iter().map(|id| id.trim().to_owned()).collect();
    let ciphersuite = match ciphersuite {
        Ciphersuite::Hybrid => "hybrid",
        Ciphersuite::Classical => "classical",
    };
    let mut client = PactServiceClient::new(context.admin().await?);
    let ciphersuite = ciphersuite.to_owned();
    let request = DraftPactRequest { equipe: equipe.clone(), parties, hub, example, ciphersuite };
    let toml = client.draft_pact(call(request)).await?.into_inner().toml;
    let file = PrivateFile::create(&out, force).map_err(|failure| match failure.code.as_str() {
        "file_exists" => failure.hint("choose another name, or replace it with --force"),
        _ => failure,
    })?;
    file.write(toml.as_bytes())?;
    let file = out.display().to_string();
    context.out.record(&DraftView { file, equipe }, |view| format!("draft in {}", view.file))?;
    let path = out.display();
    if !example {
        context
            .out
            .note(&format!("fill what is marked, then look at it: raccordo pact show {path}"));
    }
    context.out.note(&format!("sign it: raccordo pact sign {path}"));
    Ok(())
}

fn show(file: &Path, context: &Context) -> Result<(), Failure> {
    let text = files::read_text(file).map_err(|failure| match failure.code.as_str() {
        "not_text" => failure.hint(format!(
            "a proposal is shown before the question of: raccordo pact sign {}",
            file.display()
        )),
        _ => failure,
    })?;
    let reading = offline::read_pact(&text)?;
    context.out.record(&reading, |reading| reading.summary.clone())
}

fn diff(file: &Path, against: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let text = files::read_text(file)?;
    let base = match against {
        Some(other) => files::read_text(other)?,
        None => offline::default_pact(&text)?,
    };
    let changes = offline::compare_pacts(&base, &text)?;
    let row = |change: &PactChange| {
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
        [change.field.clone(), shown(&change.before), shown(&change.after)]
    };
    context.out.records(&changes, ["FIELD", "BEFORE", "AFTER"], row, "no difference")
}

async fn sign(pact: &str, yes: bool, context: &Context) -> Result<(), Failure> {
    let source = Source::find(pact)?;
    let asks = !yes;
    if asks && (context.out.is_json() || !prompt::is_possible()) {
        return Err(Failure::usage("not_confirmed", "nobody is here to confirm the signature")
            .hint("read it with `raccordo pact show`, then give --yes"));
    }
    let mut client = PactServiceClient::new(context.admin().await?);
    let shown = preview(&mut client, source.clone()).await?;
    if !context.out.is_json() {
        context.out.text(&shown.summary)?;
    }
    if !shown.problems.is_empty() {
        return Err(unfilled(&shown));
    }
    if asks {
        prompt::confirm(&format!("Sign the pact of {} for this node?", shown.equipe))?;
        // What was read is what gets signed, though a newer proposal may have come meanwhile.
        let now = preview(&mut client, source.clone()).await?;
        if now.toml != shown.toml {
            let message = "the pact changed while it was being read; nothing was signed";
            return Err(
                Failure::new(EXIT_CONFLICT, "pact_changed", message).hint("read it again and sign")
            );
        }
    }
    let answer = client.sign_pact(call(source.sign())).await?.into_inner();
    let view = PactView::from(present(answer.pact)?);
    context.out.record(&view, PactView::line)?;
    if !view.next.is_empty() {
        context.out.note(&format!("next: {}", view.next));
    }
    Ok(())
}

fn unfilled(shown: &PreviewPactResponse) -> Failure {
    let problems = shown.problems.join("; ");
    let message = format!("the pact of {} cannot be signed yet: {problems}", shown.equipe);
    Failure::new(EXIT_REFUSED, "pact_unfilled", message)
        .hint("fill these in the file, then sign again")
}

async fn propose(pact: &str, out: Option<&Path>, context: &Context) -> Result<(), Failure> {
    let source = Source::find(pact)?;
    let mut client = PactServiceClient::new(context.admin().await?);
    let equipe = match source {
        Source::Equipe(name) => name,
        file => preview(&mut client, file).await?.equipe,
    };
    let file = out.map(|path| PrivateFile::create(path, false)).transpose()?;
    let request = ProposePactRequest { equipe: equipe.clone(), by_file: file.is_some() };
    let answer = match client.propose_pact(call(request)).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => {
            if let Some(file) = file {
                file.discard();
            }
            return Err(status.into());
        }
    };
    if let Some(file) = file {
        file.write(&answer.proposal)?;
    }
    let file = out.map(|path| path.display().to_string());
    let view = ProposalView { equipe, sent_to: answer.sent_to, file };
    context.out.record(&view, |view| match &view.file {
        Some(file) => format!("the proposal of {} is in {file}", view.equipe),
        None => format!("{}: sent to {}", view.equipe, view.sent_to.join(", ")),
    })
}

async fn list(context: &Context) -> Result<(), Failure> {
    let mut client = PactServiceClient::new(context.admin().await?);
    let pacts = client.list_pacts(call(ListPactsRequest {})).await?.into_inner().pacts;
    let views: Vec<PactView> = pacts.into_iter().map(PactView::from).collect();
    let row = |view: &PactView| {
        let signed = format!("{} of {}", view.signed_by.len(), view.parties.len());
        [view.equipe.clone(), view.standing(), signed, view.hub.clone(), view.next.clone()]
    };
    let header = ["ÉQUIPE", "STATE", "SIGNED", "HUB", "NEXT"];
    context.out.records(&views, header, row, "no pacts yet; start with: raccordo pact draft")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drafts_and_proposals_are_told_apart() {
        assert_eq!(Source::of(b"a = 1\r\n".to_vec()), Source::Toml("a = 1\r\n".to_owned()));
        assert_eq!(Source::of(vec![0xff, 1]), Source::Proposal(vec![0xff, 1]));
        assert_eq!(Source::of(vec![10, 4, 0]), Source::Proposal(vec![10, 4, 0]));
    }

    #[test]
    fn names_and_files_are_told_apart() {
        assert_eq!(Source::find("tu").unwrap(), Source::Equipe("tu".to_owned()));
        assert_eq!(Source::find("./none.toml").unwrap_err().code, "no_such_file");
        assert_eq!(Source::find("none.toml").unwrap_err().exit, 2);
    }
}
