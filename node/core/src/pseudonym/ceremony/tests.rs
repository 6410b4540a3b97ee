//! Ceremonies told by a log that every member reads alike: honest ones, liars, crashes in the
//! middle, repetitions and other orders of arrival.

use std::time::Duration;

use curve25519_dalek::ristretto::RistrettoPoint;
use proptest::prelude::*;

use super::*;
use crate::entropy::SeededEntropy;
use crate::id::EntryId;
use crate::pseudonym::dealing::{self, DealerSeed};
use crate::pseudonym::evaluation::evaluate;
use crate::pseudonym::key::KeyId;
use crate::pseudonym::request::{CombineError, Request};
use crate::pseudonym::share::tests::{key, nodes};
use crate::pseudonym::sharing::threshold;
use crate::pseudonym::token::Token;
use crate::secret::Secret;

const PHASE: Duration = Duration::from_secs(3_600);
const PHASE_MS: i64 = 3_600_000;

/// How a member misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Vice {
    /// Says nothing.
    Silent,
    /// Deals this holder a value that does not fit, and owns up when accused.
    BadValue(usize),
    /// The same, and does not answer, or answers with another value.
    BadValueUnanswered(usize),
    BadValueBadAnswer(usize),
    /// Deals everyone a value that does not fit.
    BadValues,
    /// Posts commitments of a polynomial of another degree.
    Degree(bool),
    /// Posts a commitment that is no element.
    Identity,
    /// Breaks the proof, or copies another's dealing.
    Proof,
    /// Deals to fewer holders.
    Holders,
    /// Shares something else than its old share.
    OtherValue,
    /// Accuses everybody.
    Slander,
    /// Agrees to something else.
    Dissent,
}

/// An équipe's members with their keys, shares and vices.
struct Lab {
    names: Vec<NodeId>,
    sealing: BTreeMap<NodeId, SealingKey>,
    shares: BTreeMap<NodeId, KeyShare>,
    vices: BTreeMap<NodeId, Vice>,
    sharing: Option<Sharing>,
    runs: u8,
}

/// What a run left: the ceremony, and what was told of each member's messages.
struct Run {
    ceremony: Ceremony,
    log: Vec<(NodeId, Instant, Act)>,
    told: Vec<(NodeId, Taken)>,
}

impl Lab {
    fn new(count: usize) -> Self {
        let names = nodes(count);
        let key = |place: usize| SealingKey::derive(&Secret::new([place as u8; 32])).unwrap();
        let sealing = names.iter().enumerate().map(|(place, node)| (node.clone(), key(place)));
        Self {
            sealing: sealing.collect(),
            names,
            shares: BTreeMap::new(),
            vices: BTreeMap::new(),
            sharing: None,
            runs: 0,
        }
    }

    fn with(mut self, vices: &[(usize, Vice)]) -> Self {
        self.vices =
            vices.iter().map(|(place, vice)| (self.names[*place].clone(), *vice)).collect();
        self
    }

    fn public(&self) -> BTreeMap<NodeId, Vec<u8>> {
        self.sealing.iter().map(|(node, key)| (node.clone(), key.public().to_vec())).collect()
    }

    fn named(&self, places: &[usize]) -> BTreeSet<NodeId> {
        places.iter().map(|place| self.names[*place].clone()).collect()
    }

    fn plan(&mut self, holders: &[usize], fresh: bool) -> Plan {
        self.runs += 1;
        let run = EntryId([self.runs; 16]);
        let holders = self.named(holders);
        let threshold = threshold(holders.len());
        let current = self.sharing.as_ref();
        let key = match current {
            Some(sharing) if fresh => sharing.key().successor(),
            Some(sharing) => sharing.key(),
            None => key(),
        };
        let rules = Rules { key, holders: &holders, threshold, current };
        let plan = match fresh {
            true => Plan::founding(run, rules, PHASE),
            false => Plan::resharing(run, rules, PHASE),
        };
        plan.unwrap()
    }

    fn seed(node: &NodeId) -> DealerSeed {
        Secret::new(Digest::of(node.as_str().as_bytes()).0)
    }

