//! What of the matches waits for an operator: a decision, or a word for the other manager.

use std::collections::BTreeSet;

use raccordo_core::matching::life::{Match, MatchId, Side, State};
use raccordo_core::operator::Action;

use super::{events, list, standing};
use crate::app::Node;
use crate::app::directory::Operator;
use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::matching::{MatchFilter, MatchStage};

/// How many wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// For a decision.
    pub undecided: u64,
    /// Linked, and for a first word.
    pub unanswered: u64,
}

/// What waits for an operator who may decide; nothing for others. What was decided here, and
/// the log has not shown yet, waits no more.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn waiting(node: &Node, tx: &mut dyn Tx, operator: &Operator) -> Done<Waiting> {
    let filter = list::filter(operator, Action::DecideMatch);
    if !filter.people && !filter.companies {
        return Ok(Waiting::default());
    }
    let said = said(node, tx).await?;
    Ok(Waiting {
        undecided: count(tx, &filter, MatchStage::Undecided, &said).await?,
        unanswered: count(tx, &filter, MatchStage::Unanswered, &said).await?,
    })
}

/// How many the operator may see that were found after a position.
///
/// # Errors
/// The store's.
pub async fn found_after(tx: &mut dyn Tx, operator: &Operator, position: u64) -> Done<u64> {
    let filter = list::filter(operator, Action::ReadMatch);
    if !filter.people && !filter.companies {
        return Ok(0);
    }
    Ok(tx.count_matches(&MatchFilter { after_position: position, ..filter }).await?)
}

/// Matches of which this node has said something that the log has not shown, and where they
/// will stand.
async fn said(node: &Node, tx: &mut dyn Tx) -> Done<Vec<(u64, Match)>> {
    let mut said = Vec::new();
    for equipe in tx.equipes().await? {
        let events = events::waiting(node, tx, equipe.lineage).await?;
        let about: BTreeSet<MatchId> = events.iter().map(|event| event.about).collect();
        for id in about {
            let Some(row) = tx.found_match(id).await? else { continue };
            let found = standing::after(Some(standing::read(&row)?), id, &events);
            said.extend(found.map(|found| (row.position, found)));
        }
    }
    Ok(said)
}

async fn count(
    tx: &mut dyn Tx,
    filter: &MatchFilter,
    stage: MatchStage,
    said: &[(u64, Match)],
) -> Done<u64> {
    let filter = MatchFilter { stage, ..filter.clone() };
    let mut count = tx.count_matches(&filter).await?;
    for (position, found) in said {
        if waits(stage, found) {
            continue;
        }
        let (after, before) = (position.saturating_sub(1), Some(position.saturating_add(1)));
        let one = MatchFilter { after_position: after, before_position: before, ..filter.clone() };
        count = count.saturating_sub(tx.count_matches(&one).await?);
    }
    Ok(count)
}

/// Whether a match that stands so is of the stage.
fn waits(stage: MatchStage, found: &Match) -> bool {
    match stage {
        MatchStage::Any => true,
        MatchStage::Undecided => {
            matches!(found.state, State::Candidate | State::ConfirmedBy(Side::There))
        }
        MatchStage::Unanswered => found.state == State::Linked && found.said_here.is_none(),
    }
}
