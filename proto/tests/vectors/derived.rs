//! What follows from keys, halves and values.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use curve25519_dalek::ristretto::CompressedRistretto;
use curve25519_dalek::{RistrettoPoint, Scalar};
use ed25519_dalek::{Signature, VerifyingKey};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest as _, Sha256, Sha512};
use voprf::{Ristretto255, VoprfServer};

use crate::schema::Schema;
use crate::{bytes, canonical, sha256, text};

pub fn check(schema: &Schema, name: &str, vector: &Value) {
    match name {
        "signature" => signature(vector),
        "TLS pin" => {
            // RFC 8410 section 4.
            let prefix = hex::decode("302a300506032b6570032100").unwrap();
            let spki = [prefix, bytes(&vector["key"])].concat();
            assert_eq!(spki.len(), 44);
            assert_eq!(sha256(&spki), bytes(&vector["pin"]));
        }
        "card file" => assert_eq!(card_file(text(&vector["file"])), bytes(&vector["card"])),
        "phone code" => phone_code(vector),
        "padded pack" => padded(vector),
        "pair secret" => {
            let halves = &vector["halves"];
            let both = [bytes(&halves["toscana"]), bytes(&halves["umbria"])].concat();
            assert_eq!(expand(&both, &bytes(&vector["info"])), bytes(&vector["secret"]));
            let info = schema.types.get(&("pair-secret".to_owned(), String::new()));
            canonical::read("pair-secret", info.unwrap(), &bytes(&vector["info"]));
        }
        "dealing proof" => dealing_proof(vector),
        "tag" => {
            let key = expand(&bytes(&vector["secret"]), &bytes(&vector["info"]));
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(&bytes(&vector["token"]));
            assert_eq!(mac.finalize().into_bytes()[..16], bytes(&vector["tag"]));
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
            mac.update(b"facts");
            mac.update(&bytes(&vector["object"]));
            mac.update(&bytes(&vector["token"]));
            assert_eq!(mac.finalize().into_bytes()[..1], bytes(&vector["mask"]));
        }
        "token" => token(vector),
        other => panic!("{other} is not known"),
    }
}

fn signature(vector: &Value) {
    let key: [u8; 32] = bytes(&vector["key"]).try_into().unwrap();
    let made: [u8; 64] = bytes(&vector["signature"]).try_into().unwrap();
    let key = VerifyingKey::from_bytes(&key).unwrap();
    let message = bytes(&vector["message"]);
    let verified = key.verify_strict(&message, &Signature::from_bytes(&made));
    assert!(verified.is_ok(), "{} is not signed by this key", vector["by"]);
}

/// FROST(ristretto255, SHA-512), RFC 9591 sections 6.2 and 4.6: `z * B = R + c * PK`, where `c`
/// is the hash of R, key and message.
fn dealing_proof(vector: &Value) {
    let point = |bytes: &[u8]| {
        let point = CompressedRistretto::from_slice(bytes).unwrap().decompress();
        point.expect("a canonical element")
    };
    let (key, proof) = (bytes(&vector["key"]), bytes(&vector["proof"]));
    let (commitment, response) = proof.split_at(32);
    let hash = Sha512::new()
        .chain_update(b"FROST-RISTRETTO255-SHA512-v1chal")
        .chain_update(commitment)
        .chain_update(&key)
        .chain_update(bytes(&vector["message"]));
    let challenge = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
    let response = Scalar::from_canonical_bytes(response.try_into().unwrap()).unwrap();
    let expected = point(commitment) + challenge * point(&key);
    assert_eq!(RistrettoPoint::mul_base(&response), expected);
}

/// What stands between the marks.
fn card_file(file: &str) -> Vec<u8> {
    let begin = "-----BEGIN RACCORDO CARD-----";
    let end = "-----END RACCORDO CARD-----";
    let mut lines = file.lines().skip_while(|line| line.is_empty() || line.starts_with('#'));
    assert_eq!(lines.next(), Some(begin));
    let encoded: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
    assert!(lines.all(|line| line.is_empty() || line.starts_with('#')));
    let (last, full) = encoded.split_last().unwrap();
    assert!(full.iter().all(|line| line.len() == 64) && last.len() <= 64);
    STANDARD.decode(encoded.concat()).unwrap()
}

fn phone_code(vector: &Value) {
    let digest = bytes(&vector["phone-code"]);
    let bit = |at: usize| usize::from(digest[at / 8] >> (7 - at % 8) & 1);
    let list = bip39::Language::Italian.word_list();
    let word = |place: usize| {
        list[(place * 11..place * 11 + 11).fold(0, |index, at| index << 1 | bit(at))]
    };
    let words: Vec<&str> = (0..12).map(word).collect();
    assert_eq!(words.join(" "), text(&vector["words"]));
}

fn padded(vector: &Value) {
    let (pack, padded) = (bytes(&vector["pack"]), bytes(&vector["padded"]));
    let (length, rest) = padded.split_first_chunk::<4>().unwrap();
    let (content, zeros) = rest.split_at(u32::from_be_bytes(*length) as usize);
    assert_eq!(content, pack);
    assert!(zeros.iter().all(|byte| *byte == 0));
    let sizes = [1, 4, 16, 64].map(|kib: usize| kib * 1024);
    assert_eq!(sizes.into_iter().find(|size| *size >= pack.len() + 4), Some(padded.len()));
}

fn expand(secret: &[u8], info: &[u8]) -> Vec<u8> {
    let mut out = vec![0; 32];
    Hkdf::<Sha256>::new(None, secret).expand(info, &mut out).unwrap();
    out
}

/// The whole key, which nobody ever has, from the shares at the places 1 and 2: their line at 0.
fn token(vector: &Value) {
    let shares = vector["shares"].as_array().unwrap().iter();
    let scalar = |share: &Value| {
        let bytes: [u8; 32] = bytes(share).try_into().unwrap();
        Option::<Scalar>::from(Scalar::from_canonical_bytes(bytes)).unwrap()
    };
    let shares: Vec<Scalar> = shares.map(scalar).collect();
    let key = shares[0] + shares[0] - shares[1];
    let public = RistrettoPoint::mul_base(&key).compress();
    assert_eq!(public.as_bytes(), &bytes(&vector["public key"])[..]);
    let input = format!(
        "v1|{}|{}|{}|{}|{}",
        text(&vector["lineage"]),
        vector["key epoch"],
        text(&vector["class"]),
        text(&vector["family"]),
        text(&vector["value"]),
    );
    let server = VoprfServer::<Ristretto255>::new_with_key(key.as_bytes()).unwrap();
    let output = server.evaluate(input.as_bytes()).unwrap();
    assert_eq!(output[..16], bytes(&vector["token"]));
}
