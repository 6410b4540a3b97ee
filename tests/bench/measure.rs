//! Clocks and samples. CPU time leaves out waits for a core, so it is steadier than the
//! time on the wall where a machine is shared.

use std::time::Duration;

use anyhow::Context as _;
use serde::Serialize;

/// Length of a tick in `/proc/PID/stat`: always 10 ms for programs on Linux.
const TICK: Duration = Duration::from_millis(10);

/// Durations of one thing done again and again.
#[derive(Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

/// What is told of samples, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Spread {
    /// Half of the samples are not longer.
    pub(crate) p50_us: f64,
    /// The shortest.
    pub(crate) min_us: f64,
}

impl Samples {
    /// One more.
    pub(crate) fn add(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// Median and minimum; zeros without samples.
    pub(crate) fn spread(mut self) -> Spread {
        self.0.sort();
        let us = |sample: Option<&Duration>| sample.map_or(0.0, |one| micros(*one));
        Spread { p50_us: us(self.0.get(self.0.len() / 2)), min_us: us(self.0.first()) }
    }
}

/// In microseconds.
pub(crate) fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// CPU time of this thread.
///
/// # Errors
/// The kernel does not tell (`/proc/thread-self/schedstat`).
pub(crate) fn thread_cpu() -> anyhow::Result<Duration> {
    // The account is brought up to date when the thread leaves its core.
    std::thread::park_timeout(Duration::from_nanos(1));
    let text = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let spent = text.split_whitespace().next().context("an empty schedstat")?;
    Ok(Duration::from_nanos(spent.parse()?))
}

/// CPU time of a process, in steps of 10 ms.
///
/// # Errors
/// It does not run.
pub(crate) fn process_cpu(pid: u32) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // Counted after the program's name, which may hold anything (proc_pid_stat(5)).
    let (_, fields) = text.rsplit_once(')').context("a stat without a name")?;
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u32>);
    let ticks = ticks.sum::<Result<u32, _>>()?;
    Ok(TICK * ticks)
}

/// CPU time of this process.
///
/// # Errors
/// As [`process_cpu`].
pub(crate) fn own_cpu() -> anyhow::Result<Duration> {
    process_cpu(std::process::id())
}

/// Most memory that a process ever had, in KiB (`VmHWM`).
///
/// # Errors
/// It does not run.
pub(crate) fn peak_memory_kib(pid: u32) -> anyhow::Result<u64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    Ok(number.context("a status without VmHWM")?.parse()?)
}
