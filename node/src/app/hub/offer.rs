//! A chair offers an équipe; it waits for this hub's administrator.

use std::collections::BTreeSet;

use raccordo_core::id::{Digest, Epoch, GroupId, NodeId, Sequence};
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::statement::SignedStatement;

use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
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
        let same = SignedStatement::decode(&known.statement)
            .is_ok_and(|known| known.digest() == statement.digest());
        return if same || known.state == "founded" {
            Ok(known.state)
        } else {
            Err(Fault::conflict("lineage_taken", "another statement of this lineage is here"))
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
    if body.chair != *caller {
        return Err(Fault::refused("not_the_chair", "only the chair offers an équipe"));
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
    if described.len() != body.parties.len() {
        return Err(Fault::refused("bad_card", "the card of a party is missing"));
    }
    Ok(())
}
