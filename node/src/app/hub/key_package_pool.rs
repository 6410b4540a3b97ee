//! The pool of key packages: deposited by their owners, claimed by the chair.

use std::collections::BTreeSet;
use std::time::Duration;

use raccordo_core::hubgroup::HubGroup;
use raccordo_core::id::{Epoch, GroupId, LineageId, NodeId};
use raccordo_core::ledger::LedgerScope;
use raccordo_core::quota::Quota;
use raccordo_core::session::read_key_package;
use raccordo_core::time::Instant;
use raccordo_core::trust::validator::{CIPHERSUITES, validate_leaf};

use super::read_log::statement_of;
use super::{Hub, MAIL_LIFETIME, own_item, rights};
use crate::app::Node;
use crate::app::fault::{Done, Fault, Whose};
use crate::app::signals::Topic;
use crate::app::work::open_ledger;
use crate::store::Tx;
use crate::store::hub::{MailboxRow, PoolRow};

/// Our own lifetime of key packages; MLS lifetimes are unbounded (DESIGN §3).
pub const LIFETIME: Duration = Duration::from_secs(84 * 24 * 3600);

/// By how much the clock of a key package's owner may be ahead of this one.
const LEEWAY: Duration = Duration::from_secs(3600);

/// A key package as its owner hands it in.
#[derive(Clone, Debug)]
pub struct Deposit {
    /// The MLS message.
    pub key_package: Vec<u8>,
    /// Whether it stays when claimed.
    pub last_resort: bool,
    /// 84 days from now at most.
    pub expires_at: Instant,
    /// Whether all that its owner deposited before goes from the pool.
    pub replaces: bool,
}

/// Adds to the caller's pool, which keeps the newest; repeated ones count once, also after they
/// were given out. Returns the single-use packages left of the suite that has fewest.
///
/// # Errors
/// `not_a_hub`, `bad_batch`, `not_a_party`, `bad_key_package`.
pub async fn deposit(node: &Node, caller: &NodeId, deposits: Vec<Deposit>) -> Done<u32> {
    if node.hub.is_none() {
        return Err(super::accept::not_a_hub());
    }
    if deposits.is_empty() {
        return Err(Fault::usage("bad_batch", "a call deposits 1 to 20 key packages"));
    }
    let now = node.clock.now();
    let bad = |cause: String| Fault::usage("bad_key_package", cause);
    let mut suites = BTreeSet::new();
    let mut tx = node.store.write().await?;
    let most = rights::level(node, &mut *tx, caller).await?.key_packages()?;
    for deposit in deposits {
        if deposit.key_package.len() > Quota::KeyPackageBytes.count() {
            return Err(node.at_quota(caller, Quota::KeyPackageBytes, Whose::Usage));
        }
        let read = read_key_package(&node.crypto, &deposit.key_package)
            .map_err(|cause| bad(cause.to_string()))?;
        validate_leaf(&read.leaf).map_err(|cause| bad(cause.to_string()))?;
        if read.leaf.node.as_ref() != Some(caller) {
            return Err(bad("the key package is of another node".into()));
        }
        if deposit.expires_at <= now {
            return Err(bad("the lifetime is over".into()));
        }
        if deposit.expires_at > now.plus(LIFETIME + LEEWAY) {
            return Err(bad("the lifetime is longer than 84 days".into()));
        }
        let expires_at = deposit.expires_at.min(now.plus(LIFETIME));
        let suite = read.suite.number();
        if deposit.replaces {
            empty(&mut *tx, caller, now).await?;
        }
        let row = PoolRow {
            owner: caller.clone(),
            reference: read.hash_ref,
            suite,
            last_resort: deposit.last_resort,
            key_package: deposit.key_package,
            expires_at,
            deposited_at: now,
        };
        if tx.insert_pool(row.clone()).await? {
            make_room(&mut *tx, &row, most).await?;
        }
        suites.insert(suite);
    }
    let mut fewest = u32::MAX;
    for suite in suites {
        let pool = tx.pool(caller, suite, now).await?;
        let single = pool.iter().filter(|row| !row.last_resort).count();
        fewest = fewest.min(u32::try_from(single).unwrap_or(u32::MAX));
    }
    tx.commit().await?;
    Ok(fewest)
}

/// A full pool gives up its oldest for what came: a refusal would stop the owner's errands, and
/// what it makes anew is as good.
async fn make_room(tx: &mut dyn Tx, came: &PoolRow, most: Quota) -> Done<()> {
    let mut others = tx.pool(&came.owner, came.suite, came.deposited_at).await?;
    others.retain(|row| row.reference != came.reference);
    while others.len() >= most.count() {
        let alike = others.iter().position(|row| row.last_resort == came.last_resort);
        let oldest = others.remove(alike.unwrap_or_default());
        tx.delete_pool(&came.owner, &oldest.reference).await?;
    }
    Ok(())
}

/// Drops what an owner deposited, of every suite.
async fn empty(tx: &mut dyn Tx, owner: &NodeId, now: Instant) -> Done<()> {
    for suite in CIPHERSUITES {
        for row in tx.pool(owner, suite, now).await? {
            tx.delete_pool(owner, &row.reference).await?;
        }
    }
    Ok(())
}

/// A key package as it is given out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Whose it is.
    pub party: NodeId,
    /// The MLS message.
    pub key_package: Vec<u8>,
    /// Its end, as the pool has it.
    pub expires_at: Instant,
}

/// Key packages that were claimed, and who has none.
#[derive(Clone, Debug, Default)]
pub struct Claimed {
    /// One of each party.
    pub key_packages: Vec<Given>,
    /// Parties that were asked for new ones.
    pub missing: Vec<NodeId>,
}

