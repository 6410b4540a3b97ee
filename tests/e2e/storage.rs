//! Disks that fill, fail and may not be written: nothing acknowledged is lost or doubled,
//! and the node goes on by itself when the cause has ended.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use raccordo_proto::alert::v1::Alert;
use raccordo_tests::federation::command::Refusal;
use raccordo_tests::federation::{EQUIPE, Federation, RELAY, Setting, TOSCANA, UMBRIA, until};
use raccordo_tests::postgres::run_in;
use tokio::process::{Child, Command};

use crate::alerts::{agree, examples, lines, listed, share};

/// Puts the data directory on a small disk of its own, in a mount namespace of its own.
const SMALL_DISK: &str = r#"set -e
data=$1; shift
cp -a "$data" "$data.copy"
mount -t tmpfs -o size=12m,mode=0700 none "$data"
cp -a "$data.copy/." "$data"
rm -rf "$data.copy"
exec "$@""#;

/// The same with a data directory that may not be written.
const READ_ONLY: &str = r#"set -e
data=$1; shift
mount --bind "$data" "$data"
mount -o remount,ro,bind "$data"
exec "$@""#;

/// These stories mount and trace, which only root may.
async fn needs_root() -> anyhow::Result<()> {
    let id = Command::new("id").arg("-u").output().await?;
    if id.stdout.trim_ascii() == b"0" {
        return Ok(());
    }
    bail!("this story mounts a disk: run it as root, `sudo tests/run --test e2e storage`")
}

fn data(world: &Federation, id: &str) -> anyhow::Result<PathBuf> {
    let database = world.node(id)?.home().database();
    Ok(database.parent().context("the database lies nowhere")?.to_owned())
}

async fn start_by(world: &mut Federation, id: &str, script: &str) -> anyhow::Result<()> {
    wrap(world, id, script)?;
    world.node_mut(id)?.start().await
}

fn wrap(world: &mut Federation, id: &str, script: &str) -> anyhow::Result<()> {
    let data = data(world, id)?;
    let data = data.to_string_lossy();
    world.node_mut(id)?.run_by(&["unshare", "-m", "sh", "-c", script, "sh", &data]);
    Ok(())
}

/// A file that takes all the space of a node's small disk, as that node sees it.
fn filler(world: &Federation, id: &str) -> anyhow::Result<PathBuf> {
    let pid = world.node(id)?.pid().context("it does not run")?;
    let data = data(world, id)?;
    let data = data.strip_prefix("/")?;
    Ok(PathBuf::from(format!("/proc/{pid}/root")).join(data).join("filler"))
}

fn fill(path: &Path) -> anyhow::Result<()> {
    let file = fs::OpenOptions::new().create(true).append(true).open(path)?;
    let mut written = file.metadata()?.len();
    for size in [1 << 16, 1 << 12, 1 << 9, 1] {
        while file.write_at(&vec![7; size], written).is_ok_and(|count| count == size) {
            written += size as u64;
        }
    }
    Ok(())
}

const QUEUE: [&str; 4] = ["alert", "share", "--equipe", EQUIPE];

/// Shares alerts one by one until the node refuses for this reason, and says so: a database
/// that tidies itself may find a little space once more. All that it acknowledged, and the one
/// that it did not.
async fn share_until_refused(
    world: &Federation,
    from: &str,
    reason: &str,
) -> anyhow::Result<(Vec<Alert>, Alert)> {
    let mut acknowledged = Vec::new();
    let refused = until("the node to say what ails it", async || {
        let refused = share_some(world, from, reason, &mut acknowledged).await?;
        Ok(says(world, from, reason).await?.then_some(refused))
    })
    .await?;
    Ok((acknowledged, refused))
}

/// Shares alerts until one is refused, which is the first one next time.
async fn share_some(
    world: &Federation,
    from: &str,
    reason: &str,
    acknowledged: &mut Vec<Alert>,
) -> anyhow::Result<Alert> {
    for round in acknowledged.len()..200 {
        let alerts = examples(world, "case", 1, &format!("9{round}")).await?;
        let share = [&QUEUE[..], &["-"]].concat();
        let answer = world.node(from)?.run_with(&share, Some(&lines(&alerts)?)).await;
        let alert = alerts.into_iter().next().context("no alert")?;
        match answer {
            Ok(_) => acknowledged.push(alert),
            Err(error) => {
                let refusal = error.downcast::<Refusal>()?;
                ensure!((refusal.exit, refusal.code.as_str()) == (5, reason), "{refusal}");
                return Ok(alert);
            }
        }
    }
    bail!("{from} refuses nothing for {reason}")
}

