//! Events of matches: said to the counterpart alone, and applied by both nodes in the order of
//! the log. An own event counts once the log shows it, not before.

use raccordo_core::envelope::Body;
use raccordo_core::evidence::family::Family;
use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{EnvelopeId, LineageId, NodeId, ObjectId, OperatorId, RecordId};
use raccordo_core::letter::Route;
use raccordo_core::matching::event::{Event, Told};
use raccordo_core::matching::fan_out::CANDIDATES_MAX;
use raccordo_core::matching::letter;
use raccordo_core::matching::life::{Match, MatchId, Side, State, apply, restate};

use super::standing;
use super::{contact, find, pairs, tags};
use crate::app::Node;
use crate::app::audit::{Actor, record};
use crate::app::fault::{Done, Fault};
use crate::app::peers::card_if_verified;
use crate::app::share::rows_for;
use crate::app::work::Work;
use crate::store::Tx;
use crate::store::matching::{MatchEventRow, MatchRow};
use crate::store::outbox::EnvelopeRow;

/// Matches that are read at once.
const PAGE: u32 = 500;

/// Context under which an own event is sealed until the log shows it.
pub(in crate::app) fn context(envelope: EnvelopeId) -> String {
    format!("match-event/{envelope}")
}

/// Queues an event for the counterpart; false where that node is not verified here: it is
/// looked for what is to be told once it is.
///
/// # Errors
/// The store's, or a wrong node key.
pub(super) async fn say(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    peer: &NodeId,
    event: Event,
    operator: Option<OperatorId>,
) -> Done<bool> {
    let Some(card) = card_if_verified(node, tx, peer).await? else {
        tracing::warn!(%peer, "a match is not told to a node that is not verified");
        pairs::look_again(tx, lineage, peer).await?;
        return Ok(false);
    };
    let route = Route { lineage, sender: &node.identity.node, recipient: peer };
    let letter = letter::seal(&*node.entropy, route, &card.card().sealing_key, &event)
        .map_err(|cause| Fault::ours("not_sealed", cause))?;
    let bytes = event.encode().map_err(|cause| Fault::ours("not_sealed", cause))?;
    let envelope = pairs::spoken(node, lineage, Body::MatchEvent(letter));
    let sealed = node.seal(&context(envelope.id), bytes.reveal())?;
    let peer = peer.clone();
    let row = MatchEventRow { envelope: envelope.id, lineage, peer, operator, sealed };
    tx.put_match_event(row).await?;
    let record = record_shown(tx, &event.told).await?;
    let told = rows_for(node, &envelope, None)?.into_iter();
    tx.queue_envelopes(told.map(|row| EnvelopeRow { record, ..row }).collect()).await?;
    Ok(true)
}

/// The own record of whose values an event shows something.
async fn record_shown(tx: &mut dyn Tx, told: &Told) -> Done<Option<RecordId>> {
    let (Told::Found { ours, .. } | Told::Stands { ours, .. }) = told else { return Ok(None) };
    Ok(tx.record_object(*ours).await?.map(|row| row.record))
}

/// Takes back an own event about a record that is erased before the log has shown it. The
/// counterpart may have it already: it is told that the match is none.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn take_back(node: &Node, tx: &mut dyn Tx, envelope: EnvelopeId) -> Done<()> {
    let Some(row) = tx.take_match_event(envelope).await? else { return Ok(()) };
    let about = open(node, &row)?.about;
    // Of what is known, the record's end tells.
    if tx.found_match(about).await?.is_none() {
        let denied = Event { about, told: Told::Denied };
        say(node, tx, row.lineage, &row.peer, denied, None).await?;
    }
    Ok(())
}

/// Own events that the log has not shown.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn waiting(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<Vec<Event>> {
    let rows = tx.match_events(lineage).await?;
    rows.iter().map(|row| open(node, row)).collect()
}

fn open(node: &Node, row: &MatchEventRow) -> Done<Event> {
    let bytes = node.open(&context(row.envelope), &row.sealed)?;
    Event::decode(bytes.reveal()).map_err(|cause| Fault::ours("row_damaged", cause))
}

