//! What a record knows at all, without what it is: told inside each tag, and seen only by who has
//! the token. Where both know something and no token says that it agrees, it disagrees.

use super::family::{Company, Person};

/// What is known of a birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BirthKnown {
    /// Nothing.
    Nothing,
    /// The year.
    Year,
    /// Year, month and day.
    Date,
}

/// What a record knows. Of a company, `birth` says whether it has a number, and `group` whether
/// it has a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// Of the birth date.
    pub birth: BirthKnown,
    /// Whether a lasting codice fiscale is known.
    pub code: bool,
    /// Whether sex and citizenship are known.
    pub group: bool,
    /// Whether a name has one part, two, or more: 1 to 3; 0 without a name.
    pub parts: u8,
}

impl Facts {
    /// All that there are.
    pub fn all() -> impl Iterator<Item = Self> {
        let births = [BirthKnown::Nothing, BirthKnown::Year, BirthKnown::Date];
        births.into_iter().flat_map(|birth| {
            [(false, false), (false, true), (true, false), (true, true)].into_iter().flat_map(
                move |(code, group)| (0..=3).map(move |parts| Self { birth, code, group, parts }),
            )
        })
    }

    /// One byte, as it goes into a tag.
    pub fn byte(self) -> u8 {
        let birth = match self.birth {
            BirthKnown::Nothing => 0,
            BirthKnown::Year => 1,
            BirthKnown::Date => 2,
        };
        birth << 4 | u8::from(self.code) << 3 | u8::from(self.group) << 2 | self.parts.min(3)
    }

    /// Of a person.
    pub fn of_person(person: &Person) -> Self {
        let dates = person.dates();
        let birth = match dates.iter().any(|date| date.date().is_some()) {
            true => BirthKnown::Date,
            false if dates.is_empty() => BirthKnown::Nothing,
            false => BirthKnown::Year,
        };
        let parts = person.names.iter().map(|name| name.parts().len()).max().unwrap_or(0);
        let group = !person.groups().is_empty();
        let code = person.codici_fiscali.iter().any(|code| code.birth().is_some());
        Self { birth, code, group, parts: u8::try_from(parts.min(3)).unwrap_or(3) }
    }

    /// Of a company.
    pub fn of_company(company: &Company) -> Self {
        let birth = match company.numbers.is_empty() && company.rea.is_empty() {
            true => BirthKnown::Nothing,
            false => BirthKnown::Date,
        };
        let parts = u8::from(!company.names.is_empty());
        Self { birth, code: false, group: !company.places.is_empty(), parts }
    }
}
