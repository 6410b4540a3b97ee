//! `raccordo case` and `raccordo company`: the node's own register, as an operator.
//!
//! Identifying values are read from files, standard input or the terminal, never from the
//! command line, which other users of the machine can see.

mod add;
mod import;
mod input;
mod read;
mod view;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use raccordo_core::register::RecordKind;

use crate::context::Context;
use crate::failure::Failure;

/// Purpose of reading where none is named.
const PURPOSE: &str = "protection";

/// Commands on cases.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo case add person.json\n  raccordo case list")]
pub enum CaseCommand {
    /// Add a case with its person to the node's own register
    #[command(
        long_about = "Add a case with its person to the node's own register. Nothing of it leaves the node.\n\nReads one JSON object: {\"person\":{\"names\":[{\"family\":…,\"given\":…}],\"birthDates\":[…],\"fiscalCodes\":[…],\"documents\":[{\"kind\":…,\"number\":…,\"country\":…}],\"phones\":[…],\"addresses\":[{\"street\":…,\"comune\":…}],\"employers\":[…],\"reference\":…},\"case\":{\"state\":…,\"manager\":…,\"codes\":{…}}}, each part optional; or {\"recordId\":…,\"case\":…} for another case of a known person. On a terminal without a file, asks. Prints {\"id\",\"record\",\"known\"}.",
        after_help = "Example:\n  raccordo case add person.json"
    )]
    Add {
        /// JSON; - for standard input; without it, questions on the terminal
        file: Option<PathBuf>,
    },
    /// List cases without what identifies their people, or find some by it
    #[command(
        after_help = "Example:\n  raccordo case list --state taken_in_charge --json\n  raccordo case list --find sought.json --purpose identification"
    )]
    List(read::ListArgs),
    /// Show a case with its person; the audit has it, with the purpose
    #[command(
        after_help = "Example:\n  raccordo case show 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --purpose case_coordination"
    )]
    Show(ShowArgs),
    /// Give a case another state, or to another operator
    #[command(
        after_help = "Example:\n  raccordo codes list case_state\n  raccordo case set 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --state closed"
    )]
    Set(read::SetArgs),
    /// Destroy a case's person for ever, with all cases of that person
    #[command(
        after_help = "Example:\n  raccordo case erase 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --yes"
    )]
    Erase(EraseArgs),
    /// Import cases with their people from a CSV file
    #[command(
        long_about = import::CASE_HELP,
        after_help = "Example:\n  raccordo case import casi.csv --dry-run\n  raccordo case import casi.csv --map 'Tel. 2=phone' --report refused.jsonl"
    )]
    Import(import::ImportArgs),
}

/// Commands on companies.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo company add company.json\n  raccordo company list")]
pub enum CompanyCommand {
    /// Add a company to the node's own register
    #[command(
        long_about = "Add a company to the node's own register. Nothing of it leaves the node.\n\nReads one JSON object: {\"company\":{\"names\":[…],\"vatNumbers\":[…],\"fiscalCodes\":[…],\"reaNumbers\":[…],\"addresses\":[{\"street\":…,\"comune\":…}],\"phones\":[…],\"soleTrader\":…,\"reference\":…},\"codes\":{…}}, each part optional. On a terminal without a file, asks. Prints {\"id\",\"known\"}.",
        after_help = "Example:\n  raccordo company add company.json"
    )]
    Add {
        /// JSON; - for standard input; without it, questions on the terminal
        file: Option<PathBuf>,
    },
    /// List companies without what identifies them, or find some by it
    #[command(
        after_help = "Example:\n  raccordo company list --json\n  raccordo company list --find sought.json --purpose company_monitoring"
    )]
    List(read::ListArgs),
    /// Show a company with what identifies it; the audit has it, with the purpose
    #[command(
        after_help = "Example:\n  raccordo company show 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --purpose company_monitoring"
    )]
    Show(ShowArgs),
    /// Destroy a company's record for ever
    #[command(
        after_help = "Example:\n  raccordo company erase 0b5cb9d2-3d31-4a53-8a55-4a5f5de0a5f4 --yes"
    )]
    Erase(EraseArgs),
    /// Import companies from a CSV file
    #[command(
        long_about = import::COMPANY_HELP,
        after_help = "Example:\n  raccordo company import imprese.csv --dry-run\n  raccordo company import imprese.csv --report refused.jsonl"
    )]
    Import(import::ImportArgs),
}

/// Options of `show`.
#[derive(Args, Clone, Debug)]
pub struct ShowArgs {
    /// Its id
    id: String,
    /// Why it is read, from the list `purpose`
    #[arg(long, value_name = "CODE", default_value = PURPOSE)]
    purpose: String,
}

/// Options of `erase`.
#[derive(Args, Clone, Debug)]
pub struct EraseArgs {
    /// Its id
    id: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Runs a command on cases.
///
/// # Errors
/// The input is invalid, the operator may not do it, or the node does not answer.
pub async fn run_case(command: CaseCommand, context: &Context) -> Result<(), Failure> {
    match command {
        CaseCommand::Add { file } => add::case(file.as_deref(), context).await,
        CaseCommand::List(args) => read::cases(args, context).await,
        CaseCommand::Show(args) => read::case(args, context).await,
        CaseCommand::Set(args) => read::set(args, context).await,
        CaseCommand::Erase(args) => read::erase_case(args, context).await,
        CaseCommand::Import(args) => import::run(RecordKind::Person, args, context).await,
    }
}

/// Runs a command on companies.
///
/// # Errors
/// The input is invalid, the operator may not do it, or the node does not answer.
pub async fn run_company(command: CompanyCommand, context: &Context) -> Result<(), Failure> {
    match command {
        CompanyCommand::Add { file } => add::company(file.as_deref(), context).await,
        CompanyCommand::List(args) => read::companies(args, context).await,
        CompanyCommand::Show(args) => read::company(args, context).await,
        CompanyCommand::Erase(args) => read::erase_company(args, context).await,
        CompanyCommand::Import(args) => import::run(RecordKind::Company, args, context).await,
    }
}
