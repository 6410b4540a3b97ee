//! A ceremony: how members make a key together, or share it anew, without any of them ever
//! knowing it.
//!
//! All of it stands in the équipe's log, and every member computes the same state from the
//! same entries: who dealt well, who is left out, what the holders then hold. A restart reads
//! the entries again; a repeated, late or foreign message changes nothing. Four phases, each
//! ended by the last message that it waits for, or by the plan's time (the log's
//! `accepted_at`):
//!
//! 1. *dealing*: each dealer posts commitments and sealed values; wrong ones are named
//! 2. *reporting*: each holder opens its values and accuses the dealers whose did not fit; a
//!    newcomer says that it is one
//! 3. *answering*, only if somebody is accused: an accused dealer shows that value; who does
//!    not, or whom as many accuse as the threshold, is left out
//! 4. *agreeing*: holders post the digest of the transcript and of the sharing it makes. Of a
//!    key that is shared anew, newcomers know the sharing before from others: it counts only
//!    if at least a threshold of those who say that they are none agree, as old holders

mod act;
mod plan;
mod state;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

pub use act::Act;
pub use plan::{Plan, PlanError, Rules};
pub use state::{Duty, Failure, Ignored, NoShare, Phase, Taken};

use super::dealing::{CheckedDealing, Dealing, DealingFault};
use super::group::{self, Place};
use super::share::KeyShare;
use super::sharing::{Sharing, places, threshold};
use crate::canonical::Writer;
use crate::id::{Digest, NodeId};
use crate::planted::{self, Bug};
use crate::sealing::SealingKey;
use crate::time::Instant;

/// A ceremony as the log tells it.
#[derive(Clone)]
pub struct Ceremony {
    plan: Plan,
    phase: Phase,
    /// When the phase ends, whoever is missing.
    until: Instant,
    /// Chains plan and counted messages until the sharing is made.
    transcript: Digest,
    /// In the log's order, which decides whose old shares are interpolated.
    dealings: Vec<(NodeId, CheckedDealing)>,
    faults: BTreeMap<NodeId, DealingFault>,
    reports: BTreeMap<NodeId, BTreeSet<NodeId>>,
    /// Holders that knew no sharing of the key before, by their own word.
    newcomers: BTreeSet<NodeId>,
    /// By dealer and holder.
    answers: BTreeMap<(NodeId, NodeId), [u8; 32]>,
    agreed: BTreeSet<NodeId>,
    sharing: Option<Sharing>,
}

impl Ceremony {
    /// Begins with a plan that has been checked, accepted by the log at `at`.
    pub fn begin(plan: Plan, at: Instant) -> Self {
        let transcript = plan.digest();
        let until = at.plus(plan.phase());
        Self {
            plan,
            phase: Phase::Dealing,
            until,
            transcript,
            dealings: Vec::new(),
            faults: BTreeMap::new(),
            reports: BTreeMap::new(),
            newcomers: BTreeSet::new(),
            answers: BTreeMap::new(),
            agreed: BTreeSet::new(),
            sharing: None,
        }
    }

    /// Takes a message of the log, in its order. `sender` is whom MLS authenticated.
    pub fn apply(&mut self, sender: &NodeId, at: Instant, act: &Act) -> Taken {
        self.pass(at);
        let taken = match act {
            Act::Deal(dealing) => self.deal(sender, dealing),
            Act::Report { accused, newcomer } => self.report(sender, accused, *newcomer),
            Act::Answer { holder, value } => self.answer(sender, holder, value),
            Act::Agree(digest) => self.agree(sender, *digest),
        };
        if !matches!(taken, Taken::Ignored(_) | Taken::Dissent) {
            if !matches!(act, Act::Agree(_)) {
                self.note(sender, act);
            }
            self.advance(at);
        }
        taken
    }

    /// Lets time pass, by the `accepted_at` of any entry of the log.
    pub fn pass(&mut self, at: Instant) {
        while !self.is_over() && at >= self.until {
            // The next phase begins where this one ended, so that it does not matter which
            // entry told of it.
            self.end_phase(self.until);
        }
    }

    fn note(&mut self, sender: &NodeId, act: &Act) {
        let writer = Writer::new("key-transcript").bytes(self.transcript.as_bytes());
        let writer = writer.text(sender.as_str()).bytes(&act.encode(self.plan.run()));
        self.transcript = writer.digest();
    }

