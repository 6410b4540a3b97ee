//! Cards that are read, refused, and followed by newer ones.

use super::file::END;
use super::*;
use crate::sealing::SealingKey;
use crate::secret::Secret;
use crate::trust::key_check::tests::{degenerate_ed25519, degenerate_x_wing};

fn sample() -> Card {
    sample_of(&key())
}

fn sample_of(identity: &IdentityKey) -> Card {
    Card {
        node: "toscana".parse().unwrap(),
        name: "Regione Toscana".to_owned(),
        ipa_code: Some("r_toscan".to_owned()),
        identity: identity.public(),
        hub_endpoint: Some("hub.toscana.example:7443".to_owned()),
        tls_key: prove(4, KeyUse::Tls, identity),
        mls_key: prove(5, KeyUse::Mls, identity),
        sealing_key: SealingKey::derive(&Secret::new([6; 32])).unwrap().public().to_vec(),
        valid_from: Instant(1_000),
        valid_until: Instant(2_000),
        serial: 3,
    }
}

fn key() -> IdentityKey {
    IdentityKey::from_seed(&[1; 32])
}

fn prove(seed: u8, key_use: KeyUse, identity: &IdentityKey) -> ProvenKey {
    let secret = IdentityKey::from_seed(&[seed; 32]);
    ProvenKey::prove(&secret, key_use, &"toscana".parse().unwrap(), &identity.public())
}

fn check(change: impl FnOnce(&mut Card), expected: Result<(), CardError>) {
    let mut card = sample();
    change(&mut card);
    assert_eq!(card.sign(&key()).map(|_| ()), expected);
}

#[test]
fn ranges() {
    let range = |field| Err(CardError::Range(field));
    check(|_| {}, Ok(()));
    check(|card| card.name = String::new(), range("name"));
    check(|card| card.name = "two\nlines".to_owned(), range("name"));
    check(|card| card.name = "a".repeat(201), range("name"));
    check(|card| card.ipa_code = None, Ok(()));
    check(|card| card.ipa_code = Some("r toscan".to_owned()), range("IPA code"));
    check(|card| card.sealing_key = vec![6; 1215], range("sealing key"));
    check(|card| card.valid_until = card.valid_from, range("validity"));
    check(|card| card.serial = 0, range("serial"));
    check(|card| card.identity = PublicKey([9; 32]), Err(CardError::AnotherIdentity));
}

/// As a hostile node makes one: signed by its identity, whatever its other keys are.
fn forged(change: impl FnOnce(&mut Card), signer: &IdentityKey) -> Result<(), CardError> {
    let mut card = sample();
    change(&mut card);
    let bytes = card.canonical();
    SignedCard::parse(&bytes, &signer.sign(&bytes)).map(drop)
}

#[test]
fn a_key_of_another_node_is_not_proven() {
    let check = |change: fn(&mut Card), key_use| {
        let refused = forged(change, &key());
        assert_eq!(refused, Err(CardError::NotProven(key_use)));
        assert_eq!(refused.unwrap_err().reason(), "key_not_proven");
    };
    // Another node's own card shows this key and this proof.
    fn victim() -> ProvenKey {
        let (secret, owner) = (IdentityKey::from_seed(&[8; 32]), IdentityKey::from_seed(&[7; 32]));
        let node = "umbria".parse().unwrap();
        ProvenKey::prove(&secret, KeyUse::Tls, &node, &owner.public())
    }
    check(|card| card.tls_key = victim(), KeyUse::Tls);
    check(|card| card.tls_key.key = IdentityKey::from_seed(&[8; 32]).public(), KeyUse::Tls);
    check(|card| card.tls_key.proof = [0; 64], KeyUse::Tls);
    check(|card| card.mls_key.key = IdentityKey::from_seed(&[8; 32]).public(), KeyUse::Mls);
    // What one key has signed for one use is no proof for the other.
    check(|card| std::mem::swap(&mut card.tls_key, &mut card.mls_key), KeyUse::Tls);
    assert_eq!(forged(|_| {}, &key()), Ok(()));
}

