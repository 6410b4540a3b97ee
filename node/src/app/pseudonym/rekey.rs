//! Administrators ask for new keys: after shares were lost, or were seen by others. All tokens
//! are made anew, of every member, so that no member brings it about alone.

use raccordo_core::envelope::{Body, KeyRenewal};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::LineageId;
use raccordo_core::pseudonym::renewal::REPLACE_AFTER;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::{Applied, ceremony, keys, say};
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::work::Work;
use crate::app::{Node, pack};

/// New keys that were asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// They are not made before.
    pub from: Instant,
    /// The administrators of how many members have asked, with the one here.
    pub asked: usize,
    /// How many have to.
    pub needed: usize,
}

/// Asks for a new key of every class. It is made when more than half of the members have asked;
/// at one administrator's word where so many shares are lost that no tokens can be made.
///
/// # Errors
/// `no_such_equipe`, `not_a_member`, `no_key_yet`.
pub async fn rekey(node: &Node, actor: Actor, equipe: &str) -> Done<Request> {
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
    let members = keys::members(work.tx()?, lineage).await?;
    let mut request = Request { from: node.clock.now(), asked: usize::MAX, needed: 1 };
    for mut row in rows {
        let sharing = node.keys.sharing(&row.sharing)?;
        let mut asked_by = row.asked_by.clone();
        asked_by.insert(node.identity.node.clone());
        let known = keys::facts(&row, &sharing, &members)?;
        let enough = known.replaced_from().is_some();
        let needed = if enough { 1 } else { known.needed() };
        request.from = request.from.max(row.since.plus(REPLACE_AFTER));
        request.asked = request.asked.min(asked_by.intersection(&members).count());
        request.needed = request.needed.max(needed);
        let (class, key_epoch) = (row.class, row.key_epoch);
        row.asked = true;
        work.tx()?.put_key_sharing(row).await?;
        say(node, &mut work, Body::KeyRenewal(KeyRenewal { class, key_epoch }), false).await?;
    }
    work.tx()?.hasten_key_duty(lineage).await?;
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(request)
}

/// Counts an administrator's request, of another member or this one. It holds until the key is
/// shared anew: who joins then has counted what all others have.
///
/// # Errors
/// The store's.
pub(super) async fn count_request(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    renewal: KeyRenewal,
) -> Done<Applied> {
    ceremony::pass(node, work, entry.accepted_at).await?;
    let lineage = work.row.lineage;
    let tx = work.tx()?;
    let rows = tx.key_sharings(lineage).await?;
    let meant = rows
        .into_iter()
        .find(|row| (row.class, row.key_epoch) == (renewal.class, renewal.key_epoch));
    let Some(mut row) = meant else { return Ok(Ok(())) };
    if row.asked_by.insert(entry.sender.clone()) {
        tracing::info!(%lineage, class = %row.class, by = %entry.sender, "another key is asked for");
        tx.put_key_sharing(row).await?;
        tx.hasten_key_duty(lineage).await?;
    }
    Ok(Ok(()))
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
