//! How frequent values are: in the own register, and where it says too little, by a small public
//! table and by rule.
//!
//! What agrees by chance is as frequent as the value is. The own register knows best: whom a region
//! meets is no sample of a country. Counts are smoothed twice: those of people of one sex and
//! citizenship to those of all, and these to the public ones.

use std::collections::BTreeMap;

use super::family::{Company, Person};

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// How a part of a name sounds.
    Sound,
    /// How it begins.
    Start,
    /// Its first sound.
    Initial,
    /// A year of birth.
    Year,
    /// Day and month of birth.
    Day,
    /// Sex and citizenship.
    Group,
    /// A place.
    Place,
    /// A phone.
    Phone,
    /// A company's name.
    CompanyName,
    /// A word of one.
    CompanyWord,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Sound => 's',
            Self::Start => 'b',
            Self::Initial => 'i',
            Self::Year => 'y',
            Self::Day => 'd',
            Self::Group => 'g',
            Self::Place => 'p',
            Self::Phone => 't',
            Self::CompanyName => 'c',
            Self::CompanyWord => 'w',
        }
    }

    /// How probable a value is before anything is counted. A sound of one or two classes stands
    /// for many names (Hu, Ho, Wei), one of three for some, a longer one for few. 1 January is
    /// what offices write for an unknown day: one of ten of those who come from where birth is
    /// not registered.
    fn usual(self, value: &str) -> f64 {
        match self {
            Self::Sound => match value.len() {
                0 | 1 => 1.0 / 20.0,
                2 => 1.0 / 80.0,
                _ => 1.0 / 400.0,
            },
            Self::Start => 1.0 / 300.0,
            Self::Initial => 1.0 / 12.0,
            Self::Year => 1.0 / 40.0,
            Self::Day if value == "01.01" => 1.0 / 10.0,
            Self::Day => 1.0 / 250.0,
            Self::Group => 1.0 / 30.0,
            Self::Place => 1.0 / 100.0,
            Self::Phone => 1.0 / 1_000_000.0,
            Self::CompanyName => 1.0 / 2_000.0,
            Self::CompanyWord => 1.0 / 100.0,
        }
    }
}

/// How much of the usual probability counts beside what was counted: as so many records.
const USUAL_RECORDS: f64 = 50.0;
/// How much of all records counts beside those of one group.
const ALL_RECORDS: f64 = 20.0;

/// Counts of a register.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frequencies {
    records: u32,
    counts: BTreeMap<String, u32>,
}

impl Frequencies {
    /// How many records were counted.
    pub fn records(&self) -> u32 {
        self.records
    }

    fn count(&mut self, kind: Kind, value: &str, groups: &[String]) {
        let mut add = |group: &str, value: &str| {
            let key = format!("{}|{group}|{value}", kind.letter());
            let count = self.counts.entry(key).or_default();
            *count = count.saturating_add(1);
        };
        for group in [""].into_iter().chain(groups.iter().map(String::as_str)) {
            add(group, value);
            // How many have any.
            add(group, "");
        }
    }

    /// Counts a person.
    pub fn add_person(&mut self, person: &Person) {
        self.records = self.records.saturating_add(1);
        let groups = person.groups();
        for part in person.parts() {
            self.count(Kind::Sound, part.sound.reveal(), &groups);
            self.count(Kind::Initial, part.initial(), &groups);
            if let Some(start) = &part.start {
                self.count(Kind::Start, start.reveal(), &groups);
            }
        }
        for birth in person.dates() {
            self.count(Kind::Year, birth.year().reveal(), &groups);
            if let Some(day) = birth.day() {
                self.count(Kind::Day, day.reveal(), &groups);
            }
        }
        for group in &groups {
            self.count(Kind::Group, group, &[]);
        }
        for place in &person.places {
            self.count(Kind::Place, place.reveal(), &groups);
        }
        for phone in &person.phones {
            self.count(Kind::Phone, phone.reveal(), &[]);
        }
    }

    /// Counts a company.
    pub fn add_company(&mut self, company: &Company) {
        self.records = self.records.saturating_add(1);
        for name in company.names.iter().map(crate::secret::Secret::reveal) {
            self.count(Kind::CompanyName, name, &[]);
            name.split(' ').for_each(|word| self.count(Kind::CompanyWord, word, &[]));
        }
        company.places.iter().for_each(|place| self.count(Kind::Place, place.reveal(), &[]));
    }

    fn counted(&self, kind: Kind, group: &str, value: &str) -> f64 {
        let key = format!("{}|{group}|{value}", kind.letter());
        // The record that asks is one of them, and no other.
        f64::from(self.counts.get(&key).copied().unwrap_or_default().saturating_sub(1))
    }

    /// How probable it is that another person has this value, of a group where one is named.
    pub fn probability(&self, kind: Kind, value: &str, group: Option<&str>) -> f64 {
        let usual = kind.usual(value);
        // Of parts of names most have two: each is met among both.
        let all = (self.counted(kind, "", value) + USUAL_RECORDS * usual)
            / (self.people(kind, "") + USUAL_RECORDS);
        match group {
            Some(group) => {
                let of = self.counted(kind, group, value) + ALL_RECORDS * all;
                of / (self.people(kind, group) + ALL_RECORDS)
            }
            None => all,
        }
    }

    /// How many records have any value of a kind; of names, each counts once.
    fn people(&self, kind: Kind, group: &str) -> f64 {
        let any = self.counted(kind, group, "");
        match kind {
            // A name has some two parts, and another's part may be either.
            Kind::Sound | Kind::Start | Kind::Initial => any / 2.0,
            _ => any,
        }
    }
}
