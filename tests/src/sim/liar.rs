//! A hub that does not tell one member what stands in its log. What it shows is signed, as
//! only a hub can; what it answers to calls is true, as are the logs of the others.

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::{Checkpoint, EntryKind, LogEntry, SignedCheckpoint, head_after};
use raccordo_core::id::{Digest, Epoch, GroupId, NodeId, Sequence};
use raccordo_core::trust::keys::IdentityKey;
use raccordo_core::wire::hub::Batch;
use raccordo_node::store::equipe::AlarmRow;
use raccordo_node::store::hub::LogRow;

use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// More entries than there ever are.
const MANY: u32 = 10_000;
/// Alarms that say that the victim's log is not the others'.
const DIVERGED: [AlarmCode; 6] = [
    AlarmCode::LogForked,
    AlarmCode::LogReordered,
    AlarmCode::LogRewritten,
    AlarmCode::LogBroken,
    AlarmCode::LogWithheld,
    AlarmCode::CheckpointBad,
];

/// What the victim is told that is not so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// Nothing comes any more.
    Withhold,
    /// One entry is left out, and the rest moves up.
    LeaveOut,
    /// Two entries change places.
    Reorder,
    /// An entry comes again.
    Replay,
    /// The newest entries never were; the log goes on from there.
    Truncate,
    /// An entry is shown as another member's.
    Sender,
    /// The signature under the log's end is not the hub's.
    Signature,
    /// The hub signs another head than its entries lead to.
    Head,
}

impl Lie {
    const ALL: [Self; 8] = [
        Self::Withhold,
        Self::LeaveOut,
        Self::Reorder,
        Self::Replay,
        Self::Truncate,
        Self::Sender,
        Self::Signature,
        Self::Head,
    ];

    /// The lie of a seed that has one.
    pub fn of(seed: u64) -> Self {
        let place = usize::try_from(seed / 4).unwrap_or(0) % Self::ALL.len();
        Self::ALL.get(place).copied().unwrap_or(Self::Withhold)
    }

    /// Alarms of which at least one must stand at the victim.
    fn noticed_as(self) -> &'static [AlarmCode] {
        match self {
            Self::Withhold => &[AlarmCode::LogWithheld],
            // What is shown twice is taken once: that alone holds nothing.
            Self::Replay => {
                &[AlarmCode::EntryReplayed, AlarmCode::LogReordered, AlarmCode::LogForked]
            }
            // Who thinks that it has a copy joins again, and is told no better.
            Self::Sender => &[
                AlarmCode::SenderWrong,
                AlarmCode::OwnEntryUnknown,
                AlarmCode::CommitUnprocessable,
                AlarmCode::LogForked,
                AlarmCode::LogBroken,
                AlarmCode::CheckpointBad,
            ],
            Self::Signature | Self::Head => &[AlarmCode::CheckpointBad],
            Self::LeaveOut | Self::Reorder | Self::Truncate => &DIVERGED,
        }
    }
}

/// A hub that lies to one member.
pub struct Liar {
    /// The lie.
    pub lie: Lie,
    /// The place of the member to whom it is told.
    pub victim: usize,
    group: GroupId,
    hub: NodeId,
    key: IdentityKey,
    /// What the victim is shown, with each entry's digest.
    shown: Vec<(LogEntry, Digest)>,
    /// Newest true entry that was taken over.
    read: Sequence,
    /// What comes after the next one.
    delayed: Option<LogEntry>,
    /// Whether the lie is told.
    told: bool,
}

impl Liar {
    fn end(&self) -> Sequence {
        Sequence(self.shown.len() as u64)
    }

    fn push(&mut self, mut entry: LogEntry) {
        entry.sequence = self.end().next();
        if let Some((last, _)) = self.shown.last() {
            entry.accepted_at = entry.accepted_at.max(last.accepted_at);
        }
        let digest = entry.digest(self.group);
        self.shown.push((entry, digest));
    }

    /// Takes over a true entry, or lies about it.
    fn take(&mut self, entry: LogEntry, others: &[NodeId]) {
        let delayed = self.delayed.take();
        let plain = entry.kind == EntryKind::Application;
        if self.told {
            self.push(entry);
        } else {
            self.tell(entry, plain, others);
        }
        if let Some(delayed) = delayed {
            self.push(delayed);
        }
    }

    fn tell(&mut self, entry: LogEntry, plain: bool, others: &[NodeId]) {
        self.told = plain;
        match self.lie {
            _ if !plain => self.push(entry),
            Lie::LeaveOut => {}
            Lie::Reorder => self.delayed = Some(entry),
            Lie::Replay => {
                self.push(entry.clone());
                self.push(entry);
            }
            Lie::Truncate => {
                self.shown.truncate(self.shown.len().saturating_sub(2));
                self.push(entry);
            }
            Lie::Sender => {
                let sender = others.iter().find(|node| **node != entry.sender);
                let sender = sender.cloned().unwrap_or_else(|| entry.sender.clone());
                self.push(LogEntry { sender, ..entry });
            }
            Lie::Withhold | Lie::Signature | Lie::Head => self.push(entry),
        }
    }

