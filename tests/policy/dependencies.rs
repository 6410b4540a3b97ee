//! The dependency policy, against `Cargo.lock` (all platforms) and `cargo metadata` (this one).

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

use crate::{none, read, root};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Policy {
    source: String,
    licences: BTreeSet<String>,
    licence_exceptions: BTreeMap<String, String>,
    single: Single,
    banned: BTreeMap<String, String>,
    only: BTreeMap<String, Vec<String>>,
    never: BTreeMap<String, Vec<String>>,
    pinned: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Single {
    crates: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    license: Option<String>,
    source: Option<String>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
    req: String,
    source: Option<String>,
}

fn policy() -> Policy {
    toml::from_str(&read("deploy/dependencies.toml")).unwrap()
}

fn locked() -> Vec<Locked> {
    toml::from_str::<Lock>(&read("Cargo.lock")).unwrap().package
}

/// What Cargo says of every crate that is built on this platform.
fn packages() -> Vec<Package> {
    let host = Command::new("rustc").args(["--print", "host-tuple"]).output().unwrap();
    let host = String::from_utf8(host.stdout).unwrap();
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["metadata", "--format-version", "1", "--locked", "--offline"]);
    let output =
        cargo.args(["--filter-platform", host.trim()]).current_dir(root()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Metadata>(&output.stdout).unwrap().packages
}

/// The workspace's own crates.
fn own() -> Vec<Package> {
    packages().into_iter().filter(|package| package.source.is_none()).collect()
}

/// Whether a licence expression (SPDX, or Cargo's older `A/B`) can be met from a list.
fn met(expression: &str, allowed: &dyn Fn(&str) -> bool) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let met = any_of(&mut rest, allowed);
    assert!(rest.is_empty(), "not understood: {expression}");
    met
}

fn any_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = all_of(words, allowed);
    while take(words, "OR") {
        met |= all_of(words, allowed);
    }
    met
}

fn all_of(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    let mut met = one(words, allowed);
    while take(words, "AND") {
        met &= one(words, allowed);
    }
    met
}

fn one(words: &mut &[&str], allowed: &dyn Fn(&str) -> bool) -> bool {
    if take(words, "(") {
        let met = any_of(words, allowed);
        assert!(take(words, ")"), "a bracket is missing before {words:?}");
        return met;
    }
    let (name, rest) = words.split_first().unwrap();
    *words = rest;
    if take(words, "WITH") {
        let (exception, rest) = words.split_first().unwrap();
        *words = rest;
        return allowed(&format!("{name} WITH {exception}"));
    }
    allowed(name)
}

fn take(words: &mut &[&str], word: &str) -> bool {
    match words.split_first() {
        Some((first, rest)) if *first == word => {
            *words = rest;
            true
        }
        _ => false,
    }
}

#[test]
fn licence_expressions() {
    let check = |expression: &str, expected| {
        let allowed = |name: &str| matches!(name, "MIT" | "Apache-2.0 WITH LLVM-exception");
        assert_eq!(met(expression, &allowed), expected, "{expression}");
    };
    check("MIT", true);
    check("GPL-3.0-only", false);
    check("GPL-3.0-only OR MIT", true);
    check("GPL-3.0-only/MIT", true);
    check("GPL-3.0-only AND MIT", false);
    check("(GPL-3.0-only OR MIT) AND MIT", true);
    check("GPL-3.0-only AND (GPL-3.0-only OR MIT)", false);
    check("GPL-3.0-only OR MIT AND GPL-3.0-only", false);
    check("Apache-2.0 WITH LLVM-exception OR GPL-3.0-only", true);
    check("Apache-2.0", false);
}

#[test]
fn every_licence_is_allowed() {
    let policy = policy();
    let bad = packages().into_iter().filter_map(|package| {
        let licence = package.license.unwrap_or_default();
        let excepted = policy.licence_exceptions.get(&package.name);
        let allowed = |name: &str| {
            policy.licences.contains(name) || excepted.is_some_and(|excepted| excepted == name)
        };
        let good = !licence.is_empty() && met(&licence, &allowed);
        (!good).then(|| format!("{}: {licence:?}", package.name))
    });
    none("licences that deploy/dependencies.toml does not allow", bad.collect());
}

#[test]
fn every_licence_exception_is_used() {
    let names: BTreeSet<_> = locked().into_iter().map(|package| package.name).collect();
    let unused = policy().licence_exceptions.into_keys().filter(|name| !names.contains(name));
    none("exceptions for crates that are gone", unused.collect());
}

#[test]
fn everything_comes_from_the_one_registry() {
    let source = policy().source;
    let bad = locked().into_iter().filter_map(|package| {
        let from = package.source?;
        (from != source).then(|| format!("{} {} from {from}", package.name, package.version))
    });
    none("other sources", bad.collect());
}

#[test]
fn what_must_be_one_is_one() {
    let locked = locked();
    let bad = policy().single.crates.into_iter().filter_map(|name| {
        let versions = locked.iter().filter(|package| package.name == name);
        let versions: Vec<_> = versions.map(|package| package.version.as_str()).collect();
        (versions.len() != 1).then(|| format!("{name}: {versions:?}"))
    });
    none("not exactly one version", bad.collect());
}

#[test]
fn what_is_banned_is_absent() {
    let banned = policy().banned;
    let bad = locked().into_iter().filter_map(|package| {
        let why = banned.get(&package.name)?;
        Some(format!("{}: {why}", package.name))
    });
    none("banned", bad.collect());
}

#[test]
fn only_those_named_depend_on_them() {
    let Policy { only, never, .. } = policy();
    let mut bad = Vec::new();
    for package in own() {
        for dependency in package.dependencies.iter().filter(|one| one.source.is_some()) {
            let name = &dependency.name;
            let outside = only.get(name).is_some_and(|only| !only.contains(&package.name));
            let forbidden = never.get(&package.name).is_some_and(|never| never.contains(name));
            if outside || forbidden {
                bad.push(format!("{} depends on {name}", package.name));
            }
        }
    }
    none("dependencies that deploy/dependencies.toml gives to other crates", bad);
}

#[test]
fn what_is_pinned_is_required_exactly() {
    let pinned = policy().pinned;
    let mut seen = BTreeSet::new();
    let mut bad = Vec::new();
    for package in own() {
        for dependency in &package.dependencies {
            let Some(wanted) = pinned.get(&dependency.name) else { continue };
            seen.insert(dependency.name.clone());
            if *wanted != dependency.req {
                let Dependency { name, req, .. } = dependency;
                bad.push(format!("{} requires {name} {req}, not {wanted}", package.name));
            }
        }
    }
    bad.extend(pinned.into_keys().filter(|name| !seen.contains(name)));
    none("not pinned as deploy/dependencies.toml says", bad);
}
