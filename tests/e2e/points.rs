//! Kill -9 at numbered points: the kernel ends a process at the n-th call by which it makes
//! something durable (SQLite) or speaks to its server (PostgreSQL), with the call not done.
//! How many there are in an operation is counted first, in a run of its own.

use std::collections::BTreeSet;

use anyhow::{Context as _, ensure};
use raccordo_tests::federation::command::Refusal;
use raccordo_tests::federation::{
    Database, EQUIPE, Fate, Federation, NODES, RELAY, Setting, TOSCANA, UMBRIA, until,
};

use serde_json::Value;

use crate::alerts::{agree, audits_verify, examples, lines, listed, share};
use crate::backup::{PASSPHRASE, passphrase_file};
use crate::membership::{LAZIO, meet as met};
use crate::term::{PONTE, meet as meet_hub};

/// Kills of each node in an operation, at points spread over the whole of it.
const POINTS: u32 = 3;
/// Replaces it.
const POINTS_WANTED: &str = "RACCORDO_TEST_POINTS";
/// Exit code of a command whose node does not answer.
const UNREACHABLE: i32 = 5;

fn points() -> anyhow::Result<u32> {
    match std::env::var(POINTS_WANTED) {
        Ok(wanted) => wanted.parse().with_context(|| format!("{POINTS_WANTED} is a number")),
        Err(_) => Ok(POINTS),
    }
}

fn call(setting: Setting) -> &'static str {
    match setting.database {
        Database::Sqlite => "fsync",
        Database::Postgres => "sendto",
    }
}

/// Numbers of the calls after the `first` at which a process is killed.
fn spread(first: u32, last: u32) -> anyhow::Result<Vec<u32>> {
    let points = points()?;
    Ok((1..=points).map(|point| first + ((last - first) * point).div_ceil(points)).collect())
}

/// Does an operation once with each node counted, and again with it killed at each point.
/// The operation gets its running number, and must do by itself what needs doing again.
async fn check(
    mut world: Federation,
    setting: Setting,
    victims: &[&str],
    operation: impl AsyncFn(&mut Federation, usize) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let call = call(setting);
    let mut number = 0;
    let mut killed = 0;
    for victim in victims {
        world.node_mut(victim)?.kill().await?;
        world.node_mut(victim)?.doom(Fate { call, number: None });
        world.node_mut(victim)?.start().await?;
        let first = world.node(victim)?.calls()?;
        operation(&mut world, number).await?;
        let last = world.node(victim)?.calls()?;
        ensure!(last > first, "{victim} does nothing in this operation");
        number += 1;
        let deaths = world.node(victim)?.deaths();
        for at in spread(first, last)? {
            world.node_mut(victim)?.kill().await?;
            world.node_mut(victim)?.doom(Fate { call, number: Some(at) });
            // The point may lie in a start that does more than the counted one.
            if world.node_mut(victim)?.start().await.is_err() {
                world.node_mut(victim)?.revive().await?;
            }
            let done = operation(&mut world, number).await;
            done.with_context(|| format!("{victim} killed at {call} number {at}"))?;
            number += 1;
            world.node_mut(victim)?.revive().await?;
        }
        // The last points may be more than another run comes to.
        killed += world.node(victim)?.deaths() - deaths;
        unarmed(&mut world, victim).await?;
    }
    ensure!(killed > 0, "nobody was killed");
    agree(&world).await?;
    audits_verify(&world).await
}

/// Starts a node without the tracer again.
async fn unarmed(world: &mut Federation, victim: &str) -> anyhow::Result<()> {
    let node = world.node_mut(victim)?;
    node.kill().await?;
    node.spare();
    node.start().await
}

/// Starts again whoever was killed.
async fn revive(world: &mut Federation) -> anyhow::Result<bool> {
    let mut revived = false;
    for node in NODES.into_iter().chain([LAZIO, PONTE]) {
        if let Ok(node) = world.node_mut(node) {
            revived |= node.revive().await?;
        }
    }
    Ok(revived)
}

