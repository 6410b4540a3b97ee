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

/// What stands in a LeafNode, its own signature checked (section 7.2).
struct Leaf<'a> {
    key: &'a [u8],
    identity: &'a [u8],
    card: &'a [u8],
}

/// Where a leaf comes from: in the tree of a group its signature names group and place.
enum Source<'a> {
    KeyPackage,
    Commit { group: &'a [u8], place: u32 },
}

fn leaf<'a>(input: &mut Input<'a>, suite: u64, source: &Source<'_>) -> Leaf<'a> {
    let begin = input.at;
    assert_eq!(input.vector().len(), hpke_key_bytes(suite));
    let key = input.vector();
    // A basic credential.
    assert_eq!(input.number(2), 1);
    let identity = input.vector();
    assert!(input.numbers().contains(&1), "version");
    assert!(input.numbers().contains(&suite), "suite");
    let extensions = input.numbers();
    assert!([0xff01, 0xff02].iter().all(|ours| extensions.contains(ours)), "{extensions:?}");
    let _proposals = input.numbers();
    assert!(input.numbers().contains(&1), "basic credential");
    let place = match source {
        Source::KeyPackage => {
            // Not before 0, not after the end of time.
            assert_eq!((input.number(1), input.number(8), input.number(8)), (1, 0, u64::MAX));
            Vec::new()
        }
        Source::Commit { group, place } => {
            assert_eq!(input.number(1), 3);
            let _parent_hash = input.vector();
            [framed(group), place.to_be_bytes().to_vec()].concat()
        }
    };
    let extensions = input.extensions();
    let [(0xff02, card)] = extensions.as_slice() else { panic!("{extensions:?}") };
    let signed = [&input.all[begin..input.at], place.as_slice()].concat();
    verify(key, "LeafNodeTBS", &signed, input.vector());
    Leaf { key, identity, card }
}

/// The bytes of a KeyPackage, from here on in the input; returns its leaf.
fn key_package<'a>(input: &mut Input<'a>, suite: u64, last_resort: bool) -> Leaf<'a> {
    let begin = input.at;
    assert_eq!((input.number(2), input.number(2)), (1, suite));
    assert_eq!(input.vector().len(), hpke_key_bytes(suite));
    let leaf = leaf(input, suite, &Source::KeyPackage);
    let expected: &[(u64, &[u8])] = if last_resort { &[(0x000a, &[])] } else { &[] };
    assert_eq!(input.extensions(), expected);
    let package = &input.all[begin..input.at];
    verify(leaf.key, "KeyPackageTBS", package, input.vector());
    leaf
}

/// Section 5.2: the reference is of the KeyPackage, without the MLSMessage around it.
fn reference(message: &[u8]) -> Vec<u8> {
    let label = framed(b"MLS 1.0 KeyPackage Reference");
    sha256(&[label, framed(&message[4..])].concat())
}

pub fn check_key_package(vector: &Value) {
    let message = bytes(&vector["message"]);
    let suite = vector["suite"].as_u64().unwrap();
    let last_resort = vector["last_resort"].as_bool().unwrap();
    let mut input = Input::new(&message);
    // MLSMessage: version mls10, wire format mls_key_package; then the KeyPackage.
    assert_eq!((input.number(2), input.number(2)), (1, 5));
    let leaf = key_package(&mut input, suite, last_resort);
    assert!(input.is_over());
    assert_eq!(leaf.identity, text(&vector["node id"]).as_bytes());
    assert_eq!(leaf.card, bytes(&vector["signed-card"]));
    assert_eq!(reference(&message), bytes(&vector["reference"]));
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

/// A GroupInfo after its header; returns the bytes of the GroupContext and the extensions' kinds.
fn group_info<'a>(message: &'a [u8], suite: u64, group: &[u8], epoch: u64) -> (&'a [u8], Vec<u64>) {
    let mut input = Input::new(message);
    // MLSMessage: version mls10, wire format mls_group_info; then the GroupContext.
    assert_eq!((input.number(2), input.number(2)), (1, 4));
    assert_eq!((input.number(2), input.number(2)), (1, suite));
    assert_eq!(input.vector(), group);
    assert_eq!(input.number(8), epoch);
    let (_tree_hash, _transcript_hash) = (input.vector(), input.vector());
    let _extensions = input.extensions();
    let context = &message[4..input.at];
    let kinds = input.extensions().into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(input.vector().len(), 32, "confirmation tag");
    assert_eq!(input.number(4), 0, "signer");
    assert_eq!(input.vector().len(), 64, "signature");
    assert!(input.is_over());
    (context, kinds)
}