/// `status`, `doctor` and nobody else's patience: whether the node says what it has.
async fn says(world: &Federation, id: &str, reason: &str) -> anyhow::Result<bool> {
    let status = world.node(id)?.status().await?;
    let findings = world.node(id)?.findings().await?;
    let alarm = status.alarms.iter().any(|alarm| alarm.starts_with(reason));
    let finding = findings.iter().any(|found| found.code == reason);
    Ok(!status.ready && alarm && finding)
}

/// It is well again in the same process, and whatever was acknowledged arrives once.
async fn goes_on(world: &Federation, id: &str, expected: &[Alert]) -> anyhow::Result<()> {
    until("the node to be ready again", async || {
        Ok(world.node(id)?.status().await?.ready.then_some(()))
    })
    .await?;
    until("everything acknowledged to arrive", async || {
        let listed = listed(world, UMBRIA).await?;
        Ok(expected.iter().all(|alert| listed.contains_key(&alert.id)).then_some(()))
    })
    .await?;
    ensure!(listed(world, UMBRIA).await?.len() == expected.len(), "something was doubled");
    agree(world).await
}

/// Toscana's disk fills while both share.
pub async fn a_member_s_full_disk(setting: Setting) -> anyhow::Result<()> {
    needs_root().await?;
    let mut world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &first).await?;
    world.node_mut(TOSCANA)?.stop().await?;
    start_by(&mut world, TOSCANA, SMALL_DISK).await?;
    let filler = filler(&world, TOSCANA)?;
    fill(&filler)?;
    let (acknowledged, refused) = share_until_refused(&world, TOSCANA, "disk_full").await?;
    fs::remove_file(&filler)?;
    let again = [&QUEUE[..], &["-"]].concat();
    until("the refused alert to be taken", async || {
        let text = lines(std::slice::from_ref(&refused))?;
        world.node(TOSCANA)?.run_with(&again, Some(&text)).await.map(Some)
    })
    .await?;
    let expected = [first, acknowledged, vec![refused]].concat();
    goes_on(&world, TOSCANA, &expected).await?;
    share(&world, UMBRIA, &examples(&world, "case", 1, "3").await?).await
}

/// The hub's disk fills: it acknowledges nothing more, and everything comes when it can.
pub async fn a_hub_s_full_disk(setting: Setting) -> anyhow::Result<()> {
    needs_root().await?;
    let mut world = Federation::founded(setting).await?;
    world.node_mut(RELAY)?.stop().await?;
    start_by(&mut world, RELAY, SMALL_DISK).await?;
    let mut expected = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &expected).await?;
    let filler = filler(&world, RELAY)?;
    fill(&filler)?;
    // What is shared is durable at the member, whatever the hub has.
    until("the hub to run into its full disk", async || {
        let seed = expected.len().to_string();
        let alerts = examples(&world, "case", 8, &seed).await?;
        let queue = [&QUEUE[..], &["-"]].concat();
        world.node(TOSCANA)?.run_with(&queue, Some(&lines(&alerts)?)).await?;
        expected.extend(alerts);
        let ready = world.node(RELAY)?.status().await?.ready;
        Ok((!ready).then_some(()))
    })
    .await?;
    until("the hub to say so", async || Ok(says(&world, RELAY, "disk_full").await?.then_some(())))
        .await?;
    fs::remove_file(&filler)?;
    goes_on(&world, RELAY, &expected).await
}

/// Injects failures into a running process, until it is dropped.
async fn failing_flushes(pid: u32) -> anyhow::Result<Child> {
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync,fdatasync"]);
    strace.args(["-e", "inject=fsync,fdatasync:error=EIO", "-p", &pid.to_string()]);
    let child = strace.stdin(Stdio::null()).kill_on_drop(true).spawn();
    child.context("install strace (Debian: apt-get install -y strace)")
}

/// Toscana's disk fails to flush, and does again later.
pub async fn a_disk_that_fails_to_flush(setting: Setting) -> anyhow::Result<()> {
    needs_root().await?;
    let world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &first).await?;
    let pid = world.node(TOSCANA)?.pid().context("it does not run")?;
    let mut strace = failing_flushes(pid).await?;
    let (acknowledged, refused) = share_until_refused(&world, TOSCANA, "disk_error").await?;
    let tracer = strace.id().context("strace has ended")?.to_string();
    // Politely, so that it lets go of the process.
    Command::new("kill").args(["-TERM", &tracer]).status().await?;
    strace.wait().await?;
    let again = [&QUEUE[..], &["-"]].concat();
    until("the refused alert to be taken", async || {
        let text = lines(std::slice::from_ref(&refused))?;
        world.node(TOSCANA)?.run_with(&again, Some(&text)).await.map(Some)
    })
    .await?;
    let expected = [first, acknowledged, vec![refused]].concat();
    goes_on(&world, TOSCANA, &expected).await?;
    // What was told to be durable is so after a power cut as well.
    let mut world = world;
    world.node_mut(TOSCANA)?.kill().await?;
    world.node_mut(TOSCANA)?.start().await?;
    agree(&world).await
}

