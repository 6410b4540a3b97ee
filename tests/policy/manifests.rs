//! What `deploy/deny.toml` cannot say, since it speaks of the graph: what the manifests of the
//! workspace require exactly, and what the core never names.

use std::collections::BTreeMap;
use std::path::PathBuf;

use toml::{Table, Value};

use crate::{none, read};

/// Required exactly (`=`): their storage format, wire format or both may change in any release.
const PINNED: [&str; 10] = [
    "openmls",
    "openmls_basic_credential",
    "openmls_rust_crypto",
    "openmls_traits",
    "hpke-rs",
    "hpke-rs-crypto",
    "hpke-rs-rust-crypto",
    // FROST requires exactly this curve; upgrade the three together, and prove that tokens stay.
    "curve25519-dalek",
    "frost-ristretto255",
    "voprf",
];

/// The core decides and does nothing, and messages do not act: these never stand in their
/// manifests, for tests neither.
const NEVER: [(&str, &[&str]); 2] = [
    (
        "node/core",
        &["axum", "getrandom", "metrics", "sqlx", "tokio", "tonic", "tracing-subscriber"],
    ),
    ("proto", &["sqlx", "tokio"]),
];

const SECTIONS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];

/// One dependency as a manifest states it.
struct Stated {
    name: String,
    /// Empty where the workspace's manifest says it.
    version: String,
}

fn manifest(directory: &str) -> Table {
    let path = PathBuf::from(directory).join("Cargo.toml");
    toml::from_str(&read(&path.display().to_string())).unwrap()
}

/// Manifests of the workspace's crates, by directory.
fn manifests() -> BTreeMap<String, Table> {
    let members = manifest("")["workspace"]["members"].as_array().unwrap().clone();
    let directory = |member: &Value| member.as_str().unwrap().to_owned();
    members.iter().map(|member| (directory(member), manifest(&directory(member)))).collect()
}

/// The dependencies of one section.
fn stated(section: Option<&Value>) -> Vec<Stated> {
    let section = section.and_then(Value::as_table).cloned().unwrap_or_default();
    let read = |(name, wanted): (String, Value)| {
        let renamed = wanted.get("package").and_then(Value::as_str).map(str::to_owned);
        let version = wanted.as_str().or_else(|| wanted.get("version")?.as_str());
        let version = version.unwrap_or_default().to_owned();
        Stated { name: renamed.unwrap_or(name), version }
    };
    section.into_iter().map(read).collect()
}

/// The dependencies of a crate, of every kind and for every platform.
fn all_stated(manifest: &Table) -> Vec<Stated> {
    let platforms = manifest.get("target").and_then(Value::as_table).cloned().unwrap_or_default();
    let tables = platforms.into_iter().filter_map(|(_, platform)| platform.as_table().cloned());
    let tables = tables.chain([manifest.clone()]);
    tables
        .flat_map(|table| SECTIONS.into_iter().flat_map(move |name| stated(table.get(name))))
        .collect()
}

#[test]
fn what_is_pinned_is_required_exactly() {
    let required = stated(manifest("")["workspace"].get("dependencies"));
    let loose = PINNED.into_iter().filter(|name| {
        let found = required.iter().find(|stated| stated.name == *name);
        found.is_none_or(|stated| !stated.version.starts_with('='))
    });
    none("not pinned in the workspace's Cargo.toml", loose.map(str::to_owned).collect());
}

/// A crate that required another version by itself would undo the pin.
#[test]
fn versions_stand_in_the_workspace_alone() {
    let mut own = Vec::new();
    for (directory, manifest) in manifests() {
        let stated = all_stated(&manifest);
        let stated = stated.into_iter().filter(|stated| !stated.version.is_empty());
        own.extend(stated.map(|stated| format!("{directory}: {} {}", stated.name, stated.version)));
    }
    none("versions outside the workspace's Cargo.toml", own);
}

#[test]
fn the_core_names_nothing_that_acts() {
    let manifests = manifests();
    let mut bad = Vec::new();
    for (directory, never) in NEVER {
        let manifest = manifests.get(directory).unwrap_or_else(|| panic!("no {directory}"));
        let named = all_stated(manifest);
        assert!(named.len() > 3, "the search finds only {} in {directory}", named.len());
        let acting = named.into_iter().filter(|stated| never.contains(&stated.name.as_str()));
        bad.extend(acting.map(|stated| format!("{directory}: {}", stated.name)));
    }
    none("dependencies that decide nothing", bad);
}
