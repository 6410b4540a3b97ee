//! MLS objects as RFC 9420 lays them out, with what Raccordo adds.

use ed25519_dalek::{Signature, VerifyingKey};
use serde_json::Value;

use crate::schema::Schema;
use crate::{bytes, canonical, sha256, text};

/// Reads the presentation language (RFC 9420 section 2).
struct Input<'a> {
    all: &'a [u8],
    at: usize,
}

impl<'a> Input<'a> {
    fn new(all: &'a [u8]) -> Self {
        Self { all, at: 0 }
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let taken = &self.all[self.at..self.at + count];
        self.at += count;
        taken
    }

    fn number(&mut self, count: usize) -> u64 {
        self.take(count).iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
    }

    /// A vector with its length in front (section 2.1.2).
    fn vector(&mut self) -> &'a [u8] {
        let first = self.number(1);
        let more = match first >> 6 {
            0 => 0,
            1 => 1,
            2 => 3,
            _ => panic!("no length begins so"),
        };
        let length = (first & 0x3f) << (8 * more) | self.number(more);
        self.take(usize::try_from(length).unwrap())
    }

    fn numbers(&mut self) -> Vec<u64> {
        let mut input = Input::new(self.vector());
        let mut numbers = Vec::new();
        while !input.is_over() {
            numbers.push(input.number(2));
        }
        numbers
    }

    fn extensions(&mut self) -> Vec<(u64, &'a [u8])> {
        let mut input = Input::new(self.vector());
        let mut extensions = Vec::new();
        while !input.is_over() {
            extensions.push((input.number(2), input.vector()));
        }
        extensions
    }

    fn is_over(&self) -> bool {
        self.at == self.all.len()
    }
}

fn framed(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap();
    let prefix = match length {
        0..0x40 => vec![length as u8],
        0x40..0x4000 => (length as u16 | 0x4000).to_be_bytes().to_vec(),
        _ => (length | 0x8000_0000).to_be_bytes().to_vec(),
    };
    [&prefix, content].concat()
}

/// SignWithLabel (section 5.1.2).
fn verify(key: &[u8], label: &str, content: &[u8], signature: &[u8]) {
    let signed = [framed(format!("MLS 1.0 {label}").as_bytes()), framed(content)].concat();
    let key = VerifyingKey::from_bytes(key.try_into().unwrap()).unwrap();
    let signature = Signature::from_bytes(signature.try_into().unwrap());
    key.verify_strict(&signed, &signature).expect(label);
}

/// Bytes of an HPKE key of a suite.
fn hpke_key_bytes(suite: u64) -> usize {
    match suite {
        0x004f => 1216,
        0x0003 => 32,
        other => panic!("{other}"),
    }
}

pub fn check_key_package(vector: &Value) {
    let message = bytes(&vector["message"]);
    let suite = vector["suite"].as_u64().unwrap();
    let last_resort = vector["last_resort"].as_bool().unwrap();
    let mut input = Input::new(&message);
    // MLSMessage: version mls10, wire format mls_key_package; then the KeyPackage.
    assert_eq!((input.number(2), input.number(2)), (1, 5));
    assert_eq!((input.number(2), input.number(2)), (1, suite));
    assert_eq!(input.vector().len(), hpke_key_bytes(suite));
    let leaf_begin = input.at;
    assert_eq!(input.vector().len(), hpke_key_bytes(suite));
    let key = input.vector();
    assert_eq!((input.number(2), input.vector()), (1, text(&vector["node id"]).as_bytes()));
    assert!(input.numbers().contains(&1), "version");
    assert!(input.numbers().contains(&suite), "suite");
    let extensions = input.numbers();
    assert!([0xff01, 0xff02].iter().all(|ours| extensions.contains(ours)), "{extensions:?}");
    let _proposals = input.numbers();
    assert!(input.numbers().contains(&1), "basic credential");
    // From a key package: not before 0, not after the end of time.
    assert_eq!((input.number(1), input.number(8), input.number(8)), (1, 0, u64::MAX));
    let card = bytes(&vector["signed-card"]);
    assert_eq!(input.extensions(), [(0xff02, card.as_slice())]);
    let leaf = &message[leaf_begin..input.at];
    verify(key, "LeafNodeTBS", leaf, input.vector());
    let expected: &[(u64, &[u8])] = if last_resort { &[(0x000a, &[])] } else { &[] };
    assert_eq!(input.extensions(), expected);
    let package = &message[4..input.at];
    verify(key, "KeyPackageTBS", package, input.vector());
    assert!(input.is_over());
    // Section 5.2: the reference is of the KeyPackage, without the MLSMessage around it.
    let label = framed(b"MLS 1.0 KeyPackage Reference");
    let hashed = [label, framed(&message[4..])].concat();
    assert_eq!(sha256(&hashed), bytes(&vector["reference"]));
}

pub fn check_founding(schema: &Schema, vector: &Value) {
    let message = bytes(&vector["message"]);
    let mut input = Input::new(&message);
    // MLSMessage: version mls10, wire format mls_group_info; then the GroupContext.
    assert_eq!((input.number(2), input.number(2)), (1, 4));
    let suite = vector["suite"].as_u64().unwrap();
    assert_eq!((input.number(2), input.number(2)), (1, suite));
    let group = bytes(&vector["group id"]);
    assert_eq!(input.vector(), group);
    assert_eq!(input.number(8), 0, "epoch");
    assert_eq!(input.vector().len(), 32, "tree hash");
    assert_eq!(input.vector().len(), 0, "confirmed transcript hash");
    let statement = bytes(&vector["signed-statement"]);
    let context = input.extensions();
    let [required, stated] = context.as_slice() else { panic!("{context:?}") };
    let (required, stated) = if required.0 == 3 { (required, stated) } else { (stated, required) };
    assert_eq!(*stated, (0xff01, statement.as_slice()));
    assert_eq!(required.0, 3, "required_capabilities");
    let mut capabilities = Input::new(required.1);
    assert_eq!(capabilities.numbers(), [0xff01, 0xff02]);
    assert_eq!(capabilities.numbers(), [0; 0]);
    assert_eq!(capabilities.numbers(), [1]);
    assert!(capabilities.is_over());
    let kinds: Vec<u64> = input.extensions().into_iter().map(|(kind, _)| kind).collect();
    assert!(kinds.contains(&2), "the founder sends the tree: {kinds:?}");
    assert_eq!(input.vector().len(), 32, "confirmation tag");
    assert_eq!(input.number(4), 0, "signer");
    assert_eq!(input.vector().len(), 64, "signature");
    assert!(input.is_over());
    // The group id follows from the statement.
    let of = |name: &str| &schema.types[&(name.to_owned(), String::new())];
    let signed = canonical::read("signed-statement", of("signed-statement"), &statement);
    let bytes = bytes(&signed["statement"]);
    let stated = canonical::read("statement", of("statement"), &bytes);
    let named = serde_json::json!({
        "lineage": stated["lineage"], "statement": hex::encode(sha256(&bytes)),
    });
    assert_eq!(sha256(&canonical::write("group", of("group"), &named)), group);
}
