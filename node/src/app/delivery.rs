//! How far an alert has come: derived from what the members reported, never stored.

use raccordo_core::id::{LineageId, NodeId, Sequence};

use super::fault::Done;
use super::{Node, replay};
use crate::store::Tx;
use crate::store::equipe::MemberRow;
use crate::store::object::{ObjectReports, ObjectRow};

/// The four states, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// Durable at this node.
    Queued,
    /// Durable at the hub.
    Accepted,
    /// Durable and processed at every other member.
    Delivered,
    /// Opened by an operator at every other member.
    Read,
}

/// How far an alert has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The state that all other members have reached.
    pub state: State,
    /// Members that have it durably, the origin not counted.
    pub delivered: usize,
    /// Members, the origin not counted.
    pub members: usize,
    /// Of these, members where an operator has opened it.
    pub read: usize,
    /// Members that could not process it, with stable reasons.
    pub refusals: Vec<(NodeId, String)>,
}

/// Derives the delivery of objects, in their order.
///
/// # Errors
/// The store's.
pub async fn of(node: &Node, tx: &mut dyn Tx, rows: &[ObjectRow]) -> Done<Vec<Delivery>> {
    let reports = tx.object_reports(rows).await?;
    let mut deliveries = Vec::with_capacity(rows.len());
    let mut known: Option<(LineageId, Present)> = None;
    for (row, reports) in rows.iter().zip(reports) {
        let present = match &known {
            Some((lineage, present)) if *lineage == row.lineage => present.clone(),
            _ => {
                let members = tx.members(row.lineage).await?;
                let owed = replay::owed(tx, row.lineage, &members).await?;
                let present = Present { members, owed };
                known = Some((row.lineage, present.clone()));
                present
            }
        };
        deliveries.push(derive(&node.identity.node, row, &present, reports));
    }
    Ok(deliveries)
}

/// The members of an équipe, and who of them does not have this node's objects from before
/// it was added, with the place of that.
#[derive(Clone)]
struct Present {
    members: Vec<MemberRow>,
    owed: Vec<(NodeId, Sequence)>,
}

impl Present {
    /// Whether a late member is still to be told of an object.
    fn awaits(&self, me: &NodeId, member: &NodeId, row: &ObjectRow) -> bool {
        let owed =
            |(node, added_at): &(NodeId, Sequence)| node == member && row.sequence <= *added_at;
        row.origin == *me && self.owed.iter().any(owed)
    }
}

fn derive(me: &NodeId, row: &ObjectRow, present: &Present, reports: ObjectReports) -> Delivery {
    let others: Vec<&MemberRow> =
        present.members.iter().filter(|member| member.node != row.origin).collect();
    let refused = |member: &NodeId| reports.refusals.iter().any(|(node, _)| node == member);
    let placed = row.sequence > Sequence(0);
    // This node gives itself no receipt: what is here was processed here.
    let reached = |member: &MemberRow| member.node == *me || member.delivered >= row.sequence;
    let has = |member: &MemberRow| {
        let told = reached(member) && !present.awaits(me, &member.node, row);
        placed && told && !refused(&member.node)
    };
    let delivered = others.iter().filter(|member| has(member)).count();
    let read = others.iter().filter(|member| reports.read.contains(&member.node)).count();
    let all = |count: usize| !others.is_empty() && count == others.len();
    let state = match (placed, all(delivered), all(read)) {
        (false, ..) => State::Queued,
        (true, false, _) => State::Accepted,
        (true, true, false) => State::Delivered,
        (true, true, true) => State::Read,
    };
    Delivery { state, delivered, members: others.len(), read, refusals: reports.refusals }
}

#[cfg(test)]
mod tests {
    use raccordo_core::id::{EnvelopeId, ObjectId};
    use raccordo_core::time::Instant;

    use super::*;

    fn member(node: &str, delivered: u64) -> MemberRow {
        MemberRow {
            lineage: LineageId([1; 16]),
            node: node.parse().unwrap(),
            delivered: Sequence(delivered),
            last_seen: Instant(0),
            last_number: 0,
        }
    }

    fn object(sequence: u64) -> ObjectRow {
        ObjectRow {
            object: ObjectId::try_from([3; 16].as_slice()).unwrap(),
            position: 1,
            lineage: LineageId([1; 16]),
            kind: "case".into(),
            origin: "toscana".parse().unwrap(),
            version: 1,
            state: "active".into(),
            envelope: EnvelopeId([2; 16]),
            sequence: Sequence(sequence),
            shared_at: Instant(0),
            received_at: None,
            expires_at: Instant(9),
            wrapped_key: Vec::new(),
            sealed_share: Vec::new(),
            sealed_author: Vec::new(),
            end_reason: String::new(),
        }
    }

    fn check(
        sequence: u64,
        have: [u64; 2],
        read: &[&str],
        refused: &[&str],
        expected: (State, usize),
    ) {
        let members = [member("toscana", 99), member("umbria", have[0]), member("lazio", have[1])];
        let reports = ObjectReports {
            read: read.iter().map(|node| node.parse().unwrap()).collect(),
            refusals: refused.iter().map(|n| (n.parse().unwrap(), "r".to_owned())).collect(),
        };
        let me = "toscana".parse().unwrap();
        let present = Present { members: members.to_vec(), owed: Vec::new() };
        let delivery = derive(&me, &object(sequence), &present, reports);
        assert_eq!((delivery.state, delivery.delivered), expected);
        assert_eq!(delivery.members, 2);
    }

    #[test]
    fn a_late_member_has_nothing_from_before_until_it_was_told() {
        let check = |me: &str, sequence: u64, expected: usize| {
            let members = vec![member("toscana", 9), member("umbria", 9), member("lazio", 9)];
            let owed = vec![("lazio".parse().unwrap(), Sequence(5))];
            let reports = ObjectReports { read: Vec::new(), refusals: Vec::new() };
            let present = Present { members, owed };
            let me = me.parse().unwrap();
            assert_eq!(derive(&me, &object(sequence), &present, reports).delivered, expected);
        };
        check("toscana", 4, 1);
        check("toscana", 5, 1);
        check("toscana", 6, 2);
        check("umbria", 4, 2);
    }

    #[test]
    fn a_received_alert_is_delivered_here() {
        let check = |lazio: u64, expected: (State, usize)| {
            let members = [member("toscana", 0), member("umbria", 0), member("lazio", lazio)];
            let reports = ObjectReports { read: Vec::new(), refusals: Vec::new() };
            let me = "umbria".parse().unwrap();
            let present = Present { members: members.to_vec(), owed: Vec::new() };
            let delivery = derive(&me, &object(5), &present, reports);
            assert_eq!((delivery.state, delivery.delivered), expected);
            assert_eq!(delivery.members, 2);
        };
        check(4, (State::Accepted, 1));
        check(5, (State::Delivered, 2));
    }

    #[test]
    fn states_in_order() {
        check(0, [9, 9], &[], &[], (State::Queued, 0));
        check(5, [4, 4], &[], &[], (State::Accepted, 0));
        check(5, [5, 4], &[], &[], (State::Accepted, 1));
        check(5, [5, 5], &[], &[], (State::Delivered, 2));
        check(5, [5, 5], &["umbria"], &[], (State::Delivered, 2));
        check(5, [5, 5], &["umbria", "lazio"], &[], (State::Read, 2));
        check(5, [5, 5], &[], &["lazio"], (State::Accepted, 1));
    }
}
