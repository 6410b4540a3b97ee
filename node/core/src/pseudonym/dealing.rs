//! One node's part in making a key or sharing it anew: a secret polynomial, committed to in
//! public (Feldman), with one sealed value of it for each new holder.
//!
//! A founding sums dealings of fresh secrets: FROST's key generation (RFC 9591 appendix C,
//! and the Komlo-Goldberg paper's proof of knowledge), but that dealers need not be holders,
//! and that a dealer who lies or stays away is left out where FROST's own would begin again.
//! A resharing interpolates dealings of old shares (Desmedt-Jajodia): the key, and with it
//! every token, stays. Polynomials, shares and their verification are those of
//! `frost-ristretto255`.

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use frost_ristretto255 as frost;
use frost_ristretto255::keys::{
    IdentifierList, SecretShare, SigningShare, VerifiableSecretSharingCommitment,
};
use rand_chacha::ChaCha20Rng;
use rand_core::{Rng, SeedableRng};
use zeroize::Zeroizing;

use super::ceremony::Plan;
use super::group::{self, Place};
use super::share::KeyShare;
use super::sharing::places;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::entropy::Entropy;
use crate::id::{Digest, NodeId};
use crate::sealing::{self, SealingError, SealingKey};
use crate::secret::Secret;

/// `info` of the sealing of a value (RFC 9180 §5.1).
const INFO: &[u8] = b"raccordo/v1/key-sub-share";
/// Bytes of the proof that a dealer knows what it shares.
const PROOF_BYTES: usize = 64;

/// What a dealer posts: public, but for the sealed values.
#[derive(Clone, PartialEq, Eq)]
pub struct Dealing {
    /// Commitments to the coefficients, the constant first: as many as the new threshold.
    pub commitments: Vec<[u8; 32]>,
    /// Schnorr signature (RFC 9591 §3.3) under the constant, over plan, dealer and
    /// commitments: who posts them knows the secret, and has copied nobody's.
    pub proof: [u8; PROOF_BYTES],
    /// For each new holder its value, sealed to its card's key; the dealer's own too.
    pub sealed: BTreeMap<NodeId, Vec<u8>>,
}

/// Why a node cannot deal: ourselves, or cards that are missing here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DealError {
    /// The own share is not the one that the old sharing names.
    #[error("the own share does not belong to the sharing that is to be shared anew")]
    Share,
    /// No sealing key is known for a holder.
    #[error("the card of {0} is missing")]
    CardMissing(NodeId),
    /// A sealing key is malformed.
    #[error(transparent)]
    Sealing(#[from] SealingError),
    /// The library refused numbers that the plan has checked.
    #[error("the secret cannot be shared among these holders")]
    Refused,
}

/// What is wrong with a dealing: its dealer's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum DealingFault {
    /// The plan does not ask it to deal.
    #[error("deals without being asked to")]
    NoDealer,
    /// More or fewer commitments than the threshold: another degree.
    #[error("commits to a polynomial of another degree")]
    Degree,
    /// A commitment is no element, or the identity.
    #[error("commits to no element of the group")]
    Element,
    /// It does not share the share that the old sharing says it holds.
    #[error("shares another value than its share")]
    OtherValue,
    /// The proof does not hold.
    #[error("does not prove that it knows what it shares")]
    Proof,
    /// A new holder has no value, or somebody else has one.
    #[error("deals to others than the holders")]
    Holders,
    /// It did not answer a complaint, or the answer does not fit the commitments.
    #[error("left a complaint without a valid answer")]
    Complaint,
}

impl DealingFault {
    /// The stable reason for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoDealer => "dealing_uncalled",
            Self::Degree => "dealing_degree",
            Self::Element => "dealing_element",
            Self::OtherValue => "dealing_other_value",
            Self::Proof => "dealing_proof",
            Self::Holders => "dealing_holders",
            Self::Complaint => "dealing_complaint",
        }
    }
}

