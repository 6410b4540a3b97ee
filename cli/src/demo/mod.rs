//! `raccordo demo`: three regions and a relay on this machine, as four real processes.
//!
//! It drives the programs that an administrator and an operator would use, this one and
//! the `raccordod` beside it, and tells what happens step by step.

mod desks;
mod matches;
mod stage;
mod story;
mod teller;

use std::path::PathBuf;

use clap::Args;

use crate::failure::Failure;
use stage::Stage;
use teller::{Outcome, Teller};

/// Options of `raccordo demo`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  raccordo demo --keep /tmp/raccordo-demo")]
pub struct DemoArgs {
    /// Keep the four homes in this new or empty directory, for exploring
    #[arg(long, value_name = "DIR")]
    pub keep: Option<PathBuf>,
    /// Print JSON; set from the global option.
    #[arg(skip)]
    pub json: bool,
}

/// Runs the demonstration; its processes are ended whatever happens.
///
/// # Errors
/// The failure of its first step that does not succeed.
pub async fn run(args: DemoArgs) -> Result<(), Failure> {
    let mut stage = Stage::new(args.keep)?;
    let mut teller = Teller::new(args.json);
    let desks = stage.keeps() && !args.json;
    let told = story::tell(&mut stage, &mut teller).await;
    let shown = match &told {
        Ok(outcome) => ended(&stage, &teller, outcome, desks).await,
        Err(_) => Ok(()),
    };
    stage.stop().await;
    stage.close(told.is_ok());
    told.and(shown)
}

/// Tells the end, and keeps the desks open while somebody watches.
async fn ended(
    stage: &Stage,
    teller: &Teller,
    outcome: &Outcome,
    desks: bool,
) -> Result<(), Failure> {
    teller.end(outcome, stage.kept())?;
    if desks {
        desks::tell(stage, teller).await?;
        desks::wait(teller).await?;
    }
    Ok(())
}
