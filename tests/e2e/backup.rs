//! The machine is lost, and a backup of it is not; a backup in the wrong hands.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::ensure;
use raccordo_tests::federation::{Database, EQUIPE, Federation, Setting, TOSCANA, UMBRIA, until};

use tokio::process::Command;

use crate::alerts::{agree, audits_verify, examples, listed, share};

pub const PASSPHRASE: &str = "cinque parole scelte a caso";

/// Restorations that are killed.
const KILLS: u32 = 6;

/// A file as administrators keep their passphrases.
pub fn passphrase_file(world: &Federation, name: &str, text: &str) -> anyhow::Result<String> {
    let path = world.path(name);
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
    writeln!(file, "{text}")?;
    Ok(path.to_string_lossy().into_owned())
}

fn named(world: &Federation, name: &str) -> String {
    world.path(name).to_string_lossy().into_owned()
}

/// The other kind of database than the story's.
fn other_kind(setting: Setting) -> anyhow::Result<String> {
    match setting.database {
        Database::Sqlite => raccordo_tests::postgres::database(),
        Database::Postgres => Ok("sqlite".to_owned()),
    }
}

/// A backup of a running node, more alerts, fire; on another machine and another kind of
/// database the node comes back, is approved, and has everything.
pub async fn back_on_a_new_machine(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let phrase = passphrase_file(&world, "phrase", PASSPHRASE)?;
    let file = named(&world, "umbria.backup");
    share(&world, TOSCANA, &examples(&world, "case", 3, "1").await?).await?;
    share(&world, UMBRIA, &examples(&world, "company", 2, "2").await?).await?;
    let create = ["backup", "create", "--out", &file, "--passphrase-file", &phrase];
    let made = world.node(UMBRIA)?.first(&create).await?;
    ensure!(made["node"] == UMBRIA && made["rows"]["object"] == 5, "{made}");
    share(&world, TOSCANA, &examples(&world, "case", 2, "3").await?).await?;

    world.node_mut(UMBRIA)?.kill().await?;
    fs::remove_dir_all(world.node(UMBRIA)?.home().path())?;
    let database = other_kind(setting)?;
    let restore = ["backup", "restore", &file, "--passphrase-file", &phrase];
    let restore = [&restore[..], &["--database", &database]].concat();
    let restored = world.node(UMBRIA)?.first(&restore).await?;
    ensure!(restored["id"] == UMBRIA && restored["needs_rejoin"][0] == EQUIPE, "{restored}");
    world.node_mut(UMBRIA)?.start().await?;

    let finding = async |at: &str, code: &str| -> anyhow::Result<bool> {
        Ok(world.node(at)?.findings().await?.iter().any(|found| found.code == code))
    };
    ensure!(finding(UMBRIA, "needs_rejoin").await?);
    until("the request at toscana", async || {
        Ok(finding(TOSCANA, "rejoin_to_approve").await?.then_some(()))
    })
    .await?;
    // What is shared while it is away is for it, too.
    let meanwhile = examples(&world, "case", 1, "4").await?;
    let waits = ["alert", "share", "--equipe", EQUIPE, "-", "--wait", "accepted"];
    let input = crate::alerts::lines(&meanwhile)?;
    world.node(TOSCANA)?.run_with(&waits, Some(&input)).await?;
    world.node(TOSCANA)?.run(&["equipe", "approve-rejoin", EQUIPE, UMBRIA]).await?;
    until("all alerts at umbria", async || {
        Ok((listed(&world, UMBRIA).await?.len() == 8).then_some(()))
    })
    .await?;
    share(&world, UMBRIA, &examples(&world, "company", 1, "5").await?).await?;
    share(&world, TOSCANA, &examples(&world, "case", 1, "6").await?).await?;
    for member in [TOSCANA, UMBRIA] {
        let found = listed(&world, member).await?;
        ensure!(found.len() == 10, "{member} lists {}", found.len());
    }
    agree(&world).await?;
    audits_verify(&world).await
}

