//! The 12 words that two administrators read to each other over the phone.

use std::fmt;

use bip39::Language;
use subtle::ConstantTimeEq;

use crate::canonical::Writer;
use crate::id::Digest;
use crate::trust::keys::PublicKey;

/// How many words.
const WORDS: usize = 12;
/// How many bits one word of the list of 2048 carries.
const BITS: usize = 11;

/// 12 words of the Italian BIP-39 list: the first 132 bits of the SHA-256 of canonical
/// `phone-code`, 11 bits a word, most significant bit first. Equal on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhoneCode {
    words: [&'static str; WORDS],
}

impl PhoneCode {
    /// The code of two nodes, whichever of them asks.
    pub fn between(one: &PublicKey, other: &PublicKey) -> Self {
        let (smaller, larger) = if one <= other { (one, other) } else { (other, one) };
        let writer = Writer::new("phone-code").bytes(smaller.as_bytes()).bytes(larger.as_bytes());
        let digest = writer.digest();
        let list = Language::Italian.word_list();
        // The list has 2^11 words, so that no index misses it.
        let word = |place| list.get(index(&digest, place)).copied().unwrap_or_default();
        Self { words: std::array::from_fn(word) }
    }

    /// The words in order.
    pub fn words(&self) -> &[&'static str; WORDS] {
        &self.words
    }

    /// Whether this is what was heard. Case, accents, commas and spaces do not matter; the
    /// comparison takes the same time wherever the texts differ.
    pub fn matches(&self, heard: &str) -> bool {
        let digest = |text: &str| Digest::of(normalised(text).as_bytes());
        digest(&self.to_string()).as_bytes().ct_eq(digest(heard).as_bytes()).into()
    }
}

impl fmt::Display for PhoneCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words.join(" "))
    }
}

/// The 11 bits of the word at `place`.
fn index(digest: &Digest, place: usize) -> usize {
    let bit = |at: usize| {
        let byte = digest.0.get(at / 8).copied().unwrap_or_default();
        usize::from(byte >> (7 - at % 8) & 1)
    };
    (place * BITS..(place + 1) * BITS).fold(0, |index, at| index << 1 | bit(at))
}

/// Lower case, without accents, one space between words.
fn normalised(text: &str) -> String {
    let plain: String = text.chars().flat_map(char::to_lowercase).filter_map(plain).collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The letter without its accent; a space for what separates words; nothing for a
/// combining accent.
fn plain(letter: char) -> Option<char> {
    match letter {
        'à' | 'á' | 'â' | 'ä' => Some('a'),
        'è' | 'é' | 'ê' | 'ë' => Some('e'),
        'ì' | 'í' | 'î' | 'ï' => Some('i'),
        'ò' | 'ó' | 'ô' | 'ö' => Some('o'),
        'ù' | 'ú' | 'û' | 'ü' => Some('u'),
        '\u{300}'..='\u{36f}' => None,
        letter if letter.is_alphanumeric() => Some(letter),
        _ => Some(' '),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> PhoneCode {
        PhoneCode::between(&PublicKey([1; 32]), &PublicKey([2; 32]))
    }

    fn check(change: impl Fn(&str) -> String, good: bool) {
        let heard = change(&sample().to_string());
        assert_eq!(sample().matches(&heard), good, "{heard:?}");
    }

    #[test]
    fn equal_on_both_sides_and_for_no_other_pair() {
        let (a, b, c) = (PublicKey([1; 32]), PublicKey([2; 32]), PublicKey([3; 32]));
        assert_eq!(PhoneCode::between(&a, &b), PhoneCode::between(&b, &a));
        assert_ne!(PhoneCode::between(&a, &b), PhoneCode::between(&a, &c));
        assert_ne!(PhoneCode::between(&a, &b), PhoneCode::between(&b, &c));
    }

    /// The bits in plain arithmetic, over the documented layout.
    #[test]
    fn words_are_eleven_bits_each() {
        let input =
            [b"raccordo/v1/phone-code\0\0\0\0\x20".as_slice(), &[1; 32], b"\0\0\0\x20", &[2; 32]];
        let digest = Digest::of(&input.concat());
        let bits: String = digest.0.iter().map(|byte| format!("{byte:08b}")).collect();
        for (place, word) in sample().words().iter().enumerate() {
            let index = usize::from_str_radix(&bits[place * 11..place * 11 + 11], 2).unwrap();
            assert_eq!(*word, Language::Italian.word_list()[index]);
        }
    }

    #[test]
    fn what_the_ear_and_the_keyboard_change_does_not_matter() {
        check(str::to_owned, true);
        check(str::to_uppercase, true);
        check(|code| code.replace(' ', ",  "), true);
        check(|code| format!("  {code}.\n"), true);
        check(|code| code.replace('a', "à").replace('o', "o\u{300}"), true);
    }

    #[test]
    fn other_words_are_refused() {
        check(|_| String::new(), false);
        check(|code| code.replace(' ', ""), false);
        check(|code| format!("{code} abaco"), false);
        check(|code| code.split(' ').skip(1).collect::<Vec<_>>().join(" "), false);
        check(|code| code.split(' ').rev().collect::<Vec<_>>().join(" "), false);
    }
}
