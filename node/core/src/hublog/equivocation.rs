//! The proof that a hub signed two histories of one log. It holds public things alone, a
//! card and two signed checkpoints, and verifies offline.

use serde::{Deserialize, Serialize};

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::hublog::checkpoint::SignedCheckpoint;
use crate::hublog::head_after;
use crate::id::{Digest, GroupId, NodeId, Sequence};
use crate::trust::card::{CardError, SignedCard};
use crate::trust::keys::{PublicKey, Signature};

/// Most digests between the two checkpoints.
const LINKS_MAX: usize = 1 << 16;
/// What a proof file says it is.
const FORMAT: &str = "raccordo/v1/equivocation";

/// Why something is no proof.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProof {
    /// The file is no proof file.
    #[error("not a proof file: {0}")]
    File(String),
    /// The bytes are no container, or no checkpoint.
    #[error("not a proof: {0}")]
    Malformed(#[from] CanonicalError),
    /// The hub's card is none.
    #[error("the hub's card: {0}")]
    Card(#[from] CardError),
    /// The checkpoints are not of one group, hub and term, or not of the card's node.
    #[error("the two checkpoints are not of one log")]
    Foreign,
    /// The hub signed one of them not.
    #[error("a checkpoint is not signed by the hub")]
    Signature,
    /// The second checkpoint stands before the first.
    #[error("the second checkpoint stands before the first")]
    Order,
    /// The digests do not lead to the second checkpoint.
    #[error("the digests do not lead to the second checkpoint")]
    Links,
    /// Both tell one history.
    #[error("the two checkpoints do not contradict each other")]
    Agreement,
}

impl NoProof {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::File(_) | Self::Malformed(_) | Self::Card(_) => "bad_proof",
            Self::Foreign => "proof_foreign",
            Self::Signature => "proof_signature_bad",
            Self::Order | Self::Links => "proof_incomplete",
            Self::Agreement => "proof_agrees",
        }
    }
}

/// How two checkpoints contradict each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contradiction {
    /// Two heads at one sequence.
    Heads,
    /// Two epochs at one sequence.
    Epochs,
}

impl Contradiction {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Heads => "two_heads",
            Self::Epochs => "two_epochs",
        }
    }
}

/// What a proof proves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// Against whom.
    pub hub: NodeId,
    /// Its identity key: who verifies compares it with the card that it knows.
    pub identity: PublicKey,
    /// The group.
    pub group: GroupId,
    /// The hub's term.
    pub term: u64,
    /// The place of which it told twice.
    pub sequence: Sequence,
    /// The head that it signed there.
    pub one: Digest,
    /// The head there that its other signature rests on.
    pub other: Digest,
    /// How they contradict each other.
    pub contradiction: Contradiction,
}

/// Two signatures of one hub under two histories of one log.
///
/// A head commits to all heads before it. So the second checkpoint may stand further on:
/// `base` and `links` show what head it rests on at the place of the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Equivocation {
    /// The hub's card.
    pub hub: SignedCard,
    /// The checkpoint at the disputed place.
    pub one: SignedCheckpoint,
    /// The other, at the same place or further on.
    pub other: SignedCheckpoint,
    /// Head at the disputed place on which the other rests.
    pub base: Digest,
    /// Digests of the entries from there to the other's place.
    pub links: Vec<Digest>,
}

impl Equivocation {
    /// Whether the proof is one, and what it proves.
    ///
    /// # Errors
    /// [`NoProof`]: what is missing.
    pub fn judge(&self) -> Result<Proven, NoProof> {
        let (one, other) = (self.one.checkpoint(), self.other.checkpoint());
        let hub = self.hub.card();
        let same = (one.group, &one.hub, one.term) == (other.group, &other.hub, other.term);
        if !same || one.hub != hub.node {
            return Err(NoProof::Foreign);
        }
        for signed in [&self.one, &self.other] {
            signed.verify(&hub.identity).map_err(|_| NoProof::Signature)?;
        }
        let between = other.sequence.0.checked_sub(one.sequence.0).ok_or(NoProof::Order)?;
        let head = self.links.iter().fold(self.base, |head, link| head_after(head, *link));
        if between != self.links.len() as u64 || head != other.head {
            return Err(NoProof::Links);
        }
        let contradiction = if self.base != one.head {
            Contradiction::Heads
        } else if between == 0 && one.epoch != other.epoch {
            Contradiction::Epochs
        } else {
            return Err(NoProof::Agreement);
        };
        Ok(Proven {
            hub: hub.node.clone(),
            identity: hub.identity,
            group: one.group,
            term: one.term,
            sequence: one.sequence,
            one: one.head,
            other: self.base,
            contradiction,
        })
    }

    /// Canonical container `equivocation`.
    pub fn encode(&self) -> Vec<u8> {
        Writer::new("equivocation")
            .bytes(&self.hub.encode())
            .bytes(self.one.bytes())
            .bytes(self.one.signature())
            .bytes(self.other.bytes())
            .bytes(self.other.signature())
            .bytes(self.base.as_bytes())
            .list(self.links.iter().map(Digest::as_bytes))
            .finish()
    }