    /// What a member posts for a duty, honest or not; none where it keeps silent.
    fn post(&self, ceremony: &Ceremony, node: &NodeId, duty: &Duty) -> Vec<Act> {
        let vice = self.vices.get(node).copied();
        if vice == Some(Vice::Silent) {
            return vec![];
        }
        let plan = ceremony.plan();
        match duty {
            Duty::Deal => vec![Act::Deal(self.dealing(plan, node, vice))],
            Duty::Report => {
                let accused = match vice {
                    Some(Vice::Slander) => plan.dealers().clone(),
                    _ => ceremony.complaints(node, &[&self.sealing[node]]),
                };
                // Who has no share of what is dealt anew is new.
                let newcomer = plan.old().is_none() || !self.shares.contains_key(node);
                vec![Act::Report { accused, newcomer }]
            }
            Duty::Answer(_) if matches!(vice, Some(Vice::BadValueUnanswered(_))) => vec![],
            Duty::Answer(holders) => {
                let answer = |holder: &NodeId| {
                    let share = self.shares.get(node);
                    let seed = Self::seed(node);
                    let mut value = dealing::reveal(&seed, plan, node, share, holder).unwrap();
                    if matches!(vice, Some(Vice::BadValueBadAnswer(_))) {
                        value[0] ^= 1;
                    }
                    Act::Answer { holder: holder.clone(), value }
                };
                holders.iter().map(answer).collect()
            }
            Duty::Agree if vice == Some(Vice::Dissent) => vec![Act::Agree(Digest::ZERO)],
            // An honest member agrees once it has its share, or else says nothing.
            Duty::Agree => match ceremony.share(node, &[&self.sealing[node]]) {
                Ok(_) => ceremony.agreement().map(Act::Agree).into_iter().collect(),
                Err(_) => vec![],
            },
        }
    }

    fn dealing(&self, plan: &Plan, node: &NodeId, vice: Option<Vice>) -> dealing::Dealing {
        let entropy = SeededEntropy::labelled(node.as_str());
        let share = self.shares.get(node);
        let deal = |plan: &Plan, share| {
            dealing::deal(&entropy, &Self::seed(node), plan, node, share, &self.public()).unwrap()
        };
        let mut dealing = deal(plan, share);
        let bend = |dealing: &mut dealing::Dealing, holder: &NodeId| {
            let other = dealing.sealed.values().find(|letter| **letter != dealing.sealed[holder]);
            let other = other.unwrap().clone();
            dealing.sealed.insert(holder.clone(), other);
        };
        match vice {
            Some(
                Vice::BadValue(place)
                | Vice::BadValueUnanswered(place)
                | Vice::BadValueBadAnswer(place),
            ) => bend(&mut dealing, &self.names[place]),
            Some(Vice::BadValues) => {
                for letter in dealing.sealed.values_mut() {
                    letter.reverse();
                }
            }
            Some(Vice::Degree(true)) => dealing.commitments.push(dealing.commitments[0]),
            Some(Vice::Degree(false)) => drop(dealing.commitments.pop()),
            Some(Vice::Identity) => *dealing.commitments.last_mut().unwrap() = [0; 32],
            Some(Vice::Proof) => dealing.proof[40] ^= 1,
            Some(Vice::Holders) => drop(dealing.sealed.pop_last()),
            Some(Vice::OtherValue) => {
                // A good dealing of a secret of its own.
                let other = Plan::founding(
                    plan.run(),
                    Rules {
                        key: key(),
                        holders: plan.holders(),
                        threshold: plan.threshold(),
                        current: None,
                    },
                    PHASE,
                );
                dealing = deal(&other.unwrap(), None);
            }
            _ => {}
        }
        dealing
    }

