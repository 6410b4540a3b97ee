//! What a ceremony is to make: which key, for whom, from whom. Posted to the log first.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::canonical::{CanonicalError, Reader, Writer};
use crate::id::{Digest, EntryId, NodeId};
use crate::pseudonym::key::{Generation, KeyEpoch, KeyId};
use crate::pseudonym::sharing::{HOLDERS_MAX, Sharing, THRESHOLD_MIN};

/// The shortest and the longest phase.
const PHASE_MS: std::ops::RangeInclusive<u64> = 60_000..=30 * 86_400_000;

/// Why a plan is not followed: the fault of who posted it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// The bytes are not canonical of type `key-plan`.
    #[error("not a plan: {0}")]
    Malformed(#[from] CanonicalError),
    /// It begins from another sharing than the one that this node has.
    #[error("the plan begins from another sharing than the équipe's")]
    Old,
    /// A new key is not the one after the present one.
    #[error("the plan's key epoch does not follow the present one")]
    Epoch,
    /// The holders are not the parties that the statement names, or too many or too few.
    #[error("the plan names other holders than the équipe's parties")]
    Holders,
    /// The threshold is not the pact's.
    #[error("the plan has another threshold than the pact")]
    Threshold,
    /// Fewer dealers than are needed, or some that hold no old share.
    #[error("the plan names dealers that cannot make the key")]
    Dealers,
    /// A phase is shorter than a minute or longer than thirty days.
    #[error("a phase lasts one minute to thirty days")]
    Phase,
}

impl PlanError {
    /// The stable reason for machines.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "key_plan_malformed",
            Self::Old => "key_plan_old",
            Self::Epoch => "key_plan_epoch",
            Self::Holders => "key_plan_holders",
            Self::Threshold => "key_plan_threshold",
            Self::Dealers => "key_plan_dealers",
            Self::Phase => "key_plan_phase",
        }
    }
}

/// What the statement and the pact say of a key, against which a plan is held.
#[derive(Clone, Copy, Debug)]
pub struct Rules<'a> {
    /// Which key is to have holders.
    pub key: KeyId,
    /// The unsuspended parties; one that holds no cases is a party like the others.
    pub holders: &'a BTreeSet<NodeId>,
    /// How many of them must answer.
    pub threshold: u16,
    /// The sharing in force; none before the first, and of the key before where a new key
    /// epoch begins.
    pub current: Option<&'a Sharing>,
}

/// A ceremony's plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    run: EntryId,
    key: KeyId,
    generation: Generation,
    threshold: u16,
    holders: BTreeSet<NodeId>,
    dealers: BTreeSet<NodeId>,
    phase_ms: u64,
    /// The sharing that is dealt anew; none for a fresh key.
    old: Option<Sharing>,
}

