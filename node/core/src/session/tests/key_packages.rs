//! Key packages that another implementation makes, or a hostile member: what is taken, and
//! what is refused before anybody seals to it.

use ed25519_dalek::Signer as _;

use super::*;
use crate::trust::key_check::tests::{degenerate_x_wing, degenerate_x25519};

/// A key package, taken apart; put together again it is signed again.
struct Parts {
    header: Vec<u8>,
    init_key: Vec<u8>,
    encryption_key: Vec<u8>,
    /// Signature key and credential.
    who: Vec<u8>,
    /// Versions, suites, extensions, proposals, credentials: numbers of 16 bits.
    capabilities: [Vec<u16>; 5],
    /// Source and lifetime.
    source: Vec<u8>,
    leaf_extensions: Vec<u8>,
    extensions: Vec<u8>,
}

/// Reads what RFC 9420 §2.1.2 and §3 define.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn take(&mut self, count: usize) -> Vec<u8> {
        let (taken, rest) = self.0.split_at(count);
        self.0 = rest;
        taken.to_vec()
    }

    fn vector(&mut self) -> Vec<u8> {
        let first = self.take(1)[0];
        let length = match first >> 6 {
            0 => usize::from(first),
            1 => usize::from(u16::from_be_bytes([first & 0x3f, self.take(1)[0]])),
            _ => panic!("no part is that long"),
        };
        self.take(length)
    }
}

fn vector(content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap();
    let prefix = match length {
        0..64 => vec![u8::try_from(length).unwrap()],
        _ => (length | 0x4000).to_be_bytes().to_vec(),
    };
    [&prefix, content].concat()
}

/// RFC 9420 §5.1.2.
fn sign(key: &ed25519_dalek::SigningKey, label: &str, content: &[u8]) -> Vec<u8> {
    let label = vector(format!("MLS 1.0 {label}").as_bytes());
    vector(&key.sign(&[label, vector(content)].concat()).to_bytes())
}

impl Parts {
    fn read(message: &[u8]) -> Self {
        let mut input = Input(message);
        let (header, init_key, encryption_key) = (input.take(8), input.vector(), input.vector());
        let who = [vector(&input.vector()), input.take(2), vector(&input.vector())].concat();
        let numbers = |bytes: Vec<u8>| {
            bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
        };
        let capabilities = std::array::from_fn(|_| numbers(input.vector()));
        let (source, leaf_extensions) = (input.take(17), input.vector());
        let (_, extensions, _) = (input.vector(), input.vector(), input.vector());
        assert!(input.0.is_empty());
        Self {
            header,
            init_key,
            encryption_key,
            who,
            capabilities,
            source,
            leaf_extensions,
            extensions,
        }
    }

    fn signed(&self, key: &ed25519_dalek::SigningKey) -> Vec<u8> {
        let listed = self.capabilities.iter().flat_map(|list| {
            vector(&list.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<_>>())
        });
        let leaf = [
            vector(&self.encryption_key),
            self.who.clone(),
            listed.collect(),
            self.source.clone(),
            vector(&self.leaf_extensions),
        ];
        let leaf = leaf.concat();
        let leaf = [leaf.clone(), sign(key, "LeafNodeTBS", &leaf)].concat();
        // The first four bytes are the MLSMessage's own.
        let (frame, header) = self.header.split_at(4);
        let package =
            [header.to_vec(), vector(&self.init_key), leaf, vector(&self.extensions)].concat();
        [frame.to_vec(), package.clone(), sign(key, "KeyPackageTBS", &package)].concat()
    }
}

fn signing_key() -> ed25519_dalek::SigningKey {
    let seed = crate::id::Digest::of(b"umbria, key 1");
    ed25519_dalek::SigningKey::from_bytes(&seed.0)
}

fn read(
    suite: Suite,
    last_resort: bool,
    bend: impl FnOnce(&mut Parts),
) -> Result<(), SessionError> {
    let mut node = Node::new("umbria", "key packages", GroupId([7; 32]));
    let message = node.key_package(suite, last_resort);
    let mut parts = Parts::read(&message);
    assert_eq!(parts.signed(&signing_key()), message, "what is put together is what was read");
    bend(&mut parts);
    read_key_package(&node.crypto, &parts.signed(&signing_key())).map(drop)
}

#[track_caller]
fn refused(suite: Suite, bend: impl FnOnce(&mut Parts)) {
    let error = read(suite, false, bend).unwrap_err();
    assert!(matches!(error.reason(), "bad_key_package" | "malformed_frame"), "{error}");
}

#[test]
fn keys_that_cannot_be_sealed_to_are_refused() {
    let all = [(Suite::Classical, degenerate_x25519()), (Suite::Hybrid, degenerate_x_wing())];
    for (suite, keys) in all {
        for key in keys {
            refused(suite, |parts| parts.init_key = key.clone());
            refused(suite, |parts| parts.encryption_key = key);
        }
    }
}

/// RFC 9420 §13.5: whoever lists more, in whatever order, is as good as we are.
#[test]
fn more_capabilities_in_any_order_are_taken() {
    both(|suite| {
        for last_resort in [false, true] {
            let more = |parts: &mut Parts| {
                for list in &mut parts.capabilities {
                    list.insert(0, 0x0a0a);
                    list.push(0xeaea);
                    list.reverse();
                }
                parts.capabilities[1].extend([0x0001, 0x0002]);
                parts.capabilities[3].push(0xf001);
            };
            assert_eq!(read(suite, last_resort, more), Ok(()));
        }
        for (list, needed) in [(0, 0x0001), (1, suite.number()), (2, 0xff01), (2, 0xff02), (4, 1)] {
            refused(suite, |parts| {
                parts.capabilities[list].retain(|number| *number != needed);
                parts.capabilities[list].push(0x0a0a);
            });
        }
    });
}

#[test]
fn a_leaf_holds_the_card_and_nothing_else() {
    both(|suite| {
        refused(suite, |parts| parts.leaf_extensions.extend([0x0a, 0x0a, 0]));
        refused(suite, |parts| parts.leaf_extensions.clear());
        refused(suite, |parts| parts.extensions.extend([0xff, 0x01, 0]));
    });
}
