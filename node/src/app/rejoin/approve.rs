//! Approves that a node joins again, and commits it: its old leaf out, its new one in, with
//! its signed request beside them.

use raccordo_core::id::{LineageId, NodeId};
use raccordo_core::sending::Standing;
use raccordo_core::session::{Change, read_key_package};
use raccordo_core::trust::commit::GroupView;
use raccordo_core::trust::rejoin::CarriedRequest;

use super::noted;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::peers::verified_card;
use crate::app::signals::Topic;
use crate::app::work::Work;
use crate::app::{Node, pack, pacts, status};
use crate::store::rejoin::RejoinRow;

/// Approves a request; the commit follows when the group may take one.
///
/// # Errors
/// `no_such_equipe`, `own_request`, `no_such_request`, `party_not_verified`,
/// `equipe_not_active`, `request_overtaken`.
pub async fn approve(node: &Node, actor: Actor, equipe: &str, who: &NodeId) -> Done<LineageId> {
    let lineage = status::equipe(node, equipe).await?.row.lineage;
    if *who == node.identity.node {
        return Err(Fault::refused("own_request", "nobody approves its own return")
            .hint("another party's administrator does"));
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(lineage) };
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        let message = format!("the équipe is {} here", work.row.state);
        return Err(Fault::conflict("equipe_not_active", message).hint("see `raccordo doctor`"));
    }
    let tx = work.tx()?;
    let card = verified_card(node, tx, who).await?;
    let rows = tx.rejoins(lineage).await?;
    let Some(mut row) = rows.into_iter().find(|row| row.node == *who) else {
        return Err(Fault::not_found(
            "no_such_request",
            format!("{who} does not ask to join again"),
        )
        .hint(
            "its request comes through the log, and is gone once it was followed; see \
             `raccordo equipe show`",
        ));
    };
    if change(node, &mut work, &row).await?.is_none() {
        noted::forget(node, &mut work, who).await?;
        work.commit().await?;
        let message = format!("{who} asked for a leaf that is not there any more");
        return Err(Fault::conflict("request_overtaken", message).hint(format!(
            "the request is forgotten; where it has not come back meanwhile, its \
                 administrator asks anew: raccordo equipe rejoin {equipe}"
        )));
    }
    row.approved = true;
    let equipe = work.row.clone();
    let tx = work.tx()?;
    let detail = [("node", who.as_str())];
    record(node, tx, actor, "equipe.rejoin_approve", &lineage.to_string(), &detail).await?;
    tx.put_rejoin(row).await?;
    pacts::hand_on(node, tx, &equipe, &card).await?;
    stage_within(node, &mut work).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    node.signals.wake(&Topic::Errands(equipe.hub));
    Ok(lineage)
}

/// Stages what was approved and is not in the log yet: another commit may have been first.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn stage(node: &Node, lineage: LineageId) -> Done<()> {
    let rows = node.store.read().await?.rejoins(lineage).await?;
    if !rows.iter().any(|row| row.approved) {
        return Ok(());
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        return Ok(());
    }
    if stage_within(node, &mut work).await? {
        work.commit().await?;
        pack::wake(node, lineage);
    }
    Ok(())
}

/// Whether anything was staged or given up.
async fn stage_within(node: &Node, work: &mut Work<'_>) -> Done<bool> {
    if work.holds_commit().await? {
        return Ok(false);
    }
    let lineage = work.row.lineage;
    let rows = work.tx()?.rejoins(lineage).await?;
    let Some(row) = rows.into_iter().find(|row| row.approved) else { return Ok(false) };
    if pact_waits(work, &row).await? {
        return Ok(false);
    }
    match change(node, work, &row).await? {
        Some(change) => drop(pack::stage(node, work, change).await?),
        // The leaf has changed since: only another request helps.
        None => noted::forget(node, work, &row.node).await?,
    }
    Ok(true)
}

/// Whether the pact is still to be posted to whoever asks: it needs that before its Welcome.
async fn pact_waits(work: &mut Work<'_>, row: &RejoinRow) -> Done<bool> {
    let hub = work.row.hub.clone();
    let posts = work.tx()?.mail_for(&hub, u32::MAX).await?;
    Ok(posts.iter().any(|post| post.recipient == row.node && post.kind == pacts::MAIL_KIND))
}

/// The commit that follows a request; none when it does not fit the group as it stands.
async fn change(node: &Node, work: &mut Work<'_>, row: &RejoinRow) -> Done<Option<Change>> {
    let suite = work.row.suite;
    let facts = work.facts().await?;
    let Ok(carried) = CarriedRequest::decode(&row.signed_notice) else { return Ok(None) };
    let key_package = carried.request.key_package.clone();
    let Ok(read) = read_key_package(&node.crypto, &key_package) else { return Ok(None) };
    let Some(index) = replaced(&facts.view, &row.node, |leaf| carried.names(leaf, &read.leaf))
    else {
        return Ok(None);
    };
    if read.suite.number() != suite {
        return Ok(None);
    }
    Ok(Some(Change {
        add: vec![key_package],
        remove: vec![index],
        authenticated_data: row.signed_notice.clone(),
        ..Change::default()
    }))
}

fn replaced(
    view: &GroupView,
    who: &NodeId,
    named: impl Fn(&raccordo_core::trust::commit::LeafView) -> bool,
) -> Option<u32> {
    let mut leaves = view.leaves.iter();
    let found = leaves.find(|(_, leaf)| leaf.node.as_ref() == Some(who) && named(leaf));
    found.map(|(index, _)| *index)
}
