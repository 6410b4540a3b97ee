//! The rules of the source tree that no compiler checks: who may import what, what is not
//! left behind, and how large a file may grow.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module of the node may import of the others. An arrow may skip a level, never
/// point up or sideways; what is not named imports nothing.
const NODE: &[(&str, &[&str])] = &[
    ("main", &["run", "setup", "config", "home", "telemetry"]),
    (
        "run",
        &[
            "setup",
            "desk",
            "api",
            "courier",
            "app",
            "store",
            "transport",
            "telemetry",
            "config",
            "home",
            "clock",
        ],
    ),
    (
        "setup",
        &[
            "app",
            "store",
            "transport",
            "telemetry",
            "config",
            "home",
            "key_file",
            "private_file",
            "clock",
            "entropy",
        ],
    ),
    ("desk", &["app"]),
    ("api", &["app", "store", "transport"]),
    ("courier", &["app", "store", "transport", "telemetry"]),
    ("app", &["store", "telemetry"]),
    ("store", &["telemetry"]),
    ("transport", &["telemetry"]),
    ("config", &["transport", "telemetry", "home", "private_file"]),
    ("key_file", &["private_file"]),
];

/// Crates that only some places name: `(crate, places, why)`.
const CRATES: &[(&str, &[&str], &str)] = &[
    ("sqlx", &["node/src/store/sql/", "node/src/store/dialect.rs"], "one place knows SQL"),
    (
        "raccordo_proto",
        &[
            "node/core/src/wire/",
            // Alerts are their messages: what the pact allows is a field of the proto.
            "node/core/src/alert/",
            "node/src/api/",
            "node/src/transport/",
            // Turns the core's calls into the hub's messages and back.
            "node/src/courier/remote_link.rs",
            "cli/",
            "tests/",
        ],
        "messages end at the edge",
    ),
    (
        "tonic",
        &[
            "node/src/api/",
            "node/src/transport/",
            "node/src/run/",
            "node/src/run.rs",
            "node/src/courier/remote_link.rs",
            "cli/",
            "tests/",
            "proto/",
        ],
        "decisions know no network",
    ),
    ("rustls", &["node/src/transport/"], "one place knows TLS"),
    ("openmls", &["node/core/src/"], "one place knows MLS"),
    // `raccordo init` and the export of a card work without a running node.
    (
        "raccordo_node",
        &["cli/src/offline.rs", "cli/src/context.rs", "node/src/main.rs", "tests/"],
        "the command line talks to a node through its sockets",
    ),
];

/// What the core never names: it has no world of its own.
const NOT_IN_CORE: &[&str] = &[
    "std::fs",
    "std::thread",
    "std::env",
    "std::process",
    "std::sync::Mutex",
    "HashMap",
    "HashSet",
    "SystemTime::now",
    "Instant::now",
    "TcpStream",
    "UnixStream",
    "async fn",
];

/// What the core's manifest never lists.
const NOT_FOR_CORE: &[&str] =
    &["tokio", "tonic", "sqlx", "tracing", "tracing-subscriber", "metrics", "getrandom"];

/// Names that say nothing.
const EMPTY_NAMES: &[&str] = &["utils", "util", "helpers", "helper", "common", "misc", "manager"];

const LINES_MAX: usize = 700;
/// Files that are longer, and why.
const LONG: &[(&str, &str)] = &[];

/// Tests that look again after a pause, since what they wait for is another process.
const WAITING: &[&str] = &["tests/src/"];

/// A text file of the workspace.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Lines that are code, from 1; what stands in comments is left out.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(index, line)| (index + 1, line));
        lines.filter_map(|(number, line)| {
            let code = line.split("//").next().unwrap_or_default();
            (!code.trim().is_empty()).then_some((number, code))
        })
    }

    fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// The module of the node that the file belongs to.
    fn node_module(&self) -> Option<&str> {
        let path = self.path.strip_prefix("node/src/")?;
        let module = path.split('/').next()?;
        Some(module.strip_suffix(".rs").unwrap_or(module))
    }

    /// First line that belongs to tests.
    fn first_test_line(&self) -> usize {
        if self.path.starts_with("tests/") || self.path.contains("/tests/") {
            return 0;
        }
        let mark = self.text.lines().position(|line| line.trim() == "#[cfg(test)]");
        mark.unwrap_or(usize::MAX)
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Every text that people write here, in order of its path.
fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                // What a fuzzer found is in no language.
                if !matches!(name.as_str(), "target" | ".git" | "__pycache__" | "corpus") {
                    open.push(path);
                }
                continue;
            }
            // Code lists are data of others, and may hold any word.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            let path = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            if !path.ends_with(".csv") && path != ".git" {
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    assert!(found.iter().filter(|source| source.is_rust()).count() > 100);
    found
}