/// Applies what an own envelope says of a match, now that the log shows it.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn said(node: &Node, work: &mut Work<'_>, envelope: EnvelopeId) -> Done<()> {
    let Some(row) = work.tx()?.take_match_event(envelope).await? else { return Ok(()) };
    let event = open(node, &row)?;
    let said = Said { side: Side::Here, peer: &row.peer, operator: row.operator };
    take(node, work, said, &event).await
}

/// Applies an event of another member, if it is for this node.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows. What the sender did wrong is the inner
/// reason.
pub async fn heard(
    node: &Node,
    work: &mut Work<'_>,
    entry: &LogEntry,
    letter: &[u8],
) -> Done<Result<(), &'static str>> {
    let own = &node.identity.node;
    let route = Route { lineage: work.row.lineage, sender: &entry.sender, recipient: own };
    for keys in node.identity.all().iter() {
        match letter::open(&keys.sealing, route, letter) {
            Ok(None) => {}
            Ok(Some(event)) => {
                let said = Said { side: Side::There, peer: &entry.sender, operator: None };
                take(node, work, said, &event).await?;
                return Ok(Ok(()));
            }
            Err(_) => return Ok(Err("bad_match_event")),
        }
    }
    Ok(Ok(()))
}

/// Who says it.
#[derive(Clone, Copy)]
struct Said<'s> {
    side: Side,
    peer: &'s NodeId,
    operator: Option<OperatorId>,
}

/// Applies one event. What comes too late, or twice, or of what has ended, changes nothing:
/// the counterpart, which sees the same log, takes it alike.
async fn take(node: &Node, work: &mut Work<'_>, said: Said<'_>, event: &Event) -> Done<()> {
    let known = work.tx()?.found_match(event.about).await?;
    let known =
        known.filter(|row| row.counterpart == *said.peer && row.lineage == work.row.lineage);
    if let Told::Contact(told) = &event.told {
        return contact::take(node, work.tx()?, known, said.side, told).await;
    }
    let before = known.as_ref().map(standing::read).transpose()?;
    let Some(next) = next(before.as_ref(), said.side, &event.told) else {
        return heard_twice(node, work, known, said, &event.told).await;
    };
    let now = node.clock.now();
    let mut row = match known {
        Some(row) => row,
        None => match opened(node, work, said, event).await? {
            Some(row) => row,
            None => return Ok(()),
        },
    };
    let was = before.map(|found| found.state);
    standing::write(&mut row, &next);
    row.changed_at = now;
    weigh(node, work, &mut row, said, &event.told).await?;
    row.decided_by = said.operator.or(row.decided_by);
    if !next.shows_contacts() {
        row.sealed_contact.clear();
    }
    let tx = work.tx()?;
    match was {
        None => tx.insert_match(row.clone()).await?,
        Some(_) => tx.update_match(&row).await?,
    }
    if was.is_none() || was != Some(next.state) {
        let detail = [("state", row.state.as_str()), ("with", row.counterpart.as_str())];
        record(node, tx, Actor::Node, "match.state", &row.id.to_string(), &detail).await?;
    }
    if next.state == State::Linked && was != Some(State::Linked) {
        contact::send(node, tx, &row).await?;
    }
    Ok(())
}

/// Shows people what the told evidence is worth: the own count, or, of what the counterpart tells,
/// what the tags that it gives prove. Without proof it is its word, and no more than a question.
/// Whether the row says something else than before.
async fn weigh(
    node: &Node,
    work: &mut Work<'_>,
    row: &mut MatchRow,
    said: Said<'_>,
    told: &Told,
) -> Done<bool> {
    let (Told::Found { families, tags, background, .. }
    | Told::Stands { families, tags, background, .. }) = told
    else {
        return Ok(false);
    };
    // What this node said itself it proves to nobody.
    let proven = (said.side == Side::There).then_some((tags, *background));
    let about = (row.record, row.theirs);
    match find::evidence(node, work, said.peer, about, proven).await? {
        Some(evidence) => Ok(standing::show(row, &evidence)),
        None if row.seen => Ok(false),
        None => {
            standing::show_claim(row, families);
            Ok(true)
        }
    }
}

