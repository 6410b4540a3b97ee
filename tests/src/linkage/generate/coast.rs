//! Access points of one coast.

use super::dice::Dice;
use super::names::{self, Country};
use super::{Human, Known, Line, country, date, spelt};

/// Of a hundred people.
const FROM: &[(usize, &Country)] = &[
    (24, &names::ITALY),
    (20, &names::BANGLADESH),
    (14, &names::INDIA),
    (10, &names::PAKISTAN),
    (14, &names::MOROCCO),
    (6, &names::EGYPT),
    (5, &names::SENEGAL),
    (4, &names::GAMBIA),
    (3, &names::NIGERIA),
];

const KNOWN: Known = Known {
    sex: 950,
    citizenship: 900,
    fiscal_code: 550,
    passport: 250,
    phone: 600,
    phone_changed: 350,
    place: 800,
    moved: 250,
    employer: 400,
};

fn human(dice: &Dice) -> Human {
    let from = country(dice, FROM);
    let italian = from.code == "IT";
    let woman = dice.happens(if italian { 450 } else { 180 });
    let year = 1962 + dice.below(44);
    // The papers themselves say 1 January.
    let born = match !italian && dice.happens(150) {
        true => (year, 1, 1),
        false => (year, 1 + dice.below(12), 1 + dice.below(28)),
    };
    Human::of(dice, from, woman, born)
}

pub(super) fn people(dice: &Dice, count: usize) -> Vec<Human> {
    (0..count).map(|_| human(dice)).collect()
}

/// A spelling of the list, and a letter wrong in four of a hundred.
fn written(dice: &Dice, name: &str) -> String {
    let mut letters: Vec<char> = spelt(dice, name, 350).chars().collect();
    if dice.happens(40) && letters.len() > 3 {
        let at = dice.below(letters.len() - 1);
        match dice.below(3) {
            0 => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            _ => {
                let other = dice.consonants(1).to_lowercase();
                letters.splice(at..=at, other.chars());
            }
        }
    }
    letters.into_iter().collect()
}

pub(super) fn line(dice: &Dice, human: &Human) -> Line {
    let (family, given) = (written(dice, &human.family), written(dice, &human.given));
    let (family, given) = if dice.happens(80) { (given, family) } else { (family, given) };
    let (year, month, day) = human.born;
    let born = match (dice.happens(60), dice.happens(40)) {
        // The office does not know the day.
        (true, _) => (year, 1, 1),
        (false, true) if day <= 12 => (year, day, month),
        _ => human.born,
    };
    Line { family, given, birth: date(born), ..human.noted(dice, &KNOWN) }
}
