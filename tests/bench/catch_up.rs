//! A member comes back after a long absence: how fast it reads the log, and in how much
//! memory.

use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use raccordo_proto::casework::v1::DeliveryState;
use raccordo_tests::federation::{EQUIPE, Federation, RELAY, TOSCANA, UMBRIA, pause, until};
use serde::Serialize;
use serde_json::{Value, json};

use crate::flow;
use crate::measure::{peak_memory_kib, process_cpu};
use crate::report::Costs;

/// Longest wait for the member that comes back.
const PATIENCE: Duration = Duration::from_secs(1800);
/// What is to be reached (DESIGN §12).
const SECONDS_MAX: f64 = 120.0;
const MEMORY_MIB_MAX: f64 = 256.0;

/// How much is missed.
#[derive(clap::Args, Clone, Copy, Debug, Serialize)]
pub(crate) struct Absence {
    /// Alerts, one in each MLS message
    #[arg(long, value_name = "N", default_value = "100000")]
    pub(crate) messages: NonZeroUsize,
    /// Commits among them
    #[arg(long, value_name = "M", default_value = "200")]
    pub(crate) epochs: NonZeroUsize,
}

/// What it took.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct CaughtUp {
    /// Entries of the log that were read.
    pub(crate) entries: u64,
    /// From the start of the process until it stands at the end of the log.
    pub(crate) seconds: f64,
    /// CPU time of the member, in seconds.
    pub(crate) cpu_seconds: f64,
    /// Of the hub meanwhile.
    pub(crate) hub_cpu_seconds: f64,
    /// Most memory that the member ever had (`VmHWM`), in MiB.
    pub(crate) peak_mib: f64,
    /// Of the hub.
    pub(crate) hub_peak_mib: f64,
}

/// Has umbria miss so much, and come back.
///
/// # Errors
/// A process or call that fails, or something that did not arrive.
pub(crate) async fn measure(absence: Absence) -> anyhow::Result<CaughtUp> {
    let mut world = flow::federation(1).await?;
    let sender = world.operator(TOSCANA)?;
    let warm = flow::share(&sender, flow::examples(1)).await?;
    flow::delivered(&sender, warm).await?;
    flow::settled(&world).await?;
    world.node_mut(UMBRIA)?.stop().await?;
    let before = world.node(TOSCANA)?.equipe().await?;
    go_on(&world, absence).await?;
    let after = world.node(TOSCANA)?.equipe().await?;
    let passed = after.epoch - before.epoch;
    ensure!(passed >= absence.epochs.get() as u64, "{passed} epochs of {}", absence.epochs);

    let hub = world.node(RELAY)?.pid().context("the relay runs")?;
    let hub_cpu = process_cpu(hub)?;
    let start = Instant::now();
    world.node_mut(UMBRIA)?.start().await?;
    let member = world.node(UMBRIA)?;
    while member.equipe().await?.sequence < after.sequence {
        if start.elapsed() > PATIENCE {
            bail!("umbria does not catch up; {}", world.told().await);
        }
        pause().await;
    }
    let seconds = start.elapsed().as_secs_f64();
    let pid = member.pid().context("umbria runs")?;
    let caught_up = CaughtUp {
        entries: after.sequence - before.sequence,
        seconds,
        cpu_seconds: process_cpu(pid)?.as_secs_f64(),
        hub_cpu_seconds: process_cpu(hub)?.saturating_sub(hub_cpu).as_secs_f64(),
        peak_mib: mib(peak_memory_kib(pid)?),
        hub_peak_mib: mib(peak_memory_kib(hub)?),
    };
    let listed = world.operator(UMBRIA)?.list().await?.len();
    ensure!(listed == absence.messages.get() + 1, "umbria lists {listed} alerts");
    let equipe = member.equipe().await?;
    ensure!(equipe.alarms.is_empty() && equipe.set_aside == 0, "{equipe:?}");
    Ok(caught_up)
}

fn mib(kib: u64) -> f64 {
    kib as f64 / 1024.0
}

/// Toscana shares and renews its keys, in turns, without umbria.
async fn go_on(world: &Federation, absence: Absence) -> anyhow::Result<()> {
    let (node, sender) = (world.node(TOSCANA)?, world.operator(TOSCANA)?);
    let turns = absence.epochs.get();
    let alerts = flow::examples(absence.messages.get());
    for some in alerts.chunks(absence.messages.get().div_ceil(turns)) {
        let mut newest = Vec::new();
        for batch in some.chunks(flow::BATCH) {
            newest = flow::share(&sender, batch.to_vec()).await?;
        }
        // Accepted in order: with the newest, all are.
        newest.drain(..newest.len().saturating_sub(1));
        flow::reached(&sender, newest, DeliveryState::Accepted).await?;
        let before = node.equipe().await?.epoch;
        node.run(&["equipe", "update-keys", EQUIPE]).await?;
        until("the next epoch", async || Ok((node.equipe().await?.epoch > before).then_some(())))
            .await?;
    }
    Ok(())
}

/// What the machine could do: each entry received, decrypted and stored in a batch, and
/// nothing else, one after the other.
fn floor_seconds(costs: &Costs, caught_up: &CaughtUp) -> f64 {
    costs.ceiling(1).receiver_us * caught_up.entries as f64 / 1e6
}

/// For scripts.
pub(crate) fn json(costs: &Costs, absence: Absence, caught_up: &CaughtUp) -> Value {
    let floor = floor_seconds(costs, caught_up);
    json!({
        "absence": absence, "caught_up": caught_up, "floor_seconds": floor,
        "ratios": {
            "seconds_to_floor": caught_up.seconds / floor,
            "seconds_to_figure": caught_up.seconds / SECONDS_MAX,
            "memory_to_figure": caught_up.peak_mib / MEMORY_MIB_MAX,
        },
    })
}

/// For people.
pub(crate) fn table(costs: &Costs, absence: Absence, caught_up: &CaughtUp) -> String {
    let floor = floor_seconds(costs, caught_up);
    let Absence { messages, epochs } = absence;
    let CaughtUp { entries, seconds, cpu_seconds, hub_cpu_seconds, peak_mib, hub_peak_mib } =
        caught_up;
    let mut text = String::new();
    let mut row = |what: &str, value: String| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{what:<54}{value}");
    };
    row(&format!("CATCH-UP after {messages} messages and {epochs} epochs, SQLite"), String::new());
    row("entries read", format!("{entries:>10}"));
    row("floor, computed: each received, decrypted, stored", format!("{floor:>10.1} s"));
    row(
        "from the start of the process",
        format!("{seconds:>10.1} s = {:.1} × the floor", seconds / floor),
    );
    row("  cpu: member, hub", format!("{cpu_seconds:>10.1} s, {hub_cpu_seconds:.1} s"));
    row("  most memory: member, hub", format!("{peak_mib:>10.1} MiB, {hub_peak_mib:.1} MiB"));
    let figure = format!("{SECONDS_MAX:>10.1} s, {MEMORY_MIB_MAX:.1} MiB");
    row("to be reached with 100000 messages and 200 epochs", figure);
    text
}
