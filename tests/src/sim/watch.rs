//! The invariants after every step.

use std::collections::BTreeSet;

use raccordo_core::alarm::AlarmCode;
use raccordo_core::hublog::{EntryKind, head_after};
use raccordo_core::id::{Digest, Epoch, NodeId, Sequence};
use raccordo_core::invariant::{Made, Place, roster_signed};
use raccordo_core::sending::Standing;
use raccordo_core::trust::statement::SignedStatement;
use raccordo_node::store::Tx;
use raccordo_node::store::equipe::EquipeRow;
use raccordo_node::store::outbox::{EntryRow, EntryState};

use super::cheats::names_cheaters;
use super::deceit;
use super::task::ready;
use super::world::{Who, World};
use super::{Checked, Violation};

/// Rows of one look: more than there ever are.
const MANY: u32 = 10_000;

const STATES: [EntryState; 4] =
    [EntryState::Pending, EntryState::Stale, EntryState::Accepted, EntryState::Refused];

/// What is looked at of a member.
struct Seen {
    row: EquipeRow,
    /// None of whom is no member any more.
    place: Option<Place>,
    entries: Vec<EntryRow>,
    trouble: Option<String>,
}

async fn look(tx: &mut dyn Tx, row: EquipeRow, expected: Option<Expected>) -> Checked<Seen> {
    let lineage = row.lineage;
    let roster: BTreeSet<_> =
        tx.members(lineage).await?.into_iter().map(|member| member.node).collect();
    let signed = SignedStatement::decode(&row.statement)
        .map_err(|bad| Violation(format!("the statement: {bad}")))?;
    let standing = Standing::parse(&row.state);
    let ended = standing == Some(Standing::Ended);
    if !ended {
        roster_signed(signed.statement(), &roster)?;
    }
    let place = Place {
        head: row.head,
        epoch: row.epoch,
        authenticator: row.authenticator.clone(),
        statement: signed.digest(),
        roster,
    };
    let mut entries = Vec::new();
    for state in STATES {
        entries.extend(tx.entries_in(lineage, state, MANY).await?);
    }
    let trouble = match expected {
        Some(expected) => trouble(tx, &row, &entries, &expected).await?,
        None => None,
    };
    let place = (!ended).then_some(place);
    Ok(Seen { row, place, entries, trouble })
}

/// What a member may be told of itself and the log, in a world whose hub is honest.
struct Expected {
    /// Whether the machine was put back, or is not the only one of its node.
    aged: bool,
    /// Whether the hub's log has the node as a member since it first joined.
    steady: bool,
    /// Members that have cheated where keys and tokens are made.
    cheaters: Vec<NodeId>,
    /// Members that have said what was not so.
    deceivers: Vec<NodeId>,
    /// Nodes whose disk was put back, or copied.
    rewound: Vec<NodeId>,
    /// All that may be members.
    everybody: Vec<NodeId>,
}

/// Alarms that belong to the game: administrators suspend each other, and ask to join again;
/// with members away, keys are not made.
const GAME: [AlarmCode; 4] = [
    AlarmCode::NoticeRevocation,
    AlarmCode::NoticeRejoinRequest,
    AlarmCode::KeyCeremonyFailed,
    AlarmCode::KeyLost,
];
/// Alarms of a disk that was put back or copied: of what it has signed since it knows
/// nothing, and a Welcome may be for the other one.
const AGED: [AlarmCode; 5] = [
    AlarmCode::OwnEntryUnknown,
    AlarmCode::NeedsRejoin,
    AlarmCode::HubTrimmed,
    AlarmCode::PactUnknown,
    AlarmCode::WelcomeRefused,
];
/// Alarms of whom the hub does not serve any more: of what it heard besides nothing comes, and
/// its administrator may let it ask.
const REMOVED: [AlarmCode; 4] =
    [AlarmCode::HubRemoved, AlarmCode::HubTrimmed, AlarmCode::LogWithheld, AlarmCode::NeedsRejoin];

