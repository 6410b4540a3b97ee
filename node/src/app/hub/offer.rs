//! A party offers an équipe, or a later term of one; it waits for this hub's administrator.
//!
//! An offer changes nothing of what is carried here: whoever may connect can sign a statement
//! that names any lineage. Of a lineage that is carried only what follows from the statement
//! in force counts, step by step; what an old term holds goes when the new one is here whole.

use std::collections::BTreeSet;

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::quota::Quota;
use raccordo_core::trust::card::{CardError, SignedCard};
use raccordo_core::trust::key_holders::{HeldKeys, conflict};
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::statement_chain::{ends_before, follows, leads};
pub use raccordo_core::wire::offer::Offer;

use super::read_log::statement_of;
use super::rights;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault, Whose};
use crate::app::signals::Topic;
use crate::app::{Node, key_holders, peers};
use crate::store::Tx;
use crate::store::hub::CarriedRow;
use crate::store::offer::OfferRow;

/// State of an offer about which the administrator has not decided.
pub const WAITING: &str = "waiting";
/// State of one that the administrator has agreed to.
pub const ACCEPTED: &str = "accepted";
/// State of one that it has not.
pub const REFUSED: &str = "refused";

/// Takes the offer; repeated, it answers with the state.
///
/// # Errors
/// `not_a_hub`, `not_this_hub`, `not_the_chair`, `not_a_party`, `bad_statement`, `bad_card`: the
/// offer itself; `change_overtaken`, `does_not_follow`: it does not go on from what is in force
/// here; `identity_conflict`: a party's id stands for another identity key here; `key_held`: a
/// card has a key of another node;
/// `offer_too_large`, `too_many_offers`.
pub async fn offer(node: &Node, caller: &NodeId, offered: Offer) -> Done<String> {
    if node.hub.is_none() {
        return Err(super::accept::not_a_hub());
    }
    let bytes = encoded_bytes(&offered);
    if bytes > Quota::OfferBytes.number() {
        return Err(node.at_quota(caller, Quota::OfferBytes, Whose::Usage));
    }
    check(node, caller, &offered)?;
    let (lineage, digest) = (offered.lineage(), offered.digest());
    let mut tx = node.store.write().await?;
    tx.raise_carried(lineage).await?;
    tx.raise_offers(lineage).await?;
    let carried = tx.carried(lineage).await?;
    if let Some(row) = &carried {
        if let Some(state) = known(row, caller, &offered.statement)? {
            return Ok(state);
        }
        goes_on_from(row, &offered.earlier, &offered.statement)?;
    }
    rights::admit(node, &mut *tx, caller).await?;
    if let Some(id) = rights::conflict(node, &mut *tx, offered.statement.statement()).await? {
        rights::note_conflict(node, &mut *tx, &id, (caller, lineage)).await?;
        tx.commit().await?;
        return Err(rights::conflict_fault(&id));
    }
    for card in &offered.cards {
        if let Err(refused) = key_holders::check(node, &mut *tx, card.card()).await? {
            return Err(peers::card_fault(&refused));
        }
    }
    let here = tx.offers(lineage).await?;
    if let Some(row) = here.into_iter().find(|row| row.digest == digest) {
        return Ok(row.state);
    }
    // The administrator has agreed to carry the équipe, and it stays where it is.
    let agreed = carried.is_some_and(|row| {
        row.state == "founded" && offered.statement.statement().succeeds == Some(row.group)
    });
    if !agreed {
        has_room(node, &mut *tx, caller, bytes).await?;
    }
    let state = if agreed { ACCEPTED } else { WAITING };
    let detail = [("by", caller.as_str()), ("state", state)];
    record(node, &mut *tx, Actor::Node, "hub.offered", &lineage.to_string(), &detail).await?;
    if agreed {
        supersede(&mut *tx, lineage).await?;
    }
    tx.put_offer(OfferRow {
        lineage,
        digest,
        name: offered.statement.statement().equipe_name.clone(),
        state: state.into(),
        offered_by: caller.clone(),
        offered_at: node.clock.now(),
        statement: offered.statement.encode(),
        earlier: offered.earlier.iter().map(SignedStatement::encode).collect(),
        cards: offered.cards.iter().map(SignedCard::encode).collect(),
    })
    .await?;
    if agreed {
        rights::follow(&mut *tx, lineage).await?;
    }
    tx.commit().await?;
    if agreed {
        node.signals.wake(&Topic::Trust);
    }
    Ok(state.to_owned())
}

