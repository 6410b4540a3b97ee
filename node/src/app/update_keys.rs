//! Renews the keys of this node's leaf by an own commit: when they have grown old, or when an
//! administrator asks. Whoever stole older keys reads nothing that comes after it.

use raccordo_core::id::LineageId;
use raccordo_core::sending::Standing;
use raccordo_core::session::Change;
use raccordo_core::time::Instant;

use super::audit::{Actor, record};
use super::fault::{Done, Fault};
use super::work::Work;
use super::{Node, pack};

/// Renews them now; a commit that waits for the log already does it too.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`.
pub async fn update_keys(node: &Node, actor: Actor, equipe: &str) -> Done<()> {
    let row = node.store.read().await?.equipe_named(equipe).await?;
    let missing = || {
        Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
            .hint("see `raccordo equipe list`")
    };
    let lineage = row.ok_or_else(missing)?.lineage;
    let mut work = Work::begin(node, lineage).await?.ok_or_else(missing)?;
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        let message = format!("the équipe is {} here", work.row.state);
        return Err(Fault::conflict("not_a_member", message).hint("see `raccordo equipe show`"));
    }
    let waits = work.holds_commit().await?;
    let tx = work.tx()?;
    record(node, tx, actor, "equipe.update_keys", &lineage.to_string(), &[]).await?;
    // Old until an own commit is in the log: one that loses the race is staged again.
    tx.put_key_update(lineage, Instant(0)).await?;
    if !waits {
        pack::stage(node, &mut work, Change::default()).await?;
    }
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(())
}

/// Renews them where they have grown old.
///
/// # Errors
/// The store's, or a damaged group.
pub async fn when_old(node: &Node, lineage: LineageId) -> Done<()> {
    let updated = node.store.read().await?.key_update(lineage).await?;
    let now = node.clock.now();
    // A time to come is from before the clock was put back: nobody knows how old they are.
    let is_young = |at: Instant| at <= now && now.since(at) < node.rhythm.key_update;
    if updated.is_some_and(is_young) {
        return Ok(());
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    let active = Standing::parse(&work.row.state) == Some(Standing::Active);
    if !active || work.holds_commit().await? {
        return Ok(());
    }
    pack::stage(node, &mut work, Change::default()).await?;
    work.commit().await?;
    tracing::info!(%lineage, "the keys of this node's leaf are old: an update is staged");
    pack::wake(node, lineage);
    Ok(())
}
