//! Codici fiscali of people (D.M. 23/12/1976): 16 characters, or 11 digits while provisional.

use super::birth::Birth;
use super::company_number::has_check_digit;
use super::plain;
use crate::secret::Secret;

/// Why a text is no codice fiscale: the operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodiceFiscaleError {
    /// Neither 16 characters nor 11 digits.
    #[error("a codice fiscale has 16 characters, or 11 digits while provisional")]
    Length,
    /// Letters and digits do not stand where they belong.
    #[error("letters and digits of the codice fiscale do not stand where they belong")]
    Form,
    /// Another check character: a typing error.
    #[error("the check character is wrong: look at the codice fiscale again")]
    Check,
}

/// A person's codice fiscale in its normal form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CodiceFiscale {
    /// 16 characters, omocodia undone.
    Lasting(Secret<String>),
    /// 11 digits, as offices give them to people who wait for the lasting one; both are kept.
    Provisional(Secret<String>),
}

/// Women's days count from 41.
const WOMEN: i16 = 40;
/// Two digits of a year below this are of this century.
const YOUNG: i16 = 16;
/// Letters and digits that hands and eyes confuse, the letter first.
const CONFUSED: [(u8, u8); 6] =
    [(b'O', b'0'), (b'I', b'1'), (b'Z', b'2'), (b'S', b'5'), (b'G', b'6'), (b'B', b'8')];

/// Where digits stand, or the letters that replace them.
const DIGITS: [usize; 7] = [6, 7, 9, 10, 12, 13, 14];
/// Letters that stand for the digits 0 to 9 where two people would have one code.
const OMOCODIA: &[u8; 10] = b"LMNPQRSTUV";
const MONTHS: &[u8; 12] = b"ABCDEHLMPRST";
/// What a character counts in odd places, A to Z; digits count as A to J.
const ODD: [u32; 26] =
    [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];

impl CodiceFiscale {
    /// Reads a codice fiscale: spaces and separators vanish, small letters are capital, letters
    /// that were taken for digits and digits for letters are put right (`O` and `0`), the check
    /// character is verified, then omocodia is undone and the check character made anew: `RSSMRA85T10A56NH` and `rss mra 85t10 a562s` → `RSSMRA85T10A562S`.
    ///
    /// # Errors
    /// [`CodiceFiscaleError`].
    pub fn parse(text: &str) -> Result<Self, CodiceFiscaleError> {
        let compact = plain::compact(text);
        match compact.len() {
            16 => lasting(unconfused(compact.into_bytes())).map(Self::Lasting),
            11 if !compact.bytes().all(|byte| byte.is_ascii_digit()) => {
                Err(CodiceFiscaleError::Form)
            }
            11 if has_check_digit(&compact) => Ok(Self::Provisional(Secret::new(compact))),
            11 => Err(CodiceFiscaleError::Check),
            _ => Err(CodiceFiscaleError::Length),
        }
    }

    /// The date of birth in it; none in a provisional one. Of the year it has two digits: people
    /// are taken to be older than the youngest who work.
    pub fn birth(&self) -> Option<Birth> {
        let Self::Lasting(value) = self else { return None };
        let code = value.reveal().as_bytes();
        let number = |from: usize| -> Option<i16> {
            let text = std::str::from_utf8(code.get(from..from.checked_add(2)?)?).ok()?;
            text.parse().ok()
        };
        let (year, day) = (number(6)?, number(9)?);
        let month = MONTHS.iter().position(|letter| Some(letter) == code.get(8))?;
        let month = i16::try_from(month).ok()?.checked_add(1)?;
        let century = if year < YOUNG { 2_000 } else { 1_900 };
        Birth::of(century + year, month, if day > WOMEN { day - WOMEN } else { day }).ok()
    }

    /// Whether it is a woman's; none in a provisional one.
    pub fn is_woman(&self) -> Option<bool> {
        let Self::Lasting(value) = self else { return None };
        value.reveal().as_bytes().get(9).map(|tens| *tens >= b'4')
    }