/// Bytes of all that an offer holds, as it is stored.
fn encoded_bytes(offered: &Offer) -> u64 {
    let statements = offered.earlier.iter().chain([&offered.statement]);
    let statements: usize = statements.map(|statement| statement.encode().len()).sum();
    let cards: usize = offered.cards.iter().map(|card| card.encode().len()).sum();
    statements.saturating_add(cards) as u64
}

/// Whether one more offer of this peer may wait, or stay refused, until its time is over.
async fn has_room(node: &Node, tx: &mut dyn Tx, caller: &NodeId, bytes: u64) -> Done<()> {
    let loads = tx.offer_loads().await?;
    let own = loads.iter().find(|load| load.offered_by == *caller);
    let (offers, held) = own.map_or((0, 0), |load| (load.offers, load.bytes));
    let of_all = loads.iter().fold((0_u64, 0_u64), |(offers, bytes), load| {
        (offers.saturating_add(load.offers), bytes.saturating_add(load.bytes))
    });
    let after = bytes.saturating_add(held);
    for (count, quota) in [
        (offers.saturating_add(1), Quota::OffersOfPeer),
        (after, Quota::OfferBytesOfPeer),
        (of_all.0.saturating_add(1), Quota::OffersAtHub),
        (of_all.1.saturating_add(bytes), Quota::OfferBytesAtHub),
    ] {
        if count > quota.number() {
            return Err(node.at_quota(caller, quota, Whose::Exhausted));
        }
    }
    Ok(())
}

/// The state in which a statement is here that brings nothing new: it has begun the term, is
/// in force, or a later one is. Whoever offers it has missed that.
fn known(row: &CarriedRow, caller: &NodeId, statement: &SignedStatement) -> Done<Option<String>> {
    // All parties that have signed the term know of it as one that is carried here.
    let state = if row.state == "seeded" { "founded" } else { row.state.as_str() };
    let in_force = statement_of(row)?;
    let digest = statement.digest();
    if digest == row.begun || digest == in_force.digest() {
        return Ok(Some(state.to_owned()));
    }
    let (offered, in_force) = (statement.statement(), in_force.statement());
    if offered.version > in_force.version {
        return Ok(None);
    }
    // A successor that another statement has overtaken is none any more.
    let missed = offered.succeeds.is_none() && in_force.may_have_leaf(caller);
    if missed && state == "founded" {
        return Ok(Some(state.to_owned()));
    }
    let message = "another statement of this équipe is in force here";
    Err(Fault::conflict("change_overtaken", message))
}

/// Whether a statement begins a later term of what is carried, and follows from the statement
/// in force there.
///
/// # Errors
/// `does_not_follow`; a damaged row.
pub fn goes_on_from(
    row: &CarriedRow,
    earlier: &[SignedStatement],
    statement: &SignedStatement,
) -> Done<()> {
    let refused = |what: &str| {
        let message = format!("the offer does not follow from what this hub carries: {what}");
        Fault::conflict("does_not_follow", message).hint(
            "offer it with the statements between; where no party has them any more, the hub's \
             administrator ends what is carried first: `raccordo hub evict`",
        )
    };
    let in_force = statement_of(row)?;
    if statement.statement().hub.term <= in_force.statement().hub.term {
        return Err(refused("it begins no later term"));
    }
    follows(&in_force, earlier, statement).map_err(|cause| refused(cause.0))
}

/// As [`goes_on_from`], of an offer that is here.
///
/// # Errors
/// As [`goes_on_from`].
pub fn still_goes_on(row: &CarriedRow, offer: &OfferRow) -> Done<()> {
    goes_on_from(row, &earlier_of(offer)?, &offered_statement(offer)?)
}

/// The statement that is offered.
///
/// # Errors
/// A damaged row.
pub fn offered_statement(row: &OfferRow) -> Done<SignedStatement> {
    SignedStatement::decode(&row.statement).map_err(|cause| Fault::ours("statement_damaged", cause))
}

