//! People of whom nobody is real, as two offices would write them down: Italian and migrant
//! names in several spellings, missing codici fiscali, 1 January for unknown days, day and month
//! exchanged.
//!
//! The rates are assumptions, told in [`Rates`]; the same seed makes the same files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::Context as _;
use raccordo_core::entropy::{SeededEntropy, draw};
use raccordo_core::normal::codice_fiscale::CodiceFiscale;

/// Families and given names of one origin: each line the spellings of one name, the usual one
/// first.
struct Origin {
    /// Of a hundred people.
    share: u64,
    families: &'static [&'static str],
    given: &'static [&'static str],
}

const ORIGINS: &[Origin] = &[
    Origin {
        share: 40,
        families: &[
            "Rossi",
            "Bianchi",
            "Esposito",
            "Russo",
            "Ferrari",
            "Romano",
            "Gallo",
            "Costa",
            "De Luca|Deluca",
            "D'Angelo|Dangelo|D Angelo",
            "Lo Presti|Lopresti",
            "Greco",
            "Conti",
            "Mancini",
            "Bruno",
            "Rizzo",
            "Moretti",
            "Barbieri",
            "Fontana",
            "Santoro",
            "Marini",
            "Di Stefano|Distefano",
            "Villa",
            "Pellegrini",
            "Bellini",
            "Caputo",
            "Serra",
            "Orlando",
        ],
        given: &[
            "Maria|Marya",
            "Giuseppe",
            "Giovanni",
            "Anna",
            "Francesco",
            "Luigi",
            "Rosa",
            "Antonio",
            "Angela",
            "Salvatore",
            "Giovanna",
            "Luca",
            "Teresa",
            "Alessandro|Alesandro",
            "Niccolò|Nicolò|Nicolo",
            "Lucia",
            "Carmela",
            "Vincenzo",
            "Pietro",
            "Caterina",
            "Anna Maria|Annamaria|Anna",
            "Gian Luca|Gianluca",
        ],
    },
    Origin {
        share: 18,
        families: &[
            "Hossain|Hosen|Hussain|Hossen",
            "Rahman|Rehman",
            "Islam|Eslam",
            "Miah|Mia|Miya",
            "Uddin|Udin",
            "Ahmed|Ahmad|Ahamed",
            "Khan",
            "Sarkar|Sarker",
            "Chowdhury|Choudhury|Chaudhury",
            "Begum|Begom",
            "Akter|Aktar|Akhter",
            "Howlader|Hawlader|Haolader",
            "Sikder|Shikder|Sikdar",
        ],
        given: &[
            "Md Kamal|Mohammad Kamal|Kamal",
            "Md Rafiq|Rafiqul|Md Rafik",
            "Abdul Karim|Abdul Korim|Karim",
            "Jahangir|Jahangeer|Zahangir",
            "Shahin|Shaheen|Sahin",
            "Nasrin|Nasreen",
            "Fatema|Fatima",
            "Monir|Munir|Moneer",
            "Sohel|Suhel|Shohel",
            "Ruma|Rooma",
            "Alamgir|Alomgir",
            "Delwar|Dilwar|Delowar",
        ],
    },
    Origin {
        share: 14,
        families: &[
            "Singh",
            "Kaur",
            "Gill|Ghill",
            "Sandhu|Sandu",
            "Dhillon|Dhilon|Dillon",
            "Sharma",
            "Kumar",
        ],
        given: &[
            "Gurpreet|Gurprit|Gurpriet",
            "Harpreet|Harprit",
            "Jaswinder|Jasvinder|Jasbinder",
            "Baljit|Baljeet",
            "Manpreet|Manprit",
            "Sukhwinder|Sukhvinder|Sukwinder",
            "Kuldeep|Kuldip",
            "Rajinder|Rajender",
            "Amarjit|Amarjeet",
            "Balwinder|Balvinder",
            "Lakhwinder|Lakhvinder",
            "Paramjit|Parmjit|Paramjeet",
        ],
    },
    Origin {
        share: 16,
        families: &[
            "El Idrissi|Idrissi|Al Idrissi",
            "Benali|Ben Ali",
            "El Amrani|Amrani",
            "Haddad|Hadad",
            "Bouzid|Bouzidi",
            "Chaoui|Shaoui|Chawi",
            "Mansouri|Mansuri",
            "Tahiri|Taheri",
            "Zeroual|Zerwal",
            "Ouali|Wali",
            "Youssef|Yusuf|Yousef",
            "Khalil|Halil",
            "Saidi|Saïdi|Saydi",
        ],
        given: &[
            "Mohamed|Mohammed|Muhammad",
            "Fatima|Fatma|Fatimah",
            "Ahmed|Ahmad",
            "Youssef|Yusef|Yousef",
            "Hassan|Hasan",
            "Abdelkader|Abd El Kader|Abdelkadir",
            "Rachid|Rashid",
            "Khadija|Hadija|Khadidja",
            "Mustapha|Mostafa|Mustafa",
            "Said|Saïd|Sayd",
            "Aicha|Aisha|Aïcha",
            "Abderrahim|Abdul Rahim|Abderahim",
        ],
    },
    Origin {
        share: 12,
        families: &[
            "Diallo|Dialo|Jallow",
            "Traore|Traoré|Trawally",
            "Camara|Kamara",
            "Sylla|Sila|Silla",
            "Ba|Bah",
            "Ndiaye|N'Diaye|Njie",
            "Keita|Keïta|Queita",
            "Toure|Touré|Turay",
            "Conteh|Konte|Konteh",
            "Jobe|Diop|Diobe",
            "Okafor|Okafo",
            "Ceesay|Sesay|Cissé",
        ],
        given: &[
            "Mamadou|Mamadu|Momodou",
            "Ousmane|Ousman|Usman",
            "Ibrahima|Ibrahim|Ebrima",
            "Lamin|Lamine",
            "Alieu|Aliou|Aliu",
            "Fatoumata|Fatumata|Fatou",
            "Omar|Oumar|Omaro",
            "Bakary|Bakari|Boubacar",
            "Sekou|Sékou|Seku",
            "Amadou|Amadu|Hamadou",
            "Modou|Modu",
            "Isatou|Aissatou|Aïssatou",
        ],
    },
];

