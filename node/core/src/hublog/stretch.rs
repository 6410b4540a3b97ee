//! A stretch of a log as a member has verified it: what later statements are compared with.

use crate::hublog::checkpoint::SignedCheckpoint;
use crate::hublog::equivocation::Equivocation;
use crate::hublog::head_after;
use crate::id::{Digest, Sequence};
use crate::trust::card::SignedCard;

/// Entries that a member took together, as digests, and the hub's signature over the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// Place of the entry before the first.
    pub after: Sequence,
    /// Head at that place.
    pub before: Digest,
    /// Digest of each entry.
    pub digests: Vec<Digest>,
    /// Signed by the hub, of the last entry; none where a batch was taken in parts.
    pub checkpoint: Option<SignedCheckpoint>,
}

impl Stretch {
    /// Nothing yet, after a place with this head.
    pub fn after(after: Sequence, before: Digest) -> Self {
        Self { after, before, digests: Vec::new(), checkpoint: None }
    }

    /// Place of the last entry.
    pub fn last(&self) -> Sequence {
        Sequence(self.after.0.saturating_add(self.digests.len() as u64))
    }

    /// Head at a place from the one before the first entry to the last.
    pub fn head_at(&self, sequence: Sequence) -> Option<Digest> {
        let count = sequence.0.checked_sub(self.after.0)?;
        let digests = self.digests.get(..usize::try_from(count).ok()?)?;
        Some(digests.iter().fold(self.before, |head, digest| head_after(head, *digest)))
    }

    /// Digest of one entry.
    pub fn digest_of(&self, sequence: Sequence) -> Option<Digest> {
        let place = sequence.0.checked_sub(self.after.0)?.checked_sub(1)?;
        self.digests.get(usize::try_from(place).ok()?).copied()
    }

    fn digests_after(&self, sequence: Sequence) -> &[Digest] {
        let count = sequence.0.saturating_sub(self.after.0);
        usize::try_from(count).ok().and_then(|count| self.digests.get(count..)).unwrap_or_default()
    }
}

/// The proof that a hub has signed `stray` beside the history of `stretches`; none where
/// they agree, or where the hub has signed nothing at the stray place or later.
///
/// The stretches ascend without gaps; the first holds the stray place.
pub fn contradiction(
    hub: &SignedCard,
    stray: &SignedCheckpoint,
    stretches: &[Stretch],
) -> Option<Equivocation> {
    let place = stray.checkpoint().sequence;
    let base = stretches.first()?.head_at(place)?;
    let mut links = Vec::new();
    for stretch in stretches {
        links.extend_from_slice(stretch.digests_after(place));
        if let Some(signed) = stretch.checkpoint.clone().filter(|_| stretch.last() >= place) {
            let (hub, one) = (hub.clone(), stray.clone());
            let proof = Equivocation { hub, one, other: signed, base, links };
            return proof.judge().is_ok().then_some(proof);
        }
    }
    None
}
