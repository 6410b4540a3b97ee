//! The fuzz targets without a fuzzer: every committed input passes through its target, and
//! each target accepts its examples. `tests/fuzz/run` looks for more.

#![cfg(test)]

#[path = "src/lib.rs"]
mod targets;

mod config;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use targets::TARGETS;

/// All inputs of one target together.
const CORPUS_BYTES_MAX: usize = 16 * 1024;

fn fuzz() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}

/// Name and bytes of a target's committed inputs.
fn corpus(target: &str) -> Vec<(String, Vec<u8>)> {
    let directory = fuzz().join("corpus").join(target);
    let entries = fs::read_dir(&directory).unwrap_or_else(|e| panic!("{directory:?}: {e}"));
    let mut found: Vec<_> = entries
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read(&path).unwrap())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn every_committed_input_passes() {
    let mut bad = Vec::new();
    for target in TARGETS {
        let inputs = corpus(target.name);
        assert!(!inputs.is_empty(), "{} has no input", target.name);
        for (name, bytes) in inputs {
            if catch_unwind(AssertUnwindSafe(|| (target.run)(&bytes))).is_err() {
                bad.push(format!("{}/{name}", target.name));
            }
        }
    }
    assert!(bad.is_empty(), "these inputs break their targets: {bad:#?}");
}

/// Where a format changes, its target must still reach what lies behind the first check.
#[test]
fn every_example_is_accepted() {
    let mut bad = Vec::new();
    for target in TARGETS {
        let examples = (target.examples)();
        assert!(!examples.is_empty(), "{} has no example", target.name);
        for (place, bytes) in examples.iter().enumerate() {
            if !(target.run)(bytes) {
                bad.push(format!("{} {place}", target.name));
            }
        }
    }
    assert!(bad.is_empty(), "refused examples: {bad:#?}");
}

#[test]
fn corpora_are_small_and_of_targets_that_exist() {
    for target in TARGETS {
        let bytes: usize = corpus(target.name).iter().map(|(_, bytes)| bytes.len()).sum();
        assert!(bytes <= CORPUS_BYTES_MAX, "{}: {bytes} bytes", target.name);
    }
    for directory in fs::read_dir(fuzz().join("corpus")).unwrap() {
        let name = directory.unwrap().file_name();
        assert!(TARGETS.iter().any(|target| name == target.name), "no target {name:?}");
    }
}

/// A target without a binary would be run by nobody.
#[test]
fn every_target_has_its_binary() {
    let binaries = fs::read_dir(fuzz().join("src/bin")).unwrap();
    let mut names: Vec<String> = binaries
        .map(|entry| entry.unwrap().path().file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, TARGETS.iter().map(|target| target.name).collect::<Vec<_>>());
    for name in names {
        let text = fs::read_to_string(fuzz().join(format!("src/bin/{name}.rs"))).unwrap();
        assert!(text.contains(&format!(" {name}::run(data)")), "{name}");
    }
}

#[test]
fn examples_are_written_for_the_fuzzer() {
    let directory = tempfile::tempdir().unwrap();
    targets::write_examples(directory.path(), targets::card::examples);
    let written = fs::read_dir(directory.path()).unwrap().count();
    assert_eq!(written, (targets::card::examples)().len());
}
