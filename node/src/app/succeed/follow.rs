//! Goes the way into a successor that all have signed: nothing more is said in the group
//! before, the hub is asked, and the chair founds it.

use raccordo_core::id::{GroupId, LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::session::Session;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::successor::leads_from;

use super::enter;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::found::{NewEquipe, new_row, secret};
use crate::app::mail::{Offer, later_term};
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::app::{Node, changes, roster};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::successor::SuccessorRow;

/// What the hub answers once it waits for the group.
const ACCEPTED: &str = "accepted";
/// What it answers once it has the group.
pub(super) const FOUNDED: &str = "founded";

/// The successor of an équipe's group that all have signed, if there is one.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn complete(
    tx: &mut dyn Tx,
    row: &EquipeRow,
) -> Done<Option<(SuccessorRow, SignedStatement)>> {
    let known = tx.successor(row.lineage, row.group).await?;
    let Some(known) = known.filter(|known| !known.statement.is_empty()) else { return Ok(None) };
    let statement = SignedStatement::decode(&known.statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    Ok(Some((known, statement)))
}

/// Whether a node that stands here may still go into a successor.
fn may_follow(row: &EquipeRow) -> bool {
    let standing = Standing::parse(&row.state);
    matches!(standing, Some(Standing::Active | Standing::NeedsRejoin | Standing::Quarantined))
}

/// Notes a successor that all have signed: from now on nothing is said in the group before.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn note(node: &Node, lineage: LineageId) -> Done<()> {
    {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.equipe(lineage).await? else { return Ok(()) };
        if due(node, &mut *tx, &row).await?.is_none() {
            return Ok(());
        }
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let row = work.row.clone();
    work.tx()?.raise_pact(lineage).await?;
    let Some((known, proposal)) = due(node, work.tx()?, &row).await? else { return Ok(()) };
    let subject = lineage.to_string();
    let group = row.group.to_string();
    let detail = [("group", group.as_str())];
    record(node, work.tx()?, Actor::Node, "equipe.succeeding", &subject, &detail).await?;
    let (statement, changed_at) = (proposal.statement.encode(), node.clock.now());
    work.tx()?.put_successor(SuccessorRow { statement, changed_at, ..known }).await?;
    if row.state == Standing::Active.as_str() {
        work.row.state = Standing::Succeeding.as_str().into();
    }
    work.commit().await?;
    tracing::warn!(%lineage, "all have signed the successor of the group");
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(proposal.hub().clone()));
    Ok(())
}

/// The signed successor that is complete and not noted yet.
async fn due(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
) -> Done<Option<(SuccessorRow, Proposal)>> {
    if !may_follow(row) {
        return Ok(None);
    }
    let known = tx.successor(row.lineage, row.group).await?;
    let Some(known) = known.filter(|known| known.statement.is_empty()) else { return Ok(None) };
    let proposal = of(node, tx, row, &known).await?;
    let proposal = proposal.filter(|proposal| proposal.missing().is_empty());
    Ok(proposal.map(|proposal| (known, proposal)))
}

/// The change whose statement this node has signed as the successor's.
async fn of(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    known: &SuccessorRow,
) -> Done<Option<Proposal>> {
    let pending = changes::of(node, tx, row).await?;
    let signed = pending.into_iter().find(|pending| pending.row.statement == known.signed);
    Ok(signed.map(|pending| pending.proposal))
}

/// After another statement came into force: a successor of the one before it can follow no
/// more, and the group goes on.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn overtaken(node: &Node, work: &mut Work<'_>) -> Done<()> {
    if work.row.state != Standing::Succeeding.as_str() {
        return Ok(());
    }
    let row = work.row.clone();
    let Some(known) = work.tx()?.successor(row.lineage, row.group).await? else { return Ok(()) };
    if of(node, work.tx()?, &row, &known).await?.is_some() {
        return Ok(());
    }
    let subject = row.lineage.to_string();
    record(node, work.tx()?, Actor::Node, "equipe.successor_overtaken", &subject, &[]).await?;
    let (statement, answer) = (Vec::new(), String::new());
    work.tx()?.put_successor(SuccessorRow { statement, answer, ..known }).await?;
    work.row.state = Standing::Active.as_str().into();
    tracing::warn!(lineage = %row.lineage, "another statement came before the successor's");
    Ok(())
}

