//! The invariants at the end: everything was healed, and everything is quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use raccordo_core::id::{Digest, NodeId, Sequence};
use raccordo_core::invariant::known_once;
use raccordo_node::app::apply::open_share;
use raccordo_node::app::delivery::{self, State};
use raccordo_node::app::work::open_pact;
use raccordo_node::app::{Node, audit_chain, changes};
use raccordo_node::store::Tx;
use raccordo_node::store::object::{ObjectFilter, ObjectRow};
use raccordo_node::store::outbox::EntryState;

use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// Clocks differ by less than this.
const NEAR: Duration = Duration::from_secs(600);

async fn objects(tx: &mut dyn Tx) -> Checked<Vec<ObjectRow>> {
    let filter = ObjectFilter { limit: 10_000, ..ObjectFilter::default() };
    Ok(tx.list_objects(&filter).await?)
}

/// Content is there while an object is active, and nowhere once it has ended.
fn content(node: &Node, row: &ObjectRow) -> Checked {
    let there = open_share(node, row)?.is_some();
    let erased = row.wrapped_key.is_empty() && row.sealed_share.is_empty();
    let fits = if row.state == "active" { there } else { erased };
    if fits {
        return Ok(());
    }
    let (at, object, state) = (&node.identity.node, row.object, &row.state);
    Err(Violation(format!("{object} is {state} at {at}, which does not fit its content")))
}

/// A new statement is in the audit of whoever was there.
async fn audited(tx: &mut dyn Tx, version: u64) -> Checked {
    let version = version.to_string();
    let records = tx.audit_after(0, 100_000).await?;
    let found = records.iter().any(|record| {
        record.event.action == "equipe.statement"
            && record.event.detail.get("version") == Some(&version)
    });
    if found {
        return Ok(());
    }
    Err(Violation(format!("statement {version} is in force, and not in the audit")))
}

