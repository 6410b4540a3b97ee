//! A harbour and its camps: thirteen countries.

use super::dice::Dice;
use super::names::{self, Country};
use super::{Human, Known, Line, country, date, spelt};

/// Of a hundred people.
const FROM: &[(usize, &Country)] = &[
    (6, &names::ITALY),
    (14, &names::BANGLADESH),
    (8, &names::INDIA),
    (12, &names::PAKISTAN),
    (12, &names::MOROCCO),
    (9, &names::EGYPT),
    (9, &names::SENEGAL),
    (7, &names::MALI),
    (7, &names::GAMBIA),
    (8, &names::NIGERIA),
    (3, &names::ROMANIA),
    (2, &names::ALBANIA),
    (3, &names::CHINA),
];

const KNOWN: Known = Known {
    sex: 900,
    citizenship: 920,
    fiscal_code: 350,
    passport: 150,
    phone: 500,
    phone_changed: 400,
    place: 700,
    moved: 400,
    employer: 300,
};

/// What an ear confuses, and an Italian hand writes.
const HEARD: &[(&str, &str)] = &[
    ("oo", "u"),
    ("ee", "i"),
    ("ou", "u"),
    ("sh", "sc"),
    ("ch", "c"),
    ("k", "c"),
    ("w", "u"),
    ("y", "i"),
    ("h", ""),
    ("j", "g"),
    ("ph", "f"),
    ("th", "t"),
    ("u", "o"),
    ("o", "u"),
    ("e", "i"),
    ("i", "e"),
    ("dj", "gi"),
    ("b", "p"),
    ("d", "t"),
    ("ll", "l"),
    ("ss", "s"),
    ("a", "e"),
    ("q", "k"),
    ("z", "s"),
    ("v", "b"),
    ("ai", "e"),
    ("x", "s"),
    ("ng", "n"),
    ("r", "rr"),
    ("t", "tt"),
];

/// A word as it was heard: one or two sounds are others in so many of a thousand.
fn heard(dice: &Dice, word: &str, rate: usize) -> String {
    if !dice.happens(rate) {
        return word.to_owned();
    }
    let mut text = word.to_lowercase();
    for _ in 0..=dice.below(2) {
        let fits: Vec<_> = HEARD.iter().filter(|(from, _)| text.contains(from)).collect();
        let Some((from, to)) = fits.get(dice.below(fits.len())) else { break };
        let places: Vec<usize> = text.match_indices(from).map(|(at, _)| at).collect();
        if let Some(at) = places.get(dice.below(places.len())) {
            text.replace_range(at..&(at + from.len()), to);
        }
    }
    text
}

fn human(dice: &Dice) -> Human {
    let from = country(dice, FROM);
    let italian = from.code == "IT";
    let woman = dice.happens(match from.code {
        "NG" => 600,
        "RO" | "CN" => 450,
        _ => 120,
    });
    let year = 1968 + dice.below(40);
    let born = match !italian && dice.happens(220) {
        true => (year, 1, 1),
        false => (year, 1 + dice.below(12), 1 + dice.below(28)),
    };
    let mut human = Human::of(dice, from, woman, born);
    if from.code == "EG" {
        // The father's name.
        human.given = format!("{} {}", spelt(dice, &human.given, 0), dice.frequent(from.men));
    }
    human.year_unknown = !italian && dice.happens(120);
    human
}

/// One of ten lives with others of the same country: with one phone, or one family name, in half
/// of the cases each.
pub(super) fn people(dice: &Dice, count: usize) -> Vec<Human> {
    let mut all: Vec<Human> = Vec::new();
    for _ in 0..count {
        let mut one = human(dice);
        let near = all.iter().rev().take(60).find(|near| near.country.code == one.country.code);
        if let Some(near) = near.filter(|_| dice.happens(100)) {
            one.place.clone_from(&near.place);
            if dice.happens(500) {
                one.phone.clone_from(&near.phone);
            }
            if dice.happens(500) {
                one.family.clone_from(&near.family);
            }
        }
        all.push(one);
    }
    all
}

pub(super) fn line(dice: &Dice, human: &Human) -> Line {
    let write = |name: &str| {
        let words = spelt(dice, name, 250).split(' ').map(|word| heard(dice, word, 160));
        words.collect::<Vec<_>>().join(" ")
    };
    let (mut family, mut given) = (write(&human.family), write(&human.given));
    if dice.happens(120) {
        std::mem::swap(&mut family, &mut given);
    }
    match dice.below(1_000) {
        0..25 => given.clear(),
        25..45 => given = given.chars().take(1).chain(['.']).collect(),
        _ => {}
    }
    let (year, month, day) = human.born;
    let born = match dice.below(1_000) {
        _ if human.year_unknown => (year + dice.below(5) - 2, 1, 1),
        0..90 => (year, 1, 1),
        90..130 if day <= 12 => (year, day, month),
        130..160 => (year + 1 - 2 * dice.below(2), month, day),
        _ => human.born,
    };
    let birth = if dice.happens(20) { String::new() } else { date(born) };
    Line { family, given, birth, ..human.noted(dice, &KNOWN) }
}
