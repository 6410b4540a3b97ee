//! What a durable commit costs: rows of 1.5 KiB through the node's own store, on SQLite.

use std::time::{Duration, Instant};

use raccordo_core::hublog::EntryKind;
use raccordo_core::id::{BootId, Digest, EntryId, Epoch, LineageId, Sequence};
use raccordo_node::store::Store as _;
use raccordo_node::store::outbox::{EntryRow, EntryState};
use raccordo_node::store::sql::SqlStore;
use serde::Serialize;

use crate::measure::{Samples, Spread, micros, own_cpu};

/// Long enough for the 10 ms of the process's clock not to matter.
const LENGTH: Duration = Duration::from_secs(2);
const ROW_BYTES: usize = 1536;
const BATCH: usize = 64;
const CONNECTIONS: u32 = 2;

/// Transactions of one row and of 64.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct DurableCosts {
    /// On the wall, one row.
    pub(crate) single: Spread,
    /// CPU time of it, in microseconds.
    pub(crate) single_cpu_us: f64,
    /// On the wall, 64 rows.
    pub(crate) batch: Spread,
    /// CPU time for each of 64 rows, in microseconds.
    pub(crate) batch_cpu_us_per_row: f64,
}

/// Measures.
///
/// # Errors
/// The disk's.
pub(crate) async fn costs() -> anyhow::Result<DurableCosts> {
    let (single, single_cpu_us) = transactions(1).await?;
    let (batch, batch_cpu_us_per_row) = transactions(BATCH).await?;
    Ok(DurableCosts { single, single_cpu_us, batch, batch_cpu_us_per_row })
}

async fn transactions(rows: usize) -> anyhow::Result<(Spread, f64)> {
    let directory = tempfile::tempdir()?;
    let url = format!("sqlite://{}/bench.db", directory.path().display());
    let store = SqlStore::open(&url, CONNECTIONS).await?;
    let mut samples = Samples::default();
    let mut number = 0;
    let (start, cpu) = (Instant::now(), own_cpu()?);
    while start.elapsed() < LENGTH {
        let entries = (0..rows).map(|_| {
            number += 1;
            entry(number)
        });
        let entries = entries.collect();
        let begin = Instant::now();
        let mut tx = store.write().await?;
        tx.insert_entries(entries).await?;
        tx.commit().await?;
        samples.add(begin.elapsed());
    }
    let spent = own_cpu()?.saturating_sub(cpu);
    store.close().await;
    Ok((samples.spread(), micros(spent) / f64::from(number)))
}

fn entry(number: u32) -> EntryRow {
    EntryRow {
        lineage: LineageId([1; 16]),
        position: 0,
        entry: EntryId(u128::from(number).to_be_bytes()),
        kind: EntryKind::Application,
        epoch: Epoch(1),
        payload: vec![7; ROW_BYTES],
        payload_digest: Digest([7; 32]),
        group_info: Vec::new(),
        welcome: Vec::new(),
        boot: BootId([1; 16]),
        state: EntryState::Pending,
        sequence: Sequence(0),
        reason: String::new(),
    }
}