impl Plan {
    /// Makes a fresh key: the équipe's first, or the one after a removal for cause. All
    /// holders deal.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn founding(run: EntryId, rules: Rules<'_>, phase: Duration) -> Result<Self, PlanError> {
        let plan = Self {
            run,
            key: rules.key,
            generation: Generation::FIRST,
            threshold: rules.threshold,
            holders: rules.holders.clone(),
            dealers: rules.holders.clone(),
            phase_ms: millis(phase),
            old: None,
        };
        plan.check(rules)?;
        Ok(plan)
    }

    /// Shares the key anew, tokens unchanged: at a join, a leave, or with another threshold.
    /// Those deal who hold an old share and are still parties.
    ///
    /// # Errors
    /// [`PlanError`]; [`PlanError::Dealers`] when too few old holders are left, so that only
    /// a fresh key is possible.
    pub fn resharing(run: EntryId, rules: Rules<'_>, phase: Duration) -> Result<Self, PlanError> {
        let old = rules.current.ok_or(PlanError::Old)?;
        let dealers = old.holders().filter(|node| rules.holders.contains(*node));
        let plan = Self {
            run,
            key: rules.key,
            generation: old.generation().next(),
            threshold: rules.threshold,
            holders: rules.holders.clone(),
            dealers: dealers.cloned().collect(),
            phase_ms: millis(phase),
            old: Some(old.clone()),
        };
        plan.check(rules)?;
        Ok(plan)
    }

    /// Holds the plan against the statement and the pact, as every member does alike.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn check(&self, rules: Rules<'_>) -> Result<(), PlanError> {
        if self.key != rules.key {
            return Err(PlanError::Epoch);
        }
        match (&self.old, rules.current) {
            (Some(old), current) if current != Some(old) => return Err(PlanError::Old),
            (Some(old), _) => {
                if old.key() != self.key || self.generation != old.generation().next() {
                    return Err(PlanError::Old);
                }
            }
            (None, None) if self.key.epoch != KeyEpoch::FIRST => return Err(PlanError::Epoch),
            (None, Some(current)) if current.key().successor() != self.key => {
                return Err(PlanError::Epoch);
            }
            (None, _) if self.generation != Generation::FIRST => return Err(PlanError::Old),
            (None, _) => {}
        }
        let count = self.holders.len();
        if self.holders != *rules.holders || count > HOLDERS_MAX {
            return Err(PlanError::Holders);
        }
        let possible = self.threshold >= THRESHOLD_MIN && usize::from(self.threshold) <= count;
        if self.threshold != rules.threshold || !possible {
            return Err(PlanError::Threshold);
        }
        let allowed = |node: &NodeId| match &self.old {
            Some(old) => old.is_holder(node) && self.holders.contains(node),
            None => self.holders.contains(node),
        };
        if self.dealers.len() < self.needed() || !self.dealers.iter().all(allowed) {
            return Err(PlanError::Dealers);
        }
        if PHASE_MS.contains(&self.phase_ms) { Ok(()) } else { Err(PlanError::Phase) }
    }

    /// How many good dealings make the key. A resharing interpolates the old sharing. A fresh
    /// key needs as many as the threshold, so that fewer liars than that do not know it.
    pub fn needed(&self) -> usize {
        usize::from(self.old.as_ref().map_or(self.threshold, Sharing::threshold))
    }

    /// Names this run: drawn by who posts the plan.
    pub fn run(&self) -> EntryId {
        self.run
    }

    /// Which key.
    pub fn key(&self) -> KeyId {
        self.key
    }

    /// Which of the key's sharings it makes.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// How many holders will have to answer.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }

    /// Who will hold a share.
    pub fn holders(&self) -> &BTreeSet<NodeId> {
        &self.holders
    }

    /// Who deals.
    pub fn dealers(&self) -> &BTreeSet<NodeId> {
        &self.dealers
    }

    /// The sharing that is dealt anew.
    pub fn old(&self) -> Option<&Sharing> {
        self.old.as_ref()
    }

    /// How long each phase waits, by the log's `accepted_at`.
    pub fn phase(&self) -> Duration {
        Duration::from_millis(self.phase_ms)
    }

    /// Canonical bytes of type `key-plan`: run, lineage, class, key epoch, generation,
    /// threshold, list of holders, list of dealers, phase in milliseconds, digest of the old
    /// sharing (zeros for a fresh key).
    pub fn encode(&self) -> Vec<u8> {
        let old = self.old.as_ref().map_or(Digest::ZERO, Sharing::digest);
        self.key
            .write(Writer::new("key-plan").bytes(self.run.as_bytes()))
            .integer(self.generation.0)
            .integer(u64::from(self.threshold))
            .list(self.holders.iter().map(NodeId::as_str))
            .list(self.dealers.iter().map(NodeId::as_str))
            .integer(self.phase_ms)
            .bytes(old.as_bytes())
            .finish()
    }

    /// SHA-256 of the canonical bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Which key encoded bytes plan, before anything of them is believed.
    ///
    /// # Errors
    /// [`PlanError::Malformed`].
    pub fn key_of(bytes: &[u8]) -> Result<KeyId, PlanError> {
        let mut reader = Reader::new("key-plan", bytes)?;
        reader.bytes("run")?;
        Ok(KeyId::read(&mut reader)?)
    }

    /// Reads what [`Plan::encode`] wrote and holds it against the rules.
    ///
    /// # Errors
    /// [`PlanError`].
    pub fn decode(bytes: &[u8], rules: Rules<'_>) -> Result<Self, PlanError> {
        let plan = Self::read(bytes, rules.current)?;
        plan.check(rules)?;
        Ok(plan)
    }

    /// Reads what [`Plan::encode`] wrote, of a plan that has been held against the rules of
    /// its time or will be: [`Plan::check`]. `current` is the sharing in force then.
    ///
    /// # Errors
    /// [`PlanError::Malformed`], [`PlanError::Old`] or [`PlanError::Threshold`].
    pub fn read(bytes: &[u8], current: Option<&Sharing>) -> Result<Self, PlanError> {
        let mut reader = Reader::new("key-plan", bytes)?;
        let run = EntryId(reader.array("run")?);
        let key = KeyId::read(&mut reader)?;
        let generation = Generation(reader.integer("generation")?);
        let threshold = u16::try_from(reader.integer("threshold")?);
        let threshold = threshold.map_err(|_| PlanError::Threshold)?;
        let holders = nodes(&reader.list("holders")?, "holders")?;
        let dealers = nodes(&reader.list("dealers")?, "dealers")?;
        let phase_ms = reader.integer("phase")?;
        let old = Digest(reader.array("old sharing")?);
        reader.end()?;
        let old = match current {
            _ if old == Digest::ZERO => None,
            Some(current) if current.digest() == old => Some(current.clone()),
            _ => return Err(PlanError::Old),
        };
        Ok(Self { run, key, generation, threshold, holders, dealers, phase_ms, old })
    }
}

