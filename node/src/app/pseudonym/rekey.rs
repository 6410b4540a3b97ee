//! An administrator asks for new keys: after shares were lost, or were seen by others. All
//! tokens are made anew.

use raccordo_core::id::LineageId;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::{REKEY_EVERY, plan};
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, pack};

/// Why a key is to be replaced: an administrator here asked. The others do not know it.
pub(super) const ASKED: &str = "asked";

/// Asks for a new key of every class; from when on it may be made. It is proposed to the
/// members as soon as a share is old enough, and made when enough of them are there.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`, `no_key_yet`.
pub async fn rekey(node: &Node, actor: Actor, equipe: &str) -> Done<Instant> {
    let lineage = named(node, equipe).await?;
    let mut work = Work::begin(node, lineage).await?.ok_or_else(missing)?;
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        let message = format!("the équipe is {} here", work.row.state);
        return Err(Fault::conflict("not_a_member", message).hint("see `raccordo equipe show`"));
    }
    let tx = work.tx()?;
    let rows = tx.key_sharings(lineage).await?;
    if rows.is_empty() {
        return Err(Fault::conflict("no_key_yet", "the équipe has no key that could be replaced")
            .hint("see `raccordo equipe keys`: the first ones are made when two members are in"));
    }
    record(node, tx, actor, "equipe.rekey", &lineage.to_string(), &[]).await?;
    let mut from = Instant(0);
    for mut row in rows {
        from = from.max(row.since.plus(REKEY_EVERY));
        if row.renewal != plan::REMOVAL {
            row.renewal = ASKED.to_owned();
            tx.put_key_sharing(row).await?;
        }
    }
    tx.hasten_key_duty(lineage).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(from.max(node.clock.now()))
}

/// The lineage of an équipe, by name or lineage.
///
/// # Errors
/// `no_such_equipe`.
pub(super) async fn named(node: &Node, equipe: &str) -> Done<LineageId> {
    let mut tx = node.store.read().await?;
    let row = match equipe.parse::<LineageId>() {
        Ok(lineage) => tx.equipe(lineage).await?,
        Err(_) => tx.equipe_named(equipe).await?,
    };
    row.map(|row| row.lineage).ok_or_else(missing)
}

fn missing() -> Fault {
    Fault::not_found("no_such_equipe", "this node is in no équipe of that name")
        .hint("see `raccordo equipe list`")
}
