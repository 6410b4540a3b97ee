//! What the group alone costs: the bound under which tokens are made, for benchmarks.

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::scalar::Scalar;

use crate::entropy::{Entropy, draw};

/// Multiplies an element by random scalars, `count` times one after the other, in constant
/// time as an evaluation does; the last element, so that nothing is left out.
pub fn multiplications(entropy: &dyn Entropy, count: u32) -> [u8; 32] {
    let scalar = Scalar::from_bytes_mod_order_wide(&draw(entropy));
    let last = (0..count).fold(RISTRETTO_BASEPOINT_POINT, |point, _| point * scalar);
    last.compress().to_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;

    #[test]
    fn every_multiplication_counts() {
        let after = |count| multiplications(&SeededEntropy::labelled("cost"), count);
        assert_ne!(after(1), after(2));
        assert_eq!(after(2), after(2));
    }
}
