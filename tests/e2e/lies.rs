//! An independent hub, honest at first, then lying in every way: noticed, named, held, and
//! proven where it signed. The members are real processes.

use anyhow::ensure;
use raccordo_tests::federation::command::{Refusal, text};
use raccordo_tests::federation::{
    EQUIPE, Federation, MEMBERS, RELAY, Setting, TOSCANA, UMBRIA, until,
};
use raccordo_tests::lying_hub::{Lie, LyingHub};
use serde_json::Value;

use crate::alerts::{examples, lines, listed, share};

/// Two members that have verified each other and the hub, which is the liar's.
async fn acquainted(setting: Setting) -> anyhow::Result<(Federation, LyingHub)> {
    let mut world = Federation::empty(setting.classical())?;
    world.add_idle_hub(RELAY).await?;
    for member in MEMBERS {
        world.add(member).await?;
        world.export_card(member).await?;
    }
    world.export_card(RELAY).await?;
    world.introduce(TOSCANA, UMBRIA).await?;
    world.introduce(UMBRIA, TOSCANA).await?;
    world.verify(TOSCANA, UMBRIA).await?;
    world.verify(UMBRIA, TOSCANA).await?;
    let mut cards = Vec::new();
    for member in MEMBERS {
        cards.push(world.node(member)?.card().await?);
    }
    let hub = LyingHub::start(world.node(RELAY)?.open().await?, &cards).await?;
    for member in MEMBERS {
        world.introduce(member, RELAY).await?;
        // Nobody is at the hub's screen: both would see the same words.
        let shown = world.node(member)?.first(&["trust", "show", RELAY]).await?;
        let verify = ["trust", "verify", RELAY, "--code", text(&shown, "/code")];
        world.node(member)?.run(&verify).await?;
    }
    world.sign().await?;
    Ok((world, hub))
}

/// An équipe that has shared alerts both ways.
async fn working(setting: Setting) -> anyhow::Result<(Federation, LyingHub)> {
    let (world, hub) = acquainted(setting).await?;
    world.create().await?;
    for member in MEMBERS {
        world.staff(member).await?;
    }
    share(&world, TOSCANA, &examples(&world, "case", 2, "1").await?).await?;
    share(&world, UMBRIA, &examples(&world, "company", 2, "2").await?).await?;
    Ok((world, hub))
}

/// Shares, and waits only until the hub has said that it has it.
async fn say(world: &Federation, from: &str, seed: &str) -> anyhow::Result<()> {
    let alerts = examples(world, "case", 1, seed).await?;
    let share = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
    world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await?;
    Ok(())
}

/// Shares, and does not wait: the sender may hold it, because of a lie that it was told before.
async fn begin_to_say(world: &Federation, from: &str, seed: &str) -> anyhow::Result<()> {
    let alerts = examples(world, "case", 1, seed).await?;
    let share = ["alert", "share", "--equipe", EQUIPE, "-"];
    world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await?;
    Ok(())
}

/// Goes on sharing one by one, each when the hub has the one before; what is held is not
/// waited for long.
async fn go_on(world: &Federation, from: &str) -> anyhow::Result<()> {
    for seed in ["11", "12", "13"] {
        let alerts = examples(world, "case", 1, seed).await?;
        let share = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
        let share = [&share[..], &["--timeout", "10s"]].concat();
        if let Err(error) = world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await {
            let refusal: Refusal = error.downcast()?;
            ensure!(refusal.code == "timed_out", "{refusal}");
        }
    }
    Ok(())
}

/// The first alarm of one of these codes at a member, which holds cases there.
async fn noticed(world: &Federation, at: &str, codes: &[&str]) -> anyhow::Result<String> {
    let alarm = told(world, at, codes).await?;
    let sending = world.node(at)?.equipe().await?.sending;
    ensure!(sending.starts_with("held: "), "{at} goes on sending: {sending}");
    Ok(alarm)
}

/// The first alarm of one of these codes at a member.
async fn told(world: &Federation, at: &str, codes: &[&str]) -> anyhow::Result<String> {
    let node = world.node(at)?;
    let noticed = until("the lie to be noticed", async || {
        let alarms = node.equipe().await?.alarms;
        let named =
            |alarm: &String| codes.iter().any(|code| alarm.starts_with(&format!("{code}: ")));
        Ok(alarms.into_iter().find(named))
    });
    let alarm = match noticed.await {
        Ok(alarm) => alarm,
        Err(error) => {
            let instead = node.equipe().await?.alarms;
            return Err(error.context(format!("at {at}: {codes:?}; instead: {instead:?}")));
        }
    };
    ensure!(alarm.contains("entry "), "no entry is named: {alarm}");
    let audited = node.verify_audit().await?;
    ensure!(audited.records > 0, "nothing is in the audit");
    Ok(alarm)
}

