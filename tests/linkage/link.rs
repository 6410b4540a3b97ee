//! The pairs that the fixed rule accepts, and how right they are.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::matching::fan_out::weigh;
use raccordo_core::matching::grade::Grade;
use raccordo_core::normal::evidence::Family;

use crate::columns::{Record, TokenBytes};

/// A pair of ids, and its grade.
pub type Found = BTreeMap<(String, String), Grade>;

/// Links two lists of records, or one list with itself.
pub fn link(left: &[Record], right: Option<&[Record]>) -> Found {
    let others = right.unwrap_or(left);
    let mut index: BTreeMap<(Family, TokenBytes), Vec<usize>> = BTreeMap::new();
    for (place, record) in others.iter().enumerate() {
        for token in &record.tokens {
            index.entry(*token).or_default().push(place);
        }
    }
    let mut found = Found::new();
    for record in left {
        let mut agreeing: BTreeMap<usize, Vec<(Family, usize)>> = BTreeMap::new();
        for token in &record.tokens {
            let places = index.get(token).map_or(&[][..], Vec::as_slice);
            for place in places {
                agreeing.entry(*place).or_default().push((token.0, places.len()));
            }
        }
        for (place, families) in agreeing {
            let other = &others[place];
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

/// How right the accepted pairs are.
pub struct Score {
    pub accepted: usize,
    pub precision: f64,
    pub recall: f64,
    pub precision_a: f64,
    pub recall_a: f64,
}

impl Score {
    /// Scores pairs of grades A and B.
    pub fn of(found: &Found, truth: &BTreeSet<(String, String)>) -> Self {
        let of = |least: Grade| {
            let accepted: Vec<_> =
                found.iter().filter(|(_, grade)| **grade >= least).map(|(pair, _)| pair).collect();
            let right = accepted.iter().filter(|pair| truth.contains(**pair)).count();
            let share = |of: usize| if of == 0 { 0.0 } else { right as f64 / of as f64 };
            (accepted.len(), share(accepted.len()), share(truth.len()))
        };
        let (accepted, precision, recall) = of(Grade::B);
        let (_, precision_a, recall_a) = of(Grade::A);
        Self { accepted, precision, recall, precision_a, recall_a }
    }
}
