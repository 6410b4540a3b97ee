//! `raccordo`: the command line of a Raccordo node.

mod args;
mod client;
mod commands;
mod context;
mod demo;
mod duration;
mod failure;
mod files;
mod offline;
mod output;
mod prompt;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use crate::args::{Cli, Command};
use crate::commands::{
    alert, audit, backup, codes, completions, equipe, hub, init, man, matching, operator,
    organisation, pact, readiness, register, trust,
};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::Output;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(misused(&error)),
    };
    let out = Output::new(cli.globals.json);
    let result = tokio::runtime::Runtime::new()
        .map_err(|error| Failure::internal(format!("cannot start: {error}")))
        .and_then(|runtime| runtime.block_on(run(cli, out)));
    ExitCode::from(result.unwrap_or_else(|failure| {
        out.failure(&failure);
        failure.exit
    }))
}

/// Runs one command and says with which exit code the program ends.
async fn run(cli: Cli, out: Output) -> Result<u8, Failure> {
    let json = cli.globals.json;
    let context = Context { home: cli.globals.home, operator: cli.globals.operator, out };
    let done = match cli.command {
        Command::Doctor(args) => return readiness::doctor(args, &context).await,
        Command::Init(args) => init::run(args, &context).await,
        Command::WaitReady(args) => readiness::wait_ready(args, &context).await,
        Command::Status(args) => readiness::status(args, &context).await,
        Command::Trust(command) => trust::run(command, &context).await,
        Command::Pact(command) => pact::run(command, &context).await,
        Command::Equipe(command) => equipe::run(command, &context).await,
        Command::Hub(command) => hub::run(command, &context).await,
        Command::Organisation(command) => organisation::run(command, &context).await,
        Command::Operator(command) => operator::run(command, &context).await,
        Command::Alert(command) => alert::run(command, &context).await,
        Command::Case(command) => register::run_case(command, &context).await,
        Command::Company(command) => register::run_company(command, &context).await,
        Command::Match(command) => matching::run(command, &context).await,
        Command::Stop(command) => matching::run_stop(command, &context).await,
        Command::Codes(command) => codes::run(command, &context),
        Command::Audit(command) => audit::run(command, &context).await,
        Command::Backup(command) => backup::run(command, &context).await,
        Command::Demo(args) => demo::run(demo::DemoArgs { json, ..args }).await,
        Command::Completions(args) => completions::run(args, &context),
        Command::Man(args) => man::run(args, &context),
    };
    done.map(|()| 0)
}

/// Tells of a wrong command line, or shows the help that was asked for.
fn misused(error: &clap::Error) -> u8 {
    let json = std::env::args_os().any(|arg| arg == "--json");
    let out = Output::new(json);
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return out.raw(&text).map_or_else(|failure| failure.exit, |()| 0);
    }
    let failure = match error.kind() {
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand if json => {
            Failure::usage("usage", "a command is missing").hint("see: raccordo --help")
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            output::help(&text);
            return failure::EXIT_USAGE;
        }
        _ => usage(&text),
    };
    out.failure(&failure);
    failure.exit
}

/// clap's text as a failure: its first paragraph, then its tips and the usage.
fn usage(text: &str) -> Failure {
    let text = text.trim_end().trim_start_matches("error: ");
    let (message, rest) = text.split_once("\n\n").unwrap_or((text, ""));
    let worth = |line: &&str| !line.is_empty() && !line.starts_with("For more information");
    let lines = rest.lines().map(str::trim).filter(worth);
    let hints: Vec<&str> = lines.map(|line| line.trim_start_matches("tip: ")).collect();
    let failure = Failure::usage("usage", message);
    match hints.as_slice() {
        [] => failure.hint("see: raccordo --help"),
        _ => failure.hint(hints.join("\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misuse_is_told_in_a_sentence() {
        let error = Cli::try_parse_from(["raccordo", "status", "--jsom"]).unwrap_err();
        let failure = usage(&error.render().to_string());
        assert_eq!((failure.code.as_str(), failure.exit), ("usage", 2));
        assert_eq!(failure.message, "unexpected argument '--jsom' found");
        let hint = failure.hint.unwrap();
        assert!(hint.starts_with("a similar argument exists: '--json'"), "{hint}");
        assert!(hint.ends_with("Usage: raccordo status --json"), "{hint}");
    }
}
