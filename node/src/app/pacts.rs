//! Pacts: draft, preview, sign, propose, list. Those of an équipe that exists go on as its
//! [`changes`].

use std::collections::BTreeMap;

use raccordo_core::crypto::Suite;
use raccordo_core::id::{ItemId, LineageId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::sealing;
use raccordo_core::sending::Standing as Member;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::pact::Pact;
use raccordo_core::trust::pact::draft::Draft;
use raccordo_core::trust::proposal::{Proposal, ProposalError};
use raccordo_core::trust::state::TrustState;
use raccordo_core::wire;

use super::audit::{Actor, record};
use super::fault::{Done, Fault, Whose};
use super::peers::verified_card;
use super::signals::Topic;
use super::work::open_pact;
use super::{Node, changes, consents};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::node::MailRow;
use crate::store::pact::PactRow;

/// `info` of the sealing of proposals (RFC 9180 §5.1).
pub const SEAL_INFO: &[u8] = b"raccordo/v1/sealed-pact";

/// Kind of the posts that carry a proposal.
pub const MAIL_KIND: &str = "pact";

/// What a preview or a signature is asked for.
#[derive(Clone, Debug)]
pub enum Source {
    /// The text of a draft.
    Toml(String),
    /// Name or lineage of a pact that is here.
    Named(String),
    /// A proposal file.
    Proposal(Vec<u8>),
}

/// A pact with what has been signed.
#[derive(Clone, Debug)]
pub struct Standing {
    /// The row.
    pub row: PactRow,
    /// The proposal.
    pub proposal: Proposal,
    /// Whether the équipe exists here.
    pub active: bool,
    /// The change of an équipe that exists, where it is one that was signed.
    pub change: Option<changes::Pending>,
}

/// Writes a draft with this node as chair; of an équipe that exists, the pact in force with
/// these parties, for people to change further.
///
/// # Errors
/// `not_a_party`, `no_such_peer`, `unknown_ciphersuite`.
pub async fn draft(
    node: &Node,
    equipe: &str,
    parties: &[NodeId],
    hub: &NodeId,
    example: bool,
    suite: &str,
) -> Done<String> {
    let suite = if suite.is_empty() { Suite::Hybrid } else { self::suite(suite)? };
    let live = node.store.read().await?.equipe_named(equipe).await?;
    if let Some(row) = live.filter(|row| row.state == Member::Active.as_str()) {
        let pact = open_pact(node, &row)?;
        let mut tx = node.store.read().await?;
        let mut named = Vec::new();
        for party in parties {
            named.push((party.clone(), display_name(node, &mut *tx, party).await?));
        }
        return Ok(pact.redraft(&named, example));
    }
    if !parties.contains(&node.identity.node) {
        return Err(Fault::usage("not_a_party", "the chair drafts, and is one of the parties")
            .hint(format!("add {} to --parties", node.identity.node)));
    }
    let mut tx = node.store.read().await?;
    let mut named = Vec::new();
    for party in parties {
        named.push((party.clone(), display_name(node, &mut *tx, party).await?));
    }
    display_name(node, &mut *tx, hub).await?;
    let draft = Draft {
        equipe: equipe.to_owned(),
        lineage: LineageId::random(&*node.entropy),
        chair: node.identity.node.clone(),
        parties: named,
        hub: hub.clone(),
        suite,
        today: node.clock.now().date(),
        example,
    };
    Ok(draft.toml())
}

/// The ciphersuite of a name.
///
/// # Errors
/// `unknown_ciphersuite`.
pub fn suite(name: &str) -> Done<Suite> {
    let known = [Suite::Hybrid, Suite::Classical].into_iter().find(|suite| suite.name() == name);
    known.ok_or_else(|| {
        Fault::usage("unknown_ciphersuite", "the ciphersuite is `hybrid` or `classical`")
    })
}

async fn display_name(node: &Node, tx: &mut dyn Tx, id: &NodeId) -> Done<String> {
    if *id == node.identity.node {
        return Ok(node.identity.card().card().name.clone());
    }
    let row = tx.peer(id).await?.ok_or_else(|| {
        Fault::not_found("no_such_peer", format!("no card of {id} is here"))
            .hint("add it: `raccordo trust add FILE`")
    })?;
    Ok(super::peers::read_card(&row)?.card().name.clone())
}

/// The pact that a source means.
///
/// # Errors
/// `pact_invalid`, `no_such_pact`, `bad_proposal`.
pub async fn preview(node: &Node, source: &Source) -> Done<Pact> {
    match source {
        Source::Toml(text) => parse(text),
        Source::Named(name) => {
            let mut tx = node.store.read().await?;
            match changes::find(node, &mut *tx, name).await? {
                Some((_, pending)) => Ok(pending.proposal.pact),
                None => Ok(find(node, &mut *tx, name).await?.1.pact),
            }
        }
        Source::Proposal(bytes) => Ok(read_proposal(bytes)?.pact),
    }
}

/// Signs: the chair a filled draft, the others what the chair proposed. The signature is
/// also the consent to join. In an équipe that exists any party may begin a change so.
///
/// # Errors
/// `pact_unfilled`, `pact_invalid`, `not_a_party`, `party_not_verified`, `not_the_chair`,
/// `pact_conflict`.
pub async fn sign(node: &Node, actor: Actor, source: Source) -> Done<Standing> {
    let mut tx = node.store.write().await?;
    raise_all(&mut *tx).await?;
    if let Some(signed) = sign_change(node, &mut *tx, actor, &source).await? {
        tx.commit().await?;
        node.signals.wake(&Topic::Errands(signed.proposal.hub().clone()));
        return Ok(signed);
    }
    let mut proposal = match source {
        Source::Toml(text) => first_proposal(node, &mut *tx, &text).await?,
        Source::Named(name) => find(node, &mut *tx, &name).await?.1,
        Source::Proposal(bytes) => {
            let read = read_proposal(&bytes)?;
            merged(node, &mut *tx, read).await?.0
        }
    };
    let pact = &proposal.pact;
    if !pact.has_party(&node.identity.node) {
        return Err(Fault::refused("not_a_party", "this node is no party of this pact"));
    }
    let problems = pact.problems();
    if let Some(first) = problems.first() {
        let message = format!("{} things are to be filled or put right: {first}", problems.len());
        return Err(Fault::refused("pact_unfilled", message)
            .hint("see all of them: `raccordo pact show FILE`"));
    }
    all_verified(node, &mut *tx, &proposal).await?;
    let chairs = proposal.previous.is_none() && proposal.pact.terms().chair == node.identity.node;
    let new = proposal
        .sign(&node.identity.node, &node.identity.key)
        .map_err(|cause| proposal_fault(&cause))?;
    let row = keep(node, &mut *tx, &proposal).await?;
    if new {
        let subject = row.lineage.to_string();
        record(node, &mut *tx, actor, "pact.sign", &subject, &[("equipe", &row.equipe)]).await?;
    }
    if !chairs {
        post(node, &mut *tx, &proposal).await?;
    }
    let active = tx.equipe(row.lineage).await?.is_some();
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(proposal.hub().clone()));
    Ok(Standing { row, proposal, active, change: None })
}

