//! What is owed to a member that joined late: this node's own objects as they stand, each
//! sealed to that member alone.
//!
//! Owed is what was placed in the log before the commit that added the member; what comes
//! after, it reads by itself. [`begin`] notes the debt where the commit is processed,
//! [`step`] pays some of it, and until the member has received it all, delivery does not
//! count it.

use raccordo_core::envelope::{Body, Change, Envelope, ObjectEvent, Sealed};
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, Sequence};
use raccordo_core::letter::{self, Route};
use raccordo_core::object::State;
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;
use raccordo_core::trust::card::SignedCard;

use super::apply::{open_author, open_share};
use super::fault::{Done, Fault};
use super::peers::card_if_verified;
use super::share::rows_for;
use super::work::Work;
use super::{Node, pack};
use crate::store::Tx;
use crate::store::equipe::MemberRow;
use crate::store::membership::ReplayRow;
use crate::store::object::{ObjectFilter, ObjectRow};
use crate::store::outbox::EnvelopeRow;

/// Most objects that one transaction seals.
const OBJECTS_MAX: u32 = 128;

/// What the recipient was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recipient {
    /// No member: it is told what is active.
    Newcomer,
    /// A member that has lost its state: it is also told what has ended meanwhile.
    Rejoined,
}

/// Notes that a member, added by the commit at `added_at`, is owed this node's objects.
/// Repeated, it begins anew.
///
/// # Errors
/// The store's.
pub async fn begin(
    work: &mut Work<'_>,
    recipient: &NodeId,
    was: Recipient,
    added_at: Sequence,
) -> Done<()> {
    let lineage = work.row.lineage;
    let row = ReplayRow {
        lineage,
        recipient: recipient.clone(),
        rejoined: was == Recipient::Rejoined,
        added_at,
        position: 0,
        queued: false,
        envelope: None,
    };
    Ok(work.tx()?.put_replay(row).await?)
}

/// Queues some of what is owed in an équipe, and forgets debts that are paid; whether there
/// is more to queue. Who is not verified here waits.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn step(node: &Node, lineage: LineageId) -> Done<bool> {
    if node.store.read().await?.replays(lineage).await?.is_empty() {
        return Ok(false);
    }
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(false) };
    if Standing::parse(&work.row.state) != Some(Standing::Active) {
        return Ok(false);
    }
    let tx = work.tx()?;
    let members = tx.members(lineage).await?;
    let (mut more, mut changed) = (false, false);
    for mut row in tx.replays(lineage).await? {
        let Some(member) = members.iter().find(|member| member.node == row.recipient) else {
            tx.delete_replay(lineage, &row.recipient).await?;
            changed = true;
            continue;
        };
        if !row.queued {
            let Some(card) = card_if_verified(node, tx, &row.recipient).await? else { continue };
            queue(node, tx, &mut row, &card).await?;
            more |= !row.queued;
            tx.put_replay(row).await?;
            changed = true;
        } else if received(tx, &row, member).await? {
            tx.delete_replay(lineage, &row.recipient).await?;
            changed = true;
        }
    }
    if !changed {
        return Ok(false);
    }
    work.commit().await?;
    pack::wake(node, lineage);
    Ok(more)
}

/// Seals the next objects of a debt.
async fn queue(node: &Node, tx: &mut dyn Tx, row: &mut ReplayRow, card: &SignedCard) -> Done<()> {
    let filter = ObjectFilter {
        lineage: Some(row.lineage),
        origin: Some(node.identity.node.clone()),
        state: None,
        after_position: row.position,
        limit: OBJECTS_MAX,
    };
    let objects = tx.list_objects(&filter).await?;
    row.queued = objects.len() < OBJECTS_MAX as usize;
    let mut rows = Vec::new();
    for object in objects {
        row.position = object.position;
        let before = Sequence(1) <= object.sequence && object.sequence <= row.added_at;
        if before && let Some(told) = retold(node, row, &object)? {
            rows.extend(sealed(node, row, card, &told)?);
        }
    }
    if let Some(last) = rows.last() {
        row.envelope = Some(last.envelope);
    }
    Ok(tx.queue_envelopes(rows).await?)
}