    /// What the victim is shown after a place.
    fn after(&self, place: Sequence) -> Option<Batch> {
        if self.told && self.lie == Lie::Withhold {
            return None;
        }
        let later = self.shown.iter().filter(|(entry, _)| entry.sequence > place);
        let entries: Vec<LogEntry> = later.map(|(entry, _)| entry.clone()).collect();
        let last = entries.last()?;
        let epoch = match last.kind {
            EntryKind::Commit => last.epoch.next(),
            EntryKind::Application | EntryKind::Notice => last.epoch,
        };
        let checkpoint = self.sign(self.end(), epoch);
        Some(Batch { group: self.group, entries, checkpoint })
    }

    fn sign(&self, sequence: Sequence, epoch: Epoch) -> SignedCheckpoint {
        let digests = self.shown.iter().map(|(_, digest)| *digest);
        let mut head = digests.fold(Digest::ZERO, head_after);
        let mut key = self.key.clone();
        match self.lie {
            Lie::Head if self.told => head = Digest([7; 32]),
            Lie::Signature if self.told => key = IdentityKey::from_seed(&[9; 32]),
            _ => {}
        }
        let (group, hub) = (self.group, self.hub.clone());
        Checkpoint { group, sequence, head, epoch, hub, term: 1 }.sign(&key)
    }
}

fn entry(row: LogRow) -> (LogEntry, Digest) {
    let digest = row.digest;
    (row.entry(), digest)
}

impl World {
    /// The hub begins to lie to somebody, once the équipe works.
    ///
    /// # Errors
    /// The store's.
    pub fn begin_lying(&mut self) -> Checked<String> {
        let (Some(group), Some(hub)) = (self.group, self.hub.node()) else {
            return Ok("no group".into());
        };
        let members: Vec<usize> = self.machines();
        let joined = |place: &usize| {
            let machine = self.members.get(*place);
            machine.is_some_and(|machine| self.rolls.is_member(&machine.name))
        };
        let members: Vec<usize> = members.into_iter().filter(joined).collect();
        let Some(victim) = self.dice.pick(&members).copied() else { return Ok("nobody".into()) };
        if members.len() < 3 || !self.has_caught_up(victim)? {
            return Ok("not yet".into());
        }
        let mut tx = ready(self.hub.disk.store().read())??;
        let rows = ready(tx.log_after(group, Sequence(0), MANY, u64::MAX))??;
        let shown: Vec<_> = rows.into_iter().map(entry).collect();
        let read = Sequence(shown.len() as u64);
        let lie = Lie::of(self.plan.seed);
        let (key, name) = (hub.identity.key.clone(), self.hub.name.clone());
        let (told, delayed) = (false, None);
        let liar = Liar { lie, victim, group, hub: name, key, shown, read, delayed, told };
        self.liar = Some(liar);
        self.counts.count("lies");
        self.disconnect(victim)?;
        Ok(format!("to {victim}: {lie:?}"))
    }

    /// Whether a member has read the whole log.
    fn has_caught_up(&self, place: usize) -> Checked<bool> {
        let Some(machine) = self.members.get(place) else { return Ok(false) };
        let mut tx = ready(machine.disk.store().read())??;
        let row = ready(tx.equipes())??.into_iter().next();
        Ok(row.is_some_and(|row| row.sequence == self.log_seen && row.state == "active"))
    }

    /// Hands a true entry to the liar.
    pub fn tell_liar(&mut self, entry: &LogRow) {
        let others = self.rolls.members();
        if let Some(liar) = self.liar.as_mut().filter(|liar| liar.read < entry.sequence) {
            liar.read = entry.sequence;
            liar.take(entry.clone().entry(), &others);
        }
    }

    /// What the liar shows its victim after a place; none where the hub is honest.
    pub fn lied_to(&self, place: usize, after: Sequence) -> Option<Option<Batch>> {
        let liar = self.liar.as_ref().filter(|liar| liar.victim == place)?;
        Some(liar.after(after))
    }

    /// Whether a lie was told.
    pub fn was_lied(&self) -> bool {
        self.liar.as_ref().is_some_and(|liar| liar.told)
    }

    /// Whether a machine is the victim of a lie.
    pub fn is_victim(&self, place: usize) -> bool {
        self.liar.as_ref().is_some_and(|liar| liar.victim == place)
    }

    /// The lie was noticed by its victim, and what it is called holds cases where anything could
    /// go wrong with them.
    ///
    /// # Errors
    /// It was not.
    pub fn check_lie(&mut self) -> Checked {
        let Some(liar) = &self.liar else { return Ok(()) };
        if !liar.told {
            return Ok(());
        }
        let (lie, victim) = (liar.lie, liar.victim);
        let (Some(machine), Some(lineage)) = (self.members.get(victim), self.lineage) else {
            return Ok(());
        };
        if !self.rolls.is_member(&machine.name) {
            return Ok(());
        }
        let mut tx = ready(machine.disk.store().read())??;
        let alarms = ready(tx.alarms(lineage))??;
        let holds = |alarm: &AlarmRow| alarm.holds() || lie == Lie::Replay;
        let noticed =
            alarms.iter().any(|alarm| holds(alarm) && lie.noticed_as().contains(&alarm.code));
        if noticed {
            self.counts.count("lies noticed");
            return Ok(());
        }
        let codes: Vec<_> = alarms.into_iter().map(|alarm| alarm.code).collect();
        Err(Violation(format!("{lie:?} told to {} is not noticed: {codes:?}", machine.name)))
    }
}