/// Keeps other writers off all pacts: two that merge signatures must not both read.
///
/// # Errors
/// The store's.
pub async fn raise_all(tx: &mut dyn Tx) -> Done<()> {
    for row in tx.pacts().await? {
        tx.raise_pact(row.lineage).await?;
    }
    Ok(())
}

/// Signs a change of an équipe that exists here; none when the source means no such thing.
async fn sign_change(
    node: &Node,
    tx: &mut dyn Tx,
    actor: Actor,
    source: &Source,
) -> Done<Option<Standing>> {
    use changes::Begun;
    let (row, proposal, begun) = match source {
        Source::Toml(text) => {
            let pact = parse(text)?;
            let Some(row) = tx.equipe(pact.terms().lineage).await? else { return Ok(None) };
            let renewed = changes::renew(node, tx, &row, pact).await?;
            (row, renewed, Begun::Here)
        }
        Source::Named(name) => match changes::find(node, tx, name).await? {
            Some((row, pending)) => (row, pending.proposal, Begun::Elsewhere),
            None => return Ok(None),
        },
        Source::Proposal(bytes) => {
            let read = read_proposal(bytes)?;
            match tx.equipe(read.pact.terms().lineage).await? {
                Some(row) if read.previous.is_some() => (row, read, Begun::Elsewhere),
                _ => return Ok(None),
            }
        }
    };
    let pending = changes::sign(node, tx, actor, &row, proposal, begun).await?;
    if begun == Begun::Elsewhere {
        changes::post(node, tx, &row, &pending.proposal).await?;
    }
    let (found, _) = find(node, tx, &row.lineage.to_string()).await?;
    let proposal = pending.proposal.clone();
    Ok(Some(Standing { row: found, proposal, active: true, change: Some(pending) }))
}

