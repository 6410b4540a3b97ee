//! Peers for whom others vouch: a statement in force names their identity key, and two
//! parties that are verified here have signed it. Such a peer is shown as vouched for. Its
//! card comes by itself, and what it says is processed; but it never counts as verified:
//! no case goes to an équipe with it until the administrators have compared the words.

use std::collections::BTreeSet;

use raccordo_core::id::NodeId;
use raccordo_core::trust::card::{Card, SignedCard};
use raccordo_core::trust::statement::SignedStatement;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::{Node, key_holders};
use crate::store::Tx;
use crate::store::peer::PeerRow;

/// Verified parties that have to sign.
const VOUCHERS_MIN: usize = 2;

/// Who vouches for the identity on a card; none while they are too few.
///
/// # Errors
/// The store's, or a damaged row.
pub async fn vouchers(node: &Node, tx: &mut dyn Tx, card: &Card) -> Done<BTreeSet<NodeId>> {
    let peers = tx.peers().await?;
    let verified = |id: &&NodeId| {
        peers.iter().any(|peer| peer.node == **id && peer.state.counts_as_verified())
    };
    let mut all = BTreeSet::new();
    for equipe in tx.equipes().await? {
        let signed = SignedStatement::decode(&equipe.statement)
            .map_err(|cause| Fault::ours("statement_damaged", cause))?;
        let party = signed.statement().party(&card.node);
        if party.is_none_or(|party| party.identity != card.identity) {
            continue;
        }
        let others = |id: &&NodeId| **id != card.node && **id != node.identity.node;
        let signers = signed.signatures().keys().filter(others).filter(verified);
        let signers: BTreeSet<NodeId> = signers.cloned().collect();
        if signers.len() >= VOUCHERS_MIN {
            all.extend(signers);
        }
    }
    Ok(all)
}

/// Introduces a party whose card a leaf brought, where others vouch for it.
///
/// # Errors
/// The store's.
pub async fn introduce(node: &Node, tx: &mut dyn Tx, card: &SignedCard) -> Done<bool> {
    let described = card.card();
    let vouchers = vouchers(node, tx, described).await?;
    if vouchers.is_empty() || described.node == node.identity.node {
        return Ok(false);
    }
    if let Err(refused) = key_holders::check(node, tx, described).await? {
        tracing::warn!(peer = %described.node, reason = refused.reason(), "not introduced");
        return Ok(false);
    }
    let by: Vec<&str> = vouchers.iter().map(NodeId::as_str).collect();
    let (by, serial) = (by.join(" "), described.serial.to_string());
    let detail = [("by", by.as_str()), ("serial", &serial)];
    record(node, tx, Actor::Node, "trust.vouched", described.node.as_str(), &detail).await?;
    tx.put_peer(PeerRow::introduced(card, node.clock.now())).await?;
    Ok(true)
}
