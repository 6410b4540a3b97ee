//! Makes the test vectors in `proto/vectors`, and fails where what is committed differs: what
//! another implementation was built against must not change unseen. With
//! `RACCORDO_WRITE_VECTORS=1` they are written anew. `proto/tests/vectors` reads them, by the
//! words of the protos alone.

#![cfg(test)]

mod keys;
mod log;
mod matching;
mod mls;
mod trust;

use std::collections::BTreeSet;
use std::ops::Deref;
use std::path::{Path, PathBuf};

use hpke_rs::{Hpke, Mode};
use hpke_rs_crypto::types::{AeadAlgorithm, KdfAlgorithm, KemAlgorithm};
use hpke_rs_rust_crypto::HpkeRustCrypto;
use raccordo_core::canonical::Writer;
use raccordo_core::entropy::SeededEntropy;
use raccordo_core::id::{Digest, LineageId, NodeId};
use raccordo_core::sealing::SealingKey;
use raccordo_core::secret::Secret;
use serde_json::{Value, json};

/// Everything that is made, by file.
#[derive(Default)]
struct Vectors {
    canonical: Vec<Value>,
    sealed: Vec<Value>,
    derived: Vec<Value>,
    mls: Vec<Value>,
}

impl Vectors {
    /// Canonical bytes, as the code makes them, and what they hold.
    fn canonical(&mut self, kind: &str, bytes: &[u8], fields: Value) {
        let (name, of_kind) = kind.split_once('/').unwrap_or((kind, ""));
        self.canonical.push(json!({
            "type": name,
            "kind": of_kind,
            "canonical": hex::encode(bytes),
            "sha256": Digest::of(bytes).to_string(),
            "fields": fields,
        }));
    }

    /// The same of a type of which the code only shows the digest: what is written here must
    /// have it.
    fn hashed(&mut self, kind: &str, writer: Writer, digest: Digest, fields: Value) {
        let bytes = writer.finish();
        assert_eq!(Digest::of(&bytes), digest, "{kind}");
        self.canonical(kind, &bytes, fields);
    }

    /// A letter, as the code seals it, with what opens it.
    fn sealed(&mut self, name: &str, key: &Opener, aad: Value, letter: &[u8], plaintext: &[u8]) {
        self.sealed.push(json!({
            "sealed": name,
            "private_key": hex::encode(&key.private),
            "public_key": hex::encode(key.pair.public()),
            "aad": aad,
            "letter": hex::encode(letter),
            "plaintext": hex::encode(plaintext),
        }));
    }

    /// What follows from something, by name.
    fn derived(&mut self, what: &str, mut value: Value) {
        value["derived"] = what.into();
        self.derived.push(value);
    }

    /// A signature of an Ed25519 key.
    fn signature(&mut self, by: &str, key: &[u8], message: &[u8], signature: &[u8]) {
        self.derived(
            "signature",
            json!({
                "by": by,
                "key": hex::encode(key),
                "message": hex::encode(message),
                "signature": hex::encode(signature),
            }),
        );
    }
}

fn entropy() -> SeededEntropy {
    SeededEntropy::labelled("vectors")
}

fn node(name: &str) -> NodeId {
    name.parse().unwrap()
}

/// A node's sealing key, and what of it the node shows nobody.
struct Opener {
    pair: SealingKey,
    /// The X-Wing decapsulation key.
    private: Vec<u8>,
}

impl Deref for Opener {
    type Target = SealingKey;

    fn deref(&self) -> &SealingKey {
        &self.pair
    }
}

fn sealing_key(seed: u8) -> Opener {
    let (kem, kdf) = (KemAlgorithm::XWingDraft06, KdfAlgorithm::HkdfSha256);
    let hpke = Hpke::<HpkeRustCrypto>::new(Mode::Base, kem, kdf, AeadAlgorithm::Aes128Gcm);
    let (private, public) = hpke.derive_key_pair(&[seed; 32]).unwrap().into_keys();
    let pair = SealingKey::derive(&Secret::new([seed; 32])).unwrap();
    assert_eq!(pair.public(), public.as_slice());
    Opener { pair, private: private.as_slice().to_vec() }
}

const LINEAGE: LineageId = LineageId([0x1e; 16]);