const PLACES: &[&str] = &[
    "048017", "100005", "047014", "054039", "054018", "058091", "063049", "015146", "037006",
    "072006", "071024", "061022", "101010", "080043", "018110", "023091", "089009", "083048",
];

/// How often, of a thousand, something happens when an office writes a person down.
#[derive(Clone, Copy, Debug)]
pub struct Rates {
    /// The papers themselves say 1 January.
    pub born_on_first_of_january: u64,
    /// An office does not know the day, and writes 1 January.
    pub day_unknown: u64,
    /// Day and month are exchanged.
    pub day_and_month_exchanged: u64,
    /// A name has another spelling than the usual one.
    pub spelt_otherwise: u64,
    /// A letter is wrong.
    pub mistyped: u64,
    /// Family and given names are exchanged.
    pub names_exchanged: u64,
    /// The codice fiscale is known.
    pub fiscal_code_known: u64,
    /// A phone is known, and of those another one than before.
    pub phone_known: u64,
    /// It is another one.
    pub phone_changed: u64,
    /// A passport is known.
    pub passport_known: u64,
    /// A comune is known.
    pub place_known: u64,
    /// The person has moved.
    pub moved: u64,
}

/// What was assumed.
pub const RATES: Rates = Rates {
    born_on_first_of_january: 150,
    day_unknown: 60,
    day_and_month_exchanged: 40,
    spelt_otherwise: 350,
    mistyped: 40,
    names_exchanged: 80,
    fiscal_code_known: 550,
    phone_known: 600,
    phone_changed: 350,
    passport_known: 250,
    place_known: 800,
    moved: 250,
};

struct Dice(SeededEntropy);

impl Dice {
    fn below(&self, end: u64) -> u64 {
        u64::from_be_bytes(draw(&self.0)) % end.max(1)
    }

    fn happens(&self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }

    /// One of several; none of none.
    fn one<'a>(&self, of: &[&'a str]) -> &'a str {
        let place = usize::try_from(self.below(of.len() as u64)).unwrap_or_default();
        of.get(place).copied().unwrap_or_default()
    }

    fn digits(&self, count: usize) -> String {
        (0..count).map(|_| char::from(b'0' + u8::try_from(self.below(10)).unwrap_or(0))).collect()
    }

    fn letters(&self, count: usize) -> String {
        let all = ["B", "C", "D", "F", "G", "L", "M", "N", "P", "R", "S", "T", "V", "Z"];
        (0..count).map(|_| self.one(&all)).collect()
    }
}

/// A person as the papers say.
#[derive(Default)]
struct Person {
    family: &'static str,
    given: &'static str,
    born: (u64, u64, u64),
    fiscal_code: String,
    phone: String,
    passport: String,
    place: &'static str,
}

fn person(dice: &Dice) -> Person {
    // Shares are of a hundred.
    let mut left = dice.below(100);
    let origin = ORIGINS.iter().find(|origin| {
        let is = left < origin.share;
        left = left.saturating_sub(origin.share);
        is
    });
    let Some(origin) = origin.or(ORIGINS.first()) else { return Person::default() };
    let year = 1960 + dice.below(46);
    let born = match dice.happens(RATES.born_on_first_of_january) && origin.share < 40 {
        true => (year, 1, 1),
        false => (year, 1 + dice.below(12), 1 + dice.below(28)),
    };
    Person {
        family: dice.one(origin.families),
        given: dice.one(origin.given),
        born,
        fiscal_code: fiscal_code(dice, born),
        phone: format!("+393{}", dice.digits(9)),
        passport: format!("{}{}", dice.letters(2), dice.digits(7)),
        place: dice.one(PLACES),
    }
}

