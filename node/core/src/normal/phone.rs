//! Phone numbers in the international form of ITU-T E.164.
//!
//! Written by hand: of the kept libraries one brings the metadata of all countries, some
//! megabytes, to tell numbers that exist. A wrong number does no harm here: it meets nobody.

use crate::secret::Secret;

/// Why a text is no phone number: the operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhoneError {
    /// Something that no number has.
    #[error("a phone number has digits, spaces and + ( ) - . / only")]
    Character,
    /// No country begins with these digits.
    #[error("no country has this prefix")]
    Country,
    /// Too short or too long.
    #[error("the number is too short or too long: write it with its country, +39 …")]
    Length,
    /// A number of services, not of a person.
    #[error("this is a service's number")]
    Service,
}

/// A number in E.164: `333 123 4567`, `0039 333/1234567`, `39 3331234567` and `+39 (333)
/// 123-4567` → `+393331234567`. Without a country it is Italian. Italian lines keep their
/// zero (`055 123456` → `+39055123456`); most other countries' goes, in brackets or without
/// (`+44 (0)20 …` → `+4420…`, `+880 01712…` → `+8801712…`).
///
/// # Errors
/// [`PhoneError`].
pub fn e164(text: &str) -> Result<Secret<String>, PhoneError> {
    let text = text.trim();
    let known = |letter: char| letter.is_ascii_digit() || " +()-./\u{a0}".contains(letter);
    let plus = text.matches('+').count();
    if !text.chars().all(known) || plus > 1 || (plus == 1 && !text.starts_with(['+', '('])) {
        return Err(PhoneError::Character);
    }
    let international = plus == 1 || digits(text).starts_with("00");
    let number = match international {
        true => abroad(text)?,
        false => at_home(&digits(text))?,
    };
    if let Some(line) = number.strip_prefix("39") {
        italian(line)?;
    }
    // E.164 §6.2.1: 15 digits at most.
    match number.len() {
        8..=15 => Ok(Secret::new(format!("+{number}"))),
        _ => Err(PhoneError::Length),
    }
}