/// Sends the proposal, sealed, to the other parties through the hub; or returns it for a
/// file.
///
/// # Errors
/// `no_such_pact`, `not_signed`.
pub async fn propose(
    node: &Node,
    actor: Actor,
    name: &str,
    by_file: bool,
) -> Done<(Vec<NodeId>, Vec<u8>)> {
    let mut tx = node.store.write().await?;
    raise_all(&mut *tx).await?;
    if let Some((row, pending)) = changes::find(node, &mut *tx, name).await? {
        let proposal = pending.proposal;
        let sent = match by_file {
            true => Vec::new(),
            false => changes::post(node, &mut *tx, &row, &proposal).await?,
        };
        let subject = row.lineage.to_string();
        record(node, &mut *tx, actor, "pact.propose", &subject, &[]).await?;
        tx.commit().await?;
        node.signals.wake(&Topic::Errands(proposal.hub().clone()));
        return Ok((sent, wire::trust::encode_proposal(&proposal)));
    }
    let (row, proposal) = find(node, &mut *tx, name).await?;
    if !proposal.signed_by().contains(&node.identity.node) {
        return Err(Fault::conflict("not_signed", "this node has not signed the pact")
            .hint("sign it first: `raccordo pact sign`, with its name or its file"));
    }
    let sent = if by_file { Vec::new() } else { post(node, &mut *tx, &proposal).await? };
    let subject = row.lineage.to_string();
    record(node, &mut *tx, actor, "pact.propose", &subject, &[]).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Errands(proposal.hub().clone()));
    Ok((sent, wire::trust::encode_proposal(&proposal)))
}

/// All pacts, by équipe.
///
/// # Errors
/// The store's.
pub async fn list(node: &Node) -> Done<Vec<Standing>> {
    let mut tx = node.store.read().await?;
    let mut pacts = Vec::new();
    for row in tx.pacts().await? {
        let proposal = open(node, &row)?;
        let active = tx.equipe(row.lineage).await?.is_some();
        pacts.push(Standing { row, proposal, active, change: None });
    }
    Ok(pacts)
}

/// One pact by name or lineage.
///
/// # Errors
/// `no_such_pact`.
pub async fn named(node: &Node, name: &str) -> Done<Standing> {
    let mut tx = node.store.read().await?;
    let (row, proposal) = find(node, &mut *tx, name).await?;
    let active = tx.equipe(row.lineage).await?.is_some();
    Ok(Standing { row, proposal, active, change: None })
}

