//! The command line by transcripts: what people and scripts see, on a federation that runs.
//! Each `*.txt` beside this file is one, see [`transcript`].

#![cfg(test)]

mod transcript;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use raccordo_tests::federation::{Database, EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};
use raccordo_tests::programs;
use serde_json::json;

use transcript::{Effect, parse};

/// The id of the alert that toscana has shared.
const ALERT: &str = "7f8a5c1e-0d5b-4c53-9d0c-3a1f0b6f2a11";

fn transcripts() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cli");
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|ending| ending == "txt")).collect();
    files.sort();
    assert!(!files.is_empty());
    files
}

/// Runs one command where the homes are.
fn run(command: &str, directory: &Path) -> anyhow::Result<Effect> {
    let programs = programs::path("raccordo")?;
    let programs = programs.parent().context("a program lies in a directory")?;
    let path = std::env::var("PATH").unwrap_or_default();
    let mut bash = Command::new("bash");
    bash.args(["-o", "pipefail", "-c", command]).current_dir(directory);
    bash.env("PATH", format!("{}:{path}", programs.display())).env("NO_COLOR", "1");
    bash.env_remove("RACCORDO_HOME").env_remove("RACCORDO_OPERATOR");
    let done = bash.output()?;
    let lines = |bytes: Vec<u8>| -> anyhow::Result<Vec<String>> {
        Ok(String::from_utf8(bytes)?.lines().map(|line| line.trim_end().to_owned()).collect())
    };
    Ok(Effect {
        stdout: lines(done.stdout)?,
        stderr: lines(done.stderr)?,
        exit: done.status.code().unwrap_or(-1),
    })
}

/// A founded federation in which toscana has shared one alert, and umbria has it.
async fn federation() -> anyhow::Result<Federation> {
    let federation = Federation::founded(Setting::on(Database::Sqlite)).await?;
    let toscana = federation.node(TOSCANA)?;
    let mut alert = toscana.first(&["alert", "example", "--kind", "case", "--seed", "7"]).await?;
    alert["id"] = json!(ALERT);
    let share = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "delivered"];
    toscana.run_with(&share, Some(&alert.to_string())).await?;
    until("equal places", async || {
        let (one, other) = (toscana.equipe().await?, federation.node(UMBRIA)?.equipe().await?);
        Ok((one.sequence == other.sequence && one.outbox + other.outbox == 0).then_some(()))
    })
    .await?;
    Ok(federation)
}

#[tokio::test]
async fn transcripts_hold() -> anyhow::Result<()> {
    let federation = federation().await?;
    let directory = federation.path("");
    let mut wrong = String::new();
    let mut exits = BTreeSet::new();
    for file in transcripts() {
        for step in parse(&fs::read_to_string(&file)?) {
            let seen = run(&step.command, &directory)?;
            exits.insert(seen.exit);
            if !step.effect.allows(&seen) {
                let file = file.file_name().unwrap_or_default().display();
                let (line, command) = (step.line, &step.command);
                wrong.push_str(&format!("\n{file}:{line}\n$ {command}\n{}", seen.text()));
            }
        }
    }
    assert!(wrong.is_empty(), "not as in the transcripts, but:\n{wrong}");
    // Every promise about exit codes but our own faults is shown.
    assert_eq!(exits, BTreeSet::from([0, 2, 3, 4, 5, 6]));
    Ok(())
}
