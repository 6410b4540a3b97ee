//! Sample configurations and the tables of `deploy/docs`, against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use raccordo_core::alarm;
use raccordo_core::alert::{self, Alert};
use raccordo_core::callers;
use raccordo_core::codes::CodeLists;
use raccordo_core::object::{Field, Form, Kind};
use raccordo_core::quota;
use raccordo_core::time::Instant;
use raccordo_node::config::{Config, DatabaseUrl, Initial};
use raccordo_node::telemetry::METRICS;

use crate::{none, read, root};

/// 2027-01-01: later than every date in the documents.
const NEW_YEAR: Instant = Instant(1_798_761_600_000);

/// The cells of every table row below a heading, without the header.
fn rows(text: &str, heading: &str) -> Vec<Vec<String>> {
    let section = text.split_once(&format!("\n{heading}\n")).map(|(_, rest)| rest);
    let section = section.unwrap_or_else(|| panic!("no heading {heading:?}"));
    let section = section.split("\n#").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    let cells = |line: &str| {
        let line = line.trim_matches('|');
        line.split(" | ").map(|cell| cell.trim().replace('`', "")).collect()
    };
    let rows: Vec<_> = lines.map(cells).collect();
    assert!(!rows.is_empty(), "no table below {heading:?}");
    rows
}

/// First cells of such rows.
fn names(text: &str, heading: &str) -> BTreeSet<String> {
    rows(text, heading).into_iter().filter_map(|cells| cells.into_iter().next()).collect()
}

/// Files below a directory of the workspace with one of these endings.
fn files(directory: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![root().join(directory)];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false if path.to_string_lossy().ends_with(ending) => found.push(path),
                false => {}
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn parsed(name: &str, text: &str) -> Config {
    Config::parse(text, Path::new(name)).unwrap_or_else(|error| panic!("{error}"))
}

/// With every commented key set: `#key = value` or `# Example: key = value`.
fn uncommented(text: &str) -> String {
    let line = |line: &str| -> String {
        let key = line.strip_prefix("# Example: ").or_else(|| line.strip_prefix('#'));
        let key = key.filter(|key| key.starts_with(|first: char| first.is_ascii_lowercase()));
        format!("{}\n", key.unwrap_or(line))
    };
    text.lines().map(line).collect()
}

#[test]
fn sample_configurations_are_accepted() {
    for path in files("deploy/config", ".toml") {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(&path).unwrap();
        parsed(&name, &text);
        parsed(&name, &uncommented(&text));
    }
}

#[test]
fn sample_configurations_are_for_what_they_say() {
    let sample = |name: &str| parsed(name, &read(&format!("deploy/config/{name}")));
    let (member, hub) = (sample("member.toml"), sample("hub.toml"));
    assert!(!member.hub.enabled && member.outbound.proxy.is_some());
    assert!(hub.hub.enabled && hub.hub.endpoint.is_some());
}

/// `section.key` and default (`none` where there is none) of every key that `init` writes.
fn keys() -> BTreeMap<String, String> {
    let initial = Initial {
        id: "toscana".parse().unwrap(),
        name: "Toscana".into(),
        ipa: None,
        database: DatabaseUrl::Sqlite,
        database_password_file: None,
        hub: None,
    };
    let mut section = String::new();
    let mut keys = BTreeMap::new();
    for line in initial.text().lines() {
        let header = line.strip_prefix("# Example: ").unwrap_or(line).strip_prefix('[');
        if let Some(name) = header.and_then(|line| line.strip_suffix(']')) {
            section = name.to_owned();
        }
        let (line, shows_default) = match line.strip_prefix("# Example: ") {
            Some(key) => (key, false),
            None => (line.strip_prefix('#').unwrap_or(line), line.starts_with('#')),
        };
        if let Some((key, value)) = line.split_once(" = ")
            && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        {
            let default = if shows_default { value } else { "none" };
            keys.insert(format!("{section}.{key}"), default.to_owned());
        }
    }
    keys
}

#[test]
fn the_table_of_alarms_is_the_program_s_own() {
    let document = read("deploy/docs/operating.md");
    let section = document.split("\n## Alarms\n").nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let table: String = section
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| format!("{line}\n"))
        .collect();
    assert_eq!(table, alarm::markdown());
}

#[test]
fn every_key_is_documented_with_its_default() {
    let text = read("deploy/docs/configuration.md");
    let mut documented = BTreeMap::new();
    for (key, _) in keys() {
        let (section, key) = key.rsplit_once('.').unwrap();
        for cells in rows(&text, &format!("## [{section}]")) {
            documented.insert(format!("{section}.{}", cells[0]), cells[1].clone());
        }
        assert!(documented.contains_key(&format!("{section}.{key}")), "{section}.{key}");
    }
    // Without a default, one of these two has to be decided and the other follows from it.
    documented.insert("node.id".into(), "none".into());
    documented.insert("node.name".into(), "none".into());
    assert_eq!(documented, keys());
}

