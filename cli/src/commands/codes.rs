//! `raccordo codes`: the closed lists that alerts use.

use clap::Subcommand;

use crate::context::Context;
use crate::failure::Failure;
use crate::offline::{self, CodeEntry, CodeList};

/// Commands on code lists.
#[derive(Clone, Debug, Subcommand)]
#[command(after_help = "Example:\n  raccordo codes search comune Firenze")]
pub enum CodesCommand {
    /// List the code lists, or the codes of one
    #[command(after_help = "Example:\n  raccordo codes list\n  raccordo codes list exploitation")]
    List {
        /// The list whose codes to print
        list: Option<String>,
    },
    /// Find codes by their labels
    #[command(after_help = "Example:\n  raccordo codes search comune Firenze")]
    Search {
        /// The list to search
        list: String,
        /// Part of a code or a label, Italian or English
        #[arg(required = true)]
        text: Vec<String>,
        /// Codes to print at most
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
    },
}

/// Runs a command on code lists.
///
/// # Errors
/// There is no such list, or nothing matches.
pub fn run(command: CodesCommand, context: &Context) -> Result<(), Failure> {
    match command {
        CodesCommand::List { list: None } => {
            let row = |view: &CodeList| {
                [view.list.clone(), view.codes.to_string(), view.date.clone(), view.source.clone()]
            };
            let header = ["LIST", "CODES", "DATE", "SOURCE"];
            context.out.records(&offline::code_lists(), header, row, "no lists")
        }
        CodesCommand::List { list: Some(list) } => print(&offline::codes(&list)?, context),
        CodesCommand::Search { list, text, limit } => {
            print(&offline::search_codes(&list, &text.join(" "), limit)?, context)
        }
    }
}

fn print(entries: &[CodeEntry], context: &Context) -> Result<(), Failure> {
    let row = |entry: &CodeEntry| [entry.code.clone(), entry.it.clone(), entry.en.clone()];
    context.out.records(entries, ["CODE", "ITALIANO", "ENGLISH"], row, "nothing matches")
}
