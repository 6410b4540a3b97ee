//! Families of evidence: what tokens are made of, for people and companies.
//!
//! A token says that several things agree at once, so that nobody tests one of them alone: a sound
//! with a date, two sounds with a year. What all agreeing tokens of two records say together is
//! weighed (`super::weight`); a family decides nothing by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::name::{Name, Part};
use crate::id::Digest;
use crate::normal::birth::Birth;
use crate::normal::codice_fiscale::CodiceFiscale;
use crate::normal::stop_list::{Hidden, Stop, StopList};
use crate::pseudonym::key::Class;
use crate::secret::Secret;

/// The most pieces of evidence of one record; what is over is left out, weakest families
/// first.
pub const EVIDENCE_MAX: usize = 64;

macro_rules! families {
    ($($(#[doc = $doc:literal])* $Name:ident = $name:literal, $class:ident;)*) => {
        /// What a token was made of. The name is part of the PRF's input, and what two managers
        /// see of an agreement.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Family {
            $($(#[doc = $doc])* $Name,)*
        }

        impl Family {
            /// Every family, strongest first within its class.
            pub const ALL: &[Self] = &[$(Self::$Name,)*];

            /// The name in inputs and messages.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$Name => $name,)*
                }
            }

            /// Whose key makes its tokens, and whose budget they are charged to.
            pub fn class(self) -> Class {
                match self {
                    $(Self::$Name => Class::$class,)*
                }
            }
        }
    };
}

families! {
    /// A person's lasting codice fiscale.
    CodiceFiscale = "codice_fiscale", PersonStrong;
    /// A person's provisional codice fiscale.
    ProvisionalCodiceFiscale = "provisional_codice_fiscale", PersonStrong;
    /// A residence permit.
    Permit = "permit", PersonStrong;
    /// A passport with its country.
    Passport = "passport", PersonStrong;
    /// A passport's number, where it is not known which country gave it.
    PassportNumber = "passport_number", PersonStrong;
    /// A phone.
    Phone = "phone", PersonStrong;
    /// A phone, with one part of a name by its sound.
    PhoneName = "phone_name", PersonStrong;
    /// One part of a name by its sound, with a full date of birth.
    NameBirth = "name_birth", PersonWeak;
    /// One part of a name by its first letters, with a full date of birth.
    NameStartBirth = "name_start_birth", PersonWeak;
    /// Two parts of a name by their sound, with a year of birth.
    NamesYear = "names_year", PersonWeak;
    /// Two parts of a name by their sound, with a place.
    NamesPlace = "names_place", PersonWeak;
    /// Two parts of a name by their first letters, with a place.
    NameStartsPlace = "name_starts_place", PersonWeak;
    /// A full date of birth, with a place.
    BirthPlace = "birth_place", PersonWeak;
    /// Two parts of a name by their sound, with day and month of birth.
    NamesDay = "names_day", PersonWeak;
    /// Two parts of a name by their first sound, with a full date of birth.
    InitialsBirth = "initials_birth", PersonWeak;
    /// Two parts of a name by their sound, with citizenship and four years of which one is that of
    /// birth.
    NamesYearsGroup = "names_years_group", PersonWeak;
    /// A company's partita IVA or codice fiscale.
    CompanyNumber = "company_number", Company;
    /// A company's REA number.
    Rea = "rea", Company;
    /// A company's name, with a comune.
    CompanyNamePlace = "company_name_place", Company;
    /// A company's name, wherever it is.
    CompanyName = "company_name", Company;
    /// Two words of a company's name, with a comune.
    CompanyWordsPlace = "company_words_place", Company;
}

impl Family {
    /// The family of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|family| family.name() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that is the same where a token agrees.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attribute {
    /// An identifier that belongs to one person or company.
    Identifier,
    /// A passport's number without its country.
    Number,
    /// A phone.
    Phone,
    /// A part of the name, by its place among [`Person::parts`], as it sounds.
    Sound(usize),
    /// The same, as it begins.
    Start(usize),
    /// The same, by its first sound.
    Initial(usize),
    /// The year of birth.
    Year(String),
    /// Day and month of birth.
    Day(String),
    /// A window of four years that holds the year of birth, by its first year.
    NearYear(String),
    /// Citizenship.
    Group(String),
    /// A place.
    Place(String),
    /// A company's whole name.
    CompanyName(String),
    /// A word of a company's name.
    CompanyWord(String),
}

/// Values are not shown.
impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[attribute]")
    }
}

/// One piece of evidence: a family, a normalised value, and what it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Of what kind.
    pub family: Family,
    /// The value, as it goes into the PRF.
    pub value: Secret<String>,
    /// What is the same where another record has it too.
    pub says: Vec<Attribute>,
}

