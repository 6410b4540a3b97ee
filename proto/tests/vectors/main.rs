//! Reads the test vectors in `proto/vectors` as another implementation would: what the bytes
//! of each canonical type are is read from the comments of the protos, and nothing of
//! Raccordo's own code is used. So the words are complete, and they are true.

mod canonical;
mod derived;
mod mls;
mod schema;
mod sealed;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use schema::Schema;
use serde_json::Value;
use sha2::{Digest, Sha256};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn vectors(file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(directory().join("vectors").join(file)).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(text(value)).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}"))
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    Sha256::digest(bytes).to_vec()
}

/// What one node keeps for itself, and of which there are no vectors.
const LOCAL: [&str; 7] = [
    "consents",
    "device",
    "hub-item",
    "key-dealer-coins",
    "log-copy",
    "provider-person",
    "token-batch",
];

#[test]
fn every_canonical_type_is_as_it_is_described() {
    let schema = Schema::read(&directory());
    let mut seen = BTreeSet::new();
    for vector in vectors("canonical.json") {
        let name = (text(&vector["type"]).to_owned(), text(&vector["kind"]).to_owned());
        let fields = schema.types.get(&name).unwrap_or_else(|| panic!("{name:?} is undescribed"));
        let expected = bytes(&vector["canonical"]);
        let read = canonical::read(&name.0, fields, &expected);
        assert_eq!(read, vector["fields"], "{name:?}");
        assert_eq!(canonical::write(&name.0, fields, &vector["fields"]), expected, "{name:?}");
        assert_eq!(sha256(&expected), bytes(&vector["sha256"]), "{name:?}");
        seen.insert(name);
    }
    let described: BTreeSet<_> =
        schema.types.into_keys().filter(|(name, _)| !LOCAL.contains(&name.as_str())).collect();
    assert_eq!(described, seen, "every type has vectors");
}

#[test]
fn every_sealed_item_opens_as_it_is_described() {
    let schema = Schema::read(&directory());
    let mut seen = BTreeSet::new();
    for vector in vectors("sealed.json") {
        let name = text(&vector["sealed"]).to_owned();
        let described = schema.sealed.get(&name).unwrap_or_else(|| panic!("{name} is undescribed"));
        sealed::check(&schema, described, &vector);
        seen.insert(name);
    }
    let described: BTreeSet<_> = schema.sealed.into_keys().collect();
    assert_eq!(described, seen, "everything that is sealed has vectors");
}

#[test]
fn what_is_derived_follows() {
    let schema = Schema::read(&directory());
    let mut seen = BTreeSet::new();
    for vector in vectors("derived.json") {
        let name = text(&vector["derived"]).to_owned();
        derived::check(&schema, &name, &vector);
        seen.insert(name);
    }
    let all = [
        "TLS pin",
        "card file",
        "dealing proof",
        "padded pack",
        "pair secret",
        "phone code",
        "signature",
        "tag",
        "token",
    ];
    assert_eq!(seen, all.map(str::to_owned).into());
}

#[test]
fn key_packages_and_groups_are_framed_as_described() {
    let schema = Schema::read(&directory());
    let all = vectors("mls.json");
    assert_eq!(all.len(), 8);
    for vector in all {
        match text(&vector["mls"]) {
            "key package" => mls::check_key_package(&vector),
            "founding" => mls::check_founding(&schema, &vector),
            "adding" => mls::check_adding(&vector),
            other => panic!("{other}"),
        }
    }
}