    /// Reads what [`Equivocation::encode`] wrote; ask [`Equivocation::judge`].
    ///
    /// # Errors
    /// [`NoProof::Malformed`] or [`NoProof::Card`].
    pub fn decode(container: &[u8]) -> Result<Self, NoProof> {
        let mut reader = Reader::new("equivocation", container)?;
        let hub = SignedCard::decode(reader.bytes("hub card")?)?;
        let mut checkpoint = || {
            let bytes = reader.bytes("checkpoint")?;
            SignedCheckpoint::parse(bytes, reader.array("signature")?)
        };
        let (one, other) = (checkpoint()?, checkpoint()?);
        let base = Digest(reader.array("base")?);
        let links = reader.list("links")?;
        reader.end()?;
        if links.len() > LINKS_MAX {
            return Err(NoProof::Links);
        }
        let link = |link: &[u8]| Digest::try_from(link).map_err(|_| CanonicalError::Field("links"));
        let links = links.into_iter().map(link).collect::<Result<_, _>>()?;
        Ok(Self { hub, one, other, base, links })
    }

    /// The proof as a file: JSON, bytes in lower-case hex.
    pub fn to_file(&self) -> String {
        let signed = |signed: &SignedCheckpoint| Signed {
            checkpoint: hex::encode(signed.bytes()),
            signature: hex::encode(signed.signature()),
        };
        let file = File {
            format: FORMAT.to_owned(),
            hub_card: hex::encode(self.hub.encode()),
            one: signed(&self.one),
            other: signed(&self.other),
            base: self.base.to_string(),
            links: self.links.iter().map(Digest::to_string).collect(),
        };
        let text = serde_json::to_string_pretty(&file).unwrap_or_default();
        text + "\n"
    }

    /// Reads a proof file; ask [`Equivocation::judge`].
    ///
    /// # Errors
    /// [`NoProof`]: it is none.
    pub fn from_file(text: &str) -> Result<Self, NoProof> {
        let file: File =
            serde_json::from_str(text).map_err(|cause| NoProof::File(cause.to_string()))?;
        if file.format != FORMAT {
            return Err(NoProof::File(format!("it says that it is {:?}", file.format)));
        }
        if file.links.len() > LINKS_MAX {
            return Err(NoProof::Links);
        }
        let links = file.links.iter().map(|link| digest(link)).collect::<Result<_, _>>()?;
        Ok(Self {
            hub: SignedCard::decode(&bytes(&file.hub_card)?)?,
            one: file.one.read()?,
            other: file.other.read()?,
            base: digest(&file.base)?,
            links,
        })
    }
}

/// A proof file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    hub_card: String,
    one: Signed,
    other: Signed,
    base: String,
    links: Vec<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    checkpoint: String,
    signature: String,
}

impl Signed {
    fn read(&self) -> Result<SignedCheckpoint, NoProof> {
        let signature: Signature = bytes(&self.signature)?
            .try_into()
            .map_err(|_| NoProof::File("a signature has not 64 bytes".to_owned()))?;
        Ok(SignedCheckpoint::parse(&bytes(&self.checkpoint)?, signature)?)
    }
}

fn bytes(text: &str) -> Result<Vec<u8>, NoProof> {
    hex::decode(text).map_err(|cause| NoProof::File(cause.to_string()))
}

