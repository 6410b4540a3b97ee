//! Numbers of companies: partita IVA, numeric codice fiscale, REA.
//!
//! Partita IVA and a company's codice fiscale are numbers of one register with one check
//! digit (D.P.R. 633/1972 art. 35, D.M. 23/12/1976), and mostly equal: they are one family,
//! so that a region that noted the one meets a region that noted the other.

use super::plain;
use crate::secret::Secret;

/// Why a text is no number of a company: the operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CompanyNumberError {
    /// Not eleven digits.
    #[error("a partita IVA has 11 digits")]
    Length,
    /// Another check digit: a typing error.
    #[error("the check digit is wrong: look at the number again")]
    Check,
    /// Not two letters and a number.
    #[error("a REA number is a province's two letters and up to 7 digits, such as FI-123456")]
    Rea,
}

/// Whether eleven digits end in their check digit: Luhn's, with every second digit doubled
/// from the left.
pub(super) fn has_check_digit(digits: &str) -> bool {
    let values = digits.bytes().map(|byte| u32::from(byte.wrapping_sub(b'0')));
    let doubled = values.enumerate().map(|(place, value)| match place % 2 {
        0 => value,
        _ => value * 2 / 10 + value * 2 % 10,
    });
    digits.len() == 11
        && digits.bytes().any(|digit| digit != b'0')
        && doubled.sum::<u32>() % 10 == 0
}

/// A partita IVA or a company's codice fiscale: `IT 0074391-0158` style spellings lose `IT`
/// and separators → `00743110157`. Zeros that a spreadsheet took from the front, and letters that
/// were taken for digits (`O`, `I`), are put right where the check digit proves it; else the
/// number is refused.
///
/// # Errors
/// [`CompanyNumberError::Length`] or [`CompanyNumberError::Check`].
pub fn partita_iva(text: &str) -> Result<Secret<String>, CompanyNumberError> {
    let upper = text.trim().to_ascii_uppercase();
    let number = upper.strip_prefix("IT").unwrap_or(&upper);
    let meant = number.replace(['O', 'Q'], "0").replace(['I', 'L'], "1");
    let digits = plain::digits(&meant).ok_or(CompanyNumberError::Length)?;
    // The number of an office's companies and the office's own have five digits at least.
    let digits = match digits.len() {
        5..11 => format!("{digits:0>11}"),
        _ => digits,
    };
    match digits.len() {
        11 if has_check_digit(&digits) => Ok(Secret::new(digits)),
        11 => Err(CompanyNumberError::Check),
        _ => Err(CompanyNumberError::Length),
    }
}

/// A number in the chambers' economic register: `FI 0123456`, `REA n. fi-123456` →
/// `FI-123456`. Numbers count per province.
///
/// # Errors
/// [`CompanyNumberError::Rea`].
pub fn rea(text: &str) -> Result<Secret<String>, CompanyNumberError> {
    let compact = plain::compact(text);
    let rest = compact.strip_prefix("REA").unwrap_or(&compact);
    // `N` stands for `numero`, unless it begins a province (NA, NO, NU) followed by digits.
    let rest = match rest.strip_prefix('N') {
        Some(after) if after.bytes().take(2).all(|byte| byte.is_ascii_uppercase()) => after,
        _ => rest,
    };
    let (province, number) = rest.split_at_checked(2).ok_or(CompanyNumberError::Rea)?;
    let number = number.trim_start_matches('0');
    let good = province.bytes().all(|byte| byte.is_ascii_uppercase())
        && (1..=7).contains(&number.len())
        && number.bytes().all(|byte| byte.is_ascii_digit());
    match good {
        true => Ok(Secret::new(format!("{province}-{number}"))),
        false => Err(CompanyNumberError::Rea),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn iva(text: &str, expected: Result<&str, CompanyNumberError>) {
        let found = partita_iva(text);
        let found = found.as_ref().map(|value| value.reveal().as_str()).map_err(|error| *error);
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn partite_iva() {
        iva("00743110157", Ok("00743110157"));
        iva("IT00743110157", Ok("00743110157"));
        iva(" it 007 431 101-57 ", Ok("00743110157"));
        iva("00743110158", Err(CompanyNumberError::Check));
        iva("0074311015", Err(CompanyNumberError::Check));
        // A spreadsheet takes zeros from the front; the check digit proves which.
        iva("743110157", Ok("00743110157"));
        iva("OO743110157", Ok("00743110157"));
        iva("0074311O157", Ok("00743110157"));
        iva("743110158", Err(CompanyNumberError::Check));
        iva("1234", Err(CompanyNumberError::Length));
        iva("007431101570", Err(CompanyNumberError::Length));
        iva("00000000000", Err(CompanyNumberError::Check));
        iva("FR00743110157", Err(CompanyNumberError::Length));
        iva("", Err(CompanyNumberError::Length));
        iva("００７４３１１０１５７", Err(CompanyNumberError::Length));
    }

    fn check_rea(text: &str, expected: Option<&str>) {
        let found = rea(text).ok();
        assert_eq!(found.as_ref().map(|value| value.reveal().as_str()), expected, "{text}");
    }

    #[test]
    fn rea_numbers() {
        check_rea("FI-123456", Some("FI-123456"));
        check_rea("fi 0123456", Some("FI-123456"));
        check_rea("REA n. FI - 123456", Some("FI-123456"));
        check_rea("REA FI/123456", Some("FI-123456"));
        check_rea("NA-1234567", Some("NA-1234567"));
        check_rea("n. NA 1234567", Some("NA-1234567"));
        check_rea("123456", None);
        check_rea("FI-", None);
        check_rea("FI-0", None);
        check_rea("FI-12345678", None);
        check_rea("FI-12A", None);
        check_rea("", None);
    }

    proptest! {
        #[test]
        fn one_wrong_digit_is_found(number in 1_u64..1_000_000_000, place in 0_usize..11, off in 1_u8..10) {
            let number = format!("{number:010}");
            let good = (0..10).map(|check| format!("{number}{check}")).find(|all| has_check_digit(all));
            let mut digits = good.unwrap().into_bytes();
            digits[place] = b'0' + (digits[place] - b'0' + off) % 10;
            prop_assert!(!has_check_digit(std::str::from_utf8(&digits).unwrap()));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = (partita_iva(&text).is_ok(), rea(&text).is_ok());
        }
    }
}
