//! The requester's side: blinds values, checks each answer, combines a threshold of them and
//! finishes the tokens (RFC 9497 §3.3.2).

#[cfg(test)]
mod tests;

use curve25519_dalek::ristretto::RistrettoPoint;
use voprf::{EvaluationElement, OprfClient, Ristretto255, VoprfClient};

use super::evaluation::{BATCH_MAX, Evaluation};
use super::group::{self, Coins, Place};
use super::key::{Generation, KeyId};
use super::sharing::Sharing;
use super::token::Token;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::entropy::Entropy;
use crate::id::NodeId;
use crate::planted::{self, Bug};
use crate::secret::Secret;

/// The longest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 256;
/// Bytes of a blind: a scalar, little-endian.
const BLIND_BYTES: usize = 32;
/// Stands in place of a blind that was erased: the scalar 1. Proofs do not depend on blinds.
const ANY_BLIND: [u8; BLIND_BYTES] = {
    let mut one = [0; BLIND_BYTES];
    one[0] = 1;
    one
};

/// Why a request is not made or read: ourselves.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// No values, or more than [`BATCH_MAX`].
    #[error("a request has 1 to {BATCH_MAX} values")]
    Count,
    /// A value is empty or too long.
    #[error("value {0} has not 1 to {VALUE_BYTES_MAX} bytes")]
    Value(usize),
    /// Bytes that are not what was kept of a value.
    #[error("not a value of a request: {0}")]
    Malformed(#[from] CanonicalError),
}

/// What is wrong with a member's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It holds no share of this sharing.
    #[error("holds no share of the key")]
    NoHolder,
    /// More or fewer elements than were asked for.
    #[error("answered with another number of elements")]
    Count,
    /// Bytes that are no element or no proof.
    #[error("answered with malformed elements")]
    Element,
    /// The proof does not hold: not what its share makes of the request.
    #[error("gave a proof that does not hold")]
    Proof,
}

/// An answer that is refused, and whose it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{member} {fault}")]
pub struct Refusal {
    /// Who answered: MLS has authenticated it.
    pub member: NodeId,
    /// What is wrong.
    pub fault: Fault,
}

impl Refusal {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self.fault {
            Fault::NoHolder => "evaluation_by_no_holder",
            Fault::Count => "evaluation_count",
            Fault::Element => "evaluation_malformed",
            Fault::Proof => "evaluation_proof_failed",
        }
    }
}

/// Why answers do not make tokens.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CombineError {
    /// Not yet as many as the threshold: wait, or ask others.
    #[error("{have} of {need} answers are here")]
    TooFew {
        /// Answers of different holders.
        have: usize,
        /// The threshold.
        need: usize,
    },
    /// Answers under different sharings do not mix: ask again.
    #[error("the answers belong to different sharings of the key")]
    Mixed,
    /// Ourselves: what was checked does not combine.
    #[error("the answers do not combine")]
    Broken,
}

/// A member's answer that holds.
#[derive(Clone, Debug)]
pub struct Answer {
    member: NodeId,
    place: Place,
    key: KeyId,
    generation: Generation,
    points: Vec<RistrettoPoint>,
}

impl Answer {
    /// Who gave it.
    pub fn member(&self) -> &NodeId {
        &self.member
    }
}

/// Values to be turned into tokens, and their blinds: secret. Of a value that was erased
/// meanwhile only the blinded element is left, which says nothing; it takes part in proofs, and
/// has no token.
pub struct Request {
    key: KeyId,
    /// Inputs of the PRF; empty where erased.
    inputs: Secret<Vec<Vec<u8>>>,
    clients: Vec<VoprfClient<Ristretto255>>,
    /// Which of them were not erased.
    known: Vec<bool>,
}

