//! Where a match stands, between its row and the core.

use std::collections::BTreeSet;

use raccordo_core::evidence::family::Family;
use raccordo_core::id::LineageId;
use raccordo_core::matching::event::Event;
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::life::{Match, MatchId, Side, State, Word, apply};

use super::events;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::matching::MatchRow;

/// The match of a row.
///
/// # Errors
/// A damaged row.
pub fn read(row: &MatchRow) -> Done<Match> {
    let damaged = || Fault::ours("row_damaged", "state, grade or word of a match");
    let word = |name: &str| match name {
        "" => Ok(None),
        name => Word::from_name(name).map(Some).ok_or_else(damaged),
    };
    Ok(Match {
        state: State::from_code(&row.state).ok_or_else(damaged)?,
        claimed: Grade::from_name(&row.claimed).ok_or_else(damaged)?,
        said_here: word(&row.said_here)?,
        said_there: word(&row.said_there)?,
    })
}

/// Puts a match into its row.
pub(super) fn write(row: &mut MatchRow, found: &Match) {
    let word = |word: Option<Word>| word.map(|word| word.name().to_owned()).unwrap_or_default();
    row.state = found.state.code().to_owned();
    row.claimed = found.claimed.name().to_owned();
    row.said_here = word(found.said_here);
    row.said_there = word(found.said_there);
}

/// What agrees between an own record and an object of a peer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// How strong.
    pub(super) grade: Grade,
    /// Of which kinds.
    pub(super) families: BTreeSet<Family>,
    /// What agrees, each with its tenths of bits, the strongest first.
    pub(super) reasons: String,
    /// Tenths of bits above what agrees by chance.
    pub(super) strength: i64,
}

/// Puts the evidence that this node has computed into a row; whether the row says it now for
/// the first time.
pub(super) fn show(row: &mut MatchRow, evidence: &Evidence) -> bool {
    let all = |row: &MatchRow| {
        (row.grade.clone(), row.families.clone(), row.reasons.clone(), row.strength, row.seen)
    };
    let before = all(row);
    row.grade = evidence.grade.name().to_owned();
    row.families = names(&evidence.families);
    row.reasons.clone_from(&evidence.reasons);
    row.strength = evidence.strength;
    row.seen = true;
    before != all(row)
}

/// Puts what the counterpart says and nobody sees here into a row: no more than a question.
pub(super) fn show_claim(row: &mut MatchRow, families: &BTreeSet<Family>) {
    row.grade = Grade::C.name().to_owned();
    row.families = names(families);
    row.reasons.clear();
    row.strength = 0;
    row.seen = false;
}

fn names(families: &BTreeSet<Family>) -> String {
    let names: Vec<&str> = families.iter().map(|family| family.name()).collect();
    names.join(" ")
}

/// Whether people have not yet decided it.
pub(super) fn is_open(row: &MatchRow) -> bool {
    matches!(row.state.as_str(), "candidate" | "confirmed_here" | "confirmed_there")
}

/// Where a match will stand once what this node has said of it is in the log, and nothing else
/// comes between.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub(super) async fn expected(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    id: MatchId,
) -> Done<Option<Match>> {
    let row = tx.found_match(id).await?;
    let found = row.as_ref().map(read).transpose()?;
    Ok(after(found, id, &events::waiting(node, tx, lineage).await?))
}

/// The same, of what this node has said and the log has not shown.
pub(super) fn after(found: Option<Match>, id: MatchId, waiting: &[Event]) -> Option<Match> {
    let mut found = found;
    for event in waiting.iter().filter(|event| event.about == id) {
        let step = event.told.step();
        if let Some(Ok(next)) = step.map(|step| apply(found.as_ref(), Side::Here, step)) {
            found = Some(next);
        }
    }
    found
}
