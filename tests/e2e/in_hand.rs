//! What a node had in hand when its process was killed, read from what it left behind.

use std::fmt;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use raccordo_node::store::outbox::EntryState;
use raccordo_node::store::{Store as _, Tx};
use raccordo_tests::federation::Node;
use serde_json::Value;

/// Most rows that are looked at.
const ROWS: u32 = 1000;
/// Bytes of the log in which the last step is looked for.
const TAIL: u64 = 64 << 10;

/// Work that was durable and not done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InHand {
    /// Envelopes not encrypted yet.
    queued: usize,
    /// Entries for which the hub's answer was not known.
    pending: usize,
    /// Envelopes in the log that not every member has.
    unconfirmed: usize,
    /// At a hub: entries that not every member has confirmed.
    carried: u64,
}

impl InHand {
    pub fn is_some(&self) -> bool {
        *self != Self::default()
    }

    pub fn add(&mut self, other: &Self) {
        self.queued += other.queued;
        self.pending += other.pending;
        self.unconfirmed += other.unconfirmed;
        self.carried += other.carried;
    }
}

impl fmt::Display for InHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queued, pending, unconfirmed, carried } = self;
        write!(
            f,
            "{queued} alerts queued, {pending} entries pending, {unconfirmed} alerts unconfirmed, \
             {carried} entries carried and not confirmed"
        )
    }
}

/// What a node that does not run has in hand.
pub async fn of(node: &Node) -> anyhow::Result<Option<InHand>> {
    let store = node.store().await?;
    let mut tx = store.read().await?;
    let mut found = InHand::default();
    member(&mut *tx, &mut found).await?;
    for carried in tx.all_carried().await? {
        let cursors = tx.cursors(carried.group).await?;
        let all_have = cursors.iter().map(|(_, sequence)| sequence.0).min().unwrap_or_default();
        found.carried += carried.sequence.0.saturating_sub(all_have);
    }
    drop(tx);
    store.close().await;
    Ok(Some(found))
}

async fn member(tx: &mut dyn Tx, found: &mut InHand) -> anyhow::Result<()> {
    for equipe in tx.equipes().await? {
        let lineage = equipe.lineage;
        let queued = tx.queued_envelopes(lineage, true, ROWS).await?;
        found.queued += queued.iter().filter(|row| row.case_bearing).count();
        for state in [EntryState::Pending, EntryState::Stale, EntryState::Accepted] {
            for entry in tx.entries_in(lineage, state, ROWS).await? {
                // Receipts wait for no receipt: only alerts are work.
                let envelopes = tx.envelopes_of(lineage, entry.entry).await?;
                let alerts = envelopes.iter().filter(|row| row.case_bearing).count();
                match state {
                    EntryState::Accepted => found.unconfirmed += alerts,
                    _ => found.pending += 1,
                }
            }
        }
    }
    Ok(())
}

/// The last step that a node logged.
pub fn last_step(node: &Node) -> anyhow::Result<String> {
    let mut log = File::open(node.log())?;
    let length = log.metadata()?.len();
    log.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut tail = Vec::new();
    log.read_to_end(&mut tail)?;
    let tail = String::from_utf8_lossy(&tail);
    let lines = tail.lines().rev().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines {
        if let Some(step) = line["step"].as_str() {
            return Ok(step.to_owned());
        }
        if line["message"] == "the node runs" {
            break;
        }
    }
    Ok("started".to_owned())
}
