//! How much agreeing evidence says, in bits: −log₂ of the probability that two different people
//! agree so, less what disagrees.
//!
//! No weight is learned: what was learned on one set of records lost precision on the next. The
//! numbers below are reasoned, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{BirthKnown, Facts};
use super::family::{Attribute, Evidence, Person};
use super::frequency::{Alternatives, Frequencies, Kind};
use super::name::Part;
use crate::secret::Secret;

/// Nobody's name is counted as rarer than one in 512: whoever heard one like it may have written
/// it down wrongly.
const NAME_BITS_MAX: f64 = 10.0;
/// A beginning says less than a sound: it joins more names.
const START_BITS_MAX: f64 = 9.0;
/// A first sound is one of some sixteen.
const INITIAL_BITS_MAX: f64 = 4.0;
/// Of a hundred years at most; the register knows how many it is.
const YEAR_BITS_MAX: f64 = 6.6;
/// A year at most one away, of forty: three of these.
const NEXT_YEAR_BITS: f64 = 3.7;
/// A year one to three away: some six of forty.
const NEAR_YEAR_BITS: f64 = 2.7;
/// Of days and months without their order, some 250.
const DAY_BITS_MAX: f64 = 8.3;
/// Whoever helps workers of one place meets others of that place.
const PLACE_BITS_MAX: f64 = 8.0;
/// One citizenship among many.
const GROUP_BITS_MAX: f64 = 6.0;
/// A phone passes from hand to hand, and families share one: far from one in a million.
const PHONE_BITS: f64 = 12.0;
/// Countries count alike, and some digits are read wrongly.
const NUMBER_BITS: f64 = 15.0;
/// A name of a company that nobody else here has.
const COMPANY_NAME_BITS_MAX: f64 = 13.0;
/// A word of it.
const COMPANY_WORD_BITS_MAX: f64 = 6.5;
/// Some words agree and the whole name does not: a sister company, or a namesake's firm; one of
/// sixteen is the same, written down wrongly or with a word less.
const OTHER_WORDS: f64 = 4.0;
/// Both have a number, and it is another: a group's companies have names alike.
const OTHER_NUMBER: f64 = 6.0;
/// More than the smallest register needs: codes with check characters, numbers that a State gives
/// once.
const IDENTIFIER_BITS: f64 = 30.0;

/// The year agrees, and both know a day, and it is another: one of ten is written down wrongly
/// otherwise than by exchanging it with the month.
const OTHER_DAY: f64 = 3.3;
/// Neither knows the day, and the year is another: it was guessed, by one of four.
const GUESSED_YEAR: f64 = 2.0;
/// Day and month agree, and the year is another: one of ten.
const OTHER_YEAR: f64 = 3.3;
/// The whole date is another: one of twenty.
const OTHER_DATE: f64 = 4.3;
/// A date with a part of a name would show, and does not: one of ten is written down wrongly.
const NO_DATE: f64 = 3.0;
/// Another part of the name, of two that both have: one of eight has married, or goes by another
/// name.
const OTHER_NAME: f64 = 2.0;
/// Both have a codice fiscale, and it is another: its check character tells mistakes, so that one
/// of a hundred and more is another's.
const OTHER_CODE: f64 = 7.0;
/// No part of the name agrees, of two that both have, but for first sounds: one of ten.
const OTHER_NAMES: f64 = 3.3;
/// Citizenship is another: one of sixteen is written down wrongly, or has two.
const OTHER_GROUP: f64 = 4.0;

/// Both have a phone, and it is another: as half of all have within some years.
const OTHER_PHONE: f64 = 1.0;
/// The same of a place.
const OTHER_PLACE: f64 = 1.0;

/// What agreeing evidence says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weight {
    /// Bits, less what disagrees.
    pub bits: f64,
    /// What was taken off.
    pub disagreement: f64,
    /// Whether an identifier agrees.
    pub identified: bool,
    /// Whether relatives or namesakes may agree so: another part of the name, or the date of
    /// birth, does not.
    pub kin: bool,
    /// Bits by kind of attribute.
    pub parts: BTreeMap<&'static str, f64>,
}