    /// Runs a ceremony to its end. `order` turns the order in which members post; each message
    /// arrives twice if `twice`; the log's time moves when nobody has anything to say.
    fn run(&mut self, plan: Plan, order: usize, twice: bool) -> Run {
        let mut run =
            Run { ceremony: Ceremony::begin(plan, Instant(0)), log: vec![], told: vec![] };
        let mut at = 0;
        while !run.ceremony.is_over() {
            let mut said = false;
            let mut names = self.names.clone();
            names.rotate_left(order % self.names.len());
            for node in &names {
                let Some(duty) = run.ceremony.duty(node) else { continue };
                for act in self.post(&run.ceremony, node, &duty) {
                    at += 1;
                    for _ in 0..=usize::from(twice) {
                        let taken = run.ceremony.apply(node, Instant(at), &act);
                        run.log.push((node.clone(), Instant(at), act.clone()));
                        said |= taken == Taken::Counted || matches!(taken, Taken::Fault(_));
                        run.told.push((node.clone(), taken));
                    }
                }
            }
            if !said {
                at += PHASE_MS;
                run.ceremony.pass(Instant(at));
            }
        }
        run
    }

    /// Takes what a finished ceremony made into the members' hands.
    fn take(&mut self, run: &Run) {
        assert_eq!(run.ceremony.phase(), Phase::Done, "{:?}", run.ceremony);
        let sharing = run.ceremony.sharing().unwrap().clone();
        self.shares = self
            .sealing
            .iter()
            .filter_map(|(node, key)| {
                run.ceremony.share(node, &[key]).ok().map(|share| (node.clone(), share))
            })
            .collect();
        self.sharing = Some(sharing);
    }

    fn make(&mut self, holders: &[usize], fresh: bool) -> Run {
        let plan = self.plan(holders, fresh);
        let run = self.run(plan, 0, false);
        self.take(&run);
        run
    }

    fn token(&self, who: &[usize]) -> Result<Token, CombineError> {
        let sharing = self.sharing.as_ref().unwrap();
        token(sharing, &self.shares, &self.named(who))
    }
}

fn token(
    sharing: &Sharing,
    shares: &BTreeMap<NodeId, KeyShare>,
    who: &BTreeSet<NodeId>,
) -> Result<Token, CombineError> {
    let entropy = SeededEntropy::labelled("token");
    let request = Request::blind(&entropy, sharing.key(), [("phone", "+39333")]).unwrap();
    let answer = |node: &NodeId| {
        let evaluation = evaluate(&entropy, &shares[node], &request.blinded()).unwrap();
        request.check(sharing, node, &evaluation).unwrap()
    };
    let answers: Vec<_> = who.iter().map(answer).collect();
    request.finish(sharing, &answers).map(|mut tokens| tokens.remove(0))
}

#[test]
fn members_make_a_key_and_any_quorum_uses_it() {
    let mut lab = Lab::new(5);
    let run = lab.make(&[0, 1, 2, 3, 4], true);
    assert!(run.ceremony.faults().is_empty());
    let expected = lab.token(&[0, 1, 2]).unwrap();
    for who in [[0, 1, 3], [2, 3, 4], [1, 2, 4]] {
        assert_eq!(lab.token(&who), Ok(expected.clone()));
    }
    assert_eq!(lab.token(&[0, 1]), Err(CombineError::TooFew { have: 2, need: 3 }));
    assert_eq!(
        Sharing::decode(&lab.sharing.as_ref().unwrap().encode()).as_ref(),
        Ok(lab.sharing.as_ref().unwrap())
    );
}

#[test]
fn tokens_stay_through_join_leave_and_threshold_change() {
    let mut lab = Lab::new(6);
    lab.make(&[0, 1], true);
    let expected = lab.token(&[0, 1]).unwrap();
    let public = lab.sharing.as_ref().unwrap().public_key();
    let check = |lab: &mut Lab, holders: &[usize], quorums: &[&[usize]]| {
        let before = lab.sharing.as_ref().unwrap().generation();
        lab.make(holders, false);
        let sharing = lab.sharing.as_ref().unwrap();
        assert_eq!(sharing.public_key(), public);
        assert_eq!(sharing.generation(), before.next());
        assert_eq!(lab.shares.len(), holders.len());
        for who in quorums {
            assert_eq!(lab.token(who), Ok(expected.clone()), "{holders:?} {who:?}");
        }
    };
    // A third holder that has no cases, three more members, and leaves of first ones.
    check(&mut lab, &[0, 1, 2], &[&[0, 2], &[1, 2]]);
    check(&mut lab, &[0, 1, 2, 3, 4, 5], &[&[0, 1, 2], &[3, 4, 5], &[1, 3, 5]]);
    check(&mut lab, &[2, 3, 4, 5], &[&[2, 3], &[4, 5]]);
    check(&mut lab, &[0, 3, 5], &[&[0, 3], &[0, 5], &[3, 5]]);
}