/// Takes a proposal that a peer posted, sealed to this node. What is wrong with it is the
/// sender's fault and ends here, with a line in the log.
///
/// # Errors
/// The store's.
pub async fn receive(
    node: &Node,
    tx: &mut dyn Tx,
    sender: &NodeId,
    sealed: &[u8],
) -> Done<Result<LineageId, Fault>> {
    // Signing asks for verified parties. The proposal may come before the phone call.
    let known = tx.peer(sender).await?.map(|row| row.state);
    if !matches!(known, Some(TrustState::Introduced | TrustState::Verified)) {
        return Ok(Err(Fault::refused("no_such_peer", "the sender is not known or not trusted")));
    }
    if !node.quotas.take(sender, Quota::ProposalsPosted, node.clock.now()) {
        return Ok(Err(node.at_quota(sender, Quota::ProposalsPosted, Whose::Exhausted)));
    }
    let aad = node.identity.node.as_str().as_bytes();
    let Ok(bytes) = node.identity.unseal(SEAL_INFO, aad, sealed) else {
        return Ok(Err(Fault::refused("not_sealed_to_us", "the proposal does not open")));
    };
    let proposal = match read_proposal(&bytes) {
        Ok(proposal) => proposal,
        Err(fault) => return Ok(Err(fault)),
    };
    let ours = proposal.pact.has_party(&node.identity.node);
    let from_party = proposal.pact.has_party(sender);
    if !ours || !from_party {
        return Ok(Err(Fault::refused("not_a_party", "the pact is not between sender and us")));
    }
    let lineage = proposal.pact.terms().lineage;
    tx.raise_pact(lineage).await?;
    if proposal.previous.is_some()
        && let Some(row) = tx.equipe(lineage).await?
    {
        let taken = changes::receive(node, tx, &row, sender, proposal).await;
        return match taken {
            Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => Err(fault),
            taken => Ok(taken.map(|()| lineage)),
        };
    }
    if tx.pact(lineage).await?.is_none() && !has_room(node, tx, &proposal).await? {
        return Ok(Err(node.at_quota(sender, Quota::ProposalsOfPeer, Whose::Exhausted)));
    }
    match merged(node, tx, proposal).await {
        Ok((proposal, changed)) => {
            if changed {
                keep(node, tx, &proposal).await?;
                let subject = lineage.to_string();
                let detail = [("from", sender.as_str())];
                record(node, tx, Actor::Node, "pact.received", &subject, &detail).await?;
            }
            Ok(Ok(lineage))
        }
        Err(fault) if matches!(fault.whose, Whose::Ours | Whose::Unavailable) => Err(fault),
        Err(fault) => Ok(Err(fault)),
    }
}

/// Whether a pact that nobody here has heard of may wait for this node's signature: where one of
/// the peers who have signed it has room. What others sign who are not known here counts for
/// nobody.
async fn has_room(node: &Node, tx: &mut dyn Tx, new: &Proposal) -> Done<bool> {
    let mut signers = Vec::new();
    for signer in new.signed_by() {
        let Some(row) = tx.peer(&signer).await? else { continue };
        let known = super::peers::read_card(&row)?.card().identity;
        let party = new.statement.statement().party(&signer);
        if party.is_some_and(|party| party.identity == known) {
            signers.push(signer);
        }
    }
    let mut waiting = Vec::new();
    for row in tx.pacts().await? {
        if tx.equipe(row.lineage).await?.is_none() {
            waiting.push(open(node, &row)?);
        }
    }
    Ok(is_room_left(node, &signers, &waiting))
}

/// Whether one of these signers has fewer proposals than it may that wait for this node's
/// signature.
pub(super) fn is_room_left(node: &Node, signers: &[NodeId], waiting: &[Proposal]) -> bool {
    let mut unsigned: Vec<_> = waiting.iter().map(Proposal::signed_by).collect();
    unsigned.retain(|signed_by| !signed_by.contains(&node.identity.node));
    signers.iter().any(|signer| {
        let theirs = unsigned.iter().filter(|signed_by| signed_by.contains(signer));
        theirs.count() < Quota::ProposalsOfPeer.count()
    })
}

/// Forgets pacts that have waited too long for this node's signature; nothing was ever said of
/// them here.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn forget_unsigned(node: &Node, tx: &mut dyn Tx) -> Done<()> {
    let before = node.clock.now().minus(Quota::ProposalDays.span());
    for row in tx.pacts().await?.into_iter().filter(|row| row.changed_at <= before) {
        let lineage = row.lineage;
        let signed = open(node, &row)?.signed_by().contains(&node.identity.node);
        let consented = !consents::of(node, tx, lineage).await?.is_empty();
        if signed || consented || tx.equipe(lineage).await?.is_some() {
            continue;
        }
        record(node, tx, Actor::Node, "pact.forgotten", &lineage.to_string(), &[]).await?;
        tx.delete_pact(lineage).await?;
    }
    Ok(())
}

