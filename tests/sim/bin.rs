//! Runs seeds of the simulation, and hunts planted bugs.

use std::io::Write;
use std::process::ExitCode;

use raccordo_tests::sim::Size;

#[path = "arguments.rs"]
mod arguments;
#[path = "hunt.rs"]
mod hunt;
#[path = "seeds.rs"]
mod seeds;

use arguments::{Arguments, HELP, Task};

fn main() -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let arguments = Arguments::parse(std::env::args().skip(1))?;
    let Arguments { task, jobs, .. } = &arguments;
    let good = match task {
        Task::Help => {
            let Size { nodes, alerts, changes } = Size::default();
            writeln!(
                out,
                "{HELP}\nUnless told otherwise: {nodes} nodes, {alerts} alerts, {changes} changes of membership, {jobs} jobs."
            )?;
            true
        }
        Task::Run => {
            hunt::plant(arguments.bug)?;
            seeds::all(&mut out, &arguments)?
        }
        Task::Hunt => hunt::all(&mut out, &arguments)?,
        Task::List => hunt::list(&mut out)?,
    };
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
