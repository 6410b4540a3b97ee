//! Whether a node holds the sealing key of its card: a key that only opens cannot sign, so
//! that a random number is sealed to it, and the node answers with what follows from it.
//!
//! The challenge is bound to the identities of both, so that nobody passes on one that it
//! cannot open; and the answer is a digest, so that nobody opens letters for another.

use crate::canonical::Writer;
use crate::entropy::Entropy;
use crate::id::{Digest, NodeId};
use crate::sealing::{self, SealingError};
use crate::secret::Secret;
use crate::trust::keys::PublicKey;

/// `info` of the sealing (RFC 9180 §5.1).
const INFO: &[u8] = b"raccordo/v1/sealing-challenge";

/// One of the two nodes: its id and identity key.
pub type Named<'a> = (&'a NodeId, &'a PublicKey);

/// Opens what was sealed to one of this node's cards: `info`, `aad`, letter.
pub type Opener<'a> = &'a dyn Fn(&[u8], &[u8], &[u8]) -> Result<Vec<u8>, SealingError>;

/// Seals a challenge to the key of the challenged node's card.
///
/// # Errors
/// [`SealingError::PublicKey`], which no card that was read causes.
pub fn challenge(
    entropy: &dyn Entropy,
    challenger: Named<'_>,
    challenged: Named<'_>,
    public: &[u8],
    number: &Secret<[u8; 32]>,
) -> Result<Vec<u8>, SealingError> {
    sealing::seal(entropy, public, INFO, &way(challenger, challenged), number.reveal())
}

/// Opens a challenge, and returns the answer.
///
/// # Errors
/// [`SealingError::Unopened`].
pub fn answer(
    open: Opener<'_>,
    challenger: Named<'_>,
    challenged: Named<'_>,
    letter: &[u8],
) -> Result<Digest, SealingError> {
    let opened = Secret::new(open(INFO, &way(challenger, challenged), letter)?);
    let number = opened.reveal().as_slice().try_into().map_err(|_| SealingError::Unopened)?;
    Ok(expected(challenger, challenged, &Secret::new(number)))
}

/// The answer to a challenge: SHA-256 of canonical `sealing-answer`.
pub fn expected(challenger: Named<'_>, challenged: Named<'_>, number: &Secret<[u8; 32]>) -> Digest {
    let writer = named(Writer::new("sealing-answer"), challenger, challenged);
    writer.bytes(number.reveal()).digest()
}

/// What a challenge is bound to: canonical bytes of type `sealing-challenge`.
fn way(challenger: Named<'_>, challenged: Named<'_>) -> Vec<u8> {
    named(Writer::new("sealing-challenge"), challenger, challenged).finish()
}

fn named(writer: Writer, challenger: Named<'_>, challenged: Named<'_>) -> Writer {
    writer
        .text(challenger.0.as_str())
        .bytes(challenger.1.as_bytes())
        .text(challenged.0.as_str())
        .bytes(challenged.1.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::sealing::SealingKey;
    use crate::trust::sample;

    /// A challenge of node 1 to node 2's key, opened by `by` as one of `from` to `to`.
    fn check(from: usize, to: usize, by: u8, holds: bool) {
        let key = |seed| SealingKey::derive(&Secret::new([seed; 32])).unwrap();
        let (nodes, keys): (Vec<_>, Vec<_>) =
            (0..4).map(|it| (sample::node(it), sample::key(it).public())).unzip();
        let named = |it: usize| (&nodes[it], &keys[it]);
        let number = Secret::new([5; 32]);
        let entropy = SeededEntropy::labelled("challenge");
        let public = key(2).public().to_vec();
        let letter = challenge(&entropy, named(1), named(2), &public, &number).unwrap();
        let opener = key(by);
        let open = |info: &[u8], aad: &[u8], sealed: &[u8]| opener.open(info, aad, sealed);
        let answered = answer(&open, named(from), named(to), &letter);
        assert_eq!(answered == Ok(expected(named(1), named(2), &number)), holds);
        assert_eq!(answered.is_ok(), holds);
    }

    #[test]
    fn only_the_holder_of_the_key_answers_and_only_as_itself() {
        check(1, 2, 2, true);
        // Another key; and the true holder, to whom one that claims its key passes it on.
        check(1, 2, 3, false);
        check(1, 3, 2, false);
        check(3, 2, 2, false);
    }
}
