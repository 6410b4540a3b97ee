//! Where a match stands, between its row and the core.

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
        grade: Grade::from_name(&row.grade).ok_or_else(damaged)?,
        said_here: word(&row.said_here)?,
        said_there: word(&row.said_there)?,
    })
}

/// Puts a match into its row.
pub(super) fn write(row: &mut MatchRow, found: &Match) {
    let word = |word: Option<Word>| word.map(|word| word.name().to_owned()).unwrap_or_default();
    row.state = found.state.code().to_owned();
    row.grade = found.grade.name().to_owned();
    row.said_here = word(found.said_here);
    row.said_there = word(found.said_there);
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
