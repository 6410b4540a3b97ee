//! Fuzz targets: every place where bytes of a peer, a file or a person come into the core.
//!
//! A target takes any bytes, and says whether it accepted them as valid. What must never
//! happen is a panic: its own assertions (what is read is written the same, what is refused
//! stays refused, no minority removes a party) panic too. `bin/` hands each target to
//! libFuzzer; the main workspace's test `fuzz` runs the committed corpora through them, and
//! holds that each accepts its examples.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a broken assertion is what a fuzzer looks for"
)]

use std::fs;
use std::path::Path;

pub mod alert;
pub mod backup;
pub mod canonical;
pub mod card;
pub mod casework;
pub mod csv;
mod fixture;
pub mod group;
pub mod hub;
pub mod keys;
pub mod letter;
pub mod mls;
pub mod pack;
pub mod pact;
pub mod proposal;
pub mod statement;
pub mod words;

/// One target.
pub struct Target {
    /// Its name: that of its binary and its corpus.
    pub name: &'static str,
    /// Whether it accepts these bytes.
    pub run: fn(&[u8]) -> bool,
    /// Valid inputs, from which the fuzzer begins.
    pub examples: fn() -> Vec<Vec<u8>>,
}

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        /// All of them.
        pub const TARGETS: &[Target] = &[
            $(Target { name: stringify!($name), run: $name::run, examples: $name::examples }),+
        ];
    };
}

targets![
    alert, backup, canonical, card, casework, csv, group, hub, keys, letter, mls, pack, pact,
    proposal, statement, words,
];

/// Splits the first byte off, which chooses what the others are.
fn choice(data: &[u8]) -> Option<(u8, &[u8])> {
    data.split_first().map(|(first, rest)| (*first, rest))
}

/// What a fuzzer does first: it writes the examples into the corpus that it is about to read,
/// where `RACCORDO_FUZZ_CORPUS` names one.
#[allow(dead_code, reason = "only the programs of the fuzzer begin")]
pub fn begin(examples: fn() -> Vec<Vec<u8>>) {
    if let Some(directory) = std::env::var_os("RACCORDO_FUZZ_CORPUS") {
        write_examples(Path::new(&directory), examples);
    }
}

/// Writes a target's examples into a directory, where a fuzzer begins.
pub fn write_examples(directory: &Path, examples: fn() -> Vec<Vec<u8>>) {
    for (place, bytes) in examples().iter().enumerate() {
        fs::write(directory.join(format!("example-{place:02}")), bytes).expect("a directory");
    }
}
