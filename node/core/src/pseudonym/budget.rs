//! Budgets: how many tokens a node may ask for in a day, counted by every member alike.
//!
//! A request travels in the équipe's log, so that every member debits it, whoever evaluates
//! it. Were each to count only what it answers, a requester among n members with threshold t
//! would have (n-1)/(t-1) times its budget. The day is the UTC day of the log's `accepted_at`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::civil::Date;

use super::key::Class;
use crate::id::NodeId;
use crate::time::Instant;
use crate::trust::pact::terms::Budget;

/// How far a request's `accepted_at` may be from an evaluator's own clock. A hub that shows
/// old requests anew, or puts many into days to come, gets no answer.
pub const FRESH: Duration = Duration::from_secs(5 * 60);

impl Budget {
    /// Tokens of a class that one node may ask for in a day.
    pub fn per_day(&self, class: Class) -> u32 {
        match class {
            Class::PersonStrong => self.person_strong_per_day,
            Class::PersonWeak => self.person_weak_per_day,
            Class::Company => self.company_per_day,
        }
    }
}

/// What a request in the log asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Who asks: MLS has authenticated it.
    pub requester: NodeId,
    /// Which key.
    pub class: Class,
    /// How many elements.
    pub count: u32,
    /// When the hub accepted it.
    pub accepted_at: Instant,
}

/// What became of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charge {
    /// It may be evaluated.
    Within {
        /// What the requester may still ask for on this day.
        left: u32,
    },
    /// Nobody evaluates it, and it costs nothing.
    Over {
        /// The budget of the day.
        limit: u32,
        /// What was used of it before.
        used: u32,
        /// Whether this is the requester's first of this class and day that went over: every
        /// member's administrators are told once, the requester's own among them.
        alarm: bool,
    },
}

/// What was used of one budget on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Use {
    used: u32,
    refused: u32,
}

/// The tickets of the current day of a log, counted in its order. Rebuilt from the log, or
/// kept beside its cursor in one transaction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meter {
    day: Option<Date>,
    uses: BTreeMap<(NodeId, Class), Use>,
}

impl Meter {
    /// Counts a ticket, in the order of the log and each once. It holds the budget whole or
    /// not at all: what does not fit is refused and not counted.
    pub fn charge(&mut self, budget: &Budget, ticket: &Ticket) -> Charge {
        let day = ticket.accepted_at.date();
        // `accepted_at` never decreases (`hublog`), so that no earlier day comes back.
        if self.day.is_none_or(|known| known < day) {
            self.uses.clear();
            self.day = Some(day);
        }
        let limit = budget.per_day(ticket.class);
        let entry = self.uses.entry((ticket.requester.clone(), ticket.class)).or_default();
        match entry.used.checked_add(ticket.count).filter(|sum| *sum <= limit) {
            Some(sum) => {
                entry.used = sum;
                Charge::Within { left: limit - sum }
            }
            None => {
                entry.refused = entry.refused.saturating_add(1);
                Charge::Over { limit, used: entry.used, alarm: entry.refused == 1 }
            }
        }
    }

    /// What a node used of a class on the day of `now`.
    pub fn used(&self, node: &NodeId, class: Class, now: Instant) -> u32 {
        let today = self.day == Some(now.date());
        let found = self.uses.get(&(node.clone(), class)).filter(|_| today);
        found.map_or(0, |entry| entry.used)
    }

    /// The rows of the current day, to be kept: day, requester, class, tokens used, requests
    /// refused.
    pub fn rows(&self) -> impl Iterator<Item = (Date, &NodeId, Class, u32, u32)> {
        let day = self.day;
        self.uses.iter().filter_map(move |((node, class), entry)| {
            Some((day?, node, *class, entry.used, entry.refused))
        })
    }

    /// A meter from kept rows; those of earlier days than the newest are left out.
    pub fn from_rows(rows: impl IntoIterator<Item = (Date, NodeId, Class, u32, u32)>) -> Self {
        let mut meter = Self::default();
        for (day, node, class, used, refused) in rows {
            if meter.day.is_none_or(|known| known < day) {
                meter.uses.clear();
                meter.day = Some(day);
            }
            if meter.day == Some(day) {
                meter.uses.insert((node, class), Use { used, refused });
            }
        }
        meter
    }
}

/// Why a member does not evaluate a request that is within its budget.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Abstention {
    /// The request is older or newer than [`FRESH`]: it was read late, or a clock is wrong.
    #[error("the request is not of the last five minutes")]
    Stale,
    /// This node was added on the same day, and has not seen all requests of it.
    #[error("this node has not seen all requests of the day")]
    Newcomer,
}

