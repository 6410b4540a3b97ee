//! `raccordo` as a script runs it: JSON lines, an exit code, a coded error.

use std::fmt;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context as _, bail};
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

use super::PATIENCE;

/// What a command printed, a value a line.
pub type Lines = Vec<Value>;

/// A command that did not do what it was asked.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The command line, for people.
    pub command: String,
    /// Its exit code; -1 for a signal.
    pub exit: i32,
    /// The stable code.
    pub code: String,
    /// The sentence.
    pub message: String,
    /// The next step.
    pub hint: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { command, exit, code, message, hint, stderr } = self;
        write!(f, "`{command}` ended with {exit}: {code}: {message}; {hint}; {stderr}")
    }
}

impl std::error::Error for Refusal {}

/// Runs `raccordo --json --home HOME ARGS`, with this standard input.
///
/// # Errors
/// A [`Refusal`], or why the program does not run.
pub async fn run(
    home: &Path,
    token: &Path,
    args: &[&str],
    input: Option<&str>,
) -> anyhow::Result<Lines> {
    let mut child = Command::new(crate::programs::path("raccordo")?)
        .arg("--json")
        .arg("--home")
        .arg(home)
        .args(args)
        .env("RACCORDO_OPERATOR", token)
        .stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("raccordo does not start")?;
    let writer = child.stdin.take().zip(input);
    let write = async {
        if let Some((mut stdin, input)) = writer {
            // The command tells by itself when it did not read all.
            let _ = stdin.write_all(input.as_bytes()).await;
        }
    };
    let command = format!("raccordo {}", args.join(" "));
    let ended = async { tokio::join!(child.wait_with_output(), write).0 };
    let ended = tokio::time::timeout(2 * PATIENCE, ended).await;
    let done = ended.with_context(|| format!("`{command}` does not end"))??;
    let mut lines = Vec::new();
    for line in String::from_utf8(done.stdout)?.lines() {
        lines.push(serde_json::from_str(line).with_context(|| format!("{command}: {line}"))?);
    }
    if done.status.success() {
        return Ok(lines);
    }
    let told = lines.last().and_then(|line| line.get("error"));
    let word = |key| told.and_then(|error| error.get(key)).and_then(Value::as_str);
    let word = |key| word(key).unwrap_or_default().to_owned();
    bail!(Refusal {
        exit: done.status.code().unwrap_or(-1),
        code: word("code"),
        message: word("message"),
        hint: word("hint"),
        stderr: String::from_utf8_lossy(&done.stderr).trim().to_owned(),
        command,
    })
}

/// The text at a JSON pointer; empty where there is none.
pub fn text<'v>(value: &'v Value, pointer: &str) -> &'v str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}
