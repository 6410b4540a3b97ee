//! HPKE letters, opened with their private keys.

use hpke_rs::{Hpke, HpkePrivateKey, Mode};
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use serde_json::Value;

use crate::schema::{Schema, Sealed};
use crate::{bytes, canonical, text};

/// Bytes of an X-Wing encapsulation.
const ENCAPSULATION: usize = 1120;

/// The word in backticks.
fn quoted(said: &str) -> &str {
    said.split('`').nth(1).unwrap_or_else(|| panic!("{said}"))
}

pub fn check(schema: &Schema, described: &Sealed, vector: &Value) {
    let info = quoted(&described.info);
    let aad = match described.aad.as_str() {
        "the recipient's node id" => text(&vector["aad"]).as_bytes().to_vec(),
        said => {
            let name = quoted(said).to_owned();
            let fields = &schema.types[&(name.clone(), String::new())];
            canonical::write(&name, fields, &vector["aad"])
        }
    };
    let letter = bytes(&vector["letter"]);
    let plaintext = bytes(&vector["plaintext"]);
    assert_eq!(letter.len(), ENCAPSULATION + plaintext.len() + 16);
    let (encapsulation, ciphertext) = letter.split_at(ENCAPSULATION);
    let hpke = Hpke::<HpkeRustCrypto>::new(
        Mode::Base,
        KemAlgorithm::XWingDraft06,
        KdfAlgorithm::HkdfSha256,
        AeadAlgorithm::Aes128Gcm,
    );
    let key = HpkePrivateKey::new(bytes(&vector["private_key"]));
    let open = |info: &[u8], aad: &[u8]| {
        hpke.open(encapsulation, &key, info, aad, ciphertext, None, None, None)
    };
    assert_eq!(open(info.as_bytes(), &aad).unwrap(), plaintext, "{info}");
    assert!(open(b"raccordo/v1/other", &aad).is_err());
    assert!(open(info.as_bytes(), &[&aad[..], &[0]].concat()).is_err());
    let length = described.plaintext.strip_suffix(" bytes").and_then(|count| count.parse().ok());
    assert!(length.is_none_or(|length: usize| length == plaintext.len()), "{info}");
}