    fn deal(&mut self, sender: &NodeId, dealing: &Dealing) -> Taken {
        if !self.plan.dealers().contains(sender) {
            return Taken::Ignored(Ignored::Uncalled);
        }
        if self.phase != Phase::Dealing {
            return Taken::Ignored(Ignored::OutOfPhase);
        }
        if self.has_dealt(sender) {
            return Taken::Ignored(Ignored::Repeated);
        }
        match dealing.check(&self.plan, sender) {
            Ok(checked) => {
                self.dealings.push((sender.clone(), checked));
                Taken::Counted
            }
            Err(fault) => {
                self.faults.insert(sender.clone(), fault);
                Taken::Fault(fault)
            }
        }
    }

    fn report(&mut self, sender: &NodeId, accused: &BTreeSet<NodeId>, newcomer: bool) -> Taken {
        if !self.plan.holders().contains(sender) {
            return Taken::Ignored(Ignored::Uncalled);
        }
        if self.phase != Phase::Reporting {
            return Taken::Ignored(Ignored::OutOfPhase);
        }
        if self.reports.contains_key(sender) {
            return Taken::Ignored(Ignored::Repeated);
        }
        // Who did not deal well is out already.
        let dealt = accused.iter().filter(|node| self.qualified(node).is_some());
        let dealt = dealt.cloned().collect();
        self.reports.insert(sender.clone(), dealt);
        if newcomer {
            self.newcomers.insert(sender.clone());
        }
        Taken::Counted
    }

    fn answer(&mut self, sender: &NodeId, holder: &NodeId, value: &[u8; 32]) -> Taken {
        if self.phase != Phase::Answering {
            return Taken::Ignored(Ignored::OutOfPhase);
        }
        let Some(dealing) = self.qualified(sender) else {
            return Taken::Ignored(Ignored::Uncalled);
        };
        if !self.accusers(sender).contains(holder) {
            return Taken::Ignored(Ignored::Uncalled);
        }
        let place = (sender.clone(), holder.clone());
        if self.answers.contains_key(&place) {
            return Taken::Ignored(Ignored::Repeated);
        }
        if dealing.value(&self.plan, holder, value).is_none() {
            self.faults.insert(sender.clone(), DealingFault::Complaint);
            return Taken::Fault(DealingFault::Complaint);
        }
        self.answers.insert(place, *value);
        Taken::Counted
    }

    fn agree(&mut self, sender: &NodeId, digest: Digest) -> Taken {
        if !self.plan.holders().contains(sender) {
            return Taken::Ignored(Ignored::Uncalled);
        }
        if self.phase != Phase::Agreeing {
            return Taken::Ignored(Ignored::OutOfPhase);
        }
        if Some(digest) != self.agreement() {
            return Taken::Dissent;
        }
        if !self.agreed.insert(sender.clone()) {
            return Taken::Ignored(Ignored::Repeated);
        }
        Taken::Counted
    }

    /// Ends phases that wait for nobody any more.
    fn advance(&mut self, at: Instant) {
        while !self.is_over() && self.missing().is_empty() {
            self.end_phase(at);
        }
    }

    fn end_phase(&mut self, at: Instant) {
        self.until = at.plus(self.plan.phase());
        match self.phase {
            Phase::Dealing => self.phase = self.enough_or(Phase::Reporting),
            Phase::Reporting => {
                self.leave_out_the_accused();
                self.phase = Phase::Answering;
            }
            Phase::Answering => {
                for dealer in self.unanswered().into_keys() {
                    self.faults.insert(dealer, DealingFault::Complaint);
                }
                self.settle();
            }
            Phase::Agreeing => {
                let (have, need) = (self.agreed.len(), usize::from(self.plan.threshold()));
                self.phase = match have >= need {
                    true => self.attested(),
                    false => Phase::Failed(Failure::Agreements { have, need }),
                };
            }
            Phase::Done | Phase::Failed(_) => {}
        }
    }

    /// Whether the sharing that was dealt anew is the one in force, for those who have it from
    /// a plan: a lie needs as many liars as could test values by themselves. Whoever keeps
    /// silent may have held another.
    fn attested(&self) -> Phase {
        let Some(old) = self.plan.old() else { return Phase::Done };
        let is_old = |node: &&NodeId| old.is_holder(node) && !self.newcomers.contains(*node);
        let have = self.agreed.iter().filter(is_old).count();
        let before = self.plan.holders().difference(&self.newcomers).count();
        let need = usize::from(threshold(before));
        match have >= need {
            true => Phase::Done,
            false => Phase::Failed(Failure::Attestations { have, need }),
        }
    }

