//! Cards: files as people get them, containers, and what a hostile maker signs itself.

use raccordo_core::number::bounded;
use raccordo_core::time::Instant;
use raccordo_core::trust::card::SignedCard;
use raccordo_core::trust::phone_code::PhoneCode;
use raccordo_core::trust::succession;

use super::{choice, fixture};

/// A byte for the form, then the card.
pub fn run(data: &[u8]) -> bool {
    let Some((form, bytes)) = choice(data) else { return false };
    match form % 3 {
        0 => std::str::from_utf8(bytes).is_ok_and(file),
        1 => container(bytes),
        _ => made(bytes),
    }
}

fn file(text: &str) -> bool {
    let Ok(card) = SignedCard::from_file(text) else { return false };
    assert_eq!(SignedCard::from_file(&card.to_file()).as_ref(), Ok(&card));
    judged(&card);
    true
}

fn container(bytes: &[u8]) -> bool {
    let Ok(card) = SignedCard::decode(bytes) else { return false };
    assert_eq!(card.encode(), bytes);
    assert_eq!(SignedCard::decode_verified(bytes).as_ref(), Ok(&card));
    judged(&card);
    true
}

/// Canonical bytes that the owner of a known key signs, whatever they say.
fn made(bytes: &[u8]) -> bool {
    // Everything but the signature is checked without one, a hundred times faster.
    if SignedCard::verified(bytes, &[0; 64]).is_err() {
        return false;
    }
    let key = fixture::identity(0);
    let Ok(card) = SignedCard::parse(bytes, &key.sign(bytes)) else { return false };
    assert_eq!(card.card().identity, key.public());
    assert_eq!(card.card().clone().sign(&key).as_ref(), Ok(&card));
    judged(&card);
    true
}

/// What is asked of a card that is offered.
fn judged(card: &SignedCard) {
    assert!(bounded(card.card().serial).is_some());
    let known = fixture::card(0);
    let now = fixture::NOW;
    for at in [now, Instant(i64::MIN), Instant(i64::MAX)] {
        let valid = card.valid_at(at).is_ok();
        assert!(!valid || card.card().valid_from <= at);
        let _ = succession::judge(&known, card, at);
        let _ = succession::judge(card, &known, at);
    }
    let code = PhoneCode::between(&known.card().identity, &card.card().identity);
    let other = PhoneCode::between(&card.card().identity, &known.card().identity);
    assert_eq!(code.words(), other.words());
    assert!(code.matches(&code.words().join(" ")));
}

pub fn examples() -> Vec<Vec<u8>> {
    let card = fixture::card(0);
    let successor = raccordo_core::trust::card::Card { serial: 2, ..card.card().clone() };
    let successor = successor.sign(&fixture::identity(0)).unwrap();
    let with = |form: u8, bytes: &[u8]| [&[form], bytes].concat();
    vec![
        with(0, card.to_file().as_bytes()),
        with(1, &fixture::card(3).encode()),
        with(2, card.bytes()),
        with(2, successor.bytes()),
    ]
}