/// All numbers of a field: several with `/`, `;`, `,`, `o` or a new line between, and words around
/// them (`cell. 333 1234567 (moglie)`). Each once; what is no number is left out.
pub fn all(text: &str) -> Vec<Secret<String>> {
    let mut found: Vec<Secret<String>> = Vec::new();
    if let Ok(only) = e164(text) {
        return vec![only];
    }
    // Words say whose or what it is, and stand between numbers as well as signs do.
    let plain = |letter: char| letter.is_ascii_digit() || " +()-./\u{a0}".contains(letter);
    let pieces = text.split(|letter: char| !plain(letter));
    for piece in pieces {
        let piece = piece.trim_matches([' ', '.', '-', ')', '/', '\u{a0}']);
        let parts: Vec<&str> = match e164(piece) {
            Ok(_) => vec![piece],
            // A slash stands inside a number or between two.
            Err(_) => piece.split(['/', '.', '(']).collect(),
        };
        for part in parts {
            if let Ok(number) = e164(part)
                && !found.contains(&number)
            {
                found.push(number);
            }
        }
    }
    found
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn abroad(text: &str) -> Result<String, PhoneError> {
    let all = digits(text);
    let all = if text.contains('+') { all.as_str() } else { all.get(2..).unwrap_or_default() };
    let code = calling_code(all).ok_or(PhoneError::Country)?;
    if KEEPS_ZERO.contains(&code) {
        return Ok(all.to_owned());
    }
    // Elsewhere the zero is dialled inside the country alone (ITU-T E.123 §7).
    let line = all.strip_prefix(code).unwrap_or_default();
    Ok(format!("{code}{}", line.trim_start_matches('0')))
}

/// Countries whose numbers begin with a zero that is dialled from abroad too: Italy and San
/// Marino, and since their reforms Côte d'Ivoire, Benin, Gabon and Congo (ITU operational
/// bulletins).
const KEEPS_ZERO: [&str; 6] = ["39", "378", "225", "229", "241", "242"];

fn at_home(digits: &str) -> Result<String, PhoneError> {
    // Countries from where many come, written without the sign: no Italian number is so long and
    // begins so.
    const WITHOUT_SIGN: [&str; 12] =
        ["880", "212", "213", "216", "220", "221", "223", "224", "225", "233", "234", "380"];
    if digits.len() >= 12 && WITHOUT_SIGN.iter().any(|code| digits.starts_with(code)) {
        return abroad(&format!("+{digits}"));
    }
    // The country was written without its sign: no Italian number is that long.
    let with_country = digits.starts_with("393") || digits.starts_with("390");
    if with_country && (11..=13).contains(&digits.len()) {
        return Ok(digits.to_owned());
    }
    match digits.starts_with(['0', '1', '3', '4', '7', '8']) && (6..=11).contains(&digits.len()) {
        true => Ok(format!("39{digits}")),
        false => Err(PhoneError::Length),
    }
}

/// Italian mobile numbers begin with 3 and have 9 or 10 digits, lines with 0 and have 6 to
/// 11 (AGCOM, national numbering plan); what begins with 1, 4, 7 or 8 is a service.
fn italian(line: &str) -> Result<(), PhoneError> {
    match (line.bytes().next(), line.len()) {
        (Some(b'3'), 9..=10) | (Some(b'0'), 6..=11) => Ok(()),
        (Some(b'1' | b'4' | b'7' | b'8'), _) => Err(PhoneError::Service),
        _ => Err(PhoneError::Length),
    }
}

/// The country code that digits begin with (ITU-T list of assigned country codes, annex to
/// E.164): one digit in zones 1 and 7, two or three elsewhere.
fn calling_code(digits: &str) -> Option<&str> {
    const TWO: [&str; 44] = [
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    const ZONES_OF_THREE: [&str; 20] = [
        "21", "22", "23", "24", "25", "26", "29", "35", "37", "38", "42", "50", "59", "67", "68",
        "69", "85", "88", "96", "97",
    ];
    let two = digits.get(..2)?;
    if digits.starts_with(['1', '7']) {
        digits.get(..1)
    } else if TWO.contains(&two) {
        Some(two)
    } else if ZONES_OF_THREE.contains(&two) || two == "99" {
        digits.get(..3)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<&str, PhoneError>) {
        let found = e164(text);
        let found = found.as_ref().map(|value| value.reveal().as_str()).map_err(|error| *error);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn italian_numbers() {
        for text in [
            "333 123 4567",
            "+39 333 1234567",
            "0039 333/1234567",
            "39 3331234567",
            "+39 (333) 123-4567",
            "(+39) 333.123.45.67",
            "+39\u{a0}3331234567",
        ] {
            check(text, Ok("+393331234567"));
        }
        check("055 123456", Ok("+39055123456"));
        check("+39 055 123456", Ok("+39055123456"));
        check("+39 (0)55 123456", Ok("+39055123456"));
        check("06 12345678", Ok("+390612345678"));
        check("333 12345678", Err(PhoneError::Length));
        check("333 12345", Err(PhoneError::Length));
        check("112", Err(PhoneError::Length));
        check("800 290 290", Err(PhoneError::Service));
        check("+39 199 123456", Err(PhoneError::Service));
    }

    #[test]
    fn numbers_from_abroad() {
        check("+880 1712-345678", Ok("+8801712345678"));
        check("00880 1712345678", Ok("+8801712345678"));
        check("+44 (0)20 7946 0018", Ok("+442079460018"));
        check("+1 202-555-0123", Ok("+12025550123"));
        check("+212 612 345678", Ok("+212612345678"));
        check("+92 300 1234567", Ok("+923001234567"));
        check("+998 90 1234567", Ok("+998901234567"));
        // A zero that is dialled inside the country alone.
        check("+880 01712-345678", Ok("+8801712345678"));
        check("+44 020 7946 0018", Ok("+442079460018"));
        check("+225 07 12345678", Ok("+2250712345678"));
        check("8801712345678", Ok("+8801712345678"));
        check("+89 1234567", Err(PhoneError::Country));
        check("+880 1", Err(PhoneError::Length));
        check("+880 1712 3456 7890 12", Err(PhoneError::Length));
    }

    #[test]
    fn fields_with_several_numbers() {
        let check = |text: &str, expected: &[&str]| {
            let found = all(text);
            let found: Vec<&str> = found.iter().map(|it| it.reveal().as_str()).collect();
            assert_eq!(found, expected, "{text}");
        };
        let two = ["+393331234567", "+393477654321"];
        check("333 1234567 / 347 7654321", &two);
        check("333/1234567 - 347/7654321", &[]);
        check("333 1234567; 347 7654321", &two);
        check("333 1234567 o 347 7654321", &two);
        check("cell. 333 1234567 (moglie 347 7654321)", &two);
        check("Tel: +39 333 1234567, +39 333 1234567", &["+393331234567"]);
        check("+880 01712 345678 WhatsApp", &["+8801712345678"]);
        check("333/1234567", &["+393331234567"]);
        check("chiamare Ali", &[]);
        check("", &[]);
    }

    #[test]
    fn texts_that_are_no_numbers() {
        check("", Err(PhoneError::Length));
        check("chiamare Ali", Err(PhoneError::Character));
        check("333 123 4567 int. 5", Err(PhoneError::Character));
        check("333+1234567", Err(PhoneError::Character));
        check("++39 333 1234567", Err(PhoneError::Character));
    }

    proptest! {
        #[test]
        fn a_normal_form_is_its_own(text in "[+]?[0-9 ()/.-]{0,20}") {
            if let Ok(value) = e164(&text) {
                let again = e164(value.reveal()).unwrap();
                prop_assert_eq!(again.reveal(), value.reveal());
            }
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,24}") {
            let _ = e164(&text).is_ok();
        }
    }
}
