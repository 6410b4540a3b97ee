//! How entries rest, and how they are found: sealed one by one, indexed by keyed digests.

use prost::Message;

use super::{Entry, Field, canonical};
use crate::alert::Alert;
use crate::canonical::{CanonicalError, Reader, Writer};
use crate::entropy::Entropy;
use crate::id::{Digest, OrganisationId, RecordId};
use crate::secret::Secret;
use crate::vault::{RecordKey, Vault, VaultError};

/// What is sealed has a multiple of so many bytes, so that lengths tell little.
const BLOCK: usize = 64;

/// Why a sealed part of a record cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealedError {
    /// Another key, or changed bytes.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Written by no version of this program.
    #[error("a part of a record is damaged")]
    Damaged,
}

impl From<CanonicalError> for SealedError {
    fn from(_: CanonicalError) -> Self {
        Self::Damaged
    }
}

/// Context under which the entry at a place, from 0, is sealed.
pub fn entry_context(record: RecordId, place: u32) -> String {
    format!("register/{record}/{place}")
}

/// Context under which the codes of a case or company are sealed, by its id.
pub fn codes_context(id: &str) -> String {
    format!("register-codes/{id}")
}

/// Seals an entry: name of the field, list of its parts, and zeros up to a full block.
///
/// # Errors
/// Never, for entries of any real length.
pub fn seal_entry(
    key: &RecordKey,
    entropy: &dyn Entropy,
    context: &str,
    entry: &Entry,
) -> Result<Vec<u8>, VaultError> {
    let parts = entry.parts.iter().map(|part| part.reveal().as_bytes());
    let inner = Secret::new(Writer::record().text(entry.field.as_str()).list(parts).finish());
    key.seal(entropy, context, padded(inner.reveal()).reveal())
}

/// Opens an entry.
///
/// # Errors
/// [`SealedError`].
pub fn open_entry(key: &RecordKey, context: &str, sealed: &[u8]) -> Result<Entry, SealedError> {
    let opened = key.open(context, sealed)?;
    let mut reader = Reader::record(unpadded(opened.reveal())?);
    let field = Field::parse(reader.text("field")?).ok_or(SealedError::Damaged)?;
    let mut parts = Vec::new();
    for part in reader.list("parts")? {
        let text = std::str::from_utf8(part).map_err(|_| SealedError::Damaged)?;
        parts.push(text.to_owned());
    }
    reader.end()?;
    Ok(Entry::new(field, parts))
}

/// Seals what is said in codes.
///
/// # Errors
/// Never, for codes of any real length.
pub fn seal_codes(
    key: &RecordKey,
    entropy: &dyn Entropy,
    context: &str,
    codes: &Alert,
) -> Result<Vec<u8>, VaultError> {
    let bytes = Secret::new(codes.encode_to_vec());
    key.seal(entropy, context, padded(bytes.reveal()).reveal())
}

/// Opens codes.
///
/// # Errors
/// [`SealedError`].
pub fn open_codes(key: &RecordKey, context: &str, sealed: &[u8]) -> Result<Alert, SealedError> {
    let opened = key.open(context, sealed)?;
    Alert::decode(unpadded(opened.reveal())?).map_err(|_| SealedError::Damaged)
}

fn padded(inner: &[u8]) -> Secret<Vec<u8>> {
    // Two lengths of four bytes stand before inner bytes and zeros.
    let filled = inner.len().saturating_add(8) % BLOCK;
    let zeros = vec![0; BLOCK.saturating_sub(filled) % BLOCK];
    Secret::new(Writer::record().bytes(inner).bytes(&zeros).finish())
}

fn unpadded(bytes: &[u8]) -> Result<&[u8], SealedError> {
    let mut reader = Reader::record(bytes);
    let inner = reader.bytes("inner")?;
    reader.bytes("zeros")?;
    reader.end()?;
    Ok(inner)
}

/// The keyed digest by which an entry is found; none where it has nothing to be found by.
/// The same text in another field has another digest.
pub fn digest(index: &Vault, entry: &Entry) -> Option<Digest> {
    let text = canonical(entry)?;
    let purpose = format!("register/{}", entry.field.as_str());
    Some(Digest(index.index(&purpose, text.reveal().as_bytes())))
}

/// How an import is known: a keyed digest of the digest that its client made of file and
/// mapping, since a digest without a key would betray a short file.
pub fn import_digest(index: &Vault, source: &Digest) -> Digest {
    Digest(index.index("register-import", source.as_bytes()))
}

/// The id of the record on a line of an import: the same whenever it is imported.
pub fn record_of_line(index: &Vault, import: &Digest, line: u64) -> RecordId {
    let bytes = Writer::record().bytes(import.as_bytes()).integer(line).finish();
    record_id(index, "register-line", &bytes)
}