fn digest(text: &str) -> Result<Digest, NoProof> {
    let bytes = bytes(text)?;
    Digest::try_from(bytes.as_slice())
        .map_err(|_| NoProof::File("a digest has not 32 bytes".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hublog::{Checkpoint, Stretch, contradiction};
    use crate::id::Epoch;
    use crate::trust::sample;

    fn digest_of(name: &str) -> Digest {
        Digest::of(name.as_bytes())
    }

    /// A log after its first entry, one digest for each name.
    fn log(names: &[&str]) -> Stretch {
        let mut log = Stretch::after(Sequence(1), digest_of("begin"));
        log.digests.extend(names.iter().map(|name| digest_of(name)));
        log
    }

    fn signed(
        log: &Stretch,
        sequence: u64,
        bend: impl FnOnce(&mut Checkpoint),
    ) -> SignedCheckpoint {
        let sequence = Sequence(sequence);
        let head = log.head_at(sequence).unwrap();
        let (group, hub) = (GroupId([1; 32]), sample::node(0));
        let mut stated = Checkpoint { group, sequence, head, epoch: Epoch(2), hub, term: 1 };
        bend(&mut stated);
        stated.sign(&sample::key(0))
    }

    /// Entries 2 to 4 in one history, and a checkpoint at 3 of another.
    fn two_histories() -> (SignedCheckpoint, Stretch) {
        let mut here = log(&["a", "b", "c"]);
        here.checkpoint = Some(signed(&here, 4, |_| {}));
        (signed(&log(&["a", "x"]), 3, |_| {}), here)
    }

    fn proof() -> Equivocation {
        let (stray, here) = two_histories();
        contradiction(&sample::card(0, 1), &stray, &[here]).unwrap()
    }

    #[test]
    fn a_place_further_on_proves_the_place_before() {
        let proven = proof().judge().unwrap();
        assert_eq!((proven.sequence, proven.contradiction), (Sequence(3), Contradiction::Heads));
        assert_eq!(proven.one, log(&["a", "x"]).head_at(Sequence(3)).unwrap());
        assert_eq!(proven.other, log(&["a", "b"]).head_at(Sequence(3)).unwrap());
        assert_eq!(proven.hub, sample::node(0));
    }

    #[test]
    fn several_stretches_join() {
        let whole = log(&["a", "b", "c"]);
        let first = log(&["a", "b"]);
        let mut second = Stretch::after(Sequence(3), first.head_at(Sequence(3)).unwrap());
        second.digests.push(digest_of("c"));
        second.checkpoint = Some(signed(&whole, 4, |_| {}));
        let (stray, _) = two_histories();
        let card = sample::card(0, 1);
        assert_eq!(contradiction(&card, &stray, &[first.clone(), second]), Some(proof()));
        assert_eq!(contradiction(&card, &stray, &[first]), None);
    }

    #[test]
    fn one_history_is_no_proof() {
        let (_, here) = two_histories();
        for sequence in 2..=4 {
            let same = signed(&here, sequence, |_| {});
            assert_eq!(
                contradiction(&sample::card(0, 1), &same, std::slice::from_ref(&here)),
                None
            );
        }
    }

    #[test]
    fn epochs_contradict_too() {
        let check = |sequence, epoch, expected| {
            let (_, here) = two_histories();
            let stray = signed(&here, sequence, |it| it.epoch = Epoch(epoch));
            let found = contradiction(&sample::card(0, 1), &stray, &[here]);
            assert_eq!(found.map(|it| it.judge().unwrap().contradiction), expected);
        };
        check(4, 1, Some(Contradiction::Epochs));
        check(4, 3, Some(Contradiction::Epochs));
        // An earlier epoch further on: a commit between them was void.
        check(3, 3, None);
        check(3, 1, None);
    }

    fn check(bend: impl FnOnce(&mut Equivocation), reason: &str) {
        let mut bent = proof();
        bend(&mut bent);
        assert_eq!(bent.judge().unwrap_err().reason(), reason);
    }

    #[test]
    fn forged_and_incomplete_proofs_are_refused() {
        check(|it| it.links.clear(), "proof_incomplete");
        check(|it| it.links.push(Digest::ZERO), "proof_incomplete");
        check(|it| it.links[0] = Digest::ZERO, "proof_incomplete");
        check(|it| it.base = it.one.checkpoint().head, "proof_incomplete");
        check(|it| std::mem::swap(&mut it.one, &mut it.other), "proof_incomplete");
        check(|it| it.one = it.other.clone(), "proof_incomplete");
        check(|it| it.hub = sample::card(1, 1), "proof_foreign");
        check(
            |it| it.one = it.one.checkpoint().clone().sign(&sample::key(1)),
            "proof_signature_bad",
        );
        check(
            |it| it.other = it.other.checkpoint().clone().sign(&sample::key(1)),
            "proof_signature_bad",
        );
        let again = |bend: fn(&mut Checkpoint)| {
            move |it: &mut Equivocation| {
                let mut stated = it.one.checkpoint().clone();
                bend(&mut stated);
                it.one = stated.sign(&sample::key(0));
            }
        };
        check(again(|it| it.group = GroupId([2; 32])), "proof_foreign");
        check(again(|it| it.term = 2), "proof_foreign");
        check(again(|it| it.hub = sample::node(1)), "proof_foreign");
        let agrees = |it: &mut Equivocation| {
            let mut stated = it.one.checkpoint().clone();
            stated.head = it.base;
            it.one = stated.sign(&sample::key(0));
        };
        check(agrees, "proof_agrees");
    }

    #[test]
    fn containers_and_files_read_back() {
        let proof = proof();
        assert_eq!(Equivocation::decode(&proof.encode()), Ok(proof.clone()));
        let file = proof.to_file();
        assert_eq!(Equivocation::from_file(&file), Ok(proof.clone()));
        let bytes = proof.encode();
        for cut in 0..bytes.len() {
            assert!(Equivocation::decode(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for bent in [
            file.replace("equivocation", "other"),
            file.replace("\"base\"", "\"more\": 1, \"base\""),
            file.replacen("\"one\"", "\"none\"", 1),
            file.replacen(&proof.base.to_string(), "00", 1),
            "{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(Equivocation::from_file(&bent).unwrap_err().reason(), "bad_proof", "{bent}");
        }
    }
}