/// The seed of a dealer's polynomial: secret, in the vault from before the dealing is posted
/// until the ceremony has ended, so that a restart deals the same and a complaint can be
/// answered; then deleted.
pub type DealerSeed = Secret<[u8; 32]>;

/// The values of a dealer's polynomial at the places of the new holders.
struct Dealt {
    commitment: VerifiableSecretSharingCommitment,
    values: BTreeMap<NodeId, Secret<[u8; 32]>>,
    constant: frost::SigningKey,
    coins: Stream,
}

/// Computes a polynomial and its values from the seed. `share` is the own old share, where
/// one is shared anew.
fn dealt(
    seed: &DealerSeed,
    plan: &Plan,
    dealer: &NodeId,
    share: Option<&KeyShare>,
) -> Result<Dealt, DealError> {
    let mut coins = Stream::of(seed, plan, dealer);
    let constant = match share {
        Some(share) => frost::SigningKey::deserialize(share.bytes()),
        None => Ok(frost::SigningKey::new(&mut coins)),
    };
    let constant = constant.map_err(|_| DealError::Share)?;
    let holders: Vec<(&NodeId, Place)> = places(plan.holders().iter()).collect();
    let identifiers: Result<Vec<_>, _> =
        holders.iter().map(|(_, place)| frost::Identifier::try_from(place.get())).collect();
    let identifiers = identifiers.map_err(|_| DealError::Refused)?;
    let count = u16::try_from(holders.len()).map_err(|_| DealError::Refused)?;
    let list = IdentifierList::Custom(&identifiers);
    let split =
        frost_ristretto255::keys::split(&constant, count, plan.threshold(), list, &mut coins);
    let (shares, _) = split.map_err(|_| DealError::Refused)?;
    let mut commitment = None;
    let mut values = BTreeMap::new();
    for ((node, _), identifier) in holders.iter().zip(&identifiers) {
        let share = shares.get(identifier).ok_or(DealError::Refused)?;
        let bytes = Zeroizing::new(share.signing_share().serialize());
        let value = bytes.as_slice().try_into().map_err(|_| DealError::Refused)?;
        values.insert((*node).clone(), Secret::new(value));
        commitment = Some(share.commitment().clone());
    }
    let commitment = commitment.ok_or(DealError::Refused)?;
    Ok(Dealt { commitment, values, constant, coins })
}

/// Makes this node's dealing for a plan. The same seed makes the same polynomial.
///
/// # Errors
/// [`DealError`].
pub fn deal(
    entropy: &dyn Entropy,
    seed: &DealerSeed,
    plan: &Plan,
    dealer: &NodeId,
    share: Option<&KeyShare>,
    sealing_keys: &BTreeMap<NodeId, Vec<u8>>,
) -> Result<Dealing, DealError> {
    let share = own_share(plan, dealer, share)?;
    let Dealt { commitment, values, constant, coins } = dealt(seed, plan, dealer, share)?;
    let commitments = commitment.serialize().map_err(|_| DealError::Refused)?;
    let commitments: Result<Vec<[u8; 32]>, _> =
        commitments.iter().map(|bytes| bytes.as_slice().try_into()).collect();
    let commitments = commitments.map_err(|_| DealError::Refused)?;
    let proof = constant.sign(coins, &statement(plan, dealer, &commitments));
    let proof = proof.serialize().map_err(|_| DealError::Refused)?;
    let proof = proof.try_into().map_err(|_| DealError::Refused)?;
    let mut sealed = BTreeMap::new();
    for (holder, value) in &values {
        let public = sealing_keys.get(holder);
        let public = public.ok_or_else(|| DealError::CardMissing(holder.clone()))?;
        let aad = way(plan, dealer, holder);
        let letter = sealing::seal(entropy, public, INFO, &aad, value.reveal())?;
        sealed.insert(holder.clone(), letter);
    }
    Ok(Dealing { commitments, proof, sealed })
}

