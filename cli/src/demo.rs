//! `raccordo demo`: two regions and a relay on this machine.

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;

/// Options of `raccordo demo`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  raccordo demo --keep /tmp/raccordo-demo")]
pub struct DemoArgs {
    /// Keep the three homes in this directory
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print JSON; set from the global option.
    #[arg(skip)]
    pub json: bool,
}

/// Runs the demonstration.
///
/// # Errors
/// The failure of its first step that does not succeed.
pub async fn run(args: DemoArgs) -> Result<(), Failure> {
    Err(Failure::internal(format!("demo: not available in this build ({args:?})")))
}