/// Whether this node may evaluate a request. `joined` is when the commit that added it was
/// accepted; none for those who founded the équipe.
///
/// # Errors
/// [`Abstention`]: others answer.
pub fn may_evaluate(
    ticket: &Ticket,
    now: Instant,
    joined: Option<Instant>,
) -> Result<(), Abstention> {
    let apart = now.since(ticket.accepted_at).max(ticket.accepted_at.since(now));
    if apart > FRESH {
        return Err(Abstention::Stale);
    }
    match joined {
        Some(joined) if ticket.accepted_at.date() <= joined.date() => Err(Abstention::Newcomer),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::share::tests::nodes;
    use proptest::prelude::*;

    const DAY_MS: i64 = 86_400_000;

    fn budget() -> Budget {
        Budget {
            decided_by: "test".to_owned(),
            person_strong_per_day: 1_500,
            person_weak_per_day: 600,
            company_per_day: 200,
        }
    }

    fn ticket(node: usize, class: Class, count: u32, at: i64) -> Ticket {
        let requester = nodes(9).remove(node);
        Ticket { requester, class, count, accepted_at: Instant(at) }
    }

    fn charge(meter: &mut Meter, node: usize, class: Class, count: u32, at: i64) -> Charge {
        meter.charge(&budget(), &ticket(node, class, count, at))
    }

    #[test]
    fn each_node_class_and_day_has_its_own() {
        let mut meter = Meter::default();
        let check = |meter: &mut Meter, node, class, count, at, left| {
            assert_eq!(charge(meter, node, class, count, at), Charge::Within { left });
        };
        check(&mut meter, 0, Class::PersonStrong, 1_000, 0, 500);
        check(&mut meter, 0, Class::PersonStrong, 500, 1, 0);
        check(&mut meter, 0, Class::PersonWeak, 600, 2, 0);
        check(&mut meter, 0, Class::Company, 199, 3, 1);
        check(&mut meter, 1, Class::PersonStrong, 1_500, 4, 0);
        check(&mut meter, 0, Class::PersonStrong, 1_500, DAY_MS, 0);
        assert_eq!(meter.used(&nodes(1)[0], Class::PersonStrong, Instant(DAY_MS)), 1_500);
        assert_eq!(meter.used(&nodes(1)[0], Class::PersonStrong, Instant(2 * DAY_MS)), 0);
        assert_eq!(meter.used(&nodes(2)[1], Class::PersonStrong, Instant(DAY_MS)), 0);
    }

    #[test]
    fn over_budget_is_refused_whole_and_told_once() {
        let mut meter = Meter::default();
        let over = |used, alarm| Charge::Over { limit: 200, used, alarm };
        assert_eq!(charge(&mut meter, 0, Class::Company, 201, 0), over(0, true));
        assert_eq!(charge(&mut meter, 0, Class::Company, 150, 1), Charge::Within { left: 50 });
        assert_eq!(charge(&mut meter, 0, Class::Company, 51, 2), over(150, false));
        assert_eq!(charge(&mut meter, 0, Class::Company, 50, 3), Charge::Within { left: 0 });
        assert_eq!(charge(&mut meter, 1, Class::Company, u32::MAX, 4), over(0, true));
        assert_eq!(charge(&mut meter, 0, Class::Company, u32::MAX, DAY_MS), over(0, true));
    }

    #[test]
    fn ten_thousand_codici_fiscali_stop_at_the_budget() {
        let mut meter = Meter::default();
        let asked = (0..100).map(|at| charge(&mut meter, 0, Class::PersonStrong, 100, at));
        let charges: Vec<Charge> = asked.collect();
        let within = charges.iter().filter(|charge| matches!(charge, Charge::Within { .. }));
        assert_eq!(within.count(), 15);
        let alarms = charges.iter().filter(|c| matches!(c, Charge::Over { alarm: true, .. }));
        assert_eq!(alarms.count(), 1);
    }

    #[test]
    fn rows_are_read_back() {
        let mut meter = Meter::default();
        charge(&mut meter, 0, Class::Company, 10, 0);
        charge(&mut meter, 1, Class::Company, 1_000, 0);
        let rows: Vec<_> = meter.rows().map(|(d, n, c, u, r)| (d, n.clone(), c, u, r)).collect();
        assert_eq!(rows.len(), 2);
        assert_eq!(Meter::from_rows(rows.clone()), meter);
        charge(&mut meter, 0, Class::Company, 10, DAY_MS);
        let later = meter.rows().map(|(d, n, c, u, r)| (d, n.clone(), c, u, r));
        assert_eq!(Meter::from_rows(rows.into_iter().chain(later)), meter);
    }

    #[test]
    fn only_fresh_requests_are_evaluated() {
        let minute = 60_000;
        let check = |now: i64, expected| {
            let ticket = ticket(0, Class::Company, 1, 10 * minute);
            assert_eq!(may_evaluate(&ticket, Instant(now), None), expected, "{now}");
        };
        check(10 * minute, Ok(()));
        check(15 * minute, Ok(()));
        check(15 * minute + 1, Err(Abstention::Stale));
        check(5 * minute, Ok(()));
        check(5 * minute - 1, Err(Abstention::Stale));
    }

    #[test]
    fn a_newcomer_waits_for_the_next_day() {
        let check = |joined: i64, at: i64, expected| {
            let ticket = ticket(0, Class::Company, 1, at);
            assert_eq!(may_evaluate(&ticket, Instant(at), Some(Instant(joined))), expected);
        };
        check(5, 6, Err(Abstention::Newcomer));
        check(5, DAY_MS - 1, Err(Abstention::Newcomer));
        check(5, DAY_MS, Ok(()));
        check(DAY_MS, DAY_MS, Err(Abstention::Newcomer));
    }

    proptest! {
        #[test]
        fn whatever_is_asked_no_day_goes_over(
            tickets in proptest::collection::vec((0_usize..3, 0_usize..3, 0_u32..900, 0_i64..40_000_000), 1..40),
        ) {
            let (mut meter, mut sums) = (Meter::default(), BTreeMap::new());
            let mut at = 0;
            for (node, class, count, later) in tickets {
                at += later;
                let class = Class::ALL[class];
                let charged = charge(&mut meter, node, class, count, at);
                if matches!(charged, Charge::Within { .. }) {
                    *sums.entry((node, class, at / DAY_MS)).or_insert(0) += count;
                }
            }
            for ((_, class, _), sum) in sums {
                prop_assert!(sum <= budget().per_day(class));
            }
        }
    }
}
