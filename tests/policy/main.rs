//! What is promised outside the code holds: exact versions in the manifests, the bill of
//! materials, the sample configurations, the tables in `deploy/docs`, and the reasons that the
//! protos name. Where crates come from, and under which licence, `tests/deny` checks.

#![cfg(test)]

mod bill;
mod documents;
mod manifests;
mod reasons;
mod threats;

use std::fs;
use std::path::{Path, PathBuf};

/// The workspace's directory.
fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap().to_owned()
}

/// A file of the workspace.
fn read(path: &str) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Fails with every line that was found wrong, not only the first.
fn none(what: &str, found: Vec<String>) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}
