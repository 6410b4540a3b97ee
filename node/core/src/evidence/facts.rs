//! What a record knows at all, without what it is: told inside each tag, and seen only by who has
//! the token. Where both know something and no token says that it agrees, it disagrees.

use super::family::{Company, Person};
use crate::normal::stop_list::StopList;

/// What is known of a birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BirthKnown {
    /// Nothing.
    Nothing,
    /// The year; 1 January counts as no day.
    Year,
    /// Year, month and day.
    Date,
}

/// What a record knows. Of a company, `birth` says whether it has a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Facts {
    /// Of the birth date.
    pub birth: BirthKnown,
    /// Whether a lasting codice fiscale is known.
    pub code: bool,
    /// Whether citizenship is known.
    pub group: bool,
    /// Whether a phone is known.
    pub phone: bool,
    /// Whether a place is known.
    pub place: bool,
    /// Whether a name has one part, two, or more: 1 to 3; 0 without a name.
    pub parts: u8,
}

impl Facts {
    /// Nothing is known.
    pub fn none() -> Self {
        let birth = BirthKnown::Nothing;
        Self { birth, code: false, group: false, phone: false, place: false, parts: 0 }
    }

    /// One byte, as it is shown with tags: all 192 that there are differ.
    pub fn byte(self) -> u8 {
        let birth: u8 = match self.birth {
            BirthKnown::Nothing => 0,
            BirthKnown::Year => 1,
            BirthKnown::Date => 2,
        };
        let flags = [self.code, self.group, self.phone, self.place];
        let flags = flags.into_iter().fold(birth, |bits, flag| bits << 1 | u8::from(flag));
        flags << 2 | self.parts.min(3)
    }

    /// What [`Facts::byte`] wrote; none of a byte that it never writes.
    pub fn of_byte(byte: u8) -> Option<Self> {
        let birth = match byte >> 6 {
            0 => BirthKnown::Nothing,
            1 => BirthKnown::Year,
            2 => BirthKnown::Date,
            _ => return None,
        };
        let flag = |place: u8| byte >> place & 1 == 1;
        let (code, group, phone, place) = (flag(5), flag(4), flag(3), flag(2));
        Some(Self { birth, code, group, phone, place, parts: byte & 3 })
    }

    /// Of a person.
    pub fn of_person(person: &Person, stops: &StopList) -> Self {
        let dates = person.dates();
        let birth = match dates.iter().any(|date| date.full().is_some()) {
            true => BirthKnown::Date,
            false if dates.is_empty() => BirthKnown::Nothing,
            false => BirthKnown::Year,
        };
        let parts = person.names.iter().map(|name| name.parts().len()).max().unwrap_or(0);
        let group = !person.groups().is_empty();
        let code = person.codici_fiscali.iter().any(|code| code.birth().is_some());
        let phone = person.phones(stops).next().is_some();
        let place = person.places(stops).next().is_some();
        let parts = u8::try_from(parts.min(3)).unwrap_or(3);
        Self { birth, code, group, phone, place, parts }
    }

    /// Of a company.
    pub fn of_company(company: &Company) -> Self {
        let birth = match company.numbers.is_empty() && company.rea.is_empty() {
            true => BirthKnown::Nothing,
            false => BirthKnown::Date,
        };
        let parts = u8::from(!company.names.is_empty());
        let place = !company.places.is_empty();
        Self { birth, code: false, group: false, phone: false, place, parts }
    }
}