/// The object as it stands, in the words of its first envelope; none where nothing is owed.
fn retold(node: &Node, row: &ReplayRow, object: &ObjectRow) -> Done<Option<Envelope>> {
    let told = row.rejoined && !planted::is(Bug::EndsNotRetold);
    let ended = |id| (object.expires_at > node.clock.now() && told).then_some(id);
    let (id, change) = match open_share(node, object)? {
        Some(share) if object.state == State::Active.as_str() => {
            if object.expires_at <= node.clock.now() {
                return Ok(None);
            }
            (object.envelope, Change::Share(share))
        }
        _ => match ended(EnvelopeId::random(&*node.entropy)) {
            Some(id) if object.state == State::Withdrawn.as_str() => {
                (id, Change::Withdrawal { reason: object.end_reason.clone() })
            }
            _ => return Ok(None),
        },
    };
    let event = ObjectEvent { object: object.object, version: object.version, change };
    Ok(Some(Envelope {
        id,
        lineage: row.lineage,
        number: 0,
        said_at: object.shared_at,
        author: open_author(node, object)?,
        body: Body::ObjectEvent(event),
    }))
}

fn sealed(
    node: &Node,
    row: &ReplayRow,
    card: &SignedCard,
    told: &Envelope,
) -> Done<Vec<EnvelopeRow>> {
    let sender = &node.identity.node;
    let route = Route { lineage: row.lineage, sender, recipient: &row.recipient };
    let letter = letter::seal(&*node.entropy, route, &card.card().sealing_key, told)
        .map_err(|cause| Fault::ours("not_sealed", cause))?;
    let envelope = Envelope {
        id: EnvelopeId::random(&*node.entropy),
        lineage: row.lineage,
        number: 0,
        said_at: node.clock.now(),
        author: None,
        body: Body::Sealed(letter),
    };
    rows_for(node, &envelope, None)
}

/// Whether a member has everything that a debt queued for it.
async fn received(tx: &mut dyn Tx, row: &ReplayRow, member: &MemberRow) -> Done<bool> {
    let Some(last) = row.envelope.filter(|_| row.queued) else { return Ok(row.queued) };
    // Forgotten once all members have it.
    let kept = tx.envelope(row.lineage, last).await?;
    Ok(kept.is_none_or(|row| row.sequence > Sequence(0) && member.delivered >= row.sequence))
}

/// Members that do not have this node's objects from before they were added, each with the
/// place of the commit that added it.
///
/// # Errors
/// The store's.
pub async fn owed(
    tx: &mut dyn Tx,
    lineage: LineageId,
    members: &[MemberRow],
) -> Done<Vec<(NodeId, Sequence)>> {
    let mut owed = Vec::new();
    for row in tx.replays(lineage).await? {
        let Some(member) = members.iter().find(|member| member.node == row.recipient) else {
            continue;
        };
        if !received(tx, &row, member).await? {
            owed.push((row.recipient, row.added_at));
        }
    }
    Ok(owed)
}

/// Opens a letter; none when it is for another member.
///
/// # Errors
/// A stable reason: the sender's fault.
pub fn open(
    node: &Node,
    lineage: LineageId,
    sender: &NodeId,
    sealed: &Sealed,
) -> Result<Option<Envelope>, &'static str> {
    if sealed.recipient != node.identity.node {
        return Ok(None);
    }
    let route = Route { lineage, sender, recipient: &sealed.recipient };
    let sets = node.identity.all();
    let mut told = letter::open(&node.identity.newest().sealing, route, &sealed.letter);
    for former in sets.iter().skip(1) {
        told = told.or_else(|_| letter::open(&former.sealing, route, &sealed.letter));
    }
    told.map(Some).map_err(|error| error.reason())
}
