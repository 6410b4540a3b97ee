//! Shared objects: one engine for every kind (DESIGN §8).
//!
//! A kind is declared in `kind.rs`. [`apply`] decides each event from the log; since the log
//! is in one order on every node, the first valid event wins, on every node alike. Expiry is
//! a function of time ([`Standing::state_at`]), not an event.

mod kind;

use std::fmt;
use std::str::FromStr;

use crate::id::NodeId;
use crate::operator::{Action, Class, Role, may};
use crate::time::Instant;

pub use kind::{Cause, Declaration, Field, Form, Kind, KindError, Risk, Transition, Trigger};

/// The text names no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a state is `active`, `withdrawn`, `expired` or `erased`")]
pub struct StateError;

/// The state of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Shared and valid.
    Active,
    /// Ended by its origin: a tombstone without content.
    Withdrawn,
    /// Ended by time: a tombstone without content.
    Expired,
    /// Destroyed with its record key: a tombstone without content.
    Erased,
}

impl State {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Active, Self::Withdrawn, Self::Expired, Self::Erased];

    /// The name on the wire and in the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Withdrawn => "withdrawn",
            Self::Expired => "expired",
            Self::Erased => "erased",
        }
    }

    /// Whether nothing but a tombstone is left, so that the body must be deleted.
    pub fn is_end(self) -> bool {
        self != Self::Active
    }
}

impl FromStr for State {
    type Err = StateError;

    fn from_str(text: &str) -> Result<Self, StateError> {
        Self::ALL.into_iter().find(|state| state.as_str() == text).ok_or(StateError)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whose data an object holds; permissions follow this, not the kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A natural person: every case, and a company that is a sole trader.
    Person,
    /// A legal person.
    Company,
}

/// An object as it stands after the events so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its kind.
    pub kind: Kind,
    /// Whose data it holds.
    pub subject: Subject,
    /// The node that shared it.
    pub origin: NodeId,
    /// Version of the newest event, from 1.
    pub version: u64,
    /// The state that the newest event made; [`Standing::state_at`] tells the present one.
    pub state: State,
    /// When it expires.
    pub expires_at: Instant,
}

impl Standing {
    /// The state at a time: an active object expires at its instant, on every node by itself.
    pub fn state_at(&self, now: Instant) -> State {
        let over = now >= self.expires_at;
        let expired = over.then(|| self.transition(Trigger::Expire)).flatten();
        expired.map_or(self.state, |transition| transition.to)
    }

    fn transition(&self, trigger: Trigger) -> Option<&'static Transition> {
        find(self.kind, trigger, Some(self.state))
    }
}

/// What an event of the log changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The object, or a corrected version of it.
    Share {
        /// Its kind.
        kind: Kind,
        /// Whose data it holds.
        subject: Subject,
        /// When it expires.
        expires_at: Instant,
    },
    /// Its end.
    Withdraw,
}

/// An event of the log, authenticated as its sender's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The node that MLS authenticated.
    pub sender: NodeId,
    /// Role and class of the operator that the sender names.
    pub author: Option<(Role, Class)>,
    /// The version that the event makes, from 1.
    pub version: u64,
    /// What it changes.
    pub change: Change,
}

/// What a valid event did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// This is how the object stands now.
    Changed(Standing),
    /// An event of this version was here before: nothing is to be done.
    Already,
}

/// Why an event was refused: the sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The object belongs to another node.
    #[error("only the origin of an object changes it")]
    NotOrigin,
    /// The object was withdrawn, has expired or was erased before.
    #[error("the object has ended")]
    Ended,
    /// An event before this one is missing.
    #[error("the version is not the next one, {0}")]
    Version(u64),
    /// The object is unknown here.
    #[error("the object was never shared")]
    Unknown,
    /// A correction makes another kind of it.
    #[error("an object never changes its kind")]
    Kind,
    /// No operator is named, or its role or class may not do this.
    #[error("the author's role or class does not allow this")]
    Author,
    /// The kind's declaration has no such transition.
    #[error("the kind allows no such change from this state")]
    Transition,
}

