//! Which peers have reached a quota here: counted in memory alone, since a refused call must
//! not write anything; shown by `doctor` and in metrics.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use raccordo_core::id::NodeId;
use raccordo_core::quota::{Buckets, Quota};
use raccordo_core::time::Instant;

use super::Node;
use super::fault::{Fault, Whose};
use crate::telemetry::QUOTA_REACHED;

/// Most peers that are remembered; above, the one that was quiet longest is forgotten.
const PEERS_MAX: usize = 256;
/// How long after the last time it is remembered.
const REMEMBERED: Duration = Duration::from_secs(24 * 3600);

/// How often a peer has reached a quota.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// How much was allowed the last time: what is configured, where it can be.
    pub number: u64,
    /// Times since `first`.
    pub times: u64,
    /// The first time.
    pub first: Instant,
    /// The last.
    pub last: Instant,
}

type Counts = BTreeMap<Quota, Count>;

/// What is remembered of all peers.
#[derive(Default)]
pub struct QuotaCounts {
    peers: Mutex<BTreeMap<NodeId, Counts>>,
    paced: Mutex<Buckets<(NodeId, Quota)>>,
}

impl QuotaCounts {
    /// Counts that a peer has reached a quota, whose number is that of the table.
    pub fn note(&self, peer: &NodeId, quota: Quota, now: Instant) {
        self.note_number(peer, quota, quota.number(), now);
    }

    /// The same where the number is configured.
    pub fn note_number(&self, peer: &NodeId, quota: Quota, number: u64, now: Instant) {
        metrics::counter!(QUOTA_REACHED.name, "quota" => quota.row().name).increment(1);
        let mut peers = self.lock();
        if !peers.contains_key(peer) {
            make_room(&mut peers);
        }
        let counts = peers.entry(peer.clone()).or_default();
        let none = Count { number, times: 0, first: now, last: now };
        let count = counts.entry(quota).or_insert(none);
        if now.since(count.last) >= REMEMBERED {
            *count = none;
        }
        count.number = number;
        count.times = count.times.saturating_add(1);
        count.last = now;
    }

    /// Who has reached which quota of late, by peer.
    pub fn recent(&self, now: Instant) -> Vec<(NodeId, Quota, Count)> {
        let mut peers = self.lock();
        for counts in peers.values_mut() {
            counts.retain(|_, count| now.since(count.last) < REMEMBERED);
        }
        peers.retain(|_, counts| !counts.is_empty());
        let of = |(peer, counts): (&NodeId, &Counts)| {
            let peer = peer.clone();
            let counts: Vec<_> = counts.iter().map(|(quota, count)| (*quota, *count)).collect();
            counts.into_iter().map(move |(quota, count)| (peer.clone(), quota, count))
        };
        peers.iter().flat_map(of).collect()
    }

    /// Whether one more refusal of a peer may be written into the audit; counts it if so.
    pub fn may_audit(&self, peer: &NodeId, now: Instant) -> bool {
        self.take(peer, Quota::AuditedRefusals, now)
    }

    /// Whether a peer may do once more what a quota lets it do so many times in a span; counts it
    /// if so, and notes it if not.
    pub fn take(&self, peer: &NodeId, quota: Quota, now: Instant) -> bool {
        let mut paced = self.paced.lock().unwrap_or_else(PoisonError::into_inner);
        let may = paced.take((peer.clone(), quota), 1, quota.pace(), now) > 0;
        drop(paced);
        if !may {
            self.note(peer, quota, now);
        }
        may
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<NodeId, Counts>> {
        // A poisoned count is still whole: each change is one step.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn make_room(peers: &mut BTreeMap<NodeId, Counts>) {
    if peers.len() < PEERS_MAX {
        return;
    }
    let last = |counts: &Counts| counts.values().map(|count| count.last).max();
    let quietest = peers.iter().min_by_key(|(_, counts)| last(counts));
    if let Some(quietest) = quietest.map(|(peer, _)| peer.clone()) {
        peers.remove(&quietest);
    }
}

impl Node {
    /// Notes that a peer has reached a quota; what it is answered. `whose` says whether asking
    /// again later may help (`Exhausted`) or not (`Usage`).
    pub fn at_quota(&self, peer: &NodeId, quota: Quota, whose: Whose) -> Fault {
        self.at_number(peer, quota, quota.number(), whose)
    }

    /// The same where the number is configured.
    pub fn at_number(&self, peer: &NodeId, quota: Quota, number: u64, whose: Whose) -> Fault {
        self.quotas.note_number(peer, quota, number, self.clock.now());
        let row = quota.row();
        let message = format!("at most {} are allowed: {}", row.unit.words(number), row.bounds);
        Fault::new(whose, row.reason, message).hint(row.outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: usize) -> NodeId {
        format!("peer-{number}").parse().unwrap()
    }

    #[test]
    fn counts_are_remembered_for_a_day() {
        let counts = QuotaCounts::default();
        let hour = |hour: i64| Instant(hour * 3_600_000);
        counts.note(&peer(1), Quota::OffersOfPeer, hour(0));
        counts.note(&peer(1), Quota::OffersOfPeer, hour(20));
        counts.note(&peer(2), Quota::MailboxItems, hour(30));
        let count = |number, times, first, last| {
            let (first, last) = (hour(first), hour(last));
            Count { number, times, first, last }
        };
        let first = (peer(1), Quota::OffersOfPeer, count(8, 2, 0, 20));
        let second = (peer(2), Quota::MailboxItems, count(256, 1, 30, 30));
        assert_eq!(counts.recent(hour(40)), [first, second.clone()]);
        assert_eq!(counts.recent(hour(44)), [second]);
        assert_eq!(counts.recent(hour(99)), []);
    }

    #[test]
    fn no_more_peers_than_there_is_room_for() {
        let counts = QuotaCounts::default();
        for number in 0..PEERS_MAX + 10 {
            let now = Instant(i64::try_from(number).unwrap());
            counts.note(&peer(number), Quota::OffersOfPeer, now);
        }
        let recent = counts.recent(Instant(1_000));
        assert_eq!(recent.len(), PEERS_MAX);
        assert!(recent.iter().all(|(found, ..)| *found != peer(0)));
    }
}
