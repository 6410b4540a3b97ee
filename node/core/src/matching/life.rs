//! The life of a match, the same at both its nodes: events apply in the order of the log.
//!
//! `candidate → confirmed by one → linked → unlinked`, or `denied`. People confirm, one at each
//! node; nothing else links. Every event of a match is sealed to the counterpart.

use std::fmt;

use super::grade::Grade;
use crate::canonical::Writer;
use crate::id::{Digest, LineageId, NodeId, ObjectId};

/// Names a match at both its nodes: whichever finds it, and even if both do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MatchId(pub Digest);

impl MatchId {
    /// SHA-256 of the canonical bytes of type `match`: lineage, and for both nodes in the order
    /// of their ids the node and its object. None for one node with itself.
    pub fn of(
        lineage: LineageId,
        one: (&NodeId, ObjectId),
        other: (&NodeId, ObjectId),
    ) -> Option<Self> {
        let (first, second) = match one.0.cmp(other.0) {
            std::cmp::Ordering::Less => (one, other),
            std::cmp::Ordering::Greater => (other, one),
            std::cmp::Ordering::Equal => return None,
        };
        let writer = Writer::new("match").bytes(lineage.as_bytes());
        let writer = writer.text(first.0.as_str()).bytes(first.1.as_bytes());
        let writer = writer.text(second.0.as_str()).bytes(second.1.as_bytes());
        Some(Self(writer.digest()))
    }
}

impl fmt::Display for MatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for MatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Whose event it is, seen from this node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// This node's.
    Here,
    /// The counterpart's.
    There,
}

impl Side {
    /// The same, seen from the counterpart.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::Here => Self::There,
            Self::There => Self::Here,
        }
    }
}

/// Where a match stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Evidence agrees; nobody has said anything.
    Candidate,
    /// One manager says that it is the same.
    ConfirmedBy(Side),
    /// Both say so: each sees the other's name, organisation and work phone.
    Linked,
    /// One says that it is another; only better evidence opens it again.
    Denied(Side),
    /// It was linked, and one has taken that back. Final.
    Unlinked(Side),
}

impl State {
    /// The name in messages and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::ConfirmedBy(Side::Here) => "confirmed_here",
            Self::ConfirmedBy(Side::There) => "confirmed_there",
            Self::Linked => "linked",
            Self::Denied(_) => "denied",
            Self::Unlinked(_) => "unlinked",
        }
    }

    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Candidate,
        Self::ConfirmedBy(Side::Here),
        Self::ConfirmedBy(Side::There),
        Self::Linked,
        Self::Denied(Side::Here),
        Self::Denied(Side::There),
        Self::Unlinked(Side::Here),
        Self::Unlinked(Side::There),
    ];

    /// The name in the database and between nodes, which also says whose it is:
    /// `denied_here`.
    pub fn code(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::ConfirmedBy(Side::Here) => "confirmed_here",
            Self::ConfirmedBy(Side::There) => "confirmed_there",
            Self::Linked => "linked",
            Self::Denied(Side::Here) => "denied_here",
            Self::Denied(Side::There) => "denied_there",
            Self::Unlinked(Side::Here) => "unlinked_here",
            Self::Unlinked(Side::There) => "unlinked_there",
        }
    }

    /// The state of a [`State::code`].
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// How far it has come: what people said last is the further.
    fn progress(self) -> u8 {
        match self {
            Self::Candidate => 0,
            Self::ConfirmedBy(_) => 1,
            Self::Linked | Self::Denied(_) => 2,
            Self::Unlinked(_) => 3,
        }
    }

    /// The same, seen from the counterpart.
    #[must_use]
    pub fn mirrored(self) -> Self {
        match self {
            Self::ConfirmedBy(side) => Self::ConfirmedBy(side.mirrored()),
            Self::Denied(side) => Self::Denied(side.mirrored()),
            Self::Unlinked(side) => Self::Unlinked(side.mirrored()),
            Self::Candidate | Self::Linked => self,
        }
    }
}

/// What a manager answers the other, once linked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Word {
    /// Call me.
    CallMe,
    /// The case is not mine any more.
    NotMine,
    /// The case is closed.
    AlreadyClosed,
}

impl Word {
    /// Every word.
    pub const ALL: [Self; 3] = [Self::CallMe, Self::NotMine, Self::AlreadyClosed];

    /// The code in messages and on screens.
    pub fn name(self) -> &'static str {
        match self {
            Self::CallMe => "call_me",
            Self::NotMine => "not_mine",
            Self::AlreadyClosed => "already_closed",
        }
    }

    /// The word of a code.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|word| word.name() == name)
    }
}