/// The proof of a member, verified by a program without a node.
async fn proven(world: &Federation, by: &str) -> anyhow::Result<Value> {
    let file = world.path("proof.json");
    let file = file.to_string_lossy();
    let node = world.node(by)?;
    until("the proof", async || {
        let export = ["audit", "export-proof", EQUIPE, "--out", &file];
        Ok(node.run(&export).await.ok())
    })
    .await?;
    let proven = world.node(RELAY)?.first(&["audit", "verify-proof", &file]).await?;
    ensure!(proven["proven"] == true && proven["hub"] == RELAY, "{proven}");
    let bent = std::fs::read_to_string(&*file)?.replacen("\"base\": \"", "\"base\": \"00", 1);
    let bent_file = world.path("bent.json");
    std::fs::write(&bent_file, bent)?;
    let refused = node.refused(&["audit", "verify-proof", &bent_file.to_string_lossy()]).await?;
    ensure!(refused.code == "bad_proof", "{refused}");
    Ok(proven)
}

/// A hub that was written from the proto files alone carries an équipe.
pub async fn an_honest_hub(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    for member in MEMBERS {
        let equipe = world.node(member)?.equipe().await?;
        ensure!(equipe.alarms.is_empty() && equipe.sending == "open", "{equipe:?}");
        ensure!(listed(&world, member).await?.len() == 4, "alerts are missing at {member}");
    }
    ensure!(hub.shown(TOSCANA) == hub.shown(UMBRIA), "an honest hub shows one log");
    let none = world.node(UMBRIA)?;
    let none = none.refused(&["audit", "export-proof", EQUIPE, "--out", "/dev/null"]).await?;
    ensure!(none.code == "no_proof" && none.exit == 4, "{none}");
    Ok(())
}

/// One alert never comes to umbria; the next one tells of it.
pub async fn withholding(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Withhold);
    say(&world, TOSCANA, "3").await?;
    go_on(&world, TOSCANA).await?;
    // Two histories, once the log goes on without it.
    noticed(&world, UMBRIA, &["log_withheld", "log_forked"]).await?;
    proven(&world, UMBRIA).await.map(drop)
}

/// Each is shown what the other is not.
pub async fn forking(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Withhold);
    say(&world, TOSCANA, "3").await?;
    hub.lie(TOSCANA, Lie::Withhold);
    begin_to_say(&world, UMBRIA, "4").await?;
    go_on(&world, TOSCANA).await?;
    // Which of the two depends on what else each had been shown when it heard of the other's.
    noticed(&world, UMBRIA, &["log_forked", "log_withheld"]).await?;
    proven(&world, UMBRIA).await.map(drop)
}

/// Two alerts come to umbria in another order than to toscana.
pub async fn reordering(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Reorder);
    say(&world, TOSCANA, "3").await?;
    go_on(&world, TOSCANA).await?;
    noticed(&world, UMBRIA, &["log_forked", "log_withheld"]).await?;
    proven(&world, UMBRIA).await.map(drop)
}

/// The log that umbria is shown loses its end, and goes on otherwise.
pub async fn truncating(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Truncate(2));
    say(&world, TOSCANA, "3").await?;
    noticed(&world, UMBRIA, &["log_rewritten", "log_truncated"]).await?;
    proven(&world, UMBRIA).await.map(drop)
}

/// An alert comes twice.
pub async fn replaying(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Replay);
    say(&world, TOSCANA, "3").await?;
    told(&world, UMBRIA, &["entry_replayed"]).await?;
    ensure!(listed(&world, UMBRIA).await?.len() == 5, "an alert is listed twice, or lost");
    Ok(())
}

/// A checkpoint of another head, or by another key.
pub async fn false_checkpoints(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = working(setting).await?;
    hub.lie(UMBRIA, Lie::Checkpoint);
    hub.lie(TOSCANA, Lie::Signature);
    // Whatever comes next is signed falsely: toscana may hold the alert before it is sent.
    begin_to_say(&world, TOSCANA, "3").await?;
    noticed(&world, UMBRIA, &["checkpoint_bad"]).await?;
    noticed(&world, TOSCANA, &["checkpoint_bad"]).await?;
    Ok(())
}

/// Wrong sender, wrong epoch, a hole, a commit that nobody made.
pub async fn false_entries(setting: Setting) -> anyhow::Result<()> {
    let lies = [
        (Lie::Sender(RELAY.to_owned()), "sender_wrong"),
        (Lie::Epoch, "log_broken"),
        (Lie::ForgedCommit, "commit_unprocessable"),
    ];
    for (lie, code) in lies {
        let (world, hub) = working(setting).await?;
        hub.lie(UMBRIA, lie);
        say(&world, TOSCANA, "3").await?;
        noticed(&world, UMBRIA, &[code]).await?;
    }
    Ok(())
}

/// A newcomer is given a tree that does not fit its Welcome: it does not join, and says why.
pub async fn a_false_tree(setting: Setting) -> anyhow::Result<()> {
    let (world, hub) = acquainted(setting).await?;
    hub.give_false_trees();
    world.begin_to_create().await?;
    let umbria = world.node(UMBRIA)?;
    let finding = until("the false tree to be noticed", async || {
        let findings = umbria.findings().await?;
        Ok(findings.into_iter().find(|found| found.code == "welcome_refused"))
    })
    .await?;
    ensure!(finding.severity == "problem" && finding.message.contains(EQUIPE), "{finding:?}");
    Ok(())
}
