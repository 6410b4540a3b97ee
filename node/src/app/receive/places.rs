//! Verifies a batch before anything of it is taken.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::{Chain, ChainFault, EntryKind, Standing as Placed};
use raccordo_core::id::Digest;
use raccordo_core::planted::{self, Bug};
use raccordo_core::trust::notice::{NoticeKind, SignedNotice};
use raccordo_core::trust::statement::{HubTerm, SignedStatement};

use super::Batch;
use crate::app::alarms::NewAlarm;
use crate::app::fault::{Done, Fault};
use crate::store::equipe::EquipeRow;
use crate::store::void::StrayRow;

/// Why nothing of a batch is taken.
pub(super) enum Broken {
    /// It begins later than the cursor.
    Gap,
    /// The hub's fault.
    Fault(NewAlarm),
}

/// Where the chain stands after an entry, and the entry's digest.
pub(super) struct Place {
    pub(super) chain: Chain,
    pub(super) digest: Digest,
}

/// One for each entry; nothing for entries that were taken before.
pub(super) type Places = Vec<Option<Place>>;

/// Verifies a whole batch, from where this node stands to the hub's signature: of the hub of
/// the term in force, or of the next one, which all have signed.
pub(super) fn places(
    row: &EquipeRow,
    next: Option<&HubTerm>,
    stray: Option<&StrayRow>,
    batch: &Batch,
) -> Done<Result<Places, Broken>> {
    let end = next.and_then(HubTerm::end_before);
    let mut chain = chain_of(row);
    chain.epoch = stray.map_or(chain.epoch, |stray| stray.log_epoch);
    let mut doubted = stray.is_some();
    let mut places = Vec::with_capacity(batch.entries.len());
    for entry in &batch.entries {
        if chain.sequence == row.sequence && entry.sequence <= row.sequence {
            let again = Place { chain: chain.clone(), digest: entry.digest(batch.group) };
            places.push(planted::is(Bug::TakeTwice).then_some(again));
            continue;
        }
        // Once a commit is void, the epoch before it goes on: whether all have said so is
        // looked at where the entries are processed. What was taken before has had its say:
        // the row's epoch is the one after it.
        doubted |= entry.kind == EntryKind::Notice && is_void_notice(&entry.payload);
        if doubted {
            chain.epoch = chain.epoch.min(entry.epoch);
        }
        match chain.verify_next(entry) {
            Ok(_)
                if end.is_some_and(|(last, head)| chain.sequence == last && chain.head != head) =>
            {
                let detail =
                    format!("entry {} is not the one that all have signed", chain.sequence);
                return Ok(Err(broken(AlarmCode::LogBroken, detail)));
            }
            Ok(digest) => places.push(Some(Place { chain: chain.clone(), digest })),
            Err(ChainFault::Gap { .. }) if chain.sequence == row.sequence => {
                return Ok(Err(Broken::Gap));
            }
            Err(fault) => return Ok(Err(broken(AlarmCode::LogBroken, fault.to_string()))),
        }
    }
    if chain.sequence == row.sequence {
        return Ok(Ok(places));
    }
    let statement = SignedStatement::decode(&row.statement)
        .map_err(|cause| Fault::ours("statement_damaged", cause))?;
    let signed = &batch.checkpoint;
    if planted::is(Bug::SkipChain) {
        return Ok(Ok(places));
    }
    let by = (&signed.checkpoint().hub, signed.checkpoint().term);
    let next = next.filter(|next| (&next.hub, next.term) == by);
    let hub = next.unwrap_or(&statement.statement().hub);
    Ok(match chain.verify_checkpoint(signed, &hub.hub, &hub.identity, hub.term) {
        Ok(Placed::Agrees) => Ok(places),
        Ok(Placed::Ahead | Placed::Behind) => {
            let (signed, sent) = (signed.checkpoint().sequence, chain.sequence);
            let detail = format!("the hub signed entry {signed} below a batch that ends at {sent}");
            Err(broken(AlarmCode::CheckpointBad, detail))
        }
        Err(fault) => {
            let detail = format!("entry {}: {fault}", signed.checkpoint().sequence);
            Err(broken(AlarmCode::CheckpointBad, detail))
        }
    })
}

fn broken(code: AlarmCode, detail: String) -> Broken {
    Broken::Fault(NewAlarm::new(code, detail))
}

fn is_void_notice(payload: &[u8]) -> bool {
    SignedNotice::decode(payload).is_ok_and(|signed| signed.notice().kind == NoticeKind::Void)
}

fn chain_of(row: &EquipeRow) -> Chain {
    Chain {
        group: row.group,
        sequence: row.sequence,
        head: row.head,
        epoch: row.epoch,
        last_accepted_at: row.accepted_at,
    }
}
