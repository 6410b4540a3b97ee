//! The README, as a new user would type it: the pilot's blocks verbatim, and the demo.

#![cfg(test)]

mod script;

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use script::{Ended, Script};

/// Longest time for all of a script, on a machine that has much else to do.
const PATIENCE: Duration = Duration::from_secs(300);

/// What the test asks before the pilot's last block, which stops the nodes: where both
/// members stand, once they stand at one place.
const PROBE: &str = r#"
for _ in $(seq 300); do
    raccordo --home toscana --json status > toscana.status
    raccordo --home umbria --json status > umbria.status
    place() { sed 's/.*"sequence":\([0-9]*\).*/\1/' "$1.status"; }
    if [ "$(place toscana)" = "$(place umbria)" ]; then break; fi
    sleep 0.1
done
"#;

/// The `sh` blocks below the README's heading of the pilot.
fn pilot() -> Vec<String> {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
    let readme = fs::read_to_string(readme).unwrap();
    let section = readme.split_once("\n## A pilot by hand\n").expect("the pilot's heading").1;
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("\n```sh\n").skip(1);
    blocks.map(|rest| rest.split_once("\n```").expect("the block's end").0.to_owned()).collect()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// The directory of the programs under test.
fn programs() -> PathBuf {
    let raccordo = raccordo_tests::programs::path("raccordo").unwrap();
    raccordo_tests::programs::path("raccordod").unwrap();
    raccordo.parent().unwrap().to_owned()
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).unwrap()).unwrap()
}

#[test]
fn the_pilot_runs_as_it_is_printed() {
    let mut blocks = pilot();
    assert!(blocks.len() > 5, "the README's pilot has {} blocks", blocks.len());
    let last = blocks.pop().unwrap();
    blocks.extend([PROBE.to_owned(), last]);
    // Sockets have short paths: not below a long target directory.
    let directory = tempfile::Builder::new().prefix("raccordo-pilot-").tempdir_in("/tmp").unwrap();
    let script = Script {
        text: format!("set -euo pipefail\n{}", blocks.join("\n")),
        directory: directory.path(),
        programs: &programs(),
        variables: &[("HUB_PORT", free_port().to_string())],
    };
    let Ended { success, stdout, stderr } = script.run(PATIENCE);
    assert!(success, "the pilot failed\n--- stdout\n{stdout}\n--- stderr\n{stderr}");

    let shared = json(&directory.path().join("shared.json"));
    let state = shared["state"].as_str().unwrap();
    assert!(matches!(state, "delivered" | "read"), "the alert is {state}");
    let id = shared["id"].as_str().unwrap();
    assert!(stdout.matches(id).count() >= 3, "{id} was shared, listed and shown:\n{stdout}");

    let [toscana, umbria] =
        ["toscana", "umbria"].map(|node| json(&directory.path().join(format!("{node}.status"))));
    for key in ["sequence", "head", "authenticator", "epoch", "statement_version"] {
        let place = |status: &Value| status["equipes"][0][key].clone();
        assert_eq!(place(&toscana), place(&umbria), "{key}");
        assert!(!place(&toscana).is_null(), "{key}");
    }
    assert_eq!(toscana["equipes"][0]["set_aside"], 0);
    assert_eq!(umbria["equipes"][0]["set_aside"], 0);
}

#[test]
fn the_demo_delivers_everything() {
    let directory = tempfile::Builder::new().prefix("raccordo-demo-").tempdir_in("/tmp").unwrap();
    let script = Script {
        text: "raccordo demo --json".to_owned(),
        directory: directory.path(),
        programs: &programs(),
        variables: &[("TMPDIR", directory.path().to_string_lossy().into_owned())],
    };
    let Ended { success, stdout, stderr } = script.run(PATIENCE);
    assert!(success, "the demo failed\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
    let last: Value = serde_json::from_str(stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["demo"], "ok");
    assert!(last["alerts"]["shared"].as_u64().unwrap() >= 200, "{last}");
    assert_eq!(last["alerts"]["shared"], last["alerts"]["delivered"]);
    assert!(last["steps"].as_array().is_some_and(|steps| !steps.is_empty()), "{last}");
}