/// Names a piece of evidence beside its token: the first 8 bytes of a SHA-256. Secret as the value
/// is, since that can be guessed from it.
pub type Mark = [u8; 8];

impl Evidence {
    /// Its mark, of family and value.
    pub fn mark(&self) -> Mark {
        let named = Secret::new(format!("{}|{}", self.family, self.value.reveal()));
        let digest = Digest::of(named.reveal().as_bytes());
        digest.0.first_chunk().copied().unwrap_or_default()
    }
}

/// What is known of a person: each as often as it was ever seen, aliases among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Person {
    /// Lasting and provisional codici fiscali.
    pub codici_fiscali: Vec<CodiceFiscale>,
    /// Permits (`document::permit`).
    pub permits: Vec<Secret<String>>,
    /// Passports (`document::passport`).
    pub passports: Vec<Secret<String>>,
    /// Numbers of passports (`document::bare`), with those of which the country is known.
    pub passport_numbers: Vec<Secret<String>>,
    /// Phones (`phone::e164`).
    pub phones: Vec<Secret<String>>,
    /// Names and aliases.
    pub names: Vec<Name>,
    /// Dates of birth, as documents say them.
    pub births: Vec<Birth>,
    /// Citizenships, ISO 3166-1, two letters.
    pub citizenships: Vec<String>,
    /// Where the person lives or has lived: comuni (`Comuni::code`), or postal codes.
    pub places: Vec<Secret<String>>,
}

/// How many citizenships of a person are used.
const CITIZENSHIPS_MAX: usize = 2;

impl Person {
    /// All parts of all names, each sound once, in the order of the names.
    pub fn parts(&self) -> Vec<&Part> {
        let mut parts: Vec<&Part> = Vec::new();
        for part in self.names.iter().flat_map(Name::parts) {
            if parts.iter().all(|known| known.sound.reveal() != part.sound.reveal()) {
                parts.push(part);
            }
        }
        parts
    }

    /// Dates of birth: those that were written down, and those in codici fiscali.
    pub fn dates(&self) -> Vec<Birth> {
        let mut dates: Vec<Birth> = self.births.clone();
        for birth in self.codici_fiscali.iter().filter_map(CodiceFiscale::birth) {
            if !dates.contains(&birth) {
                dates.push(birth);
            }
        }
        dates
    }

    /// Citizenships: those that were written down, and those of passports.
    pub fn groups(&self) -> Vec<String> {
        let passports = self.passports.iter().filter_map(|it| it.reveal().get(..2));
        let mut all: Vec<String> = Vec::new();
        for country in self.citizenships.iter().map(String::as_str).chain(passports) {
            if !all.iter().any(|known| known == country) && all.len() < CITIZENSHIPS_MAX {
                all.push(country.to_owned());
            }
        }
        all
    }

    /// All evidence, each once, at most [`EVIDENCE_MAX`]. What the stop-list names makes none.
    pub fn evidence(&self, stops: &StopList) -> Vec<Evidence> {
        let mut gathered = Gathered::new(stops);
        let parts = self.parts();
        for code in &self.codici_fiscali {
            let family = match code {
                CodiceFiscale::Lasting(_) => Family::CodiceFiscale,
                CodiceFiscale::Provisional(_) => Family::ProvisionalCodiceFiscale,
            };
            gathered.add(family, code.value().reveal(), [Attribute::Identifier]);
        }
        for (family, values, says) in [
            (Family::Permit, &self.permits, Attribute::Identifier),
            (Family::Passport, &self.passports, Attribute::Identifier),
            (Family::PassportNumber, &self.passport_numbers, Attribute::Number),
            (Family::Phone, &self.phones, Attribute::Phone),
        ] {
            values.iter().for_each(|value| gathered.add(family, value.reveal(), [says.clone()]));
        }
        let places: Vec<&Secret<String>> = self.places(stops).collect();
        for name in &self.names {
            let named = Named { name, parts: &parts };
            self.phones(stops).for_each(|phone| named.with_phone(phone, &mut gathered));
            let (dates, groups) = (self.dates(), self.groups());
            dates.iter().for_each(|birth| named.born(birth, &groups, &mut gathered));
            if dates.is_empty() {
                named.of_any_year(&groups, &mut gathered);
            }
            for place in &places {
                let says = Attribute::Place(place.reveal().clone());
                named.pairs(
                    Family::NamesPlace,
                    place.reveal(),
                    std::slice::from_ref(&says),
                    &mut gathered,
                );
                named.starts(place.reveal(), &says, &mut gathered);
            }
        }
        for birth in self.dates() {
            let Some((full, says)) = dated(&birth) else { continue };
            for place in &places {
                let place = place.reveal();
                let value = format!("{}|{place}", full.reveal());
                let says = says.iter().cloned().chain([Attribute::Place(place.clone())]);
                gathered.add(Family::BirthPlace, &value, says);
            }
        }
        gathered.finish()
    }

