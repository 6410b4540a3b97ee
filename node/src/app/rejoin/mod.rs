//! Rejoining: how a node that has lost its ratchets comes back into an équipe (DESIGN §6).

use raccordo_core::id::LineageId;
use raccordo_core::time::Instant;

use crate::store::equipe::AlarmRow;

/// Code of the alarm of an équipe whose group this node has lost.
pub const NEEDS_REJOIN: &str = "needs_rejoin";

/// The alarm of an équipe that comes from a backup.
pub fn alarm_restored(lineage: LineageId, made_at: Instant, now: Instant) -> AlarmRow {
    AlarmRow {
        lineage,
        code: NEEDS_REJOIN.into(),
        detail: format!(
            "this node was restored from a backup of {made_at}: another party has to approve \
             that it joins again"
        ),
        holds: true,
        raised_at: now,
    }
}
