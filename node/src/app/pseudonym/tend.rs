//! What falls due: the node's part in ceremonies, plans for keys, and requests for tokens.

use std::time::Duration;

use raccordo_core::id::LineageId;
use raccordo_core::pseudonym::key::Class;
use raccordo_core::sending::Standing;
use raccordo_core::time::Instant;

use super::ceremony::{self, Running};
use super::propose::{Proposed, propose};
use super::{ask, duty};
use crate::app::fault::Done;
use crate::app::work::Work;
use crate::app::{Node, pack};
use crate::store::keys::DutyRow;
use crate::store::outbox::EntryState;

/// Nothing falls due by time alone.
const NEVER: Instant = Instant(i64::MAX);

/// Does what is due in an équipe; whether anything was queued.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn tend(node: &Node, lineage: LineageId) -> Done<bool> {
    let due = node.store.read().await?.key_duty(lineage).await?;
    if due.is_none_or(|due| due.due_at > node.clock.now()) {
        return Ok(false);
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(false) };
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        return Ok(false);
    }
    let Some(due) = work.tx()?.key_duty(lineage).await? else { return Ok(false) };
    let tended = within(node, &mut work, &due).await?;
    work.tx()?.put_key_duty(DutyRow { due_at: tended.next, ..due }).await?;
    let speaks = tended.silence.is_some()
        && !tended.moved
        && work.tx()?.entries_in(lineage, EntryState::Pending, 1).await?.is_empty();
    work.commit().await?;
    // The log's time passes only when somebody speaks.
    let spoke = speaks && pack::heartbeat(node, lineage).await?;
    Ok(tended.moved || spoke)
}

/// Wakes the senders of équipes in which something is due.
///
/// # Errors
/// The store's.
pub async fn wake_due(node: &Node) -> Done<()> {
    let now = node.clock.now();
    let mut tx = node.store.read().await?;
    for row in tx.equipes().await? {
        if tx.key_duty(row.lineage).await?.is_some_and(|due| due.due_at <= now) {
            pack::wake(node, row.lineage);
        }
    }
    Ok(())
}

/// Looks again soon where the log has come to the time for which this node waits.
///
/// # Errors
/// The store's.
pub async fn heard(node: &Node, work: &mut Work<'_>) -> Done<()> {
    let (lineage, at) = (work.row.lineage, work.row.accepted_at);
    if node.voice.has_come(lineage, at) {
        work.tx()?.hasten_key_duty(lineage).await?;
    }
    Ok(())
}

struct Tended {
    /// Whether anything was queued.
    moved: bool,
    /// For what time of the log alone a phase waits.
    silence: Option<Instant>,
    /// When to look again.
    next: Instant,
}

async fn within(node: &Node, work: &mut Work<'_>, due: &DutyRow) -> Done<Tended> {
    let heard = work.row.accepted_at;
    ceremony::pass(node, work, heard).await?;
    let mut tended = Tended { moved: false, silence: None, next: NEVER };
    for class in Class::ALL {
        match ceremony::running(node, work, class).await? {
            Some(running) => {
                let until = running.ceremony.until();
                let over = ends(node, &running, heard);
                tended.moved |= duty::perform(node, work, running).await?;
                if over {
                    tended.silence = Some(tended.silence.map_or(until, |first| first.min(until)));
                }
                tended.next = tended.next.min(until);
            }
            None => match propose(node, work, due, class).await? {
                Proposed::Plan => tended.moved = true,
                Proposed::Not(next) => tended.next = tended.next.min(next),
            },
        }
        let asked = ask::ask(node, work, class).await?;
        tended.moved |= asked.moved;
        tended.next = tended.next.min(asked.next);
    }
    // What is due by now has been done. A phase whose end the log is to tell is looked at as
    // soon as it has; a log that does not move is spoken to again only after a while.
    if let Some(until) = tended.silence {
        node.voice.awaits(work.row.lineage, until);
    }
    let rest = if tended.silence.is_some() { SILENCE } else { REST };
    tended.next = tended.next.max(node.clock.now().plus(rest));
    Ok(tended)
}

/// The least time until the node looks again by itself.
const REST: Duration = Duration::from_secs(15);
/// How long it waits for the log to move after it spoke for that.
const SILENCE: Duration = Duration::from_secs(60);

/// Whether a phase is over by the own clock, and the log has not told yet.
fn ends(node: &Node, running: &Running, heard: Instant) -> bool {
    let until = running.ceremony.until();
    heard < until && node.clock.now() >= until
}
