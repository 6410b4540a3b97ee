//! The invariants at the end: everything was healed, and everything is quiet.

use std::collections::BTreeMap;
use std::time::Duration;

use raccordo_core::id::{NodeId, ObjectId, Sequence};
use raccordo_core::invariant::shown_once;
use raccordo_node::app::apply::open_share;
use raccordo_node::app::delivery::{self, State};
use raccordo_node::app::{Node, audit_chain};
use raccordo_node::store::Tx;
use raccordo_node::store::object::{ObjectFilter, ObjectRow};
use raccordo_node::store::outbox::EntryState;

use super::task::ready;
use super::world::World;
use super::{Checked, Violation};

/// Clocks differ by less than this.
const NEAR: Duration = Duration::from_secs(600);

/// How an object stands everywhere.
type Standings = BTreeMap<ObjectId, (String, u64)>;

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

impl World {
    /// All of them.
    ///
    /// # Errors
    /// The first that does not hold.
    pub fn end(&mut self) -> Checked {
        if !self.wishes.is_empty() {
            return Err(Violation::new("not everything could be shared"));
        }
        let head = self.check_hub_chain()?;
        let hub = self.hub.node().ok_or_else(|| Violation::new("the hub is down"))?;
        ready(audit_chain::verify_chain(&hub))??;
        let mut standings = Standings::new();
        for place in 0..self.members.len() {
            let node = self.node(place).ok_or_else(|| Violation::new("a member is down"))?;
            ready(audit_chain::verify_chain(&node))??;
            let mut tx = ready(node.store.read())??;
            let rows = ready(objects(&mut *tx))??;
            shown_once(&self.shared, &node.identity.node, rows.iter().map(|row| row.object))?;
            let row = ready(tx.equipes())??.into_iter().next();
            if row.is_none_or(|row| row.head != head || row.sequence != self.log_seen) {
                let me = &node.identity.node;
                return Err(Violation(format!("{me} does not stand at the end of the log")));
            }
            for row in &rows {
                content(&node, row)?;
                self.agree(&node, row, &mut standings)?;
            }
            ready(self.delivered(&node, &mut *tx, &rows))??;
            ready(self.nothing_left(&node, &mut *tx))??;
            let received = rows.iter().filter(|row| row.origin != node.identity.node).count();
            self.counts.add("deliveries", received as u64);
        }
        self.trace.note(&format!("the end, head {head}"));
        Ok(())
    }

    /// An object stands alike at all members, but for the moment of its expiry.
    fn agree(&self, node: &Node, row: &ObjectRow, standings: &mut Standings) -> Checked {
        let now = node.clock.now();
        let expiring = now.plus(NEAR) >= row.expires_at && row.expires_at.plus(NEAR) >= now;
        if expiring {
            return Ok(());
        }
        // A withdrawal may come too late to be one; either way the object has ended.
        let over = row.expires_at < now && row.state != "active";
        let standing =
            if over { ("ended".to_owned(), 0) } else { (row.state.clone(), row.version) };
        let first = standings.entry(row.object).or_insert_with(|| standing.clone());
        if *first != standing {
            let (object, at) = (row.object, &node.identity.node);
            let what = format!("{object} is {standing:?} at {at}, and {first:?} elsewhere");
            return Err(Violation(what));
        }
        if self.withdrawn.contains(&row.object) && row.state == "active" {
            return Err(Violation(format!("{} was withdrawn, and is {}", row.object, row.state)));
        }
        Ok(())
    }

    /// Own alerts are delivered to all, and read by whom they were opened.
    async fn delivered(&self, node: &Node, tx: &mut dyn Tx, rows: &[ObjectRow]) -> Checked {
        let me = &node.identity.node;
        let own: Vec<ObjectRow> = rows.iter().filter(|row| row.origin == *me).cloned().collect();
        let deliveries = delivery::of(node, tx, &own).await?;
        for (row, delivery) in own.iter().zip(deliveries) {
            let opened = self.opened.iter().filter(|(object, _)| *object == row.object).count();
            let others = self.members.len() - 1;
            let unsure = self.perhaps_opened.contains(&row.object);
            let read = delivery.read == opened || unsure && delivery.read > opened;
            let state = if delivery.read == others { State::Read } else { State::Delivered };
            if delivery.state != state || !read {
                let what =
                    format!("{} of {me} was opened {opened} times: {delivery:?}", row.object);
                return Err(Violation(what));
            }
        }
        Ok(())
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
