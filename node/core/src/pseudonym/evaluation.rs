//! What a holder answers: its share applied to blinded elements, with one proof for all.

use voprf::{BlindedElement, EvaluationElement, Proof, Ristretto255, VoprfServer};

use super::group::Coins;
use super::share::KeyShare;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::entropy::Entropy;

/// The most elements of one request. RFC 9497 §2.2.1 allows 65,535; a request must fit into
/// one message.
pub const BATCH_MAX: usize = 1_000;

/// Why a holder does not evaluate a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EvaluationError {
    /// The requester's fault: nothing to evaluate, or more than [`BATCH_MAX`].
    #[error("a request has 1 to {BATCH_MAX} elements")]
    Count,
    /// The requester's fault: an element is not canonical, or the identity.
    #[error("element {0} of the request is no element of the group")]
    Element(usize),
    /// Ourselves: the share is no scalar.
    #[error("the own share cannot be used")]
    Share,
}

/// An answer: one element of 32 bytes per blinded one, and a proof of 64 bytes that one share
/// made them all (RFC 9497 §2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// In the order of the request.
    pub elements: Vec<[u8; 32]>,
    /// Challenge and response, 32 bytes each.
    pub proof: [u8; 64],
}

/// Applies a share to blinded elements. The budget has been looked at before.
///
/// # Errors
/// [`EvaluationError`].
pub fn evaluate(
    entropy: &dyn Entropy,
    share: &KeyShare,
    blinded: &[[u8; 32]],
) -> Result<Evaluation, EvaluationError> {
    if !(1..=BATCH_MAX).contains(&blinded.len()) {
        return Err(EvaluationError::Count);
    }
    let read = |(place, bytes): (usize, &[u8; 32])| {
        BlindedElement::<Ristretto255>::deserialize(bytes)
            .map_err(|_| EvaluationError::Element(place))
    };
    let blinded = blinded.iter().enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    let server = VoprfServer::<Ristretto255>::new_with_key(share.bytes());
    let server = server.map_err(|_| EvaluationError::Share)?;
    let answer = server.batch_blind_evaluate(&mut Coins(entropy), &blinded);
    let answer = answer.map_err(|_| EvaluationError::Count)?;
    let elements = answer.messages.iter().map(|message| message.serialize().into());
    Ok(Evaluation { elements: elements.collect(), proof: wide(&answer.proof.serialize()) })
}

fn wide(bytes: &[u8]) -> [u8; 64] {
    let mut out = [0; 64];
    out.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    out
}

impl Evaluation {
    pub(super) fn proof(&self) -> Option<Proof<Ristretto255>> {
        Proof::deserialize(&self.proof).ok()
    }

    pub(super) fn messages(&self) -> Option<Vec<EvaluationElement<Ristretto255>>> {
        self.elements.iter().map(|bytes| EvaluationElement::deserialize(bytes).ok()).collect()
    }

    /// Canonical bytes of type `key-evaluation`: the elements joined, the proof.
    pub fn encode(&self) -> Vec<u8> {
        let writer = Writer::new("key-evaluation").bytes(&self.elements.concat());
        writer.bytes(&self.proof).finish()
    }

    /// Reads what [`Evaluation::encode`] wrote; says nothing of its truth.
    ///
    /// # Errors
    /// [`CanonicalError`]: the sender's fault.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("key-evaluation", bytes)?;
        let (elements, rest) = reader.bytes("elements")?.as_chunks();
        if !rest.is_empty() {
            return Err(CanonicalError::Field("elements"));
        }
        let evaluation = Self { elements: elements.to_vec(), proof: reader.array("proof")? };
        reader.end()?;
        Ok(evaluation)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::pseudonym::share::tests::{nodes, shared};
    use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;

    fn check(blinded: &[[u8; 32]], expected: Result<usize, EvaluationError>) {
        let (_, shares) = shared(2, 2);
        let entropy = SeededEntropy::labelled("evaluate");
        let found = evaluate(&entropy, &shares[&nodes(1)[0]], blinded);
        assert_eq!(found.map(|evaluation| evaluation.elements.len()), expected);
    }

    #[test]
    fn requests() {
        let base = RISTRETTO_BASEPOINT_POINT.compress().to_bytes();
        check(&[base], Ok(1));
        check(&[base; 12], Ok(12));
        check(&[], Err(EvaluationError::Count));
        check(&[base; BATCH_MAX + 1], Err(EvaluationError::Count));
        check(&[base, [0; 32]], Err(EvaluationError::Element(1)));
        check(&[[0xff; 32], base], Err(EvaluationError::Element(0)));
    }

    #[test]
    fn evaluations_are_read_back() {
        let evaluation = Evaluation { elements: vec![[1; 32], [2; 32]], proof: [3; 64] };
        let bytes = evaluation.encode();
        assert_eq!(Evaluation::decode(&bytes), Ok(evaluation));
        for cut in 0..bytes.len() {
            assert!(Evaluation::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let bytes = Writer::new("key-evaluation").bytes(&[0; 33]).bytes(&[0; 64]).finish();
        assert_eq!(Evaluation::decode(&bytes), Err(CanonicalError::Field("elements")));
    }
}