impl Refusal {
    /// Stable reason for receipts and the API, in snake case.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotOrigin => "not_origin",
            Self::Ended => "already_ended",
            Self::Version(_) => "version_gap",
            Self::Unknown => "no_such_object",
            Self::Kind => "kind_changed",
            Self::Author => "role_not_allowed",
            Self::Transition => "transition_not_allowed",
        }
    }
}

/// Applies one event of the log to an object, or to nothing when its first event comes.
///
/// `at` is when the hub accepted the event, so that every node decides alike, however late
/// it reads. A share that has expired since is applied: [`Standing::state_at`] then says so.
///
/// # Errors
/// [`Refusal`]: the event is to be set aside, and the object stays as it is.
pub fn apply(standing: Option<&Standing>, event: &Event, at: Instant) -> Result<Applied, Refusal> {
    let before = standing.map_or(0, |standing| standing.version);
    if let Some(standing) = standing {
        if standing.origin != event.sender {
            return Err(Refusal::NotOrigin);
        }
        if (1..=before).contains(&event.version) {
            return Ok(Applied::Already);
        }
        if standing.state_at(at).is_end() {
            return Err(Refusal::Ended);
        }
    }
    let next = match (standing, event.change) {
        (None, Change::Withdraw) => return Err(Refusal::Unknown),
        (None, Change::Share { kind, subject, expires_at }) => {
            let origin = event.sender.clone();
            Standing { kind, subject, origin, version: 0, state: State::Active, expires_at }
        }
        (Some(standing), Change::Share { kind, .. }) if standing.kind != kind => {
            return Err(Refusal::Kind);
        }
        (Some(standing), Change::Share { subject, expires_at, .. }) => {
            Standing { subject, expires_at, ..standing.clone() }
        }
        (Some(standing), Change::Withdraw) => standing.clone(),
    };
    let due = before.saturating_add(1);
    if event.version != due {
        return Err(Refusal::Version(due));
    }
    let from = standing.map(|standing| standing.state);
    let transition = find(next.kind, trigger(event.change), from).ok_or(Refusal::Transition)?;
    // Who corrects a sole trader's alert into a company's must be allowed both.
    let subjects = [Some(next.subject), standing.map(|standing| standing.subject)];
    if !subjects.into_iter().flatten().all(|of| allowed(transition.cause, event.author, of)) {
        return Err(Refusal::Author);
    }
    Ok(Applied::Changed(Standing { version: due, state: transition.to, ..next }))
}

/// Applies an object as its origin says that it stands now, to a node that was not there
/// for the events before: versions in between may be missing.
///
/// # Errors
/// As [`apply`].
pub fn restate(
    standing: Option<&Standing>,
    event: &Event,
    at: Instant,
) -> Result<Applied, Refusal> {
    let version = event.version;
    match standing {
        None if version > 1 => match apply(None, &Event { version: 1, ..event.clone() }, at)? {
            Applied::Changed(standing) => Ok(Applied::Changed(Standing { version, ..standing })),
            Applied::Already => Ok(Applied::Already),
        },
        Some(known) if version > known.version => {
            let before = Standing { version: version.saturating_sub(1), ..known.clone() };
            let ends = event.change == Change::Withdraw && !known.state_at(at).is_end();
            if ends && known.origin == event.sender {
                // Who withdrew it is not told again: the origin answers for it.
                let ended = Standing { version, state: State::Withdrawn, ..before };
                return Ok(Applied::Changed(ended));
            }
            apply(Some(&before), event, at)
        }
        _ => apply(standing, event, at),
    }
}

fn trigger(change: Change) -> Trigger {
    match change {
        Change::Share { .. } => Trigger::Share,
        Change::Withdraw => Trigger::Withdraw,
    }
}

