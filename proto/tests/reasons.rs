//! Every call says for which reasons it is refused, and no reason is named that the code does
//! not know.

use std::path::{Path, PathBuf};

/// The services whose calls name their reasons. Those of the hub are tested where its rights
/// are.
const FILES: [&str; 4] = [
    "admin/v1/admin.proto",
    "casework/v1/casework.proto",
    "casework/v1/match.proto",
    "casework/v1/register.proto",
];

/// What a call says that has none but those of its file's head.
const NONE: &str = "No reasons of its own.";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All code of the node.
fn code(folder: &Path) -> String {
    let mut all = String::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.push_str(&code(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            all.push_str(&std::fs::read_to_string(path).unwrap());
        }
    }
    all
}

/// Each call with the comment above it, in one line.
fn calls(proto: &str) -> Vec<(String, String)> {
    let (mut found, mut comment) = (Vec::new(), String::new());
    for line in proto.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("//") {
            comment.push_str(words);
            continue;
        }
        if let Some(call) = line.strip_prefix("rpc ") {
            let name = call.split('(').next().unwrap_or_default();
            found.push((name.to_owned(), comment.trim().to_owned()));
        }
        comment.clear();
    }
    found
}

/// What follows `Reasons: `, up to the end of the sentence.
fn reasons(comment: &str) -> Vec<&str> {
    let said = comment.split("Reasons: ").nth(1).unwrap_or_default();
    let said = said.split('.').next().unwrap_or_default();
    said.split(", ").map(str::trim).filter(|part| !part.is_empty() && !part.contains(' ')).collect()
}

#[test]
fn every_call_names_reasons_that_the_code_knows() {
    let code = code(&root().join("node/src")) + &code(&root().join("node/core/src"));
    for file in FILES {
        let proto = std::fs::read_to_string(root().join("proto").join(file)).unwrap();
        let calls = calls(&proto);
        assert!(calls.len() >= 8, "{file}");
        for (call, comment) in calls {
            let named = reasons(&comment);
            let says_none = comment.ends_with(NONE);
            assert_eq!(named.is_empty(), says_none, "{file}: {call} says no reasons: {comment}");
            for reason in named {
                let known = code.contains(&format!("\"{reason}\""));
                assert!(known, "{file}: {call}: nothing in the code says {reason}");
            }
        }
    }
}