/// A command that is given again where its node was killed in it; what was done before
/// that may be told as `already`.
async fn command(
    world: &mut Federation,
    at: &str,
    args: &[&str],
    already: &str,
) -> anyhow::Result<()> {
    let Err(error) = world.node(at)?.run(args).await else { return Ok(()) };
    let refusal: Refusal = error.downcast()?;
    ensure!(refusal.exit == UNREACHABLE, "{refusal}");
    // The connection ends a moment before the process does.
    until("the end of a process", async || Ok(revive(world).await?.then_some(()))).await?;
    match world.node(at)?.run(args).await.map_err(|error| error.downcast::<Refusal>()) {
        Err(Ok(refusal)) if refusal.code == already => Ok(()),
        Err(Ok(refusal)) => Err(refusal.into()),
        Err(Err(error)) => Err(error),
        Ok(_) => Ok(()),
    }
}

/// Waits for something, with everybody alive.
async fn reached(
    world: &mut Federation,
    what: &str,
    ask: impl AsyncFn(&Federation) -> anyhow::Result<bool>,
) -> anyhow::Result<()> {
    until(what, async || {
        revive(world).await?;
        Ok(ask(world).await?.then_some(()))
    })
    .await
}

/// Toscana shares an alert, which reaches Umbria.
pub async fn of_an_alert(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let count = NODES.len() * (points()? as usize + 1);
    let alerts = examples(&world, "case", count, "1").await?;
    check(world, setting, &NODES, async |world, number| {
        let alert = &alerts[number];
        let file = world.path(&format!("alert-{number}.jsonl"));
        std::fs::write(&file, lines(std::slice::from_ref(alert))?)?;
        let file = file.to_string_lossy();
        command(world, TOSCANA, &["alert", "share", "--equipe", EQUIPE, &file], "").await?;
        reached(world, "the alert at both", async |world| {
            for id in [TOSCANA, UMBRIA] {
                if !listed(world, id).await?.contains_key(&alert.id) {
                    return Ok(false);
                }
            }
            Ok(listed(world, UMBRIA).await?.len() == number + 1)
        })
        .await
    })
    .await
}

/// Toscana withdraws an alert.
pub async fn of_a_withdrawal(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let count = NODES.len() * (points()? as usize + 1);
    let alerts = examples(&world, "case", count, "1").await?;
    share(&world, TOSCANA, &alerts).await?;
    check(world, setting, &NODES, async |world, number| {
        let id = alerts[number].id.as_str();
        command(
            world,
            TOSCANA,
            &["alert", "withdraw", id, "--reason", "resolved"],
            "already_ended",
        )
        .await?;
        reached(world, "the withdrawal at umbria", async |world| {
            let line = listed(world, UMBRIA).await?.remove(id);
            Ok(line.is_none_or(|line| line["state"] == "withdrawn"))
        })
        .await
    })
    .await
}

/// Toscana renews its keys by a commit.
pub async fn of_an_update(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    check(world, setting, &NODES, async |world, _| {
        let before = epoch(world).await?;
        command(world, TOSCANA, &["equipe", "update-keys", EQUIPE], "").await?;
        reached(world, "the next epoch at both", async |world| {
            let toscana = world.node(TOSCANA)?.equipe().await?.epoch;
            Ok(toscana > before && world.node(UMBRIA)?.equipe().await?.epoch == toscana)
        })
        .await
    })
    .await
}

/// The epoch at toscana, which may be killed while it is asked.
async fn epoch(world: &mut Federation) -> anyhow::Result<u64> {
    until("the epoch", async || {
        revive(world).await?;
        Ok(Some(world.node(TOSCANA)?.equipe().await?.epoch))
    })
    .await
}

/// Umbria comes back from a backup while one of the two others is killed.
pub async fn of_a_return(setting: Setting) -> anyhow::Result<()> {
    let (world, backup) = backed_up(setting).await?;
    check(world, setting, &[TOSCANA, RELAY], async |world, _| {
        put_back(world, setting, &backup).await?;
        world.node_mut(UMBRIA)?.start().await?;
        come_back(world).await
    })
    .await
}

