//! Chance from a seed.

use raccordo_core::entropy::{SeededEntropy, draw};

/// The same label throws the same.
pub struct Dice(SeededEntropy);

impl Dice {
    /// Of a label.
    pub fn new(label: &str) -> Self {
        Self(SeededEntropy::labelled(label))
    }

    /// A number from 0 on.
    pub fn below(&self, end: usize) -> usize {
        let end = u64::try_from(end.max(1)).unwrap_or(1);
        usize::try_from(u64::from_be_bytes(draw(&self.0)) % end).unwrap_or_default()
    }

    /// Something of so many of a thousand.
    pub fn happens(&self, of_thousand: usize) -> bool {
        self.below(1_000) < of_thousand
    }

    /// One of several, all alike; nothing of none.
    pub fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        of.get(self.below(of.len())).copied().unwrap_or_default()
    }

    /// One of several, the first the most frequent: the k-th as 1/(k + 3).
    pub fn frequent<'a>(&self, of: &[&'a str]) -> &'a str {
        let weight = |at: usize| 1_000_000 / (at + 3);
        let mut left = self.below((0..of.len()).map(weight).sum());
        for (at, one) in of.iter().enumerate() {
            match left.checked_sub(weight(at)) {
                Some(rest) => left = rest,
                None => return one,
            }
        }
        of.first().copied().unwrap_or_default()
    }

    /// Digits.
    pub fn digits(&self, count: usize) -> String {
        let digit = |_| char::from_digit(u32::try_from(self.below(10)).unwrap_or(0), 10);
        (0..count).filter_map(digit).collect()
    }

    /// Capital consonants.
    pub fn consonants(&self, count: usize) -> String {
        const ALL: [&str; 14] =
            ["B", "C", "D", "F", "G", "L", "M", "N", "P", "R", "S", "T", "V", "Z"];
        (0..count).map(|_| self.one(&ALL)).collect()
    }
}