/// The id of the record that an organisation keeps under its own number.
pub fn record_of_reference(
    index: &Vault,
    organisation: OrganisationId,
    kind: super::RecordKind,
    reference: &Entry,
) -> Option<RecordId> {
    let text = canonical(reference)?;
    let bytes = Writer::record()
        .bytes(organisation.as_bytes())
        .text(kind.as_str())
        .text(text.reveal())
        .finish();
    Some(record_id(index, "register-reference", Secret::new(bytes).reveal()))
}

/// A UUID of version 8 (RFC 9562 §5.8) from a keyed digest.
fn record_id(index: &Vault, purpose: &str, bytes: &[u8]) -> RecordId {
    let digest = index.index(purpose, bytes);
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    RecordId(uuid::Builder::from_custom_bytes(id).into_uuid())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SeededEntropy;
    use crate::register::RecordKind;

    fn vault(key: u8) -> Vault {
        Vault::new(&Secret::new([key; 32]))
    }

    fn entry(field: Field, parts: &[&str]) -> Entry {
        Entry::new(field, parts.iter().map(|part| (*part).to_owned()))
    }

    #[test]
    fn entries_open_in_their_place_only() {
        let entropy = SeededEntropy::labelled("register");
        let key = vault(1).new_record_key(&entropy);
        let name = entry(Field::Name, &["Rossi", "Mario"]);
        let record = RecordId::random(&entropy);
        let context = entry_context(record, 0);
        let sealed = seal_entry(&key, &entropy, &context, &name).unwrap();
        assert_eq!(open_entry(&key, &context, &sealed), Ok(name));
        let elsewhere = open_entry(&key, &entry_context(record, 1), &sealed);
        assert_eq!(elsewhere, Err(SealedError::Vault(VaultError::Unopened)));
        let other = vault(1).new_record_key(&entropy);
        assert!(open_entry(&other, &context, &sealed).is_err());
    }

    #[test]
    fn lengths_tell_little() {
        let entropy = SeededEntropy::labelled("lengths");
        let key = vault(1).new_record_key(&entropy);
        let length = |text: &str| {
            let sealed = seal_entry(&key, &entropy, "c", &entry(Field::Phone, &[text])).unwrap();
            sealed.len() - crate::vault::OVERHEAD_BYTES
        };
        assert_eq!(length("1"), 64);
        assert_eq!(length("39055123456"), 64);
        for bytes in 1..200 {
            assert_eq!(length(&"1".repeat(bytes)) % 64, 0, "{bytes}");
        }
    }

    #[test]
    fn damaged_entries_are_told() {
        let entropy = SeededEntropy::labelled("damaged");
        let key = vault(1).new_record_key(&entropy);
        for bytes in [&b"junk"[..], b"", padded(b"junk").reveal()] {
            let sealed = key.seal(&entropy, "c", bytes).unwrap();
            assert_eq!(open_entry(&key, "c", &sealed), Err(SealedError::Damaged));
        }
    }

    #[test]
    fn codes_read_what_they_write() {
        let entropy = SeededEntropy::labelled("codes");
        let key = vault(1).new_record_key(&entropy);
        let codes = Alert { expires_on: "2027-01-01".into(), ..Alert::default() };
        let context = codes_context("7");
        let sealed = seal_codes(&key, &entropy, &context, &codes).unwrap();
        assert_eq!(open_codes(&key, &context, &sealed), Ok(codes));
        assert!(open_codes(&key, "other", &sealed).is_err());
    }

    #[test]
    fn digests_are_of_key_field_and_canonical_value() {
        let of = |key, field, text| digest(&vault(key), &entry(field, &[text]));
        let phone = of(1, Field::Phone, "+39 055 123456");
        assert!(phone.is_some());
        assert_eq!(phone, of(1, Field::Phone, "055-123456"));
        assert_ne!(phone, of(2, Field::Phone, "055-123456"));
        assert_ne!(phone, of(1, Field::Reference, "055-123456"));
        assert_eq!(of(1, Field::Phone, "-"), None);
    }

    #[test]
    fn ids_are_the_same_whenever_they_are_made() {
        let import = import_digest(&vault(1), &Digest([7; 32]));
        assert_ne!(import, Digest([7; 32]));
        let line = record_of_line(&vault(1), &import, 2);
        assert_eq!(line, record_of_line(&vault(1), &import, 2));
        assert_ne!(line, record_of_line(&vault(1), &import, 3));
        assert_ne!(line, record_of_line(&vault(2), &import, 2));
        let organisation = |number| OrganisationId::try_from([number; 16].as_slice()).unwrap();
        let of = |number, kind, text| {
            let reference = entry(Field::Reference, &[text]);
            record_of_reference(&vault(1), organisation(number), kind, &reference).unwrap()
        };
        let file = of(1, RecordKind::Person, "fi-7");
        assert_eq!(file, of(1, RecordKind::Person, "FI 7"));
        assert_ne!(file, of(2, RecordKind::Person, "fi-7"));
        assert_ne!(file, of(1, RecordKind::Company, "fi-7"));
        assert_eq!(file.0.get_version_num(), 8);
    }
}
