//! `raccordod`: runs a node in the foreground.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use raccordo_node::config::Config;
use raccordo_node::home::Home;
use raccordo_node::run::{self, RunError};
use raccordo_node::telemetry;

/// Runs a Raccordo node until it is told to stop.
#[derive(Debug, Parser)]
#[command(
    name = "raccordod",
    version,
    after_help = "Make a node with `raccordo init` first.\n\nExample:\n  raccordod --home /var/lib/raccordo"
)]
struct Args {
    /// The node's directory
    #[arg(long, env = "RACCORDO_HOME", value_name = "DIR")]
    home: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match started(Home::new(args.home)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn started(home: Home) -> Result<(), RunError> {
    let config = Config::load(&home).map_err(raccordo_node::setup::SetupError::from)?;
    telemetry::start_logs(&config.log.level, config.log.format)?;
    let metrics = telemetry::start_metrics()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(RunError::Runtime)?.block_on(run::until_told(home, metrics))
}

/// For people; the log has the same as JSON only once it runs.
fn tell(error: &RunError) {
    let mut text = format!("raccordod: {error}\n");
    let hint = error.hint();
    if !hint.is_empty() {
        text.push_str(&format!("hint: {hint}\n"));
    }
    // Where stderr is closed, the exit code says it.
    let _ = std::io::stderr().write_all(text.as_bytes());
}
