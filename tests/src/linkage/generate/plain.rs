//! Farms and homes of a plain: Italians, Ukrainians, Romanians, Chinese, Peruvians, Albanians.

use super::dice::Dice;
use super::names::{self, Country};
use super::{Human, Known, Line, country, date, fiscal_code, spelt};

/// Of a hundred people.
const FROM: &[(usize, &Country)] = &[
    (26, &names::ITALY),
    (20, &names::UKRAINE),
    (20, &names::ROMANIA),
    (14, &names::CHINA),
    (10, &names::PERU),
    (10, &names::ALBANIA),
];

const KNOWN: Known = Known {
    sex: 980,
    citizenship: 850,
    fiscal_code: 500,
    passport: 200,
    phone: 550,
    phone_changed: 300,
    place: 750,
    moved: 300,
    employer: 300,
};

const CYRILLIC: &str = "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя";
/// Of Ukraine's passports (KMU 55, 2010), of Soviet ones in French, and of libraries (ISO 9
/// without its signs).
const TABLES: [[&str; 33]; 3] = [
    [
        "a", "b", "v", "h", "g", "d", "e", "ie", "zh", "z", "y", "i", "i", "i", "k", "l", "m", "n",
        "o", "p", "r", "s", "t", "u", "f", "kh", "ts", "ch", "sh", "shch", "", "iu", "ia",
    ],
    [
        "a", "b", "v", "g", "g", "d", "e", "ie", "j", "z", "y", "i", "i", "i", "k", "l", "m", "n",
        "o", "p", "r", "s", "t", "ou", "f", "kh", "ts", "tch", "ch", "chtch", "", "iou", "ia",
    ],
    [
        "a", "b", "v", "g", "g", "d", "e", "je", "z", "z", "y", "i", "i", "j", "k", "l", "m", "n",
        "o", "p", "r", "s", "t", "u", "f", "h", "c", "c", "s", "sc", "", "ju", "ja",
    ],
];
const KEYS: [&str; 3] = ["qwertyuiop", "asdfghjkl", "zxcvbnm"];

/// Letters as one office romanises them; those that are Latin stay.
fn romanised(text: &str, table: &[&str; 33]) -> String {
    let letter = |letter: char| {
        let place = CYRILLIC.chars().position(|it| letter.to_lowercase().any(|small| small == it));
        place
            .and_then(|place| table.get(place))
            .map_or_else(|| letter.to_string(), |it| (*it).to_owned())
    };
    text.chars().map(letter).collect()
}

/// A slip of the keyboard inside a word, in so many of a thousand.
fn slipped(dice: &Dice, word: &str, rate: usize) -> String {
    let mut letters: Vec<char> = word.chars().collect();
    if letters.len() < 4 || !dice.happens(rate) {
        return word.to_owned();
    }
    let at = 1 + dice.below(letters.len() - 2);
    let Some(letter) = letters.get(at).copied() else { return word.to_owned() };
    match dice.below(4) {
        0 => letters.swap(at, at + 1),
        1 => drop(letters.remove(at)),
        2 => letters.insert(at, letter),
        _ => {
            let key = letter.to_ascii_lowercase();
            let row = KEYS.iter().find(|row| row.contains(key)).copied().unwrap_or_default();
            let place = row.find(key).unwrap_or_default();
            let near =
                row.chars().nth(place + 1).or_else(|| row.chars().nth(place.checked_sub(1)?));
            letters.splice(at..=at, near);
        }
    }
    letters.into_iter().collect()
}

fn human(dice: &Dice) -> Human {
    let from = country(dice, FROM);
    let woman = dice.happens(match from.code {
        "UA" => 780,
        "RO" | "PE" => 560,
        _ => 400,
    });
    let born = (1950 + dice.below(56), 1 + dice.below(12), 1 + dice.below(28));
    let mut human = Human::of(dice, from, woman, born);
    let usual = |names: &[&'static str]| spelt(dice, dice.frequent(names), 0).to_owned();
    if from.code == "PE" && dice.happens(600) {
        human.family = format!("{} {}", spelt(dice, &human.family, 0), usual(from.families));
    }
    if matches!(from.code, "PE" | "RO") && dice.happens(350) {
        let given = if woman { from.women } else { from.men };
        human.given = format!("{} {}", spelt(dice, &human.given, 0), usual(given));
    }
    human
}

/// Six of a hundred have a brother or sister there: of one family name and place, half of them
/// with one phone.
pub(super) fn people(dice: &Dice, count: usize) -> Vec<Human> {
    let mut all: Vec<Human> = Vec::new();
    while all.len() < count {
        let one = human(dice);
        if dice.happens(60) && all.len() + 1 < count {
            let woman = dice.happens(500);
            let born = (one.born.0 + dice.below(9) - 4, 1 + dice.below(12), 1 + dice.below(28));
            let mut other = Human::of(dice, one.country, woman, born);
            other.family.clone_from(&one.family);
            other.place.clone_from(&one.place);
            if dice.happens(500) {
                other.phone.clone_from(&one.phone);
            }
            other.fiscal_code = fiscal_code(dice, woman, born, one.country.code == "IT");
            all.push(other);
        }
        all.push(one);
    }
    all
}

/// One of two parts is left out in three of ten.
fn shortened(dice: &Dice, name: String) -> String {
    match name.split_once(' ') {
        Some((first, _)) if dice.happens(300) => first.to_owned(),
        _ => name,
    }
}

pub(super) fn line(dice: &Dice, human: &Human) -> Line {
    let table = if dice.happens(650) { 0 } else { 1 + dice.below(2) };
    let table = TABLES.get(table).or(TABLES.first());
    let write = |name: &str| {
        let chosen = spelt(dice, name, 250);
        let roman = table.map_or_else(String::new, |table| romanised(chosen, table));
        let words: Vec<String> = roman.split(' ').map(|word| slipped(dice, word, 35)).collect();
        words.join(" ")
    };
    let (mut family, mut given) =
        (shortened(dice, write(&human.family)), shortened(dice, write(&human.given)));
    // Who has married goes by another family name.
    if human.woman && human.country.code != "IT" && dice.happens(40) {
        family = write(dice.one(human.country.families));
    }
    if human.country.code == "CN" && dice.happens(250) {
        std::mem::swap(&mut family, &mut given);
    }
    let (year, month, day) = human.born;
    let born = match dice.below(1_000) {
        0..20 => (year, 1, 1),
        20..45 if day <= 12 => (year, day, month),
        45..70 => (year, month, (day + dice.below(27)) % 28 + 1),
        70..85 => (year + 1, month, day),
        _ => human.born,
    };
    Line { family, given, birth: date(born), ..human.noted(dice, &KNOWN) }
}