/// What is wrong with a backup is named, a home that holds a node is left alone, and a
/// thief of the file learns no name.
pub async fn damaged_stolen_and_misused(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let phrase = passphrase_file(&world, "phrase", PASSPHRASE)?;
    let wrong = passphrase_file(&world, "wrong", "sei parole scelte a caso")?;
    let short = passphrase_file(&world, "short", "parola")?;
    let file = named(&world, "toscana.backup");
    share(&world, TOSCANA, &examples(&world, "case", 50, "1").await?).await?;
    let node = world.node(TOSCANA)?;

    let refused =
        node.refused(&["backup", "create", "--out", &file, "--passphrase-file", &short]).await?;
    ensure!(refused.exit == 2 && refused.code == "short_passphrase", "{refused}");
    ensure!(!Path::new(&file).exists() && !world.path("toscana.backup.part").exists());
    let create = ["backup", "create", "--out", &file, "--passphrase-file", &phrase];
    node.run(&create).await?;
    ensure!(node.refused(&create).await?.code == "file_exists");

    let bytes = fs::read(&file)?;
    for name in ["toscana", "umbria", "case", "Regione"] {
        let found = bytes.windows(name.len()).any(|window| window == name.as_bytes());
        ensure!(!found, "the backup shows {name}");
    }
    let bent = named(&world, "bent.backup");
    let check = async |bytes: &[u8], phrase: &str, code: &str| -> anyhow::Result<()> {
        fs::write(&bent, bytes)?;
        let verify = ["backup", "verify", &bent, "--passphrase-file", phrase];
        let refused = node.refused(&verify).await?;
        ensure!(refused.code == code && refused.exit == 2, "{code}: {refused}");
        Ok(())
    };
    check(&bytes, &wrong, "wrong_passphrase").await?;
    check(&bytes[..bytes.len() / 2], &phrase, "backup_cut_off").await?;
    check(&[&bytes[..], b"x"].concat(), &phrase, "backup_goes_on").await?;
    check(b"another file, which is long enough to hold a header of a backup", &phrase, "no_backup")
        .await?;
    let mut changed = bytes.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    check(&changed, &phrase, "backup_changed").await?;

    let verified = node.first(&["backup", "verify", &file, "--passphrase-file", &phrase]).await?;
    ensure!(verified["rows"]["object"] == 50, "{verified}");
    let restore = ["backup", "restore", &file, "--passphrase-file", &phrase];
    ensure!(node.refused(&restore).await?.code == "in_use");
    world.node_mut(TOSCANA)?.stop().await?;
    let refused = world.node(TOSCANA)?.refused(&restore).await?;
    ensure!(refused.exit == 6 && refused.code == "already_initialised", "{refused}");
    world.node_mut(TOSCANA)?.start().await?;
    agree(&world).await
}

/// A restoration is killed at calls spread over the whole of it: what it leaves serves nobody,
/// and the same command makes the node.
pub async fn killed_half_way(setting: Setting) -> anyhow::Result<()> {
    let mut world = Federation::founded(setting).await?;
    let phrase = passphrase_file(&world, "phrase", PASSPHRASE)?;
    let file = named(&world, "umbria.backup");
    share(&world, TOSCANA, &examples(&world, "case", 3, "1").await?).await?;
    let create = ["backup", "create", "--out", &file, "--passphrase-file", &phrase];
    world.node(UMBRIA)?.run(&create).await?;
    world.node_mut(UMBRIA)?.kill().await?;
    let home = world.node(UMBRIA)?.home().path().to_owned();
    let call = match setting.database {
        Database::Sqlite => "fsync",
        Database::Postgres => "sendto",
    };
    let database = || match setting.database {
        Database::Sqlite => Ok("sqlite".to_owned()),
        Database::Postgres => raccordo_tests::postgres::database(),
    };
    let restore = ["backup", "restore", &file, "--passphrase-file", &phrase, "--database"];
    let calls = world.path("restore.calls");
    let traced = async |url: &str, number: Option<u32>| -> anyhow::Result<bool> {
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "signal=none", "-o"]).arg(&calls);
        command.args(["-e", &format!("trace={call}")]);
        if let Some(number) = number {
            command.args(["-e", &format!("inject={call}:signal=KILL:when={number}")]);
        }
        command.arg(raccordo_tests::programs::path("raccordo")?).arg("--home").arg(&home);
        Ok(command.args(restore).arg(url).output().await?.status.success())
    };
    fs::remove_dir_all(&home)?;
    ensure!(traced(&database()?, None).await?, "the restoration fails where it is counted");
    let counted = fs::read_to_string(&calls)?;
    let mut threads: BTreeMap<&str, u32> = BTreeMap::new();
    for line in counted.lines().filter(|line| line.contains('(')) {
        *threads.entry(line.split(' ').next().unwrap_or_default()).or_default() += 1;
    }
    let last = threads.into_values().max().unwrap_or_default();
    ensure!(last > 2, "a restoration makes {last} calls");
    let mut killed = 0;
    for point in 1..=KILLS {
        fs::remove_dir_all(&home)?;
        let url = database()?;
        if traced(&url, Some((last * point).div_ceil(KILLS))).await? {
            continue;
        }
        killed += 1;
        // All of it was done, or nothing of it serves.
        let (code, said) = match world.node_mut(UMBRIA)?.start().await {
            Ok(()) => {
                world.node_mut(UMBRIA)?.kill().await?;
                continue;
            }
            Err(_) => world.node(UMBRIA)?.start_in_vain().await?,
        };
        ensure!(code.is_some_and(|code| code != 0), "it ends with {code:?}: {said}");
        let restored = world.node(UMBRIA)?.first(&[&restore[..], &[&url]].concat()).await?;
        ensure!(restored["id"] == UMBRIA, "{restored}");
    }
    ensure!(killed > 0, "nothing was killed");
    world.node_mut(UMBRIA)?.start().await?;
    let found = world.node(UMBRIA)?.findings().await?;
    ensure!(found.iter().any(|found| found.code == "needs_rejoin"), "{found:?}");
    let there = listed(&world, UMBRIA).await?;
    ensure!(there.len() == 3, "umbria lists {}", there.len());
    Ok(())
}
