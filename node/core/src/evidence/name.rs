//! Names of people: parts, in any order and spelling, by how they sound and how they begin.

use super::sound;
use crate::normal::plain;
use crate::secret::Secret;

/// The most parts of a name that are used; the longest ones.
const PARTS_MAX: usize = 4;

/// Romance and Arabic particles: written apart or joined (`De Luca`, `Deluca`, `Abdul Karim`), so
/// that they are joined to what follows. `D'Angelo` has lost its apostrophe before.
const JOINED: &[&str] = &[
    "D", "DA", "DAL", "DALLA", "DALLE", "DE", "DEGLI", "DEI", "DEL", "DELLA", "DELLE", "DELLO",
    "DI", "DO", "DOS", "DU", "LA", "LE", "LO", "SAN", "SANTA", "ABD", "ABDEL", "ABDOUL", "ABDUL",
    "ABU", "N",
];

/// Articles and words for kinship or rank that some documents have and others leave out.
const LEFT_OUT: &[&str] = &[
    "AL", "ALIAS", "AS", "AZ", "BEN", "BIN", "BINT", "BINTE", "DETTA", "DETTO", "DR", "DOTT", "EL",
    "ER", "ET", "IBN", "LTD", "MR", "MRS", "MS", "NATA", "NEE", "OULD", "OULED", "SIG", "SIGNOR",
    "SIGNORA", "SIGRA", "UL", "ULD", "UR", "UZ", "VAN", "VON",
];

/// Parts that so many people have that they tell hardly anybody apart, and that are written or
/// left out at will. They count as parts where nothing else is there. Frozen: a change changes
/// tokens.
const FREQUENT: &[&str] = &[
    "AKTER", "AKTHER", "BEGUM", "BIBI", "DEVI", "KAUR", "KHATUN", "KUMAR", "KUMARI", "MD", "MDH",
    "MOHAMAD", "MOHAMED", "MOHAMMAD", "MOHAMMED", "MOHAMMOD", "MOHD", "MOSAMMAT", "MOST", "MST",
    "MUHAMAD", "MUHAMED", "MUHAMMAD", "MUHAMMED", "SINGH",
];

/// How short forms of a frequent part are spelt out.
const SPELT_OUT: &[(&str, &str)] = &[
    ("MD", "MOHAMMED"),
    ("MDH", "MOHAMMED"),
    ("MOHD", "MOHAMMED"),
    ("MOST", "MOSAMMAT"),
    ("MST", "MOSAMMAT"),
];

/// How Slavic patronymics end: a third part that documents in Latin letters leave out.
const PATRONYMIC: &[&str] = &[
    "OVICH", "EVICH", "OVYCH", "EVYCH", "OVITCH", "EVITCH", "OWICZ", "ILYICH", "OVNA", "EVNA",
    "IVNA", "ICHNA",
];

/// How many letters a beginning has.
const START_LETTERS: usize = 4;

/// A part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// How it sounds ([`sound::code`]).
    pub sound: Secret<String>,
    /// Its first four letters; none of a shorter part. It finds what was misheard or mistyped
    /// towards the end.
    pub start: Option<Secret<String>>,
    /// Whether so many people have it that it tells hardly anybody apart.
    pub frequent: bool,
}

impl Part {
    /// The first class of its sound: what is left of a part that was written as a letter.
    pub fn initial(&self) -> &str {
        self.sound.reveal().get(..1).unwrap_or_default()
    }
}

/// A person's name as evidence: its parts, each sound once, sorted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    parts: Vec<Part>,
    /// Letters that stand for parts.
    letters: Secret<Vec<String>>,
}

impl Name {
    /// Reads a whole name, given and family names in any order, in any script that is romanised
    /// letter by letter; Arabic loses its vowels, which sounds do not need.
    ///
    /// `Md. Kamal Hossain` → the sounds `HSN`, `KML` and the beginnings `HOSS`, `KAMA`. None if no
    /// part has two letters that sound.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut words, letters) = words(text);
        // Longest first, then by alphabet, so that both nodes choose alike.
        words.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
        words.truncate(PARTS_MAX);
        let mut parts: Vec<Part> = Vec::new();
        for word in &words {
            let sound = sound::code(word);
            if sound.is_empty() || parts.iter().any(|part| *part.sound.reveal() == sound) {
                continue;
            }
            let start: String = word.chars().take(START_LETTERS).collect();
            parts.push(Part {
                sound: Secret::new(sound),
                start: (start.len() == START_LETTERS).then(|| Secret::new(start)),
                frequent: FREQUENT.contains(&word.as_str()),
            });
        }
        parts.sort_by(|one, other| one.sound.reveal().cmp(other.sound.reveal()));
        let letters = letters.iter().map(|letter| sound::code(letter)).collect();
        (!parts.is_empty()).then(|| Self { parts, letters: Secret::new(letters) })
    }

    /// Its parts, by their sounds.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts that tell people apart; all of them where none does.
    pub fn telling(&self) -> impl Iterator<Item = &Part> {
        let none = self.parts.iter().all(|part| part.frequent);
        self.parts.iter().filter(move |part| none || !part.frequent)
    }

    /// Classes of letters that stand for parts (`K. Hossain`).
    pub fn letters(&self) -> &[String] {
        self.letters.reveal()
    }
}

/// The parts in capitals, and letters that stand alone: particles joined, articles left out,
/// frequent parts and patronymics left out where two others remain.
fn words(text: &str) -> (Vec<String>, Vec<String>) {
    let (mut parts, mut letters): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    let mut prefix = String::new();
    for word in plain::words(&plain::spaced(text)) {
        let word: String = word.chars().filter(char::is_ascii_uppercase).collect();
        if JOINED.contains(&word.as_str()) {
            prefix.push_str(&word);
            continue;
        }
        if LEFT_OUT.contains(&word.as_str()) || word.is_empty() {
            continue;
        }
        let whole = std::mem::take(&mut prefix) + &word;
        match whole.len() {
            1 => letters.push(whole),
            _ => {
                let long = SPELT_OUT.iter().find(|(short, _)| *short == whole);
                parts.push(long.map_or(whole, |(_, long)| (*long).to_owned()));
            }
        }
    }
    if !prefix.is_empty() {
        // A particle that nothing follows is a name (`Le`), or a letter.
        if prefix.len() == 1 { letters.push(prefix) } else { parts.push(prefix) }
    }
    let telling = |part: &String| !FREQUENT.contains(&part.as_str());
    if parts.iter().filter(|part| telling(part)).count() >= 2 {
        parts.retain(telling);
    }
    let patronymic =
        |part: &String| part.len() >= 7 && PATRONYMIC.iter().any(|ending| part.ends_with(ending));
    if parts.iter().filter(|part| !patronymic(part)).count() >= 2 {
        parts.retain(|part| !patronymic(part));
    }
    (parts, letters)
}
