//! Whether this node's clock can be believed: compared with the times that hubs write into
//! their logs, with this node's own past, and with a clock that nobody sets.
//!
//! A clock that is wrong never stops anything by itself. But what has expired is erased for
//! ever, so nothing is erased while the clock has just leapt ahead and no hub confirms it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use raccordo_core::id::{LineageId, NodeId, Sequence};
use raccordo_core::time::Instant;

use super::Node;
use super::doctor::{Finding, Severity};
use super::fault::Done;
use crate::store::Tx;

/// Clocks that differ by more are told of.
pub const TOLERANCE: Duration = Duration::from_secs(5 * 60);
/// A leap of more than this is not believed without a hub's word.
const LEAP: Duration = Duration::from_secs(24 * 3600);
/// Own entries of which both times are awaited.
const AWAITED_MAX: usize = 256;

/// What this process knows of clocks.
#[derive(Debug, Default)]
pub struct Clocks {
    /// When the hub answered for an own entry, and the time that its log has for it:
    /// whichever came first.
    awaited: Mutex<BTreeMap<(LineageId, Sequence), Half>>,
    /// By hub: how far its clock is ahead of this node's, and its newest time.
    hubs: Mutex<BTreeMap<NodeId, HubClock>>,
    leapt: Mutex<bool>,
}

#[derive(Clone, Copy, Debug)]
enum Half {
    Answered(Instant),
    Written(Instant),
}

#[derive(Clone, Copy, Debug)]
struct HubClock {
    ahead_ms: i64,
    newest: Instant,
}

impl Clocks {
    /// The hub has answered for an own entry.
    pub fn answered(&self, hub: &NodeId, place: (LineageId, Sequence), now: Instant) {
        if let Some(Half::Written(written)) = self.half(place, Half::Answered(now)) {
            self.measured(hub, written, now);
        }
    }

    /// The log shows an own entry with this time.
    pub fn written(&self, hub: &NodeId, place: (LineageId, Sequence), at: Instant) {
        if let Some(Half::Answered(answered)) = self.half(place, Half::Written(at)) {
            self.measured(hub, at, answered);
        }
    }

    /// The half that was there already; else this one waits for the other.
    fn half(&self, place: (LineageId, Sequence), half: Half) -> Option<Half> {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        let other = awaited.remove(&place);
        let fits = matches!(
            (&other, &half),
            (Some(Half::Answered(_)), Half::Written(_))
                | (Some(Half::Written(_)), Half::Answered(_))
        );
        if fits {
            return other;
        }
        awaited.insert(place, half);
        while awaited.len() > AWAITED_MAX {
            awaited.pop_first();
        }
        None
    }

    fn measured(&self, hub: &NodeId, written: Instant, answered: Instant) {
        let clock = HubClock { ahead_ms: written.0.saturating_sub(answered.0), newest: written };
        self.hubs.lock().unwrap_or_else(PoisonError::into_inner).insert(hub.clone(), clock);
    }

    /// Hubs whose clocks differ from this node's by more than [`TOLERANCE`], with the
    /// milliseconds by which they are ahead.
    pub fn off(&self) -> Vec<(NodeId, i64)> {
        let hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        let tolerance = u64::try_from(TOLERANCE.as_millis()).unwrap_or(u64::MAX);
        let off = hubs.iter().filter(|(_, clock)| clock.ahead_ms.unsigned_abs() >= tolerance);
        off.map(|(hub, clock)| (hub.clone(), clock.ahead_ms)).collect()
    }

    /// The newest time that the log of another hub than this one has shown in this process.
    fn newest_beside(&self, hub: &NodeId) -> Option<Instant> {
        let hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.iter().filter(|(other, _)| *other != hub).map(|(_, clock)| clock.newest).max()
    }

    fn confirmed(&self, now: Instant) -> bool {
        let hubs = self.hubs.lock().unwrap_or_else(PoisonError::into_inner);
        hubs.values().any(|clock| clock.newest.plus(LEAP) >= now)
    }

    fn note_leap(&self, leapt: bool) {
        *self.leapt.lock().unwrap_or_else(PoisonError::into_inner) = leapt;
    }