/// Takes one key package of each named party of an équipe, or of a peer that is verified
/// here and is to become one. Single-use ones are gone then,
/// also when the answer is lost: claiming again takes the next, at last the last resort, and
/// who claims too often gets that.
///
/// # Errors
/// `not_a_hub`, `no_such_equipe`, `not_a_party`, `too_many`.
pub async fn claim(
    node: &Node,
    caller: &NodeId,
    lineage: LineageId,
    suite: u16,
    parties: &[NodeId],
) -> Done<Claimed> {
    let Some(hub) = &node.hub else { return Err(super::accept::not_a_hub()) };
    if parties.len() > Quota::ClaimParties.count() {
        return Err(node.at_quota(caller, Quota::ClaimParties, Whose::Usage));
    }
    let parties: BTreeSet<&NodeId> = parties.iter().collect();
    let mut tx = node.store.write().await?;
    let Some(row) = tx.carried(lineage).await? else {
        return Err(Fault::not_found("no_such_equipe", "this équipe is not here"));
    };
    // Only where somebody can be added.
    if !matches!(row.state.as_str(), "founded" | "seeded") {
        return Err(Fault::not_found("no_such_equipe", "this équipe is not here"));
    }
    let statement = statement_of(&row)?;
    let listed = |id: &NodeId| statement.statement().parties.iter().any(|p| p.node == *id);
    let refused = || Fault::refused("not_a_party", "claimed by or for who is no party");
    if !statement.statement().may_have_leaf(caller) {
        return Err(refused());
    }
    for party in parties.iter().copied().filter(|party| !listed(party)) {
        // A newcomer, whom the statement will name that the commit brings.
        let peer = tx.peer(party).await?;
        if !peer.is_some_and(|peer| peer.state.counts_as_verified()) {
            return Err(refused());
        }
    }
    let now = node.clock.now();
    let mut claimed = Claimed::default();
    for party in parties {
        let pool = tx.pool(party, suite, now).await?;
        if let Some(row) = chosen(node, hub, (caller, party), pool) {
            if !row.last_resort {
                tx.give_pool(party, &row.reference).await?;
            }
            let PoolRow { key_package, expires_at, .. } = row;
            claimed.key_packages.push(Given { party: party.clone(), key_package, expires_at });
            continue;
        }
        ask(node, &mut *tx, hub, (caller, party), lineage).await?;
        claimed.missing.push(party.clone());
    }
    tx.commit().await?;
    for party in &claimed.missing {
        node.signals.wake(&Topic::Mailbox(party.clone()));
    }
    Ok(claimed)
}

/// Has an owner make key packages, if it was not asked already, and not too often for this
/// claimant.
async fn ask(
    node: &Node,
    tx: &mut dyn Tx,
    hub: &Hub,
    (claimant, owner): (&NodeId, &NodeId),
    lineage: LineageId,
) -> Done<()> {
    let (now, sender) = (node.clock.now(), node.identity.node.clone());
    let item = own_item("key_packages_wanted", owner, &[]);
    let row = MailboxRow {
        recipient: owner.clone(),
        sequence: 0,
        item,
        sender: sender.clone(),
        kind: "key_packages_wanted".into(),
        payload: lineage.as_bytes().to_vec(),
        expires_at: now.plus(MAIL_LIFETIME),
    };
    if tx.insert_mailbox(row).await? && !hub.may_ask(claimant, owner, now) {
        tx.delete_mailbox_item(&sender, item).await?;
        node.quotas.note(claimant, Quota::AskedOfOwner, now);
    }
    Ok(())
}

/// The key package that a claimant gets of an owner's pool: the oldest single-use one, or the
/// last resort, which is also what is left to who has claimed too many.
fn chosen(
    node: &Node,
    hub: &Hub,
    (claimant, owner): (&NodeId, &NodeId),
    pool: Vec<PoolRow>,
) -> Option<PoolRow> {
    let (mut last_resorts, mut single): (Vec<_>, Vec<_>) =
        pool.into_iter().partition(|row| row.last_resort);
    let now = node.clock.now();
    if single.is_empty() {
        return last_resorts.pop();
    }
    if !hub.may_claim(claimant, owner, now) {
        node.quotas.note(claimant, Quota::ClaimsOfPeer, now);
        if let Some(last_resort) = last_resorts.pop() {
            return Some(last_resort);
        }
    }
    Some(single.swap_remove(0))
}

/// The tree that a newcomer needs for its Welcome; without an epoch the newest, of which a
/// member that has lost its group learns its leaf.
///
/// # Errors
/// `no_such_tree`, `not_a_party`.
pub async fn fetch_tree(
    node: &Node,
    caller: &NodeId,
    group: GroupId,
    epoch: Option<Epoch>,
) -> Done<Vec<u8>> {
    let mut tx = node.store.read().await?;
    let missing = || Fault::not_found("no_such_tree", "the tree of this epoch is not kept here");
    let Some(row) = tx.carried_group(group).await? else { return Err(missing()) };
    if !statement_of(&row)?.statement().may_have_leaf(caller) {
        return Err(Fault::refused("not_a_party", "only parties fetch trees"));
    }
    if let Some(epoch) = epoch {
        return tx.tree(group, epoch).await?.ok_or_else(missing);
    }
    let rows = open_ledger(node, &mut *tx, &LedgerScope::Hub(group)).await?;
    let loaded = HubGroup::load(&node.crypto, group, rows);
    let tree = loaded.and_then(|group| group.map(|group| group.tree()).transpose());
    tree.map_err(|cause| Fault::ours("group_not_loaded", cause))?.ok_or_else(missing)
}
