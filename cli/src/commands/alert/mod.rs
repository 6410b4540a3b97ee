//! `raccordo alert`: sharing and reading, as an operator.

mod check;
mod input;
mod read;
mod share;
mod view;
mod wait;

use std::path::PathBuf;

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;

pub use input::without_value;
pub use view::rfc3339;

/// Commands on alerts.
#[derive(Clone, Debug, Subcommand)]
#[command(
    after_help = "Example:\n  raccordo alert example --kind case | raccordo alert share --equipe toscana-umbria -"
)]
pub enum AlertCommand {
    /// Share alerts with an équipe: one JSON object, or JSON Lines for many
    #[command(
        long_about = "Share alerts with an équipe: one JSON object, or JSON Lines for many.\n\nExits 0 when every alert is durable on this node. The same input shared twice makes two alerts; a line that carries its own \"id\" (a UUID) is shared at most once, whatever is retried. A line may carry \"record\", the id of the own register's record that it is about (`raccordo case list`, `raccordo company list`): other regions that know the same person or company then find it; the record stays here. Prints {\"id\",\"state\",\"sequence\"} for each.",
        after_help = "Example:\n  raccordo alert share --equipe toscana-umbria alert.json --wait delivered --timeout 1m"
    )]
    Share(share::ShareArgs),
    /// List own and received alerts, each once, oldest first
    #[command(
        after_help = "Example:\n  raccordo alert list --equipe toscana-umbria --from umbria --state active --json"
    )]
    List(read::ListArgs),
    /// Show one alert; its origin is told that it was read
    #[command(after_help = "Example:\n  raccordo alert show 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4")]
    Show {
        /// The alert's id
        id: String,
    },
    /// End an own alert at every member
    #[command(
        after_help = "Example:\n  raccordo codes list withdrawal_reason\n  raccordo alert withdraw 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --reason consent_withdrawn"
    )]
    Withdraw {
        /// The alert's id
        id: String,
        /// Why, from the list `withdrawal_reason`
        #[arg(long, value_name = "CODE")]
        reason: String,
    },
    /// Check alerts without sharing them
    #[command(after_help = "Example:\n  raccordo alert check alert.json")]
    Check {
        /// JSON, or JSON Lines; - for standard input
        file: PathBuf,
    },
    /// Print valid synthetic alerts, ready to share
    #[command(after_help = "Example:\n  raccordo alert example --kind company --count 3 --seed 7")]
    Example(check::ExampleArgs),
}

/// Runs a command on alerts.
///
/// # Errors
/// The input is invalid, the pact or the operator's role forbids it, or the node does not
/// answer.
pub async fn run(command: AlertCommand, context: &Context) -> Result<(), Failure> {
    match command {
        AlertCommand::Share(args) => share::run(args, context).await,
        AlertCommand::List(args) => read::list(args, context).await,
        AlertCommand::Show { id } => read::show(id, context).await,
        AlertCommand::Withdraw { id, reason } => read::withdraw(id, reason, context).await,
        AlertCommand::Check { file } => check::check(&file, context),
        AlertCommand::Example(args) => check::example(args, context),
    }
}