#[test]
fn every_metric_is_documented() {
    let documented = names(&read("deploy/docs/operating.md"), "## Metrics");
    let metrics: BTreeSet<_> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    assert_eq!(documented, metrics);
}

/// Source of every file below a directory, each file's own tests left out.
pub(crate) fn source(directory: &str) -> String {
    let sources = files(directory, ".rs").into_iter();
    let text = |path: PathBuf| {
        let text = std::fs::read_to_string(path).unwrap();
        text.split("#[cfg(test)]").next().unwrap_or_default().to_owned()
    };
    sources.map(text).collect()
}

#[test]
fn every_metric_is_recorded() {
    let declared = read("node/src/telemetry.rs");
    let constants = declared.split("metrics_table! {\n").nth(1).unwrap();
    let constants = constants.split("\n}\n").next().unwrap().lines();
    let constants: Vec<_> =
        constants.filter_map(|line| Some(line.trim().split_once(" = ")?.0)).collect();
    assert_eq!(constants.len(), METRICS.len(), "{constants:?}");
    let sources = files("node/src", ".rs").into_iter();
    let elsewhere = sources.filter(|path| !path.ends_with("src/telemetry.rs"));
    let text: String = elsewhere.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let text = text.replace(char::is_whitespace, "");
    let recorded = |name: &&str| text.contains(&format!("!({name}.name"));
    let never = constants.into_iter().filter(|name| !recorded(name));
    none("metrics that are never recorded", never.map(str::to_owned).collect());
}

/// The string literal that follows every occurrence of a text, white space apart.
pub(crate) fn literals_after(text: &str, before: &str) -> BTreeSet<String> {
    let after = text.split(before).skip(1);
    let literal = |rest: &str| {
        let rest = rest.trim_start().strip_prefix('"')?;
        rest.split_once('"').map(|(literal, _)| literal.to_owned())
    };
    after.filter_map(literal).collect()
}

#[test]
fn every_reason_is_documented() {
    let text = source("node/src/app") + &source("node/src/api");
    let mut given = BTreeSet::new();
    for maker in ["usage(", "refused(", "not_found(", "conflict("] {
        given.extend(literals_after(&text, &format!("Fault::{maker}")));
    }
    for whose in ["Usage", "Unauthenticated", "Refused", "NotFound", "Conflict", "Exhausted"] {
        given.extend(literals_after(&text, &format!("Whose::{whose},")));
    }
    given.extend(quota::ALL.iter().map(|quota| quota.row().reason.to_owned()));
    given.remove("");
    assert!(given.len() > 30, "the search finds only {given:?}");
    let documented = names(&read("deploy/docs/api.md"), "## Reasons");
    none("reasons without words", given.difference(&documented).cloned().collect());
}

/// The table of quotas as a document has it.
fn quotas() -> String {
    let line = |quota: &quota::Quota| {
        let row = quota.row();
        let number = row.unit.words(row.number);
        let reason =
            if row.reason.is_empty() { String::new() } else { format!("`{}`", row.reason) };
        format!("| `{}` | {} | {number} | {} | {reason} |\n", row.name, row.bounds, row.outcome)
    };
    quota::ALL.iter().map(line).collect()
}

#[test]
fn every_quota_is_documented() {
    let text = read("deploy/docs/security.md");
    let section = text.split("\n## Quotas\n").nth(1).expect("no section about quotas");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| `"));
    let documented: String = lines.map(|line| format!("{line}\n")).collect();
    let expected = quotas();
    assert!(documented == expected, "the table in security.md is to be:\n{expected}");
}

#[test]
fn every_call_of_a_hub_is_documented() {
    let text = read("deploy/docs/security.md");
    let section = text.split("\n## Calls of a hub\n").nth(1).expect("no section about calls");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with('|'));
    let documented: String = lines.map(|line| format!("{line}\n")).collect();
    let expected = callers::markdown();
    assert!(documented == expected, "the table in security.md is to be:\n{expected}");
}

/// The alerts in fenced `json` blocks.
fn printed_alerts() -> Vec<Alert> {
    let text = read("deploy/docs/alerts.md");
    let blocks = text.split("\n```json\n").skip(1);
    let body = |block: &str| block.split_once("\n```").map(|(body, _)| body.to_owned());
    let alerts = blocks
        .filter_map(body)
        .map(|body| serde_json::from_str(&body).unwrap_or_else(|error| panic!("{error}\n{body}")));
    alerts.collect()
}