/// What happens to a match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// A node finds that evidence agrees.
    Find(Grade),
    /// A manager says that it is the same.
    Confirm,
    /// A manager says that it is another.
    Deny,
    /// A manager takes the link back.
    Unlink,
    /// A manager answers with a word.
    Say(Word),
}

/// Why a step is not taken: a race that the log has settled, or a call at the wrong time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It was said already.
    #[error("this was said before")]
    Repeated,
    /// The match is over.
    #[error("the match is denied or unlinked")]
    Over,
    /// Only linked matches are unlinked or answered.
    #[error("the match is not linked")]
    NotLinked,
    /// Linked matches are unlinked, not denied.
    #[error("the match is linked: unlink it")]
    Linked,
    /// Nobody has found it.
    #[error("there is no such match")]
    Unknown,
}

impl Refused {
    /// The stable reason for machines.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Repeated => "match_repeated",
            Self::Over => "match_over",
            Self::NotLinked => "match_not_linked",
            Self::Linked => "match_linked",
            Self::Unknown => "match_unknown",
        }
    }
}

/// A match as one of its nodes sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// Where it stands.
    pub state: State,
    /// The best grade that either node has told: the same at both, so that both decide alike
    /// whether better evidence opens a denied match again. What each shows to people it
    /// computes by itself.
    pub claimed: Grade,
    /// The newest word of this node's manager.
    pub said_here: Option<Word>,
    /// The newest word of the counterpart's manager.
    pub said_there: Option<Word>,
}

/// Applies a step to a match, or opens one.
///
/// # Errors
/// [`Refused`]: nothing changes.
pub fn apply(found: Option<&Match>, side: Side, step: Step) -> Result<Match, Refused> {
    let Some(found) = found else {
        return match step {
            Step::Find(grade) => {
                let claimed = grade;
                Ok(Match { state: State::Candidate, claimed, said_here: None, said_there: None })
            }
            _ => Err(Refused::Unknown),
        };
    };
    let mut next = found.clone();
    match step {
        Step::Find(grade) => next.find(grade)?,
        Step::Confirm => next.state = confirmed(found.state, side)?,
        Step::Deny => next.state = denied(found.state, side)?,
        Step::Unlink => match found.state {
            State::Linked => next.state = State::Unlinked(side),
            State::Denied(_) | State::Unlinked(_) => return Err(Refused::Over),
            State::Candidate | State::ConfirmedBy(_) => return Err(Refused::NotLinked),
        },
        Step::Say(word) => next.say(side, word)?,
    }
    Ok(next)
}

/// What a match is after the counterpart has said again how it stands, to a node that has lost
/// what was said since its backup: `told` is seen from that node. What ends a match is believed.
/// That this node's own manager has confirmed is not: it would disclose who that is on the
/// counterpart's word alone, so that the manager is asked again.
///
/// # Errors
/// [`Refused::Repeated`]: nothing is new.
pub fn restate(found: Option<&Match>, told: &Match) -> Result<Match, Refused> {
    let state = match told.state {
        State::Linked => State::ConfirmedBy(Side::There),
        State::ConfirmedBy(Side::Here) => State::Candidate,
        state => state,
    };
    let told = Match { state, ..told.clone() };
    match found {
        Some(found)
            if (found.claimed, found.state.progress()) >= (told.claimed, state.progress()) =>
        {
            Err(Refused::Repeated)
        }
        // Who is linked here is so by two people, whatever evidence came since.
        Some(found) if found.state == State::Linked && state.progress() < 2 => {
            Ok(Match { claimed: told.claimed, ..found.clone() })
        }
        _ => Ok(told),
    }
}

fn confirmed(state: State, side: Side) -> Result<State, Refused> {
    match state {
        State::Candidate => Ok(State::ConfirmedBy(side)),
        State::ConfirmedBy(by) if by == side => Err(Refused::Repeated),
        State::ConfirmedBy(_) => Ok(State::Linked),
        State::Linked => Err(Refused::Repeated),
        State::Denied(_) | State::Unlinked(_) => Err(Refused::Over),
    }
}

fn denied(state: State, side: Side) -> Result<State, Refused> {
    match state {
        // Who has confirmed may think better of it.
        State::Candidate | State::ConfirmedBy(_) => Ok(State::Denied(side)),
        State::Linked => Err(Refused::Linked),
        State::Denied(_) | State::Unlinked(_) => Err(Refused::Over),
    }
}

impl Match {
    /// The evidence grew. A denial holds against evidence of the same grade and gives way to
    /// better; an unlinking, made by people who spoke to each other, holds.
    fn find(&mut self, grade: Grade) -> Result<(), Refused> {
        if grade <= self.claimed {
            return Err(Refused::Repeated);
        }
        match self.state {
            State::Unlinked(_) => return Err(Refused::Over),
            State::Denied(_) => self.state = State::Candidate,
            State::Candidate | State::ConfirmedBy(_) | State::Linked => {}
        }
        self.claimed = grade;
        Ok(())
    }

