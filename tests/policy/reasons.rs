//! Every call says for which reasons it is refused, and what the code can answer is said: what a
//! third party reads in the comments of the protos is what it meets.

use std::collections::BTreeSet;

use raccordo_core::quota;

use crate::documents::{literals_after, source};
use crate::{none, read};

/// The services whose calls name their reasons.
const FILES: [&str; 5] = [
    "admin/v1/admin.proto",
    "casework/v1/casework.proto",
    "casework/v1/match.proto",
    "casework/v1/register.proto",
    HUB,
];
const HUB: &str = "hub/v1/hub.proto";

/// What a call says that has none but those of its file's head.
const NONE: &str = "No reasons of its own.";

/// The files of each call of the hub, below `node/src/app/hub`; those of several calls stand at
/// each.
const HUB_CALLS: [(&str, &[&str]); 10] = [
    ("Append", &["append.rs", "room.rs", "restored.rs"]),
    ("Subscribe", &["follow.rs"]),
    ("Confirm", &["confirm.rs"]),
    ("OfferEquipe", &["offer.rs", "rights.rs"]),
    ("FoundGroup", &["found_group.rs"]),
    ("SeedGroup", &["seed.rs"]),
    ("DepositKeyPackages", &[POOL]),
    ("ClaimKeyPackages", &[POOL]),
    ("FetchTree", &[POOL]),
    ("Post", &["mailbox.rs"]),
];
const POOL: &str = "key_package_pool.rs";

/// What only who decrypts, joins or commits meets, never a hub.
const OF_MEMBERS: [&str; 8] = [
    "secret_reused",
    "undecryptable",
    "own_commit_mismatch",
    "bad_key_package",
    "unknown_key_package",
    "commit_pending",
    "bad_change",
    "removed",
];

fn proto(file: &str) -> String {
    read(&format!("proto/{file}"))
}

/// All code that answers.
fn code() -> String {
    source("node/src") + &source("node/core/src")
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

/// A text without what stands in round brackets.
fn without_asides(text: &str) -> String {
    let mut depth = 0_usize;
    let outside = |letter: &char| {
        match letter {
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                return false;
            }
            _ => {}
        }
        depth == 0
    };
    text.chars().filter(outside).collect()
}

fn is_reason(word: &str) -> bool {
    let letters = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    !word.is_empty() && word.chars().all(letters)
}

/// What follows `Reasons: `, up to the end of the sentence.
fn reasons(comment: &str) -> BTreeSet<String> {
    let said = comment.split("Reasons: ").nth(1).unwrap_or_default();
    let said = without_asides(said);
    let said = said.split('.').next().unwrap_or_default();
    said.split(", ").map(str::trim).filter(|part| is_reason(part)).map(str::to_owned).collect()
}

#[test]
fn reasons_are_read_from_comments() {
    let read = |comment| reasons(comment).into_iter().collect::<Vec<_>>();
    assert_eq!(read(" Does it. Reasons: one_thing, other (256, at most)."), ["one_thing", "other"]);
    assert_eq!(read(" Does it. No reasons of its own."), [""; 0]);
}

#[test]
fn every_call_names_reasons_that_the_code_knows() {
    let (code, mut bad) = (code(), Vec::new());
    for file in FILES {
        let calls = calls(&proto(file));
        assert!(calls.len() >= 5, "{file}");
        for (call, comment) in calls {
            let named = reasons(&comment);
            if named.is_empty() != comment.ends_with(NONE) {
                bad.push(format!("{file}: {call} says no reasons: {comment}"));
            }
            let unknown = named.iter().filter(|reason| !code.contains(&format!("\"{reason}\"")));
            bad.extend(unknown.map(|reason| format!("{file}: {call}: nothing says {reason}")));
        }
    }
    none("reasons of calls", bad);
}

/// The reasons that the head of hub.proto explains below a line, up to the next empty one.
fn explained(heading: &str) -> BTreeSet<String> {
    let text = proto(HUB);
    let (_, list) = text.split_once(&format!("\n// {heading}:\n")).expect("the heading");
    let list = list.split("\n//\n").next().unwrap_or_default();
    let lines = list.lines().filter_map(|line| line.strip_prefix("//   "));
    let lines = lines.filter(|line| !line.starts_with(' '));
    let words = |line: &str| -> Vec<String> {
        let names = line.split("  ").next().unwrap_or_default();
        names.split(", ").map(str::to_owned).collect()
    };
    let found: BTreeSet<String> = lines.flat_map(words).collect();
    assert!(found.iter().all(|reason| is_reason(reason)), "{found:?}");
    found
}

#[test]
fn every_reason_of_the_hub_is_explained_once() {
    let (of_every_call, of_some) = (explained("Of every call"), explained("Of some"));
    let named: BTreeSet<String> =
        calls(&proto(HUB)).iter().flat_map(|(_, comment)| reasons(comment)).collect();
    let all: BTreeSet<String> = &of_every_call | &of_some;
    let missing: Vec<String> = (&named - &all).into_iter().collect();
    none("reasons without words", missing);
    none("reasons that no call names", (&of_some - &named).into_iter().collect());
    let code = code();
    let unknown = all.into_iter().filter(|reason| !code.contains(&format!("\"{reason}\"")));
    none("reasons that nothing says", unknown.collect());
}