/// Those in force before it.
///
/// # Errors
/// A damaged row.
pub fn earlier_of(row: &OfferRow) -> Done<Vec<SignedStatement>> {
    let read = |encoded: &Vec<u8>| {
        SignedStatement::decode(encoded).map_err(|cause| Fault::ours("statement_damaged", cause))
    };
    row.earlier.iter().map(read).collect()
}

/// The accepted offer of a lineage: there is at most one.
///
/// # Errors
/// The store's.
pub async fn accepted(tx: &mut dyn Tx, lineage: LineageId) -> Done<Option<OfferRow>> {
    let offers = tx.offers(lineage).await?;
    Ok(offers.into_iter().find(|row| row.state == ACCEPTED))
}

/// Another offer of the lineage is to be the accepted one: what was handed over for one before
/// goes.
///
/// # Errors
/// The store's.
pub async fn supersede(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    if let Some(row) = accepted(tx, lineage).await? {
        tx.put_offer(OfferRow { state: REFUSED.into(), ..row }).await?;
    }
    drop_copies(tx, lineage).await
}

/// Deletes what parties have handed over.
///
/// # Errors
/// The store's.
pub async fn drop_copies(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    for copy in tx.log_copies(lineage).await? {
        tx.delete_log(copy.place()).await?;
        tx.delete_log_copy(&copy).await?;
    }
    Ok(())
}

/// An accepted offer is carried now: no other of the lineage follows any more.
///
/// # Errors
/// The store's.
pub async fn settle(tx: &mut dyn Tx, lineage: LineageId) -> Done<()> {
    drop_copies(tx, lineage).await?;
    for row in tx.offers(lineage).await? {
        tx.delete_offer(lineage, row.digest).await?;
    }
    rights::follow(tx, lineage).await
}

/// What an offer shows by itself.
fn check(node: &Node, caller: &NodeId, offered: &Offer) -> Done<()> {
    let Offer { statement, earlier, cards } = offered;
    let body = statement.statement();
    let hub = &body.hub;
    if hub.hub != node.identity.node || hub.identity != node.identity.key.public() {
        return Err(Fault::refused("not_this_hub", "the statement names another hub"));
    }
    if body.hub.term == 1 && body.chair != *caller {
        return Err(Fault::refused("not_the_chair", "only the chair offers an équipe"));
    }
    if !body.may_have_leaf(caller) {
        return Err(Fault::refused("not_a_party", "only a party offers an équipe"));
    }
    check_statement(statement, earlier)?;
    let bad_card = |what: &str| Err(Fault::refused("bad_card", what));
    let mut described = BTreeSet::new();
    let mut held = Vec::new();
    for card in cards {
        let card = card.card();
        if let Some(found) = conflict(card, &held) {
            return Err(peers::card_fault(&CardError::KeyHeld(found)));
        }
        held.push(HeldKeys::of(card, None));
        let party = body.parties.iter().find(|party| party.node == card.node);
        if party.is_none_or(|party| party.identity != card.identity) {
            return bad_card("a card is not of a party");
        }
        if !described.insert(&card.node) {
            return bad_card("two cards are of one party");
        }
    }
    if !body.unsuspended().all(|party| described.contains(&party.node)) {
        return bad_card("the card of a party is missing");
    }
    Ok(())
}

fn check_statement(statement: &SignedStatement, earlier: &[SignedStatement]) -> Done<()> {
    let bad = |what: &dyn std::fmt::Display| Fault::refused("bad_statement", what.to_string());
    if !ends_before(earlier, statement) {
        return Err(bad(&"the statement right before it is missing"));
    }
    // Of a later one the step to it says whose signatures it has.
    if earlier.is_empty() {
        statement.verify(None).map_err(|cause| bad(&cause))?;
        statement.statement().check_founding().map_err(|cause| bad(&cause))?;
    }
    leads(earlier, statement).map_err(|cause| bad(&cause.0))?;
    if !statement.missing_signers().is_empty() {
        return Err(bad(&"not all parties have signed"));
    }
    Ok(())
}
