//! Randomness as an input, so that tests and simulation repeat to the byte.

use std::sync::{Mutex, PoisonError};

use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

/// Where random bytes come from.
///
/// The node draws each byte from the operating system, so that a cloned machine does not
/// repeat its twin; tests and simulation use [`SeededEntropy`].
pub trait Entropy: Send + Sync {
    /// Fills `out` with the next random bytes.
    fn fill(&self, out: &mut [u8]);

    /// Coins for one encapsulation whose input hashes to `input`.
    ///
    /// OpenMLS seals path secrets on several threads, so a seeded source must make these a
    /// function of seed and input, not of a running generator.
    fn coins(&self, input: [u8; 32]) -> [u8; 32];
}

/// Draws `N` bytes.
pub fn draw<const N: usize>(entropy: &dyn Entropy) -> [u8; N] {
    let mut out = [0; N];
    entropy.fill(&mut out);
    out
}

/// A source that repeats for a seed. For tests and simulation only.
pub struct SeededEntropy {
    seed: [u8; 32],
    generator: Mutex<ChaCha20Rng>,
}

impl SeededEntropy {
    /// Starts at the beginning of the seed's stream.
    pub fn new(seed: [u8; 32]) -> Self {
        Self { seed, generator: Mutex::new(ChaCha20Rng::from_seed(seed)) }
    }

    /// A seed from a label, such as `run 7, node toscana`.
    pub fn labelled(label: &str) -> Self {
        Self::new(Sha256::digest(label.as_bytes()).into())
    }
}

impl Entropy for SeededEntropy {
    fn fill(&self, out: &mut [u8]) {
        // A poisoned generator is still a generator.
        self.generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(out);
    }

    fn coins(&self, input: [u8; 32]) -> [u8; 32] {
        Sha256::new().chain_update(self.seed).chain_update(input).finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_another_differs() {
        let first: [u8; 16] = draw(&SeededEntropy::labelled("a"));
        assert_eq!(first, draw(&SeededEntropy::labelled("a")));
        assert_ne!(first, draw(&SeededEntropy::labelled("b")));
    }

    #[test]
    fn coins_do_not_depend_on_what_was_drawn() {
        let source = SeededEntropy::labelled("a");
        let before = source.coins([1; 32]);
        let _: [u8; 8] = draw(&source);
        assert_eq!(before, source.coins([1; 32]));
        assert_ne!(before, source.coins([2; 32]));
    }
}
