//! People of whom nobody is real, as two offices write them down: three sets with different
//! assumptions, so that what suits one is not taken for what suits all.
//!
//! - [`coast`]: workers of eight countries and Italians, in the spellings of lists; 1 January for
//!   many
//! - [`plain`]: names that offices romanise from Cyrillic, slips of the keyboard, brothers and
//!   sisters in one household
//! - [`works`][]: companies
//! - [`harbour`]: thirteen countries, names as they are heard, guessed years, names of one part,
//!   phones of households, few codici fiscali
//!
//! All rates are assumptions, and stand in each set beside what happens. Names are drawn from
//! lists ([`names`]), the frequent ones first, so that there are more namesakes than in life.

pub mod coast;
pub mod dice;
pub mod harbour;
pub mod names;
pub mod plain;
pub mod works;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use raccordo_core::normal::codice_fiscale::CodiceFiscale;

use dice::Dice;
use names::Country;

/// Which set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Set {
    /// [`coast`].
    Coast,
    /// [`plain`].
    Plain,
    /// [`harbour`].
    Harbour,
    /// [`works`]: companies.
    Works,
}

impl Set {
    /// Every set.
    pub const ALL: [Self; 4] = [Self::Coast, Self::Plain, Self::Harbour, Self::Works];

    fn people(self, dice: &Dice, count: usize) -> Vec<Human> {
        match self {
            Self::Coast => coast::people(dice, count),
            Self::Plain => plain::people(dice, count),
            Self::Harbour => harbour::people(dice, count),
            Self::Works => Vec::new(),
        }
    }

    fn line(self, dice: &Dice, human: &Human) -> Line {
        match self {
            Self::Coast => coast::line(dice, human),
            Self::Plain => plain::line(dice, human),
            Self::Harbour => harbour::line(dice, human),
            Self::Works => Line::default(),
        }
    }
}

/// Year, month, day.
pub type Day = (usize, usize, usize);

/// A person as the papers say.
#[derive(Clone, Debug)]
pub struct Human {
    country: &'static Country,
    family: String,
    given: String,
    woman: bool,
    born: Day,
    fiscal_code: String,
    passport: String,
    phone: String,
    place: String,
    employer: String,
    /// Nobody knows the year: each office guesses it.
    year_unknown: bool,
}

/// What an office writes.
#[derive(Clone, Debug, Default)]
struct Line {
    family: String,
    given: String,
    birth: String,
    sex: String,
    citizenship: String,
    fiscal_code: String,
    passport: String,
    phone: String,
    place: String,
    employer: String,
}

/// How often, of a thousand, an office knows something.
struct Known {
    sex: usize,
    citizenship: usize,
    fiscal_code: usize,
    passport: usize,
    phone: usize,
    /// Of those another phone than before.
    phone_changed: usize,
    place: usize,
    /// Of those who have moved.
    moved: usize,
    employer: usize,
}

/// The columns of both files.
pub const COLUMNS: [&str; 11] = [
    "id",
    "family",
    "given",
    "birth",
    "sex",
    "citizenship",
    "fiscal_code",
    "passport",
    "phone",
    "place",
    "employer",
];

const PLACES: &[&str] = &[
    "D612", "G999", "D653", "A390", "G843", "E202", "G088", "G478", "D786", "C745", "F839", "L219",
    "F205", "A944", "C573", "A662", "D643", "B963", "D086", "H224", "M208", "L103", "I452", "C351",
    "G273", "A089", "D969", "L424", "G482", "A271", "H501", "E625", "F257", "G337", "L781", "B157",
    "L378", "A952", "G224", "D548", "H199", "F704", "E648", "I480", "D325", "L736", "L840", "B354",
];

const EMPLOYERS: &[&str] = &[
    "Confezioni Li",
    "Azienda Agricola Il Pino",
    "Rossi Srl",
    "Logistica Tirreno",
    "Edil Sud",
    "Lavanderia Bianchi",
    "Coop Servizi",
    "Tessitura Bisenzio",
    "Vivai Pistoia",
    "Conceria Arno",
];

impl Human {
    /// Of a country, with everything that the papers say.
    fn of(dice: &Dice, country: &'static Country, woman: bool, born: Day) -> Self {
        let given = if woman { country.women } else { country.men };
        let italian = country.code == "IT";
        Self {
            country,
            family: dice.frequent(country.families).to_owned(),
            given: dice.frequent(given).to_owned(),
            woman,
            born,
            fiscal_code: fiscal_code(dice, woman, born, italian),
            passport: format!("{}{}", dice.consonants(2), dice.digits(7)),
            phone: phone(dice),
            place: dice.frequent(PLACES).to_owned(),
            employer: dice.one(EMPLOYERS).to_owned(),
            year_unknown: false,
        }
    }