/// A commit that adds by value, its Welcome, the GroupInfo after it, and a message of the epoch
/// that it begins.
pub fn check_adding(vector: &Value) {
    let suite = vector["suite"].as_u64().unwrap();
    let group = bytes(&vector["group id"]);
    let founding = bytes(&vector["founding"]);
    let (context, _) = group_info(&founding, suite, &group, 0);
    let package = bytes(&vector["key package"]);
    check_commit(vector, suite, &group, context);
    let info = bytes(&vector["group info"]);
    let (_, kinds) = group_info(&info, suite, &group, 1);
    assert_eq!(kinds, [4], "external_pub alone, and no tree");
    let welcome = bytes(&vector["welcome"]);
    let mut input = Input::new(&welcome);
    // MLSMessage: version mls10, wire format mls_welcome; then the Welcome.
    assert_eq!((input.number(2), input.number(2)), (1, 3));
    assert_eq!(input.number(2), suite);
    let mut secrets = Input::new(input.vector());
    assert_eq!(secrets.vector(), reference(&package), "for the added key package");
    let (_encapsulation, _sealed) = (secrets.vector(), secrets.vector());
    assert!(secrets.is_over(), "and for no other");
    let _encrypted_group_info = input.vector();
    assert!(input.is_over());
    check_message(vector, &group);
}

fn check_commit(vector: &Value, suite: u64, group: &[u8], context: &[u8]) {
    let commit = bytes(&vector["commit"]);
    let package = bytes(&vector["key package"]);
    let mut input = Input::new(&commit);
    // MLSMessage: version mls10, wire format mls_public_message; then the FramedContent, by the
    // member at leaf 0, without authenticated data, of content type commit.
    assert_eq!((input.number(2), input.number(2)), (1, 1));
    assert_eq!((input.vector(), input.number(8)), (group, 0));
    assert_eq!((input.number(1), input.number(4)), (1, 0));
    assert_eq!((input.vector(), input.number(1)), (&[][..], 3));
    let mut proposals = Input::new(input.vector());
    // By value: an Add.
    assert_eq!((proposals.number(1), proposals.number(2)), (1, 1));
    let begin = proposals.at;
    let added = key_package(&mut proposals, suite, false);
    assert_eq!(added.identity, b"umbria");
    assert_eq!(proposals.all[begin..], package[4..]);
    assert!(proposals.is_over());
    assert_eq!(input.number(1), 1, "a path");
    let committer = leaf(&mut input, suite, &Source::Commit { group, place: 0 });
    assert_eq!(committer.key, bytes(&vector["committer's MLS key"]));
    let _nodes = input.vector();
    // FramedContentTBS (section 6.1): version, wire format, content, and the context before.
    let signed = [&commit[..input.at], context].concat();
    verify(committer.key, "FramedContentTBS", &signed, input.vector());
    assert_eq!((input.vector().len(), input.vector().len()), (32, 32), "tags");
    assert!(input.is_over());
}

fn check_message(vector: &Value, group: &[u8]) {
    let message = bytes(&vector["message"]);
    let plaintext = bytes(&vector["plaintext"]);
    let mut input = Input::new(&message);
    // MLSMessage: version mls10, wire format mls_private_message; then the PrivateMessage, of
    // content type application, without authenticated data.
    assert_eq!((input.number(2), input.number(2)), (1, 2));
    assert_eq!((input.vector(), input.number(8)), (group, 1));
    assert_eq!((input.number(1), input.vector()), (1, &[][..]));
    let _sender_data = input.vector();
    // Plaintext and signature, each with its length in front, a tag, and no padding of MLS.
    let signature = framed(&[0; 64]).len();
    assert_eq!(input.vector().len(), framed(&plaintext).len() + signature + 16);
    assert!(input.is_over());
}