impl Request {
    /// Blinds values, each with its family, for one key.
    ///
    /// # Errors
    /// [`RequestError::Count`] or [`RequestError::Value`].
    pub fn blind<'a>(
        entropy: &dyn Entropy,
        key: KeyId,
        values: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, RequestError> {
        let mut inputs = Vec::new();
        for (place, (family, value)) in values.into_iter().enumerate() {
            if value.is_empty() || value.len() > VALUE_BYTES_MAX {
                return Err(RequestError::Value(place));
            }
            inputs.push(key.input(family, value));
        }
        Self::of_inputs(entropy, key, inputs)
    }

    fn of_inputs(
        entropy: &dyn Entropy,
        key: KeyId,
        inputs: Vec<Vec<u8>>,
    ) -> Result<Self, RequestError> {
        let inputs = Secret::new(inputs);
        if !(1..=BATCH_MAX).contains(&inputs.reveal().len()) {
            return Err(RequestError::Count);
        }
        let blind = |(place, input): (usize, &Vec<u8>)| {
            let blinded = VoprfClient::<Ristretto255>::blind(input, &mut Coins(entropy));
            blinded.map(|blinded| blinded.state).map_err(|_| RequestError::Value(place))
        };
        let clients =
            inputs.reveal().iter().enumerate().map(blind).collect::<Result<Vec<_>, _>>()?;
        let known = vec![true; clients.len()];
        Ok(Self { key, inputs, clients, known })
    }

    /// Which key is asked for.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// How many elements travel, and what the budget is charged.
    pub fn count(&self) -> usize {
        self.clients.len()
    }

    /// Of each value, in order, whether it has a token at the end.
    pub fn known(&self) -> &[bool] {
        &self.known
    }

    /// What travels: the blinded elements, 32 bytes each. They say nothing about the values.
    pub fn blinded(&self) -> Vec<[u8; 32]> {
        let element = |client: &VoprfClient<Ristretto255>| {
            let state = client.serialize();
            let mut element = [0; 32];
            element.iter_mut().zip(state.iter().skip(32)).for_each(|(to, from)| *to = *from);
            element
        };
        self.clients.iter().map(element).collect()
    }

    /// Checks a member's answer against what it committed to.
    ///
    /// # Errors
    /// [`Refusal`] names the member; its answer changes nothing.
    pub fn check(
        &self,
        sharing: &Sharing,
        member: &NodeId,
        evaluation: &Evaluation,
    ) -> Result<Answer, Refusal> {
        let refuse = |fault| Refusal { member: member.clone(), fault };
        let holder = sharing.holder(member).filter(|_| sharing.key() == self.key);
        let (place, committed) = holder.ok_or_else(|| refuse(Fault::NoHolder))?;
        if evaluation.elements.len() != self.clients.len() {
            return Err(refuse(Fault::Count));
        }
        let messages = evaluation.messages().ok_or_else(|| refuse(Fault::Element))?;
        let proof = evaluation.proof().ok_or_else(|| refuse(Fault::Element))?;
        let inputs = self.inputs.reveal();
        // Verifies the proof at once; the outputs, which are those of one share alone, would
        // be computed only if somebody took them.
        let verified =
            VoprfClient::batch_finalize(inputs, &self.clients, &messages, &proof, committed);
        if verified.is_err() && !planted::is(Bug::EvaluationUnchecked) {
            return Err(refuse(Fault::Proof));
        }
        let points = evaluation.elements.iter().map(group::element).collect::<Option<_>>();
        let points = points.ok_or_else(|| refuse(Fault::Element))?;
        let (key, generation) = (self.key, sharing.generation());
        Ok(Answer { member: member.clone(), place, key, generation, points })
    }

