//! Changes of a live équipe's membership and terms, each a statement that would follow the
//! one in force: begun by one party's command, signed by the others, until one is committed.

use std::collections::BTreeMap;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::planted::{self, Bug};
use raccordo_core::quota::Quota;
use raccordo_core::sending::Standing;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::change::Change;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::proposal::Proposal;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::step::{self, StepError, Wish};
use raccordo_core::wire;

use super::Node;
use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};
use super::pacts::{self, proposal_fault, read_kept};
use super::peers::{card_if_verified, verified_card};
use super::signals::Topic;
use super::work::open_pact;
use super::{alarms, succeed, term};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::membership::ProposalRow;

/// What an administrator wishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// That a party goes.
    Remove(NodeId),
    /// To go.
    Leave,
    /// That a party is suspended at once.
    Suspend(NodeId),
    /// That a party's suspension is ratified.
    Ratify(NodeId),
    /// That a suspended party returns.
    Return(NodeId),
}

/// A change on its way.
#[derive(Clone, Debug)]
pub struct Pending {
    /// The équipe's name.
    pub equipe: String,
    /// The row.
    pub row: ProposalRow,
    /// The proposal.
    pub proposal: Proposal,
}

/// Begins a change with this node's signature, and sends it to those who are to sign.
/// Repeated, it sends it again.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`, what the [step](StepError) says, `party_not_verified`.
pub async fn begin(
    node: &Node,
    actor: Actor,
    equipe: &str,
    wanted: Wanted,
    reason: &str,
) -> Done<Pending> {
    let mut tx = node.store.write().await?;
    pacts::raise_all(&mut *tx).await?;
    let row = live(&mut *tx, equipe).await?;
    let (action, wish) = wish(&node.identity.node, wanted)?;
    let proposal = follow(node, &row, &wish)?;
    let mut subject = vec![("reason", reason)];
    let who = named(&wish).to_string();
    subject.push(("party", &who));
    record(node, &mut *tx, actor, action, &row.lineage.to_string(), &subject).await?;
    let pending = sign(node, &mut *tx, actor, &row, proposal, Begun::Here).await?;
    post(node, &mut *tx, &row, &pending.proposal).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(row.hub));
    Ok(pending)
}

fn wish(me: &NodeId, wanted: Wanted) -> Done<(&'static str, Wish)> {
    Ok(match wanted {
        Wanted::Remove(node) if node == *me => {
            return Err(Fault::usage("not_oneself", "a node does not remove itself")
                .hint("it leaves: `raccordo equipe leave`"));
        }
        Wanted::Remove(node) => ("equipe.remove", Wish::Drop(node)),
        Wanted::Leave => ("equipe.leave", Wish::Drop(me.clone())),
        Wanted::Suspend(suspended) => {
            ("equipe.suspend", Wish::Suspend { suspended, by: me.clone() })
        }
        Wanted::Ratify(node) => ("equipe.ratify", Wish::Ratify(node)),
        Wanted::Return(node) => ("equipe.return", Wish::Return(node)),
    })
}

fn named(wish: &Wish) -> &NodeId {
    match wish {
        Wish::Drop(node) | Wish::Ratify(node) | Wish::Return(node) => node,
        Wish::Suspend { suspended, .. } => suspended,
    }
}

fn follow(node: &Node, row: &EquipeRow, wish: &Wish) -> Done<Proposal> {
    let before = statement(row)?;
    let after = wish.after(&before).map_err(|error| step_fault(&error))?;
    let pact = open_pact(node, row)?;
    Proposal::next(pact, before, after, BTreeMap::new()).map_err(|cause| proposal_fault(&cause))
}

/// The change that a later pact makes; unsigned.
///
/// # Errors
/// `not_a_member`, `pact_conflict`, `pact_unfilled`, `party_not_verified`, `no_such_peer`.
pub async fn renew(node: &Node, tx: &mut dyn Tx, row: &EquipeRow, pact: Pact) -> Done<Proposal> {
    active(row)?;
    let before = statement(row)?;
    let agreed = open_pact(node, row)?;
    let mut cards: BTreeMap<NodeId, SignedCard> = BTreeMap::new();
    for id in pact.parties().filter(|id| before.statement().party(id).is_none()) {
        cards.insert(id.clone(), verified_card(node, tx, id).await?);
    }
    let after = step::renewed(&before, &agreed, &pact, &cards);
    let after = after.map_err(|error| step_fault(&error))?;
    Proposal::next(pact, before, after, cards).map_err(|cause| proposal_fault(&cause))
}

/// Where a change began.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// By a command of this node, which commits it when it is complete.
    Here,
    /// At another party.
    Elsewhere,
}

