//! `raccordo backup`: the node in one sealed file, and back.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use raccordo_core::secret::Secret;
use raccordo_proto::admin::v1::CreateBackupRequest;
use raccordo_proto::admin::v1::backup_service_client::BackupServiceClient;
use serde::Serialize;
use tonic::Request;

use crate::context::Context;
use crate::failure::Failure;
use crate::offline::{self, BackupReport, RestoreOptions};

/// Commands on backups.
#[derive(Clone, Debug, Subcommand)]
#[command(
    after_help = "Example:\n  raccordo backup create --out node.backup --passphrase-file backup.passphrase"
)]
pub enum BackupCommand {
    /// Write a sealed backup while the node runs, and verify it
    #[command(
        after_help = "Example:\n  raccordo backup create --out node.backup --passphrase-file backup.passphrase"
    )]
    Create(CreateArgs),
    /// Tell whether a backup is whole, of when it is and what it holds; needs no node
    #[command(
        after_help = "Example:\n  raccordo backup verify node.backup --passphrase-file backup.passphrase"
    )]
    Verify(VerifyArgs),
    /// Make the node again in an empty home; needs no node
    #[command(
        after_help = "Example:\n  raccordo --home /var/lib/raccordo backup restore node.backup --passphrase-file backup.passphrase"
    )]
    Restore(RestoreArgs),
}

/// Options of `raccordo backup create`.
#[derive(Args, Clone, Debug)]
pub struct CreateArgs {
    /// The file to be made
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// File with the passphrase on its first line, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// Options of `raccordo backup verify`.
#[derive(Args, Clone, Debug)]
pub struct VerifyArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File with the passphrase on its first line, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
}

/// Options of `raccordo backup restore`.
#[derive(Args, Clone, Debug)]
pub struct RestoreArgs {
    /// The backup
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// File with the passphrase on its first line, readable by its owner alone
    #[arg(long, value_name = "FILE")]
    passphrase_file: PathBuf,
    /// `sqlite`, or a postgres:// address of an empty database
    #[arg(long, value_name = "DATABASE")]
    database: Option<String>,
    /// Run the node's hub again, on this address
    #[arg(long, value_name = "ADDR")]
    hub_listen: Option<String>,
}

#[derive(Serialize)]
struct BackupView {
    file: String,
    node: String,
    made_at: String,
    bytes: u64,
    version: String,
    schema: u32,
    rows: BTreeMap<String, u64>,
}

#[derive(Serialize)]
struct RestoreView {
    id: String,
    home: String,
    made_at: String,
    key_file: Option<String>,
    needs_rejoin: Vec<String>,
}

impl BackupView {
    fn of(file: &Path, report: BackupReport) -> Self {
        Self {
            file: file.display().to_string(),
            node: report.manifest.node.to_string(),
            made_at: report.manifest.made_at().to_string(),
            bytes: report.bytes,
            version: report.manifest.version,
            schema: report.manifest.schema,
            rows: report.rows,
        }
    }

    fn describe(&self, context: &Context) -> String {
        let Self { file, node, made_at, bytes, version, schema, rows } = self;
        let rows = rows.iter().map(|(table, rows)| [table.clone(), rows.to_string()]);
        let table = context.out.table(["TABLE", "ROWS"], rows);
        format!(
            "{file} is whole: {node}, {made_at}, {bytes} bytes, version {version}, schema {schema}\n{table}"
        )
    }
}

/// Runs a command on backups.
///
/// # Errors
/// The node does not answer, or a file cannot be used.
pub async fn run(command: BackupCommand, context: &Context) -> Result<(), Failure> {
    match command {
        BackupCommand::Create(args) => create(args, context).await,
        BackupCommand::Verify(args) => {
            let passphrase = offline::backup_passphrase(&args.passphrase_file)?;
            let report = offline::verify_backup(&args.file, &passphrase)?;
            let view = BackupView::of(&args.file, report);
            context.out.record(&view, |view| view.describe(context))
        }
        BackupCommand::Restore(args) => restore(args, context).await,
    }
}

async fn create(args: CreateArgs, context: &Context) -> Result<(), Failure> {
    let CreateArgs { out, passphrase_file } = args;
    let passphrase = offline::backup_passphrase(&passphrase_file)?;
    if out.exists() {
        let message = format!("{} exists already", out.display());
        return Err(Failure::usage("file_exists", message).hint("choose another name"));
    }
    let part = PathBuf::from(format!("{}.part", out.display()));
    let written = received(&part, &passphrase, context).await;
    let report = written.and_then(|()| offline::verify_backup(&part, &passphrase));
    let report = report.inspect_err(|_| {
        // What is no backup does not stay; where it cannot be removed, its name tells.
        drop(std::fs::remove_file(&part));
    })?;
    std::fs::rename(&part, &out).map_err(|error| Failure::file("make", &out, &error))?;
    let view = BackupView::of(&out, report);
    context.out.record(&view, |view| view.describe(context))
}

/// Writes the file that the node makes, until it is on the disk.
async fn received(
    path: &Path,
    passphrase: &Secret<String>,
    context: &Context,
) -> Result<(), Failure> {
    let mut client = BackupServiceClient::new(context.admin().await?);
    let request = CreateBackupRequest { passphrase: passphrase.reveal().clone() };
    let mut pieces = client.create_backup(Request::new(request)).await?.into_inner();
    let mut file = private(path)?;
    let failed = |error: std::io::Error| Failure::file("write", path, &error);
    while let Some(piece) = pieces.message().await? {
        file.write_all(&piece.bytes).map_err(failed)?;
    }
    file.sync_all().map_err(failed)
}

/// Replaces what an interrupted run has left.
fn private(path: &Path) -> Result<File, Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(path).map_err(|error| Failure::file("make", path, &error))
}

async fn restore(args: RestoreArgs, context: &Context) -> Result<(), Failure> {
    let RestoreArgs { file, passphrase_file, database, hub_listen } = args;
    let report = offline::restore(RestoreOptions {
        passphrase: offline::backup_passphrase(&passphrase_file)?,
        file,
        home: context.home()?.to_owned(),
        database: database.map(Secret::new),
        hub_listen,
    })
    .await?;
    let view = RestoreView {
        id: report.node.to_string(),
        home: report.home.display().to_string(),
        made_at: report.made_at.to_string(),
        key_file: report.key_file.map(|path| path.display().to_string()),
        needs_rejoin: report.rejoins,
    };
    context.out.record(&view, |view| {
        format!("{} is ready to start in {}, as it was {}", view.id, view.home, view.made_at)
    })?;
    let out = &context.out;
    if let Some(key_file) = &view.key_file {
        out.note(&format!("keep a copy of the node key apart from the database: {key_file}"));
    }
    if let Some(endpoint) = report.hub_missing {
        out.note(&format!("its hub at {endpoint} is not in this home: --hub-listen runs one"));
    }
    out.note("what changed since then is not here: trust, operators; see deploy/docs/backup.md");
    out.note(&format!(
        "make sure that no other copy of it runs, then: raccordod --home {}",
        view.home
    ));
    if let Some(name) = view.needs_rejoin.first() {
        let approve = format!("raccordo equipe approve-rejoin {name} {}", view.id);
        out.note(&format!("then another party of each équipe approves: {approve}"));
    }
    Ok(())
}
