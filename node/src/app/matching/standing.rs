//! Where a match stands, between its row and the core.

use raccordo_core::id::LineageId;
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::life::{Match, MatchId, Side, State, Word, apply};

use super::events;
use crate::app::Node;
use crate::app::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::matching::MatchRow;

/// Every state, each with the name in the database.
const STATES: [(State, &str); 8] = [
    (State::Candidate, "candidate"),
    (State::ConfirmedBy(Side::Here), "confirmed_here"),
    (State::ConfirmedBy(Side::There), "confirmed_there"),
    (State::Linked, "linked"),
    (State::Denied(Side::Here), "denied_here"),
    (State::Denied(Side::There), "denied_there"),
    (State::Unlinked(Side::Here), "unlinked_here"),
    (State::Unlinked(Side::There), "unlinked_there"),
];

/// The name of a state in the database.
pub(super) fn state_name(state: State) -> &'static str {
    STATES.into_iter().find(|(known, _)| *known == state).map_or("", |(_, name)| name)
}

/// The match of a row.
///
/// # Errors
/// A damaged row.
pub fn read(row: &MatchRow) -> Done<Match> {
    let damaged = || Fault::ours("row_damaged", "state, grade or word of a match");
    let state = STATES.into_iter().find(|(_, name)| *name == row.state);
    let word = |name: &str| match name {
        "" => Ok(None),
        name => Word::from_name(name).map(Some).ok_or_else(damaged),
    };
    Ok(Match {
        state: state.map(|(state, _)| state).ok_or_else(damaged)?,
        grade: Grade::from_name(&row.grade).ok_or_else(damaged)?,
        said_here: word(&row.said_here)?,
        said_there: word(&row.said_there)?,
    })
}

/// Puts a match into its row.
pub(super) fn write(row: &mut MatchRow, found: &Match) {
    let word = |word: Option<Word>| word.map(|word| word.name().to_owned()).unwrap_or_default();
    row.state = state_name(found.state).to_owned();
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
    let mut found = row.as_ref().map(read).transpose()?;
    for waiting in events::waiting(node, tx, lineage).await? {
        let step = waiting.told.step().filter(|_| waiting.about == id);
        if let Some(Ok(next)) = step.map(|step| apply(found.as_ref(), Side::Here, step)) {
            found = Some(next);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_have_names_of_their_own() {
        let names: std::collections::BTreeSet<_> =
            STATES.iter().map(|(state, _)| state_name(*state)).collect();
        assert_eq!(names.len(), STATES.len());
        for (state, name) in STATES {
            assert!(name.starts_with(state.name()), "{name}");
        }
    }
}
