//! The card as a text file: what administrators send each other.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{CardError, SignedCard};

pub(super) const BEGIN: &str = "-----BEGIN RACCORDO CARD-----";
pub(super) const END: &str = "-----END RACCORDO CARD-----";
/// Base64 characters per line of a card file.
const LINE: usize = 64;

impl SignedCard {
    /// The card as a text file: comments for people, then base64 between two marks.
    pub fn to_file(&self) -> String {
        let card = &self.card;
        let mut text = format!(
            "# Raccordo card of {} ({}), serial {}, valid until {}.\n\
             # Public. Whoever adds it compares 12 words with its administrator by phone.\n\
             {BEGIN}\n",
            card.node, card.name, card.serial, card.valid_until
        );
        let encoded = STANDARD.encode(self.encode());
        for (place, letter) in encoded.chars().enumerate() {
            if place > 0 && place % LINE == 0 {
                text.push('\n');
            }
            text.push(letter);
        }
        text.push('\n');
        text.push_str(END);
        text.push('\n');
        text
    }

    /// Reads a card file, and verifies the card.
    ///
    /// # Errors
    /// [`CardError::File`] for any text outside the marks that is no comment, a missing or
    /// repeated mark, or lines that are no base64; else as [`SignedCard::parse`].
    pub fn from_file(text: &str) -> Result<Self, CardError> {
        let mut lines = text.lines().map(str::trim_end);
        let comment = |line: &&str| line.is_empty() || line.starts_with('#');
        match lines.find(|line| !comment(line)) {
            Some(BEGIN) => {}
            Some(_) => return Err(CardError::File("text other than comments before BEGIN")),
            None => return Err(CardError::File("no BEGIN RACCORDO CARD line")),
        }
        let mut encoded = String::new();
        loop {
            match lines.next() {
                Some(END) => break,
                Some(line) => encoded.push_str(line),
                None => return Err(CardError::File("no END RACCORDO CARD line")),
            }
        }
        if !lines.all(|line| comment(&line)) {
            return Err(CardError::File("text other than comments after END"));
        }
        let container = STANDARD.decode(&encoded);
        Self::decode(&container.map_err(|_| CardError::File("the lines are not base64"))?)
    }
}
