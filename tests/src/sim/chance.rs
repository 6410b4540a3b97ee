//! The scheduler's dice.

use raccordo_core::entropy::{Entropy, SeededEntropy, draw};

/// Dice that fall the same way for a label.
pub struct Dice(SeededEntropy);

impl Dice {
    /// Dice for a label, such as `seed 7, schedule`.
    pub fn new(label: &str) -> Self {
        Self(SeededEntropy::labelled(label))
    }

    /// A number below `bound`; 0 for 0.
    pub fn below(&self, bound: u64) -> u64 {
        u64::from_be_bytes(draw(&self.0)).checked_rem(bound).unwrap_or(0)
    }

    /// Whether something that happens once in so many times happens now.
    pub fn one_in(&self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of some things.
    pub fn pick<'s, T>(&self, things: &'s [T]) -> Option<&'s T> {
        let place = usize::try_from(self.below(things.len() as u64)).unwrap_or(0);
        things.get(place)
    }

    /// One of some things, as likely as its weight says.
    pub fn weighted<'s, T>(&self, things: &'s [(u64, T)]) -> Option<&'s T> {
        let total = things.iter().map(|(weight, _)| weight).sum();
        let mut left = self.below(total);
        for (weight, thing) in things {
            if left < *weight {
                return Some(thing);
            }
            left -= weight;
        }
        None
    }

    /// The bytes behind it, for whoever needs more.
    pub fn entropy(&self) -> &dyn Entropy {
        &self.0
    }
}
