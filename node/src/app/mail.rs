//! Posts and offers that wait for a hub, and what it answered.

use raccordo_core::id::{ItemId, LineageId, NodeId};
use raccordo_core::trust::statement::SignedStatement;
pub use raccordo_core::wire::offer::Offer;

use super::fault::Done;
use super::peers::card_if_verified;
use super::signals::Topic;
use super::{Node, history, pacts, succeed, term};
use crate::store::Tx;
use crate::store::history::Keeper;
use crate::store::node::MailRow;

/// Posts that wait for a hub.
///
/// # Errors
/// The store's.
pub async fn waiting(node: &Node, hub: &NodeId) -> Done<Vec<MailRow>> {
    Ok(node.store.read().await?.mail_for(hub, 16).await?)
}

/// The hub has the post, or has refused it for ever.
///
/// # Errors
/// The store's.
pub async fn settled(node: &Node, item: ItemId) -> Done<()> {
    let mut tx = node.store.write().await?;
    tx.delete_mail(item).await?;
    tx.commit().await?;
    Ok(())
}

/// Offers of this node that the hub has not yet accepted or refused.
///
/// # Errors
/// The store's.
pub async fn offers(node: &Node, hub: &NodeId) -> Done<Vec<Offer>> {
    let mut offers = Vec::new();
    for standing in pacts::list(node).await? {
        let proposal = standing.proposal;
        let ours =
            proposal.pact.terms().chair == node.identity.node && proposal.pact.terms().hub == *hub;
        let open = matches!(standing.row.hub_answer.as_str(), "" | "waiting")
            && proposal.previous.is_none();
        if !ours || !open || standing.active || !proposal.missing().is_empty() {
            continue;
        }
        let cards = proposal.cards.iter().filter(|(id, _)| proposal.pact.has_party(id));
        offers.push(Offer {
            statement: proposal.statement.clone(),
            earlier: Vec::new(),
            cards: cards.map(|(_, card)| card.clone()).collect(),
        });
    }
    offers.extend(moves(node, hub).await?);
    offers.extend(succeed::offers(node, hub).await?);
    Ok(offers)
}

/// Logs on their way to a hub that has not said yet that it has them.
async fn moves(node: &Node, hub: &NodeId) -> Done<Vec<Offer>> {
    let mut tx = node.store.read().await?;
    let mut offers = Vec::new();
    for row in tx.equipes().await? {
        let moving = term::moving(&mut *tx, row.lineage).await?;
        let Some(moving) = moving.filter(|moving| moving.term().hub == *hub) else { continue };
        if moving.is_founded() || moving.answer == "refused" {
            continue;
        }
        offers.push(later_term(node, &mut *tx, moving.statement).await?);
    }
    Ok(offers)
}

/// The offer of a later term, with the statements that lead to it.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn later_term(node: &Node, tx: &mut dyn Tx, statement: SignedStatement) -> Done<Offer> {
    let mut cards = Vec::new();
    for party in statement.statement().unsuspended() {
        cards.extend(card_if_verified(node, tx, &party.node).await?);
    }
    let earlier = history::before(tx, Keeper::Member, &statement).await?;
    Ok(Offer { statement, earlier, cards })
}

/// Notes what the hub answered to an offer.
///
/// # Errors
/// The store's.
pub async fn answered(node: &Node, hub: &NodeId, lineage: LineageId, answer: &str) -> Done<()> {
    let mut tx = node.store.write().await?;
    if let Some(row) = tx.equipe(lineage).await? {
        let moved = term::answered(node, &mut *tx, lineage, hub, answer).await?;
        if moved || succeed::answered(node, &mut *tx, lineage, hub, answer).await? {
            tx.commit().await?;
            node.signals.wake(&Topic::Membership);
            // The change is committed at the hub that has the log now.
            node.signals.wake(&Topic::Errands(row.hub));
        }
        return Ok(());
    }
    tx.raise_pact(lineage).await?;
    if let Some(mut row) = tx.pact(lineage).await?
        && row.hub_answer != answer
    {
        row.hub_answer = answer.to_owned();
        row.changed_at = node.clock.now();
        tx.put_pact(row).await?;
        tx.commit().await?;
    }
    Ok(())
}