    /// The normal form.
    pub fn value(&self) -> &Secret<String> {
        match self {
            Self::Lasting(value) | Self::Provisional(value) => value,
        }
    }
}

/// Puts right what cannot stand where it does, such as an `O` for a zero. The check character
/// proves it, or refuses the whole.
fn unconfused(mut code: Vec<u8>) -> Vec<u8> {
    for (place, byte) in code.iter_mut().enumerate() {
        let digit = DIGITS.contains(&place);
        let wrong = match digit {
            true => !byte.is_ascii_digit() && !OMOCODIA.contains(byte),
            false => byte.is_ascii_digit(),
        };
        let meant = CONFUSED.iter().find(|(letter, number)| *byte == *letter || *byte == *number);
        if let (true, Some((letter, number))) = (wrong, meant) {
            *byte = if digit { *number } else { *letter };
        }
    }
    code
}

fn lasting(mut code: Vec<u8>) -> Result<Secret<String>, CodiceFiscaleError> {
    for (place, byte) in code.iter().enumerate() {
        let good = match place {
            8 => MONTHS.contains(byte),
            _ if DIGITS.contains(&place) => byte.is_ascii_digit() || OMOCODIA.contains(byte),
            _ => byte.is_ascii_uppercase(),
        };
        if !good {
            return Err(CodiceFiscaleError::Form);
        }
    }
    if code.last() != Some(&check_character(&code)) {
        return Err(CodiceFiscaleError::Check);
    }
    for place in DIGITS {
        if let Some(byte) = code.get_mut(place)
            && let Some(digit) = OMOCODIA.iter().position(|letter| letter == byte)
        {
            *byte = b'0' + u8::try_from(digit).unwrap_or_default();
        }
    }
    let day = code.iter().skip(9).take(2).fold(0, |day, byte| day * 10 + u32::from(byte - b'0'));
    // Women's days count from 41.
    if !matches!(day, 1..=31 | 41..=71) {
        return Err(CodiceFiscaleError::Form);
    }
    let check = check_character(&code);
    if let Some(last) = code.last_mut() {
        *last = check;
    }
    String::from_utf8(code).map(Secret::new).map_err(|_| CodiceFiscaleError::Form)
}

