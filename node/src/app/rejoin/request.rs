//! Asks to join again: a notice in the log, with a fresh key package, for the leaf that the
//! node has now.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::crypto::Suite;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, GroupId, LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::session::{NewKeyPackage, key_package, leaves_in_tree, read_key_package};
use raccordo_core::trust::rejoin::{Asked, RejoinRequest};

use super::needs_rejoin;
use crate::app::alarms::{self, NewAlarm};
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::signals::Topic;
use crate::app::work::{Work, write_ledger};
use crate::app::{Node, pack, status};
use crate::store::outbox::EntryRow;
use crate::store::rejoin::RejoinRow;

/// The administrator decides that this copy of the node is the one that goes on: it gives up
/// its group and asks to join again. Repeated, it asks anew.
///
/// # Errors
/// `no_such_equipe`; `nothing_lost` while the node is a member in good standing.
pub async fn ask(node: &Node, actor: Actor, equipe: &str) -> Done<()> {
    let lineage = status::equipe(node, equipe).await?.row.lineage;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let standing = Standing::parse(&work.row.state);
    let tx = work.tx()?;
    let standing_alarms = tx.alarms(lineage).await?;
    let stands = |codes: &[AlarmCode]| standing_alarms.iter().any(|it| codes.contains(&it.code));
    let lost = match standing {
        Some(Standing::Quarantined | Standing::NeedsRejoin) => true,
        Some(Standing::Active) => stands(&[
            AlarmCode::CommitUnprocessable,
            AlarmCode::HubTrimmed,
            AlarmCode::WelcomeRefused,
        ]),
        // Added again by a key package whose private part is lost.
        Some(Standing::Ended) => stands(&[AlarmCode::WelcomeRefused]),
        _ => false,
    };
    if !lost {
        let message = "this node is a member in good standing, or none at all";
        return Err(Fault::conflict("nothing_lost", message).hint("see `raccordo doctor`"));
    }
    tx.delete_rejoin(lineage, &node.identity.node).await?;
    let what = "this node has given up its group";
    alarms::raise(node, tx, lineage, needs_rejoin(what)).await?;
    record(node, tx, actor, "equipe.rejoin_asked", &lineage.to_string(), &[]).await?;
    work.row.state = Standing::NeedsRejoin.as_str().into();
    let hub = work.row.hub.clone();
    work.commit().await?;
    node.signals.wake(&Topic::Membership);
    node.signals.wake(&Topic::Errands(hub));
    Ok(())
}

/// The équipes at a hub in which this node has to ask.
///
/// # Errors
/// The store's.
pub async fn wanted(node: &Node, hub: &NodeId) -> Done<Vec<(LineageId, GroupId)>> {
    let mut tx = node.store.read().await?;
    let mut wanted = Vec::new();
    for row in tx.equipes().await? {
        if row.hub != *hub || row.state != Standing::NeedsRejoin.as_str() {
            continue;
        }
        let asked = tx.rejoins(row.lineage).await?;
        if !asked.iter().any(|asked| asked.node == node.identity.node) {
            wanted.push((row.lineage, row.group));
        }
    }
    Ok(wanted)
}

/// Makes the request for the leaf that stands in the tree; whether there was one.
///
/// # Errors
/// The store's, or a tree that is none.
pub async fn request(node: &Node, lineage: LineageId, tree: &[u8]) -> Done<bool> {
    let me = &node.identity.node;
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(false) };
    if Standing::parse(&work.row.state) != Some(Standing::NeedsRejoin) {
        return Ok(false);
    }
    let leaves = leaves_in_tree(tree, me)
        .map_err(|cause| Fault::refused("bad_tree", format!("the hub's tree: {cause}")))?;
    let Some(replaced) = leaves.first().copied() else {
        return no_leaf(node, work).await;
    };
    let made = fresh_key_package(node, work.row.suite)?;
    let read = read_key_package(&node.crypto, &made.message)
        .map_err(|cause| Fault::ours("key_package", cause))?;
    let entry = EntryId::random(&*node.entropy);
    let asked =
        Asked { group: work.row.group, sender: me.clone(), entry, said_at: node.clock.now() };
    let (replacement, key_package) = (read.leaf.digest(), made.message);
    let request = RejoinRequest { replaced, replacement, key_package };
    let signed = request.sign(asked, &node.identity.key);
    let payload = signed.map_err(|cause| Fault::ours("notice", cause))?.encode();
    let row = RejoinRow {
        lineage,
        node: me.clone(),
        entry,
        signed_notice: payload.clone(),
        approved: false,
        noted_at: node.clock.now(),
    };
    let entry = EntryRow::pending(&work.row, node.boot, EntryKind::Notice, entry, payload);
    let tx = work.tx()?;
    write_ledger(node, tx, made.changes).await?;
    tx.put_rejoin(row).await?;
    tx.insert_entries(vec![entry]).await?;
    work.commit().await?;
    tracing::info!(%lineage, "this node asks to join again");
    pack::wake(node, lineage);
    Ok(true)
}

fn fresh_key_package(node: &Node, suite: u16) -> Done<NewKeyPackage> {
    let suite = Suite::from_number(suite);
    let suite = suite.ok_or_else(|| Fault::ours("row_damaged", "suite of an équipe"))?;
    key_package(&node.crypto, &node.identity.leaf(), suite, false)
        .map_err(|cause| Fault::ours("key_package", cause))
}

/// The others have removed this node meanwhile: only a new statement brings it back.
async fn no_leaf(node: &Node, mut work: Work<'_>) -> Done<bool> {
    let detail = "the hub says that this node is a member no longer";
    let alarm = NewAlarm::new(AlarmCode::HubRemoved, detail);
    if alarms::raise_within(node, &mut work, alarm).await? {
        work.commit().await?;
    }
    Ok(false)
}
