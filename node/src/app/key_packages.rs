//! Key packages of this node at a hub: single-use ones and a last resort, kept fresh.

use std::time::Duration;

use raccordo_core::crypto::Suite;
use raccordo_core::id::NodeId;
use raccordo_core::ledger::{LedgerChange, LedgerScope};
use raccordo_core::quota::Quota;
use raccordo_core::sending::Standing;
use raccordo_core::session::{key_package, stored_key_packages};
use raccordo_core::time::Instant;
use raccordo_core::trust::proposal::Proposal;

use super::fault::{Done, Fault};
use super::hub::WELCOME_LIFETIME;
use super::hub::key_package_pool::{Deposit, LIFETIME};
use super::work::{open_ledger, write_ledger};
use super::{Node, changes, consents, pacts};
use crate::store::Tx;
use crate::store::equipe::EquipeRow;
use crate::store::node::OwnKeyPackageRow;

/// A last resort is replaced when it is this old.
const ROTATION: Duration = Duration::from_secs(30 * 24 * 3600);
/// Single-use packages made at a time.
const SINGLE_USE: usize = 2;
/// A last resort younger than this is not made again when the hub asks.
const YOUNG: Duration = DAY;
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Clocks of the hub, the owner and the committer differ by this much at most.
const CLOCKS_DIFFER: Duration = Duration::from_secs(24 * 3600);
/// In place of the card's serial in the row of a package that was given up: no card has it.
const GIVEN_UP: u64 = 0;
/// After this the private part is deleted: whoever was added by the package at its end has
/// had its Welcome waiting for as long as a hub keeps it.
const PRIVATE_LIFETIME: Duration = LIFETIME.saturating_add(WELCOME_LIFETIME);

/// Whether a committer may use a claimed key package: it has not ended, and its end is not
/// further away than 84 days, so that it is not older than that.
pub fn lives(expires_at: Instant, now: Instant) -> bool {
    expires_at.plus(CLOCKS_DIFFER) > now && expires_at <= now.plus(LIFETIME).plus(CLOCKS_DIFFER)
}

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
    let (now, serial) = (node.clock.now(), node.identity.card().card().serial);
    let mut made = false;
    for suite in suites {
        let young = rows.iter().any(|row| {
            row.suite == suite.number()
                && row.last_resort
                && row.card_serial == serial
                && is_younger(row, now, ROTATION)
        });
        if !young {
            make(node, &mut *tx, hub, suite, true).await?;
            for _ in 0..SINGLE_USE {
                make(node, &mut *tx, hub, suite, false).await?;
            }
            made = true;
        }
    }
    let used = used(node, &mut *tx, hub).await?;
    for reference in &used {
        tx.own_key_package_delivered(reference).await?;
    }
    let rows = tx.own_key_packages(hub).await?;
    if made || !used.is_empty() {
        tx.commit().await?;
    }
    // What a restored node had deposited, or one with a new card, is of no use any more.
    let rows = rows.into_iter().filter(|row| row.card_serial == serial);
    let rows: Vec<_> = rows.collect();
    let mut replaces = rows.iter().all(|row| row.undelivered.is_some());
    let waiting = rows.into_iter().filter_map(|row| {
        let deposit = Deposit {
            key_package: row.undelivered?,
            last_resort: row.last_resort,
            expires_at: row.created_at.plus(LIFETIME),
            replaces: std::mem::take(&mut replaces),
        };
        Some((row.reference, deposit))
    });
    Ok(waiting.collect())
}