    fn enough_or(&self, next: Phase) -> Phase {
        let (have, need) = (self.good().count(), self.plan.needed());
        if have >= need { next } else { Phase::Failed(Failure::Dealings { have, need }) }
    }

    /// As many accusers as the threshold: one of them is honest, and answers would show the
    /// whole polynomial.
    fn leave_out_the_accused(&mut self) {
        let dealers: Vec<NodeId> = self.good().map(|(node, _)| node.clone()).collect();
        for dealer in dealers {
            if self.accusers(&dealer).len() >= usize::from(self.plan.threshold()) {
                self.faults.insert(dealer, DealingFault::Complaint);
            }
        }
    }

    fn settle(&mut self) {
        self.phase = self.enough_or(Phase::Agreeing);
        if self.phase != Phase::Agreeing {
            return;
        }
        self.sharing = self.made();
        if self.sharing.is_none() {
            self.phase = Phase::Failed(Failure::NoKey);
        }
    }

    /// The sharing that the chosen dealings make: first their polynomial, then its value at
    /// each holder's place.
    fn made(&self) -> Option<Sharing> {
        let chosen = self.chosen()?;
        let weights: Vec<Scalar> = chosen.iter().map(|(_, _, weight)| *weight).collect();
        let coefficient = |degree: usize| {
            let points: Option<Vec<_>> =
                chosen.iter().map(|(_, dealing, _)| dealing.coefficient(degree)).collect();
            points.map(|points| group::sum(&weights, &points))
        };
        let polynomial: Option<Vec<_>> =
            (0..usize::from(self.plan.threshold())).map(coefficient).collect();
        let polynomial = polynomial?;
        let public = *polynomial.first()?;
        // A resharing keeps the key, whatever its dealers did.
        if self.plan.old().is_some_and(|old| old.public() != public) {
            return None;
        }
        let holders = places(self.plan.holders().iter());
        let value = |place| group::evaluate(&polynomial, place);
        let shares = holders.map(|(node, place)| (node.clone(), value(place))).collect();
        let (key, generation) = (self.plan.key(), self.plan.generation());
        Sharing::new(key, generation, self.plan.threshold(), public, shares).ok()
    }

    /// The dealings that make the sharing, and their weights: all good ones of a fresh key;
    /// of a resharing as many as the old threshold, the first in the log.
    fn chosen(&self) -> Option<Vec<(&NodeId, &CheckedDealing, Scalar)>> {
        let Some(old) = self.plan.old() else {
            return Some(self.good().map(|(node, deal)| (node, deal, Scalar::ONE)).collect());
        };
        let first: Vec<_> = self.good().take(self.plan.needed()).collect();
        let places: Option<Vec<Place>> =
            first.iter().map(|(node, _)| old.holder(node).map(|(place, _)| place)).collect();
        let weights = group::weights(&places?, 0)?;
        let weighted = first.into_iter().zip(weights);
        Some(weighted.map(|((node, dealing), weight)| (node, dealing, weight)).collect())
    }

    fn good(&self) -> impl Iterator<Item = (&NodeId, &CheckedDealing)> {
        let good = self.dealings.iter().filter(|(node, _)| !self.faults.contains_key(node));
        good.map(|(node, dealing)| (node, dealing))
    }

    fn qualified(&self, dealer: &NodeId) -> Option<&CheckedDealing> {
        self.good().find(|(node, _)| *node == dealer).map(|(_, dealing)| dealing)
    }

    fn has_dealt(&self, node: &NodeId) -> bool {
        self.faults.contains_key(node) || self.dealings.iter().any(|(dealer, _)| dealer == node)
    }

    fn accusers(&self, dealer: &NodeId) -> BTreeSet<NodeId> {
        let accusing = self.reports.iter().filter(|(_, accused)| accused.contains(dealer));
        accusing.map(|(holder, _)| holder.clone()).collect()
    }

    /// Good dealers with complaints that they have not answered, and whose.
    fn unanswered(&self) -> BTreeMap<NodeId, BTreeSet<NodeId>> {
        let open = |dealer: &NodeId| {
            let mut open = self.accusers(dealer);
            open.retain(|holder| !self.answers.contains_key(&(dealer.clone(), holder.clone())));
            (dealer.clone(), open)
        };
        self.good().map(|(dealer, _)| open(dealer)).filter(|(_, open)| !open.is_empty()).collect()
    }

