//! Begins a move of an équipe's log, with this node's signature.

use std::collections::BTreeMap;

use raccordo_core::id::NodeId;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::step::{Move, moved};

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::changes::{self, Begun, Pending, live, step_fault};
use crate::app::fault::{Done, Fault};
use crate::app::pacts::{proposal_fault, raise_all};
use crate::app::peers::verified_card;
use crate::app::signals::Topic;
use crate::app::work::open_pact;
use crate::store::equipe::EquipeRow;

/// What an administrator wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The hub that keeps the log from then on.
    pub to: NodeId,
    /// Whether the present hub is lost, or was put back to an older state: it hands nothing
    /// over, and the log goes on where this node stands.
    pub lost: bool,
    /// Parties that go with it.
    pub without: Vec<NodeId>,
}

/// Begins the move, and sends it to those who are to sign. Repeated, it sends it again.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`, `party_not_verified`, `hub_without_endpoint`,
/// `same_hub`, `not_a_party`, `nobody_left`.
pub async fn begin(
    node: &Node,
    actor: Actor,
    equipe: &str,
    wanted: Wanted,
    reason: &str,
) -> Done<Pending> {
    let mut tx = node.store.write().await?;
    raise_all(&mut *tx).await?;
    let row = live(&mut *tx, equipe).await?;
    let hub = verified_card(node, &mut *tx, &wanted.to).await?;
    let before = changes::statement(&row)?;
    let end = wanted.lost.then_some((row.sequence, row.head));
    let asked = Move { hub: &hub, end, without: &wanted.without };
    let after = moved(&before, &asked).map_err(|error| step_fault(&error))?;
    let pact = open_pact(node, &row)?;
    let proposal = Proposal::next(pact, before, after, BTreeMap::new());
    let proposal = proposal.map_err(|cause| proposal_fault(&cause))?;
    let how = if wanted.lost { "lost" } else { "planned" };
    let detail = [("hub", wanted.to.as_str()), ("how", how), ("reason", reason)];
    let subject = row.lineage.to_string();
    record(node, &mut *tx, actor, "equipe.move_hub", &subject, &detail).await?;
    let pending = changes::sign(node, &mut *tx, actor, &row, proposal, Begun::Here).await?;
    changes::post(node, &mut *tx, &row, &pending.proposal).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(pending.proposal.hub().clone()));
    node.signals.wake(&Topic::Errands(wanted.to));
    Ok(pending)
}

/// Refuses a statement that would end the log before entries that are here: they would be
/// lost to this node, which had to join again. The move is begun where the log is longest.
///
/// # Errors
/// `longer_log_here`.
pub fn not_beyond(row: &EquipeRow, proposal: &Proposal) -> Done<()> {
    let Some((last, head)) = proposal.moves().and_then(|term| term.end_before()) else {
        return Ok(());
    };
    if (row.sequence, row.head) == (last, head) || row.sequence < last {
        return Ok(());
    }
    let message = format!(
        "the log would end at entry {last}, and this node holds it to entry {}",
        row.sequence
    );
    Err(Fault::refused("longer_log_here", message).hint(format!(
        "begin the move here instead: raccordo equipe move-hub {} --to ID --lost",
        row.name
    )))
}