/// Signs a change, merged with what is known of it, and keeps it.
///
/// # Errors
/// `not_a_party`, `party_not_verified`, `another_identity`, `change_overtaken`.
pub async fn sign(
    node: &Node,
    tx: &mut dyn Tx,
    actor: Actor,
    row: &EquipeRow,
    proposal: Proposal,
    begun: Begun,
) -> Done<Pending> {
    all_verified(node, tx, &proposal).await?;
    enough(&proposal)?;
    term::not_beyond(row, &proposal)?;
    succeed::signs(node, tx, actor, row, &proposal).await?;
    let mut pending = take(node, tx, row, proposal).await?.0;
    let proposal = &mut pending.proposal;
    let new = proposal
        .sign(&node.identity.node, &node.identity.key)
        .map_err(|cause| proposal_fault(&cause))?;
    if new {
        let version = proposal.statement.statement().version.to_string();
        let detail = [("equipe", row.name.as_str()), ("version", &version)];
        record(node, tx, actor, "pact.sign", &row.lineage.to_string(), &detail).await?;
    }
    pending.row.begun_here |= begun == Begun::Here;
    keep(node, tx, pending).await
}

/// Nobody signs what cannot stand.
fn enough(proposal: &Proposal) -> Done<()> {
    if proposal.may_be_complete() {
        return Ok(());
    }
    let suspended: Vec<String> = proposal.missing().iter().map(NodeId::to_string).collect();
    let message = "while so many parties are suspended, the others are too few to agree on this";
    let hint = format!("one of them returns first: {}", suspended.join(", "));
    Err(Fault::conflict("too_few_to_sign", message).hint(hint))
}

/// Whoever stays must count as verified here; who is dropped or suspended need not.
async fn all_verified(node: &Node, tx: &mut dyn Tx, proposal: &Proposal) -> Done<()> {
    let me = &node.identity.node;
    match proposal.change() {
        Some(Change::Leaving { leaver }) if leaver == *me => return Ok(()),
        Some(Change::Suspension { .. }) => return Ok(()),
        _ => {}
    }
    let parties = proposal.statement.statement().unsuspended();
    let parties = parties.map(|party| (&party.node, &party.identity));
    let term = match proposal.succeeds() {
        Some(_) => Some(&proposal.statement.statement().hub),
        None => proposal.moves(),
    };
    let hub = term.map(|term| (&term.hub, &term.identity));
    for (id, identity) in parties.chain(hub) {
        let card = verified_card(node, tx, id).await?;
        if card.card().identity != *identity {
            let message = format!("the change names another identity of {id} than is verified");
            return Err(Fault::refused("another_identity", message)
                .hint("ask whoever began it which card it holds; do not sign"));
        }
    }
    Ok(())
}

/// Merges a change with what is known of it; whether anything was new. It is not kept yet.
///
/// # Errors
/// `change_overtaken`, `change_misplaced`.
async fn take(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    proposal: Proposal,
) -> Done<(Pending, bool)> {
    let before = statement(row)?;
    let version = proposal.statement.statement().version;
    let now = before.statement().version;
    if version <= now {
        return Err(overtaken());
    }
    let previous = proposal.previous.as_ref().map(SignedStatement::digest);
    if version == now.saturating_add(1) && previous != Some(before.digest()) {
        let message = "the change does not follow the statement in force here";
        return Err(Fault::refused("change_misplaced", message));
    }
    let equipe = row.name.clone();
    let digest = proposal.statement.digest();
    let known = tx.proposals(row.lineage).await?;
    if let Some(row) = known.iter().find(|row| row.statement == digest) {
        let mut merged = open(node, row)?;
        let changed = merged.merge(&proposal).map_err(|cause| proposal_fault(&cause))?;
        return Ok((Pending { equipe, row: row.clone(), proposal: merged }, changed));
    }
    let row = ProposalRow {
        lineage: row.lineage,
        statement: digest,
        sealed_proposal: Vec::new(),
        begun_here: false,
        changed_at: node.clock.now(),
    };
    Ok((Pending { equipe, row, proposal }, true))
}