#[test]
fn old_shares_and_new_ones_do_not_mix() {
    let mut lab = Lab::new(3);
    lab.make(&[0, 1, 2], true);
    let expected = lab.token(&[0, 1]).unwrap();
    let (old, old_sharing) = (lab.shares.clone(), lab.sharing.clone().unwrap());
    lab.make(&[0, 1, 2], false);
    let new = lab.sharing.clone().unwrap();
    assert_ne!(old, lab.shares);
    // A removed member's old share: no proof of it holds among the new ones...
    let entropy = SeededEntropy::labelled("mix");
    let request = Request::blind(&entropy, key(), [("phone", "+39333")]).unwrap();
    let stale = evaluate(&entropy, &old[&lab.names[2]], &request.blinded()).unwrap();
    assert!(request.check(&new, &lab.names[2], &stale).is_err());
    // ... and whoever combines them without looking gets another value.
    let mut mixed = lab.shares.clone();
    mixed.insert(lab.names[2].clone(), old[&lab.names[2]].clone());
    let values: Vec<(Place, Scalar)> = [0, 2]
        .map(|place| &lab.names[place])
        .into_iter()
        .map(|node| (new.holder(node).unwrap().0, *mixed[node].scalar()))
        .collect();
    let places: Vec<Place> = values.iter().map(|(place, _)| *place).collect();
    let weights = group::weights(&places, 0).unwrap();
    let secret: Scalar = weights.iter().zip(&values).map(|(w, (_, value))| w * value).sum();
    assert_ne!(RistrettoPoint::mul_base(&secret), new.public());
    // A quorum of old shares, were they not deleted, still makes tokens: hence a new key
    // epoch after a removal for cause.
    assert_eq!(token(&old_sharing, &old, &lab.named(&[1, 2])), Ok(expected));
}

#[test]
fn fewer_shares_than_the_threshold_fit_every_key() {
    let mut lab = Lab::new(5);
    lab.make(&[0, 1, 2, 3, 4], true);
    let sharing = lab.sharing.as_ref().unwrap();
    let values: Vec<(Place, Scalar)> = [1, 3]
        .map(|place| &lab.names[place])
        .into_iter()
        .map(|node| (sharing.holder(node).unwrap().0, *lab.shares[node].scalar()))
        .collect();
    let places: Vec<Place> = values.iter().map(|(place, _)| *place).collect();
    let weights = group::weights(&places, 0).unwrap();
    let secret: Scalar = weights.iter().zip(&values).map(|(w, (_, value))| w * value).sum();
    assert_ne!(RistrettoPoint::mul_base(&secret), sharing.public());
}

#[test]
fn a_removal_for_cause_makes_another_key() {
    let mut lab = Lab::new(3);
    lab.make(&[0, 1, 2], true);
    let before = lab.token(&[0, 1]).unwrap();
    let public = lab.sharing.as_ref().unwrap().public_key();
    lab.make(&[0, 1], true);
    let sharing = lab.sharing.as_ref().unwrap();
    assert_eq!(sharing.key(), key().successor());
    assert_ne!(sharing.public_key(), public);
    assert_ne!(lab.token(&[0, 1]).unwrap(), before);
}

/// Founds with one liar among four and says how it is named and whether its dealing counts.
fn liar(vice: Vice, expected: Option<DealingFault>) {
    let mut lab = Lab::new(4).with(&[(3, vice)]);
    let run = lab.make(&[0, 1, 2, 3], true);
    let named = run.ceremony.faults().get(&lab.names[3]).copied();
    assert_eq!(named, expected, "{vice:?}");
    assert_eq!(run.ceremony.faults().len(), usize::from(expected.is_some()), "{vice:?}");
    let token = lab.token(&[0, 1]).unwrap();
    assert_eq!(lab.token(&[1, 2]), Ok(token.clone()), "{vice:?}");
    // The liar holds a share like the others: removing it is for people to decide.
    assert_eq!(lab.token(&[0, 3]), Ok(token), "{vice:?}");
}