/// What an event makes of a match; none where it changes nothing.
fn next(before: Option<&Match>, side: Side, told: &Told) -> Option<Match> {
    match (told, side) {
        (Told::Stands { found, .. }, Side::There) => {
            let told = Match {
                state: found.state.mirrored(),
                claimed: found.claimed,
                said_here: found.said_there,
                said_there: found.said_here,
            };
            restate(before, &told).ok()
        }
        _ => apply(before, side, told.step()?).ok(),
    }
}

/// Who confirms what is linked here has lost that it was: it is told again whom to call. Who
/// says again what agrees may prove it now.
async fn heard_twice(
    node: &Node,
    work: &mut Work<'_>,
    known: Option<MatchRow>,
    said: Said<'_>,
    told: &Told,
) -> Done<()> {
    let Some(mut row) = known.filter(|_| said.side == Side::There) else { return Ok(()) };
    if *told == Told::Confirmed && standing::read(&row)?.state == State::Linked {
        contact::send(node, work.tx()?, &row).await?;
    }
    if row.seen {
        return Ok(());
    }
    let weighed = weigh(node, work, &mut row, said, told).await?;
    if weighed && row.seen {
        row.changed_at = node.clock.now();
        work.tx()?.update_match(&row).await?;
    }
    Ok(())
}

/// Tells a member that came back how all matches with it stand, and looks for all again: it may
/// have lost what was said and shown since its backup.
///
/// # Errors
/// The store's, a wrong node key, or damaged rows.
pub async fn came_back(node: &Node, work: &mut Work<'_>, who: &NodeId) -> Done<()> {
    let lineage = work.row.lineage;
    pairs::look_again(work.tx()?, lineage, who).await?;
    let mut after = 0;
    loop {
        let rows = work.tx()?.list_matches(after, PAGE).await?;
        let ended = rows.len() < PAGE as usize;
        for row in rows {
            after = row.position;
            if row.lineage == lineage && row.counterpart == *who {
                let families = row.families.split(' ').filter_map(Family::from_name).collect();
                let (theirs, ours, found) = (row.theirs, row.ours, standing::read(&row)?);
                let shown = find::shown(work, theirs).await?;
                let tags = tags::proving(node, work, who, row.record, &shown.tags()).await?;
                let Some(background) = tags::background(node, work, row.record).await? else {
                    continue;
                };
                let told = Told::Stands { theirs, ours, families, tags, background, found };
                say(node, work.tx()?, lineage, who, Event { about: row.id, told }, None).await?;
            }
        }
        if ended {
            return Ok(());
        }
    }
}

/// The row of a match that an event opens; none where it is about nothing of this node, or
/// about more than one alert may have.
async fn opened(
    node: &Node,
    work: &mut Work<'_>,
    said: Said<'_>,
    event: &Event,
) -> Done<Option<MatchRow>> {
    let (Told::Found { theirs, ours, .. } | Told::Stands { theirs, ours, .. }) = &event.told else {
        return Ok(None);
    };
    let (own, other): (ObjectId, ObjectId) = match said.side {
        Side::Here => (*ours, *theirs),
        Side::There => (*theirs, *ours),
    };
    let lineage = work.row.lineage;
    let id = MatchId::of(lineage, (&node.identity.node, own), (said.peer, other));
    let tx = work.tx()?;
    let named = tx.record_object(own).await?.filter(|row| row.lineage == lineage);
    let (Some(named), true) = (named, id == Some(event.about)) else { return Ok(None) };
    let beside = tx.matches_of_object(theirs.to_owned()).await?;
    let open = beside.iter().filter(|row| row.counterpart == *said.peer && standing::is_open(row));
    if open.count() >= CANDIDATES_MAX {
        return Ok(None);
    }
    let now = node.clock.now();
    Ok(Some(MatchRow {
        id: event.about,
        position: 0,
        lineage,
        counterpart: said.peer.clone(),
        record: named.record,
        ours: own,
        theirs: other,
        state: String::new(),
        grade: String::new(),
        claimed: String::new(),
        seen: false,
        families: String::new(),
        reasons: String::new(),
        strength: 0,
        said_here: String::new(),
        said_there: String::new(),
        decided_by: None,
        sealed_contact: Vec::new(),
        found_at: now,
        changed_at: now,
    }))
}