fn bits(probability: f64, most: f64) -> f64 {
    (-probability.max(1e-9).log2()).clamp(0.0, most)
}

/// What the union of agreeing evidence says the same of.
struct Union<'e> {
    all: BTreeSet<&'e Attribute>,
    /// Whether two sounds agree in one piece of evidence: then years would show.
    paired: bool,
}

impl<'e> Union<'e> {
    fn of(agreeing: &[&'e Evidence]) -> Self {
        let sounds = |one: &&&Evidence| {
            one.says.iter().filter(|it| matches!(it, Attribute::Sound(_))).count() >= 2
        };
        let paired = agreeing.iter().any(|one| sounds(&one));
        Self { all: agreeing.iter().flat_map(|one| &one.says).collect(), paired }
    }
}

/// What agrees of two people, ready to be weighed together.
#[derive(Default)]
struct Agreeing<'e> {
    /// By part of the own name.
    names: BTreeMap<usize, Alternatives<'e>>,
    /// Parts that agree by sound or beginning.
    named: BTreeSet<usize>,
    year: Option<&'e str>,
    windows: BTreeSet<&'e str>,
    day: Option<&'e str>,
    group: Option<&'e str>,
    place: Option<&'e str>,
    phone: bool,
    number: bool,
    identifier: bool,
}

impl<'e> Agreeing<'e> {
    fn of(union: &Union<'e>, parts: &[&'e Part], frequencies: &Frequencies) -> Self {
        let mut found = Self::default();
        let rarer = |kind, before: Option<&'e str>, value: &'e str| match before {
            Some(before)
                if frequencies.probability(kind, before)
                    <= frequencies.probability(kind, value) =>
            {
                Some(before)
            }
            _ => Some(value),
        };
        for it in &union.all {
            let mut part = |place: &usize, code: Option<(Kind, &'e str, f64)>| {
                found.names.entry(*place).or_default().extend(code);
            };
            let named = |place: &usize| parts.get(*place).copied();
            match it {
                Attribute::Sound(place) => {
                    let sound = |part: &'e Part| part.sound.reveal().as_str();
                    part(place, named(place).map(|it| (Kind::Sound, sound(it), NAME_BITS_MAX)));
                    found.named.insert(*place);
                }
                Attribute::Start(place) => {
                    let start = named(place).and_then(|part| part.start.as_ref());
                    let start = start.map(|it| (Kind::Start, it.reveal().as_str(), START_BITS_MAX));
                    part(place, start);
                    found.named.insert(*place);
                }
                Attribute::Initial(place) => {
                    let code = |part: &'e Part| (Kind::Initial, part.initial(), INITIAL_BITS_MAX);
                    part(place, named(place).map(code));
                }
                Attribute::Year(year) => found.year = rarer(Kind::Year, found.year, year),
                Attribute::NearYear(window) => {
                    found.windows.insert(window);
                }
                Attribute::Day(day) => found.day = rarer(Kind::Day, found.day, day),
                Attribute::Place(place) => found.place = rarer(Kind::Place, found.place, place),
                Attribute::Group(group) => found.group = rarer(Kind::Group, found.group, group),
                Attribute::Phone => found.phone = true,
                Attribute::Number => found.number = true,
                Attribute::Identifier => found.identifier = true,
                Attribute::CompanyName(_) | Attribute::CompanyWord(_) => {}
            }
        }
        found
    }

    /// What goes together with citizenship.
    fn values(&self) -> Vec<Alternatives<'e>> {
        let mut values: Vec<Alternatives<'e>> = self.names.values().cloned().collect();
        let year = self.year.map(|year| (Kind::Year, year, YEAR_BITS_MAX));
        let day = self.day.map(|day| (Kind::Day, day, DAY_BITS_MAX));
        let place = self.place.map(|place| (Kind::Place, place, PLACE_BITS_MAX));
        values.extend([year, day, place].into_iter().flatten().map(|one| vec![one]));
        values
    }

    /// Bits of a year that is near and not the same.
    fn near(&self) -> Option<f64> {
        match (self.year, self.windows.len()) {
            (Some(_), _) | (None, 0) => None,
            (None, 1) => Some(NEAR_YEAR_BITS),
            (None, _) => Some(NEXT_YEAR_BITS),
        }
    }

    fn parts(&self, own: &Person, frequencies: &Frequencies) -> BTreeMap<&'static str, f64> {
        let alone = |one: &Alternatives<'e>| {
            let of = |(kind, value, most): &(Kind, &str, f64)| {
                bits(frequencies.probability(*kind, value), *most)
            };
            one.iter().map(of).fold(0.0, f64::max)
        };
        let mut parts: BTreeMap<&'static str, f64> = BTreeMap::new();
        parts.insert("name", self.names.values().map(alone).sum());
        let mut add = |name: &'static str, value: Option<&'e str>, kind: Kind, most: f64| {
            if let Some(value) = value {
                parts.insert(name, alone(&vec![(kind, value, most)]));
            }
        };
        add("year", self.year, Kind::Year, YEAR_BITS_MAX);
        add("day", self.day, Kind::Day, DAY_BITS_MAX);
        add("group", self.group, Kind::Group, GROUP_BITS_MAX);
        add("place", self.place, Kind::Place, PLACE_BITS_MAX);
        if let Some(near) = self.near() {
            parts.insert("year", near);
        }
        if self.phone {
            let of = |phone: &Secret<String>| {
                bits(frequencies.probability(Kind::Phone, phone.reveal()), PHONE_BITS)
            };
            parts.insert("phone", own.phones.iter().map(of).fold(0.0, f64::max));
        }
        if self.number {
            parts.insert("number", NUMBER_BITS);
        }
        if self.identifier {
            parts.insert("identifier", IDENTIFIER_BITS);
        }
        parts
    }
}

