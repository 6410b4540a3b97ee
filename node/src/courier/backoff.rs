//! How long to wait before trying again.

use std::time::Duration;

use raccordo_core::entropy::{Entropy, draw};

/// Exponential waits with full jitter: each lies between zero and a ceiling that doubles
/// from try to try, so that nodes that failed together do not come back together.
#[derive(Clone, Debug)]
pub struct Backoff {
    first: Duration,
    longest: Duration,
    ceiling: Duration,
}

impl Backoff {
    /// For a hub that cannot be reached: up to 0.2 s at first, 30 s at last.
    pub fn for_connections() -> Self {
        Self::new(Duration::from_millis(200), Duration::from_secs(30))
    }

    /// For errands that wait for somebody to act: up to 2 s at first, 60 s at last.
    pub fn for_people() -> Self {
        Self::new(Duration::from_secs(2), Duration::from_secs(60))
    }

    fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, ceiling: first }
    }

    /// The next wait.
    pub fn next(&mut self, entropy: &dyn Entropy) -> Duration {
        let ceiling_ms = u64::try_from(self.ceiling.as_millis()).unwrap_or(u64::MAX);
        self.ceiling = self.ceiling.saturating_mul(2).min(self.longest);
        // A bias of at most one part in 2^48 does not matter here.
        let random = u64::from_be_bytes(draw(entropy));
        Duration::from_millis(random % ceiling_ms.saturating_add(1))
    }

    /// Begins anew after a success.
    pub fn reset(&mut self) {
        self.ceiling = self.first;
    }
}

#[cfg(test)]
mod tests {
    use raccordo_core::entropy::SeededEntropy;

    use super::*;

    /// The longest of 200 series' waits, by place in the series.
    fn longest(places: usize) -> Vec<u128> {
        let entropy = SeededEntropy::labelled("backoff");
        let mut longest = vec![0; places];
        for _ in 0..200 {
            let mut backoff = Backoff::for_connections();
            for place in &mut longest {
                *place = backoff.next(&entropy).as_millis().max(*place);
            }
        }
        longest
    }

    #[test]
    fn ceilings_double_up_to_the_longest() {
        let longest = longest(10);
        let ceilings = [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
        for (seen, ceiling) in longest.into_iter().zip(ceilings) {
            assert!(seen <= ceiling && seen > ceiling * 9 / 10, "{seen} of {ceiling}");
        }
    }

    #[test]
    fn two_nodes_do_not_wait_alike() {
        let (one, other) = (SeededEntropy::labelled("one"), SeededEntropy::labelled("other"));
        let waits = |entropy: &SeededEntropy| {
            let mut backoff = Backoff::for_people();
            [(); 5].map(|()| backoff.next(entropy))
        };
        assert_ne!(waits(&one), waits(&other));
    }

    #[test]
    fn a_success_begins_anew() {
        let entropy = SeededEntropy::labelled("reset");
        let mut backoff = Backoff::for_connections();
        for _ in 0..12 {
            backoff.next(&entropy);
        }
        backoff.reset();
        assert!(backoff.next(&entropy) <= Duration::from_millis(200));
    }
}
