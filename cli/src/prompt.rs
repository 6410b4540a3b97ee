//! Questions to the person at the terminal.

use std::io::IsTerminal;

use dialoguer::{Confirm, Input};

use crate::failure::Failure;
use crate::output::harmless;

/// Whether a person can be asked.
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// Asks a question whose safe answer is no.
///
/// # Errors
/// The terminal fails, or the answer is no.
pub fn confirm(question: &str) -> Result<(), Failure> {
    let yes = Confirm::new().with_prompt(harmless(question)).default(false).interact();
    match yes.map_err(|error| unreadable(&error))? {
        true => Ok(()),
        false => Err(Failure::usage("not_confirmed", "nothing was done")
            .hint("answer y, or give --yes, to go ahead")),
    }
}

/// Asks for a line of text.
///
/// # Errors
/// The terminal fails.
pub fn line(question: &str) -> Result<String, Failure> {
    Input::<String>::new()
        .with_prompt(harmless(question))
        .interact_text()
        .map_err(|error| unreadable(&error))
}

/// Asks for a line of text, which may be empty.
///
/// # Errors
/// The terminal fails.
pub fn line_or_nothing(question: &str) -> Result<String, Failure> {
    Input::<String>::new()
        .with_prompt(harmless(question))
        .allow_empty(true)
        .interact_text()
        .map_err(|error| unreadable(&error))
}

fn unreadable(error: &dialoguer::Error) -> Failure {
    Failure::usage("no_answer", format!("the terminal gave no answer: {error}"))
        .hint("give the answer as an option; see --help")
}

/// Tells the person something about an answer.
pub fn remark(text: &str) {
    // The question that follows fails where the terminal has gone.
    drop(dialoguer::console::Term::stderr().write_line(&harmless(text)));
}
