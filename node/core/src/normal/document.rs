//! Residence permits and passports.

use super::plain;
use crate::secret::Secret;

/// Why a text is no document's number: the operator's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// Too few or too many characters, or too few digits.
    #[error("a document's number has 6 to 14 letters and digits, five digits at least")]
    Form,
    /// All digits are one and the same: a placeholder.
    #[error("this number stands for an unknown one: leave it empty")]
    Placeholder,
    /// No code of ISO 3166-1.
    #[error("the country that gave the passport is missing or no code of two letters")]
    Country,
}

/// A residence permit's number: letters and digits, separators left out: `i 0012 3456` →
/// `I00123456`. The State gives the numbers, so that they need no place.
///
/// # Errors
/// [`DocumentError::Form`] or [`DocumentError::Placeholder`].
pub fn permit(text: &str) -> Result<Secret<String>, DocumentError> {
    number(text).map(Secret::new)
}

/// A passport's number with the country that gave it (ISO 3166-1, two letters), since
/// countries count alike: `bd`, `AB 1234567` → `BD:AB1234567`. Without the country nothing is
/// made of it.
///
/// # Errors
/// [`DocumentError`].
pub fn passport(country: &str, text: &str) -> Result<Secret<String>, DocumentError> {
    let country = country.trim().to_ascii_uppercase();
    if country.len() != 2 || !country.bytes().all(|byte| byte.is_ascii_uppercase()) {
        return Err(DocumentError::Country);
    }
    Ok(Secret::new(format!("{country}:{}", number(text)?)))
}

fn number(text: &str) -> Result<String, DocumentError> {
    let compact = plain::compact(text);
    let digits: Vec<u8> = compact.bytes().filter(u8::is_ascii_digit).collect();
    if !(6..=14).contains(&compact.len()) || digits.len() < 5 {
        return Err(DocumentError::Form);
    }
    if digits.iter().all(|digit| Some(digit) == digits.first()) {
        return Err(DocumentError::Placeholder);
    }
    Ok(compact)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: Result<Secret<String>, DocumentError>, expected: Result<&str, DocumentError>) {
        let found = found.as_ref().map(|value| value.reveal().as_str()).map_err(|error| *error);
        assert_eq!(found, expected);
    }

    #[test]
    fn permits() {
        check(permit("i 0012 3456"), Ok("I00123456"));
        check(permit("I-00123456"), Ok("I00123456"));
        check(permit("12345"), Err(DocumentError::Form));
        check(permit("ABCDEF1234"), Err(DocumentError::Form));
        check(permit("123456789012345"), Err(DocumentError::Form));
        check(permit("I00000000"), Err(DocumentError::Placeholder));
        check(permit("999999999"), Err(DocumentError::Placeholder));
        check(permit(""), Err(DocumentError::Form));
    }

    #[test]
    fn passports() {
        check(passport("bd", "AB 1234567"), Ok("BD:AB1234567"));
        check(passport("MA", "ab1234567"), Ok("MA:AB1234567"));
        check(passport("", "AB1234567"), Err(DocumentError::Country));
        check(passport("BGD", "AB1234567"), Err(DocumentError::Country));
        check(passport("BD", "AB"), Err(DocumentError::Form));
    }
}
