//! Text in capital Latin letters and digits, in which all comparisons happen.

use unicode_normalization::UnicodeNormalization;

/// Capital ASCII of a text (NFC, then `any_ascii`'s romanisation): `Müller` → `MULLER`,
/// `Шевченко` → `SHEVCHENKO`. Apostrophes vanish (`D'Angelo` → `DANGELO`).
pub(super) fn capitals(text: &str) -> String {
    let composed: String = text.nfc().filter(|letter| !is_apostrophe(*letter)).collect();
    let mut ascii = any_ascii::any_ascii(&composed);
    // What a romanisation marks with an apostrophe, such as an ayn, is no letter either.
    ascii.retain(|letter| !is_apostrophe(letter));
    ascii.make_ascii_uppercase();
    ascii
}

fn is_apostrophe(letter: char) -> bool {
    matches!(letter, '\'' | '’' | '‘' | '`' | '´' | 'ʼ' | 'ʻ' | 'ʿ' | 'ʾ')
}

/// A text in which a Chinese name has its parts apart: the family name is the first character,
/// the given name the one or two after it (`王小明` → `王 小明`).
pub(crate) fn spaced(text: &str) -> String {
    let is_han = |letter: char| matches!(letter, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
    let (mut out, mut run) = (String::new(), 0_usize);
    for letter in text.chars() {
        let han = is_han(letter);
        if (han && run < 2) || (!han && run > 0) {
            out.push(' ');
        }
        run = if han { run.saturating_add(1) } else { 0 };
        out.push(letter);
    }
    out
}

/// The words of a text: runs of capital letters and digits.
pub(crate) fn words(text: &str) -> Vec<String> {
    let capitals = capitals(text);
    let words = capitals.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Capital letters and digits alone, everything else left out: `ca 12.345` → `CA12345`.
pub(super) fn compact(text: &str) -> String {
    let capitals = capitals(text);
    capitals.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The digits of a text of digits and spaces, dots, hyphens, slashes; none if it holds
/// anything else.
pub(super) fn digits(text: &str) -> Option<String> {
    let kept = text.chars().filter(|letter| !letter.is_whitespace() && !".-/".contains(*letter));
    let kept: String = kept.collect();
    let all = !kept.is_empty() && kept.bytes().all(|byte| byte.is_ascii_digit());
    all.then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_capitals() {
        let check = |text: &str, expected: &[&str]| assert_eq!(words(text), expected, "{text}");
        check("Müller", &["MULLER"]);
        // Composed and decomposed letters are one.
        check("Perche\u{301}", &["PERCHE"]);
        check("Perché", &["PERCHE"]);
        check("D’Angelo D'Angelo D`Angelo", &["DANGELO", "DANGELO", "DANGELO"]);
        check("Шевченко", &["SHEVCHENKO"]);
        check("Nguyễn-Thị", &["NGUYEN", "THI"]);
        check("  ", &[]);
        assert_eq!(compact("ca 12.345/b"), "CA12345B");
    }

    #[test]
    fn chinese_names_have_two_parts() {
        let check = |text: &str, expected: &[&str]| {
            assert_eq!(words(&spaced(text)), expected, "{text}");
        };
        check("王小明", &["WANG", "XIAOMING"]);
        check("王 伟", &["WANG", "WEI"]);
        check("Wang 小明 Li", &["WANG", "XIAO", "MING", "LI"]);
        check("Mario Rossi", &["MARIO", "ROSSI"]);
    }

    #[test]
    fn numbers_are_digits_and_separators() {
        assert_eq!(digits("012 34-56.7/8").as_deref(), Some("012345678"));
        assert_eq!(digits("12a"), None);
        assert_eq!(digits(" . "), None);
    }
}
