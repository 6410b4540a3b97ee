//! Room in a log: how fast each member appends, and how much the log keeps of it. Changes of
//! membership and notices have room of their own, for each member: nobody can fill the log so
//! that it cannot be removed.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{NodeId, Sequence};
use raccordo_core::quota::{Pace, Quota};
use raccordo_core::time::Instant;
use raccordo_core::wire::hub::Handed;

use super::Hub;
use crate::store::hub::{CarriedRow, LogBytes};
use crate::store::{Stored, Tx};

/// Bytes that a log keeps, by sender: messages, and all else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    /// Where the log stood when this was so.
    trimmed: Sequence,
    sequence: Sequence,
    messages: BTreeMap<NodeId, u64>,
    others: BTreeMap<NodeId, u64>,
}

/// What an équipe may use of this hub.
#[derive(Clone, Copy, Debug)]
pub(super) struct Share {
    messages_per_minute: u32,
    message_bytes_max: u64,
}

impl Share {
    /// Its own limits, or the configured ones.
    pub(super) fn of(hub: &Hub, row: &CarriedRow) -> Self {
        let limits = &hub.limits;
        Self {
            messages_per_minute: match row.entries_per_minute_max {
                0 => limits.entries_per_minute_max,
                own => own,
            },
            message_bytes_max: match row.stored_bytes_max {
                0 => limits.stored_bytes_max,
                own => own,
            },
        }
    }

    fn of_member(self) -> u64 {
        let percent = u128::from(Quota::LogShareOfMember.number());
        let share = u128::from(self.message_bytes_max).saturating_mul(percent) / 100;
        u64::try_from(share).unwrap_or(u64::MAX)
    }
}

impl Kept {
    /// What the log keeps, from memory where that is in step with the disk.
    pub(super) async fn of(hub: &Hub, tx: &mut dyn Tx, row: &CarriedRow) -> Stored<Self> {
        let known = {
            let mut all = hub.kept.lock().unwrap_or_else(PoisonError::into_inner);
            all.remove(&row.group)
        };
        let in_step = |kept: &Self| (kept.trimmed, kept.sequence) == (row.trimmed, row.sequence);
        if let Some(known) = known.filter(in_step) {
            return Ok(known);
        }
        let mut kept = Self { trimmed: row.trimmed, sequence: row.sequence, ..Self::default() };
        for LogBytes { sender, kind, bytes } in tx.log_kept(row.group).await? {
            kept.add(&sender, kind, bytes);
        }
        Ok(kept)
    }

    /// Keeps it in memory: the log stands as the row says, durably.
    pub(super) fn remember(mut self, hub: &Hub, row: &CarriedRow) {
        (self.trimmed, self.sequence) = (row.trimmed, row.sequence);
        let mut all = hub.kept.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(row.group, self);
    }

    /// Counts what was appended.
    pub(super) fn add(&mut self, sender: &NodeId, kind: EntryKind, bytes: u64) {
        let of = self.of_kind(kind).entry(sender.clone()).or_default();
        *of = of.saturating_add(bytes);
    }

    fn of_kind(&mut self, kind: EntryKind) -> &mut BTreeMap<NodeId, u64> {
        match kind {
            EntryKind::Application => &mut self.messages,
            EntryKind::Commit | EntryKind::Notice => &mut self.others,
        }
    }

    /// Whether there is room for one more entry of a member.
    pub(super) fn check(
        &self,
        share: Share,
        sender: &NodeId,
        handed: &Handed,
    ) -> Result<(), (Quota, u64)> {
        let bytes = handed.payload.len() as u64;
        let fits = |held: u64, max: u64| held.saturating_add(bytes) <= max;
        let own = |of: &BTreeMap<NodeId, u64>| of.get(sender).copied().unwrap_or_default();
        if handed.kind != EntryKind::Application {
            let max = Quota::ReservedBytesOfMember.number();
            let fits = fits(own(&self.others), max);
            return if fits { Ok(()) } else { Err((Quota::ReservedBytesOfMember, max)) };
        }
        if !fits(own(&self.messages), share.of_member()) {
            return Err((Quota::LogShareOfMember, Quota::LogShareOfMember.number()));
        }
        let all = self.messages.values().fold(0_u64, |sum, bytes| sum.saturating_add(*bytes));
        match fits(all, share.message_bytes_max) {
            true => Ok(()),
            false => Err((Quota::LogBytesOfEquipe, share.message_bytes_max)),
        }
    }
}

impl Hub {
    /// Takes one of what a member may append of this kind; what is reached where there is
    /// none.
    pub(super) fn take_pace(
        &self,
        row: &CarriedRow,
        sender: &NodeId,
        kind: EntryKind,
        now: Instant,
    ) -> Result<(), (Quota, u64)> {
        let (quota, pace) = match kind {
            EntryKind::Application => {
                let pace = Pace::per_minute(Share::of(self, row).messages_per_minute);
                (Quota::EntriesOfMember, pace)
            }
            EntryKind::Commit => (Quota::CommitsOfMember, Quota::CommitsOfMember.pace()),
            EntryKind::Notice => (Quota::NoticesOfMember, Quota::NoticesOfMember.pace()),
        };
        let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
        match paces.take((row.group, sender.clone(), kind), 1, pace, now) {
            0 => Err((quota, pace.burst.into())),
            _ => Ok(()),
        }
    }

    /// Follows in memory what was forgotten of a log, durably.
    pub(super) fn trimmed(&self, row: &CarriedRow, before: Sequence, freed: &[LogBytes]) {
        let mut all = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kept) = all.get_mut(&row.group) else { return };
        if kept.trimmed != before {
            all.remove(&row.group);
            return;
        }
        kept.trimmed = row.trimmed;
        for LogBytes { sender, kind, bytes } in freed {
            if let Some(held) = kept.of_kind(*kind).get_mut(sender) {
                *held = held.saturating_sub(*bytes);
            }
        }
    }
}
