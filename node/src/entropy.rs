//! Randomness from the operating system, asked anew for every byte.

use std::thread;
use std::time::Duration;

use raccordo_core::entropy::{Entropy, draw};
use raccordo_core::id::Digest;

/// How long to wait before the operating system is asked again.
const RETRY_DELAY: Duration = Duration::from_millis(50);

/// The operating system gives no random bytes; nothing can be encrypted on this machine.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gives no random bytes: {0}")]
pub struct NoEntropy(getrandom::Error);

/// Draws from `getrandom(2)`, or what the platform has in its place.
///
/// No generator runs inside the process: a snapshot of the machine that is started twice
/// would go on with the same one in both.
#[derive(Debug)]
pub struct SystemEntropy(());

impl SystemEntropy {
    /// Draws once, to learn at start whether the source works.
    ///
    /// # Errors
    /// [`NoEntropy`] when it does not: the operator has to mend the machine or its sandbox.
    pub fn open() -> Result<Self, NoEntropy> {
        getrandom::fill(&mut [0; 32]).map_err(NoEntropy)?;
        Ok(Self(()))
    }
}

impl Entropy for SystemEntropy {
    /// Waits for as long as a source that worked at start fails: the caller must not go on
    /// with bytes that can be guessed, and other threads may still answer.
    fn fill(&self, out: &mut [u8]) {
        while let Err(error) = getrandom::fill(out) {
            tracing::error!(%error, "no random bytes from the operating system, asking again");
            thread::sleep(RETRY_DELAY);
        }
    }

    /// SHA-256 of the input and 32 fresh bytes: as good as either.
    fn coins(&self, input: [u8; 32]) -> [u8; 32] {
        let fresh: [u8; 32] = draw(self);
        let mut both = [0; 64];
        let (left, right) = both.split_at_mut(32);
        left.copy_from_slice(&input);
        right.copy_from_slice(&fresh);
        Digest::of(&both).0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_bytes_nor_coins_repeat() {
        let source = SystemEntropy::open().unwrap();
        assert_ne!(draw::<32>(&source), draw::<32>(&source));
        assert_ne!(source.coins([1; 32]), source.coins([1; 32]));
    }
}