#[test]
fn a_lying_dealer_is_named_and_left_out() {
    liar(Vice::Degree(true), Some(DealingFault::Degree));
    liar(Vice::Degree(false), Some(DealingFault::Degree));
    liar(Vice::Identity, Some(DealingFault::Element));
    liar(Vice::Proof, Some(DealingFault::Proof));
    liar(Vice::Holders, Some(DealingFault::Holders));
    liar(Vice::BadValues, Some(DealingFault::Complaint));
    liar(Vice::BadValueUnanswered(1), Some(DealingFault::Complaint));
    liar(Vice::BadValueBadAnswer(1), Some(DealingFault::Complaint));
}

#[test]
fn an_error_that_is_owned_up_to_costs_nothing() {
    liar(Vice::BadValue(1), None);
}

#[test]
fn slander_leaves_nobody_out() {
    liar(Vice::Slander, None);
}

#[test]
fn who_agrees_to_something_else_is_told_of() {
    let mut lab = Lab::new(4).with(&[(2, Vice::Dissent)]);
    let run = lab.make(&[0, 1, 2, 3], true);
    assert!(run.told.contains(&(lab.names[2].clone(), Taken::Dissent)));
}

#[test]
fn a_silent_member_is_waited_for_and_then_left_out() {
    let mut lab = Lab::new(4).with(&[(1, Vice::Silent)]);
    let plan = lab.plan(&[0, 1, 2, 3], true);
    let mut ceremony = Ceremony::begin(plan.clone(), Instant(0));
    ceremony.pass(Instant(PHASE_MS - 1));
    assert_eq!(ceremony.phase(), Phase::Dealing);
    let run = lab.run(plan, 0, false);
    lab.take(&run);
    assert!(run.ceremony.faults().is_empty());
    // It comes back and finds its share in the log.
    assert_eq!(lab.shares.len(), 4);
    assert_eq!(lab.token(&[1, 2]), lab.token(&[0, 3]));
}

#[test]
fn two_of_two_need_both() {
    let mut lab = Lab::new(2).with(&[(1, Vice::Silent)]);
    let plan = lab.plan(&[0, 1], true);
    let run = lab.run(plan, 0, false);
    assert_eq!(run.ceremony.phase(), Phase::Failed(Failure::Dealings { have: 1, need: 2 }));
    assert!(run.ceremony.sharing().is_none());
    let share = run.ceremony.share(&lab.names[0], &[&lab.sealing[&lab.names[0]]]);
    assert_eq!(share, Err(NoShare::NotMade));
}

#[test]
fn a_cheating_old_holder_cannot_change_the_key() {
    for vice in [Vice::OtherValue, Vice::BadValues, Vice::Silent, Vice::Proof] {
        let mut lab = Lab::new(5);
        lab.make(&[0, 1, 2], true);
        let expected = lab.token(&[0, 1]).unwrap();
        lab = Lab { vices: [(lab.names[0].clone(), vice)].into(), ..lab };
        lab.make(&[0, 1, 2, 3, 4], false);
        assert_eq!(lab.token(&[2, 3, 4]), Ok(expected), "{vice:?}");
    }
}

