//! Who was a member when, and under which statement, as the hub's log says: what members
//! are held to.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::id::{NodeId, Sequence};
use raccordo_core::trust::change::Change;
use raccordo_core::trust::statement::Statement;

/// A membership: from after the commit that added the node to the one that removed it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    from: Sequence,
    until: Option<Sequence>,
}

impl Span {
    fn reads(&self, at: Sequence) -> bool {
        self.from < at && self.until.is_none_or(|until| at <= until)
    }
}

/// Everybody's memberships.
#[derive(Clone, Debug, Default)]
pub struct Rolls {
    spans: BTreeMap<NodeId, Vec<Span>>,
    statement: Option<Statement>,
    /// Place of the commit that brought it.
    agreed_at: Sequence,
}

impl Rolls {
    /// Follows the roster after the commit at a place of the log.
    pub fn follow(&mut self, at: Sequence, roster: &BTreeSet<NodeId>) {
        for (node, spans) in &mut self.spans {
            let open = spans.iter_mut().find(|span| span.until.is_none());
            if let Some(open) = open.filter(|_| !roster.contains(node)) {
                open.until = Some(at);
            }
        }
        for node in roster {
            if !self.is_member(node) {
                let spans = self.spans.entry(node.clone()).or_default();
                spans.push(Span { from: at, until: None });
            }
        }
    }

    /// Follows the statement in force; what changed, as one word for the summary.
    pub fn agree(&mut self, at: Sequence, now: &Statement) -> Option<&'static str> {
        let before = self.statement.replace(now.clone())?;
        if before.version == now.version {
            return None;
        }
        self.agreed_at = at;
        Some(word(&before, now))
    }

    /// Whether a node was a member when the statement in force was committed.
    pub fn has_agreed(&self, node: &NodeId) -> bool {
        self.reads(node, self.agreed_at)
    }

    /// The statement in force.
    pub fn statement(&self) -> Option<&Statement> {
        self.statement.as_ref()
    }

    /// Whether a node is a member now.
    pub fn is_member(&self, node: &NodeId) -> bool {
        self.spans.get(node).is_some_and(|spans| spans.iter().any(|span| span.until.is_none()))
    }

    /// Who is a member now.
    pub fn members(&self) -> Vec<NodeId> {
        self.spans.keys().filter(|node| self.is_member(node)).cloned().collect()
    }

    /// Whether a node read an entry as a member.
    pub fn reads(&self, node: &NodeId, at: Sequence) -> bool {
        self.spans.get(node).is_some_and(|spans| spans.iter().any(|span| span.reads(at)))
    }

    /// Whether a node reads an entry in its present membership.
    pub fn reads_now(&self, node: &NodeId, at: Sequence) -> bool {
        self.present(node).is_some_and(|span| span.reads(at))
    }

    /// Whether a node's present membership began after a place of the log.
    pub fn came_after(&self, node: &NodeId, at: Sequence) -> bool {
        self.present(node).is_some_and(|span| span.from > at)
    }

    fn present(&self, node: &NodeId) -> Option<&Span> {
        self.spans.get(node)?.iter().find(|span| span.until.is_none())
    }

    /// Whether a node has been a member without interruption since it first joined.
    pub fn is_steady(&self, node: &NodeId) -> bool {
        self.is_member(node) && self.spans.get(node).is_some_and(|spans| spans.len() == 1)
    }
}

fn word(before: &Statement, now: &Statement) -> &'static str {
    match Change::between(before, now) {
        Change::Leaving { .. } => "parties that went",
        Change::Suspension { .. } => "suspensions",
        Change::Return { .. } => "returns",
        Change::Other if now.parties.iter().any(|party| before.party(&party.node).is_none()) => {
            "parties that came"
        }
        Change::Other if before.pact != now.pact => "renewals",
        Change::Other => "ratifications",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<NodeId> {
        names.iter().map(|name| name.parse().unwrap()).collect()
    }

    #[test]
    fn who_reads_what() {
        let mut rolls = Rolls::default();
        rolls.follow(Sequence(1), &set(&["lazio"]));
        rolls.follow(Sequence(2), &set(&["lazio", "umbria"]));
        rolls.follow(Sequence(5), &set(&["lazio"]));
        rolls.follow(Sequence(9), &set(&["lazio", "umbria"]));
        let [lazio, umbria] = ["lazio", "umbria"].map(|name| name.parse().unwrap());
        let read: Vec<u64> = (0..12).filter(|at| rolls.reads(&umbria, Sequence(*at))).collect();
        assert_eq!(read, [3, 4, 5, 10, 11]);
        let read: Vec<u64> = (0..12).filter(|at| rolls.reads_now(&umbria, Sequence(*at))).collect();
        assert_eq!(read, [10, 11]);
        assert!(rolls.came_after(&umbria, Sequence(8)) && !rolls.came_after(&umbria, Sequence(9)));
        assert!(rolls.is_steady(&lazio) && !rolls.is_steady(&umbria));
        assert_eq!(rolls.members(), [lazio, umbria]);
    }
}