/// The value that this node dealt to a holder, to answer the holder's complaint in public: who
/// complains knows it, or the dealer has lied.
///
/// # Errors
/// [`DealError::Share`] or [`DealError::Refused`].
pub fn reveal(
    seed: &DealerSeed,
    plan: &Plan,
    dealer: &NodeId,
    share: Option<&KeyShare>,
    holder: &NodeId,
) -> Result<[u8; 32], DealError> {
    let share = own_share(plan, dealer, share)?;
    let dealt = dealt(seed, plan, dealer, share)?;
    dealt.values.get(holder).map(|value| *value.reveal()).ok_or(DealError::Refused)
}

fn own_share<'a>(
    plan: &Plan,
    dealer: &NodeId,
    share: Option<&'a KeyShare>,
) -> Result<Option<&'a KeyShare>, DealError> {
    match (plan.old(), share) {
        (None, _) => Ok(None),
        (Some(old), Some(share)) if share.check(old, dealer).is_ok() => Ok(Some(share)),
        (Some(_), _) => Err(DealError::Share),
    }
}

/// What the proof signs: canonical bytes of type `key-dealing-proof`.
fn statement(plan: &Plan, dealer: &NodeId, commitments: &[[u8; 32]]) -> Vec<u8> {
    let writer = Writer::new("key-dealing-proof").bytes(plan.digest().as_bytes());
    writer.text(dealer.as_str()).list(commitments).finish()
}

/// What a sealed value is bound to: canonical bytes of type `key-sub-share`.
fn way(plan: &Plan, dealer: &NodeId, holder: &NodeId) -> Vec<u8> {
    let writer = Writer::new("key-sub-share").bytes(plan.digest().as_bytes());
    writer.text(dealer.as_str()).text(holder.as_str()).finish()
}

/// A dealing whose public part has been checked.
#[derive(Clone)]
pub struct CheckedDealing {
    commitments: Vec<RistrettoPoint>,
    sealed: BTreeMap<NodeId, Vec<u8>>,
}

impl Dealing {
    /// Checks everything that can be checked in public.
    ///
    /// # Errors
    /// [`DealingFault`]: the dealer is left out.
    pub fn check(&self, plan: &Plan, dealer: &NodeId) -> Result<CheckedDealing, DealingFault> {
        if !plan.dealers().contains(dealer) {
            return Err(DealingFault::NoDealer);
        }
        // Before anything is computed: a longer polynomial would raise the threshold, a
        // shorter one lower it.
        if self.commitments.len() != usize::from(plan.threshold()) {
            return Err(DealingFault::Degree);
        }
        let commitments: Option<Vec<_>> = self.commitments.iter().map(group::element).collect();
        let commitments = commitments.ok_or(DealingFault::Element)?;
        let constant = commitments.first().ok_or(DealingFault::Degree)?;
        if let Some(old) = plan.old()
            && old.holder(dealer).is_none_or(|(_, share)| share != *constant)
        {
            return Err(DealingFault::OtherValue);
        }
        if self.sealed.keys().collect::<BTreeSet<_>>() != plan.holders().iter().collect() {
            return Err(DealingFault::Holders);
        }
        self.check_proof(plan, dealer)?;
        Ok(CheckedDealing { commitments, sealed: self.sealed.clone() })
    }

    fn check_proof(&self, plan: &Plan, dealer: &NodeId) -> Result<(), DealingFault> {
        let constant = self.commitments.first().ok_or(DealingFault::Degree)?;
        let key = frost::VerifyingKey::deserialize(constant).map_err(|_| DealingFault::Element)?;
        let proof = frost::Signature::deserialize(&self.proof).map_err(|_| DealingFault::Proof)?;
        let said = statement(plan, dealer, &self.commitments);
        key.verify(&said, &proof).map_err(|_| DealingFault::Proof)
    }

    /// Canonical bytes of type `key-dealing`: list of commitments, proof, list of (holder,
    /// sealed value).
    pub fn encode(&self) -> Vec<u8> {
        let sealed = self
            .sealed
            .iter()
            .map(|(holder, letter)| Writer::record().text(holder.as_str()).bytes(letter).finish());
        let writer = Writer::new("key-dealing").list(&self.commitments).bytes(&self.proof);
        writer.list(sealed).finish()
    }

