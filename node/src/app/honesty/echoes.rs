//! What another member says of the log: a word that anybody may say, unless the hub's signature
//! is with it.
//!
//! A word that disagrees flags its sender, who is asked for what the hub signed for it, and
//! holds nothing. It ends when a later word of the same member agrees: heads are chained, so
//! that who agrees at a place agrees on all before it.

use std::time::Duration;

use raccordo_core::alarm::{AlarmCode, Ending};
use raccordo_core::envelope::{Body, CheckpointCopy, PackHead};
use raccordo_core::hublog::{Checkpoint, LogEntry, SignedCheckpoint};
use raccordo_core::id::{NodeId, Sequence};

use super::{HubClaim, history, is_signed, judge, outrun};
use crate::app::alarms::{self, NewAlarm};
use crate::app::fault::Done;
use crate::app::work::Work;
use crate::app::{Node, pack};

/// A node shows what its hub signed so often at most, however many ask: all see the answer.
pub(super) const SHOW_EVERY: Duration = Duration::from_secs(60);

/// Compares what another member believes about the log with what this node has verified.
///
/// # Errors
/// The store's.
pub async fn echoed(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    pack: &PackHead,
) -> Done<()> {
    let (echo, teller) = (&pack.echo, &pack.sender);
    let ahead = echo.sequence >= entry.sequence;
    let own = if ahead { None } else { history::head_at(work, echo.sequence).await? };
    let same_keys = pack.epoch != work.row.epoch || echo.authenticator == work.row.authenticator;
    if !same_keys {
        let detail = format!(
            "entry {}: {teller} has authenticator {} in epoch {}, and this node {}",
            entry.sequence,
            hex::encode(&echo.authenticator),
            pack.epoch,
            hex::encode(&work.row.authenticator)
        );
        disagree(node, work, teller, echo.sequence.min(entry.sequence), detail).await?;
    }
    if own == Some(echo.head) {
        return if same_keys { amend(node, work, teller, echo.sequence).await } else { Ok(()) };
    }
    if !ahead && own.is_none() {
        // It is older than what is remembered here.
        return Ok(());
    }
    if let Some(signed) = signed(work, pack)? {
        let claim = HubClaim { teller: teller.clone(), signed };
        return match ahead {
            true => outrun(node, work, entry, &claim).await,
            false => judge(node, work, &claim).await,
        };
    }
    let (place, head) = (echo.sequence, echo.head);
    let detail = match own {
        Some(own) => format!("entry {place}: {teller} has head {head}, and this node {own}"),
        None => format!(
            "{teller} says that it had seen entry {place} with head {head} before it wrote entry {}",
            entry.sequence
        ),
    };
    let detail = format!("{detail}; the hub's signature is not with it");
    disagree(node, work, teller, place.min(entry.sequence), detail).await
}

/// The hub's signature that came with an echo, if it is one.
fn signed(work: &Work<'_>, pack: &PackHead) -> Done<Option<SignedCheckpoint>> {
    let echo = &pack.echo;
    let Some(signature) = echo.signature else { return Ok(None) };
    let term = work.statement()?.statement().hub.clone();
    let (hub, number) = (term.hub.clone(), term.term);
    let (group, sequence, head) = (work.row.group, echo.sequence, echo.head);
    let stated = Checkpoint { group, sequence, head, epoch: pack.epoch, hub, term: number };
    let signed = SignedCheckpoint::from_parts(stated, signature);
    Ok(is_signed(&signed, &work.row, &term).then_some(signed))
}

/// Flags a member, and asks it once for what the hub signed for it.
async fn disagree(
    node: &Node,
    work: &mut Work<'_>,
    teller: &NodeId,
    place: Sequence,
    detail: String,
) -> Done<()> {
    let alarm = NewAlarm::new(AlarmCode::EchoDisagrees, detail).about(teller).at(place);
    if alarms::raise_within(node, work, alarm).await? {
        let asked = Body::CheckpointRequest(teller.clone());
        pack::queue(node, work, asked).await?;
    }
    Ok(())
}

/// A member agrees at a place, and so on all before it.
async fn amend(node: &Node, work: &mut Work<'_>, teller: &NodeId, place: Sequence) -> Done<()> {
    alarms::end_within(node, work, Ending::Amends, |row| {
        row.code == AlarmCode::EchoDisagrees
            && row.member.as_ref() == Some(teller)
            && row.place <= place
    })
    .await
}

/// Somebody asks a member what the hub has signed for it: if it is this one, it shows that.
///
/// # Errors
/// The store's.
pub async fn asked(node: &Node, work: &mut Work<'_>, of: &NodeId) -> Done<()> {
    if *of != node.identity.node {
        return Ok(());
    }
    let row = &work.row;
    let Ok(signature) = row.checkpoint_signature.as_slice().try_into() else { return Ok(()) };
    let Ok(newest) = SignedCheckpoint::parse(&row.checkpoint, signature) else { return Ok(()) };
    let term = work.statement()?.statement().hub.clone();
    // Of the term before it proves nothing any more.
    if !is_signed(&newest, row, &term)
        || !node.claims.may_show(row.lineage, node.clock.now(), SHOW_EVERY)
    {
        return Ok(());
    }
    let checkpoint = newest.bytes().to_vec();
    let copy = CheckpointCopy { checkpoint, signature: *newest.signature() };
    pack::queue(node, work, Body::CheckpointCopy(copy)).await
}

/// A member shows what the hub has signed for it.
///
/// # Errors
/// The store's.
pub async fn shown(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    copy: &CheckpointCopy,
) -> Done<Result<(), &'static str>> {
    let Ok(signed) = SignedCheckpoint::parse(&copy.checkpoint, copy.signature) else {
        return Ok(Err("bad_checkpoint"));
    };
    let term = work.statement()?.statement().hub.clone();
    let stated = signed.checkpoint().clone();
    if (&stated.hub, stated.term) != (&term.hub, term.term) {
        // The log has gone on under another term since.
        return Ok(Ok(()));
    }
    if !is_signed(&signed, &work.row, &term) {
        return Ok(Err("bad_checkpoint"));
    }
    let claim = HubClaim { teller: entry.sender.clone(), signed };
    if stated.sequence >= entry.sequence {
        outrun(node, work, entry, &claim).await?;
        return Ok(Ok(()));
    }
    match history::head_at(work, stated.sequence).await? {
        Some(own) if own == stated.head => {
            amend(node, work, &entry.sender, stated.sequence).await?;
        }
        Some(_) => judge(node, work, &claim).await?,
        None => {}
    }
    Ok(Ok(()))
}