fn rust() -> impl Iterator<Item = Source> {
    sources().into_iter().filter(Source::is_rust)
}

/// Fails with every violation that was found.
fn none(what: &str, found: &[String]) {
    assert!(found.is_empty(), "{what}:\n  {}", found.join("\n  "));
}

/// The names after every `prefix` in a text: one, or those of a group in braces.
fn named_after(text: &str, prefix: &str) -> Vec<(usize, String)> {
    let word = |text: &str| -> String {
        text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
    };
    let mut found = Vec::new();
    for (start, _) in text.match_indices(prefix) {
        let line = text[..start].matches('\n').count() + 1;
        let before = text[..start].chars().next_back();
        if before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_') {
            continue;
        }
        let rest = &text[start + prefix.len()..];
        match rest.strip_prefix('{') {
            None => found.push((line, word(rest))),
            Some(group) => {
                found.extend(outermost(group).into_iter().map(|name| (line, word(name))));
            }
        }
    }
    found
}

/// The parts of a group up to its closing brace, inner groups apart.
fn outermost(group: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0, 0);
    for (place, letter) in group.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            ',' | '}' if depth == 0 => {
                parts.push(group[start..place].trim());
                start = place + 1;
                if letter == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    parts.retain(|part| !part.is_empty());
    parts
}

/// The code of a file on its own lines, without comments.
fn bare(source: &Source) -> String {
    let mut lines = vec![""; source.text.lines().count()];
    for (number, code) in source.code() {
        lines[number - 1] = code;
    }
    lines.join("\n")
}

#[test]
fn imports_are_found() {
    let check = |text: &str, expected: &[(usize, &str)]| {
        let found = named_after(text, "crate::");
        let found: Vec<_> = found.iter().map(|(line, name)| (*line, name.as_str())).collect();
        assert_eq!(found, expected, "{text}");
    };
    check("use crate::app::Node;", &[(1, "app")]);
    check("\nuse crate::{app::{Node, share}, store};", &[(2, "app"), (2, "store")]);
    check("let x = crate::api::serve(supercrate::x);", &[(1, "api")]);
    check("pub(crate) fn f()", &[]);
    check("use crate::{\n    api,\n    app,\n};", &[(1, "api"), (1, "app")]);
}

#[test]
fn modules_of_the_node_import_downwards() {
    let mut bad = Vec::new();
    for source in rust() {
        let Some(module) = source.node_module().filter(|module| *module != "lib") else { continue };
        let may = NODE.iter().find(|(name, _)| *name == module).map_or(&[][..], |(_, may)| *may);
        let prefix = if module == "main" { "raccordo_node::" } else { "crate::" };
        let first_test_line = source.first_test_line();
        for (line, name) in named_after(&bare(&source), prefix) {
            // Tests beside the code compare it with what they like.
            let ships = line <= first_test_line;
            if ships && name != module && !may.contains(&name.as_str()) {
                bad.push(format!("{}:{line}: {module} imports {name}", source.path));
            }
        }
    }
    none("imports upwards or sideways", &bad);
}

#[test]
fn the_table_of_modules_is_used() {
    let modules: BTreeSet<String> =
        rust().filter_map(|source| source.node_module().map(str::to_owned)).collect();
    let gone = NODE.iter().filter(|(name, _)| !modules.contains(*name));
    none("modules that are gone", &gone.map(|(name, _)| (*name).to_owned()).collect::<Vec<_>>());
}

#[test]
fn crates_are_named_where_they_belong() {
    let mut bad = Vec::new();
    for source in rust() {
        let code = bare(&source);
        let first = source.first_test_line();
        for (name, places, why) in CRATES {
            if places.iter().any(|place| source.path.starts_with(place)) {
                continue;
            }
            let named = named_after(&code, &format!("{name}::"));
            // Tests beside the code compare it with what they like.
            let named = named.into_iter().map(|(line, _)| line).filter(|line| *line <= first);
            for line in named.collect::<BTreeSet<_>>() {
                bad.push(format!("{}:{line}: names {name}: {why}", source.path));
            }
        }
    }
    none("crates that belong elsewhere", &bad);
}

#[test]
fn the_core_has_no_world() {
    let mut bad = Vec::new();
    for source in rust().filter(|source| source.path.starts_with("node/core/src/")) {
        let first = source.first_test_line();
        for (line, code) in source.code().filter(|(line, _)| *line <= first) {
            let found = NOT_IN_CORE.iter().filter(|name| code.contains(**name));
            bad.extend(found.map(|name| format!("{}:{line}: {name}", source.path)));
        }
    }
    none("the core decides, and does nothing", &bad);
}

