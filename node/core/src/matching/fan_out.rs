//! Caps: a value that agrees with too many records says nothing about any of them.
//!
//! The phone of a reception centre that is on no stop-list would make everybody there a
//! candidate of everybody; what spreads wider than its cap is left out of the grade, and told,
//! so that somebody puts it on the stop-list.

use std::collections::BTreeSet;

use super::grade::{Agreement, Grade};
use crate::normal::evidence::Family;
use crate::pseudonym::key::Class;

/// The most open candidates of one alert; the weakest are left out.
pub const CANDIDATES_MAX: usize = 20;

/// With how many records of this node one value may agree and still be evidence.
pub fn cap(family: Family) -> usize {
    match family.class() {
        // An identifier belongs to one person, who may be recorded more than once.
        Class::PersonStrong => 5,
        Class::PersonWeak => 20,
        Class::Company => 10,
    }
}

/// What is left of agreeing tokens when those that spread too wide are taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weighed {
    /// What counts.
    pub agreement: Agreement,
    /// Families of which a value was left out, for people to see.
    pub muted: BTreeSet<Family>,
}

/// Weighs agreeing tokens, each with how many records of this node have it.
pub fn weigh(agreeing: impl IntoIterator<Item = (Family, usize)>) -> Weighed {
    let mut weighed = Weighed::default();
    for (family, records) in agreeing {
        if records > cap(family) {
            weighed.muted.insert(family);
        } else {
            weighed.agreement.add(family);
        }
    }
    weighed
}

/// The candidates of one alert that are opened: the best [`CANDIDATES_MAX`], of equal grades
/// the first by key, so that it is the same whenever it is computed.
pub fn choose<K: Ord>(candidates: impl IntoIterator<Item = (Grade, K)>) -> Vec<(Grade, K)> {
    let mut candidates: Vec<(Grade, K)> = candidates.into_iter().collect();
    candidates.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
    candidates.truncate(CANDIDATES_MAX);
    candidates
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_spreads_too_wide_is_no_evidence() {
        let check = |records: usize, expected: Option<Grade>| {
            let weighed = weigh([(Family::Phone, records), (Family::NamesYear, 1)]);
            assert_eq!(weighed.agreement.grade(), expected, "{records}");
            assert_eq!(weighed.muted.contains(&Family::Phone), records > cap(Family::Phone));
        };
        check(1, Some(Grade::A));
        check(5, Some(Grade::A));
        check(6, Some(Grade::C));
        check(300, Some(Grade::C));
        assert_eq!(weigh([(Family::Phone, 300)]).agreement.grade(), None);
    }

    #[test]
    fn the_best_candidates_are_opened() {
        let weak = (0..30).map(|key| (Grade::C, key));
        let chosen = choose(weak.chain([(Grade::A, 77), (Grade::B, 76), (Grade::A, 75)]));
        assert_eq!(chosen.len(), CANDIDATES_MAX);
        let keys: Vec<i32> = chosen.iter().map(|(_, key)| *key).take(5).collect();
        assert_eq!(keys, [75, 77, 76, 0, 1]);
    }
}