/// The reasons that a file of the hub refuses with, its own faults apart.
fn given(file: &str) -> BTreeSet<String> {
    let text = read(&format!("node/src/app/hub/{file}"));
    let text = text.split("#[cfg(test)]").next().unwrap_or_default();
    let mut given = BTreeSet::new();
    for maker in ["usage(", "refused(", "not_found(", "conflict("] {
        given.extend(literals_after(text, &format!("Fault::{maker}")));
    }
    for whose in ["Usage", "Refused", "NotFound", "Conflict", "Exhausted", "Unavailable"] {
        given.extend(literals_after(text, &format!("Whose::{whose},")));
    }
    let reached = quota::ALL.iter().filter(|quota| text.contains(&format!("Quota::{quota:?}")));
    given.extend(reached.map(|quota| quota.row().reason.to_owned()));
    given.remove("");
    given
}

#[test]
fn every_call_of_the_hub_names_what_its_code_refuses_with() {
    let hub = proto(HUB);
    let calls = calls(&hub);
    let names: Vec<&str> = calls.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, HUB_CALLS.map(|(name, _)| name), "a call has no files here");
    let (of_every_call, of_entries) = (explained("Of every call"), of_entries(&hub));
    let mut bad = Vec::new();
    for (call, files) in HUB_CALLS {
        let of_files = |other: &&(String, String)| {
            HUB_CALLS.iter().any(|(name, others)| *name == other.0 && *others == files)
        };
        let mut said = of_every_call.clone();
        said.extend(calls.iter().filter(of_files).flat_map(|(_, comment)| reasons(comment)));
        if call == "Append" {
            said.extend(of_entries.iter().cloned());
        }
        let given: BTreeSet<String> = files.iter().flat_map(|file| given(file)).collect();
        bad.extend((&given - &said).into_iter().map(|reason| format!("{call}: {reason}")));
    }
    none("reasons that the comments do not name", bad);
}

/// What the paragraph about single entries names.
fn of_entries(hub: &str) -> BTreeSet<String> {
    let (_, text) = hub.split_once("\n// Of one entry,").expect("the paragraph");
    let lines = text.split("\nsyntax").next().unwrap_or_default().lines();
    let text: String = lines.map(|line| format!("{} ", line.trim_start_matches("// "))).collect();
    let text = without_asides(&text);
    let words = text.split([' ', ',', '.', ';', ':']);
    words.filter(|word| is_reason(word) && word.contains('_')).map(str::to_owned).collect()
}

/// The literals of the functions `reason` of a file.
fn reason_literals(file: &str) -> BTreeSet<String> {
    let text = read(file);
    let bodies = text.split("fn reason(").skip(1).filter_map(|rest| rest.split("\n    }\n").next());
    let found: BTreeSet<String> = bodies.flat_map(|body| literals_after(body, "=>")).collect();
    assert!(found.len() > 2, "{file}: {found:?}");
    found
}

#[test]
fn every_reason_of_an_entry_is_named() {
    let hub = proto(HUB);
    let named = of_entries(&hub);
    let mut given = BTreeSet::new();
    for file in ["hubgroup.rs", "session/error.rs", "trust/notice.rs"] {
        given.extend(reason_literals(&format!("node/core/src/{file}")));
    }
    given.extend(literals_after(&read("node/src/app/hub/append.rs"), "Outcome::Refused("));
    given.retain(|reason| !OF_MEMBERS.contains(&reason.as_str()));
    // What stands there in the way of the whole founding is none of an entry; one word is no
    // reason by its look.
    given.remove("bad_group");
    given.remove("internal");
    none("reasons of entries that are not named", (&given - &named).into_iter().collect());
    let code = code();
    let unknown = named.into_iter().filter(|reason| !code.contains(&format!("\"{reason}\"")));
    none("reasons of entries that nothing says", unknown.collect());
}

#[test]
fn every_rule_of_the_validator_is_named() {
    let group = proto("trust/v1/group.proto");
    let validator =
        source("node/core/src/trust/validator") + &read("node/core/src/trust/validator.rs");
    let mut rules = literals_after(&validator, "refused(");
    for part in validator.split("rule(").skip(1) {
        let call = part.split(")?").next().unwrap_or_default();
        let call = call.split(";").next().unwrap_or_default();
        rules.extend(call.rsplit('"').nth(1).map(str::to_owned));
    }
    rules.retain(|rule| is_reason(rule));
    assert!(rules.len() > 40, "the search finds only {rules:?}");
    let (_, list) = group.split_once("\n// Reasons, in the order of the checks:\n").unwrap();
    let list = list.split("\n// # ").next().unwrap_or_default();
    let words = |text: &str| -> BTreeSet<String> {
        let letters = |letter: char| !(letter.is_ascii_lowercase() || letter == '_');
        text.split(letters).filter(|word| word.contains('_')).map(str::to_owned).collect()
    };
    let named = words(list);
    none("rules without words", (&rules - &named).into_iter().collect());
    // What is no reason by its place, but has its look.
    let stale = named.into_iter().filter(|name| !validator.contains(&format!("\"{name}\"")));
    none("rules that nothing checks", stale.collect());
}
