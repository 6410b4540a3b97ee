//! Text that others wrote: what in it could steer what shows it, and how it is shown instead.
//!
//! A name of a peer, a reason or a code reaches terminals, log files and pages. Control
//! characters and escape sequences steer terminals (ECMA-48), line breaks forge lines, and
//! bidirectional controls (UAX #9 §2) and invisible characters make a text read as another one
//! (UTS #39 §5). None of them is ever shown as it is.

use std::borrow::Cow;

/// What stands in place of a character that is not shown.
pub const REPLACEMENT: char = '\u{fffd}';

/// Whether a character steers what shows it, or is not seen: control characters (also line
/// breaks and tabs), separators of lines and paragraphs, bidirectional controls, and
/// characters without a picture. The joiners U+200C and U+200D, which some scripts need
/// (UAX #31 §2.3), are none of them.
pub fn steers(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}'
                | '\u{1d173}'..='\u{1d17a}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Whether a text is one trimmed line of 1 to `bytes_max` bytes of which nothing
/// [`steers`] what shows it.
pub fn is_line(text: &str, bytes_max: usize) -> bool {
    (1..=bytes_max).contains(&text.len()) && text.trim() == text && !text.chars().any(steers)
}

/// A text on one line, with [`REPLACEMENT`] for each character that [`steers`].
pub fn on_one_line(text: &str) -> Cow<'_, str> {
    shown(text, |_| false)
}

/// As [`on_one_line`], for text of several lines: line feeds and tabs stay.
pub fn on_lines(text: &str) -> Cow<'_, str> {
    shown(text, |letter| matches!(letter, '\n' | '\t'))
}

fn shown(text: &str, stays: impl Fn(char) -> bool) -> Cow<'_, str> {
    let hidden = |letter: char| steers(letter) && !stays(letter);
    if !text.chars().any(hidden) {
        return Cow::Borrowed(text);
    }
    text.chars().map(|letter| if hidden(letter) { REPLACEMENT } else { letter }).collect()
}

/// A text on one line with `\u` and four hexadecimal digits (two such pairs beyond U+FFFF) for
/// each character that [`steers`]: what JSON (RFC 8259 §7) reads back as the same, and a person
/// at a terminal reads as it stands.
pub fn escaped(text: &str) -> Cow<'_, str> {
    if !text.chars().any(steers) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len().saturating_mul(2));
    for letter in text.chars() {
        if steers(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                kept.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            kept.push(letter);
        }
    }
    Cow::Owned(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers() {
        let check = |text: &str, steering: bool| {
            assert_eq!(text.chars().any(steers), steering, "{text:?}");
        };
        check("Regione Toscana – Città d'Ösö, 東京 👷", false);
        check("می\u{200c}خواهم", false);
        for steering in [
            "\u{1b}[2J",
            "a\u{9b}1m",
            "a\rb",
            "a\nb",
            "a\tb",
            "a\u{7f}",
            "a\0",
            "\u{202e}gpj",
            "\u{2066}a\u{2069}",
            "\u{200f}",
            "a\u{61c}b",
            "a\u{2028}b",
            "a\u{200b}b",
            "\u{feff}a",
            "a\u{e0041}",
            "a\u{ad}b",
        ] {
            check(steering, true);
        }
    }

    #[test]
    fn lines() {
        let check = |text: &str, good: bool| assert_eq!(is_line(text, 10), good, "{text:?}");
        check("Umbria", true);
        check("", false);
        check(" Umbria", false);
        check("Umbria e Lazio", false);
        check("Um\u{202e}bria", false);
        check("Um\nbria", false);
    }

    #[test]
    fn shown_on_one_line_and_on_several() {
        assert_eq!(on_one_line("a\u{1b}[1mb\nc\u{202e}d"), "a\u{fffd}[1mb\u{fffd}c\u{fffd}d");
        assert_eq!(on_lines("a\u{1b}b\n\tc\r"), "a\u{fffd}b\n\tc\u{fffd}");
        assert!(matches!(on_one_line("Città"), Cow::Borrowed("Città")));
    }

    #[test]
    fn what_is_escaped_is_the_same_json() {
        let said = "a\u{9b}\u{202e}b\u{e0041}\u{7f}";
        let json = serde_json::to_string(said).unwrap();
        let line = escaped(&json);
        assert!(!line.chars().any(steers), "{line}");
        assert_eq!(serde_json::from_str::<String>(&line).unwrap(), said);
        assert_eq!(escaped("{\"a\":1}"), "{\"a\":1}");
        assert_eq!(escaped("a\nb"), "a\\u000ab");
    }
}