fn lineage() -> String {
    hex::encode(LINEAGE.as_bytes())
}

fn check(file: &str, made: &[Value]) {
    let path = directory().join(file);
    let text = format!("{}\n", serde_json::to_string_pretty(made).unwrap());
    if std::env::var_os("RACCORDO_WRITE_VECTORS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    let first = committed.lines().zip(text.lines()).position(|(one, other)| one != other);
    assert!(
        committed == text,
        "{} is not what the code makes, from line {first:?} on: what goes between nodes has \
         changed; if that is meant, RACCORDO_WRITE_VECTORS=1 writes it anew",
        path.display()
    );
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proto/vectors")
}

#[test]
fn committed_vectors_are_what_the_code_makes() {
    let mut all = Vectors::default();
    trust::add(&mut all);
    log::add(&mut all);
    keys::add(&mut all);
    matching::add(&mut all);
    mls::add(&mut all);
    check("canonical.json", &all.canonical);
    check("sealed.json", &all.sealed);
    check("derived.json", &all.derived);
    check("mls.json", &all.mls);
}

/// Keys that a node derives for itself, and no other has to derive.
const OWN: [&str; 2] = ["vault", "backup"];

#[test]
fn every_type_in_the_code_is_described_in_the_protos() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut used = BTreeSet::new();
    for folder in ["node/core/src", "node/src"] {
        for text in sources(&root.join(folder), "rs") {
            used.extend(names_in(&text));
        }
    }
    for own in OWN {
        assert!(used.remove(own), "{own} is not used any more");
    }
    let protos: Vec<String> = sources(&root.join("proto"), "proto");
    let described: BTreeSet<String> =
        protos.iter().flat_map(|text| text.lines()).filter_map(described_in).collect();
    let missing: Vec<_> = used.difference(&described).collect();
    assert!(missing.is_empty(), "the protos describe no {missing:?}");
    let stale: Vec<_> = described.difference(&used).collect();
    assert!(stale.is_empty(), "the protos describe {stale:?}, which nothing uses");
}

/// The files below a folder that end so, but for tests.
fn sources(folder: &Path, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name().into_string().unwrap());
        if entry.file_type().unwrap().is_dir() {
            if !["tests", "vectors", "target"].contains(&name.as_str()) {
                found.extend(sources(&path, ending));
            }
        } else if path.extension().is_some_and(|it| it == ending) && name != "vectors.rs" {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("\nmod tests {").next().unwrap_or_default();
            found.push(code.to_owned());
        }
    }
    found
}

/// The types that code writes and reads, and what it seals and derives with.
fn names_in(code: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = lines.collect::<Vec<_>>().join("\n");
    for begin in ["Writer::new(", "Reader::new(", "\"raccordo/v1/"] {
        for rest in code.split(begin).skip(1) {
            let rest = rest.trim_start().trim_start_matches('"');
            let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '-');
            let name = rest.split_at(end.unwrap_or(rest.len())).0;
            let quoted =
                rest.get(name.len()..).is_some_and(|after| after.starts_with(['"', '/', '\\']));
            if quoted && !name.is_empty() {
                names.insert(name.to_owned());
            }
        }
    }
    names
}

/// The type or sealed item that a line of a proto begins to describe.
fn described_in(line: &str) -> Option<String> {
    let line = line.strip_prefix("// ")?;
    let (name, rest) =
        line.strip_prefix("sealed ").unwrap_or(line).strip_prefix('`')?.split_once('`')?;
    let describes = rest.starts_with(':') || rest.starts_with(" of kind `");
    describes.then(|| name.to_owned())
}

/// No type is named but by a literal, so that none is overlooked above.
#[test]
fn types_are_named_by_literals() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let all = ["node/core/src", "node/src"].map(|folder| sources(&root.join(folder), "rs"));
    for code in all.concat() {
        let canonical = code.contains("use crate::canonical") || code.contains("core::canonical");
        for (begin, end) in [("Writer::new(", ")"), ("Reader::new(", ",")] {
            for rest in code.split(begin).skip(1).filter(|_| canonical) {
                let named = rest.trim_start();
                let literal = named.starts_with('"') || named.split(end).next() == Some("");
                assert!(literal, "{begin}{}", &named[..named.len().min(40)]);
            }
        }
    }
}