/// The letter that the first 15 characters end in.
fn check_character(code: &[u8]) -> u8 {
    let value = |byte: &u8| match byte {
        b'0'..=b'9' => byte - b'0',
        _ => byte.saturating_sub(b'A'),
    };
    let sum: u32 = code
        .iter()
        .take(15)
        .enumerate()
        .map(|(place, byte)| match place % 2 {
            // Places count from 1, so that the first is odd.
            0 => ODD.get(usize::from(value(byte))).copied().unwrap_or_default(),
            _ => u32::from(value(byte)),
        })
        .sum();
    b'A' + u8::try_from(sum % 26).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Result<&str, CodiceFiscaleError>) {
        let found = CodiceFiscale::parse(text);
        let found = found.as_ref().map(|code| code.value().reveal().as_str());
        assert_eq!(found.map_err(|error| *error), expected, "{text}");
    }

    fn signed(first: &str) -> String {
        let check = char::from(check_character(first.as_bytes()));
        format!("{first}{check}")
    }

    #[test]
    fn lasting_codes() {
        // The example of the Agenzia delle Entrate's own explanation.
        check("MRTMTT25D09F205Z", Ok("MRTMTT25D09F205Z"));
        check("RSSMRA85T10A562S", Ok("RSSMRA85T10A562S"));
        check(" rss mra 85t10 a562s ", Ok("RSSMRA85T10A562S"));
        check("RSSMRA85T10A562T", Err(CodiceFiscaleError::Check));
        check("RSSMRA85T10A563S", Err(CodiceFiscaleError::Check));
        check("RSSMRA85F10A562S", Err(CodiceFiscaleError::Form));
        check("4SSMRA85T10A562S", Err(CodiceFiscaleError::Form));
        check("RSSMRA85T10A562", Err(CodiceFiscaleError::Length));
        check("", Err(CodiceFiscaleError::Length));
        check(&signed("RSSMRA85T00A562"), Err(CodiceFiscaleError::Form));
        check(&signed("RSSMRA85T35A562"), Err(CodiceFiscaleError::Form));
        check(&signed("RSSMRA85T72A562"), Err(CodiceFiscaleError::Form));
        let woman = signed("RSSMRA85T50A562");
        check(&woman, Ok(&woman));
    }

    #[test]
    fn omocodia_is_undone() {
        for first in ["RSSMRA85T10A56N", "RSSMRA85T10ARSN", "RSSMRAURTMLARSN", "RSSMRAU5T10A562"] {
            check(&signed(first), Ok("RSSMRA85T10A562S"));
        }
    }

    #[test]
    fn confused_letters_and_digits_are_put_right_where_the_check_proves_it() {
        // `O` is none of the letters that stand for digits.
        check("RSSMRA85T1OA562S", Ok("RSSMRA85T10A562S"));
        check("R5SMRA85T10A562S", Ok("RSSMRA85T10A562S"));
        check("RSSMRA85TI0A562S", Ok("RSSMRA85T10A562S"));
        check("RSSMRA85T1OA562T", Err(CodiceFiscaleError::Check));
        check("R8SMRA85T10A562S", Err(CodiceFiscaleError::Check));
    }

    #[test]
    fn a_code_says_birth_and_sex() {
        let check = |text: &str, date: &str, woman: bool| {
            let code = CodiceFiscale::parse(text).unwrap();
            assert_eq!(code.birth(), Birth::parse(date).ok(), "{text}");
            assert_eq!(code.is_woman(), Some(woman), "{text}");
        };
        check("RSSMRA85T10A562S", "1985-12-10", false);
        check(&signed("RSSMRA85T50A562"), "1985-12-10", true);
        check(&signed("RSSMRA03A15A562"), "2003-01-15", false);
        // Whoever was born in 1925 may have a case, a child of 2025 has none of its own.
        check("MRTMTT25D09F205Z", "1925-04-09", false);
        assert_eq!(CodiceFiscale::parse("00743110157").unwrap().birth(), None);
        // The 30th of February is none.
        assert_eq!(CodiceFiscale::parse(&signed("RSSMRA85B30A562")).unwrap().birth(), None);
    }

    #[test]
    fn provisional_codes() {
        check("00743110157", Ok("00743110157"));
        check("00743110158", Err(CodiceFiscaleError::Check));
        check("0074311015A", Err(CodiceFiscaleError::Form));
        let provisional = CodiceFiscale::parse("00743110157").unwrap();
        assert!(matches!(provisional, CodiceFiscale::Provisional(_)));
        assert!(!format!("{provisional:?}").contains("00743"));
    }

    proptest! {
        #[test]
        fn every_omocodia_of_a_code_is_one_value(mask in 0_u8..128) {
            let mut code = *b"MRTMTT25D09F205Z";
            for (bit, place) in DIGITS.iter().enumerate() {
                if mask >> bit & 1 == 1 {
                    code[*place] = OMOCODIA[usize::from(code[*place] - b'0')];
                }
            }
            code[15] = check_character(&code);
            let found = CodiceFiscale::parse(std::str::from_utf8(&code).unwrap()).unwrap();
            prop_assert_eq!(found.value().reveal(), "MRTMTT25D09F205Z");
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,20}") {
            let _ = CodiceFiscale::parse(&text).is_ok();
        }

        #[test]
        fn sixteen_characters_are_answered(text in "[A-Z0-9]{16}") {
            let _ = CodiceFiscale::parse(&text).is_ok();
        }
    }
}
