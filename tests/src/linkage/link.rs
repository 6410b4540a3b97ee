//! Pairs with their grades, and how right they are.

use std::collections::{BTreeMap, BTreeSet};

use raccordo_core::matching::grade::Grade;

use super::record::Pair;

/// Pairs of ids, each with its grade.
pub type Found = BTreeMap<Pair, Grade>;

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