fn manifest(path: &str) -> toml::Table {
    let text = fs::read_to_string(root().join(path)).unwrap();
    text.parse().unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn manifests() {
    let mut bad = Vec::new();
    let workspace = manifest("Cargo.toml");
    let members = workspace["workspace"]["members"].as_array().unwrap();
    for member in members {
        let path = format!("{}/Cargo.toml", member.as_str().unwrap());
        let manifest = manifest(&path);
        let lints = manifest.get("lints").and_then(|lints| lints.get("workspace"));
        // Generated code obeys no lints of ours.
        if lints.and_then(toml::Value::as_bool) != Some(true) && path != "proto/Cargo.toml" {
            bad.push(format!("{path}: no `[lints] workspace = true`"));
        }
        for section in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(table) = manifest.get(section).and_then(toml::Value::as_table) else {
                continue;
            };
            for (name, value) in table {
                let shared = value.get("workspace").and_then(toml::Value::as_bool);
                if shared != Some(true) {
                    bad.push(format!("{path}: {name} has a version of its own"));
                }
                if path == "node/core/Cargo.toml" && NOT_FOR_CORE.contains(&name.as_str()) {
                    bad.push(format!("{path}: the core lists {name}"));
                }
            }
        }
    }
    none("manifests", &bad);
}

#[test]
fn files_hold_one_idea() {
    let mut bad = Vec::new();
    for source in rust() {
        let lines = source.text.lines().count();
        let excused = LONG.iter().any(|(path, _)| *path == source.path);
        if lines > LINES_MAX && !excused {
            bad.push(format!("{}:{lines}: more than {LINES_MAX} lines", source.path));
        }
        if lines <= LINES_MAX && excused {
            bad.push(format!("{}: needs no excuse any more", source.path));
        }
        let stem = Path::new(&source.path).file_stem().unwrap().to_string_lossy().into_owned();
        let directory = Path::new(&source.path).parent().unwrap().file_name();
        let directory = directory.unwrap_or_default().to_string_lossy().into_owned();
        for name in [stem, directory] {
            if EMPTY_NAMES.contains(&name.as_str()) {
                bad.push(format!("{}: `{name}` names nothing", source.path));
            }
        }
    }
    none("files", &bad);
}

#[test]
fn every_file_says_what_it_is() {
    let untold = rust().filter(|source| !source.text.starts_with("//!"));
    let bad: Vec<_> = untold.map(|source| format!("{}:1: no `//!`", source.path)).collect();
    none("files without a first line", &bad);
}

#[test]
fn nothing_is_left_for_later() {
    let words = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("XX", "X"),
        concat!("un", "implemented!"),
        concat!("to", "do!("),
        concat!("#[ig", "nore"),
        concat!("for ", "now"),
    ];
    let mut bad = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            let found = words.iter().filter(|word| line.contains(**word));
            bad.extend(found.map(|word| format!("{}:{}: {word}", source.path, index + 1)));
        }
    }
    none("left for later", &bad);
}

#[test]
fn no_machine_is_named() {
    // A home in an example belongs to nobody.
    let places = [concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/")];
    let mut bad = Vec::new();
    for source in sources() {
        for (index, line) in source.text.lines().enumerate() {
            let found = places.iter().filter(|place| line.contains(**place));
            bad.extend(found.map(|place| format!("{}:{}: {place}", source.path, index + 1)));
        }
    }
    none("paths of one machine", &bad);
}

#[test]
fn tests_wait_for_what_happens() {
    let mut bad = Vec::new();
    for source in rust().filter(|s| !WAITING.iter().any(|place| s.path.starts_with(place))) {
        let first = source.first_test_line();
        for (line, code) in source.code() {
            if line > first && code.contains(concat!("sle", "ep(")) {
                bad.push(format!("{}:{line}: {}", source.path, code.trim()));
            }
        }
    }
    none("a test that sleeps is slow on every day and wrong on a bad one", &bad);
}

#[test]
fn exceptions_from_lints_say_why() {
    let mut bad = Vec::new();
    for source in rust().filter(|source| source.path != "proto/src/lib.rs") {
        let code = bare(&source);
        for mark in [concat!("[al", "low("), concat!("[exp", "ect(")] {
            for (start, _) in code.match_indices(mark) {
                let attribute = code[start..].split(']').next().unwrap_or_default();
                let line = code[..start].matches('\n').count() + 1;
                if !attribute.contains("reason") {
                    bad.push(format!("{}:{line}: {attribute}]", source.path));
                }
            }
        }
    }
    none("exceptions without a reason", &bad);
}
