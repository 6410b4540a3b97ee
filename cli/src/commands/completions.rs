//! `raccordo completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use serde::Serialize;

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Failure;

/// Options of `raccordo completions`.
#[derive(Args, Clone, Debug)]
#[command(after_help = "Example:\n  raccordo completions bash > /etc/bash_completion.d/raccordo")]
pub struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

#[derive(Serialize)]
struct ScriptView {
    shell: String,
    script: String,
}

/// Prints the completions.
///
/// # Errors
/// Standard output does not take them.
pub fn run(args: CompletionsArgs, context: &Context) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "raccordo", &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match context.out.is_json() {
        true => context.out.object(&ScriptView { shell: args.shell.to_string(), script }),
        false => context.out.raw(&script),
    }
}
