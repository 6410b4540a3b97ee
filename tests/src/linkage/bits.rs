//! The pairs that evidence in bits accepts (`raccordo_core::evidence`), and why.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::evidence::family::{Evidence, Family};
use raccordo_core::evidence::frequency::Frequencies;
use raccordo_core::evidence::grade;
use raccordo_core::evidence::weight::Weight;
use raccordo_core::matching::fan_out::SPREAD_MAX;
use raccordo_core::matching::grade::Grade;
use raccordo_core::matching::shown::RegisterSize;
use raccordo_core::normal::stop_list::StopList;

use super::link::Found;
use super::record::{Pair, Record};

/// What two records agree on.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// Bits, and what they are of.
    pub weight: Weight,
    /// Which families agree.
    pub families: BTreeSet<Family>,
    /// What it comes to, beside its rivals.
    pub grade: Grade,
}

/// Weighs all pairs that agree on anything. The right side receives: it knows its own values, and
/// of the other's only what agrees and the facts.
pub fn weigh(left: &[Record], right: Option<&[Record]>) -> BTreeMap<Pair, Weighed> {
    let others = right.unwrap_or(left);
    let mut frequencies = Frequencies::default();
    others.iter().for_each(|record| record.subject.count(&mut frequencies));
    let mut index: BTreeMap<(Family, &str), Vec<(&Record, &Evidence)>> = BTreeMap::new();
    for record in others {
        for one in &record.evidence {
            let entry = index.entry((one.family, one.value.reveal().as_str()));
            entry.or_default().push((record, one));
        }
    }
    let size = |records: &[Record]| u32::try_from(records.len()).unwrap_or(u32::MAX);
    // Other nodes are told it coarsely.
    let both = grade::both(size(others), RegisterSize::of(size(left)).records());
    let stops = StopList::default();
    let mut found: BTreeMap<Pair, Weighed> = BTreeMap::new();
    for record in left {
        let mut agreeing: BTreeMap<&str, (&Record, Vec<&Evidence>)> = BTreeMap::new();
        for one in &record.evidence {
            let same = index.get(&(one.family, one.value.reveal().as_str()));
            for (other, own) in same.into_iter().flatten().take(SPREAD_MAX) {
                if right.is_some() || record.id < other.id {
                    agreeing.entry(&other.id).or_insert((other, Vec::new())).1.push(own);
                }
            }
        }
        for (id, (own, evidence)) in agreeing {
            let facts = [own, record].map(|it| it.subject.facts(&stops));
            let weight = own.subject.weigh(&evidence, facts.into(), &frequencies);
            let families = evidence.iter().map(|one| one.family).collect();
            let grade = grade::grade(&weight, both);
            found.insert((record.id.clone(), id.to_owned()), Weighed { weight, families, grade });
        }
    }
    // In one list a record has several of its kind.
    if right.is_some() {
        set_rivals_back(&mut found);
    }
    found
}

/// Of the pairs of one record those that are much weaker than the best are questions.
fn set_rivals_back(found: &mut BTreeMap<Pair, Weighed>) {
    let (mut left, mut right): (BTreeMap<String, f64>, BTreeMap<String, f64>) = Default::default();
    for ((one, other), weighed) in found.iter() {
        for (best, id) in [(&mut left, one), (&mut right, other)] {
            let best = best.entry(id.clone()).or_insert(f64::MIN);
            *best = best.max(weighed.weight.bits);
        }
    }
    for ((one, other), weighed) in found {
        let of = |best: &BTreeMap<String, f64>, id: &String| best.get(id).copied();
        let best = of(&left, one).into_iter().chain(of(&right, other)).fold(f64::MIN, f64::max);
        weighed.grade = grade::beside(weighed.grade, &weighed.weight, best);
    }
}

/// Each pair with its grade.
pub fn grades(weighed: &BTreeMap<Pair, Weighed>) -> Found {
    weighed.iter().map(|(pair, weighed)| (pair.clone(), weighed.grade)).collect()
}
