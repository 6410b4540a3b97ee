//! Key packages of this node at a hub: single-use ones and a last resort, kept fresh.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::id::NodeId;
use raccordo_core::session::key_package;

use super::fault::{Done, Fault};
use super::hub::key_package_pool::{Deposit, LIFETIME};
use super::work::write_ledger;
use super::{Node, pacts};
use crate::store::Tx;
use crate::store::node::OwnKeyPackageRow;

/// A last resort is replaced when it is this old.
const ROTATION: Duration = Duration::from_secs(30 * 24 * 3600);
/// Single-use packages made at a time.
const SINGLE_USE: usize = 2;
/// A last resort younger than this is not made again when the hub asks.
const YOUNG: Duration = Duration::from_secs(24 * 3600);

/// Makes what is missing, and returns what the hub has not confirmed yet, with references.
///
/// # Errors
/// The store's.
pub async fn to_deposit(node: &Node, hub: &NodeId) -> Done<Vec<(Vec<u8>, Deposit)>> {
    let suites = suites(node, hub).await?;
    if suites.is_empty() {
        return Ok(Vec::new());
    }
    let mut tx = node.store.write().await?;
    let rows = tx.own_key_packages(hub).await?;
    let now = node.clock.now();
    let mut made = false;
    for suite in suites {
        let young = rows.iter().any(|row| {
            row.suite == suite.number() && row.last_resort && now.since(row.created_at) < ROTATION
        });
        if !young {
            make(node, &mut *tx, hub, suite, true).await?;
            for _ in 0..SINGLE_USE {
                make(node, &mut *tx, hub, suite, false).await?;
            }
            made = true;
        }
    }
    let rows = tx.own_key_packages(hub).await?;
    if made {
        tx.commit().await?;
    }
    let waiting = rows.into_iter().filter_map(|row| {
        let deposit = Deposit {
            key_package: row.undelivered?,
            last_resort: row.last_resort,
            expires_at: row.created_at.plus(LIFETIME),
        };
        Some((row.reference, deposit))
    });
    Ok(waiting.collect())
}

/// The hub has these.
///
/// # Errors
/// The store's.
pub async fn deposited(node: &Node, references: &[Vec<u8>]) -> Done<()> {
    let mut tx = node.store.write().await?;
    for reference in references {
        tx.own_key_package_delivered(reference).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The hub has run out: makes new ones.
///
/// # Errors
/// The store's.
pub async fn wanted(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<()> {
    let rows = tx.own_key_packages(hub).await?;
    let now = node.clock.now();
    let mut known: Vec<u16> = rows.iter().map(|row| row.suite).collect();
    known.sort_unstable();
    known.dedup();
    for number in known {
        let Some(suite) = Suite::from_number(number) else { continue };
        let young = rows
            .iter()
            .any(|row| row.suite == number && row.last_resort && now.since(row.created_at) < YOUNG);
        if !young {
            make(node, tx, hub, suite, true).await?;
        }
        for _ in 0..SINGLE_USE {
            make(node, tx, hub, suite, false).await?;
        }
    }
    Ok(())
}

async fn suites(node: &Node, hub: &NodeId) -> Done<Vec<Suite>> {
    let mut suites = Vec::new();
    for standing in pacts::list(node).await? {
        let proposal = standing.proposal;
        let signed = proposal.signed_by().contains(&node.identity.node);
        let terms = proposal.pact.terms();
        if signed && terms.hub == *hub && !suites.contains(&terms.ciphersuite) {
            suites.push(terms.ciphersuite);
        }
    }
    Ok(suites)
}

async fn make(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &NodeId,
    suite: Suite,
    last_resort: bool,
) -> Done<()> {
    let made = key_package(&node.crypto, &node.identity.leaf, suite, last_resort)
        .map_err(|cause| Fault::ours("key_package", cause))?;
    write_ledger(node, tx, made.changes).await?;
    tx.insert_own_key_package(OwnKeyPackageRow {
        reference: made.hash_ref,
        hub: hub.clone(),
        suite: suite.number(),
        last_resort,
        created_at: node.clock.now(),
        undelivered: Some(made.message),
    })
    .await?;
    Ok(())
}