/// Two of five holders, fewer than the threshold, show newcomers a key that they have made up
/// among themselves. The others know better and keep silent.
#[test]
fn newcomers_do_not_take_a_key_from_fewer_than_the_threshold_of_old_holders() {
    let mut lab = Lab::new(7);
    lab.make(&[0, 1, 2, 3, 4], true);
    let made_up = {
        let mut liars = Lab::new(7);
        liars.make(&[0, 1], true);
        liars
    };
    lab.sharing = made_up.sharing;
    lab.shares = made_up.shares;
    let honest = [2, 3, 4].map(|place| (lab.names[place].clone(), Vice::Silent));
    lab.vices = honest.into();
    let plan = lab.plan(&[0, 1, 2, 3, 4, 5, 6], false);
    let run = lab.run(plan, 0, false);
    // With the two newcomers they would be as many as the new threshold.
    assert_eq!(run.ceremony.phase(), Phase::Failed(Failure::Attestations { have: 2, need: 3 }));
    // Of two who are the only ones from before, all newcomers take it.
    lab.vices.clear();
    lab.shares.retain(|node, _| *node == lab.names[0] || *node == lab.names[1]);
    let plan = lab.plan(&[0, 1, 2, 3, 4, 5, 6], false);
    let run = lab.run(plan, 0, false);
    assert_eq!(run.ceremony.phase(), Phase::Done);
}

#[test]
fn of_those_who_may_have_held_the_key_a_threshold_has_to_agree() {
    let mut lab = Lab::new(4);
    lab.make(&[0, 1, 2], true);
    // A newcomer's agreement is none: it knows the key from the others.
    let liar = (lab.names[1].clone(), Vice::Dissent);
    lab.vices = [liar, (lab.names[2].clone(), Vice::Silent)].into();
    let plan = lab.plan(&[0, 1, 2, 3], false);
    let run = lab.run(plan, 0, false);
    let few = Failure::Attestations { have: 1, need: 2 };
    assert_eq!(run.ceremony.phase(), Phase::Failed(few));
}

#[test]
fn a_resharing_with_too_few_honest_dealers_leaves_the_old_sharing() {
    let mut lab = Lab::new(4);
    lab.make(&[0, 1, 2], true);
    let expected = lab.token(&[0, 1]).unwrap();
    let silent = [0, 1].map(|place| (lab.names[place].clone(), Vice::Silent));
    lab.vices = silent.into();
    let plan = lab.plan(&[0, 1, 2, 3], false);
    let run = lab.run(plan, 0, false);
    assert_eq!(run.ceremony.phase(), Phase::Failed(Failure::Dealings { have: 1, need: 2 }));
    assert_eq!(lab.token(&[1, 2]), Ok(expected));
}

#[test]
fn a_dealing_belongs_to_its_dealer_and_plan() {
    let mut lab = Lab::new(3);
    let plan = lab.plan(&[0, 1, 2], true);
    let other = lab.plan(&[0, 1, 2], true);
    let dealing = lab.dealing(&plan, &lab.names[0], None);
    assert!(dealing.check(&plan, &lab.names[0]).is_ok());
    let refused = |plan: &Plan, node: &NodeId| dealing.check(plan, node).err();
    assert_eq!(refused(&plan, &lab.names[1]), Some(DealingFault::Proof));
    assert_eq!(refused(&other, &lab.names[0]), Some(DealingFault::Proof));
    let stranger = "zeta".parse().unwrap();
    assert_eq!(refused(&plan, &stranger), Some(DealingFault::NoDealer));
}

#[test]
fn messages_out_of_place_change_nothing() {
    let mut lab = Lab::new(3);
    let plan = lab.plan(&[0, 1], true);
    let mut ceremony = Ceremony::begin(plan.clone(), Instant(0));
    let check = |ceremony: &mut Ceremony, place: usize, act: &Act, expected: Ignored| {
        let before = ceremony.transcript;
        let taken = ceremony.apply(&lab.names[place], Instant(1), act);
        assert_eq!(taken, Taken::Ignored(expected));
        assert_eq!(ceremony.transcript, before);
    };
    let deal = |place: usize| Act::Deal(lab.dealing(&plan, &lab.names[place], None));
    let none = Act::Report { accused: BTreeSet::new(), newcomer: true };
    let answer = Act::Answer { holder: lab.names[1].clone(), value: [0; 32] };
    check(&mut ceremony, 2, &deal(0), Ignored::Uncalled);
    check(&mut ceremony, 0, &none, Ignored::OutOfPhase);
    check(&mut ceremony, 0, &answer, Ignored::OutOfPhase);
    check(&mut ceremony, 0, &Act::Agree(Digest::ZERO), Ignored::OutOfPhase);
    assert_eq!(ceremony.apply(&lab.names[0], Instant(1), &deal(0)), Taken::Counted);
    check(&mut ceremony, 0, &deal(0), Ignored::Repeated);
    assert_eq!(ceremony.apply(&lab.names[1], Instant(1), &deal(1)), Taken::Counted);
    assert_eq!(ceremony.phase(), Phase::Reporting);
    check(&mut ceremony, 0, &deal(0), Ignored::OutOfPhase);
    check(&mut ceremony, 2, &none, Ignored::Uncalled);
    assert_eq!(ceremony.apply(&lab.names[0], Instant(1), &none), Taken::Counted);
    check(&mut ceremony, 0, &none, Ignored::Repeated);
}

