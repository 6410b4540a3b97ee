//! Dates of birth as people write them, in one form.

use jiff::civil::Date;

/// Reads a date of birth into `YYYY-MM-DD`, `YYYY-MM` or `YYYY`.
///
/// Understood are these three forms themselves, and the Italian order with `/`, `.` or `-`
/// between: `2/3/1985`, `02.03.1985`, `3/1985`. The year has four digits and lies between
/// 1890 and 2100; `None` for everything else, and for days that no calendar has.
pub fn date(text: &str) -> Option<String> {
    let parts: Vec<&str> = text.trim().split(['/', '.', '-']).map(str::trim).collect();
    let known = |part: &&str| matches!(part.len(), 1 | 2 | 4) && is_digits(part);
    if !parts.iter().all(known) {
        return None;
    }
    let (year, month, day) = match *parts.as_slice() {
        [year] => (year, None, None),
        [year, month] if year.len() == 4 => (year, Some(month), None),
        [month, year] => (year, Some(month), None),
        [year, month, day] if year.len() == 4 => (year, Some(month), Some(day)),
        [day, month, year] => (year, Some(month), Some(day)),
        _ => return None,
    };
    let short = |part: Option<&str>| part.is_none_or(|part| part.len() <= 2);
    if year.len() != 4 || !short(month) || !short(day) {
        return None;
    }
    let number = |part: Option<&str>| part.map_or(Some(1), |part| part.parse::<i8>().ok());
    let year: i16 = year.parse().ok()?;
    let exact = Date::new(year, number(month)?, number(day)?).ok()?;
    if !(1890..=2100).contains(&year) {
        return None;
    }
    let whole = exact.to_string();
    let length = match (month, day) {
        (None, _) => 4,
        (_, None) => 7,
        _ => whole.len(),
    };
    whole.get(..length).map(str::to_owned)
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_as_people_write_them() {
        let check = |text, expected: Option<&str>| {
            assert_eq!(date(text).as_deref(), expected, "{text}");
        };
        check("1985-03-02", Some("1985-03-02"));
        check(" 2/3/1985 ", Some("1985-03-02"));
        check("02.03.1985", Some("1985-03-02"));
        check("02-03-1985", Some("1985-03-02"));
        check("1985-03", Some("1985-03"));
        check("03/1985", Some("1985-03"));
        check("1985", Some("1985"));
        check("29/02/1984", Some("1984-02-29"));
        for wrong in [
            "",
            "29/02/1985",
            "3/13/1985",
            "2/3/85",
            "85",
            "1985-003-02",
            "1985-03-0002",
            "1985-03-02T00:00",
            "1685-03-02",
            "2/3/19850",
            "1/2/3/1985",
            "marzo 1985",
            "+198",
            "1985/03-",
        ] {
            check(wrong, None);
        }
    }
}