/// Packages that the hub has not confirmed, and has: a Welcome for them came before its answer.
async fn used(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<Vec<Vec<u8>>> {
    let mut waiting = tx.own_key_packages(hub).await?;
    waiting.retain(|row| row.undelivered.is_some());
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let stored = stored(node, tx).await?;
    waiting.retain(|row| !stored.iter().any(|(reference, _)| *reference == row.reference));
    Ok(waiting.into_iter().map(|row| row.reference).collect())
}

/// The private parts that are here, by reference, each with what deletes it.
async fn stored(node: &Node, tx: &mut dyn Tx) -> Done<Vec<(Vec<u8>, LedgerChange)>> {
    let rows = open_ledger(node, tx, &LedgerScope::Device).await?;
    let stored = stored_key_packages(&node.crypto, rows);
    stored.map_err(|cause| Fault::ours("key_package", cause))
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

/// The hub has run out: makes new ones, unless it has said so too often of late.
///
/// # Errors
/// The store's.
pub async fn wanted(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<()> {
    let rows = tx.own_key_packages(hub).await?;
    let (now, serial) = (node.clock.now(), node.identity.card().card().serial);
    let mut known: Vec<u16> = rows.iter().map(|row| row.suite).collect();
    known.sort_unstable();
    known.dedup();
    for number in known {
        let Some(suite) = Suite::from_number(number) else { continue };
        let young = rows.iter().any(|row| {
            let current = row.suite == number && row.card_serial == serial;
            current && row.last_resort && is_younger(row, now, YOUNG)
        });
        let of_today = |row: &&OwnKeyPackageRow| {
            row.suite == number && !row.last_resort && is_younger(row, now, DAY)
        };
        let made = rows.iter().filter(of_today).count();
        if made.saturating_add(SINGLE_USE) > Quota::KeyPackagesMade.count() {
            node.quotas.note(hub, Quota::KeyPackagesMade, now);
            continue;
        }
        if !young {
            make(node, tx, hub, suite, true).await?;
        }
        for _ in 0..SINGLE_USE {
            make(node, tx, hub, suite, false).await?;
        }
    }
    Ok(())
}

/// The hub has given out a package that is not on this disk: it holds others than this node
/// believes, as where a disk was put back or copied. All are given up, so that the next
/// deposit makes new ones, which replace those at the hub. Their private parts stay as long as
/// a Welcome for them may come.
///
/// # Errors
/// The store's.
pub async fn give_up(tx: &mut dyn Tx, hub: &NodeId) -> Done<()> {
    for row in tx.own_key_packages(hub).await? {
        tx.delete_own_key_package(&row.reference).await?;
        let row = OwnKeyPackageRow { card_serial: GIVEN_UP, undelivered: None, ..row };
        tx.insert_own_key_package(row).await?;
    }
    Ok(())
}

/// Whether a package is younger; one of the future, from before a clock was put back, is not.
fn is_younger(row: &OwnKeyPackageRow, now: Instant, span: Duration) -> bool {
    row.created_at <= now.plus(CLOCKS_DIFFER) && now.since(row.created_at) < span
}

/// Deletes the private parts of key packages whose life is over, and those that nobody
/// knows any more once this node waits to join again nowhere; returns how many.
///
/// # Errors
/// The store's.
pub async fn forget_old(node: &Node) -> Done<usize> {
    let mut tx = node.store.write().await?;
    let now = node.clock.now();
    let stored = stored(node, &mut *tx).await?;
    if stored.is_empty() {
        return Ok(0);
    }
    let waits = |row: &EquipeRow| row.state == Standing::NeedsRejoin.as_str();
    let rejoining = tx.equipes().await?.iter().any(waits);
    let known = tx.all_own_key_packages().await?;
    let mut forgotten = 0;
    for (reference, deletion) in stored {
        let row = known.iter().find(|row| row.reference == reference);
        let over = row.map_or(!rejoining, |row| now.since(row.created_at) >= PRIVATE_LIFETIME);
        if !over {
            continue;
        }
        write_ledger(node, &mut *tx, vec![deletion]).await?;
        tx.delete_own_key_package(&reference).await?;
        forgotten += 1;
    }
    for row in known {
        // Those that were used are gone from the ledger already.
        if now.since(row.created_at) >= PRIVATE_LIFETIME {
            tx.delete_own_key_package(&row.reference).await?;
        }
    }
    tx.commit().await?;
    Ok(forgotten)
}

async fn suites(node: &Node, hub: &NodeId) -> Done<Vec<Suite>> {
    let mut proposals: Vec<Proposal> = Vec::new();
    let standings = pacts::list(node).await?;
    let mut tx = node.store.read().await?;
    for standing in standings {
        proposals.extend(consents::of(node, &mut *tx, standing.row.lineage).await?);
        proposals.push(standing.proposal);
    }
    drop(tx);
    // A successor may have another ciphersuite, and another hub.
    let pending = changes::list(node).await?.into_iter().map(|pending| pending.proposal);
    proposals.extend(pending.filter(|proposal| proposal.succeeds().is_some()));
    let mut suites = Vec::new();
    for proposal in proposals {
        let signed = proposal.signed_by().contains(&node.identity.node);
        let (term, suite) =
            (&proposal.statement.statement().hub, proposal.pact.terms().ciphersuite);
        if signed && term.hub == *hub && !suites.contains(&suite) {
            suites.push(suite);
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
    let made = key_package(&node.crypto, &node.identity.leaf(), suite, last_resort)
        .map_err(|cause| Fault::ours("key_package", cause))?;
    write_ledger(node, tx, made.changes).await?;
    tx.insert_own_key_package(OwnKeyPackageRow {
        reference: made.hash_ref,
        hub: hub.clone(),
        suite: suite.number(),
        last_resort,
        card_serial: node.identity.card().card().serial,
        created_at: node.clock.now(),
        undelivered: Some(made.message),
    })
    .await?;
    Ok(())
}