    /// What it is to make.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Where it stands.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// Until when the phase waits.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Whether nothing can change any more.
    pub fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Done | Phase::Failed(_))
    }

    /// Who cheated or is broken, and how: alarms, and shown to people, who may remove it.
    pub fn faults(&self) -> &BTreeMap<NodeId, DealingFault> {
        &self.faults
    }

    /// Who has dealt as it should.
    pub fn good_dealers(&self) -> BTreeSet<NodeId> {
        self.good().map(|(node, _)| node.clone()).collect()
    }

    /// For whom the phase still waits.
    pub fn missing(&self) -> BTreeSet<NodeId> {
        let without = |all: &BTreeSet<NodeId>, done: &dyn Fn(&NodeId) -> bool| {
            all.iter().filter(|node| !done(node)).cloned().collect()
        };
        match self.phase {
            Phase::Dealing => without(self.plan.dealers(), &|node| self.has_dealt(node)),
            Phase::Reporting => {
                without(self.plan.holders(), &|node| self.reports.contains_key(node))
            }
            Phase::Answering => self.unanswered().into_keys().collect(),
            Phase::Agreeing => without(self.plan.holders(), &|node| self.agreed.contains(node)),
            Phase::Done | Phase::Failed(_) => BTreeSet::new(),
        }
    }

    /// What a member has to post, as far as the log tells. Asked again after a restart.
    pub fn duty(&self, node: &NodeId) -> Option<Duty> {
        if !self.missing().contains(node) {
            return None;
        }
        match self.phase {
            Phase::Dealing => Some(Duty::Deal),
            Phase::Reporting => Some(Duty::Report),
            Phase::Answering => self.unanswered().remove(node).map(Duty::Answer),
            Phase::Agreeing => Some(Duty::Agree),
            Phase::Done | Phase::Failed(_) => None,
        }
    }

    /// The dealers whose values for this node do not open or do not fit: its report. `keys`
    /// are those of all its cards: a dealer may have sealed to a former one.
    pub fn complaints(&self, node: &NodeId, keys: &[&SealingKey]) -> BTreeSet<NodeId> {
        if planted::is(Bug::ComplaintForgotten) {
            return BTreeSet::new();
        }
        let bad = |dealer: &NodeId, dealing: &CheckedDealing| {
            self.opened(dealer, dealing, node, keys).is_none()
        };
        let bad = self.good().filter(|(dealer, dealing)| bad(dealer, dealing));
        bad.map(|(dealer, _)| dealer.clone()).collect()
    }

    /// What was made: from [`Phase::Agreeing`] on; in force once [`Phase::Done`].
    pub fn sharing(&self) -> Option<&Sharing> {
        self.sharing.as_ref()
    }

    /// What holders agree on: SHA-256 of the canonical bytes of type `key-agreement`,
    /// transcript and digest of the sharing.
    pub fn agreement(&self) -> Option<Digest> {
        let sharing = self.sharing.as_ref()?.digest();
        let writer = Writer::new("key-agreement").bytes(self.transcript.as_bytes());
        Some(writer.bytes(sharing.as_bytes()).digest())
    }

    fn opened(
        &self,
        dealer: &NodeId,
        dealing: &CheckedDealing,
        node: &NodeId,
        keys: &[&SealingKey],
    ) -> Option<Zeroizing<Scalar>> {
        keys.iter().find_map(|key| dealing.open(&self.plan, dealer, node, key))
    }

    /// This node's new share, for the vault, before it agrees; `keys` as for its report.
    ///
    /// # Errors
    /// [`NoShare`].
    pub fn share(&self, node: &NodeId, keys: &[&SealingKey]) -> Result<KeyShare, NoShare> {
        let sharing = self.sharing.as_ref().ok_or(NoShare::NotMade)?;
        if !sharing.is_holder(node) {
            return Err(NoShare::NoHolder);
        }
        let mut sum = Zeroizing::new(Scalar::ZERO);
        for (dealer, dealing, weight) in self.chosen().ok_or(NoShare::Broken)? {
            let shown = self.answers.get(&(dealer.clone(), node.clone()));
            let value = match shown {
                Some(value) => dealing.value(&self.plan, node, value),
                None => self.opened(dealer, dealing, node, keys),
            };
            let value = value.ok_or_else(|| NoShare::Lost(dealer.clone()))?;
            *sum += weight * *value;
        }
        let share = KeyShare::new(sharing.key(), sharing.generation(), &sum);
        share.check(sharing, node).map_err(|_| NoShare::Broken)?;
        Ok(share)
    }
}

impl std::fmt::Debug for Ceremony {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ceremony")
            .field("run", &self.plan.run())
            .field("phase", &self.phase)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}