    /// Combines answers of at least a threshold of holders into the tokens of the values that
    /// are [`Request::known`], in their order. Which holders answered does not change them.
    ///
    /// # Errors
    /// [`CombineError`].
    pub fn finish(
        &self,
        sharing: &Sharing,
        answers: &[Answer],
    ) -> Result<Vec<Token>, CombineError> {
        let mut chosen: Vec<&Answer> = Vec::new();
        for answer in answers {
            if answer.key != self.key || answer.generation != sharing.generation() {
                return Err(CombineError::Mixed);
            }
            if chosen.iter().all(|other| other.place != answer.place) {
                chosen.push(answer);
            }
        }
        let need = usize::from(sharing.threshold());
        if chosen.len() < need {
            return Err(CombineError::TooFew { have: chosen.len(), need });
        }
        chosen.truncate(need);
        let places: Vec<Place> = chosen.iter().map(|answer| answer.place).collect();
        let weights = group::weights(&places, 0).ok_or(CombineError::Broken)?;
        let values = self.inputs.reveal().iter().zip(&self.clients).enumerate();
        let values = values.zip(&self.known).filter(|(_, known)| **known).map(|(value, _)| value);
        let token = |(index, (input, client)): (usize, (&Vec<u8>, &VoprfClient<_>))| {
            let points = chosen.iter().map(|answer| answer.points.get(index).copied());
            let points: Vec<RistrettoPoint> = points.collect::<Option<_>>()?;
            finish_one(input, client, &group::sum(&weights, &points))
        };
        values.map(token).collect::<Option<_>>().ok_or(CombineError::Broken)
    }

    /// What is secret of each value, in order: canonical `token-value` of input and blind (32
    /// bytes). For the key of its record alone, so that answers survive a restart, and the value
    /// does not survive its record.
    pub fn secrets(&self) -> Vec<Secret<Vec<u8>>> {
        let secret = |(input, client): (&Vec<u8>, &VoprfClient<Ristretto255>)| {
            let state = Secret::new(client.serialize().to_vec());
            let blind = state.reveal().get(..BLIND_BYTES).unwrap_or_default();
            Secret::new(Writer::new("token-value").bytes(input).bytes(blind).finish())
        };
        self.inputs.reveal().iter().zip(&self.clients).map(secret).collect()
    }

    /// Puts a request together again, of blinded elements and what [`Request::secrets`] gave of
    /// each; nothing of a value that was erased.
    ///
    /// # Errors
    /// [`RequestError::Malformed`].
    pub fn restore(
        key: KeyId,
        values: impl IntoIterator<Item = ([u8; 32], Option<Secret<Vec<u8>>>)>,
    ) -> Result<Self, RequestError> {
        let (mut inputs, mut clients, mut known) = (Vec::new(), Vec::new(), Vec::new());
        for (element, secret) in values {
            let (input, blind) = match &secret {
                Some(secret) => {
                    let mut reader = Reader::new("token-value", secret.reveal())?;
                    let input = reader.bytes("input")?.to_vec();
                    let blind: [u8; BLIND_BYTES] = reader.array("blind")?;
                    reader.end()?;
                    (input, blind)
                }
                None => (Vec::new(), ANY_BLIND),
            };
            let state = Secret::new([&blind[..], &element].concat());
            let client = VoprfClient::deserialize(state.reveal());
            clients.push(client.map_err(|_| CanonicalError::Field("blind"))?);
            inputs.push(input);
            known.push(secret.is_some());
        }
        Ok(Self { key, inputs: Secret::new(inputs), clients, known })
    }
}

/// Unblinds and hashes one combined evaluation. The hash does not depend on the mode
/// (RFC 9497 §3.3.1 and §3.3.2), and the proofs have been checked, so that the client of the
/// base mode finishes it; its state is the blind alone.
fn finish_one(
    input: &[u8],
    client: &VoprfClient<Ristretto255>,
    combined: &RistrettoPoint,
) -> Option<Token> {
    let state = Secret::new(client.serialize().to_vec());
    let client = OprfClient::<Ristretto255>::deserialize(state.reveal().get(..32)?).ok()?;
    let evaluated = EvaluationElement::deserialize(combined.compress().as_bytes()).ok()?;
    client.finalize(input, &evaluated).ok().and_then(|output| Token::of_output(&output))
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Request")
            .field("key", &self.key)
            .field("count", &self.count())
            .finish_non_exhaustive()
    }
}
