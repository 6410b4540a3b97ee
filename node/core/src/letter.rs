//! Envelopes for one member alone: sealed to its card's key, inside a message that all
//! members read.
//!
//! MLS has authenticated the sender of the message around a letter; the letter itself is
//! bound to lineage, sender and recipient, so that no member can pass another's on as its
//! own.

use crate::canonical::Writer;
use crate::entropy::Entropy;
use crate::envelope::{Envelope, Sealed};
use crate::id::{LineageId, NodeId};
use crate::sealing::{self, SealingError, SealingKey};
use crate::wire::{self, WireError};

/// `info` of the sealing (RFC 9180 §5.1).
const INFO: &[u8] = b"raccordo/v1/sealed-envelope";

/// Why a letter was not sealed or cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LetterError {
    /// It does not open, or the recipient's key is malformed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// It opens, and holds no envelope of the équipe.
    #[error("the letter holds no envelope of this équipe")]
    Content,
}

impl From<WireError> for LetterError {
    fn from(_: WireError) -> Self {
        Self::Content
    }
}

impl LetterError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Sealing(_) => "letter_not_opened",
            Self::Content => "bad_letter",
        }
    }
}

/// Between whom a letter goes.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The équipe.
    pub lineage: LineageId,
    /// Who seals.
    pub sender: &'a NodeId,
    /// Who opens.
    pub recipient: &'a NodeId,
}

impl Route<'_> {
    fn aad(&self) -> Vec<u8> {
        Writer::new("sealed-envelope")
            .bytes(self.lineage.as_bytes())
            .text(self.sender.as_str())
            .text(self.recipient.as_str())
            .finish()
    }
}

/// Seals an envelope to the sealing key of the recipient's card. Inside, its running
/// number is 1: only the message around it counts.
///
/// # Errors
/// [`LetterError::Sealing`] for a malformed key.
pub fn seal(
    entropy: &dyn Entropy,
    route: Route<'_>,
    public: &[u8],
    envelope: &Envelope,
) -> Result<Sealed, LetterError> {
    let numbered = Envelope { number: 1, ..envelope.clone() };
    let plaintext = wire::encode_envelope(&numbered);
    let letter = sealing::seal(entropy, public, INFO, &route.aad(), &plaintext)?;
    Ok(Sealed { recipient: route.recipient.clone(), letter })
}

/// Opens a letter to this node.
///
/// # Errors
/// [`LetterError`]: the sender's fault.
pub fn open(key: &SealingKey, route: Route<'_>, letter: &[u8]) -> Result<Envelope, LetterError> {
    let plaintext = key.open(INFO, &route.aad(), letter)?;
    let envelope = wire::decode_envelope(&plaintext)?;
    if envelope.lineage == route.lineage { Ok(envelope) } else { Err(LetterError::Content) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::envelope::Body;
    use crate::id::EnvelopeId;
    use crate::secret::Secret;
    use crate::time::Instant;

    fn key(seed: u8) -> SealingKey {
        SealingKey::derive(&Secret::new([seed; 32])).unwrap()
    }

    fn envelope(lineage: u8) -> Envelope {
        Envelope {
            id: EnvelopeId([4; 16]),
            lineage: LineageId([lineage; 16]),
            number: 0,
            said_at: Instant(5),
            author: None,
            body: Body::ReadReceipt(Vec::new()),
        }
    }

    fn check(lineage: u8, from: &str, to: &str, by: u8, expected: Result<(), &'static str>) {
        let (toscana, lazio) = ("toscana".parse().unwrap(), "lazio".parse().unwrap());
        let way = Route { lineage: LineageId([1; 16]), sender: &toscana, recipient: &lazio };
        let entropy = SeededEntropy::labelled("letter");
        let sealed = seal(&entropy, way, key(1).public(), &envelope(1)).unwrap();
        assert_eq!(sealed.recipient, lazio);
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let read = Route { lineage: LineageId([lineage; 16]), sender: &from, recipient: &to };
        let opened = open(&key(by), read, &sealed.letter);
        assert_eq!(opened.map(drop).map_err(|error| error.reason()), expected);
    }

    #[test]
    fn a_letter_opens_on_its_own_way_alone() {
        check(1, "toscana", "lazio", 1, Ok(()));
        check(2, "toscana", "lazio", 1, Err("letter_not_opened"));
        check(1, "umbria", "lazio", 1, Err("letter_not_opened"));
        check(1, "toscana", "umbria", 1, Err("letter_not_opened"));
        check(1, "toscana", "lazio", 2, Err("letter_not_opened"));
    }

    #[test]
    fn a_letter_of_another_equipe_is_refused_though_it_opens() {
        let (toscana, lazio) = ("toscana".parse().unwrap(), "lazio".parse().unwrap());
        let way = Route { lineage: LineageId([1; 16]), sender: &toscana, recipient: &lazio };
        let entropy = SeededEntropy::labelled("letter");
        let sealed = seal(&entropy, way, key(1).public(), &envelope(2)).unwrap();
        assert_eq!(open(&key(1), way, &sealed.letter), Err(LetterError::Content));
        let kept = seal(&entropy, way, key(1).public(), &envelope(1)).unwrap();
        let numbered = Envelope { number: 1, ..envelope(1) };
        assert_eq!(open(&key(1), way, &kept.letter), Ok(numbered));
    }
}