async fn first_proposal(node: &Node, tx: &mut dyn Tx, text: &str) -> Done<Proposal> {
    let pact = parse(text)?;
    if pact.terms().chair != node.identity.node {
        let message =
            format!("the chair, {}, signs the draft first and proposes it", pact.terms().chair);
        return Err(Fault::refused("not_the_chair", message)
            .hint("wait for the proposal: `raccordo pact list`"));
    }
    if let Some(row) = tx.pact(pact.terms().lineage).await? {
        let known = open(node, &row)?;
        if known.pact.text() == text {
            return Ok(known);
        }
        return Err(Fault::conflict("pact_conflict", "another text of this pact was signed here")
            .hint("draft again: each draft has a lineage of its own"));
    }
    let problems = pact.problems();
    if let Some(first) = problems.first() {
        let message = format!("{} things are to be filled or put right: {first}", problems.len());
        return Err(Fault::refused("pact_unfilled", message)
            .hint("see all of them: `raccordo pact show FILE`"));
    }
    let mut cards: BTreeMap<NodeId, SignedCard> = BTreeMap::new();
    for id in pact.parties().chain([&pact.terms().hub]) {
        cards.insert(id.clone(), verified_card(node, tx, id).await?);
    }
    Proposal::new(pact, cards).map_err(|cause| proposal_fault(&cause))
}

async fn all_verified(node: &Node, tx: &mut dyn Tx, proposal: &Proposal) -> Done<()> {
    let statement = proposal.statement.statement();
    let hub = (&statement.hub.hub, &statement.hub.identity);
    let parties = statement.unsuspended().map(|party| (&party.node, &party.identity));
    for (id, identity) in parties.chain([hub]) {
        let known = verified_card(node, tx, id).await?;
        if known.card().identity != *identity {
            let message = format!("the pact names another identity of {id} than is verified here");
            return Err(Fault::refused("another_identity", message)
                .hint("ask the chair which card it holds; do not sign"));
        }
    }
    Ok(())
}

async fn merged(node: &Node, tx: &mut dyn Tx, read: Proposal) -> Done<(Proposal, bool)> {
    match tx.pact(read.pact.terms().lineage).await? {
        None => {
            let taken = tx.pacts().await?.iter().any(|row| row.equipe == read.pact.terms().equipe);
            if taken {
                return Err(Fault::conflict("name_taken", "a pact with this name is here"));
            }
            Ok((read, true))
        }
        Some(row) => {
            let mut known = open(node, &row)?;
            let version = |proposal: &Proposal| proposal.statement.statement().version;
            if version(&read) > version(&known) {
                // The one that this node was asked to join by was overtaken.
                return Ok((read, true));
            }
            let changed = known.merge(&read).map_err(|cause| proposal_fault(&cause))?;
            Ok((known, changed))
        }
    }
}

async fn find(node: &Node, tx: &mut dyn Tx, name: &str) -> Done<(PactRow, Proposal)> {
    let rows = tx.pacts().await?;
    let row = rows
        .into_iter()
        .find(|row| row.equipe == name || row.lineage.to_string() == name)
        .ok_or_else(|| {
            Fault::not_found("no_such_pact", "no pact with this name is here").hint(
                "see `raccordo pact list`; the chair signs its draft first, \
                     `raccordo pact sign FILE`, and proposes it to the others",
            )
        })?;
    let proposal = open(node, &row)?;
    Ok((row, proposal))
}

/// Keeps a proposal as the pact of its équipe. What this node has signed before, and not joined
/// by yet, stays [its consent](consents).
///
/// # Errors
/// The store's.
pub async fn keep(node: &Node, tx: &mut dyn Tx, proposal: &Proposal) -> Done<PactRow> {
    let lineage = proposal.pact.terms().lineage;
    let known = tx.pact(lineage).await?;
    if let Some(row) = &known
        && tx.equipe(lineage).await?.is_none()
    {
        let before = open(node, row)?;
        let signed = before.signed_by().contains(&node.identity.node);
        if signed && before.statement.digest() != proposal.statement.digest() {
            Box::pin(consents::add(node, tx, &before)).await?;
        }
    }
    let hub_answer = known.map(|row| row.hub_answer).unwrap_or_default();
    let encoded = wire::trust::encode_proposal(proposal);
    let row = PactRow {
        lineage,
        equipe: proposal.pact.terms().equipe.clone(),
        sealed_proposal: node.seal(&context(lineage), &encoded)?,
        hub_answer,
        changed_at: node.clock.now(),
    };
    tx.put_pact(row.clone()).await?;
    Ok(row)
}

