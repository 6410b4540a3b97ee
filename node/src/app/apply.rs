//! Applies what a decrypted message says: each envelope once, or set aside with a reason.

use std::borrow::Cow;

use raccordo_core::alert;
use raccordo_core::envelope::{Author, Body, Change, Chunk, Envelope, ObjectEvent, Share, unpad};
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{EnvelopeId, Epoch, LineageId, NodeId, ObjectId, Sequence};
use raccordo_core::object::{self, Applied, Kind, Refusal, State, Subject};
use raccordo_core::operator::{Class, Role};
use raccordo_core::planted::{self, Bug};
use raccordo_core::quota::Quota;
use raccordo_core::reason;
use raccordo_core::time::Instant;
use raccordo_core::vault::{RecordKey, VaultError};
use raccordo_core::wire::{self, Pack};

use super::fault::{Done, Fault};
use super::work::Work;
use super::{
    Node, alarms, audit_heads, honesty, matching, pack, parts, pseudonym, replay, reports,
};
use crate::store::inbox::SetAsideRow;
use crate::store::object::ObjectRow;
use crate::telemetry::ENVELOPES_SET_ASIDE;

/// Applies one message of another member; the reason where all of it is to be set aside, and
/// nothing of this transaction kept.
///
/// # Errors
/// The store's. What the sender did wrong is set aside, not an error.
pub async fn message(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    from: &NodeId,
    epoch: Epoch,
    plaintext: &[u8],
) -> Done<Result<(), &'static str>> {
    work.set_aside = 0;
    match read_pack(work, entry, from, epoch, plaintext) {
        Ok(pack) => {
            honesty::echoed(node, work, entry, &pack.head).await?;
            let mut receiptable = false;
            for envelope in pack.envelopes {
                match envelope {
                    Ok(envelope) => {
                        // Neither is worth a message of every other member.
                        let silent = matches!(envelope.body, Body::Receipt(_) | Body::AuditHead(_));
                        receiptable |= !silent;
                        self::envelope(node, work, entry, envelope).await?;
                    }
                    Err(unreadable) => {
                        receiptable = true;
                        let reason = unreadable.error.reason();
                        aside(node, work, entry, unreadable.envelope, reason).await?;
                    }
                }
                if work.set_aside > Quota::SetAsideOfEntry.count() {
                    node.quotas.note(&entry.sender, Quota::SetAsideOfEntry, node.clock.now());
                    return Ok(Err(Quota::SetAsideOfEntry.row().reason));
                }
            }
            if receiptable && !planted::is(Bug::ForgetReceipt) {
                work.row.receipt_due = entry.sequence;
            }
        }
        Err(reason) => {
            aside(node, work, entry, None, reason).await?;
            work.row.receipt_due = entry.sequence;
        }
    }
    Ok(Ok(()))
}

/// Applies what this node itself said of keys and tokens, where the log shows it: of all else
/// it knows already.
///
/// # Errors
/// The store's, or damaged rows.
pub async fn own(node: &Node, work: &mut Work<'_>, entry: &LogEntry) -> Done<()> {
    let lineage = work.row.lineage;
    for row in work.tx()?.envelopes_of_node(lineage, entry.entry_id).await? {
        let bytes = pack::open_bytes(node, &row)?;
        let said = wire::decode_envelope(&bytes);
        let said = said.map_err(|cause| Fault::ours("envelope_damaged", cause))?;
        if pseudonym::apply::concerns(&said.body) || matches!(said.body, Body::Chunk(_)) {
            self::envelope(node, work, entry, said).await?;
        } else {
            matching::events::said(node, work, row.envelope).await?;
        }
    }
    Ok(())
}

