//! What the courier hands to the hub, and what it notes of the answer.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{EntryId, GroupId, LineageId, Sequence};
use raccordo_core::planted::{self, Bug};
use raccordo_core::sending::Standing;

use super::alarms::{self, NewAlarm};
use super::audit::{Actor, record};
use super::fault::Done;
use super::hub::append::{Appended, Handed, Outcome};
use super::signals::Topic;
use super::work::Work;
use super::{Node, honesty, term};
use crate::store::Tx;
use crate::store::equipe::AlarmRow;
use crate::store::outbox::{EntryRow, EntryState};

/// Most entries of one call.
pub const ENTRIES_MAX: u32 = super::hub::append::ENTRIES_MAX as u32;
/// About the most payload of one call; a single entry may be larger.
pub const CALL_BYTES_MAX: usize = 1 << 20;

/// One call to a hub: exactly the bytes that are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendCall {
    /// The group.
    pub group: GroupId,
    /// Entries in order.
    pub entries: Vec<Handed>,
    /// Where this node stood in the log when the call was made; not sent.
    pub asked_at: Sequence,
}

/// What waits for the hub's answer; none when nothing does.
///
/// # Errors
/// The store's.
pub async fn next_call(node: &Node, lineage: LineageId) -> Done<Option<AppendCall>> {
    let mut tx = node.store.read().await?;
    let rows = tx.entries_in(lineage, EntryState::Pending, ENTRIES_MAX).await?;
    call_of(node, &mut *tx, lineage, rows).await
}

/// The same without messages, which the hub has no room for at present: a full log must not stand
/// before the commit that puts out who has filled it.
///
/// # Errors
/// The store's.
pub async fn next_change(node: &Node, lineage: LineageId) -> Done<Option<AppendCall>> {
    let mut tx = node.store.read().await?;
    let rows = tx.pending_changes(lineage, ENTRIES_MAX).await?;
    call_of(node, &mut *tx, lineage, rows).await
}

async fn call_of(
    node: &Node,
    tx: &mut dyn Tx,
    lineage: LineageId,
    rows: Vec<EntryRow>,
) -> Done<Option<AppendCall>> {
    let Some(equipe) = tx.equipe(lineage).await? else { return Ok(None) };
    let held = held(node, tx, lineage).await?;
    let member =
        matches!(Standing::parse(&equipe.state), Some(Standing::Active | Standing::Founding))
            || planted::is(Bug::QuarantinedSends);
    // The first entry at the hub of a new term is the commit of its statement.
    let next = term::next_term(tx, &equipe).await?;
    let begins = member && next.is_some_and(|next| !next.is_planned() && next.hub == equipe.hub);
    let mut bytes = 0;
    let mut entries = Vec::new();
    for row in rows {
        // Of a clone or a lost ratchet nothing leaves but the request to join again.
        if !member && row.kind != EntryKind::Notice {
            continue;
        }
        if begins && row.kind != EntryKind::Commit {
            continue;
        }
        if held && tx.envelopes_of(lineage, row.entry).await?.iter().any(|e| e.case_bearing) {
            continue;
        }
        bytes += row.payload.len() + row.group_info.len() + row.welcome.len();
        if !entries.is_empty() && bytes > CALL_BYTES_MAX {
            break;
        }
        entries.push(Handed {
            entry: row.entry,
            kind: row.kind,
            epoch: row.epoch,
            payload: row.payload,
            group_info: row.group_info,
            welcome: row.welcome,
        });
    }
    let (group, asked_at) = (equipe.group, equipe.sequence);
    Ok((!entries.is_empty()).then_some(AppendCall { group, entries, asked_at }))
}

async fn held(node: &Node, tx: &mut dyn Tx, lineage: LineageId) -> Done<bool> {
    if planted::is(Bug::IgnoreHold) {
        return Ok(false);
    }
    let alarm = tx.alarms(lineage).await?.iter().any(AlarmRow::holds);
    Ok(alarm || !super::roster::untrusted(node, tx, lineage).await?.is_empty())
}

/// Notes the answer to a call, and the hub's word on its log. Safe to repeat, and to come
/// after the log has shown the entries already.
///
/// # Errors
/// The store's.
pub async fn answered(
    node: &Node,
    lineage: LineageId,
    call: &AppendCall,
    answer: &Appended,
) -> Done<()> {
    let Some(mut work) = Work::begin(node, lineage).await? else { return Ok(()) };
    note_outcomes(node, &mut work, &answer.outcomes).await?;
    if let Some(signed) = &answer.checkpoint {
        honesty::answered(node, &mut work, call.asked_at, signed).await?;
    }
    work.commit().await?;
    node.signals.wake(&Topic::Objects);
    Ok(())
}

async fn note_outcomes(
    node: &Node,
    work: &mut Work<'_>,
    outcomes: &[(EntryId, Outcome)],
) -> Done<()> {
    let lineage = work.row.lineage;
    let placed = |(entry, outcome): &(EntryId, Outcome)| match outcome {
        Outcome::Placed { sequence, .. } => Some((*entry, *sequence)),
        _ => None,
    };
    let places: Vec<_> = outcomes.iter().filter_map(placed).collect();
    work.tx()?.entries_placed(lineage, &places).await?;
    for (entry, outcome) in outcomes {
        if let Outcome::Placed { sequence, .. } = outcome {
            let place = (lineage, *sequence);
            node.links.clocks.answered(&work.row.hub, place, node.clock.now());
            continue;
        }
        let Some(mut row) = work.tx()?.entry(lineage, *entry).await? else { continue };
        if row.state != EntryState::Pending {
            continue;
        }
        match outcome {
            Outcome::Placed { .. } => {}
            // The answer is to bytes of an epoch before: it has been encrypted again since.
            Outcome::Stale { current } if row.epoch >= *current => {}
            Outcome::Stale { .. } => {
                row.state = EntryState::Stale;
                if row.kind == EntryKind::Application {
                    row.payload = Vec::new();
                }
                work.tx()?.update_entry(&row).await?;
            }
            Outcome::Refused(reason) => refused(node, work, row, reason).await?,
        }
    }
    Ok(())
}

async fn refused(
    node: &Node,
    work: &mut Work<'_>,
    mut row: crate::store::outbox::EntryRow,
    reason: &str,
) -> Done<()> {
    let lineage = work.row.lineage;
    row.state = EntryState::Refused;
    row.reason = reason.to_owned();
    let tx = work.tx()?;
    tx.update_entry(&row).await?;
    let detail = [("reason", reason)];
    record(node, tx, Actor::Node, "equipe.entry_refused", &lineage.to_string(), &detail).await?;
    let detail = format!("the hub refuses an entry of this node for ever: {reason}");
    let alarm = NewAlarm::new(AlarmCode::EntryRefused, detail);
    alarms::raise_within(node, work, alarm).await.map(drop)
}