/// Nothing is set aside, refused or quarantined, and no alarm is raised, but for what
/// belongs to the game.
async fn trouble(
    tx: &mut dyn Tx,
    row: &EquipeRow,
    entries: &[EntryRow],
    expected: &Expected,
) -> Checked<Option<String>> {
    let lineage = row.lineage;
    let aside = tx.set_aside_after(lineage, Sequence(0)).await?;
    if let Some(aside) = aside.iter().find(|row| !expected.deceivers.contains(&row.sender)) {
        let (at, reason) = (aside.sequence, &aside.reason);
        return Ok(Some(format!("sets entry {at} of {} aside: {reason}", aside.sender)));
    }
    for alarm in tx.alarms(lineage).await? {
        let code = alarm.code;
        // Whose disk is older than what it has signed says so in its audit, too.
        let rewound = alarm.code == AlarmCode::AuditWentBack
            && alarm.member.as_ref().is_some_and(|member| expected.rewound.contains(member));
        let fits = GAME.contains(&code)
            || rewound
            || deceit::is_of(&alarm, &expected.deceivers)
            || names_cheaters(&alarm, &expected.everybody, &expected.cheaters) == Some(true)
            || expected.aged && AGED.contains(&code)
            || !expected.steady && REMOVED.contains(&code);
        if !fits {
            return Ok(Some(format!("raises the alarm {code}: {}", alarm.detail)));
        }
    }
    let fits = match Standing::parse(&row.state) {
        Some(Standing::Founding | Standing::Active | Standing::Succeeding) => true,
        Some(Standing::NeedsRejoin) => expected.aged || !expected.steady,
        Some(Standing::Quarantined) => expected.aged,
        Some(Standing::Ended) => true,
        None => false,
    };
    if !fits {
        return Ok(Some(format!("is {}", row.state)));
    }
    let refused = entries.iter().find(|entry| entry.state == EntryState::Refused);
    Ok(refused.map(|entry| format!("is refused an entry: {}", entry.reason)))
}

fn made(entry: &EntryRow) -> Made {
    let EntryRow { entry, kind, epoch, payload_digest, .. } = entry;
    Made { entry: *entry, kind: *kind, epoch: bound(*kind, *epoch), payload: *payload_digest }
}

/// The epoch to which an entry is bound: a notice to none.
fn bound(kind: EntryKind, epoch: Epoch) -> Epoch {
    if kind == EntryKind::Notice { Epoch(0) } else { epoch }
}

