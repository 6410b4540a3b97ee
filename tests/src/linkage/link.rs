//! The pairs that the fixed rule accepts, and how right they are.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::matching::fan_out::weigh;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::evidence::Family;

use super::record::{Pair, Record, TokenBytes};

/// Pairs of ids, each with its grade.
pub type Found = BTreeMap<Pair, Grade>;

/// Links two lists of records, or one list with itself.
pub fn link(left: &[Record], right: Option<&[Record]>) -> Found {
    let others = right.unwrap_or(left);
    let mut index: BTreeMap<(Family, TokenBytes), Vec<usize>> = BTreeMap::new();
    for (place, record) in others.iter().enumerate() {
        for token in &record.tokens {
            index.entry(*token).or_default().push(place);
        }
    }
    // How many records of the other side have a value: a record is not beside itself.
    let own = usize::from(right.is_none());
    let mut found = Found::new();
    for record in left {
        let mut agreeing: BTreeMap<usize, Vec<(Family, usize)>> = BTreeMap::new();
        for token in &record.tokens {
            let places = index.get(token).map_or(&[][..], Vec::as_slice);
            for place in places {
                let spread = places.len().saturating_sub(own);
                agreeing.entry(*place).or_default().push((token.0, spread));
            }
        }
        for (place, families) in agreeing {
            let Some(other) = others.get(place) else { continue };
            if right.is_none() && record.id >= other.id {
                continue;
            }
            if let Some(grade) = weigh(families).agreement.grade() {
                found.insert((record.id.clone(), other.id.clone()), grade);
            }
        }
    }
    found
}

/// How right the pairs of some grade or better are.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Pairs.
    pub accepted: usize,
    /// Which share of them is true.
    pub precision: f64,
    /// Which share of the true ones is among them.
    pub recall: f64,
}

impl Score {
    /// Scores the pairs of at least this grade.
    pub fn of(found: &Found, least: Grade, truth: &BTreeSet<Pair>) -> Self {
        let accepted = found.iter().filter(|(_, grade)| **grade >= least).map(|(pair, _)| pair);
        let accepted: Vec<&Pair> = accepted.collect();
        let right = accepted.iter().filter(|pair| truth.contains(**pair)).count();
        let share = |of: usize| if of == 0 { 0.0 } else { right as f64 / of as f64 };
        let (precision, recall) = (share(accepted.len()), share(truth.len()));
        Self { accepted: accepted.len(), precision, recall }
    }
}
