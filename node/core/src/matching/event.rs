//! What the two nodes of a match tell each other: sealed to the counterpart, and all of one
//! size, so that others in the équipe see neither which step it is nor how it went.

use std::collections::BTreeSet;

use super::grade::Grade;
use super::life::{Match, MatchId, State, Step, Word};
use super::shown::{Background, RegisterSize};
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::evidence::facts::Facts;
use crate::evidence::family::Family;
use crate::id::{Digest, ObjectId};
use crate::pseudonym::token::Tag;
use crate::secret::Secret;
use crate::text::is_line;

/// Bytes of every encoded event.
pub const EVENT_BYTES: usize = 2_048;
/// The most tags of one event.
pub const EVENT_TAGS_MAX: usize = 64;
/// The longest name, organisation or phone, in bytes.
pub const CONTACT_BYTES_MAX: usize = 200;

/// Who a manager is, for the other manager alone, once linked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The manager's name.
    pub name: Secret<String>,
    /// The organisation.
    pub organisation: Secret<String>,
    /// The phone at work.
    pub work_phone: Secret<String>,
}

/// One thing that a node tells its counterpart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// Evidence agrees between the counterpart's object and one of ours.
    Found {
        /// The counterpart's object.
        theirs: ObjectId,
        /// Ours: random, and known to these two nodes alone if it was never shared.
        ours: ObjectId,
        /// How strong, by the teller's own count.
        grade: Grade,
        /// Which families agree; never the values.
        families: BTreeSet<Family>,
        /// How the tokens that agree look when the teller shows them: the counterpart computes
        /// the evidence from these, and takes the two above for what they are, a word.
        tags: BTreeSet<Tag>,
        /// What the teller knows of its record at all.
        background: Background,
    },
    /// Our manager says that it is the same.
    Confirmed,
    /// Our manager says that it is another.
    Denied,
    /// Our manager takes the link back.
    Unlinked,
    /// Our manager's word.
    Said(Word),
    /// Who our manager is: sent once this node sees the match linked, and not before.
    Contact(Contact),
    /// How the match stands here: to a counterpart that came back, and may have lost what both
    /// said since its backup.
    Stands {
        /// The counterpart's object.
        theirs: ObjectId,
        /// Ours.
        ours: ObjectId,
        /// Which families agree.
        families: BTreeSet<Family>,
        /// As those of [`Told::Found`].
        tags: BTreeSet<Tag>,
        /// As that.
        background: Background,
        /// The match as the teller sees it.
        found: Match,
    },
}

impl Told {
    /// The step that it is in the match's life; contacts and standings are none.
    pub fn step(&self) -> Option<Step> {
        match self {
            Self::Found { grade, .. } => Some(Step::Find(*grade)),
            Self::Confirmed => Some(Step::Confirm),
            Self::Denied => Some(Step::Deny),
            Self::Unlinked => Some(Step::Unlink),
            Self::Said(word) => Some(Step::Say(*word)),
            Self::Contact(_) | Self::Stands { .. } => None,
        }
    }
}

/// An event of one match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Which match.
    pub about: MatchId,
    /// What is told.
    pub told: Told,
}

/// Why an event is not made or read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    /// The sender's fault: not canonical of type `match-event`, or of another size.
    #[error("not an event of a match: {0}")]
    Malformed(#[from] CanonicalError),
    /// Ours: a part of the contact is empty, longer than [`CONTACT_BYTES_MAX`], or more than
    /// one line.
    #[error("name, organisation and phone are one line each, up to {CONTACT_BYTES_MAX} bytes")]
    Contact,
}

