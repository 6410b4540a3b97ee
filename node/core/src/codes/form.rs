//! What the codes of a list look like, so that a code which a list does not know yet can be
//! told from any other text.

/// The longest code of any list, in bytes.
const CODE_BYTES_MAX: usize = 64;

/// Length and alphabet of a list's codes, in all its versions: `LENGTH ALPHABET`, such as
/// `6 0-9` or `1-40 A-Za-z`. The length is one number of bytes or the smallest and the largest,
/// from 1 to 64; the alphabet is ASCII letters, digits and marks, with `a-z` for all from the
/// one to the other, and `-` itself in the last place. White space, commas, quotation marks,
/// `<`, `&`, `\` and `` ` `` belong to no code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeForm {
    shortest: usize,
    longest: usize,
    /// One bit for each ASCII byte.
    alphabet: u128,
    text: String,
}

impl CodeForm {
    /// Reads a form; `None` where the text is none.
    pub fn parse(text: &str) -> Option<Self> {
        let (length, alphabet) = text.split_once(' ')?;
        let (shortest, longest) = match length.split_once('-') {
            Some((shortest, longest)) => (shortest.parse().ok()?, longest.parse().ok()?),
            None => (length.parse().ok()?, length.parse().ok()?),
        };
        let alphabet = read_alphabet(alphabet.as_bytes())?;
        let good = 1 <= shortest && shortest <= longest && longest <= CODE_BYTES_MAX;
        good.then(|| Self { shortest, longest, alphabet, text: text.to_owned() })
    }

    /// Whether a text has this form.
    pub fn fits(&self, text: &str) -> bool {
        (self.shortest..=self.longest).contains(&text.len())
            && text.bytes().all(|byte| bit(byte) & self.alphabet != 0)
    }

    /// The form as a file says it.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The set of the bytes that an alphabet names; `None` for an empty one, and one that holds what
/// belongs to no code.
fn read_alphabet(mut rest: &[u8]) -> Option<u128> {
    let mut alphabet = 0;
    while let Some((first, after)) = rest.split_first() {
        let (last, after) = match after {
            [b'-', last, after @ ..] => (last, after),
            _ => (first, after),
        };
        if first > last || !(*first..=*last).all(belongs) {
            return None;
        }
        alphabet = (*first..=*last).fold(alphabet, |set, byte| set | bit(byte));
        rest = after;
    }
    (alphabet != 0).then_some(alphabet)
}

fn belongs(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b",\"'<&\\`".contains(&byte)
}

fn bit(byte: u8) -> u128 {
    1_u128.checked_shl(byte.into()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_read() {
        let check = |form: &str, good: &[&str], bad: &[&str]| {
            let form = CodeForm::parse(form).unwrap();
            for text in good {
                assert!(form.fits(text), "{form:?} {text}");
            }
            for text in bad {
                assert!(!form.fits(text), "{form:?} {text}");
            }
        };
        check("6 0-9", &["048017"], &["48017", "0480170", "04801a", "04801 ", ""]);
        check("1-9 a-z_", &["pay", "hours_all"], &["Pay", "hours_rest", "pay\n", "è"]);
        check("1-3 0-9>-", &["1", "2-3", ">3"], &["<3", "2~3", "a"]);
        check("1 -", &["-"], &["a"]);
    }

    #[test]
    fn what_is_no_form() {
        for text in [
            "", "6", "6 ", "0 a", "3-2 a", "65 a", "a 6", "2 z-a", "2 a b", "2 a,", "2 \"",
            "2 !-~", "2 <", "2 è", "2-b a",
        ] {
            assert_eq!(CodeForm::parse(text), None, "{text:?}");
        }
    }
}