/// Umbria comes back from a backup, and is killed itself: each time in its first life on the
/// new disk.
pub async fn of_the_returner(setting: Setting) -> anyhow::Result<()> {
    let (mut world, backup) = backed_up(setting).await?;
    let call = call(setting);
    put_back(&mut world, setting, &backup).await?;
    world.node_mut(UMBRIA)?.doom(Fate { call, number: None });
    world.node_mut(UMBRIA)?.start().await?;
    let first = world.node(UMBRIA)?.calls()?;
    come_back(&mut world).await?;
    let last = world.node(UMBRIA)?.calls()?;
    let deaths = world.node(UMBRIA)?.deaths();
    for at in spread(first, last)? {
        put_back(&mut world, setting, &backup).await?;
        world.node_mut(UMBRIA)?.doom(Fate { call, number: Some(at) });
        // The point may lie in a start that does more than the counted one.
        if world.node_mut(UMBRIA)?.start().await.is_err() {
            world.node_mut(UMBRIA)?.revive().await?;
        }
        let done = come_back(&mut world).await;
        done.with_context(|| format!("{UMBRIA} killed at {call} number {at}"))?;
        world.node_mut(UMBRIA)?.revive().await?;
    }
    ensure!(world.node(UMBRIA)?.deaths() > deaths, "nobody was killed");
    unarmed(&mut world, UMBRIA).await?;
    agree(&world).await?;
    audits_verify(&world).await
}

/// A backup of Umbria, and its passphrase.
struct Backup {
    file: String,
    phrase: String,
}

/// Toscana shares two alerts, Umbria makes a backup, and Toscana shares another one.
async fn backed_up(setting: Setting) -> anyhow::Result<(Federation, Backup)> {
    let world = Federation::founded(setting).await?;
    let phrase = passphrase_file(&world, "phrase", PASSPHRASE)?;
    let file = world.path("umbria.backup").to_string_lossy().into_owned();
    share(&world, TOSCANA, &examples(&world, "case", 2, "1").await?).await?;
    let create = ["backup", "create", "--out", &file, "--passphrase-file", &phrase];
    world.node(UMBRIA)?.run(&create).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "2").await?).await?;
    Ok((world, Backup { file, phrase }))
}

/// Umbria's disk is lost, and restored from the backup on a new one.
async fn put_back(world: &mut Federation, setting: Setting, backup: &Backup) -> anyhow::Result<()> {
    world.node_mut(UMBRIA)?.kill().await?;
    std::fs::remove_dir_all(world.node(UMBRIA)?.home().path())?;
    let database = match setting.database {
        Database::Sqlite => "sqlite".to_owned(),
        Database::Postgres => raccordo_tests::postgres::database()?,
    };
    let restore = ["backup", "restore", &backup.file, "--passphrase-file", &backup.phrase];
    world.node(UMBRIA)?.run(&[&restore[..], &["--database", &database]].concat()).await?;
    Ok(())
}

/// Toscana approves that Umbria joins again, and Umbria has everything.
async fn come_back(world: &mut Federation) -> anyhow::Result<()> {
    reached(world, "the request at toscana", async |world| {
        let findings = world.node(TOSCANA)?.findings().await?;
        Ok(findings.iter().any(|found| found.code == "rejoin_to_approve"))
    })
    .await?;
    let approve = ["equipe", "approve-rejoin", EQUIPE, UMBRIA];
    // Killed after the commit, which answers the request.
    command(world, TOSCANA, &approve, "no_such_request").await?;
    reached(
        world,
        "all alerts at umbria",
        async |world| Ok(listed(world, UMBRIA).await?.len() == 3),
    )
    .await
}

