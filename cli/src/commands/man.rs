//! `raccordo man`: the manual pages, for packages.

use std::path::{Path, PathBuf};

use clap::{Args, CommandFactory};
use serde::Serialize;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;

/// Options of `raccordo man`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  raccordo man --out /usr/share/man/man1")]
pub struct ManArgs {
    /// Write a page for every command into this directory
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

#[derive(Serialize)]
struct PageView {
    page: String,
}

/// Prints the main page, or writes all of them.
///
/// # Errors
/// The pages cannot be written.
pub fn run(args: ManArgs, context: &Context) -> Result<(), Failure> {
    if let Some(folder) = &args.out {
        return clap_mangen::generate_to(Cli::command(), folder)
            .map_err(|error| Failure::file("write into", Path::new(folder), &error));
    }
    let mut page = Vec::new();
    clap_mangen::Man::new(Cli::command())
        .render(&mut page)
        .map_err(|error| Failure::output(&error))?;
    let page = String::from_utf8_lossy(&page).into_owned();
    match context.out.is_json() {
        true => context.out.object(&PageView { page }),
        false => context.out.raw(&page),
    }
}
