//! Runs seeds of the simulation, and hunts planted bugs.

use std::process::ExitCode;

use clap::Parser as _;

#[path = "arguments.rs"]
mod arguments;
#[path = "hunt.rs"]
mod hunt;
#[path = "seeds.rs"]
mod seeds;

use arguments::Arguments;

fn main() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let arguments = Arguments::parse();
    let good = if arguments.list {
        hunt::list(&mut out)?
    } else if arguments.bugs {
        hunt::all(&mut out, &arguments)?
    } else {
        hunt::plant(arguments.bug)?;
        seeds::all(&mut out, &arguments)?
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
