//! A chair offers an équipe; it waits for this hub's administrator.

use std::collections::BTreeSet;

use raccordo_core::id::{Digest, Epoch, GroupId, NodeId, Sequence};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_core::trust::validator::validate_step;

use super::read_log::statement_of;
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::store::Tx;
use crate::store::hub::CarriedRow;

/// Takes the offer; repeated, it answers with the state.
///
/// # Errors
/// `bad_statement`, `bad_card`, `not_this_hub`, `not_a_party`, `lineage_taken`.
pub async fn offer(
    node: &Node,
    caller: &NodeId,
    statement: SignedStatement,
    cards: Vec<SignedCard>,
) -> Done<String> {
    check(node, caller, &statement, &cards)?;
    let body = statement.statement();
    let mut tx = node.store.write().await?;
    if let Some(known) = tx.carried(body.lineage).await? {
        let at_hand = statement_of(&known)?;
        let same = at_hand.digest() == statement.digest();
        if is_later_term(&statement, &at_hand) {
            let state = if goes_on(&known, &at_hand, &statement) { "accepted" } else { "waiting" };
            return offer_again(node, tx, caller, (known, state), &statement, &cards).await;
        }
        if !same && body.succeeds.is_some() {
            let message = "another statement of this équipe is in force here";
            return Err(Fault::conflict("change_overtaken", message));
        }
        return match known.state.as_str() {
            // All parties that have signed the term know of it as one that is carried here.
            "seeded" => Ok("founded".to_owned()),
            state if same || state == "founded" => Ok(state.to_owned()),
            _ => Err(Fault::conflict("lineage_taken", "another statement of this lineage is here")),
        };
    }
    record(
        node,
        &mut *tx,
        Actor::Node,
        "hub.offered",
        &body.lineage.to_string(),
        &[("by", caller.as_str())],
    )
    .await?;
    tx.insert_carried(CarriedRow {
        lineage: body.lineage,
        name: body.equipe_name.clone(),
        state: "waiting".into(),
        version: 0,
        statement: statement.encode(),
        cards: cards.iter().map(SignedCard::encode).collect(),
        group: GroupId([0; 32]),
        epoch: Epoch(0),
        sequence: Sequence(0),
        head: Digest::ZERO,
        accepted_at: Instant(0),
        term: body.hub.term,
        group_info: Vec::new(),
        trimmed: Sequence(0),
        stored_bytes: 0,
        entries_per_minute_max: 0,
        stored_bytes_max: 0,
    })
    .await?;
    tx.commit().await?;
    Ok("waiting".into())
}

/// Whether a statement begins a later term than the one at hand: the log comes back to this
/// hub, or goes on after a part of it was lost here.
fn is_later_term(statement: &SignedStatement, at_hand: &SignedStatement) -> bool {
    let (after, before) = (statement.statement(), at_hand.statement());
    after.version > before.version && after.hub.term > before.hub.term
}

/// Whether a statement founds the successor of exactly the group that this hub carries: its
/// administrator has agreed to carry the équipe.
fn goes_on(row: &CarriedRow, at_hand: &SignedStatement, statement: &SignedStatement) -> bool {
    let (before, after) = (at_hand.statement(), statement.statement());
    let signers = statement.signatures().keys().cloned().collect();
    let signed = validate_step(at_hand, statement)
        .is_ok_and(|change| change.is_signed(before, after, &signers));
    signed && row.state == "founded" && after.succeeds == Some(row.group)
}

/// What is here of the équipe ends; nothing is appended to it any more.
async fn offer_again(
    node: &Node,
    mut tx: Box<dyn Tx>,
    caller: &NodeId,
    (known, state): (CarriedRow, &str),
    statement: &SignedStatement,
    cards: &[SignedCard],
) -> Done<String> {
    let mut row = known;
    tx.raise_carried(row.lineage).await?;
    let detail = [("by", caller.as_str())];
    record(node, &mut *tx, Actor::Node, "hub.offered", &row.lineage.to_string(), &detail).await?;
    row.state = state.into();
    row.statement = statement.encode();
    row.cards = cards.iter().map(SignedCard::encode).collect();
    // The copy of the log begins anew.
    let group = std::mem::replace(&mut row.group, GroupId([0; 32]));
    tx.delete_log(group).await?;
    tx.delete_ledger_scope(&LedgerScope::Hub(group).to_string()).await?;
    tx.update_carried(&row).await?;
    tx.commit().await?;
    node.signals.wake(&Topic::Log(group));
    Ok(state.to_owned())
}

fn check(
    node: &Node,
    caller: &NodeId,
    statement: &SignedStatement,
    cards: &[SignedCard],
) -> Done<()> {
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
    statement.verify(None).map_err(|cause| Fault::refused("bad_statement", cause.to_string()))?;
    if !statement.missing_signers().is_empty() {
        return Err(Fault::refused("bad_statement", "not all parties have signed"));
    }
    let mut described = BTreeSet::new();
    for card in cards {
        let card = card.card();
        let party = body.parties.iter().find(|party| party.node == card.node);
        if party.is_none_or(|party| party.identity != card.identity) {
            return Err(Fault::refused("bad_card", "a card is not of a party"));
        }
        described.insert(&card.node);
    }
    if !body.unsuspended().all(|party| described.contains(&party.node)) {
        return Err(Fault::refused("bad_card", "the card of a party is missing"));
    }
    Ok(())
}