/// A codice fiscale that is valid, and nobody's: its letters are of no name.
fn fiscal_code(dice: &Dice, (year, month, day): (u64, u64, u64)) -> String {
    let number = usize::try_from(month - 1).unwrap_or_default();
    let month = "ABCDEHLMPRST".chars().nth(number).unwrap_or('A');
    let start = format!("{}{:02}{month}{day:02}Z{}", dice.letters(6), year % 100, dice.digits(3));
    let valid = (b'A'..=b'Z').map(|check| format!("{start}{}", char::from(check)));
    let valid = valid.into_iter().find(|code| CodiceFiscale::parse(code).is_ok());
    valid.unwrap_or_default()
}

/// A name as an office spells it.
fn spelt(dice: &Dice, name: &str) -> String {
    let spellings: Vec<&str> = name.split('|').collect();
    let chosen = match dice.happens(RATES.spelt_otherwise) {
        true => dice.one(&spellings),
        false => spellings.first().copied().unwrap_or_default(),
    };
    let mut letters: Vec<char> = chosen.chars().collect();
    if dice.happens(RATES.mistyped) && letters.len() > 3 {
        let at = usize::try_from(dice.below(letters.len() as u64 - 1)).unwrap_or_default();
        match dice.below(3) {
            0 => letters.swap(at, at + 1),
            1 => drop(letters.remove(at)),
            _ => {
                let other = dice.letters(1).to_lowercase();
                letters.splice(at..=at, other.chars());
            }
        }
    }
    letters.into_iter().collect()
}

/// The line of an office.
fn line(dice: &Dice, id: &str, person: &Person) -> Vec<String> {
    let (family, given) = (spelt(dice, person.family), spelt(dice, person.given));
    let (family, given) = match dice.happens(RATES.names_exchanged) {
        true => (given, family),
        false => (family, given),
    };
    let (year, month, day) = person.born;
    let born = match (dice.happens(RATES.day_unknown), dice.happens(RATES.day_and_month_exchanged))
    {
        (true, _) => (year, 1, 1),
        (false, true) if day <= 12 => (year, day, month),
        _ => (year, month, day),
    };
    let known = |rate: u64, value: &str| match dice.happens(rate) {
        true => value.to_owned(),
        false => String::new(),
    };
    let phone = match dice.happens(RATES.phone_changed) {
        true => format!("+393{}", dice.digits(9)),
        false => person.phone.clone(),
    };
    let place = if dice.happens(RATES.moved) { dice.one(PLACES) } else { person.place };
    vec![
        id.to_owned(),
        family,
        given,
        format!("{:04}-{:02}-{:02}", born.0, born.1, born.2),
        known(RATES.fiscal_code_known, &person.fiscal_code),
        known(RATES.passport_known, &person.passport),
        known(RATES.phone_known, &phone),
        known(RATES.place_known, place),
    ]
}

/// The columns of both files.
pub const COLUMNS: [&str; 8] =
    ["id", "family", "given", "birth", "fiscal_code", "number", "phone", "place"];

/// Two offices and the truth, as the bytes of `left.csv`, `right.csv` and `truth.csv`: each
/// office knows `count` people, and half of them are known to both.
///
/// # Errors
/// None that a table in memory has.
pub fn generate(seed: u64, count: usize) -> anyhow::Result<BTreeMap<&'static str, Vec<u8>>> {
    let dice = Dice(SeededEntropy::labelled(&format!("linkage {seed}")));
    let table = || csv::Writer::from_writer(Vec::new());
    let (mut left, mut right, mut truth) = (table(), table(), table());
    left.write_record(COLUMNS)?;
    right.write_record(COLUMNS)?;
    truth.write_record(["left", "right"])?;
    for at in 0..count {
        let person = person(&dice);
        let here = format!("a{at}");
        left.write_record(line(&dice, &here, &person))?;
        let there = format!("b{at}");
        if at % 2 == 0 {
            right.write_record(line(&dice, &there, &person))?;
            truth.write_record([here, there])?;
        } else {
            right.write_record(line(&dice, &there, &self::person(&dice)))?;
        }
    }
    let bytes = |table: csv::Writer<Vec<u8>>| table.into_inner().context("a table in memory");
    let files =
        [("left.csv", bytes(left)?), ("right.csv", bytes(right)?), ("truth.csv", bytes(truth)?)];
    Ok(files.into())
}

/// Writes [`generate`]d files into a directory.
///
/// # Errors
/// The directory cannot be made or written.
pub fn write(directory: &Path, seed: u64, count: usize) -> anyhow::Result<()> {
    let shown = || format!("cannot write {}", directory.display());
    fs::create_dir_all(directory).with_context(shown)?;
    for (name, bytes) in generate(seed, count)? {
        fs::write(directory.join(name), bytes).with_context(shown)?;
    }
    Ok(())
}