/// Weighs what agrees between an own person and another's, of whom only the facts are known.
pub fn person(
    own: &Person,
    agreeing: &[&Evidence],
    (ours, theirs): (Facts, Facts),
    frequencies: &Frequencies,
) -> Weight {
    let union = Union::of(agreeing);
    let own_parts = own.parts();
    let mut found = Agreeing::of(&union, &own_parts, frequencies);
    if theirs.birth == BirthKnown::Nothing {
        // It is asked for in all years.
        found.windows.clear();
    }
    let group = found.group.map(|group| (group, GROUP_BITS_MAX));
    let together = frequencies.together(&found.values(), group, &own.groups());
    let parts = found.parts(own, frequencies);
    let apart: f64 = ["phone", "number", "identifier"].iter().filter_map(|it| parts.get(it)).sum();
    let disagreement = disagreement(&found, &union, (ours, theirs));
    let near = found.near().unwrap_or(0.0);
    let bits = -together.max(1e-30).log2() + near + apart - disagreement.bits;
    Weight {
        bits,
        disagreement: disagreement.bits,
        identified: found.identifier,
        kin: !found.identifier && !disagreement.certain,
        parts,
    }
}

struct Disagreement {
    bits: f64,
    /// Whether what agrees is more than relatives share or a namesake has.
    certain: bool,
}

