//! The commands, one module per group: options, the call, and how its answer is shown.

pub mod alert;
pub mod audit;
pub mod backup;
pub mod codes;
pub mod completions;
pub mod equipe;
pub mod hub;
pub mod init;
pub mod keys;
pub mod man;
pub mod matching;
pub mod move_hub;
pub mod operator;
pub mod organisation;
pub mod pact;
pub mod readiness;
pub mod register;
pub mod rejoin;
pub mod succeed;
pub mod trust;

use crate::failure::Failure;
use crate::{output, prompt};

/// Takes a message out of an answer that must have it.
fn present<T>(message: Option<T>) -> Result<T, Failure> {
    message.ok_or_else(|| {
        Failure::internal("the node's answer lacks a part")
            .hint("raccordo and raccordod should be of one version")
    })
}

/// Asks before a change that cannot be undone, where there is somebody to ask.
fn ask(yes: bool, json: bool, question: &str) -> Result<(), Failure> {
    if yes || json || !prompt::is_possible() {
        return Ok(());
    }
    prompt::confirm(&output::harmless(question))
}