/// A directory that may not be written, and torn pages, are told at the start.
pub async fn told_at_the_start(setting: Setting) -> anyhow::Result<()> {
    needs_root().await?;
    let mut world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &first).await?;
    world.node_mut(TOSCANA)?.stop().await?;
    wrap(&mut world, TOSCANA, READ_ONLY)?;
    let (exit, told) = world.node(TOSCANA)?.start_in_vain().await?;
    ensure!(exit != Some(0) && told.to_lowercase().contains("read-only"), "{exit:?} {told}");
    world.node_mut(TOSCANA)?.run_by(&[]);
    world.node_mut(TOSCANA)?.start().await?;
    goes_on(&world, TOSCANA, &first).await?;

    world.node_mut(TOSCANA)?.stop().await?;
    let database = world.node(TOSCANA)?.home().database();
    let whole = fs::read(&database)?;
    let file = fs::OpenOptions::new().write(true).open(&database)?;
    for page in [3, 5, 7, 9, 11] {
        file.write_all_at(&[0xab; 4096], page * 4096)?;
    }
    drop(file);
    let (exit, told) = world.node(TOSCANA)?.start_in_vain().await?;
    ensure!(exit == Some(5) && told.contains("damaged"), "{exit:?} {told}");
    ensure!(told.contains("restore"), "{told}");
    fs::write(&database, whole)?;
    world.node_mut(TOSCANA)?.start().await?;
    goes_on(&world, TOSCANA, &first).await
}

/// PostgreSQL takes no writes for a while.
pub async fn a_read_only_server(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &first).await?;
    let url = world.node(TOSCANA)?.database_url()?;
    let read_only = |value: &str| {
        let set = format!(
            "BEGIN; SET TRANSACTION READ WRITE; \
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET \
             default_transaction_read_only = {value}', current_database()); END $$; \
             COMMIT; SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()"
        );
        run_in(&url, &set)
    };
    read_only("on")?;
    let (acknowledged, refused) =
        share_until_refused(&world, TOSCANA, "database_read_only").await?;
    read_only("off")?;
    let again = [&QUEUE[..], &["-"]].concat();
    until("the refused alert to be taken", async || {
        let text = lines(std::slice::from_ref(&refused))?;
        world.node(TOSCANA)?.run_with(&again, Some(&text)).await.map(Some)
    })
    .await?;
    let expected = [first, acknowledged, vec![refused]].concat();
    goes_on(&world, TOSCANA, &expected).await
}

/// Every write of the server fails as one without space does (SQLSTATE 53100).
const FULL: &str = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
     RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; \
     END $$; DO $$ DECLARE name text; BEGIN FOR name IN SELECT tablename FROM pg_tables \
     WHERE schemaname = current_schema() LOOP EXECUTE format('CREATE TRIGGER full_disk \
     BEFORE INSERT OR UPDATE ON %I FOR EACH STATEMENT EXECUTE FUNCTION full_disk()', name); \
     END LOOP; END $$";

/// The server's disk is full: nothing is acknowledged, all say why, and it goes on by itself.
pub async fn a_full_server(setting: Setting) -> anyhow::Result<()> {
    let world = Federation::founded(setting).await?;
    let first = examples(&world, "case", 1, "1").await?;
    share(&world, TOSCANA, &first).await?;
    let url = world.node(TOSCANA)?.database_url()?;
    // It waits for what the node has locked, and the other way round: one of them gives way.
    until("the server to be full", async || run_in(&url, FULL).map(Some)).await?;
    let (acknowledged, refused) = share_until_refused(&world, TOSCANA, "disk_full").await?;
    ensure!(acknowledged.is_empty(), "acknowledged without space: {}", acknowledged.len());
    let space = "DROP FUNCTION full_disk() CASCADE";
    until("the server to have space", async || run_in(&url, space).map(Some)).await?;
    let again = [&QUEUE[..], &["-"]].concat();
    until("the refused alert to be taken", async || {
        let text = lines(std::slice::from_ref(&refused))?;
        world.node(TOSCANA)?.run_with(&again, Some(&text)).await.map(Some)
    })
    .await?;
    goes_on(&world, TOSCANA, &[first, vec![refused]].concat()).await
}
