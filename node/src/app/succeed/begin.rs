//! Begins the successor of a group, with this node's signature.

use std::collections::BTreeMap;

use raccordo_core::crypto::Suite;
use raccordo_core::id::{Digest, NodeId, Sequence};
use raccordo_core::sending::Standing;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::step::{Successor, succeeded};
use raccordo_core::trust::successor::{Held, SuccessorError, may_sign};

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::changes::{self, Begun, Pending, step_fault};
use crate::app::fault::{Done, Fault};
use crate::app::honesty;
use crate::app::pacts::{proposal_fault, raise_all};
use crate::app::peers::verified_card;
use crate::app::signals::Topic;
use crate::app::work::open_pact;
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::successor::SuccessorRow;

/// What an administrator wishes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// The hub that keeps the log from then on; none where it stays.
    pub to: Option<NodeId>,
    /// Parties that do not go on.
    pub without: Vec<NodeId>,
    /// Another ciphersuite; none where it stays.
    pub suite: Option<Suite>,
}

/// Begins the successor, and sends it to those who are to sign. Repeated, it sends again what
/// was begun.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`, `already_succeeding`, `signed_another_successor`,
/// `party_not_verified`, `hub_without_endpoint`, `not_a_party`, `nobody_left`.
pub async fn begin(
    node: &Node,
    actor: Actor,
    equipe: &str,
    wanted: Wanted,
    reason: &str,
) -> Done<Pending> {
    let mut tx = node.store.write().await?;
    raise_all(&mut *tx).await?;
    let row = member(&mut *tx, equipe).await?;
    let known = signed(node, &mut *tx, &row).await?;
    let proposal = propose(node, &mut *tx, &row, &wanted, known.as_ref()).await?;
    let digest = proposal.statement.digest();
    if known.as_ref().is_some_and(|known| known.row.statement != digest) {
        return Err(successor_fault(&SuccessorError::SignedAnother(digest), &row));
    }
    let subject = row.lineage.to_string();
    let (group, statement) = (row.group.to_string(), digest.to_string());
    let detail = [("group", group.as_str()), ("reason", reason), ("statement", statement.as_str())];
    record(node, &mut *tx, actor, "equipe.succeed", &subject, &detail).await?;
    let pending = changes::sign(node, &mut *tx, actor, &row, proposal, Begun::Here).await?;
    changes::post(node, &mut *tx, &row, &pending.proposal).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(pending.proposal.hub().clone()));
    node.signals.wake(&Topic::Errands(row.hub));
    Ok(pending)
}

/// An équipe whose group may end by this node's word: also one whose state here is lost.
async fn member(tx: &mut dyn Tx, equipe: &str) -> Done<EquipeRow> {
    let row = match equipe.parse() {
        Ok(lineage) => tx.equipe(lineage).await?,
        Err(_) => tx.equipe_named(equipe).await?,
    };
    let row = row.ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    })?;
    match Standing::parse(&row.state) {
        Some(Standing::Active | Standing::NeedsRejoin | Standing::Quarantined) => Ok(row),
        Some(Standing::Succeeding) => {
            let message = "all have signed the successor of this group already";
            Err(Fault::conflict("already_succeeding", message).hint("see `raccordo doctor`"))
        }
        _ => Err(Fault::conflict("not_a_member", format!("the équipe is {} here", row.state))
            .hint("see `raccordo equipe show`")),
    }
}

/// The statement that follows from what is wished. Where one was signed already, after the
/// entry that stands in it.
async fn propose(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    wanted: &Wanted,
    known: Option<&Pending>,
) -> Done<Proposal> {
    let before = changes::statement(row)?;
    let agreed = open_pact(node, row)?;
    let pact = match wanted.suite {
        Some(suite) => Pact::parse(&agreed.with_suite(suite))
            .map_err(|cause| Fault::ours("pact_damaged", cause))?,
        None => agreed,
    };
    let hub = match &wanted.to {
        Some(to) => Some(verified_card(node, tx, to).await?),
        None => None,
    };
    let begun = known.and_then(|known| known.proposal.statement.statement().hub.end_before());
    let successor = Successor {
        group: row.group,
        end: begun.unwrap_or((row.sequence, row.head)),
        hub: hub.as_ref(),
        without: &wanted.without,
        pact: pact.digest(),
    };
    let after = succeeded(&before, &successor).map_err(|error| step_fault(&error))?;
    Proposal::next(pact, before, after, BTreeMap::new()).map_err(|cause| proposal_fault(&cause))
}

/// The successor of its group that this node has signed, while it can follow the statement in
/// force: another statement that came first has ended it.
async fn signed(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Option<Pending>> {
    let Some(known) = tx.successor(row.lineage, row.group).await? else { return Ok(None) };
    let pending = changes::of(node, tx, row).await?;
    Ok(pending.into_iter().find(|pending| pending.row.statement == known.signed))
}

/// Notes, before this node signs it, that a change is the successor of its group. Nothing
/// happens for every other change.
///
/// # Errors
/// `another_group`, `signed_another_successor`, `another_history`.
pub async fn signs(
    node: &Node,
    tx: &mut dyn Tx,
    actor: Actor,
    row: &EquipeRow,
    proposal: &Proposal,
) -> Done<()> {
    if proposal.succeeds().is_none() {
        return Ok(());
    }
    let successor = proposal.statement.statement();
    let held = Held {
        group: row.group,
        signed: signed(node, tx, row).await?.map(|known| known.row.statement),
        head: head_at_end(tx, row, successor.hub.end_before()).await?,
    };
    may_sign(successor, &held).map_err(|error| successor_fault(&error, row))?;
    let digest = proposal.statement.digest();
    let known = tx.successor(row.lineage, row.group).await?;
    if known.as_ref().is_some_and(|known| known.signed == digest) {
        return Ok(());
    }
    let (group, statement) = (row.group.to_string(), digest.to_string());
    let detail = [("group", group.as_str()), ("statement", statement.as_str())];
    let subject = row.lineage.to_string();
    record(node, tx, actor, "equipe.successor_signed", &subject, &detail).await?;
    tx.put_successor(SuccessorRow {
        lineage: row.lineage,
        old_group: row.group,
        signed: digest,
        statement: Vec::new(),
        answer: String::new(),
        changed_at: node.clock.now(),
    })
    .await?;
    Ok(())
}

/// Head at the entry after which a successor begins, as far as this node knows it.
async fn head_at_end(
    tx: &mut dyn Tx,
    row: &EquipeRow,
    end: Option<(Sequence, Digest)>,
) -> Done<Option<Digest>> {
    let Some((last, _)) = end else { return Ok(None) };
    if last == row.sequence {
        return Ok(Some(row.head));
    }
    if last > row.sequence {
        return Ok(None);
    }
    honesty::kept_head(tx, row.lineage, last).await
}

/// The fault of a successor that is not signed.
fn successor_fault(error: &SuccessorError, row: &EquipeRow) -> Fault {
    let fault = match error {
        SuccessorError::SignedAnother(_) => Fault::conflict(error.reason(), error.to_string()),
        _ => Fault::refused(error.reason(), error.to_string()),
    };
    fault.hint(match error {
        SuccessorError::SignedAnother(_) => {
            format!(
                "see which: raccordo pact list; send it again: raccordo pact propose {}",
                row.name
            )
        }
        SuccessorError::AnotherHistory(_) => {
            "the hub has shown two histories, or its maker lies: see `raccordo doctor`, and call \
             the other administrators"
                .to_owned()
        }
        SuccessorError::AnotherGroup => "see `raccordo equipe show`".to_owned(),
    })
}
