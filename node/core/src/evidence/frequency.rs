//! How frequent values are: in the own register, and where it says too little, by rule.
//!
//! What agrees by chance is as frequent as the value is. The own register knows best: whom a region
//! meets is no sample of a country. Counts are smoothed twice: those of people of one
//! citizenship to those of all, and these to the usual ones.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroize;

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
    /// Citizenship.
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

/// How many records have a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Count {
    all: u32,
    /// Of those of one citizenship, by its place.
    of_group: BTreeMap<usize, u32>,
}

/// Counts of a register. Values are wiped when it is dropped.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Frequencies {
    records: u32,
    groups: Vec<String>,
    counts: BTreeMap<(Kind, String), Count>,
}

/// Values are not shown.
impl fmt::Debug for Frequencies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frequencies of {} records", self.records)
    }
}

impl Drop for Frequencies {
    fn drop(&mut self) {
        let counts = std::mem::take(&mut self.counts);
        counts.into_iter().for_each(|((_, mut value), _)| value.zeroize());
    }
}

/// One thing that agrees: what it is by one code or another (a sound, a beginning), of which the
/// rarer counts, and the most bits that it may be worth.
pub type Alternatives<'v> = Vec<(Kind, &'v str, f64)>;

impl Frequencies {
    /// How many records were counted.
    pub fn records(&self) -> u32 {
        self.records
    }

    fn count(&mut self, kind: Kind, value: &str, groups: &[usize]) {
        // The empty value counts how many have any.
        for value in [value, ""] {
            let count = self.counts.entry((kind, value.to_owned())).or_default();
            count.all = count.all.saturating_add(1);
            for group in groups {
                let of = count.of_group.entry(*group).or_default();
                *of = of.saturating_add(1);
            }
        }
    }

    fn place_of(&mut self, group: &str) -> usize {
        self.groups.iter().position(|known| known == group).unwrap_or_else(|| {
            self.groups.push(group.to_owned());
            self.groups.len().saturating_sub(1)
        })
    }

    /// Counts a person.
    pub fn add_person(&mut self, person: &Person) {
        self.records = self.records.saturating_add(1);
        let groups = person.groups();
        let places: Vec<usize> = groups.iter().map(|group| self.place_of(group)).collect();
        for part in person.parts() {
            self.count(Kind::Sound, part.sound.reveal(), &places);
            self.count(Kind::Initial, part.initial(), &places);
            if let Some(start) = &part.start {
                self.count(Kind::Start, start.reveal(), &places);
            }
        }
        for birth in person.dates() {
            self.count(Kind::Year, birth.year().reveal(), &places);
            if let Some(day) = birth.day() {
                self.count(Kind::Day, day.reveal(), &places);
            }
        }
        for group in &groups {
            self.count(Kind::Group, group, &[]);
        }
        for place in &person.places {
            self.count(Kind::Place, place.reveal(), &places);
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

    /// A value with what was counted of it.
    fn counted(&self, kind: Kind, value: &str, most: f64) -> Counted<'_> {
        let find = |value: &str| self.counts.get(&(kind, value.to_owned()));
        let mut found = Counted { kind, of: find(value), any: find(""), all: 0.0, most };
        found.all = (met(found.of, None, true) + USUAL_RECORDS * kind.usual(value))
            / (found.people(None) + USUAL_RECORDS);
        found
    }

    /// How probable it is that another person has this value.
    pub fn probability(&self, kind: Kind, value: &str) -> f64 {
        self.counted(kind, value, f64::MAX).all
    }

    /// How probable it is that another person has all of these values, of a group where one
    /// agrees.
    ///
    /// Names, places and default dates go together with citizenship: two Bengali names are
    /// less than twice the evidence of one. So values count as independent within each group alone,
    /// and groups as frequent as they are. `own` are the groups of the record that asks.
    pub fn together(
        &self,
        values: &[Alternatives<'_>],
        group: Option<(&str, f64)>,
        own: &[String],
    ) -> f64 {
        let counted = |one: &Alternatives<'_>| -> Vec<Counted<'_>> {
            one.iter().map(|(kind, value, most)| self.counted(*kind, value, *most)).collect()
        };
        let values: Vec<Vec<Counted<'_>>> = values.iter().map(counted).collect();
        let product = |of: &dyn Fn(&Counted<'_>) -> f64| -> f64 {
            let rarest = |one: &Vec<Counted<'_>>| {
                one.iter().map(|it| of(it).max((-it.most).exp2())).fold(1.0, f64::min)
            };
            values.iter().map(rarest).product()
        };
        let everywhere = product(&|it| it.all);
        let within = |place: usize, name: &str| {
            let is_own = own.iter().any(|own| own == name);
            product(&|it| it.within(place, is_own))
        };
        if let Some((group, most)) = group {
            let floor = (-most).exp2();
            return match self.groups.iter().position(|known| known == group) {
                Some(place) => self.share(group).max(floor) * within(place, group),
                None => Kind::Group.usual(group).max(floor) * everywhere,
            };
        }
        let (mut sum, mut rest) = (0.0, 1.0);
        for (place, name) in self.groups.iter().enumerate() {
            let share = self.share(name);
            sum += share * within(place, name);
            rest -= share;
        }
        // Those of whom no group is known, and of groups that nobody here is of.
        sum + rest.max(0.0) * everywhere
    }

    /// Of all records those of a group; beside them some of groups that were not met yet.
    fn share(&self, group: &str) -> f64 {
        let of = self.counts.get(&(Kind::Group, group.to_owned()));
        met(of, None, false) / (f64::from(self.records) + USUAL_RECORDS)
    }
}

/// A value that agrees, with what was counted.
struct Counted<'c> {
    kind: Kind,
    /// Who has it.
    of: Option<&'c Count>,
    /// Who has any of its kind.
    any: Option<&'c Count>,
    /// How probable it is in all.
    all: f64,
    /// The most bits.
    most: f64,
}

impl Counted<'_> {
    /// How many records have any value of the kind; of names, each counts once.
    fn people(&self, group: Option<usize>) -> f64 {
        let any = met(self.any, group, true);
        match self.kind {
            // A name has some two parts, and another's part may be either.
            Kind::Sound | Kind::Start | Kind::Initial => any / 2.0,
            _ => any,
        }
    }

    /// How probable it is that another of one group has it.
    fn within(&self, group: usize, own: bool) -> f64 {
        (met(self.of, Some(group), own) + ALL_RECORDS * self.all)
            / (self.people(Some(group)) + ALL_RECORDS)
    }
}

/// How many records were counted, but for the record that asks where it is one of them.
fn met(count: Option<&Count>, group: Option<usize>, own: bool) -> f64 {
    let Some(count) = count else { return 0.0 };
    let all = match group {
        Some(group) => count.of_group.get(&group).copied().unwrap_or_default(),
        None => count.all,
    };
    f64::from(all.saturating_sub(u32::from(own)))
}
