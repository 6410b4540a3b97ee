//! Statements that were in force, one after the other: a member keeps them to show another hub
//! that a new term follows, and a hub to show a newcomer that the group's does.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::statement_chain::{STEPS_MAX, newest};

use super::fault::{Done, Fault};
use crate::store::Tx;
use crate::store::history::Keeper;

/// Most statements that are kept of one lineage beside the one in force.
const KEPT_MAX: u64 = STEPS_MAX as u64;

/// Notes the statement that is in force now, container `signed-statement`. What was noted of
/// later versions was undone with its commit, and what is too old to be sent goes.
///
/// # Errors
/// The store's, or a damaged statement.
pub async fn note(tx: &mut dyn Tx, keeper: Keeper, encoded: &[u8]) -> Done<()> {
    let signed = read(encoded)?;
    let (lineage, version) = (signed.statement().lineage, signed.statement().version);
    tx.put_past_statement(keeper, lineage, version, encoded.to_vec()).await?;
    if let Some(before) = version.checked_sub(KEPT_MAX) {
        tx.forget_past_statements(keeper, lineage, before).await?;
    }
    Ok(())
}

/// Statements before one, oldest first, as many as are sent together. They lead to it without
/// a gap: where one is missing, so are those before it.
///
/// # Errors
/// The store's, or a damaged statement.
pub async fn before(
    tx: &mut dyn Tx,
    keeper: Keeper,
    statement: &SignedStatement,
) -> Done<Vec<SignedStatement>> {
    let (lineage, version) = (statement.statement().lineage, statement.statement().version);
    let limit = u32::try_from(KEPT_MAX).unwrap_or(u32::MAX);
    let mut steps = Vec::new();
    let mut wanted = statement.statement().previous;
    for encoded in tx.past_statements(keeper, lineage, version, limit).await? {
        let step = read(&encoded)?;
        if step.digest() != wanted {
            break;
        }
        wanted = step.statement().previous;
        steps.push(step);
    }
    steps.reverse();
    Ok(newest(steps))
}

/// Statements before one as far back as the first in which one of these nodes is listed: it has
/// signed that one, or a later one.
///
/// # Errors
/// As [`before`].
pub async fn since_listed(
    tx: &mut dyn Tx,
    keeper: Keeper,
    statement: &SignedStatement,
    nodes: &BTreeSet<NodeId>,
) -> Done<Vec<SignedStatement>> {
    let mut steps = before(tx, keeper, statement).await?;
    let lists = |step: &SignedStatement| {
        step.statement().parties.iter().any(|party| nodes.contains(&party.node))
    };
    let needed = steps.iter().rev().take_while(|step| lists(step)).count();
    Ok(steps.split_off(steps.len().saturating_sub(needed)))
}

/// Forgets all of a lineage.
///
/// # Errors
/// The store's.
pub async fn forget(tx: &mut dyn Tx, keeper: Keeper, lineage: LineageId) -> Done<()> {
    // No statement has this version, which the databases can hold.
    Ok(tx.forget_past_statements(keeper, lineage, i64::MAX.unsigned_abs()).await?)
}

fn read(encoded: &[u8]) -> Done<SignedStatement> {
    SignedStatement::decode(encoded).map_err(|cause| Fault::ours("statement_damaged", cause))
}