/// What MLS authenticated must be what the pack says of itself (DESIGN §5).
fn read_pack(
    work: &Work<'_>,
    entry: &LogEntry,
    from: &NodeId,
    epoch: Epoch,
    plaintext: &[u8],
) -> Result<Pack, &'static str> {
    if *from != entry.sender && !planted::is(Bug::SenderNotCompared) {
        return Err("sender_mismatch");
    }
    let bytes = unpad(plaintext).map_err(|error| error.reason())?;
    let pack = wire::decode_pack(bytes).map_err(|error| error.reason())?;
    pack.head.check(work.row.group, epoch, from).map_err(|error| error.reason())?;
    Ok(pack)
}

async fn envelope(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: Envelope,
) -> Done<()> {
    if envelope.lineage != work.row.lineage {
        return aside(node, work, entry, Some(envelope.id), "lineage_mismatch").await;
    }
    let remembered = remembered(node, &envelope);
    let lineage = work.row.lineage;
    let first = work.tx()?.see_envelope(lineage, &entry.sender, envelope.id, remembered).await?;
    if !first {
        return Ok(());
    }
    match &envelope.body {
        Body::ObjectEvent(event) => {
            let taken = object_event(node, work, entry, &envelope, event, object::apply).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        Body::Receipt(receipt) => reports::receipted(node, work, entry, receipt).await,
        Body::ReadReceipt(objects) => reports::read(node, work, entry, objects).await,
        Body::Chunk(chunk) => chunked(node, work, entry, &envelope, chunk).await,
        Body::Tags(tags) => {
            let taken = matching::tags::received(node, work, entry, tags).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        Body::MatchEvent(letter) => {
            let taken = matching::events::heard(node, work, entry, letter).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        // Halves travel in letters alone.
        Body::PairHalf(_) => aside(node, work, entry, Some(envelope.id), "bad_letter").await,
        Body::KeyPlan(_)
        | Body::KeyAct(_)
        | Body::KeyRenewal(_)
        | Body::TokenRequest(_)
        | Body::TokenAnswer(_) => {
            let taken = pseudonym::apply::apply(node, work, entry, &envelope).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        Body::CheckpointRequest(member) => honesty::asked(node, work, member).await,
        Body::CheckpointCopy(copy) => {
            let taken = honesty::shown(node, work, entry, copy).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        Body::AuditHead(head) => {
            let taken = audit_heads::received(node, work, entry, head).await?;
            refusable(node, work, entry, &envelope, taken).await
        }
        Body::Sealed(sealed) => match replay::open(node, lineage, &entry.sender, sealed) {
            Ok(None) => Ok(()),
            Ok(Some(told)) => restated(node, work, entry, &told).await,
            Err(reason) => aside(node, work, entry, Some(envelope.id), reason).await,
        },
    }
}

/// Sets an envelope aside where it was refused.
async fn refusable(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: &Envelope,
    taken: Result<(), impl AsRef<str>>,
) -> Done<()> {
    match taken {
        Ok(()) => Ok(()),
        Err(reason) => aside(node, work, entry, Some(envelope.id), reason.as_ref()).await,
    }
}

/// What a letter to this node holds: a half of what two nodes share, or an object that its
/// origin tells again, as it stands.
async fn restated(node: &Node, work: &mut Work<'_>, entry: &LogEntry, told: &Envelope) -> Done<()> {
    if let Body::PairHalf(half) = &told.body {
        return matching::pairs::received(node, work, &entry.sender, half).await;
    }
    let Body::ObjectEvent(event) = &told.body else {
        return aside(node, work, entry, Some(told.id), "bad_letter").await;
    };
    let (lineage, until) = (work.row.lineage, remembered(node, told));
    // The version decides whether it is new; its envelope may still come by itself.
    work.tx()?.see_envelope(lineage, &entry.sender, told.id, until).await?;
    let taken = object_event(node, work, entry, told, event, object::restate).await?;
    refusable(node, work, entry, told, taken).await
}

/// How long an envelope is remembered against repetition.
fn remembered(node: &Node, envelope: &Envelope) -> Instant {
    let now = node.clock.now();
    let longest = now.plus(Quota::SeenDays.span());
    match &envelope.body {
        Body::ObjectEvent(ObjectEvent { change: Change::Share(share), .. }) => {
            share.label.expires_at.clamp(now, longest)
        }
        _ => longest,
    }
}

/// Applies the whole once all of its parts are there.
async fn chunked(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: &Envelope,
    chunk: &Chunk,
) -> Done<()> {
    match parts::take(node, work, entry, envelope, chunk).await? {
        Some(Ok(whole)) => Box::pin(self::envelope(node, work, entry, whole)).await,
        Some(Err(reason)) => aside(node, work, entry, Some(envelope.id), reason).await,
        None => Ok(()),
    }
}

/// Nothing, or the reason why an event is refused.
type Refusable = Result<(), Cow<'static, str>>;

/// How an event meets what is known: in its turn, or told again.
type Decide = fn(Option<&object::Standing>, &object::Event, Instant) -> Result<Applied, Refusal>;

async fn object_event(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: &Envelope,
    event: &ObjectEvent,
    decide: Decide,
) -> Done<Refusable> {
    let said = Said { envelope, event, decide };
    match &event.change {
        Change::Share(share) => shared(node, work, entry, said, share).await,
        Change::Withdrawal { reason } => withdrawn(node, work, entry, said, reason).await,
    }
}

/// An event as it came.
#[derive(Clone, Copy)]
struct Said<'s> {
    envelope: &'s Envelope,
    event: &'s ObjectEvent,
    decide: Decide,
}

async fn withdrawn(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    Said { envelope, event, decide }: Said<'_>,
    reason: &str,
) -> Done<Refusable> {
    if planted::is(Bug::WithdrawalIgnored) {
        return Ok(Ok(()));
    }
    let known = work.tx()?.object(event.object).await?;
    let lineage = work.row.lineage;
    if known.is_none() {
        // It was shared before this node joined: there is nothing here to erase, but its tags.
        forget_tags(work, entry, event.object).await?;
        return Ok(Ok(()));
    }
    let Some(mut row) = known.filter(|row| row.lineage == lineage) else {
        return Ok(Err("no_such_object".into()));
    };
    let share = open_share(node, &row)?;
    let subject = share.as_ref().map_or(Subject::Person, |share| alert::subject(&share.alert));
    let event = object::Event {
        sender: entry.sender.clone(),
        author: author_rank(envelope),
        version: event.version,
        change: object::Change::Withdraw,
    };
    match decide(Some(&standing(&row, subject)?), &event, entry.accepted_at) {
        Ok(Applied::Changed(next)) => {
            // Whatever it says besides, the object ends; what could be no reason is not kept.
            let reason = Some(reason).filter(|it| node.lists.has_form("withdrawal_reason", it));
            end(node, &mut row, next.state, next.version, reason.unwrap_or_default());
            work.tx()?.update_object(&row).await?;
            matching::end::object_ended(work.tx()?, row.object).await?;
            Ok(Ok(()))
        }
        // It has expired while the withdrawal was on its way: there is nothing left to erase.
        Ok(Applied::Already) | Err(Refusal::Ended) => Ok(Ok(())),
        Err(refusal) => Ok(Err(refusal.reason().into())),
    }
}

/// Forgets the tags of an object that is not here, if who ends it has shown them.
async fn forget_tags(work: &mut Work<'_>, entry: &LogEntry, object: ObjectId) -> Done<()> {
    let tx = work.tx()?;
    let shown = tx.received_tags(object).await?;
    if shown.first().is_some_and(|row| row.peer == entry.sender) {
        matching::end::object_ended(tx, object).await?;
    }
    Ok(())
}

/// Where an object stands, for the engine.
///
/// # Errors
/// A damaged row.
pub fn standing(row: &ObjectRow, subject: Subject) -> Done<object::Standing> {
    let damaged = || Fault::ours("row_damaged", "kind or state of an object");
    Ok(object::Standing {
        kind: row.kind.parse().map_err(|_| damaged())?,
        subject,
        origin: row.origin.clone(),
        version: row.version,
        state: row.state.parse().map_err(|_| damaged())?,
        expires_at: row.expires_at,
    })
}

fn author_rank(envelope: &Envelope) -> Option<(Role, Class)> {
    let author = envelope.author.as_ref()?;
    Some((author.role.parse().ok()?, author.organisation_class.parse().ok()?))
}

/// Ends an object: a tombstone without content stays, and memory holds nothing of it.
pub fn end(node: &Node, row: &mut ObjectRow, state: State, version: u64, reason: &str) {
    node.gists.forget(row.position);
    row.state = state.as_str().to_owned();
    row.version = version;
    row.end_reason = reason.to_owned();
    row.wrapped_key = Vec::new();
    row.sealed_share = Vec::new();
    row.sealed_author = Vec::new();
}

async fn shared(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    Said { envelope, event, decide }: Said<'_>,
    share: &Share,
) -> Done<Refusable> {
    let Some(kind) = alert::kind(&share.alert) else { return Ok(Err("unknown_kind".into())) };
    if let Err(errors) = alert::check_received(&node.lists, &share.alert, entry.accepted_at) {
        return Ok(Err(reason::of_fields(&errors).into()));
    }
    let pact = work.pact(node)?;
    if let Err(by) = alert::permit(&pact, &share.alert, &share.label, envelope.said_at) {
        return Ok(Err(reason::of_pact(&by).into()));
    }
    let known = work.tx()?.object(event.object).await?;
    let subject = alert::subject(&share.alert);
    let before = known.as_ref().map(|row| standing(row, subject)).transpose()?;
    let expires_at = share.label.expires_at;
    let change = object::Change::Share { kind, subject, expires_at };
    let decided = decide(
        before.as_ref(),
        &object::Event {
            sender: entry.sender.clone(),
            author: author_rank(envelope),
            version: event.version,
            change,
        },
        entry.accepted_at,
    );
    let next = match decided {
        Ok(Applied::Changed(next)) => next,
        Ok(Applied::Already) => return Ok(Ok(())),
        Err(refusal) => return Ok(Err(refusal.reason().into())),
    };
    let new = NewObject {
        object: event.object,
        kind,
        origin: entry.sender.clone(),
        envelope,
        share,
        received_at: Some(node.clock.now()),
    };
    let mut row = object_row(node, work.row.lineage, new)?;
    row.version = next.version;
    row.sequence = entry.sequence;
    if next.state_at(node.clock.now()) == State::Expired {
        end(node, &mut row, State::Expired, next.version, "");
        matching::end::object_ended(work.tx()?, row.object).await?;
    }
    match known {
        None => work.tx()?.insert_objects(vec![row]).await?,
        Some(_) => work.tx()?.update_object(&row).await?,
    }
    Ok(Ok(()))
}

/// What a new object's row is made from.
pub struct NewObject<'o> {
    /// Its id.
    pub object: ObjectId,
    /// Its kind.
    pub kind: Kind,
    /// Whose it is.
    pub origin: NodeId,
    /// The envelope that makes it known.
    pub envelope: &'o Envelope,
    /// Its content.
    pub share: &'o Share,
    /// When it was received; none for own ones.
    pub received_at: Option<Instant>,
}

/// The row of a new object: its content under a record key of its own, so that erasing
/// the key erases the content.
///
/// # Errors
/// Never in practice: see [`Node::seal`].
pub fn object_row(node: &Node, lineage: LineageId, new: NewObject<'_>) -> Done<ObjectRow> {
    let object = new.object.to_string();
    let key = node.vault.new_record_key(&*node.entropy);
    let sealed_share = key.seal(&*node.entropy, &object, &wire::encode_share(new.share));
    let sealed_share = sealed_share.map_err(vault)?;
    let author = new.envelope.author.as_ref().map(wire::encode_author).unwrap_or_default();
    let sealed_author = key.seal(&*node.entropy, &author_context(new.object), &author);
    let sealed_author = sealed_author.map_err(vault)?;
    let wrapped_key = node.vault.wrap(&*node.entropy, &object, &key).map_err(vault)?;
    Ok(ObjectRow {
        object: new.object,
        position: 0,
        lineage,
        kind: new.kind.as_str().to_owned(),
        origin: new.origin,
        version: 1,
        state: "active".into(),
        envelope: new.envelope.id,
        sequence: Sequence(0),
        shared_at: new.envelope.said_at,
        received_at: new.received_at,
        expires_at: new.share.label.expires_at,
        wrapped_key,
        sealed_share,
        sealed_author,
        end_reason: String::new(),
    })
}

/// Context under which an object's author is sealed, by the object's key.
fn author_context(object: ObjectId) -> String {
    format!("author/{object}")
}

/// Opens an object's content; none once it has ended.
///
/// # Errors
/// A wrong node key or damaged rows.
pub fn open_share(node: &Node, row: &ObjectRow) -> Done<Option<Share>> {
    let Some(key) = key_of(node, row)? else { return Ok(None) };
    let bytes = key.open(&row.object.to_string(), &row.sealed_share).map_err(vault)?;
    let share = wire::decode_share(bytes.reveal());
    share.map(Some).map_err(|cause| Fault::ours("object_damaged", cause))
}

/// An object's key; none once it has ended.
fn key_of(node: &Node, row: &ObjectRow) -> Done<Option<RecordKey>> {
    if row.wrapped_key.is_empty() {
        return Ok(None);
    }
    node.vault.unwrap(&row.object.to_string(), &row.wrapped_key).map(Some).map_err(vault)
}

fn vault(cause: VaultError) -> Fault {
    Fault::ours("vault", cause)
}

/// Opens an object's author, if it has one and has not ended.
///
/// # Errors
/// A wrong node key or damaged rows.
pub fn open_author(node: &Node, row: &ObjectRow) -> Done<Option<Author>> {
    let Some(key) = key_of(node, row)? else { return Ok(None) };
    let bytes = key.open(&author_context(row.object), &row.sealed_author).map_err(vault)?;
    if bytes.reveal().is_empty() {
        return Ok(None);
    }
    let author = wire::decode_author(bytes.reveal());
    author.map(Some).map_err(|cause| Fault::ours("object_damaged", cause))
}

/// Sets aside an envelope of a message, or all of it.
///
/// # Errors
/// The store's.
pub(super) async fn aside(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    envelope: Option<EnvelopeId>,
    reason: &str,
) -> Done<()> {
    tracing::warn!(
        lineage = %work.row.lineage,
        sequence = entry.sequence.0,
        sender = %entry.sender,
        reason,
        "envelope set aside"
    );
    let row = SetAsideRow {
        lineage: work.row.lineage,
        sequence: entry.sequence,
        envelope,
        sender: entry.sender.clone(),
        reason: reason.to_owned(),
        at: node.clock.now(),
    };
    keep_aside(node, work, row).await?;
    if let Some(alarm) = honesty::of_set_aside(node, entry, reason) {
        alarms::raise_within(node, work, alarm).await?;
    }
    Ok(())
}

/// Notes what was set aside, in place of the oldest of the same member where there is too much.
///
/// # Errors
/// The store's.
pub(super) async fn keep_aside(node: &Node, work: &mut Work<'_>, row: SetAsideRow) -> Done<()> {
    let (lineage, sender, reason) = (row.lineage, row.sender.clone(), row.reason.clone());
    work.set_aside = work.set_aside.saturating_add(1);
    let tx = work.tx()?;
    tx.set_aside(row).await?;
    if tx.forget_set_aside(lineage, &sender, Quota::SetAsideOfMember.number()).await? > 0 {
        node.quotas.note(&sender, Quota::SetAsideOfMember, node.clock.now());
    }
    count_aside(&reason);
    Ok(())
}

/// Counts what was set aside: an envelope, or an entry of which none could be read.
fn count_aside(reason: &str) {
    let reason = reason::code(reason).to_owned();
    metrics::counter!(ENVELOPES_SET_ASIDE.name, "reason" => reason).increment(1);
}