impl World {
    /// Looks at what a member has newly stored.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn watch_member(&mut self, place: usize) -> Checked {
        let member = self.machine(Who::Member(place))?;
        let (name, aged) = (member.name.clone(), member.aged);
        let Some(boot) = member.node().map(|node| node.boot) else { return Ok(()) };
        let mut tx = ready(member.disk.store().read())??;
        for row in ready(tx.equipes())?? {
            let version = row.version;
            if self.versions_seen.insert(place, version) == Some(version) {
                continue;
            }
            let steady = self.rolls.is_steady(&name);
            let cheaters = self.cheaters.iter().cloned().collect();
            let everybody = self.members.iter().map(|machine| machine.name.clone()).collect();
            let deceivers = self.deceivers.iter().cloned().collect();
            let rewound = self.rewound.iter().cloned().collect();
            let expected = Expected { aged, steady, cheaters, deceivers, rewound, everybody };
            let expected = (!self.was_lied()).then_some(expected);
            let seen = ready(look(&mut *tx, row, expected))??;
            if let Some(trouble) = seen.trouble {
                return Err(Violation(format!("{name} {trouble}")));
            }
            let Seen { row, place: stands, entries, .. } = seen;
            if let Some(stands) = stands.filter(|_| !(self.was_lied() && self.is_victim(place))) {
                self.agreement.note(&name, row.lineage, row.sequence, stands)?;
            }
            for entry in entries {
                self.ciphertexts.note_made(&name, boot, &made(&entry))?;
            }
        }
        Ok(())
    }

    /// Looks at what the hub has newly placed.
    ///
    /// # Errors
    /// An invariant that does not hold.
    pub fn watch_hub(&mut self) -> Checked {
        let Some(lineage) = self.lineage else { return Ok(()) };
        let mut tx = ready(self.hub.disk.store().read())??;
        let Some(row) = ready(tx.carried(lineage))?? else { return Ok(()) };
        if row.state != "founded" || row.sequence == self.log_seen {
            return Ok(());
        }
        self.group = Some(row.group);
        let rows = ready(tx.log_after(row.group, self.log_seen, MANY, u64::MAX))??;
        for entry in rows {
            if entry.kind == EntryKind::Commit {
                self.counts.count("commits");
            }
            let (id, kind) = (entry.entry, entry.kind);
            let epoch = bound(kind, entry.epoch);
            let payload = Digest::of(&entry.payload);
            self.ciphertexts
                .note_placed(&entry.sender, &Made { entry: id, kind, epoch, payload })?;
            if kind == EntryKind::Commit {
                self.follow_commit(entry.sequence)?;
            }
            self.tell_liar(&entry);
            let (at, sender) = (entry.sequence, &entry.sender);
            self.trace.note(&format!("  log {at}: {kind:?} of {sender} in {epoch}, {payload}"));
            self.log_seen = at;
        }
        Ok(())
    }

    /// Follows a commit at the newest places of the log; a call brings one at most.
    fn follow_commit(&mut self, at: Sequence) -> Checked {
        let Some(lineage) = self.lineage else { return Ok(()) };
        let mut tx = ready(self.hub.disk.store().read())??;
        let Some(row) = ready(tx.carried(lineage))?? else { return Ok(()) };
        let roster = ready(tx.cursors(row.group))??.into_iter().map(|(node, _)| node).collect();
        let signed = SignedStatement::decode(&row.statement)
            .map_err(|bad| Violation(format!("the statement: {bad}")))?;
        roster_signed(signed.statement(), &roster)?;
        self.rolls.follow(at, &roster);
        if let Some(word) = self.rolls.agree(at, signed.statement()) {
            self.counts.count(word);
        }
        self.leaving.retain(|node| signed.statement().party(node).is_some());
        Ok(())
    }

    /// The hub's chain from the first entry: each head follows from the one before.
    ///
    /// # Errors
    /// It does not.
    pub fn check_hub_chain(&self) -> Checked<Digest> {
        let Some(group) = self.group else { return Err(Violation::new("no group was founded")) };
        let mut tx = ready(self.hub.disk.store().read())??;
        let mut head = Digest::ZERO;
        let mut at = Sequence(0);
        for row in ready(tx.log_after(group, at, MANY, u64::MAX))?? {
            head = head_after(head, row.digest);
            if row.sequence != at.next() || row.head != head {
                return Err(Violation(format!("the hub's log is broken at {}", row.sequence)));
            }
            at = row.sequence;
        }
        Ok(head)
    }

    /// Up to where the hub has forgotten payloads.
    ///
    /// # Errors
    /// The store's.
    pub fn trimmed(&self) -> Checked<Sequence> {
        let Some(lineage) = self.lineage else { return Ok(Sequence(0)) };
        let mut tx = ready(self.hub.disk.store().read())??;
        let row = ready(tx.carried(lineage))??;
        Ok(row.map(|row| row.trimmed).unwrap_or_default())
    }

    /// Where the hub believes each member to stand.
    ///
    /// # Errors
    /// The store's.
    pub fn hub_cursors(&self) -> Checked<Vec<(NodeId, Sequence)>> {
        let Some(group) = self.group else { return Ok(Vec::new()) };
        Ok(ready(ready(self.hub.disk.store().read())??.cursors(group))??)
    }

    /// How far everything has come: equal before and after a round in which nothing was done.
    ///
    /// # Errors
    /// The store's.
    pub fn fingerprint(&self) -> Checked<Fingerprint> {
        let mut fingerprint = Fingerprint { machines: Vec::new() };
        let living = self.members.iter().filter(|machine| !machine.scrapped);
        for machine in living.chain([&self.hub]) {
            let mut tx = ready(machine.disk.store().read())??;
            let audit = ready(tx.audit_newest())??.map_or(0, |record| record.sequence);
            let mailbox = ready(tx.mailbox_cursor(&self.hub.name))??;
            let versions = ready(tx.equipes())??;
            let versions = versions.iter().map(|row| (row.state.clone(), row.version)).collect();
            fingerprint.machines.push((machine.name.clone(), audit, mailbox, versions));
        }
        Ok(fingerprint)
    }
}

/// How far everything has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint {
    machines: Vec<Progress>,
}

/// Of one machine: its audit, its mailbox, state and version of its équipes.
pub type Progress = (NodeId, u64, u64, Vec<(String, u64)>);

impl Fingerprint {
    /// Machines that have come further.
    pub fn moved_since(&self, before: &Self) -> Vec<Progress> {
        let pairs = self.machines.iter().zip(&before.machines);
        pairs.filter(|(now, before)| now != before).map(|(now, _)| now.clone()).collect()
    }
}