/// Opens the proposal of a row.
///
/// # Errors
/// A wrong node key or a damaged row.
pub fn open(node: &Node, row: &PactRow) -> Done<Proposal> {
    let bytes = node.open(&context(row.lineage), &row.sealed_proposal)?;
    read_kept(bytes.reveal())
}

/// Reads a proposal that was verified before it was kept.
///
/// # Errors
/// A damaged row.
pub(super) fn read_kept(bytes: &[u8]) -> Done<Proposal> {
    wire::trust::decode_kept_proposal(bytes).map_err(|cause| Fault::ours("proposal_damaged", cause))
}

/// Reads a proposal.
///
/// # Errors
/// `bad_proposal`.
pub fn read_proposal(bytes: &[u8]) -> Done<Proposal> {
    wire::trust::decode_proposal(bytes).map_err(|cause| {
        Fault::usage("bad_proposal", cause.to_string())
            .hint("ask the chair to propose it again: `raccordo pact propose`")
    })
}

fn parse(text: &str) -> Done<Pact> {
    Pact::parse(text).map_err(|cause| Fault::usage("pact_invalid", cause.to_string()))
}

/// Queues the proposal to every other party.
async fn post(node: &Node, tx: &mut dyn Tx, proposal: &Proposal) -> Done<Vec<NodeId>> {
    let encoded = wire::trust::encode_proposal(proposal);
    let mut sent = Vec::new();
    let parties: Vec<NodeId> = match proposal.previous {
        None => proposal.pact.parties().cloned().collect(),
        // Who was removed since is in the pact still.
        Some(_) => {
            let after = proposal.statement.statement();
            after.unsuspended().map(|party| party.node.clone()).collect()
        }
    };
    for party in &parties {
        if *party == node.identity.node {
            continue;
        }
        let card = verified_card(node, tx, party).await?;
        mail(node, tx, proposal.hub(), &card, &encoded).await?;
        sent.push(party.clone());
    }
    Ok(sent)
}

/// Queues an encoded proposal to one party.
pub(super) async fn mail(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &NodeId,
    to: &SignedCard,
    encoded: &[u8],
) -> Done<()> {
    let (party, sealing_key) = (&to.card().node, &to.card().sealing_key);
    let aad = party.as_str().as_bytes();
    let payload = sealing::seal(&*node.entropy, sealing_key, SEAL_INFO, aad, encoded)
        .map_err(|cause| Fault::ours("not_sealed", cause))?;
    let (item, hub) = (ItemId::random(&*node.entropy), hub.clone());
    let (recipient, kind) = (party.clone(), MAIL_KIND.into());
    Ok(tx.insert_mail(MailRow { item, hub, recipient, kind, payload }).await?)
}

/// Queues the pact in force to a party that has lost its state: it may have signed that after
/// the copy of its disk was made from which it goes on.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn hand_on(node: &Node, tx: &mut dyn Tx, row: &EquipeRow, to: &SignedCard) -> Done<()> {
    let Some(kept) = tx.pact(row.lineage).await? else { return Ok(()) };
    let mut proposal = open(node, &kept)?;
    if proposal.previous.is_none() {
        // It would not know of the équipe without it.
        return Ok(());
    }
    let in_force = changes::statement(row)?;
    if in_force.digest() == proposal.statement.digest() {
        // With the signatures of all.
        proposal.statement = in_force;
    }
    mail(node, tx, &row.hub, to, &wire::trust::encode_proposal(&proposal)).await
}

/// Context under which a proposal is sealed.
pub(super) fn context(lineage: LineageId) -> String {
    format!("proposal/{lineage}")
}

/// The fault of a proposal that is refused.
pub fn proposal_fault(error: &ProposalError) -> Fault {
    match error {
        ProposalError::Conflict => Fault::conflict("pact_conflict", error.to_string()),
        ProposalError::Pact(_) => Fault::usage("pact_invalid", error.to_string()),
        _ => Fault::refused("bad_proposal", error.to_string()),
    }
}