/// Takes a change that another party sent; or the pact in force, where it never came here:
/// [`super::membership::adopt_pact`] puts it in force.
///
/// # Errors
/// As for signing: the sender's fault, or `change_overtaken`.
pub async fn receive(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    sender: &NodeId,
    proposal: Proposal,
) -> Done<()> {
    let detail = [("from", sender.as_str())];
    let subject = row.lineage.to_string();
    let in_force = proposal.statement.digest() == statement(row)?.digest();
    if in_force && alarms::stands(tx, row.lineage, AlarmCode::PactUnknown).await? {
        pacts::keep(node, tx, &proposal).await?;
        return record(node, tx, Actor::Node, "pact.received", &subject, &detail).await;
    }
    if !has_room(node, tx, row, &proposal).await? {
        return Err(node.at_quota(sender, Quota::ProposalsOfPeer, Whose::Exhausted));
    }
    let (pending, changed) = take(node, tx, row, proposal).await?;
    if changed {
        keep(node, tx, pending).await?;
        record(node, tx, Actor::Node, "pact.received", &subject, &detail).await?;
    }
    Ok(())
}

/// Whether a change may wait for this node's signature: where it is known, where it is signed by
/// all who must, or where one of the parties who have signed it has room.
async fn has_room(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    proposal: &Proposal,
) -> Done<bool> {
    let digest = proposal.statement.digest();
    let waiting = of(node, tx, row).await?;
    if waiting.iter().any(|it| it.row.statement == digest) || proposal.missing().is_empty() {
        return Ok(true);
    }
    // Whoever is no party yet has no name here.
    let before = statement(row)?;
    let mut signers = proposal.signed_by();
    signers.retain(|signer| before.statement().party(signer).is_some());
    let waiting: Vec<_> = waiting.into_iter().map(|it| it.proposal).collect();
    Ok(pacts::is_room_left(node, &signers, &waiting))
}

async fn keep(node: &Node, tx: &mut dyn Tx, mut pending: Pending) -> Done<Pending> {
    let encoded = wire::trust::encode_proposal(&pending.proposal);
    let row = &mut pending.row;
    row.sealed_proposal = node.seal(&context(row.lineage, row.statement), &encoded)?;
    row.changed_at = node.clock.now();
    tx.put_proposal(row.clone()).await?;
    Ok(pending)
}

/// Opens the proposal of a row.
///
/// # Errors
/// A wrong node key or a damaged row.
pub fn open(node: &Node, row: &ProposalRow) -> Done<Proposal> {
    let bytes = node.open(&context(row.lineage, row.statement), &row.sealed_proposal)?;
    read_kept(bytes.reveal())
}

/// Changes of an équipe on their way, oldest first.
///
/// # Errors
/// The store's.
pub async fn of(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<Vec<Pending>> {
    let mut all = Vec::new();
    for found in tx.proposals(row.lineage).await? {
        let proposal = open(node, &found)?;
        all.push(Pending { equipe: row.name.clone(), row: found, proposal });
    }
    Ok(all)
}

/// Changes of all équipes on their way.
///
/// # Errors
/// The store's.
pub async fn list(node: &Node) -> Done<Vec<Pending>> {
    let mut tx = node.store.read().await?;
    let mut all = Vec::new();
    for row in tx.equipes().await? {
        all.extend(of(node, &mut *tx, &row).await?);
    }
    Ok(all)
}

/// The change that a name means: the équipe's where only one waits for this node or only
/// one is there, or the beginning of a statement's digest. None where no change is meant.
///
/// # Errors
/// `several_changes`.
pub async fn find(node: &Node, tx: &mut dyn Tx, name: &str) -> Done<Option<(EquipeRow, Pending)>> {
    let (mut by_name, mut by_digest) = (Vec::new(), Vec::new());
    for row in tx.equipes().await? {
        let meant = row.name == name || row.lineage.to_string() == name;
        for pending in of(node, tx, &row).await? {
            let digest = pending.row.statement.to_string();
            if meant {
                by_name.push((row.clone(), pending));
            } else if name.len() >= DIGEST_DIGITS && digest.starts_with(name) {
                by_digest.push((row.clone(), pending));
            }
        }
    }
    let me = &node.identity.node;
    let mut found = if by_digest.is_empty() { by_name } else { by_digest };
    if found.len() > 1 {
        found.retain(|(_, pending)| pending.proposal.missing().contains(me));
    }
    if found.len() > 1 {
        let digests: Vec<String> =
            found.iter().map(|(_, pending)| short(pending.row.statement)).collect();
        let message = format!("several changes wait: {}", digests.join(", "));
        return Err(Fault::conflict("several_changes", message)
            .hint("see `raccordo pact list`, and name one of them by these digits"));
    }
    Ok(found.pop())
}

/// Digits of a statement's digest that name a change.
pub const DIGEST_DIGITS: usize = 12;

/// How a change is named where the équipe's name is not enough.
pub fn short(statement: Digest) -> String {
    statement.to_string().chars().take(DIGEST_DIGITS).collect()
}

/// Sends a change, sealed, to everyone whom it concerns and who stays or is to sign. Whoever
/// is not verified here is left out: it hears of it from the others, or from the log.
///
/// # Errors
/// The store's.
pub async fn post(
    node: &Node,
    tx: &mut dyn Tx,
    row: &EquipeRow,
    proposal: &Proposal,
) -> Done<Vec<NodeId>> {
    let encoded = wire::trust::encode_proposal(proposal);
    let after = proposal.statement.statement();
    let mut to: Vec<NodeId> = after.unsuspended().map(|party| party.node.clone()).collect();
    to.extend(proposal.missing());
    to.sort();
    to.dedup();
    let mut sent = Vec::new();
    // Where the hub is lost, all reach one another through the next.
    let elsewhere = proposal.moves().is_some() || proposal.succeeds().is_some();
    let hub = if elsewhere { proposal.hub() } else { &row.hub };
    for party in to.into_iter().filter(|party| *party != node.identity.node) {
        let Some(card) = card_if_verified(node, tx, &party).await? else {
            tracing::warn!(%party, "a change is not sent to a party that is not verified");
            continue;
        };
        pacts::mail(node, tx, hub, &card, &encoded).await?;
        sent.push(party);
    }
    Ok(sent)
}

/// Drops the changes that can follow no more after a new statement. A leave goes on by
/// itself: this node signs it again for the statement in force.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn drop_overtaken(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<()> {
    let now = statement(row)?;
    for pending in of(node, tx, row).await? {
        let version = pending.proposal.statement.statement().version;
        if version > now.statement().version {
            continue;
        }
        tx.delete_proposal(row.lineage, pending.row.statement).await?;
        if pending.row.statement == now.digest() {
            continue;
        }
        let lineage = row.lineage;
        tracing::warn!(%lineage, version, "a change was overtaken by another");
        let me = &node.identity.node;
        let leaves = pending.proposal.change() == Some(Change::Leaving { leaver: me.clone() })
            && !planted::is(Bug::LeaveForgotten);
        if leaves && pending.row.begun_here && now.statement().party(me).is_some() {
            match leave_again(node, tx, row).await {
                Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => {
                    return Err(fault);
                }
                Err(fault) => {
                    tracing::error!(%lineage, reason = fault.reason, "the leave is not signed again: begin it anew")
                }
                Ok(()) => {}
            }
        }
    }
    Ok(())
}