/// Successors that this node, as their chair, has to ask a hub for.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn offers(node: &Node, hub: &NodeId) -> Done<Vec<Offer>> {
    let mut tx = node.store.read().await?;
    let mut offers = Vec::new();
    for row in tx.equipes().await? {
        let Some((known, statement)) = complete(&mut *tx, &row).await? else { continue };
        let body = statement.statement();
        let ours = body.chair == node.identity.node && body.hub.hub == *hub;
        if !ours || !matches!(known.answer.as_str(), "" | "waiting") {
            continue;
        }
        offers.push(later_term(node, &mut *tx, statement).await?);
    }
    Ok(offers)
}

/// Notes what the hub of a successor has answered; whether there was one that waits for it.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn answered(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    hub: &NodeId,
    answer: &str,
) -> Done<bool> {
    let Some(row) = tx.equipe(lineage).await? else { return Ok(false) };
    tx.raise_pact(lineage).await?;
    let Some((known, statement)) = complete(tx, &row).await? else { return Ok(false) };
    if statement.statement().hub.hub != *hub || known.answer == answer {
        return Ok(false);
    }
    let (answer, changed_at) = (answer.to_owned(), node.clock.now());
    tx.put_successor(SuccessorRow { answer, changed_at, ..known }).await?;
    Ok(true)
}

/// Founds a successor here, as its chair, once its hub waits for it; the courier does the rest.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn found(node: &Node, lineage: LineageId, hub: &NodeId) -> Done<()> {
    let (before, statement, proposal) = {
        let mut tx = node.store.read().await?;
        let Some(row) = tx.equipe(lineage).await? else { return Ok(()) };
        let Some((known, statement)) = complete(&mut *tx, &row).await? else { return Ok(()) };
        let body = statement.statement();
        let ours = body.chair == node.identity.node && body.hub.hub == *hub;
        if !ours || known.answer != ACCEPTED {
            return Ok(());
        }
        let Some(proposal) = of(node, &mut *tx, &row, &known).await? else { return Ok(()) };
        (row, statement, proposal)
    };
    let (group, terms) = (statement.statement().group_id(), proposal.pact.terms());
    let encoded = statement.encode();
    let (session, group_info) =
        Session::found(&node.crypto, &node.identity.leaf(), group, terms.ciphersuite, &encoded)
            .map_err(|cause| Fault::ours("not_founded", cause))?;
    let mut row = new_row(
        node,
        lineage,
        group,
        NewEquipe {
            name: terms.equipe.clone(),
            suite: terms.ciphersuite.number(),
            standing: Standing::Founding,
            statement: encoded,
            pact_text: proposal.pact.text().to_owned(),
            hub: hub.clone(),
        },
    )?;
    if let Some(end) = statement.statement().hub.end_before() {
        (row.sequence, row.head) = end;
    }
    row.next_number = before.next_number;
    let mut work = Work::renew(node, row, session).await?;
    // What was read before the lock may have changed until then.
    let now = work.tx()?.equipe(lineage).await?;
    if now.is_none_or(|now| (now.group, &now.state) != (before.group, &before.state)) {
        return Ok(());
    }
    let sealed = node.seal(&secret(lineage), &group_info)?;
    work.tx()?.put_secret(&secret(lineage), sealed).await?;
    enter(node, &mut work, &before, &Proposal { statement, ..proposal }).await?;
    roster::follow_group(&mut work).await?;
    let row = work.row.clone();
    changes::drop_overtaken(node, work.tx()?, &row).await?;
    work.commit().await?;
    tracing::info!(%lineage, %group, "the successor of the group is founded here");
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(hub.clone()));
    Ok(())
}

/// The signed successor of an équipe's group whose own group this is, if there is one.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn leads(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    to: GroupId,
) -> Done<Option<Proposal>> {
    if to == row.group {
        return Ok(None);
    }
    let pending = changes::of(node, tx, row).await?;
    let proposals = pending.into_iter().map(|pending| pending.proposal);
    let me = &node.identity.node;
    let mut signed = proposals.filter(|proposal| proposal.signed_by().contains(me));
    Ok(signed.find(|proposal| leads_from(&proposal.statement, row.group, to)))
}
