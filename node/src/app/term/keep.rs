//! What a member keeps of a log for another hub: the newest entries, until all have them.

use raccordo_core::hublog::LogEntry;
use raccordo_core::id::{LineageId, Sequence};

use crate::app::fault::Done;
use crate::store::Tx;
use crate::store::term::KeptRow;

/// Most entries that are kept of one log, however far behind a member is: as many as the
/// history remembers.
const ENTRIES_MAX: u64 = 8192;
/// About the most bytes.
const BYTES_MAX: u64 = 256 << 20;
/// What is too old is forgotten once in so many entries, or bytes.
const FORGET_EVERY: (u64, u64) = (512, 8 << 20);

/// Keeps the entries that a transaction has passed.
///
/// # Errors
/// The store's.
pub async fn keep(tx: &mut dyn Tx, lineage: LineageId, entries: Vec<LogEntry>) -> Done<()> {
    let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return Ok(()) };
    let (first, last) = (first.sequence.0, last.sequence.0);
    let before = tx.kept_bytes(lineage).await?;
    let mut through = before;
    let row = |entry: LogEntry| {
        through = through.saturating_add(entry.payload.len() as u64);
        KeptRow { lineage, entry, bytes_through: through }
    };
    let rows: Vec<KeptRow> = entries.into_iter().map(row).collect();
    tx.keep_entries(&rows).await?;
    let (entries_each, bytes_each) = FORGET_EVERY;
    if first.saturating_sub(1) / entries_each != last / entries_each {
        tx.forget_kept(lineage, Sequence(last.saturating_sub(ENTRIES_MAX))).await?;
    }
    if before / bytes_each != through / bytes_each {
        tx.forget_kept_bytes(lineage, through.saturating_sub(BYTES_MAX)).await?;
    }
    Ok(())
}