impl World {
    /// All of them.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn end(&mut self) -> Checked {
        let head = self.check_hub_chain()?;
        let hub = self.hub.node().ok_or_else(|| Violation::new("the hub is down"))?;
        ready(audit_chain::verify_chain(&hub))??;
        for place in self.machines() {
            let node = self.node(place).ok_or_else(|| Violation::new("a member is down"))?;
            ready(audit_chain::verify_chain(&node))??;
        }
        self.check_lie()?;
        self.check_alarms()?;
        if self.was_lied() {
            return self.end_of_a_lie();
        }
        if self.is_beyond_help()? {
            self.counts.count("équipes beyond help");
            return Ok(());
        }
        self.everybody_joined()?;
        self.check_copies()?;
        self.check_leaves()?;
        self.one_key()?;
        self.check_tokens()?;
        self.everything_shared()?;
        let everywhere = self.everywhere()?;
        for (place, rows) in &everywhere {
            self.end_of_one(*place, rows, &everywhere, head)?;
        }
        self.trace.note(&format!("the end, head {head}"));
        Ok(())
    }

    /// Whoever was added has entered.
    fn everybody_joined(&self) -> Checked {
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            let mut tx = ready(machine.disk.store().read())??;
            if self.rolls.is_member(&machine.name) && ready(tx.equipes())??.is_empty() {
                return Err(Violation(format!("{} was added, and has not joined", machine.name)));
            }
        }
        Ok(())
    }

    /// Nobody has another sharing of a key than the others under the same numbers.
    fn one_key(&mut self) -> Checked {
        let mut known = BTreeMap::new();
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            let mut tx = ready(machine.disk.store().read())??;
            for equipe in ready(tx.equipes())?? {
                for row in ready(tx.key_sharings(equipe.lineage))?? {
                    let which = (row.lineage, row.class, row.key_epoch, row.generation);
                    let first = known.entry(which).or_insert_with(|| row.sharing.clone());
                    if *first != row.sharing {
                        let (me, class) = (&machine.name, row.class);
                        return Err(Violation(format!("{me} has another key of {class}")));
                    }
                }
            }
        }
        self.counts.add("keys in force", known.len() as u64);
        Ok(())
    }

    /// After a lie: whoever noticed it shares nothing more, but nobody shows anything twice,
    /// or what nobody shared, and the others stand where the log ends.
    fn end_of_a_lie(&mut self) -> Checked {
        for (place, rows) in self.everywhere()? {
            let Some(machine) = self.members.get(place) else { continue };
            let shown = rows.iter().map(|row| (row.object, row.origin.clone()));
            known_once(&self.shared, &machine.name, shown)?;
            if self.is_victim(place) || !self.rolls.is_member(&machine.name) {
                continue;
            }
            let mut tx = ready(machine.disk.store().read())??;
            let row = ready(tx.equipes())??.into_iter().next();
            if row.is_none_or(|row| row.sequence != self.log_seen) {
                let me = &machine.name;
                return Err(Violation(format!("{me} does not stand at the end of the log")));
            }
        }
        Ok(())
    }

    /// What operators of members wished to share was shared; the others may share nothing.
    fn everything_shared(&mut self) -> Checked {
        let out = |place: &usize| {
            let machine = self.members.get(*place);
            !machine.is_some_and(|machine| self.rolls.is_member(&machine.name))
        };
        let alone = self.rolls.members().len() < 2;
        let (held, open): (Vec<_>, Vec<_>) =
            self.wishes.drain(..).partition(|(place, _)| alone || out(place));
        self.counts.add("orders of who is out", held.len() as u64);
        if open.is_empty() { Ok(()) } else { Err(Violation::new("not everything could be shared")) }
    }

    /// The objects of every machine.
    fn everywhere(&self) -> Checked<BTreeMap<usize, Vec<ObjectRow>>> {
        let mut everywhere = BTreeMap::new();
        for place in self.machines() {
            let Some(machine) = self.members.get(place) else { continue };
            let mut tx = ready(machine.disk.store().read())??;
            everywhere.insert(place, ready(objects(&mut *tx))??);
        }
        Ok(everywhere)
    }

    fn end_of_one(
        &mut self,
        place: usize,
        rows: &[ObjectRow],
        everywhere: &BTreeMap<usize, Vec<ObjectRow>>,
        head: Digest,
    ) -> Checked {
        let node = self.node(place).ok_or_else(|| Violation::new("a member is down"))?;
        let me = node.identity.node.clone();
        known_once(&self.shared, &me, rows.iter().map(|row| (row.object, row.origin.clone())))?;
        for row in rows {
            content(&node, row)?;
        }
        if !self.rolls.is_member(&me) {
            return Ok(());
        }
        let mut tx = ready(node.store.read())??;
        let row = ready(tx.equipes())??.into_iter().next();
        let row = row.filter(|row| row.head == head && row.sequence == self.log_seen);
        let Some(row) = row else {
            return Err(Violation(format!("{me} does not stand at the end of the log")));
        };
        let pact = open_pact(&node, &row)?.digest();
        if self.rolls.statement().is_some_and(|statement| statement.pact != pact) {
            return Err(Violation(format!("{me} goes by another pact than was agreed")));
        }
        if self.rolls.has_agreed(&me) && !self.rewound.contains(&me) {
            let version = changes::statement(&row)?.statement().version;
            ready(audited(&mut *tx, version))??;
        }
        for (other, theirs) in everywhere {
            self.told(&node, rows, *other, theirs)?;
        }
        ready(self.delivered(&node, &mut *tx, rows))??;
        ready(self.nothing_left(&node, &mut *tx))??;
        let received = rows.iter().filter(|row| row.origin != me).count();
        self.counts.add("deliveries", received as u64);
        Ok(())
    }

    /// A member has what another member shared: what it read itself since it joined, and what
    /// was active then; and it stands alike at both. Whoever was removed may have been cut off
    /// before it read the last; and what was withdrawn is owed to nobody.
    fn told(&self, node: &Node, rows: &[ObjectRow], other: usize, theirs: &[ObjectRow]) -> Checked {
        let me = &node.identity.node;
        let Some(origin) = self.members.get(other).map(|machine| &machine.name) else {
            return Ok(());
        };
        if origin == me {
            return Ok(());
        }
        let rewound = self.rewound.contains(me) || self.rewound.contains(origin);
        for object in theirs.iter().filter(|row| row.origin == *origin) {
            let mine = rows.iter().find(|row| row.object == object.object);
            let placed = object.sequence > Sequence(0);
            let withdrawn = object.state == "withdrawn";
            let read = self.rolls.reads_now(me, object.sequence) && !rewound && !withdrawn;
            let owed = self.rolls.is_member(origin) && object.state == "active";
            match mine {
                None if placed && (read || owed) => {
                    let (id, place) = (object.object, object.sequence);
                    let why = if read { "was a member then" } else { "came later" };
                    let what =
                        format!("{id} of {origin}, at entry {place}, is not at {me}, who {why}");
                    return Err(Violation(what));
                }
                Some(mine) if self.rolls.is_member(origin) && !self.rewound.contains(origin) => {
                    self.alike(node, mine, object)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// An object stands as at its origin, but for the moment of its expiry.
    fn alike(&self, node: &Node, mine: &ObjectRow, theirs: &ObjectRow) -> Checked {
        let now = node.clock.now();
        if now.plus(NEAR) >= mine.expires_at && mine.expires_at.plus(NEAR) >= now {
            return Ok(());
        }
        // A withdrawal may come too late to be one; either way the object has ended.
        let stands = |row: &ObjectRow| {
            let over = row.expires_at < now && row.state != "active";
            if over { ("ended".to_owned(), 0) } else { (row.state.clone(), row.version) }
        };
        let (here, there) = (stands(mine), stands(theirs));
        let (object, at) = (mine.object, &node.identity.node);
        if here != there {
            let what = format!("{object} is {here:?} at {at}, and {there:?} at its origin");
            return Err(Violation(what));
        }
        if mine.state == "active" && (mine.expires_at < now || self.withdrawn.contains(&object)) {
            return Err(Violation(format!("{object} has ended, and is {} at {at}", mine.state)));
        }
        Ok(())
    }

    /// Own alerts are delivered to all, and read by whom they were opened.
    async fn delivered(&self, node: &Node, tx: &mut dyn Tx, rows: &[ObjectRow]) -> Checked {
        let me = &node.identity.node;
        let others = self.rolls.members().len() - 1;
        if others == 0 {
            return Ok(());
        }
        let own: Vec<ObjectRow> = rows.iter().filter(|row| row.origin == *me).cloned().collect();
        let deliveries = delivery::of(node, tx, &own).await?;
        let reports = tx.object_reports(&own).await?;
        for ((row, delivery), reports) in own.iter().zip(deliveries).zip(reports) {
            let told = delivery.delivered == others && delivery.state >= State::Delivered;
            if !told {
                return Err(Violation(format!("{} of {me}: {delivery:?}", row.object)));
            }
            self.read_as_opened(row, &reports.read)?;
        }
        Ok(())
    }

    /// Whoever opened an alert is known to have read it, and nobody else.
    fn read_as_opened(&self, row: &ObjectRow, read: &[NodeId]) -> Checked {
        let (object, origin) = (row.object, &row.origin);
        let unsure = self.perhaps_opened.contains(&object);
        let opened = |reader: &NodeId| self.opened.contains(&(object, reader.clone()));
        if let Some(reader) = read.iter().find(|reader| !unsure && !opened(reader)) {
            return Err(Violation(format!("{object} counts as read at {reader}")));
        }
        let steady = |node: &NodeId| self.rolls.is_steady(node) && !self.rewound.contains(node);
        let mut readers = self.opened.iter().filter(|(opened, _)| *opened == object);
        let missing = readers.find(|(_, reader)| steady(reader) && !read.contains(reader));
        match missing.filter(|_| steady(origin)) {
            None => Ok(()),
            Some((_, reader)) => {
                Err(Violation(format!("{object} of {origin} was opened at {reader}: not told")))
            }
        }
    }

    /// Nothing waits to be sent, and no plaintext is kept that all members have.
    async fn nothing_left(&self, node: &Node, tx: &mut dyn Tx) -> Checked {
        let me: &NodeId = &node.identity.node;
        let Some(lineage) = self.lineage else { return Ok(()) };
        let waiting = tx.unaccepted_envelopes(lineage).await?;
        if waiting > 0 {
            return Err(Violation(format!("{waiting} envelopes of {me} wait for ever")));
        }
        for state in [EntryState::Pending, EntryState::Stale, EntryState::Refused] {
            if let Some(entry) = tx.entries_in(lineage, state, 1).await?.first() {
                let (entry, kind) = (entry.entry, entry.kind);
                return Err(Violation(format!("{kind:?} {entry} of {me} is {state:?} for ever")));
            }
        }
        for entry in tx.entries_in(lineage, EntryState::Accepted, 10_000).await? {
            let envelopes = tx.envelopes_of(lineage, entry.entry).await?;
            if envelopes.iter().any(|row| row.case_bearing) {
                let at: Sequence = entry.sequence;
                return Err(Violation(format!("{me} keeps the plaintext of entry {at} for ever")));
            }
        }
        Ok(())
    }
}