/// Lazio comes in as a newcomer and goes again, while whoever adds it, the hub or itself is
/// killed.
pub async fn of_a_newcomer(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 2, "1").await?).await?;
    world.add(LAZIO).await?;
    met(&world).await?;
    world.staff(LAZIO).await?;
    check(world, setting, &[TOSCANA, RELAY, LAZIO], async |world, number| {
        let draft = world.path(&format!("with-lazio-{number}.toml"));
        let draft = draft.to_string_lossy();
        let parties = [TOSCANA, UMBRIA, LAZIO].join(",");
        let drafting = ["pact", "draft", "--equipe", EQUIPE, "--parties", &parties];
        let rest = ["--hub", RELAY, "--out", &draft, "--example"];
        command(world, TOSCANA, &[&drafting[..], &rest[..]].concat(), "file_exists").await?;
        command(world, TOSCANA, &["pact", "sign", &draft, "--yes"], "").await?;
        command(world, TOSCANA, &["pact", "propose", EQUIPE], "").await?;
        for id in [UMBRIA, LAZIO] {
            signed(world, id, &[TOSCANA, UMBRIA, LAZIO]).await?;
        }
        reached(world, "lazio to have joined", async |world| {
            let equipe = world.node(TOSCANA)?.equipe().await?;
            let joined = equipe.members.iter().filter(|member| member.joined).count();
            Ok(joined == 3)
        })
        .await?;
        reached(world, "lazio to have what was shared", async |world| {
            Ok(listed(world, LAZIO).await?.len() == 2)
        })
        .await?;
        command(world, TOSCANA, &["equipe", "remove", EQUIPE, LAZIO, "--reason", "test"], "")
            .await?;
        signed(world, UMBRIA, &[TOSCANA, UMBRIA]).await?;
        // The next round begins from the statement that is in force at the chair.
        reached(world, "all to know that lazio is out", async |world| {
            for id in [TOSCANA, UMBRIA] {
                if world.node(id)?.equipe().await?.members.len() != 2 {
                    return Ok(false);
                }
            }
            Ok(world.node(LAZIO)?.equipe().await?.state == "ended")
        })
        .await
    })
    .await
}

/// Waits until a party is asked to sign what makes these the parties, and signs it.
async fn signed(world: &mut Federation, id: &str, parties: &[&str]) -> anyhow::Result<()> {
    let wanted: BTreeSet<&str> = parties.iter().copied().collect();
    reached(world, "the change to come", async |world| {
        let pacts = world.node(id)?.run(&["pact", "list"]).await?;
        let waits = |row: &Value| {
            let named = row["parties"].as_array().into_iter().flatten();
            let named: BTreeSet<&str> = named.filter_map(Value::as_str).collect();
            row["state"] == "waiting for me" && named == wanted
        };
        Ok(pacts.iter().any(waits))
    })
    .await?;
    command(world, id, &["pact", "sign", EQUIPE, "--yes"], "").await
}

/// The log goes from one hub to the other, and back, and so on.
pub async fn of_a_hand_over(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "1").await?).await?;
    world.add_hub(PONTE).await?;
    meet_hub(&world).await?;
    check(world, setting, &[TOSCANA, UMBRIA, RELAY, PONTE], async |world, number| {
        let to = if number % 2 == 0 { PONTE } else { RELAY };
        let alerts = examples(world, "case", 1, &format!("2{number}")).await?;
        let file = world.path(&format!("in-hand-{number}.jsonl"));
        std::fs::write(&file, lines(&alerts)?)?;
        let file = file.to_string_lossy();
        command(world, TOSCANA, &["alert", "share", "--equipe", EQUIPE, &file], "").await?;
        command(world, UMBRIA, &["equipe", "move-hub", EQUIPE, "--to", to], "").await?;
        signed(world, TOSCANA, &[TOSCANA, UMBRIA]).await?;
        reached(world, "the offer at the next hub", async |world| {
            let carried = world.node(to)?.run(&["hub", "list"]).await?;
            Ok(carried.iter().any(|row| row["state"] == "waiting"))
        })
        .await?;
        command(world, to, &["hub", "accept", EQUIPE], "").await?;
        reached(world, "both at the next hub, with everything", async |world| {
            for id in [TOSCANA, UMBRIA] {
                let hub = world.node(id)?.equipe().await?.hub;
                let there = hub.is_some_and(|hub| hub.id == to && hub.connected);
                if !there || listed(world, id).await?.len() != number + 2 {
                    return Ok(false);
                }
            }
            Ok(true)
        })
        .await
    })
    .await
}