fn find(kind: Kind, trigger: Trigger, from: Option<State>) -> Option<&'static Transition> {
    let mut transitions = kind.declaration().transitions.iter();
    transitions.find(|transition| transition.trigger == trigger && transition.from == from)
}

fn allowed(cause: Cause, author: Option<(Role, Class)>, subject: Subject) -> bool {
    let by_operator = |action| author.is_some_and(|(role, class)| may(role, class, action));
    match cause {
        Cause::OriginShares => by_operator(Action::ShareAlert(subject)),
        Cause::OriginWithdraws => by_operator(Action::WithdrawAlert(subject)),
        Cause::OriginNode => true,
        Cause::Time => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: Instant = Instant(1_000);
    const END: Instant = Instant(9_000);

    fn share(version: u64) -> Event {
        let change = Change::Share { kind: Kind::Case, subject: Subject::Person, expires_at: END };
        let author = Some((Role::CaseManager, Class::AccessPoint));
        Event { sender: "toscana".parse().unwrap(), author, version, change }
    }

    fn withdraw(version: u64) -> Event {
        Event { change: Change::Withdraw, ..share(version) }
    }

    /// Applies events in order, skipping what is refused, and gives the last answer.
    fn run(events: &[Event], at: Instant) -> (Option<Standing>, Result<&'static str, Refusal>) {
        let mut standing = None;
        let mut answer = Err(Refusal::Unknown);
        for event in events {
            answer = match apply(standing.as_ref(), event, at) {
                Ok(Applied::Changed(next)) => {
                    standing = Some(next);
                    Ok("changed")
                }
                Ok(Applied::Already) => Ok("already"),
                Err(refusal) => Err(refusal),
            };
        }
        (standing, answer)
    }

    fn check(events: &[Event], expected: Result<&'static str, Refusal>) {
        assert_eq!(run(events, T).1, expected, "{events:?}");
    }

    #[test]
    fn versions() {
        check(&[share(1)], Ok("changed"));
        check(&[share(0)], Err(Refusal::Version(1)));
        check(&[share(2)], Err(Refusal::Version(1)));
        check(&[share(1), share(1)], Ok("already"));
        check(&[share(1), share(2)], Ok("changed"));
        check(&[share(1), share(3)], Err(Refusal::Version(2)));
        check(&[share(1), withdraw(2)], Ok("changed"));
        check(&[share(1), withdraw(1)], Ok("already"));
        check(&[withdraw(1)], Err(Refusal::Unknown));
        check(&[share(1), withdraw(0)], Err(Refusal::Version(2)));
    }

    #[test]
    fn what_is_told_again_may_skip_versions() {
        let known = run(&[share(1)], T).0.unwrap();
        let check = |before: Option<&Standing>, event: &Event, expected| {
            let answer = restate(before, event, T).map(|applied| match applied {
                Applied::Changed(standing) => (standing.version, standing.state),
                Applied::Already => (0, State::Active),
            });
            assert_eq!(answer, expected);
        };
        check(None, &share(3), Ok((3, State::Active)));
        check(None, &withdraw(3), Err(Refusal::Unknown));
        check(Some(&known), &share(4), Ok((4, State::Active)));
        check(Some(&known), &withdraw(4), Ok((4, State::Withdrawn)));
        check(Some(&known), &share(1), Ok((0, State::Active)));
        check(Some(&known), &Event { author: None, ..withdraw(2) }, Ok((2, State::Withdrawn)));
        let foreign = |event| Event { sender: "umbria".parse().unwrap(), ..event };
        check(Some(&known), &foreign(share(4)), Err(Refusal::NotOrigin));
        check(Some(&known), &foreign(withdraw(4)), Err(Refusal::NotOrigin));
    }

    #[test]
    fn the_first_event_wins() {
        let (standing, answer) = run(&[share(1), withdraw(2), share(2)], T);
        assert_eq!(answer, Ok("already"));
        assert_eq!(standing.unwrap().state, State::Withdrawn);
    }

    #[test]
    fn nothing_follows_an_end() {
        check(&[share(1), withdraw(2), share(3)], Err(Refusal::Ended));
        check(&[share(1), withdraw(2), withdraw(3)], Err(Refusal::Ended));
        check(&[share(1), withdraw(2), withdraw(2)], Ok("already"));
    }

    #[test]
    fn only_the_origin() {
        let sender: NodeId = "umbria".parse().unwrap();
        let foreign = Event { sender: sender.clone(), ..withdraw(2) };
        check(&[share(1), foreign], Err(Refusal::NotOrigin));
        check(&[share(1), Event { sender, ..share(1) }], Err(Refusal::NotOrigin));
    }

    #[test]
    fn the_author_must_be_allowed() {
        let by = |role, class, event: Event| Event { author: Some((role, class)), ..event };
        let frontline = |event| by(Role::Frontline, Class::Union, event);
        check(&[frontline(share(1))], Ok("changed"));
        check(&[share(1), frontline(withdraw(2))], Err(Refusal::Author));
        check(&[Event { author: None, ..share(1) }], Err(Refusal::Author));
        check(&[by(Role::Administrator, Class::Region, share(1))], Err(Refusal::Author));
        let employers = by(Role::Coordinator, Class::EmployersAssociation, share(1));
        check(std::slice::from_ref(&employers), Err(Refusal::Author));
        let company =
            Change::Share { kind: Kind::Company, subject: Subject::Company, expires_at: END };
        check(&[Event { change: company, ..employers.clone() }], Ok("changed"));
        let trader =
            Change::Share { kind: Kind::Company, subject: Subject::Person, expires_at: END };
        check(&[Event { change: trader, ..employers }], Err(Refusal::Author));
    }

    #[test]
    fn a_persons_alert_is_not_corrected_by_who_may_not_see_it() {
        let of = |subject, version| {
            let change = Change::Share { kind: Kind::Company, subject, expires_at: END };
            Event { change, ..share(version) }
        };
        check(&[of(Subject::Person, 1), of(Subject::Company, 2)], Ok("changed"));
        let author = Some((Role::Coordinator, Class::EmployersAssociation));
        let employers = Event { author, ..of(Subject::Company, 2) };
        check(&[of(Subject::Company, 1), employers.clone()], Ok("changed"));
        check(&[of(Subject::Person, 1), employers], Err(Refusal::Author));
    }

    #[test]
    fn the_kind_stays() {
        let change =
            Change::Share { kind: Kind::Company, subject: Subject::Company, expires_at: END };
        check(&[share(1), Event { change, ..share(2) }], Err(Refusal::Kind));
    }

    #[test]
    fn expiry_is_a_function_of_time() {
        let (standing, _) = run(&[share(1)], T);
        let standing = standing.unwrap();
        assert_eq!(standing.state_at(Instant(8_999)), State::Active);
        assert_eq!(standing.state_at(END), State::Expired);
        assert_eq!(apply(Some(&standing), &withdraw(2), END), Err(Refusal::Ended));
        let (withdrawn, _) = run(&[share(1), withdraw(2)], T);
        assert_eq!(withdrawn.unwrap().state_at(END), State::Withdrawn);
    }

    #[test]
    fn a_correction_may_move_the_expiry() {
        let change = Change::Share {
            kind: Kind::Case,
            subject: Subject::Person,
            expires_at: Instant(2_000),
        };
        let (standing, _) = run(&[share(1), Event { change, ..share(2) }], T);
        assert_eq!(standing.unwrap().state_at(Instant(2_000)), State::Expired);
    }

    #[test]
    fn ends_hold_no_content() {
        for state in State::ALL {
            assert_eq!(state.is_end(), state != State::Active);
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        for kind in Kind::ALL {
            for transition in kind.declaration().transitions {
                let from_end = transition.from.is_some_and(State::is_end);
                assert!(!from_end || transition.to == State::Erased, "{transition:?}");
            }
        }
    }
}