#[test]
fn printed_alerts_are_valid_and_full() {
    let lists = CodeLists::builtin();
    let mut kinds = BTreeSet::new();
    for alert in printed_alerts() {
        let checked = alert::check(&lists, &alert, NEW_YEAR).unwrap_or_else(|e| panic!("{e:?}"));
        let shown = checked.fields_present();
        let fields = checked.kind().declaration().fields.iter();
        // A flag that is false is as good as absent, and tags come from the node.
        let wanted = fields.filter(|field| field.form != Form::Flag && field.name != "tags");
        let missing = wanted.filter(|field| !shown.contains(&field.name));
        none("not shown", missing.map(|field| field.name.to_owned()).collect());
        kinds.insert(checked.kind());
    }
    assert_eq!(kinds.len(), Kind::ALL.len());
}

/// What a field holds, in the words of the tables.
fn form(form: Form) -> String {
    match form {
        Form::Date => "date".into(),
        Form::Month => "month".into(),
        Form::Flag => "true or false".into(),
        Form::Uuid => "UUID".into(),
        Form::Uuids(max) => format!("up to {max} UUIDs"),
        Form::Tags(_) => "tags".into(),
        Form::Code(lists) => lists.join(" or "),
        Form::Codes(lists, max) => format!("up to {max} of {}", lists.join(" or ")),
    }
}

fn documented_as(field: &Field) -> Vec<String> {
    let (risk, most) = (field.risk as u8, field.risk_max as u8);
    let risk = if risk == most { risk.to_string() } else { format!("{risk} to {most}") };
    let required = if field.required { "yes" } else { "" };
    vec![field.name.into(), form(field.form), required.into(), risk]
}

#[test]
fn every_field_is_documented() {
    let text = read("deploy/docs/alerts.md");
    for kind in Kind::ALL {
        let declaration = kind.declaration();
        let documented: Vec<Vec<String>> =
            rows(&text, &format!("## Fields of {}", declaration.body))
                .into_iter()
                .map(|cells| cells.into_iter().take(4).collect())
                .collect();
        let declared: Vec<_> = declaration.fields.iter().map(documented_as).collect();
        assert_eq!(documented, declared, "{kind}");
    }
}

#[test]
fn forms_of_codes_stand_in_the_proto() {
    let proto = read("proto/alert/v1/alert.proto");
    let comments = proto.lines().filter_map(|line| line.strip_prefix("// "));
    let text = comments.collect::<Vec<_>>().join(" ");
    let lists = CodeLists::builtin();
    let fields = Kind::ALL.into_iter().flat_map(|kind| kind.declaration().fields);
    let used = fields.flat_map(|field| match field.form {
        Form::Code(lists) | Form::Codes(lists, _) => lists,
        _ => &[],
    });
    let used: BTreeSet<&str> = used.copied().chain(["withdrawal_reason"]).collect();
    for name in used {
        let form = lists.list(name).unwrap().form.as_str();
        let named = text.split(&format!("`{form}`: ")).nth(1).unwrap_or_default();
        let named = named.split([';', '.']).next().unwrap_or_default();
        assert!(named.split(", ").any(|one| one == name), "{name} is not among {form}: {named:?}");
    }
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut documents = files("deploy/docs", ".md");
    documents.extend(["README.md", "CHANGELOG.md", "SECURITY.md"].map(|name| root().join(name)));
    let mut dead = Vec::new();
    for path in documents {
        let text = std::fs::read_to_string(&path).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let file = link.split('#').next().unwrap_or_default();
            let local = !file.is_empty() && !link.contains("://");
            if local && !path.parent().unwrap().join(file).exists() {
                dead.push(format!("{} in {}", link, path.display()));
            }
        }
    }
    none("dead links", dead);
}

#[test]
fn files_named_in_the_readme_exist() {
    let text = read("README.md");
    let named = text.split('`').skip(1).step_by(2);
    let paths = named.filter(|name| {
        let kinds = [".rs", ".md", ".proto", "/", "tests/run", ".ci/run"];
        name.contains('/') && !name.contains(' ') && kinds.iter().any(|kind| name.ends_with(kind))
    });
    let paths: BTreeSet<_> = paths.filter(|name| !name.starts_with(['/', '-'])).collect();
    assert!(paths.len() > 10, "the search finds only {paths:?}");
    let gone = paths.into_iter().filter(|path| !root().join(path).exists());
    none("not there", gone.map(str::to_owned).collect());
}