fn disagreement(
    found: &Agreeing<'_>,
    union: &Union<'_>,
    (ours, theirs): (Facts, Facts),
) -> Disagreement {
    let (named, dated, day) = (found.named.len(), found.year.is_some(), found.day.is_some());
    let mut off = 0.0;
    let (near, both) = (!found.windows.is_empty(), ours.birth.min(theirs.birth));
    let either = ours.birth.max(theirs.birth);
    let other_date = match (both, dated, day) {
        (BirthKnown::Nothing, ..) | (_, true, true) | (BirthKnown::Year, true, _) => 0.0,
        (BirthKnown::Date, true, false) => OTHER_DAY,
        // Without two sounds no year would show.
        (BirthKnown::Date, false, _) if !union.paired => NO_DATE,
        (BirthKnown::Year, false, _) if !union.paired => 0.0,
        (BirthKnown::Date, false, true) => OTHER_YEAR + if near { 0.0 } else { 2.0 },
        (BirthKnown::Year, false, _) if either == BirthKnown::Year && near => GUESSED_YEAR,
        (BirthKnown::Year, false, _) if near => OTHER_YEAR,
        _ => OTHER_DATE,
    };
    off += other_date;
    let two = ours.parts.min(theirs.parts) >= 2;
    off += match (two, named, found.names.len()) {
        (true, 0, _) => OTHER_NAMES,
        // The first sound of the other agrees: half of a disagreement.
        (true, 1, 2..) => OTHER_NAME / 2.0,
        (true, 1, _) => OTHER_NAME,
        _ => 0.0,
    };
    if ours.code && theirs.code && !found.identifier {
        off += OTHER_CODE;
    }
    // Where a year agrees for two sounds, citizenship would show.
    if union.paired && (dated || near) && ours.group && theirs.group && found.group.is_none() {
        off += OTHER_GROUP;
    }
    if ours.phone && theirs.phone && !found.phone {
        off += OTHER_PHONE;
    }
    // Where two sounds agree, or a date, a place would show.
    let placed = union.paired || (dated && day);
    if placed && ours.place && theirs.place && found.place.is_none() {
        off += OTHER_PLACE;
    }
    let other_name = two && named < 2;
    let certain = dated && other_date <= 0.0 && !other_name;
    Disagreement { bits: off, certain }
}

/// Weighs what agrees between an own company and another's, of which only the facts are known.
pub fn company(
    agreeing: &[&Evidence],
    (ours, theirs): (Facts, Facts),
    frequencies: &Frequencies,
) -> Weight {
    let union = Union::of(agreeing);
    let mut weight = Weight::default();
    let mut words = 0.0;
    let mut named = false;
    for it in &union.all {
        let probability = |kind, value: &str| frequencies.probability(kind, value);
        match it {
            Attribute::Identifier => {
                weight.identified = true;
                weight.parts.insert("identifier", IDENTIFIER_BITS);
            }
            Attribute::CompanyName(name) => {
                named = true;
                // A name is as rare as its words, too: one word of four letters is many firms'.
                let by_words: f64 = name
                    .split(' ')
                    .map(|word| bits(probability(Kind::CompanyWord, word), COMPANY_WORD_BITS_MAX))
                    .sum();
                let by_name = bits(probability(Kind::CompanyName, name), COMPANY_NAME_BITS_MAX);
                let found = by_name.min(by_words.max(COMPANY_WORD_BITS_MAX));
                let known = weight.parts.entry("name").or_default();
                *known = known.max(found);
            }
            Attribute::CompanyWord(word) => {
                words += bits(probability(Kind::CompanyWord, word), COMPANY_WORD_BITS_MAX);
            }
            Attribute::Place(place) => {
                let found = bits(probability(Kind::Place, place), PLACE_BITS_MAX);
                let known = weight.parts.entry("place").or_default();
                *known = known.max(found);
            }
            _ => {}
        }
    }
    if !named && words > 0.0 {
        weight.parts.insert("name", words);
        weight.disagreement += OTHER_WORDS;
    }
    if ours.birth == BirthKnown::Date && theirs.birth == BirthKnown::Date && !weight.identified {
        weight.disagreement += OTHER_NUMBER;
    }
    weight.kin = !weight.identified;
    weight.bits = weight.parts.values().sum::<f64>() - weight.disagreement;
    weight
}