/// Reads node ids in strictly rising order, so that none stands twice.
pub(super) fn nodes(
    items: &[&[u8]],
    field: &'static str,
) -> Result<BTreeSet<NodeId>, CanonicalError> {
    let mut found: BTreeSet<NodeId> = BTreeSet::new();
    for item in items {
        let text = std::str::from_utf8(item).map_err(|_| CanonicalError::Field(field))?;
        let node: NodeId = text.parse().map_err(|_| CanonicalError::Field(field))?;
        if found.last().is_some_and(|last| *last >= node) {
            return Err(CanonicalError::Field(field));
        }
        found.insert(node);
    }
    Ok(found)
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pseudonym::share::tests::{key, nodes as named, shared};

    const HOUR: Duration = Duration::from_secs(3_600);
    const RUN: EntryId = EntryId([3; 16]);

    fn set(count: usize) -> BTreeSet<NodeId> {
        named(count).into_iter().collect()
    }

    fn rules<'a>(holders: &'a BTreeSet<NodeId>, current: Option<&'a Sharing>) -> Rules<'a> {
        Rules { key: key(), holders, threshold: 2, current }
    }

    #[test]
    fn plans_are_read_back_by_who_has_the_same_sharing() {
        let (old, _) = shared(3, 2);
        let holders = set(4);
        let found = Plan::founding(RUN, rules(&holders, None), HOUR).unwrap();
        assert_eq!(Plan::decode(&found.encode(), rules(&holders, None)), Ok(found));
        let again = Plan::resharing(RUN, rules(&holders, Some(&old)), HOUR).unwrap();
        let bytes = again.encode();
        assert_eq!(Plan::decode(&bytes, rules(&holders, Some(&old))), Ok(again));
        assert_eq!(Plan::decode(&bytes, rules(&holders, None)), Err(PlanError::Old));
        assert_eq!(Plan::key_of(&bytes), Ok(key()));
        assert_eq!(Plan::read(&bytes, Some(&old)).map(|plan| plan.encode()), Ok(bytes.clone()));
        for cut in 0..bytes.len() {
            assert!(Plan::decode(&bytes[..cut], rules(&holders, Some(&old))).is_err());
        }
    }

    fn refused(change: impl Fn(&mut Plan), expected: PlanError) {
        let (old, _) = shared(3, 2);
        let holders = set(4);
        let mut plan = Plan::resharing(RUN, rules(&holders, Some(&old)), HOUR).unwrap();
        change(&mut plan);
        assert_eq!(plan.check(rules(&holders, Some(&old))), Err(expected));
    }

    #[test]
    fn a_plan_says_what_statement_and_pact_say() {
        refused(|plan| plan.threshold = 3, PlanError::Threshold);
        refused(|plan| drop(plan.holders.pop_last()), PlanError::Holders);
        refused(|plan| plan.holders.extend("zeta".parse::<NodeId>()), PlanError::Holders);
        refused(|plan| plan.dealers.retain(|node| node.as_str() < "node-002"), PlanError::Dealers);
        // The newcomer holds nothing that it could deal.
        refused(|plan| plan.dealers = plan.holders.clone(), PlanError::Dealers);
        refused(|plan| plan.phase_ms = 59_999, PlanError::Phase);
        refused(|plan| plan.phase_ms = u64::MAX, PlanError::Phase);
        refused(|plan| plan.generation = Generation(1), PlanError::Old);
        refused(|plan| plan.generation = Generation(3), PlanError::Old);
        refused(|plan| plan.key = plan.key.successor(), PlanError::Epoch);
        refused(|plan| plan.old = Some(shared(3, 3).0), PlanError::Old);
        // A fresh key under the name of the present one would change every token.
        refused(|plan| plan.old = None, PlanError::Epoch);
    }

    #[test]
    fn thresholds_below_two_or_above_the_holders_are_impossible() {
        let check = |holders: usize, threshold: u16| {
            let holders = set(holders);
            let rules = Rules { threshold, ..rules(&holders, None) };
            Plan::founding(RUN, rules, HOUR).is_ok()
        };
        assert!(check(2, 2));
        assert!(check(5, 3));
        assert!(!check(1, 2));
        assert!(!check(3, 1));
        assert!(!check(3, 4));
    }

    #[test]
    fn a_new_key_epoch_follows_the_present_one() {
        let (old, _) = shared(3, 2);
        let holders = set(3);
        let check = |epoch: u64, current: Option<&Sharing>| {
            let key = KeyId { epoch: KeyEpoch(epoch), ..key() };
            Plan::founding(RUN, Rules { key, ..rules(&holders, current) }, HOUR).err()
        };
        assert_eq!(check(1, None), None);
        assert_eq!(check(2, Some(&old)), None);
        assert_eq!(check(2, None), Some(PlanError::Epoch));
        assert_eq!(check(1, Some(&old)), Some(PlanError::Epoch));
        assert_eq!(check(3, Some(&old)), Some(PlanError::Epoch));
    }

    #[test]
    fn too_few_old_holders_need_a_fresh_key() {
        let (old, _) = shared(3, 3);
        let holders: BTreeSet<NodeId> = named(4).into_iter().skip(1).collect();
        let plan = Plan::resharing(RUN, rules(&holders, Some(&old)), HOUR);
        assert_eq!(plan, Err(PlanError::Dealers));
    }
}
