//! How much agreeing evidence says, in bits: −log₂ of the probability that two different people
//! agree so, less what disagrees.
//!
//! No weight is learned: what was learned on one set of records lost precision on the next. The
//! numbers below are reasoned, each with its reason.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{BirthKnown, Facts};
use super::family::{Attribute, Company, Evidence, Person};
use super::frequency::{Frequencies, Kind};

/// Nobody's name is counted as rarer than one in 512: whoever heard one like it may have written
/// it down wrongly.
const NAME_BITS_MAX: f64 = 10.0;
/// A beginning says less than a sound: it joins more names.
const START_BITS_MAX: f64 = 9.0;
/// A first sound is one of some sixteen.
const INITIAL_BITS_MAX: f64 = 4.0;
/// Of some forty years that workers are born in.
const YEAR_BITS_MAX: f64 = 5.3;
/// Three years in place of one: log₂ 3.
const NEAR_YEAR_LOSS: f64 = 1.6;
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
const COMPANY_NAME_BITS_MAX: f64 = 11.0;
/// A word of it.
const COMPANY_WORD_BITS_MAX: f64 = 6.5;
/// More than the smallest register needs: codes with check characters, numbers that a State gives
/// once.
const IDENTIFIER_BITS: f64 = 30.0;

/// Both know a date, and it is another: one of ten is written down wrongly or guessed.
const OTHER_DATE: f64 = 3.0;
/// The year is another by more than one, of both names: rarer.
const OTHER_YEAR: f64 = 5.0;
/// The year alone agrees: the day is the one that is not known, and guessed.
const OTHER_DAY: f64 = 2.0;
/// Another part of the name, of two that both have: one of eight has married, or goes by another
/// name.
const OTHER_NAME: f64 = 2.0;
/// Both have a codice fiscale, and it is another: its check character tells mistakes, so that one
/// of a hundred and more is another's.
const OTHER_CODE: f64 = 7.0;
/// No part of the name agrees, of two that both have, but for first sounds.
const OTHER_NAMES: f64 = 5.0;
/// Sex or citizenship is another: one of sixteen is written down wrongly, or has two.
const OTHER_GROUP: f64 = 4.0;

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

    fn has(&self, is: impl Fn(&Attribute) -> bool) -> bool {
        self.all.iter().any(|it| is(it))
    }
}