async fn leave_again(node: &Node, tx: &mut dyn Tx, row: &EquipeRow) -> Done<()> {
    let proposal = follow(node, row, &Wish::Drop(node.identity.node.clone()))?;
    let again = sign(node, tx, Actor::Node, row, proposal, Begun::Here).await?;
    post(node, tx, row, &again.proposal).await.map(drop)
}

/// An équipe of which this node is a member.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`.
pub async fn live(tx: &mut dyn Tx, equipe: &str) -> Done<EquipeRow> {
    let row = match equipe.parse::<LineageId>() {
        Ok(lineage) => tx.equipe(lineage).await?,
        Err(_) => tx.equipe_named(equipe).await?,
    };
    let row = row.ok_or_else(|| {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    })?;
    active(&row)?;
    Ok(row)
}

/// Only a member begins a change.
fn active(row: &EquipeRow) -> Done<()> {
    if row.state == Standing::Active.as_str() {
        return Ok(());
    }
    Err(Fault::conflict("not_a_member", format!("the équipe is {} here", row.state))
        .hint("see `raccordo equipe show`"))
}

/// The statement in force.
///
/// # Errors
/// A damaged row.
pub fn statement(row: &EquipeRow) -> Done<SignedStatement> {
    SignedStatement::decode(&row.statement).map_err(|cause| Fault::ours("statement_damaged", cause))
}

fn overtaken() -> Fault {
    Fault::conflict("change_overtaken", "another change was committed meanwhile")
        .hint("see `raccordo equipe show`, and begin it again if it is still wished")
}

/// The fault of a change that cannot be.
pub fn step_fault(error: &StepError) -> Fault {
    let fault = match error {
        StepError::NotAParty(_) => Fault::not_found(error.reason(), error.to_string()),
        StepError::Pact(_)
        | StepError::Kept(_)
        | StepError::Statement(_)
        | StepError::NotAHub(_) => Fault::refused(error.reason(), error.to_string()),
        _ => Fault::conflict(error.reason(), error.to_string()),
    };
    fault.hint("see `raccordo equipe show`")
}

/// Context under which a change is sealed.
pub(super) fn context(lineage: LineageId, statement: Digest) -> String {
    format!("change/{lineage}/{statement}")
}
