//! The bill of materials that `deploy/sbom` writes, against `Cargo.lock` and what Cargo builds.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::{none, read, root};

/// The fields of CycloneDX 1.5 that the bill uses.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bill {
    bom_format: String,
    spec_version: String,
    serial_number: String,
    version: u32,
    metadata: Metadata,
    components: Vec<Component>,
    dependencies: Vec<Dependency>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Metadata {
    timestamp: Option<String>,
    component: Component,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Component {
    r#type: String,
    #[serde(rename = "bom-ref")]
    bom_ref: String,
    name: String,
    version: String,
    scope: Option<String>,
    licenses: Vec<Licence>,
    purl: String,
    #[serde(default)]
    hashes: Vec<Hash>,
    #[serde(default)]
    external_references: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Licence {
    expression: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hash {
    alg: String,
    content: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Dependency {
    r#ref: String,
    depends_on: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// Standard output of a program that must succeed, in the workspace's directory.
fn run(command: &mut Command) -> String {
    let done = command.current_dir(root()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn written() -> String {
    run(Command::new("deploy/sbom").env_remove("SOURCE_DATE_EPOCH"))
}

static WRITTEN: LazyLock<String> = LazyLock::new(written);

fn bill() -> Bill {
    serde_json::from_str(&WRITTEN).unwrap_or_else(|error| panic!("not CycloneDX: {error}"))
}

/// The crates of the bill by name and version.
fn crates() -> BTreeMap<(String, String), Component> {
    let components = bill().components.into_iter();
    let crates = components.filter(|component| component.purl.starts_with("pkg:cargo/"));
    crates.map(|one| ((one.name.clone(), one.version.clone()), one)).collect()
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[test]
fn the_bill_is_well_formed() {
    let bill = bill();
    assert_eq!((bill.bom_format.as_str(), bill.spec_version.as_str()), ("CycloneDX", "1.5"));
    let serial = bill.serial_number.strip_prefix("urn:uuid:").unwrap();
    assert!(uuid::Uuid::parse_str(serial).is_ok(), "{serial}");
    assert_eq!((bill.version, bill.metadata.timestamp), (1, None));
    let product = bill.metadata.component;
    assert_eq!((product.r#type.as_str(), product.name.as_str()), ("application", "raccordo"));
    let mut bad = Vec::new();
    let mut refs = BTreeSet::from([product.bom_ref]);
    for one in &bill.components {
        let scope = one.scope.as_deref();
        let whole = one.r#type == "library"
            && one.bom_ref == one.purl
            && one.purl.ends_with(&format!("@{}", one.version))
            && matches!(scope, Some("required" | "excluded"))
            && matches!(one.licenses.as_slice(), [licence] if !licence.expression.is_empty())
            && one.external_references.len() <= 1;
        let hashed = one.hashes.iter().all(|hash| match hash.alg.as_str() {
            "SHA-256" => is_hex(&hash.content, 64),
            "SHA-512" => is_hex(&hash.content, 128),
            _ => false,
        });
        if !(whole && hashed && refs.insert(one.bom_ref.clone())) {
            bad.push(one.bom_ref.clone());
        }
    }
    none("components that are not whole, or stand twice", bad);
    let entries: BTreeSet<_> = bill.dependencies.iter().map(|entry| entry.r#ref.clone()).collect();
    assert_eq!(entries, refs, "one entry of dependencies for each component");
    let named = bill.dependencies.into_iter().flat_map(|entry| entry.depends_on);
    none("refs that are no component", named.filter(|one| !refs.contains(one)).collect());
}

/// What Cargo says that it builds for the two programs: name, version, licence.
fn built() -> BTreeMap<(String, String), String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--edges", "normal,build"]);
    cargo.args(["--package", "raccordo-node", "--package", "raccordo-cli"]);
    let tree = run(cargo.args(["--prefix", "none", "--format", "{p}|{l}"]));
    let line = |line: &str| {
        let (package, licence) = line.split_once('|')?;
        let mut words = package.split(' ');
        let version = (words.next()?.to_owned(), words.next()?.strip_prefix('v')?.to_owned());
        let licence = licence.strip_suffix(" (*)").unwrap_or(licence);
        Some((version, licence.replace('/', " OR ")))
    };
    tree.lines().filter_map(line).collect()
}

#[test]
fn every_crate_that_is_built_stands_in_the_bill() {
    let (built, crates) = (built(), crates());
    assert!(built.len() > 300, "cargo names only {}", built.len());
    let names: BTreeSet<_> = crates.keys().collect();
    assert_eq!(names, built.keys().collect::<BTreeSet<_>>());
    let squeezed = |text: &str| text.replace(' ', "");
    let differs = crates.iter().filter_map(|(name, one)| {
        let licence = &one.licenses[0].expression;
        let agrees = squeezed(licence) == squeezed(&built[name]);
        (!agrees).then(|| format!("{}: {licence}, cargo says {}", one.purl, built[name]))
    });
    none("other licences than in the crates' manifests", differs.collect());
}

#[test]
fn every_checksum_is_that_of_the_lock_file() {
    let lock: Lock = toml::from_str(&read("Cargo.lock")).unwrap();
    let locked = lock.package.into_iter();
    let mut locked: BTreeMap<_, _> =
        locked.map(|one| ((one.name, one.version), one.checksum)).collect();
    let differs = crates().into_iter().filter_map(|(name, one)| {
        let locked = locked.remove(&name).unwrap_or_else(|| panic!("{} is not locked", one.purl));
        let stated: Vec<_> = one.hashes.iter().map(|hash| hash.content.clone()).collect();
        (stated != Vec::from_iter(locked)).then_some(one.purl)
    });
    none("checksums that Cargo.lock does not have", differs.collect());
}

#[test]
fn what_runs_only_while_building_is_told_apart() {
    let scope = |wanted: &str| {
        let crates = crates().into_values().filter(|one| one.name == wanted);
        crates.filter_map(|one| one.scope).collect::<BTreeSet<_>>()
    };
    let only = |word: &str| BTreeSet::from([word.to_owned()]);
    for linked in ["raccordo-node", "raccordo-core", "openmls", "rustls", "libsqlite3-sys"] {
        assert_eq!(scope(linked), only("required"), "{linked}");
    }
    for builds in ["protox", "prost-build", "serde_derive", "cc"] {
        assert_eq!(scope(builds), only("excluded"), "{builds}");
    }
}

#[test]
fn packages_of_the_desk_stand_in_the_bill() {
    let lock: serde_json::Value =
        serde_json::from_str(&read("node/desk/package-lock.json")).unwrap();
    let wanted: BTreeSet<_> = lock["packages"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, package)| {
            let name = path.rsplit("node_modules/").next().unwrap().replace('@', "%40");
            format!("pkg:npm/{name}@{}", package["version"].as_str().unwrap())
        })
        .collect();
    assert!(wanted.iter().any(|purl| purl.starts_with("pkg:npm/bootstrap-italia@")));
    let components = bill().components.into_iter().map(|component| component.purl);
    let found: BTreeSet<_> = components.filter(|purl| purl.starts_with("pkg:npm/")).collect();
    assert_eq!(found, wanted);
}

/// One state of the tree gives the same bytes, wherever it lies, and says nothing of the place.
#[test]
fn the_bill_can_be_made_again() {
    assert_eq!(written(), *WRITTEN);
    let place = root().display().to_string();
    assert!(!WRITTEN.contains(&place), "the bill names {place}");
    let dated = run(Command::new("deploy/sbom").env("SOURCE_DATE_EPOCH", "0"));
    let dated: Bill = serde_json::from_str(&dated).unwrap();
    assert_eq!(dated.metadata.timestamp.as_deref(), Some("1970-01-01T00:00:00Z"));
}