    /// What an office knows beside names and date.
    fn noted(&self, dice: &Dice, known: &Known) -> Line {
        let kept = |rate: usize, value: &str| match dice.happens(rate) {
            true => value.to_owned(),
            false => String::new(),
        };
        let phone =
            if dice.happens(known.phone_changed) { phone(dice) } else { self.phone.clone() };
        let place = match dice.happens(known.moved) {
            true => dice.frequent(PLACES),
            false => self.place.as_str(),
        };
        Line {
            sex: kept(known.sex, if self.woman { "F" } else { "M" }),
            citizenship: kept(known.citizenship, self.country.code),
            fiscal_code: kept(known.fiscal_code, &self.fiscal_code),
            passport: kept(known.passport, &self.passport),
            phone: kept(known.phone, &phone),
            place: kept(known.place, place),
            employer: kept(known.employer, &self.employer),
            ..Line::default()
        }
    }
}

/// One of the shares of a hundred people.
fn country(dice: &Dice, from: &[(usize, &'static Country)]) -> &'static Country {
    let mut left = dice.below(from.iter().map(|(share, _)| share).sum());
    for (share, country) in from {
        match left.checked_sub(*share) {
            Some(rest) => left = rest,
            None => return country,
        }
    }
    &names::ITALY
}

fn phone(dice: &Dice) -> String {
    format!("+393{}", dice.digits(9))
}

/// One of the spellings of a name; the usual one but for so many of a thousand.
fn spelt<'n>(dice: &Dice, name: &'n str, otherwise: usize) -> &'n str {
    let spellings: Vec<&str> = name.split('|').collect();
    match dice.happens(otherwise) {
        true => dice.one(&spellings),
        false => spellings.first().copied().unwrap_or_default(),
    }
}

/// A codice fiscale that is valid, and nobody's: its letters are of no name.
fn fiscal_code(dice: &Dice, woman: bool, (year, month, day): Day, italian: bool) -> String {
    let month = "ABCDEHLMPRST".chars().nth(month.saturating_sub(1)).unwrap_or('A');
    let day = if woman { day + 40 } else { day };
    let place = if italian { "D" } else { "Z" };
    let letters = dice.consonants(6);
    let start = format!("{letters}{:02}{month}{day:02}{place}{}", year % 100, dice.digits(3));
    let codes = (b'A'..=b'Z').map(|check| format!("{start}{}", char::from(check)));
    let mut valid = codes
        .filter(|code| CodiceFiscale::parse(code).is_ok_and(|read| read.value().reveal() == code));
    valid.next().unwrap_or_default()
}

fn date((year, month, day): Day) -> String {
    format!("{year:04}-{month:02}-{day:02}")
}

/// Two offices and the truth, as the bytes of `left.csv`, `right.csv` and `truth.csv`: each office
/// knows `count` people, and `shared` of a hundred are known to both.
///
/// # Errors
/// None that a table in memory has.
pub fn generate(
    set: Set,
    seed: u64,
    count: usize,
    shared: usize,
) -> anyhow::Result<BTreeMap<&'static str, Vec<u8>>> {
    let dice = Dice::new(&format!("linkage {set:?} {seed}"));
    let shared = count * shared.min(100) / 100;
    if set == Set::Works {
        return works::files(&dice, count, shared);
    }
    let people = set.people(&dice, 2 * count - shared);
    let table = || csv::Writer::from_writer(Vec::new());
    let (mut left, mut right, mut truth) = (table(), table(), table());
    left.write_record(COLUMNS)?;
    right.write_record(COLUMNS)?;
    truth.write_record(["left", "right"])?;
    for (at, human) in people.iter().take(count).enumerate() {
        left.write_record(row(&format!("a{at}"), set.line(&dice, human)))?;
    }
    // Those whom both know are the last of the one and the first of the other.
    for (at, human) in people.iter().skip(count - shared).enumerate() {
        right.write_record(row(&format!("b{at}"), set.line(&dice, human)))?;
        if at < shared {
            truth.write_record([format!("a{}", count - shared + at), format!("b{at}")])?;
        }
    }
    let bytes = |table: csv::Writer<Vec<u8>>| table.into_inner().context("a table in memory");
    let files =
        [("left.csv", bytes(left)?), ("right.csv", bytes(right)?), ("truth.csv", bytes(truth)?)];
    Ok(files.into())
}

fn row(id: &str, line: Line) -> [String; 11] {
    [
        id.to_owned(),
        line.family,
        line.given,
        line.birth,
        line.sex,
        line.citizenship,
        line.fiscal_code,
        line.passport,
        line.phone,
        line.place,
        line.employer,
    ]
}

/// Writes [`generate`]d files into a directory.
///
/// # Errors
/// The directory cannot be made or written.
pub fn write(
    directory: &Path,
    set: Set,
    seed: u64,
    count: usize,
    shared: usize,
) -> anyhow::Result<()> {
    let shown = || format!("cannot write {}", directory.display());
    fs::create_dir_all(directory).with_context(shown)?;
    for (name, bytes) in generate(set, seed, count, shared)? {
        fs::write(directory.join(name), bytes).with_context(shown)?;
    }
    Ok(())
}
