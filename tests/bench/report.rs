//! What the machine allows, computed from the costs of the same run, and how near it we are.
//!
//! Per alert, in microseconds of CPU time: encrypt `e`, decrypt `d`, state `s` for a batch
//! of `b`, one end of a streamed message `m`, a row `c` in a batched transaction. Then the
//! sender costs `e + s/b + c + m`, the hub `c + 2m` for one receiver, the receiver
//! `m + d + s/b + c`. Each of these is one task at a time, and all share the cores.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value, json};

use crate::durable::DurableCosts;
use crate::flow::{Latency, Throughput};
use crate::mls::MlsCosts;
use crate::rpc::RpcCosts;

/// Messages of one transaction and one call.
const BATCH: f64 = 64.0;

/// What the parts cost.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Costs {
    pub(crate) mls: MlsCosts,
    pub(crate) durable: DurableCosts,
    pub(crate) rpc: RpcCosts,
}

/// The whole run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Report {
    pub(crate) alerts: usize,
    pub(crate) cores: usize,
    pub(crate) costs: Costs,
    pub(crate) single: Throughput,
    pub(crate) packed: Throughput,
    pub(crate) latency: Latency,
}

/// What a machine allows, one alert per MLS message.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Ceiling {
    /// CPU time of one alert at each part, in microseconds.
    pub(crate) sender_us: f64,
    pub(crate) hub_us: f64,
    pub(crate) receiver_us: f64,
    /// All three on the cores of this machine.
    pub(crate) alerts_per_s: f64,
}

/// The shortest times, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Floor {
    pub(crate) p50_us: f64,
    pub(crate) min_us: f64,
}

impl Costs {
    /// The ceiling on so many cores.
    pub(crate) fn ceiling(&self, cores: usize) -> Ceiling {
        let Self { mls, durable, rpc } = self;
        let row = durable.batch_cpu_us_per_row;
        let end = rpc.stream_cpu_us / 2.0;
        let state = mls.state.p50_us / BATCH;
        let sender_us = mls.create.p50_us + state + row + end;
        let hub_us = row + 2.0 * end;
        let receiver_us = end + mls.process.p50_us + state + row;
        let shared = (sender_us + hub_us + receiver_us) / cores as f64;
        let slowest = shared.max(sender_us).max(receiver_us);
        Ceiling { sender_us, hub_us, receiver_us, alerts_per_s: 1e6 / slowest }
    }

    /// One way: encryption, three commits, one call, one push, decryption.
    pub(crate) fn floor(&self) -> Floor {
        let Self { mls, durable, rpc } = self;
        let sum = |create: f64, commit: f64, call: f64, push: f64, process: f64| {
            create + 3.0 * commit + call + push + process
        };
        Floor {
            p50_us: sum(
                mls.create.p50_us,
                durable.single.p50_us,
                rpc.unary.p50_us,
                rpc.push.p50_us,
                mls.process.p50_us,
            ),
            min_us: sum(
                mls.create.min_us,
                durable.single.min_us,
                rpc.unary.min_us,
                rpc.push.min_us,
                mls.process.min_us,
            ),
        }
    }
}

impl Report {
    /// For scripts.
    pub(crate) fn json(&self) -> Value {
        let Self { alerts, cores, costs, single, packed, latency } = self;
        let (ceiling, floor) = (costs.ceiling(*cores), costs.floor());
        json!({
            "alerts": alerts, "cores": cores, "costs": costs, "ceiling": ceiling,
            "floor": floor, "single": single, "packed": packed, "latency": latency,
            "ratios": {
                "single_to_ceiling": single.alerts_per_s / ceiling.alerts_per_s,
                "packed_to_ceiling": packed.alerts_per_s / ceiling.alerts_per_s,
                "one_way_to_floor": latency.one_way.p50_us / floor.p50_us,
                "there_and_back_to_two_floors":
                    latency.there_and_back.p50_us / (2.0 * floor.p50_us),
            },
        })
    }

    /// For people.
    pub(crate) fn table(&self) -> String {
        let Self { alerts, cores, costs, single, packed, latency } = self;
        let Costs { mls, durable, rpc } = costs;
        let (ceiling, floor) = (costs.ceiling(*cores), costs.floor());
        let mut text = String::new();
        let mut row = |what: &str, value: String| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{what:<54}{value}");
        };
        let spread = |one: &crate::measure::Spread| {
            format!("{:>10.1} µs   min {:.1} µs", one.p50_us, one.min_us)
        };
        let cpu = |us: f64| format!("{us:>10.1} µs");
        row("LIMITS, in this run", String::new());
        row("MLS create, 1 KiB, 2 members (cpu)", spread(&mls.create));
        row("MLS process (cpu)", spread(&mls.process));
        row("MLS state of a batch (cpu)", spread(&mls.state));
        row("durable commit, 1 row", spread(&durable.single));
        row("  cpu", cpu(durable.single_cpu_us));
        row("durable commit, 64 rows", spread(&durable.batch));
        row("  cpu of a row", cpu(durable.batch_cpu_us_per_row));
        row("call over mutual TLS, alone", spread(&rpc.unary));
        row("  cpu of both ends, 64 at once", cpu(rpc.unary_cpu_us));
        row("push on a stream over mutual TLS", spread(&rpc.push));
        row("  cpu of both ends, streaming", cpu(rpc.stream_cpu_us));
        row("", String::new());
        row("CEILING and FLOOR, computed", String::new());
        row(
            "cpu of an alert: sender, hub, receiver",
            format!(
                "{:>10.1} µs, {:.1} µs, {:.1} µs",
                ceiling.sender_us, ceiling.hub_us, ceiling.receiver_us
            ),
        );
        row(&format!("alerts on {cores} cores"), format!("{:>10.0} /s", ceiling.alerts_per_s));
        row("one way", format!("{:>10.1} µs   min {:.1} µs", floor.p50_us, floor.min_us));
        row("", String::new());
        row(&format!("MEASURED, {alerts} alerts, SQLite"), String::new());
        for (name, run) in [("one alert per MLS message", single), ("packed", packed)] {
            let ratio = run.alerts_per_s / ceiling.alerts_per_s;
            let rate = format!("{:>10.0} /s = {ratio:.2} of the ceiling", run.alerts_per_s);
            row(name, rate);
            row(
                "  cpu of an alert: sender, hub, receiver",
                format!(
                    "{:>10.1} µs, {:.1} µs, {:.1} µs; {} entries",
                    run.sender_cpu_us, run.hub_cpu_us, run.receiver_cpu_us, run.entries
                ),
            );
        }
        let ratio = latency.one_way.p50_us / floor.p50_us;
        row(
            "one alert, idle, one way (±0.5 ms)",
            format!("{} = {ratio:.1} × the floor", spread(&latency.one_way)),
        );
        let ratio = latency.there_and_back.p50_us / (2.0 * floor.p50_us);
        row(
            "one alert, idle, there and back",
            format!("{} = {ratio:.1} × two floors", spread(&latency.there_and_back)),
        );
        text
    }
}