    /// Reads what [`Dealing::encode`] wrote.
    ///
    /// # Errors
    /// [`CanonicalError`]: the sender's fault.
    pub fn decode(bytes: &[u8]) -> Result<Self, CanonicalError> {
        let mut reader = Reader::new("key-dealing", bytes)?;
        let commitment = |item: &&[u8]| (*item).try_into().ok();
        let listed = reader.list("commitments")?;
        let commitments = listed.iter().map(commitment).collect::<Option<_>>();
        let commitments = commitments.ok_or(CanonicalError::Field("commitments"))?;
        let proof = reader.array("proof")?;
        let mut sealed = BTreeMap::new();
        for item in reader.list("sealed")? {
            let mut record = Reader::record(item);
            let holder = record.text("holder")?.parse();
            let holder: NodeId = holder.map_err(|_| CanonicalError::Field("holder"))?;
            let letter = record.bytes("letter")?.to_vec();
            record.end()?;
            if sealed.last_key_value().is_some_and(|(last, _)| *last >= holder) {
                return Err(CanonicalError::Field("holder"));
            }
            sealed.insert(holder, letter);
        }
        reader.end()?;
        Ok(Self { commitments, proof, sealed })
    }
}

impl std::fmt::Debug for Dealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Dealing").field("holders", &self.sealed.keys()).finish_non_exhaustive()
    }
}

impl CheckedDealing {
    /// What one coefficient of the polynomial commits to; that of degree 0 is the secret.
    pub(super) fn coefficient(&self, degree: usize) -> Option<RistrettoPoint> {
        self.commitments.get(degree).copied()
    }

    /// Opens the value that was dealt to this node, and checks it; none is a reason to
    /// complain.
    pub(super) fn open(
        &self,
        plan: &Plan,
        dealer: &NodeId,
        holder: &NodeId,
        key: &SealingKey,
    ) -> Option<Zeroizing<Scalar>> {
        let letter = self.sealed.get(holder)?;
        let value = key.open(INFO, &way(plan, dealer, holder), letter).ok()?;
        let value = Secret::new(<[u8; 32]>::try_from(Secret::new(value).reveal().as_slice()).ok()?);
        self.value(plan, holder, value.reveal())
    }

    /// Checks a value against the commitments.
    pub(super) fn value(
        &self,
        plan: &Plan,
        holder: &NodeId,
        value: &[u8; 32],
    ) -> Option<Zeroizing<Scalar>> {
        let place = places(plan.holders().iter()).find(|(node, _)| *node == holder)?.1;
        let identifier = frost::Identifier::try_from(place.get()).ok()?;
        let share = SigningShare::deserialize(value).ok()?;
        let commitments = self.commitments.iter().map(|point| point.compress().to_bytes());
        let commitment = VerifiableSecretSharingCommitment::deserialize(commitments).ok()?;
        SecretShare::new(identifier, share, commitment).verify().ok()?;
        group::scalar(value).map(Zeroizing::new)
    }
}

/// The seed's stream, as this generation of curve crates takes it.
struct Stream(ChaCha20Rng);

impl Stream {
    /// The coins of one dealer and plan: one seed used for two plans would else sign two
    /// statements with one nonce, which tells the signing key.
    fn of(seed: &DealerSeed, plan: &Plan, dealer: &NodeId) -> Self {
        let bound = Writer::new("key-dealer-coins").bytes(seed.reveal());
        let bound = bound.bytes(plan.digest().as_bytes()).text(dealer.as_str());
        let bound = Secret::new(bound.finish());
        Self(ChaCha20Rng::from_seed(Digest::of(bound.reveal()).0))
    }
}

impl rand_core_06::RngCore for Stream {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, out: &mut [u8]) {
        self.0.fill_bytes(out);
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(out);
        Ok(())
    }
}

impl rand_core_06::CryptoRng for Stream {}
