//! Dates of birth, and how much of them is evidence.

use jiff::civil::Date;
use zeroize::Zeroize;

use crate::secret::{Alike, Secret};

/// Why a text is no date of birth: the operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a date such as 1990-12-31, 31/12/1990, or a year")]
pub struct BirthError;

/// A date of birth: year, and day and month where they are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Birth(Secret<Parts>);

#[derive(Clone, PartialEq, Eq)]
struct Parts {
    year: i16,
    /// The smaller and the greater of day and month.
    unordered: Option<(i8, i8)>,
}

impl Alike for Parts {
    fn is_alike(&self, other: &Self) -> bool {
        // Whole numbers: no place at which they differ shows in the time.
        self == other
    }
}

impl Zeroize for Parts {
    fn zeroize(&mut self) {
        self.year.zeroize();
        self.unordered = None;
    }
}

impl Birth {
    /// Reads `1990-12-31`, `31/12/1990`, `31.12.1990`, `31-12-1990`, or a year, with zeros for
    /// what is unknown (`00/00/1990`, `1990-00-00`).
    ///
    /// # Errors
    /// [`BirthError`], also for years before 1900 and after 2100 and days that no month has.
    pub fn parse(text: &str) -> Result<Self, BirthError> {
        let parts = text.trim().split(['-', '/', '.']).map(str::trim);
        let parts: Vec<&str> = parts.collect();
        let number = |text: &&str, length: usize| -> Result<i16, BirthError> {
            let digits = (1..=length).contains(&text.len());
            let digits = digits && text.bytes().all(|byte| byte.is_ascii_digit());
            if digits { text.parse().map_err(|_| BirthError) } else { Err(BirthError) }
        };
        let year = |text: &&str| match text.len() {
            4 => number(text, 4),
            _ => Err(BirthError),
        };
        match parts.as_slice() {
            [only] => Self::new(year(only)?, 0, 0),
            [first, month, day] if first.len() == 4 => {
                Self::new(year(first)?, number(month, 2)?, number(day, 2)?)
            }
            [day, month, last] => Self::new(year(last)?, number(month, 2)?, number(day, 2)?),
            _ => Err(BirthError),
        }
    }

    fn new(year: i16, month: i16, day: i16) -> Result<Self, BirthError> {
        let known = |unordered| Ok(Self(Secret::new(Parts { year, unordered })));
        let (month, day) = (
            i8::try_from(month).map_err(|_| BirthError)?,
            i8::try_from(day).map_err(|_| BirthError)?,
        );
        if !(1900..=2100).contains(&year) {
            return Err(BirthError);
        }
        if (month, day) == (0, 0) || (day == 0 && month <= 12) {
            return known(None);
        }
        Date::new(year, month, day).map_err(|_| BirthError)?;
        known(Some((day.min(month), day.max(month))))
    }

    /// Of numbers that some other value holds, such as a codice fiscale.
    ///
    /// # Errors
    /// As [`Birth::parse`].
    pub fn of(year: i16, month: i16, day: i16) -> Result<Self, BirthError> {
        Self::new(year, month, day)
    }

    /// The year: `1990`.
    pub fn year(&self) -> Secret<String> {
        Secret::new(self.0.reveal().year.to_string())
    }

    /// The full date with day and month unordered, since they are often swapped: 3 April and
    /// 4 March 1990 → `1990.03.04`. None for an unknown day, and for 1 January, which is what
    /// offices write for one: counted as a full date it brought precision down from 0.997 to
    /// 0.91.
    pub fn full(&self) -> Option<Secret<String>> {
        self.date().filter(|_| self.0.reveal().unordered != Some((1, 1)))
    }

    /// The same, of 1 January too: where it is weighed by how frequent it is.
    pub fn date(&self) -> Option<Secret<String>> {
        let day = self.day()?;
        Some(Secret::new(format!("{}.{}", self.0.reveal().year, day.reveal())))
    }

