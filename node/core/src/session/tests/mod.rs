//! The rules of DESIGN §3–§6 for members and hub, each in both suites. Every step loads
//! the group from stored rows, so that each is also a restart.

mod commits;
mod framing;
mod joining;
mod key_packages;
mod lab;
mod public;
mod reload;
mod views;

use self::lab::{Lab, Node};
use super::*;
use crate::hubgroup::HubGroupError;
use crate::trust::commit::{CommitRefused, CommitView};

/// Runs a story in both suites.
fn both(story: impl Fn(Suite)) {
    story(Suite::Hybrid);
    story(Suite::Classical);
}

/// An update of our own leaf only.
fn update() -> Change {
    Change::default()
}

fn statement(text: &[u8]) -> Change {
    Change { statement: Some(text.to_vec()), ..Change::default() }
}

/// One bit of the byte at `from_end` turned.
fn bent(bytes: &[u8], from_end: usize) -> Vec<u8> {
    let mut bent = bytes.to_vec();
    let at = bent.len() - from_end;
    bent[at] ^= 1;
    bent
}

fn refused_by_hub(outcome: Result<CommitView, HubGroupError>, reason: &str) {
    assert_eq!(outcome.unwrap_err().reason(), reason);
}

fn refused(outcome: Result<Processed, SessionError>, reason: &str) {
    assert_eq!(outcome.unwrap_err().reason(), reason);
}