#[test]
fn one_seed_signs_two_plans_with_two_nonces() {
    let mut lab = Lab::new(2);
    let (one, other) = (lab.plan(&[0, 1], true), lab.plan(&[0, 1], true));
    let first = lab.dealing(&one, &lab.names[0], None);
    let second = lab.dealing(&other, &lab.names[0], None);
    assert_ne!(first.proof[..32], second.proof[..32]);
    assert_ne!(first.commitments, second.commitments);
    // After a crash the same plan is dealt alike.
    let again = lab.dealing(&one, &lab.names[0], None);
    assert_eq!((again.proof, again.commitments), (first.proof, first.commitments));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn whoever_reads_the_log_finds_the_same(
        count in 2_usize..6, order in 0_usize..6, twice in any::<bool>(),
        vice in 0_usize..8, fresh in any::<bool>(),
    ) {
        let vices = [
            Vice::Silent, Vice::BadValue(0), Vice::BadValueUnanswered(0), Vice::BadValues,
            Vice::Degree(true), Vice::Proof, Vice::Slander, Vice::Holders,
        ];
        let mut lab = Lab::new(count + 1);
        let holders: Vec<usize> = (0..count).collect();
        lab.make(&holders, true);
        let quorum: Vec<usize> = (0..usize::from(threshold(count))).collect();
        let before = lab.token(&quorum).unwrap();
        lab.vices = [(lab.names[count - 1].clone(), vices[vice])].into();
        let all: Vec<usize> = (0..=count).collect();
        let plan = lab.plan(&all, fresh);
        let run = lab.run(plan.clone(), order, twice);

        // A restart at any place reads the entries again.
        let mut again = Ceremony::begin(plan, Instant(0));
        for (node, at, act) in &run.log {
            let (_, act) = Act::decode(&act.encode(again.plan().run())).unwrap();
            again.apply(node, *at, &act);
        }
        again.pass(run.ceremony.until());
        prop_assert_eq!(again.phase(), run.ceremony.phase());
        prop_assert_eq!(again.agreement(), run.ceremony.agreement());
        prop_assert_eq!(again.faults(), run.ceremony.faults());

        if run.ceremony.phase() == Phase::Done {
            lab.take(&run);
            let need = usize::from(threshold(count + 1));
            let last: Vec<usize> = (count + 1 - need..=count).collect();
            let first: Vec<usize> = (0..need).collect();
            let token = lab.token(&first);
            prop_assert_eq!(&token, &lab.token(&last));
            prop_assert_eq!(token == Ok(before), !fresh);
        } else {
            // Only where too few are left without the liar.
            prop_assert!(count <= 3, "{:?}", run.ceremony);
        }
    }
}

#[test]
fn keys_of_different_classes_do_not_meet() {
    use crate::pseudonym::key::Class;
    let mut lab = Lab::new(2);
    lab.make(&[0, 1], true);
    let sharing = lab.sharing.as_ref().unwrap();
    let other = KeyId { class: Class::Company, ..sharing.key() };
    let entropy = SeededEntropy::labelled("class");
    let request = Request::blind(&entropy, other, [("rea", "FI-1")]).unwrap();
    let node = &lab.names[0];
    let evaluation = evaluate(&entropy, &lab.shares[node], &request.blinded()).unwrap();
    assert!(request.check(sharing, node, &evaluation).is_err());
}