impl Event {
    /// [`EVENT_BYTES`]: the canonical bytes of type `match-event` (match, kind, body,
    /// padding of zeros). To be sealed to the counterpart (`crate::letter`).
    ///
    /// # Errors
    /// [`EventError::Contact`].
    pub fn encode(&self) -> Result<Secret<Vec<u8>>, EventError> {
        let writer = Writer::new("match-event").bytes(self.about.0.as_bytes());
        let writer = match &self.told {
            Told::Found { theirs, ours, grade, families, tags, background } => {
                let writer = writer.text("found").bytes(theirs.as_bytes()).bytes(ours.as_bytes());
                evidence(writer, *grade, families, (tags, *background))
            }
            Told::Confirmed => writer.text("confirmed"),
            Told::Denied => writer.text("denied"),
            Told::Unlinked => writer.text("unlinked"),
            Told::Said(word) => writer.text("said").text(word.name()),
            Told::Contact(contact) => {
                let parts = [&contact.name, &contact.organisation, &contact.work_phone];
                if !parts.iter().all(|part| is_line(part.reveal(), CONTACT_BYTES_MAX)) {
                    return Err(EventError::Contact);
                }
                let start = writer.text("contact");
                parts.iter().fold(start, |writer, part| writer.text(part.reveal()))
            }
            Told::Stands { theirs, ours, families, tags, background, found } => {
                let word = |word: Option<Word>| word.map_or("", Word::name);
                let writer = writer.text("stands").bytes(theirs.as_bytes()).bytes(ours.as_bytes());
                let writer = evidence(writer, found.claimed, families, (tags, *background));
                let writer = writer.text(found.state.code()).text(word(found.said_here));
                writer.text(word(found.said_there))
            }
        };
        // The padding is a field: four bytes of length before it.
        let bytes = writer.finish();
        let left = EVENT_BYTES.checked_sub(bytes.len().saturating_add(4));
        let padding = Writer::record().bytes(&vec![0; left.ok_or(EventError::Contact)?]);
        Ok(Secret::new([bytes, padding.finish()].concat()))
    }

    /// Reads what [`Event::encode`] wrote.
    ///
    /// # Errors
    /// [`EventError::Malformed`].
    pub fn decode(bytes: &[u8]) -> Result<Self, EventError> {
        if bytes.len() != EVENT_BYTES {
            return Err(CanonicalError::Field("padding").into());
        }
        let mut reader = Reader::new("match-event", bytes)?;
        let about = MatchId(Digest(reader.array("match")?));
        let told = told(&mut reader)?;
        if reader.bytes("padding")?.iter().any(|byte| *byte != 0) {
            return Err(CanonicalError::Field("padding").into());
        }
        reader.end()?;
        Ok(Self { about, told })
    }
}

fn told(reader: &mut Reader<'_>) -> Result<Told, CanonicalError> {
    match reader.text("kind")? {
        "found" => {
            let Agreed { theirs, ours, grade, families, tags, background } = agreed(reader)?;
            Ok(Told::Found { theirs, ours, grade, families, tags, background })
        }
        "stands" => {
            let Agreed { theirs, ours, grade, families, tags, background } = agreed(reader)?;
            let state = State::from_code(reader.text("state")?);
            let state = state.ok_or(CanonicalError::Field("state"))?;
            let mut word = |field| match reader.text(field)? {
                "" => Ok(None),
                word => Word::from_name(word).map(Some).ok_or(CanonicalError::Field(field)),
            };
            let (said_here, said_there) = (word("said here")?, word("said there")?);
            let found = Match { state, claimed: grade, said_here, said_there };
            Ok(Told::Stands { theirs, ours, families, tags, background, found })
        }
        "confirmed" => Ok(Told::Confirmed),
        "denied" => Ok(Told::Denied),
        "unlinked" => Ok(Told::Unlinked),
        "said" => {
            let word = Word::from_name(reader.text("word")?);
            word.map(Told::Said).ok_or(CanonicalError::Field("word"))
        }
        "contact" => {
            let mut part = |field| match reader.text(field)? {
                line if is_line(line, CONTACT_BYTES_MAX) => Ok(Secret::new(line.to_owned())),
                _ => Err(CanonicalError::Field(field)),
            };
            let (name, organisation) = (part("name")?, part("organisation")?);
            Ok(Told::Contact(Contact { name, organisation, work_phone: part("work_phone")? }))
        }
        _ => Err(CanonicalError::Field("kind")),
    }
}

