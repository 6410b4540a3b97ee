//! A program in another language does the main job with the proto files alone: Python and
//! grpcio, on the Unix socket and over TLS.

#![cfg(test)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use raccordo_tests::federation::{Database, EQUIPE, Federation, Node, Setting, TOSCANA, UMBRIA};
use raccordo_tests::programs;
use serde_json::{Value, json};
use tokio::process::Command;

/// Longest time for one run of the client.
const PATIENCE: Duration = Duration::from_secs(120);
/// Alerts of one run.
const ALERTS: usize = 5;

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The interpreter that has grpcio.
fn python() -> anyhow::Result<PathBuf> {
    if let Some(named) = std::env::var_os("RACCORDO_TEST_PYTHON") {
        return Ok(named.into());
    }
    let profile = programs::path("raccordo")?;
    let target = profile.ancestors().nth(2).context("no target directory")?;
    let python = target.join("python/bin/python");
    if !python.exists() {
        bail!("there is no {}: tests/run installs it, with grpcio", python.display());
    }
    Ok(python)
}

/// Valid alerts as JSON Lines, each with its own id.
async fn alerts(federation: &Federation, seed: &str) -> anyhow::Result<PathBuf> {
    let toscana = federation.node(TOSCANA)?;
    let count = ALERTS.to_string();
    let example = ["alert", "example", "--kind", "case", "--count", &count, "--seed", seed];
    let mut text = String::new();
    for mut alert in toscana.run(&example).await? {
        alert["id"] = json!(uuid::Uuid::new_v4().to_string());
        text.push_str(&format!("{alert}\n"));
    }
    let path = federation.path(&format!("{seed}.jsonl"));
    fs::write(&path, text)?;
    Ok(path)
}

/// Runs the client at a node and returns what it found.
async fn client(node: &Node, alerts: &Path, way: &[(&str, String)]) -> anyhow::Result<Value> {
    let workspace = workspace();
    let mut python = Command::new(python()?);
    python.arg("-B").arg(workspace.join("tests/python/client.py"));
    python.arg("--protos").arg(workspace.join("proto"));
    python.arg("--token").arg(node.token_file()).args(["--equipe", EQUIPE]);
    python.arg("--alerts").arg(alerts);
    for (name, value) in way {
        python.arg(name).arg(value);
    }
    python.env_remove("http_proxy").env_remove("https_proxy").stdin(Stdio::null());
    python.kill_on_drop(true);
    let done = tokio::time::timeout(PATIENCE, python.output());
    let done = done.await.context("the client does not end")??;
    let stdout = String::from_utf8_lossy(&done.stdout);
    let stderr = String::from_utf8_lossy(&done.stderr);
    ensure!(done.status.success(), "the client failed\n{stdout}\n{stderr}");
    let last = stdout.lines().last().context("the client printed nothing")?;
    Ok(serde_json::from_str(last)?)
}

/// `package.Service` of every service in the proto files of a directory, and those that every
/// listener has.
fn services(directory: &str) -> anyhow::Result<Vec<String>> {
    let after = |line: &str, word: &str| {
        let rest = line.strip_prefix(word)?;
        Some(rest.split([' ', ';', '{']).next().unwrap_or_default().to_owned())
    };
    let mut names = Vec::from(
        [
            "grpc.health.v1.Health",
            "grpc.reflection.v1.ServerReflection",
            "grpc.reflection.v1alpha.ServerReflection",
        ]
        .map(str::to_owned),
    );
    for file in fs::read_dir(workspace().join("proto").join(directory))? {
        let text = fs::read_to_string(file?.path())?;
        let package =
            text.lines().find_map(|line| after(line, "package ")).context("no package")?;
        let own = text.lines().filter_map(|line| after(line, "service "));
        names.extend(own.map(|service| format!("{package}.{service}")));
    }
    names.sort();
    Ok(names)
}

/// What must be true of every run.
fn check(found: &Value) -> anyhow::Result<BTreeSet<String>> {
    let ids = |key: &str| -> anyhow::Result<BTreeSet<String>> {
        let list = found[key].as_array().with_context(|| format!("no {key} in {found}"))?;
        let ids: Vec<_> = list.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        let set: BTreeSet<_> = ids.iter().cloned().collect();
        ensure!(set.len() == ids.len(), "an id stands twice in {key}");
        Ok(set)
    };
    let (shared, listed) = (ids("shared")?, ids("listed")?);
    assert_eq!(shared.len(), ALERTS);
    assert!(shared.is_subset(&listed), "{found}");
    assert_eq!(found["me"], TOSCANA);
    assert_eq!(found["again"], true);
    assert_eq!(found["recipients"], json!([UMBRIA]));
    assert_eq!(found["delivered"], ALERTS);
    assert!(found["violations"].as_array().is_some_and(|v| v.contains(&json!("missing"))));
    assert_eq!(found["stranger"], json!(["UNAUTHENTICATED", "wrong_token"]));
    assert_eq!(found["no_equipe"], json!(["NOT_FOUND", "no_such_equipe"]));
    assert_eq!(found["services"], json!(services("casework/v1")?));
    assert_eq!(found["healthy"], true);
    Ok(shared)
}

/// Has a node serve its casework also over TLS, on any port; returns where, and the
/// certificate to trust.
async fn with_tls(federation: &mut Federation) -> anyhow::Result<(String, String)> {
    let node = federation.node_mut(TOSCANA)?;
    let config = node.home().config();
    let text = fs::read_to_string(&config)?;
    let example = "# Example: tls_listen = \"10.0.0.7:7444\"";
    ensure!(text.contains(example), "the configuration shows no tls_listen");
    fs::write(&config, text.replace(example, "tls_listen = \"127.0.0.1:0\""))?;
    node.restart().await?;
    let run = node.home().run();
    let address = fs::read_to_string(run.join("casework.addr"))?;
    Ok((address.trim().to_owned(), run.join("casework.pem").display().to_string()))
}

#[tokio::test]
async fn a_python_client_shares_and_lists() -> anyhow::Result<()> {
    let mut federation = Federation::founded(Setting::on(Database::Sqlite)).await?;

    let first = alerts(&federation, "1").await?;
    let toscana = federation.node(TOSCANA)?;
    let sockets = [
        ("--socket", toscana.home().casework_socket().display().to_string()),
        ("--admin-socket", toscana.home().admin_socket().display().to_string()),
    ];
    let found = client(toscana, &first, &sockets).await?;
    let mut shared = check(&found)?;
    assert_eq!(found["admin_services"], json!(services("admin/v1")?));
    assert_eq!(found["admin_healthy"], true);

    let (address, root) = with_tls(&mut federation).await?;
    let second = alerts(&federation, "2").await?;
    let tls = [("--tls", address), ("--root", root)];
    let found = client(federation.node(TOSCANA)?, &second, &tls).await?;
    shared.extend(check(&found)?);

    let arrived = federation.operator(UMBRIA)?.list().await?;
    let arrived: BTreeSet<String> = arrived.into_iter().map(|alert| alert.id).collect();
    assert_eq!(arrived, shared);
    Ok(())
}
