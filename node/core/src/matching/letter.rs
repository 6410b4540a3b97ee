//! An event of a match on its way: sealed to the counterpart, who is not named.
//!
//! Every member tries to open it. So the others see that a node told some other something of
//! a match, and neither whom, nor which match, nor what.

use super::event::{Event, EventError};
use crate::canonical::Writer;
use crate::entropy::Entropy;
use crate::letter::Route;
use crate::sealing::{self, SealingError, SealingKey};
use crate::secret::Secret;

/// `info` of the sealing (RFC 9180 §5.1).
const INFO: &[u8] = b"raccordo/v1/match-event";

/// Why an event is not sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// The counterpart's key is malformed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The event has no bytes.
    #[error(transparent)]
    Event(#[from] EventError),
}

fn aad(route: &Route<'_>) -> Vec<u8> {
    Writer::new("match-letter")
        .bytes(route.lineage.as_bytes())
        .text(route.sender.as_str())
        .text(route.recipient.as_str())
        .finish()
}

/// Seals an event to the sealing key of the counterpart's card. All letters are of one length.
///
/// # Errors
/// [`SealError`].
pub fn seal(
    entropy: &dyn Entropy,
    route: Route<'_>,
    public: &[u8],
    event: &Event,
) -> Result<Vec<u8>, SealError> {
    let plaintext = event.encode()?;
    Ok(sealing::seal(entropy, public, INFO, &aad(&route), plaintext.reveal())?)
}

/// Opens a letter; none where it is for another member, or damaged, which looks alike.
///
/// # Errors
/// [`EventError::Malformed`]: it opens, and is no event. The sender's fault.
pub fn open(
    key: &SealingKey,
    route: Route<'_>,
    letter: &[u8],
) -> Result<Option<Event>, EventError> {
    match key.open(INFO, &aad(&route), letter) {
        Ok(plaintext) => Event::decode(Secret::new(plaintext).reveal()).map(Some),
        Err(_) => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::id::{Digest, LineageId, NodeId};
    use crate::matching::event::Told;
    use crate::matching::life::{MatchId, Word};

    fn key(seed: u8) -> SealingKey {
        SealingKey::derive(&Secret::new([seed; 32])).unwrap()
    }

    fn check(lineage: u8, from: &str, to: &str, by: u8, opens: bool) {
        let (toscana, umbria): (NodeId, NodeId) =
            ("toscana".parse().unwrap(), "umbria".parse().unwrap());
        let way = Route { lineage: LineageId([1; 16]), sender: &toscana, recipient: &umbria };
        let entropy = SeededEntropy::labelled("match-letter");
        let event = Event { about: MatchId(Digest([7; 32])), told: Told::Confirmed };
        let letter = seal(&entropy, way, key(1).public(), &event).unwrap();
        let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
        let read = Route { lineage: LineageId([lineage; 16]), sender: &from, recipient: &to };
        let opened = open(&key(by), read, &letter).unwrap();
        assert_eq!(opened, opens.then_some(event), "{lineage} {from} {to} {by}");
    }

    #[test]
    fn a_letter_opens_on_its_own_way_alone() {
        check(1, "toscana", "umbria", 1, true);
        check(2, "toscana", "umbria", 1, false);
        check(1, "lazio", "umbria", 1, false);
        check(1, "toscana", "lazio", 1, false);
        check(1, "toscana", "umbria", 2, false);
    }

    #[test]
    fn all_letters_have_one_length() {
        let (toscana, umbria) = ("toscana".parse().unwrap(), "umbria".parse().unwrap());
        let way = Route { lineage: LineageId([1; 16]), sender: &toscana, recipient: &umbria };
        let entropy = SeededEntropy::labelled("match-letter");
        let length = |told| {
            let event = Event { about: MatchId(Digest([7; 32])), told };
            seal(&entropy, way, key(1).public(), &event).unwrap().len()
        };
        assert_eq!(length(Told::Confirmed), length(Told::Said(Word::AlreadyClosed)));
        assert_eq!(length(Told::Denied), super::super::event::EVENT_BYTES + 1_120 + 16);
    }
}