    fn say(&mut self, side: Side, word: Word) -> Result<(), Refused> {
        match self.state {
            State::Linked => {}
            State::Denied(_) | State::Unlinked(_) => return Err(Refused::Over),
            State::Candidate | State::ConfirmedBy(_) => return Err(Refused::NotLinked),
        }
        let said = match side {
            Side::Here => &mut self.said_here,
            Side::There => &mut self.said_there,
        };
        if said.replace(word) == Some(word) { Err(Refused::Repeated) } else { Ok(()) }
    }

    /// Whether each manager may see who the other is.
    pub fn shows_contacts(&self) -> bool {
        self.state == State::Linked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FOUND: (Side, Step) = (Side::There, Step::Find(Grade::B));

    fn run(steps: &[(Side, Step)]) -> Result<Match, Refused> {
        let mut found = None;
        for (side, step) in steps {
            found = Some(apply(found.as_ref(), *side, *step)?);
        }
        found.ok_or(Refused::Unknown)
    }

    fn check(steps: &[(Side, Step)], expected: Result<State, Refused>) {
        let steps = [&[FOUND], steps].concat();
        assert_eq!(run(&steps).map(|found| found.state), expected, "{steps:?}");
    }

    #[test]
    fn two_people_link() {
        use Side::{Here, There};
        check(&[], Ok(State::Candidate));
        check(&[(Here, Step::Confirm)], Ok(State::ConfirmedBy(Here)));
        check(&[(There, Step::Confirm)], Ok(State::ConfirmedBy(There)));
        check(&[(Here, Step::Confirm), (There, Step::Confirm)], Ok(State::Linked));
        check(&[(There, Step::Confirm), (Here, Step::Confirm)], Ok(State::Linked));
        check(&[(Here, Step::Confirm), (Here, Step::Confirm)], Err(Refused::Repeated));
    }

    #[test]
    fn one_person_denies_or_unlinks() {
        use Side::{Here, There};
        check(&[(Here, Step::Deny)], Ok(State::Denied(Here)));
        check(&[(Here, Step::Confirm), (There, Step::Deny)], Ok(State::Denied(There)));
        check(&[(Here, Step::Confirm), (Here, Step::Deny)], Ok(State::Denied(Here)));
        check(&[(Here, Step::Deny), (There, Step::Confirm)], Err(Refused::Over));
        check(&[(Here, Step::Deny), (There, Step::Deny)], Err(Refused::Over));
        let link = [(Here, Step::Confirm), (There, Step::Confirm)];
        let after = |step: (Side, Step)| [&link[..], &[step]].concat();
        check(&after((Here, Step::Unlink)), Ok(State::Unlinked(Here)));
        check(&after((Here, Step::Deny)), Err(Refused::Linked));
        check(&after((There, Step::Confirm)), Err(Refused::Repeated));
        check(&[(Here, Step::Unlink)], Err(Refused::NotLinked));
        let over = [&after((There, Step::Unlink))[..], &[(Here, Step::Confirm)]].concat();
        check(&over, Err(Refused::Over));
    }

    #[test]
    fn better_evidence_opens_a_denied_match_again() {
        use Side::{Here, There};
        let deny = (Here, Step::Deny);
        check(&[deny, (There, Step::Find(Grade::A))], Ok(State::Candidate));
        check(&[deny, (There, Step::Find(Grade::B))], Err(Refused::Repeated));
        check(&[deny, (There, Step::Find(Grade::C))], Err(Refused::Repeated));
        let unlinked = [(Here, Step::Confirm), (There, Step::Confirm), (Here, Step::Unlink)];
        let found = [&unlinked[..], &[(There, Step::Find(Grade::A))]].concat();
        check(&found, Err(Refused::Over));
        let confirmed = [(Here, Step::Confirm), (There, Step::Find(Grade::A))];
        check(&confirmed, Ok(State::ConfirmedBy(Here)));
    }

    #[test]
    fn what_is_said_again_ends_matches_and_confirms_none() {
        use Side::{Here, There};
        let at = |state, claimed| Match { state, claimed, said_here: None, said_there: None };
        let check = |found: Option<State>, told: State, expected: Option<State>| {
            let found = found.map(|state| at(state, Grade::B));
            let now = restate(found.as_ref(), &at(told, Grade::B)).ok();
            assert_eq!(now.map(|now| now.state), expected, "{found:?} {told:?}");
        };
        let (candidate, linked) = (State::Candidate, State::Linked);
        let (ours, theirs) = (State::ConfirmedBy(Here), State::ConfirmedBy(There));
        check(None, candidate, Some(candidate));
        check(None, linked, Some(theirs));
        check(None, ours, Some(candidate));
        check(Some(candidate), candidate, None);
        check(Some(candidate), ours, None);
        check(Some(candidate), theirs, Some(theirs));
        check(Some(candidate), linked, Some(theirs));
        check(Some(ours), linked, None);
        check(Some(linked), theirs, None);
        for end in [State::Denied(Here), State::Denied(There), State::Unlinked(Here)] {
            check(Some(candidate), end, Some(end));
            check(Some(theirs), end, Some(end));
            check(Some(end), linked, None);
        }
        check(Some(linked), State::Unlinked(There), Some(State::Unlinked(There)));
        let better = restate(Some(&at(linked, Grade::B)), &at(linked, Grade::A)).unwrap();
        assert_eq!((better.state, better.claimed), (linked, Grade::A));
    }

    #[test]
    fn codes_are_read_back() {
        for state in State::ALL {
            assert_eq!(State::from_code(state.code()), Some(state));
            assert!(state.code().starts_with(state.name()));
        }
        assert_eq!(State::from_code("lost"), None);
    }

    #[test]
    fn words_are_said_once_linked() {
        use Side::{Here, There};
        let say = |word| (Here, Step::Say(word));
        check(&[say(Word::CallMe)], Err(Refused::NotLinked));
        let steps = [FOUND, (Here, Step::Confirm), (There, Step::Confirm), say(Word::CallMe)];
        let linked = run(&steps).unwrap();
        assert_eq!((linked.said_here, linked.said_there), (Some(Word::CallMe), None));
        assert!(linked.shows_contacts());
        let again = apply(Some(&linked), Here, Step::Say(Word::CallMe));
        assert_eq!(again, Err(Refused::Repeated));
        assert!(apply(Some(&linked), There, Step::Say(Word::NotMine)).is_ok());
        for word in Word::ALL {
            assert_eq!(Word::from_name(word.name()), Some(word));
        }
    }

    #[test]
    fn a_match_is_found_first() {
        for step in [Step::Confirm, Step::Deny, Step::Unlink, Step::Say(Word::CallMe)] {
            assert_eq!(apply(None, Side::Here, step), Err(Refused::Unknown));
        }
    }

    #[test]
    fn both_nodes_name_it_alike() {
        let (one, other) = ("toscana".parse().unwrap(), "umbria".parse().unwrap());
        let object = |seed: u8| ObjectId(uuid::Uuid::from_bytes([seed; 16]));
        let id = |lineage: u8, one: (&NodeId, u8), other: (&NodeId, u8)| {
            let lineage = LineageId([lineage; 16]);
            MatchId::of(lineage, (one.0, object(one.1)), (other.0, object(other.1)))
        };
        let base = id(1, (&one, 1), (&other, 2));
        assert!(base.is_some());
        assert_eq!(base, id(1, (&other, 2), (&one, 1)));
        assert_ne!(base, id(2, (&one, 1), (&other, 2)));
        assert_ne!(base, id(1, (&one, 2), (&other, 1)));
        assert_eq!(id(1, (&one, 1), (&one, 2)), None);
    }

    fn step(number: usize) -> Step {
        [
            Step::Find(Grade::A),
            Step::Find(Grade::C),
            Step::Confirm,
            Step::Confirm,
            Step::Deny,
            Step::Unlink,
            Step::Say(Word::CallMe),
        ][number % 7]
    }

    proptest! {
        #[test]
        fn both_nodes_see_the_same_and_only_two_people_link(
            steps in proptest::collection::vec((any::<bool>(), 0_usize..7), 0..12),
        ) {
            let (mut here, mut there) = (None, None);
            let mut confirmed = [false; 2];
            for (ours, number) in steps {
                let side = if ours { Side::Here } else { Side::There };
                let step = step(number);
                let next = apply(here.as_ref(), side, step);
                let mirror = apply(there.as_ref(), side.mirrored(), step);
                prop_assert_eq!(next.is_ok(), mirror.is_ok());
                if let (Ok(next), Ok(mirror)) = (next, mirror) {
                    prop_assert_eq!(next.state, mirror.state.mirrored());
                    prop_assert_eq!(next.claimed, mirror.claimed);
                    confirmed[usize::from(ours)] |= step == Step::Confirm;
                    if next.state == State::Candidate {
                        confirmed = [false; 2];
                    }
                    prop_assert!(next.state != State::Linked || confirmed == [true; 2]);
                    (here, there) = (Some(next), Some(mirror));
                }
            }
        }
    }
}