#[test]
fn degenerate_keys_are_refused_in_every_place() {
    for (weak, fault) in degenerate_ed25519() {
        let tls = forged(|card| card.tls_key.key = PublicKey(weak), &key());
        assert_eq!(tls, Err(CardError::WeakKey(KeyUse::Tls, fault)));
        let mls = forged(|card| card.mls_key.key = PublicKey(weak), &key());
        assert_eq!(mls, Err(CardError::WeakKey(KeyUse::Mls, fault)));
        // Nobody can sign under one strictly: that is told first.
        let identity = forged(|card| card.identity = PublicKey(weak), &key());
        assert_eq!(identity, Err(CardError::Signature));
    }
    for weak in degenerate_x_wing() {
        let refused = forged(|card| card.sealing_key = weak.clone(), &key()).unwrap_err();
        let reason = refused.reason();
        assert!(matches!(reason, "weak_key" | "bad_card"), "{refused}");
    }
    let same = |card: &mut Card| card.tls_key = prove(1, KeyUse::Tls, &key());
    let refused = CardError::SameKey(KeyUse::Tls, KeyUse::Identity);
    assert_eq!(forged(same, &key()), Err(refused));
    let same = |card: &mut Card| card.mls_key = prove(4, KeyUse::Mls, &key());
    assert_eq!(forged(same, &key()), Err(CardError::SameKey(KeyUse::Mls, KeyUse::Tls)));
    let weak = Card { sealing_key: vec![0; SEALING_KEY_BYTES], ..sample() }.sign(&key());
    assert_eq!(weak.unwrap_err().reason(), "weak_key");
}

#[test]
fn endpoints() {
    let check = |text: &str, good| assert_eq!(is_endpoint(text), good, "{text:?}");
    check("hub.example:7443", true);
    check("127.0.0.1:1", true);
    check("[::1]:65535", true);
    check("hub.example", false);
    check("hub.example:0", false);
    check("hub.example:65536", false);
    check("hub.example:+7", false);
    check(":7443", false);
    check("::1:7443", false);
    check("https://hub.example:7443", false);
}

#[test]
fn container_and_file_are_read_back() {
    let signed = sample().sign(&key()).unwrap();
    assert_eq!(SignedCard::decode(&signed.encode()), Ok(signed.clone()));
    assert_eq!(SignedCard::decode_verified(&signed.encode()), Ok(signed.clone()));
    let file = signed.to_file();
    assert!(file.lines().all(|line| line.len() <= 120), "{file}");
    assert_eq!(SignedCard::from_file(&file), Ok(signed.clone()));
    assert_eq!(SignedCard::from_file(&file.replace('\n', "\r\n")), Ok(signed));
}

#[test]
fn every_flipped_byte_is_refused() {
    let container = sample().sign(&key()).unwrap().encode();
    for place in (0..container.len()).step_by(7) {
        let mut bent = container.clone();
        bent[place] ^= 1;
        let error = SignedCard::decode(&bent).unwrap_err();
        assert_eq!(error.reason(), "bad_card", "byte {place}");
    }
}

#[test]
fn files_are_read_strictly() {
    let file = sample().sign(&key()).unwrap().to_file();
    let check = |text: &str, why| {
        assert_eq!(SignedCard::from_file(text), Err(CardError::File(why)));
    };
    check("", "no BEGIN RACCORDO CARD line");
    check("hello\n", "text other than comments before BEGIN");
    check(&file.replace(END, ""), "no END RACCORDO CARD line");
    check(&format!("{file}more"), "text other than comments after END");
    check(&file.replace(END, &format!("!\n{END}")), "the lines are not base64");
}

#[test]
fn validity_and_succession() {
    let first = sample().sign(&key()).unwrap();
    assert_eq!(first.valid_at(Instant(999)).unwrap_err().reason(), "card_not_yet_valid");
    assert_eq!(first.valid_at(Instant(1_000)), Ok(()));
    assert_eq!(first.valid_at(Instant(2_000)).unwrap_err().reason(), "card_expired");

    let next = Card { serial: 4, ..sample() }.sign(&key()).unwrap();
    assert_eq!(next.succeeds(first.card()), Ok(()));
    assert_eq!(first.succeeds(next.card()).unwrap_err().reason(), "lower_serial");
    assert_eq!(first.succeeds(first.card()).unwrap_err().reason(), "lower_serial");
    let other = IdentityKey::from_seed(&[2; 32]);
    let stranger = Card { serial: 9, ..sample_of(&other) }.sign(&other);
    let refused = stranger.unwrap().succeeds(first.card()).unwrap_err();
    assert_eq!(refused.reason(), "another_identity");
}