    /// Day and month, unordered: 3 April and 4 March → `03.04`. None for an unknown day.
    pub fn day(&self) -> Option<Secret<String>> {
        let unordered = self.0.reveal().unordered;
        unordered.map(|(low, high)| Secret::new(format!("{low:02}.{high:02}")))
    }

    /// The two windows of four years that hold the year, by their first years, which are even:
    /// `1988`, `1990`. Two people whose years are up to two apart share one.
    pub fn windows(&self) -> [Secret<String>; 2] {
        let even = self.0.reveal().year & !1;
        [even.saturating_sub(2), even].map(|first| Secret::new(first.to_string()))
    }

    /// One window of each two that hold a year in which somebody who works today may be born.
    pub fn all_windows() -> impl Iterator<Item = Secret<String>> {
        (1944..2012).step_by(4).map(|first| Secret::new(first.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<(&str, Option<&str>)>) {
        let found = Birth::parse(text).ok();
        let found = found.map(|birth| {
            (birth.year().reveal().clone(), birth.full().map(|full| full.reveal().clone()))
        });
        let expected = expected.map(|(year, full)| (year.to_owned(), full.map(str::to_owned)));
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn dates() {
        check("1990-12-31", Some(("1990", Some("1990.12.31"))));
        check("31/12/1990", Some(("1990", Some("1990.12.31"))));
        check("31.12.1990", Some(("1990", Some("1990.12.31"))));
        check(" 3-4-1990 ", Some(("1990", Some("1990.03.04"))));
        check("04/03/1990", Some(("1990", Some("1990.03.04"))));
        check("29/02/2000", Some(("2000", Some("2000.02.29"))));
        check("29/02/1990", None);
        check("31/12/90", None);
        check("12/31/1990", None);
        check("1890-12-31", None);
        check("2101-12-31", None);
        check("1990-13-01", None);
        check("1990-5-0", Some(("1990", None)));
        check("unknown", None);
        check("", None);
        check("1-2-3-4", None);
    }

    #[test]
    fn default_dates_are_years() {
        for text in ["1990-01-01", "01/01/1990", "1/1/1990", "00/00/1990", "1990-00-00", "1990"] {
            check(text, Some(("1990", None)));
        }
    }

    #[test]
    fn parts_of_dates() {
        let day = |text: &str| Birth::parse(text).unwrap().day().map(|day| day.reveal().clone());
        assert_eq!(day("31/12/1990").as_deref(), Some("12.31"));
        assert_eq!(day("1990-01-01").as_deref(), Some("01.01"));
        assert_eq!(day("1990"), None);
        let date = Birth::parse("1990-01-01").unwrap().date().unwrap();
        assert_eq!(date.reveal(), "1990.01.01");
        let windows = |text: &str| Birth::parse(text).unwrap().windows();
        let shared = |one: &str, other: &str| {
            windows(one).iter().filter(|window| windows(other).contains(window)).count()
        };
        let years = ["1990", "1991", "1992", "1993", "1994"];
        assert_eq!(years.map(|year| shared("1990", year)), [2, 2, 1, 1, 0]);
        assert_eq!(years.map(|year| shared("1991", year)), [2, 2, 1, 1, 0]);
        // Whoever has a date shares one window with whom no date is known of.
        let all: Vec<_> = Birth::all_windows().collect();
        for year in 1946..2012 {
            let own = windows(&year.to_string());
            assert_eq!(own.iter().filter(|window| all.contains(window)).count(), 1, "{year}");
        }
    }

    #[test]
    fn nothing_is_shown() {
        assert!(!format!("{:?}", Birth::parse("1990-12-31").unwrap()).contains("90"));
    }

    proptest! {
        #[test]
        fn swapped_days_and_months_meet(year in 1900_i16..=2100, one in 1_i8..=12, other in 1_i8..=12) {
            let full = |day: i8, month: i8| {
                let text = format!("{day}/{month}/{year}");
                Birth::parse(&text).unwrap().full().map(|full| full.reveal().clone())
            };
            prop_assert_eq!(full(one, other), full(other, one));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,16}") {
            let _ = Birth::parse(&text).is_ok();
        }
    }
}