/// What agrees.
struct Agreed {
    theirs: ObjectId,
    ours: ObjectId,
    grade: Grade,
    families: BTreeSet<Family>,
    tags: BTreeSet<Tag>,
    background: Background,
}

fn evidence(
    writer: Writer,
    grade: Grade,
    families: &BTreeSet<Family>,
    (tags, background): (&BTreeSet<Tag>, Background),
) -> Writer {
    let writer = writer.text(grade.name()).list(families.iter().map(|family| family.name()));
    let writer = writer.list(tags.iter().take(EVENT_TAGS_MAX).map(Tag::as_bytes));
    writer.bytes(&[background.facts.byte(), background.register.exponent()])
}

fn agreed(reader: &mut Reader<'_>) -> Result<Agreed, CanonicalError> {
    let mut object = |field| reader.array(field).map(uuid::Uuid::from_bytes).map(ObjectId);
    let (theirs, ours) = (object("theirs")?, object("ours")?);
    let grade = Grade::from_name(reader.text("grade")?).ok_or(CanonicalError::Field("grade"))?;
    // Families of a newer version are left out: they are a word.
    let known = |name: &&[u8]| std::str::from_utf8(name).ok().and_then(Family::from_name);
    let families = reader.list("families")?.iter().filter_map(known).collect();
    let tags = reader.list("tags")?;
    if tags.len() > EVENT_TAGS_MAX || !tags.is_sorted_by(|one, next| one < next) {
        return Err(CanonicalError::Field("tags"));
    }
    let tags = tags.into_iter().map(|tag| tag.try_into().map(Tag)).collect::<Result<_, _>>();
    let tags = tags.map_err(|_| CanonicalError::Field("tags"))?;
    let [facts, register] = reader.array("background")?;
    let facts = Facts::of_byte(facts).ok_or(CanonicalError::Field("background"))?;
    let register = RegisterSize::of_exponent(register);
    let register = register.ok_or(CanonicalError::Field("background"))?;
    let background = Background { facts, register };
    Ok(Agreed { theirs, ours, grade, families, tags, background })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(told: Told) -> Event {
        Event { about: MatchId(Digest([7; 32])), told }
    }

    fn object(seed: u8) -> ObjectId {
        ObjectId(uuid::Uuid::from_bytes([seed; 16]))
    }

    fn contact(name: &str) -> Told {
        let secret = |text: &str| Secret::new(text.to_owned());
        Told::Contact(Contact {
            name: secret(name),
            organisation: secret("PUA Prato"),
            work_phone: secret("+390574123456"),
        })
    }

    /// As many as an event holds.
    fn tags() -> BTreeSet<Tag> {
        (0..64).map(|at| Tag([at; 16])).collect()
    }

    fn background() -> Background {
        Background {
            facts: Facts::of_byte(0b1011_1010).unwrap(),
            register: RegisterSize::of(3_000),
        }
    }

    fn all() -> Vec<Told> {
        let families = Family::ALL.iter().copied().collect();
        let (theirs, ours) = (object(1), object(2));
        let (tags, background) = (tags(), background());
        let found =
            Told::Found { theirs, ours, grade: Grade::A, families, tags: tags.clone(), background };
        let mut all = vec![found, Told::Confirmed, Told::Denied, Told::Unlinked];
        all.extend(Word::ALL.map(Told::Said));
        all.push(contact("Anna Bianchi"));
        let found = Match {
            state: State::Linked,
            claimed: Grade::B,
            said_here: Some(Word::CallMe),
            said_there: None,
        };
        let families = Family::ALL.iter().copied().collect();
        all.push(Told::Stands { theirs, ours, families, tags, background, found });
        all
    }

    #[test]
    fn events_are_read_back_and_all_of_one_size() {
        for told in all() {
            let event = event(told);
            let bytes = event.encode().unwrap();
            assert_eq!(bytes.reveal().len(), EVENT_BYTES, "{event:?}");
            assert_eq!(Event::decode(bytes.reveal()), Ok(event));
        }
    }

    #[test]
    fn the_longest_contact_fits() {
        let long = || Secret::new("à".repeat(CONTACT_BYTES_MAX / 2));
        let contact = Contact { name: long(), organisation: long(), work_phone: long() };
        let event = event(Told::Contact(contact));
        let bytes = event.encode().unwrap();
        assert_eq!(Event::decode(bytes.reveal()), Ok(event));
    }

    #[test]
    fn contacts_are_lines() {
        for name in ["", "Anna\nBianchi", &"a".repeat(CONTACT_BYTES_MAX + 1)] {
            assert_eq!(event(contact(name)).encode(), Err(EventError::Contact), "{name:?}");
        }
        assert!(!format!("{:?}", contact("Anna Bianchi")).contains("Anna"));
    }

    #[test]
    fn every_cut_and_bent_padding_is_refused() {
        let bytes = event(Told::Confirmed).encode().unwrap();
        let bytes = bytes.reveal();
        for cut in [0, 10, EVENT_BYTES - 1] {
            assert!(Event::decode(&bytes[..cut]).is_err(), "{cut}");
        }
        let mut bent = bytes.clone();
        *bent.last_mut().unwrap() = 1;
        assert!(Event::decode(&bent).is_err());
        assert!(Event::decode(&[&bytes[..], &[0]].concat()).is_err());
    }

    #[test]
    fn families_of_a_newer_version_are_left_out() {
        let writer = Writer::new("match-event").bytes(&[7; 32]).text("found");
        let writer = writer.bytes(&[1; 16]).bytes(&[2; 16]).text("B");
        let bytes = writer.list(["name_birth", "gait"]).list([[3; 16]]);
        let bytes = bytes.bytes(&[0b1011_1010, 12]).finish();
        let padding = Writer::record().bytes(&vec![0; EVENT_BYTES - bytes.len() - 4]);
        let read = Event::decode(&[bytes, padding.finish()].concat()).unwrap();
        let families = BTreeSet::from([Family::NameBirth]);
        let tags = BTreeSet::from([Tag([3; 16])]);
        let (theirs, ours) = (object(1), object(2));
        let background = background();
        let told = Told::Found { theirs, ours, grade: Grade::B, families, tags, background };
        assert_eq!(read, event(told));
    }

    #[test]
    fn tags_are_whole_ascending_and_not_too_many() {
        let read = |tags: &[&[u8]]| {
            let writer = Writer::new("match-event").bytes(&[7; 32]).text("found");
            let writer = writer.bytes(&[1; 16]).bytes(&[2; 16]).text("B");
            let bytes = writer.list(["name_birth"]).list(tags).bytes(&[0, 0]).finish();
            let padding = Writer::record().bytes(&vec![0; EVENT_BYTES - bytes.len() - 4]);
            Event::decode(&[bytes, padding.finish()].concat())
        };
        assert!(read(&[&[1; 16], &[2; 16]]).is_ok());
        let many: Vec<[u8; 16]> = (0..65).map(|at| [at; 16]).collect();
        let many: Vec<&[u8]> = many.iter().map(|tag| tag.as_slice()).collect();
        for wrong in [&[&[1; 15][..]][..], &[&[2; 16], &[1; 16]], &[&[1; 16], &[1; 16]], &many] {
            assert_eq!(read(wrong), Err(CanonicalError::Field("tags").into()), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_no_background_is_refused() {
        for wrong in [[0b1100_0000, 0], [0, 27]] {
            let writer = Writer::new("match-event").bytes(&[7; 32]).text("found");
            let writer = writer.bytes(&[1; 16]).bytes(&[2; 16]).text("B");
            let none: [&str; 0] = [];
            let bytes = writer.list(["name_birth"]).list(none).bytes(&wrong).finish();
            let padding = Writer::record().bytes(&vec![0; EVENT_BYTES - bytes.len() - 4]);
            let read = Event::decode(&[bytes, padding.finish()].concat());
            assert_eq!(read, Err(CanonicalError::Field("background").into()));
        }
    }

    #[test]
    fn steps() {
        let steps: Vec<bool> = all().iter().map(|told| told.step().is_some()).collect();
        assert_eq!(steps, [true, true, true, true, true, true, true, false, false]);
    }
}
