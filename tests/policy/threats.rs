//! The threat model names a test for each defence: it is there, under that name.

use std::collections::BTreeSet;

use crate::{none, read, root};

const MODEL: &str = "deploy/docs/threat-model.md";

/// `(file, test)` of everything that is written as `file::test`.
fn named() -> BTreeSet<(String, String)> {
    let text = read(MODEL);
    let quoted = text.split('`').skip(1).step_by(2);
    let tests = quoted.filter_map(|quoted| quoted.split_once("::"));
    tests.map(|(file, test)| (file.to_owned(), test.to_owned())).collect()
}

/// Whether a file has a test of this name: a function with the attribute, or, as the stories of
/// `e2e` are told on both databases, a name that a macro is given.
fn has_test(text: &str, test: &str) -> bool {
    let function = format!("fn {test}(");
    let attributed = text.split_once(&function).is_some_and(|(before, _)| {
        let lines = before.trim_end().lines().rev();
        lines.take_while(|line| !line.trim().is_empty()).any(|line| line.contains("test]"))
    });
    let mut words = text.split(|letter: char| !letter.is_alphanumeric() && letter != '_');
    attributed || (text.contains("macro_rules! stories") && words.any(|word| word == test))
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let named = named();
    assert!(named.len() > 30, "the search finds only {}", named.len());
    let gone = named
        .into_iter()
        .filter(|(file, test)| !(root().join(file).is_file() && has_test(&read(file), test)));
    none("no such test", gone.map(|(file, test)| format!("{file}::{test}")).collect());
}

/// A row of the findings without a test would be a promise.
#[test]
fn every_finding_has_its_test() {
    let text = read(MODEL);
    let findings = text.split("\n## Findings\n").nth(1).unwrap();
    let findings = findings.split("\n## ").next().unwrap();
    let rows: Vec<&str> = findings.lines().filter(|line| line.starts_with("| ")).skip(1).collect();
    assert!(!rows.is_empty(), "the search finds no row");
    let bare = rows.into_iter().filter(|row| !row.contains("::"));
    none("findings without a test", bare.map(str::to_owned).collect());
}