    /// Whether this node's clock has leapt ahead, and nothing is erased.
    pub fn has_leapt(&self) -> bool {
        *self.leapt.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The latest time that this node has known other than from one hub: from its own audit, which
/// its own clock has dated, and from the logs of other hubs.
///
/// # Errors
/// The store's.
pub async fn latest_known(node: &Node, tx: &mut dyn Tx, hub: &NodeId) -> Done<Option<Instant>> {
    let audited = tx.audit_newest().await?.map(|record| record.event.at);
    let equipes = tx.equipes().await?;
    let logged = equipes.iter().filter(|row| row.hub != *hub).map(|row| row.accepted_at).max();
    Ok(audited.max(logged).max(node.links.clocks.newest_beside(hub)))
}

/// Two clocks that are to run alike: the machine's, which people and programs set, and one
/// that only runs.
#[derive(Clone, Copy, Debug)]
pub struct Steady {
    wall: Instant,
    running: Duration,
}

impl Steady {
    /// Begins to compare; `running` counts from any beginning.
    pub fn begin(wall: Instant, running: Duration) -> Self {
        Self { wall, running }
    }

    /// Whether the machine's clock may be believed as far as to erase what has expired: it
    /// has not leapt ahead, or a hub's log shows about the same time.
    pub fn believes(&mut self, clocks: &Clocks, wall: Instant, running: Duration) -> bool {
        let expected = self.wall.plus(running.saturating_sub(self.running));
        let leapt = wall > expected.plus(LEAP) && !clocks.confirmed(wall);
        clocks.note_leap(leapt);
        if !leapt {
            *self = Self { wall, running };
        }
        !leapt
    }
}

/// What is to be told of clocks.
///
/// # Errors
/// The store's.
pub async fn findings(node: &Node) -> Done<Vec<Finding>> {
    let problem = |code: &str, message: String, step: &str, whose: String| Finding {
        severity: Severity::Problem,
        code: code.into(),
        message,
        step: step.into(),
        whose,
    };
    let mut found = Vec::new();
    let newest = node.store.read().await?.audit_newest().await?;
    let now = node.clock.now();
    if let Some(at) = newest.map(|record| record.event.at).filter(|at| *at > now.plus(TOLERANCE)) {
        found.push(problem(
            "clock_went_back",
            format!("this machine's clock says {now}; the audit already has a record of {at}"),
            "set the clock, and let it be kept by NTP; what expires does so late meanwhile",
            "you".into(),
        ));
    }
    if node.links.clocks.has_leapt() {
        found.push(problem(
            "clock_leapt",
            format!(
                "this machine's clock has leapt ahead to {now}: nothing is erased until a \
                     hub's log shows that time too"
            ),
            "set the clock; if it is right now, the next entry of any log confirms it",
            "you".into(),
        ));
    }
    for (hub, ahead_ms) in node.links.clocks.off() {
        let minutes = ahead_ms.unsigned_abs() / 60_000;
        let way = if ahead_ms > 0 { "ahead of" } else { "behind" };
        found.push(problem(
            "clock_off",
            format!("the clock of {hub} is {minutes} minutes {way} this machine's"),
            "compare both with a third, and let both be kept by NTP",
            format!("you and {hub}, administrator"),
        ));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const DAY: Duration = Duration::from_secs(24 * 3600);

    fn place(sequence: u64) -> (LineageId, Sequence) {
        (LineageId([1; 16]), Sequence(sequence))
    }

    fn hub() -> NodeId {
        "relay".parse().unwrap()
    }

    fn check(order: [u8; 2], ahead_min: i64, told: bool) {
        let clocks = Clocks::default();
        let (now, written) = (Instant(0), Instant(ahead_min * 60_000));
        for half in order {
            match half {
                0 => clocks.answered(&hub(), place(1), now),
                _ => clocks.written(&hub(), place(1), written),
            }
        }
        let expected = told.then(|| (hub(), ahead_min * 60_000));
        assert_eq!(clocks.off(), expected.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn a_hub_s_clock_is_measured_whichever_comes_first() {
        for order in [[0, 1], [1, 0]] {
            check(order, 4, false);
            check(order, 5, true);
            check(order, -7, true);
        }
        check([0, 0], 9, false);
    }

    #[test]
    fn a_clock_that_is_mended_is_told_of_no_more() {
        let clocks = Clocks::default();
        for (sequence, ahead) in [(1, 60), (2, 0)] {
            clocks.answered(&hub(), place(sequence), Instant(0));
            clocks.written(&hub(), place(sequence), Instant(0).plus(MINUTE * ahead));
        }
        assert_eq!(clocks.off(), []);
    }

    #[test]
    fn a_leap_is_believed_only_with_a_hub_s_word() {
        let clocks = Clocks::default();
        let mut steady = Steady::begin(Instant(0), Duration::ZERO);
        let after = |days: u32| Instant(0).plus(DAY * days);
        assert!(steady.believes(&clocks, Instant(0).plus(MINUTE), MINUTE));
        assert!(!steady.believes(&clocks, after(30), MINUTE * 2));
        assert!(clocks.has_leapt());
        // Set back, it is believed again; so it is where the time has really passed.
        assert!(steady.believes(&clocks, Instant(0).plus(MINUTE * 3), MINUTE * 3));
        assert!(!clocks.has_leapt());
        assert!(steady.believes(&clocks, after(30), DAY * 30));
        assert!(!steady.believes(&clocks, after(90), DAY * 30 + MINUTE));
        clocks.written(&hub(), place(1), after(90));
        clocks.answered(&hub(), place(1), after(90));
        assert!(steady.believes(&clocks, after(90), DAY * 30 + MINUTE));
    }

    #[test]
    fn going_back_erases_nothing_and_is_no_leap() {
        let clocks = Clocks::default();
        let mut steady = Steady::begin(Instant(0).plus(DAY * 9), Duration::ZERO);
        assert!(steady.believes(&clocks, Instant(0), MINUTE));
        assert!(!steady.believes(&clocks, Instant(0).plus(DAY * 9), MINUTE * 2));
    }
}