    /// Places that the stop-list does not name.
    pub fn places(&self, stops: &StopList) -> impl Iterator<Item = &Secret<String>> {
        self.places.iter().filter(|place| !stops.has(Stop::Place, place.reveal()))
    }

    /// Phones that the stop-list does not name.
    pub fn phones(&self, stops: &StopList) -> impl Iterator<Item = &Secret<String>> {
        self.phones.iter().filter(|phone| !stops.has(Stop::Phone, phone.reveal()))
    }
}

/// A full date and what it says.
fn dated(birth: &Birth) -> Option<(Secret<String>, Vec<Attribute>)> {
    let (full, day) = (birth.date()?, birth.day()?);
    let year = Attribute::Year(birth.year().reveal().clone());
    Some((full, vec![year, Attribute::Day(day.reveal().clone())]))
}

/// A name whose parts have their places among all of a person.
struct Named<'n> {
    name: &'n Name,
    parts: &'n [&'n Part],
}

impl Named<'_> {
    fn place(&self, part: &Part) -> usize {
        let same = |known: &&Part| known.sound.reveal() == part.sound.reveal();
        self.parts.iter().position(same).unwrap_or_default()
    }

    fn with_phone(&self, phone: &Secret<String>, gathered: &mut Gathered<'_>) {
        for part in self.name.telling() {
            let value = format!("{}|{}", part.sound.reveal(), phone.reveal());
            let says = [Attribute::Phone, Attribute::Sound(self.place(part))];
            gathered.add(Family::PhoneName, &value, says);
        }
    }

    fn born(&self, birth: &Birth, groups: &[String], gathered: &mut Gathered<'_>) {
        let year = birth.year();
        let says = Attribute::Year(year.reveal().clone());
        self.pairs(Family::NamesYear, year.reveal(), &[says], gathered);
        for group in groups {
            for window in birth.windows() {
                let with = format!("{}|{group}", window.reveal());
                let near = Attribute::NearYear(window.reveal().clone());
                let says = [near, Attribute::Group(group.clone())];
                self.pairs(Family::NamesYearsGroup, &with, &says, gathered);
            }
        }
        let (Some(day), Some((full, dated))) = (birth.day(), dated(birth)) else { return };
        let says = Attribute::Day(day.reveal().clone());
        self.pairs(Family::NamesDay, day.reveal(), &[says], gathered);
        for part in self.name.telling() {
            let place = self.place(part);
            let mut add = |family, text: &str, says: Attribute| {
                let value = format!("{text}|{}", full.reveal());
                gathered.add(family, &value, dated.iter().cloned().chain([says]));
            };
            add(Family::NameBirth, part.sound.reveal(), Attribute::Sound(place));
            if let Some(start) = &part.start {
                add(Family::NameStartBirth, start.reveal(), Attribute::Start(place));
            }
        }
        self.initials(&full, &dated, gathered);
    }

    /// Of whom no date is known is asked for in all years, so that nobody needs a token without
    /// one: with it a name would be tested by one question in place of one for each window.
    fn of_any_year(&self, groups: &[String], gathered: &mut Gathered<'_>) {
        for group in groups {
            for window in Birth::all_windows() {
                let with = format!("{}|{group}", window.reveal());
                let says = [Attribute::Group(group.clone())];
                self.pairs(Family::NamesYearsGroup, &with, &says, gathered);
            }
        }
    }

    /// Two first sounds with a date: of parts, and of letters that stand for one.
    fn initials(&self, full: &Secret<String>, dated: &[Attribute], gathered: &mut Gathered<'_>) {
        let parts = self.name.telling().map(|part| (part.initial(), Some(self.place(part))));
        let letters = self.name.letters().iter().map(|letter| (letter.as_str(), None));
        let mut all: Vec<(&str, Option<usize>)> = parts.chain(letters).collect();
        all.sort_by_key(|(initial, _)| *initial);
        for (at, (one, first)) in all.iter().enumerate() {
            for (other, second) in all.iter().skip(at.saturating_add(1)) {
                let value = format!("{one}{other}|{}", full.reveal());
                let places = [first, second].into_iter().flatten().copied();
                let says = places.map(Attribute::Initial).chain(dated.iter().cloned());
                gathered.add(Family::InitialsBirth, &value, says);
            }
        }
    }

    /// Every pair of beginnings with a place: of names that were mistyped further on, where no date
    /// says more.
    fn starts(&self, place: &str, placed: &Attribute, gathered: &mut Gathered<'_>) {
        let start = |part: &Part| Some((part.start.clone()?, self.place(part)));
        let mut all: Vec<(Secret<String>, usize)> = self.name.telling().filter_map(start).collect();
        all.sort_by(|one, other| one.0.reveal().cmp(other.0.reveal()));
        for (at, (one, first)) in all.iter().enumerate() {
            for (other, second) in all.iter().skip(at.saturating_add(1)) {
                let value = format!("{} {}|{place}", one.reveal(), other.reveal());
                let starts = [*first, *second].map(Attribute::Start);
                let says = starts.into_iter().chain([placed.clone()]);
                gathered.add(Family::NameStartsPlace, &value, says);
            }
        }
    }

    /// Every pair of sounds with something: both names of most people, and of those with more
    /// names some pair that another document has too.
    fn pairs(&self, family: Family, with: &str, says: &[Attribute], gathered: &mut Gathered<'_>) {
        let telling: Vec<&Part> = self.name.telling().collect();
        let all: Vec<&Part> = match telling.len() {
            0 | 1 => self.name.parts().iter().collect(),
            _ => telling,
        };
        for (at, one) in all.iter().enumerate() {
            for other in all.iter().skip(at.saturating_add(1)) {
                let value = format!("{} {}|{with}", one.sound.reveal(), other.sound.reveal());
                let sounds = [self.place(one), self.place(other)].map(Attribute::Sound);
                gathered.add(family, &value, sounds.into_iter().chain(says.iter().cloned()));
            }
        }
    }
}