/// Weighs what agrees between an own person and another's, of whom only the facts are known.
pub fn person(
    own: &Person,
    agreeing: &[&Evidence],
    theirs: Facts,
    frequencies: &Frequencies,
) -> Weight {
    let union = Union::of(agreeing);
    let mut weight = Weight::default();
    let group = union.all.iter().find_map(|it| match it {
        Attribute::Group(group) => Some(group.as_str()),
        _ => None,
    });
    let parts = own.parts();
    let mut names: BTreeMap<usize, f64> = BTreeMap::new();
    for it in &union.all {
        let best = |names: &mut BTreeMap<usize, f64>, place: usize, found: f64| {
            let known = names.entry(place).or_default();
            *known = known.max(found);
        };
        let probability = |kind, value: &str| frequencies.probability(kind, value, group);
        match it {
            Attribute::Sound(place) => {
                if let Some(part) = parts.get(*place) {
                    let p = probability(Kind::Sound, part.sound.reveal());
                    best(&mut names, *place, bits(p, NAME_BITS_MAX));
                }
            }
            Attribute::Start(place) => {
                if let Some(start) = parts.get(*place).and_then(|part| part.start.as_ref()) {
                    let p = probability(Kind::Start, start.reveal());
                    best(&mut names, *place, bits(p, START_BITS_MAX));
                }
            }
            Attribute::Initial(place) => {
                if let Some(part) = parts.get(*place) {
                    let p = probability(Kind::Initial, part.initial());
                    best(&mut names, *place, bits(p, INITIAL_BITS_MAX));
                }
            }
            Attribute::Year(year) => {
                let found = bits(probability(Kind::Year, year), YEAR_BITS_MAX);
                let known = weight.parts.entry("year").or_default();
                *known = known.max(found);
            }
            Attribute::NearYear(year) => {
                let found = bits(probability(Kind::Year, year), YEAR_BITS_MAX) - NEAR_YEAR_LOSS;
                let known = weight.parts.entry("year").or_default();
                *known = known.max(found);
            }
            Attribute::Day(day) => {
                let found = bits(probability(Kind::Day, day), DAY_BITS_MAX);
                let known = weight.parts.entry("day").or_default();
                *known = known.max(found);
            }
            Attribute::Group(group) => {
                let p = frequencies.probability(Kind::Group, group, None);
                weight.parts.insert("group", bits(p, GROUP_BITS_MAX));
            }
            Attribute::Place(place) => {
                let found = bits(probability(Kind::Place, place), PLACE_BITS_MAX);
                let known = weight.parts.entry("place").or_default();
                *known = known.max(found);
            }
            Attribute::Phone => {
                let rarest = own.phones.iter().map(|phone| {
                    bits(frequencies.probability(Kind::Phone, phone.reveal(), None), PHONE_BITS)
                });
                weight.parts.insert("phone", rarest.fold(0.0, f64::max));
            }
            Attribute::Number => {
                weight.parts.insert("number", NUMBER_BITS);
            }
            Attribute::Identifier => {
                weight.identified = true;
                weight.parts.insert("identifier", IDENTIFIER_BITS);
            }
            Attribute::CompanyName(_) | Attribute::CompanyWord(_) => {}
        }
    }
    let strong: BTreeSet<usize> = union
        .all
        .iter()
        .filter_map(|it| match it {
            Attribute::Sound(place) | Attribute::Start(place) => Some(*place),
            _ => None,
        })
        .collect();
    let named = strong.len();
    weight.parts.insert("name", names.values().sum());
    let dated = union.has(|it| matches!(it, Attribute::Year(_)));
    let day = union.has(|it| matches!(it, Attribute::Day(_)));
    let near = dated || union.has(|it| matches!(it, Attribute::NearYear(_)));
    let ours = Facts::of_person(own);
    let mut off = 0.0;
    let both = ours.birth.min(theirs.birth);
    let other_date = match (both, dated, day) {
        (BirthKnown::Nothing, ..) | (BirthKnown::Year, true, _) | (_, true, true) => 0.0,
        (BirthKnown::Date, true, false) => OTHER_DAY,
        (BirthKnown::Date, false, true) if near => OTHER_DAY,
        // Without two sounds no year would show.
        (BirthKnown::Date, false, false) if !union.paired => OTHER_DATE,
        (BirthKnown::Year, false, _) if !union.paired => 0.0,
        _ if near => OTHER_DATE,
        _ => OTHER_YEAR,
    };
    off += other_date;
    let two = ours.parts.min(theirs.parts) >= 2;
    let other_name = two && named < 2;
    off += match (two, named, names.len()) {
        (true, 0, _) => OTHER_NAMES,
        // The first sound of the other agrees: half of a disagreement.
        (true, 1, 2..) => OTHER_NAME / 2.0,
        (true, 1, _) => OTHER_NAME,
        _ => 0.0,
    };
    if ours.code && theirs.code && !weight.identified {
        off += OTHER_CODE;
    }
    // Where a year agrees for two sounds, sex and citizenship would show.
    if union.paired && near && ours.group && theirs.group && group.is_none() {
        off += OTHER_GROUP;
    }
    // What relatives share, or a namesake has, does not make sure alone.
    let same_date = other_date <= 0.0;
    let certain = same_date && (named >= 2 || (dated && !other_name));
    weight.kin = !weight.identified && !certain;
    weight.disagreement = off;
    weight.bits = weight.parts.values().sum::<f64>() - off;
    weight
}

/// Weighs what agrees between an own company and another's.
pub fn company(
    own: &Company,
    agreeing: &[&Evidence],
    theirs: Facts,
    frequencies: &Frequencies,
) -> Weight {
    let union = Union::of(agreeing);
    let mut weight = Weight::default();
    let mut words = 0.0;
    let mut named = false;
    for it in &union.all {
        let probability = |kind, value: &str| frequencies.probability(kind, value, None);
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
    }
    // Both have a number, and it is another: a group's companies have names alike.
    let numbered = Facts::of_company(own).birth == BirthKnown::Date;
    if numbered && theirs.birth == BirthKnown::Date && !weight.identified {
        weight.disagreement = 6.0;
    }
    weight.kin = !weight.identified;
    weight.bits = weight.parts.values().sum::<f64>() - weight.disagreement;
    weight
}