/// What is known of a company. A sole trader is a person besides: its codice fiscale of 16
/// characters belongs into [`Person`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Company {
    /// Partite IVA and numeric codici fiscali (`company_number::partita_iva`).
    pub numbers: Vec<Secret<String>>,
    /// REA numbers (`company_number::rea`).
    pub rea: Vec<Secret<String>>,
    /// Names (`company_name::company_name`).
    pub names: Vec<Secret<String>>,
    /// Comuni of seat and sites.
    pub places: Vec<Secret<String>>,
}

/// How many words of a company's name are used in pairs, the longest ones.
const WORDS_MAX: usize = 3;

impl Company {
    /// All evidence, each once, at most [`EVIDENCE_MAX`].
    pub fn evidence(&self, stops: &StopList) -> Vec<Evidence> {
        let mut gathered = Gathered::new(stops);
        for (family, values) in [(Family::CompanyNumber, &self.numbers), (Family::Rea, &self.rea)] {
            let says = [Attribute::Identifier];
            values.iter().for_each(|value| gathered.add(family, value.reveal(), says.clone()));
        }
        for name in self.names.iter().map(Secret::reveal) {
            let says = Attribute::CompanyName(name.clone());
            gathered.add(Family::CompanyName, name, [says.clone()]);
            for place in self.places.iter().map(Secret::reveal) {
                let placed = Attribute::Place(place.clone());
                let value = format!("{name}|{place}");
                gathered.add(Family::CompanyNamePlace, &value, [says.clone(), placed.clone()]);
                let mut words: Vec<&str> = name.split(' ').filter(|word| word.len() > 3).collect();
                words
                    .sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
                words.truncate(WORDS_MAX);
                words.sort_unstable();
                for (at, one) in words.iter().enumerate() {
                    for other in words.iter().skip(at.saturating_add(1)) {
                        let value = format!("{one} {other}|{place}");
                        let says = [one, other].map(|it| Attribute::CompanyWord((*it).to_owned()));
                        let says = says.into_iter().chain([placed.clone()]);
                        gathered.add(Family::CompanyWordsPlace, &value, says);
                    }
                }
            }
        }
        gathered.finish()
    }
}

/// Evidence while it is gathered: sorted by family, then value, each once.
struct Gathered<'a> {
    stops: &'a StopList,
    found: BTreeMap<(Family, Hidden), BTreeSet<Attribute>>,
}

impl<'a> Gathered<'a> {
    fn new(stops: &'a StopList) -> Self {
        Self { stops, found: BTreeMap::new() }
    }

    fn add(&mut self, family: Family, value: &str, says: impl IntoIterator<Item = Attribute>) {
        let stop = match family {
            Family::Phone => Some(Stop::Phone),
            _ if family.class() == Class::Company => Some(Stop::Company),
            _ => None,
        };
        if !stop.is_some_and(|stop| self.stops.has(stop, value)) {
            let found = self.found.entry((family, Hidden(value.to_owned()))).or_default();
            found.extend(says);
        }
    }

    fn finish(self) -> Vec<Evidence> {
        let found = self.found.into_iter().take(EVIDENCE_MAX);
        let evidence = |((family, value), says): ((Family, Hidden), BTreeSet<Attribute>)| {
            Evidence { family, value: Secret::new(value.0), says: says.into_iter().collect() }
        };
        found.map(evidence).collect()
    }
}
